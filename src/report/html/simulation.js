"use strict";
// The report of a simulation of populations, and of training them to emit given spike trains.
firstspike.ready((data) => {
  const { bars, card, chart, colour, colours, most, narrow, plain, scale, table, unit } = firstspike;
  const learns = data.content.kind === "spike_training";
  const content = learns ? data.content.simulation : data.content;
  const time = unit(data.time_unit);
  const symbol = data.time_unit.replace("τ_s", "τₛ");
  const timeAxis = (title) => ({ title: { text: `${title} [${time}]` } });
  const hue = (index) => (content.populations[index].is_source ? colours().quiet : colour(index));

  if (learns) {
    curves(data.content);
  }
  raster();
  rates();
  intervals();
  if (content.projections.length > 0) {
    weights();
  }
  populations();
  if (content.potentials.length > 0) {
    potentials();
  }

  function curves({ epoch, loss, timing_error: error, missing, extra }) {
    const line = (y, name, index, what) => ({
      x: epoch, y, name, mode: epoch.length < 30 ? "lines+markers" : "lines", line: { color: colour(index), width: 2 },
      hovertemplate: `epoch %{x}<br>${what}<extra>${name}</extra>`,
    });
    const epochs = { title: { text: "epoch" }, rangemode: "tozero" };
    chart(card("Learning: timing error", "Root mean square of the distances between spikes and their targets.", "third"), {
      describe: "Timing error over the epochs.", height: 280,
      traces: [line(error, "timing error", 0, `%{y:.4g} ${time}`)],
      layout: { xaxis: epochs, yaxis: { ...timeAxis("timing error"), ...scale(error, 20) } },
    });
    chart(card("Learning: loss", "", "third"), {
      describe: "Loss over the epochs.", height: 280, traces: [line(loss, "loss", 0, "loss %{y:.4g}")],
      layout: { xaxis: epochs, yaxis: { title: { text: "loss" }, ...scale(loss, 20) } },
    });
    chart(card("Learning: missing and extra spikes", "", "third"), {
      describe: "Missing and extra spikes over the epochs.", height: 280,
      traces: [line(missing, "missing", 3, "%{y} missing"), line(extra, "extra", 1, "%{y} extra")],
      layout: { xaxis: epochs, yaxis: { title: { text: "spikes" }, rangemode: "tozero" }, showlegend: true },
    });
  }

  function raster() {
    const { populations, note } = content.raster;
    const place = card("Raster", `Every tick is a spike. Drag to zoom in, double-click to zoom out. ${note}`, "wide");
    // A band per population, the first at the bottom; small ones are no thinner than a few rows.
    const largest = Math.max(...content.populations.map((population) => population.size));
    const heights = content.populations.map((population) => Math.max(population.size / largest, 0.06));
    const total = heights.reduce((sum, height) => sum + height, 0);
    const height = Math.min(240 + 16 * content.populations.reduce((sum, population) => sum + population.size, 0), narrow() ? 480 : 620);
    const ticks = { tickvals: [], ticktext: [] };
    const traces = [];
    const shapes = [];
    let base = 0;
    content.populations.forEach((population, index) => {
      const band = heights[index] / total;
      const first = base;
      const y = (neuron) => first + 0.005 + (neuron + 0.5) * (band - 0.01) / population.size;
      const size = Math.min(Math.max(0.75 * (band - 0.01) * height / population.size, 4), 18);
      const mark = (rows, color, name, symbol, width) => ({
        type: "scatter", mode: "markers", name: plain(name), showlegend: false, x: rows.time, y: rows.neuron.map(y), customdata: rows.neuron,
        marker: { symbol, size, color, line: { width, color } },
        hovertemplate: `${plain(name)} %{customdata}<br>%{x:.6g} ${time}<extra></extra>`,
      });
      if (learns && index === data.content.target_population) {
        const targets = mark(data.content.targets, colour(1), "target", "circle-open", 1.6);
        targets.marker.size = Math.min(Math.max(size, 7), 11);
        targets.showlegend = true;
        traces.push(targets);
      }
      traces.push(mark(populations[index], hue(index), population.name, "line-ns-open", 1.5));
      ticks.tickvals.push(base + band / 2);
      ticks.ticktext.push(`${plain(population.name)}${narrow() ? "<br>" : " "}(${population.size})`);
      base += band;
      shapes.push({ type: "line", xref: "paper", x0: 0, x1: 1, y0: base, y1: base, line: { color: colours().line, width: 1 } });
    });
    const drawn = chart(place, {
      describe: `Raster of ${content.populations.map((population) => population.name).join(", ")}.`, height, traces,
      layout: {
        shapes, showlegend: learns, xaxis: { ...timeAxis("time"), zeroline: false, range: [0, content.until] },
        yaxis: { range: [0, 1], showgrid: false, zeroline: false, ...ticks },
      },
    });
    drawn.id = "raster";
  }

  function rates() {
    const centres = content.populations[0].rate.map((_, bin) => (bin + 0.5) * content.bin);
    chart(card("Rates", `Spikes per neuron, in bins of ${Number(content.bin.toPrecision(3))} ${symbol}. Click on a name to hide it.`), {
      describe: `Rates over time: ${content.populations.map((population) => `${population.name} ${population.mean_rate}`).join(", ")}.`,
      traces: content.populations.map((population, index) => ({
        x: centres, y: population.rate, name: plain(population.name), mode: "lines", line: { color: hue(index), width: 1.6, shape: "hvh" },
        hovertemplate: `%{x:.4g} ${time}: %{y:.4g} ${plain(content.rate_unit)}<extra>${plain(population.name)}</extra>`,
      })),
      layout: { showlegend: true, xaxis: timeAxis("time"), yaxis: { title: { text: `rate [${plain(content.rate_unit)}]` }, rangemode: "tozero" } },
    });
  }

  function intervals() {
    const spiking = content.populations.filter((population) => population.intervals);
    if (spiking.length === 0) {
      return;
    }
    const variation = spiking.filter((population) => population.variation !== null).map((population) => `${population.name} ${population.variation.toFixed(2)}`);
    chart(card("Interspike intervals", `Times between two spikes of a neuron; double-click to see the longest. ${variation.length > 0 ? `Coefficient of variation, mean over neurons: ${variation.join(", ")}.` : ""}`), {
      describe: "Distributions of interspike intervals per population.",
      traces: spiking.map((population) => bars(population.intervals, { name: population.name, hue: hue(content.populations.indexOf(population)), what: "interval", opacity: 0.55 })),
      layout: { barmode: "overlay", showlegend: true, xaxis: { ...timeAxis("interval"), range: [0, 1.05 * Math.max(...spiking.map(({ intervals: found }) => most(found)))] }, yaxis: { title: { text: "share [%]" }, rangemode: "tozero" } },
    });
  }

  function weights() {
    const shown = content.projections.slice(0, 16);
    const more = content.projections.length - shown.length;
    chart(card("Weights", `From population to population. Click on a name to hide it.${more > 0 ? ` The first ${shown.length} of ${content.projections.length} are shown.` : ""}`), {
      describe: "Distributions of weights per pair of populations.",
      traces: shown.map(({ pre, post, weights: found, synapses }, index) => bars(found, { name: `${pre} → ${post} (${synapses.toLocaleString("en")})`, hue: colour(index), what: "weight", opacity: 0.6 })),
      layout: { barmode: "overlay", showlegend: true, xaxis: { title: { text: "weight" } }, yaxis: { title: { text: "share [%]" }, rangemode: "tozero" } },
    });
  }

  function potentials() {
    chart(card("Membrane potentials", "Of the recorded neurons; the dotted lines are their thresholds. Drag to zoom in, click on a name to show or hide it.", "wide"), {
      height: 360,
      describe: `Membrane potentials of ${content.potentials.map(({ name }) => name).join(", ")}.`,
      // More than three at once are a thicket.
      traces: content.potentials.flatMap(({ name, membrane }, index) => [
        { x: membrane.time, y: membrane.potential, name: plain(name), legendgroup: name, visible: index < 3 || "legendonly", mode: "lines", line: { color: colour(index), width: 1.6 }, hovertemplate: `%{x:.5g} ${time}: %{y:.4g}<extra>${plain(name)}</extra>` },
        { x: [membrane.time[0], membrane.time[membrane.time.length - 1]], y: [membrane.threshold, membrane.threshold], name: plain(name), legendgroup: name, visible: index < 3 || "legendonly", showlegend: false, mode: "lines", line: { color: colour(index), width: 1, dash: "dot" }, hoverinfo: "skip" },
      ]),
      layout: { showlegend: true, xaxis: { ...timeAxis("time"), zeroline: false }, yaxis: { title: { text: "membrane potential" }, zeroline: false } },
    });
  }

  function populations() {
    table(card("Populations", "", content.projections.length === 0 ? "wide" : ""),
      ["population", "size", "spikes", `rate [${content.rate_unit}]`, "CV of intervals (mean over neurons)"],
      content.populations.map(({ name, size, spikes, mean_rate: rate, variation }) =>
        [name, size.toLocaleString("en"), spikes.toLocaleString("en"), rate === null ? "–" : String(rate), variation === null ? "–" : variation.toFixed(2)]));
  }
});
