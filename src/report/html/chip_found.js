// What training in the loop found of the chip: thresholds and delays of its neurons, beside the true ones where
// they are known.
function chipFound(data) {
  const { card, chart, colour, colours, element, mark, plain, table, unit } = firstspike;
  const { layers, known } = data.content.chip_found;
  const time = unit(data.time_unit);
  const about = known
    ? "Found by the twin of the chip from the records of training, with one standard deviation, over the true values."
    : "Found by the twin of the chip from the records of training, with one standard deviation.";
  const place = card("The chip's neurons, as found", about, "wide");
  const sides = [element("div"), element("div")];
  place.append(element("div", { class: "viewer halves" }, ...sides));

  // Neurons of one layer after another.
  let next = 0;
  const numbers = layers.map(({ threshold }) => threshold.map(() => next++));
  const dots = (values, across, title) => layers.map((layer, index) => ({
    type: "scatter", mode: "markers", name: plain(layer.name), x: across(layer, index), y: layer[values], customdata: layer[values].map((_, neuron) => [neuron, layer.compared[neuron]]),
    error_y: { type: "data", array: layer[`${values}_std`], thickness: 1, width: 0, color: colour(index) },
    marker: { symbol: mark(index), size: 6, color: colour(index) },
    hovertemplate: `${plain(layer.name)} %{customdata[0]}<br>${title} %{y:.4~g}, from %{customdata[1]:,} spikes<extra></extra>`,
  }));
  const traces = dots("threshold", (layer, index) => (known ? layer.threshold_true : numbers[index]), "threshold");
  if (known) {
    const truth = layers.flatMap((layer) => layer.threshold_true);
    const ends = [truth.reduce((a, b) => Math.min(a, b), Infinity), truth.reduce((a, b) => Math.max(a, b), -Infinity)];
    traces.push({
      type: "scatter", mode: "lines", name: "equal", x: ends, y: ends, hoverinfo: "skip", line: { color: colours().quiet, width: 1, dash: "dot" },
    });
  }
  chart(sides[0], {
    describe: known ? "Thresholds found, over the true ones." : "Thresholds found, by neuron.", traces,
    layout: {
      showlegend: true, xaxis: { title: { text: known ? "true threshold, relative to the scenario's" : "neuron" } },
      yaxis: { title: { text: "threshold found" } },
    },
  });
  chart(sides[1], {
    describe: "Delays found, by neuron.", traces: dots("delay", (_, index) => numbers[index], `delay [${time}]`),
    layout: { showlegend: true, xaxis: { title: { text: "neuron" } }, yaxis: { title: { text: `delay found [${time}]` } } },
  });
  const moments = ([mean, std], digits) => `${mean.toFixed(digits)} ± ${std.toFixed(digits)}`;
  const symbol = data.time_unit.replace("τ_s", "τₛ");
  table(place, ["layer", "thresholds: mean ± spread", "their error (rms)", `delays: mean ± spread [${symbol}]`, `noise of times [${symbol}]`, "spikes of only record or twin"],
    layers.map((layer) => [
      layer.name, moments(layer.thresholds, 3), layer.threshold_error === null ? "unknown" : layer.threshold_error.toPrecision(2),
      moments(layer.delays, 4), layer.noise.toPrecision(3), `${layer.disagreement} %`,
    ]));
}
