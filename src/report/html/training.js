"use strict";
// The report of a training.
firstspike.ready((data) => {
  const { bars, card, chart, colour, colours, dash, element, mark, narrow, plain, redraw, scale, table, unit, withPrefix } = firstspike;
  const { content } = data;
  const time = unit(data.time_unit);
  const timeAxis = (title) => ({ title: { text: `${title} [${time}]` } });
  const className = (index) => (index === null ? "none" : content.class_names[index]);
  const input = content.layers[0];
  const labels = content.layers[content.layers.length - 1];

  // Beside a class map the confusion matrix is as large; otherwise three small charts share a row.
  const third = content.class_map || !content.curves ? "" : "third";

  if (content.curves) {
    curves(content.curves);
  }
  confusion();
  if (content.class_map) {
    classMap(content.class_map);
  }
  if (content.samples.length > 0) {
    samples();
  }
  firstSpikes();
  decisionTimes();
  weights();
  if (content.layers.some((layer) => layer.delays)) {
    delays();
  }
  if (content.chip_found) {
    chipFound(data);
  }
  if (content.hardware) {
    hardware(content.hardware);
  }

  function curves(found) {
    const mode = found.epoch.length < 30 ? "lines+markers" : "lines";
    const line = (y, name, hue, what, dash) => ({
      x: found.epoch, y, name, mode, line: { color: hue, width: 2, dash }, marker: { size: 5 },
      hovertemplate: `epoch %{x}<br>${what}<extra>${plain(name)}</extra>`,
    });
    const epochs = { title: { text: "epoch" }, rangemode: "tozero" };
    const kept = found.epoch.length > 0 && content.selected_epoch > 0 ? [{
      type: "line", x0: content.selected_epoch, x1: content.selected_epoch, y0: 0, y1: 1, yref: "paper",
      line: { color: colours().quiet, width: 1, dash: "dot" },
    }] : [];
    const about = `The dotted line: epoch ${content.selected_epoch}, whose parameters were kept.`;

    // Errors fall by orders of magnitude: their scale is logarithmic where they all are above zero.
    const error = (values) => values.map((value) => (value === null ? null : 100 - value));
    const errors = [error(found.training_accuracy), error(found.validation_accuracy)];
    chart(card("Learning: error", `Samples decided wrongly, training and validation. ${about}`), {
      describe: `Error of training and validation over ${found.epoch.length} epochs.`,
      traces: [
        line(errors[0], "training", colour(0), "%{y:.2f} % wrong"),
        line(errors[1], "validation", colour(3), "%{y:.2f} % wrong", "dash"),
      ],
      layout: { xaxis: epochs, yaxis: { title: { text: "error [%]" }, ...scale(errors.flat(), 5) }, shapes: kept },
    });
    chart(card("Learning: loss", "Mean loss per sample, training and validation."), {
      describe: `Loss of training and validation over ${found.epoch.length} epochs.`,
      traces: [
        line(found.training_loss, "training", colour(0), "loss %{y:.4g}"),
        line(found.validation_loss, "validation", colour(3), "loss %{y:.4g}", "dash"),
      ],
      layout: { xaxis: epochs, yaxis: { title: { text: "mean loss per sample" }, ...scale([...found.training_loss, ...found.validation_loss], 20) }, shapes: kept },
    });
    const silent = found.silent.map(([name, values], index) =>
      line(values, name, colour(index === found.silent.length - 1 ? 3 : [0, 2, 4, 6][index % 4]), "%{y:.1f} % silent"));
    chart(card("Learning: silent neurons", "Pairs of a training sample and a neuron that does not spike in it.", third), {
      describe: "Silent fraction of each layer over the epochs.",
      height: 280, traces: silent,
      layout: { xaxis: epochs, yaxis: { title: { text: "silent [%]" }, rangemode: "tozero" }, showlegend: true },
    });
    chart(card("Learning: time to decision", "Mean time of the first label spike over the training set.", third), {
      describe: "Mean time to decision over the epochs.",
      height: 280, traces: [line(found.decision_time, "training", colour(0), `%{y:.4g} ${time}`)],
      layout: { xaxis: epochs, yaxis: { ...timeAxis("time to decision"), rangemode: "tozero" } },
    });
  }

  function confusion() {
    const { confusion: counts } = content;
    const none = counts.some((row) => row[row.length - 1] > 0);
    const columns = none ? [...content.class_names, "none"] : content.class_names;
    const totals = counts.map((row) => row.reduce((sum, count) => sum + count, 0));
    const share = counts.map((row, index) => row.slice(0, columns.length).map((count) => 100 * count / (totals[index] || 1)));
    const shown = counts.map((row) => row.slice(0, columns.length));
    const many = columns.length > 12;
    const { text } = colours();
    chart(card("Confusion matrix", "Test samples by class and decision; the colour is the share of the class.", third), {
      describe: `Confusion matrix of ${content.class_names.length} classes; the figures are in the hover texts.`,
      height: content.class_map ? 460 : 280,
      traces: [{
        type: "heatmap", z: share, x: columns.map(plain), y: content.class_names.map(plain), customdata: shown,
        colorscale: [[0, "rgba(0,114,178,0.04)"], [0.05, "rgba(0,114,178,0.3)"], [1, "rgba(0,114,178,0.85)"]],
        zmin: 0, zmax: 100, showscale: false, xgap: 2, ygap: 2,
        ...(many ? {} : { text: shown, texttemplate: "%{text}", textfont: { color: text } }),
        hovertemplate: "class %{y}, decided %{x}<br>%{customdata} samples (%{z:.1f} % of the class)<extra></extra>",
      }],
      layout: {
        xaxis: { title: { text: "decision" }, type: "category", showgrid: false, ticks: "" },
        yaxis: { title: { text: "class" }, type: "category", autorange: "reversed", showgrid: false, ticks: "" },
      },
    });
  }

  function classMap({ side, rows }) {
    const { quiet, text } = colours();
    const count = content.class_names.length;
    const centres = rows.map((_, index) => (index + 0.5) * side / rows.length);
    // Undecided, then the classes, each with a step of its own in the scale.
    const hues = [quiet, ...content.class_names.map((_, index) => colour(index))];
    const steps = hues.flatMap((hue, index) => [[index / hues.length, hue], [(index + 1) / hues.length, hue]]);
    const name = (answer) => (answer === null ? "" : answer < 0 ? "undecided" : className(answer));
    const { x, y, label, decided } = content.plane;
    const dots = content.class_names.map((own, index) => {
      const of = [...label.keys()].filter((sample) => label[sample] === index);
      return {
        type: "scatter", mode: "markers", name: plain(own), x: of.map((sample) => x[sample]), y: of.map((sample) => y[sample]), customdata: of,
        marker: { symbol: mark(index), size: 5, color: colour(index), line: { width: 0.5, color: text } },
        hovertemplate: `sample %{customdata}<extra>${plain(own)}</extra>`,
      };
    });
    const wrong = [...label.keys()].filter((sample) => decided[sample] !== label[sample]);
    chart(card("Class map", "What the network answers over the plane of the data, and the test samples; rings mark wrong decisions."), {
      describe: `Regions of the plane that the network assigns to each of ${count} classes, with the test samples on top, ${wrong.length} of them decided wrongly.`,
      height: 460,
      traces: [
        {
          type: "heatmap", x: centres, y: centres, z: rows, zmin: -1.5, zmax: count - 0.5, colorscale: steps, opacity: 0.35, showscale: false,
          text: rows.map((row) => row.map(name)), hovertemplate: "%{text}<extra></extra>", hoverongaps: false,
        },
        ...dots,
        {
          type: "scatter", mode: "markers", name: "wrong", hoverinfo: "skip", x: wrong.map((sample) => x[sample]), y: wrong.map((sample) => y[sample]),
          marker: { symbol: "circle-open", size: 12, color: text, line: { width: 1.5 } },
        },
      ],
      layout: {
        showlegend: true, xaxis: { title: { text: "x" }, range: [0, side], zeroline: false, constrain: "domain" },
        yaxis: { title: { text: "y" }, range: [0, side], zeroline: false, scaleanchor: "x", constrain: "domain" },
      },
    });
  }

  // Samples to choose from, and the raster and membrane potentials of the one that is chosen.
  function samples() {
    const right = content.samples.filter((sample) => sample.decided === sample.label).length;
    const wrong = content.samples.length - right;
    const all = wrong === content.wrong ? "all" : `${wrong} of ${content.wrong}`;
    const about = `${content.samples.length} test samples to click on: ${right} that were decided rightly, and ${all} that were not. Drag over the raster to zoom in, double-click to zoom out.${content.potentials ? ` ${content.potentials}` : ""}`;
    const place = card("Samples: spikes and membrane potentials", about, "wide");
    const viewer = element("div", { class: "viewer" });
    const side = element("div");
    const view = element("div");
    viewer.append(side, view);
    place.append(viewer);

    const buttons = new Map();
    const list = (title, keep) => {
      const chosen = content.samples.filter(keep);
      if (chosen.length === 0) {
        return;
      }
      const box = element("div", { class: "choice", role: "group", "aria-label": title });
      for (const sample of chosen) {
        const text = sample.decided === sample.label
          ? `${className(sample.label)} #${sample.index}`
          : `${className(sample.label)} → ${className(sample.decided)} #${sample.index}`;
        const button = element("button", { type: "button", "data-sample": sample.index }, text);
        button.addEventListener("click", () => show(sample));
        buttons.set(sample, button);
        box.append(button);
      }
      side.append(element("h3", {}, title), box);
    };
    list("Decided wrongly (class → decision)", (sample) => sample.decided !== sample.label);
    list("Decided rightly", (sample) => sample.decided === sample.label);

    const shown = element("p", { class: "shown", "aria-live": "polite" });
    view.append(shown);
    const map = content.plane ? planeMap(side, show) : null;
    const picture = content.image ? pixels(side, content.samples[0]) : null;
    const first = figure(content.samples[0]);
    const raster = chart(view, { describe: first.describe, height: narrow() ? 560 : 680, traces: first.traces, layout: first.layout });
    raster.id = "raster";

    function show(sample) {
      buttons.forEach((button, of) => button.setAttribute("aria-pressed", of === sample));
      const verdict = sample.decided === null
        ? "no label neuron spikes: no decision"
        : `decided ${className(sample.decided)} at ${sample.decision_time} ${data.time_unit.replace("τ_s", "τₛ")} (${sample.decided === sample.label ? "right" : "wrong"})`;
      shown.textContent = `Sample ${sample.index}: ${className(sample.label)}, ${verdict}`;
      const { traces, layout, describe } = figure(sample);
      redraw(raster, traces, layout, describe);
      if (map) {
        const { x, y } = content.plane;
        Plotly.restyle(map, { x: [[x[sample.index]]], y: [[y[sample.index]]] }, [map.data.length - 1]);
      }
      if (picture) {
        picture(sample);
      }
    }
    show(content.samples[0]);
  }

  // The test samples in the plane; those that can be looked at are large.
  function planeMap(parent, show) {
    const { x, y, label } = content.plane;
    const { text, card: ground } = colours();
    const chosen = new Map(content.samples.map((sample) => [sample.index, sample]));
    const dots = content.class_names.flatMap((name, index) => {
      const of = [...label.keys()].filter((sample) => label[sample] === index);
      const trace = (samples, marker, showlegend) => ({
        type: "scatter", mode: "markers", name: plain(name), legendgroup: name, showlegend, marker,
        x: samples.map((sample) => x[sample]), y: samples.map((sample) => y[sample]), customdata: samples,
        hovertemplate: `sample %{customdata}<extra>${plain(name)}</extra>`,
      });
      const small = of.filter((sample) => !chosen.has(sample));
      const large = of.filter((sample) => chosen.has(sample));
      return [
        { ...trace(small, { size: 4, color: colour(index), opacity: 0.35 }, false), hoverinfo: "skip", hovertemplate: null },
        trace(large, {
          size: 10, color: colour(index), line: { width: 1.5, color: large.map((sample) => (chosen.get(sample).decided === label[sample] ? ground : colour(index))) },
          symbol: large.map((sample) => (chosen.get(sample).decided === label[sample] ? mark(index) : `${mark(index)}-open`)),
        }, true),
      ];
    });
    const ring = {
      type: "scatter", mode: "markers", x: [], y: [], hoverinfo: "skip", showlegend: false,
      marker: { size: 17, symbol: "circle-open", color: text, line: { width: 2.5 } },
    };
    parent.append(element("h3", {}, "The same in the plane of the data (hollow: wrong)"));
    const map = chart(parent, {
      describe: "Test samples in the plane of their features; the large ones can be clicked on.",
      height: 360, traces: [...dots, ring],
      layout: {
        margin: { l: 48, r: 8, t: 8, b: 44 },
        xaxis: { title: { text: "x" }, zeroline: false }, yaxis: { title: { text: "y" }, zeroline: false, scaleanchor: "x" },
      },
    });
    map.id = "plane";
    map.on("plotly_click", ({ points }) => {
      const sample = chosen.get(points[0].customdata);
      if (sample) {
        show(sample);
      }
    });
    return map;
  }

  // The image of a sample, and a function that shows another.
  function pixels(parent, sample) {
    const [width, height] = content.image;
    const rows = ({ pixels: values }) => Array.from({ length: height }, (_, row) => values.slice(row * width, (row + 1) * width));
    parent.append(element("h3", {}, "Image"));
    const place = chart(parent, {
      describe: "The image that the sample is.",
      height: 240,
      traces: [{
        type: "heatmap", z: rows(sample), zmin: 0, zmax: 1, showscale: false, colorscale: [[0, "#ffffff"], [1, "#10151c"]],
        hovertemplate: "column %{x}, row %{y}: %{z:.2f}<extra></extra>",
      }],
      layout: {
        margin: { l: 4, r: 4, t: 4, b: 4 },
        xaxis: { visible: false, constrain: "domain" }, yaxis: { visible: false, autorange: "reversed", scaleanchor: "x", constrain: "domain" },
      },
    });
    return (other) => Plotly.restyle(place, { z: [rows(other)] }, [0]);
  }

  // Raster above, membrane potentials of the label neurons below, on one axis of time.
  function figure(sample) {
    const { text, quiet } = colours();
    const most = Math.max(...content.layers.map((layer) => layer.size));
    // A band per layer; a few label neurons must not vanish beside hundreds of hidden ones.
    const heights = content.layers.map((layer) => Math.max(layer.size / most, layer === labels ? 0.3 : 0.16));
    const total = heights.reduce((sum, height) => sum + height, 0);
    const gap = 0.03;
    const traces = [];
    const ticks = { tickvals: [], ticktext: [] };
    let base = 0;
    let labelBase = 0;
    content.layers.forEach((layer, index) => {
      const height = heights[index] / total;
      const y = (neuron) => base + gap / 2 + (neuron + 0.5) * (height - gap) / layer.size;
      const spiking = [...sample.spikes[index].keys()].filter((neuron) => sample.spikes[index][neuron] !== null);
      const pitch = (height - gap) * 340 / layer.size;
      const hue = layer === labels ? spiking.map((neuron) => colour(neuron)) : layer === input ? quiet : text;
      const name = (neuron) => (layer === labels ? `${plain(layer.name)} ${neuron} (${plain(className(neuron))})` : `${plain(layer.name)} ${neuron}`);
      traces.push({
        type: "scatter", mode: "markers", name: plain(layer.name), showlegend: false,
        x: spiking.map((neuron) => sample.spikes[index][neuron]), y: spiking.map(y), text: spiking.map(name),
        marker: layer === labels
          ? { symbol: spiking.map(mark), size: Math.min(Math.max(pitch * 0.75, 7), 11), color: hue }
          : { symbol: "line-ns-open", size: Math.min(Math.max(pitch * 0.75, 5), 16), color: hue, line: { width: 1.6, color: hue } },
        hovertemplate: `%{text}<br>%{x:.5g} ${time}<extra></extra>`,
      });
      ticks.tickvals.push(base + height / 2);
      ticks.ticktext.push(narrow() ? `${plain(layer.name)}<br>${layer.size}` : `${plain(layer.name)}<br>(${layer.size})`);
      if (layer === labels) {
        labelBase = base;
      }
      base += height;
    });
    const many = sample.membranes.length > 5;
    const potentials = sample.membranes.map((membrane, neuron) => ({
      type: "scatter", mode: "lines", name: plain(className(neuron)), x: membrane.time, y: membrane.potential, yaxis: "y2",
      line: { color: colour(neuron), width: neuron === sample.label ? 2.6 : 1.6, dash: many ? dash(neuron) : "solid" },
      hovertemplate: `${plain(className(neuron))}<br>%{x:.5g} ${time}: %{y:.4g}<extra></extra>`,
    }));
    // Neurons of a chip have thresholds of their own, each in its colour.
    const thresholds = new Map(sample.membranes.map((membrane, neuron) => [membrane.threshold, neuron]));
    const shapes = [...thresholds].map(([threshold, neuron]) => ({
      type: "line", xref: "paper", x0: 0, x1: 1, yref: "y2", y0: threshold, y1: threshold, line: { color: thresholds.size > 1 ? colour(neuron) : quiet, width: 1, dash: "dot" },
    }));
    const annotations = [];
    if (sample.decision_time !== null) {
      const hue = sample.decided === sample.label ? colour(2) : colour(3);
      shapes.push({
        type: "line", x0: sample.decision_time, x1: sample.decision_time, yref: "paper", y0: 0, y1: 1, line: { color: hue, width: 1.6, dash: "dash" },
      });
      annotations.push({
        x: sample.decision_time, xanchor: "right", yref: "paper", y: 1, yanchor: "bottom", showarrow: false, font: { color: text },
        text: `${sample.decided === sample.label ? "✓" : "✗"} ${plain(className(sample.decided))}`,
      });
    }
    shapes.push({
      type: "line", xref: "paper", x0: 0, x1: 1, yref: "y", y0: labelBase, y1: labelBase, line: { color: quiet, width: 0.5 },
    });
    return {
      traces: [...traces, ...potentials],
      describe: `Raster and membrane potentials of sample ${sample.index}, of class ${className(sample.label)}, decided ${className(sample.decided)}.`,
      layout: {
        margin: { l: 70, r: 14, t: 26, b: 48 }, shapes, annotations,
        // Below the axis: above it would be over the raster.
        showlegend: potentials.length > 0, legend: { y: -0.1, yanchor: "top", x: 0 },
        xaxis: { ...timeAxis("time"), anchor: potentials.length > 0 ? "y2" : "y", rangemode: "tozero", zeroline: false },
        yaxis: { domain: potentials.length > 0 ? [0.42, 1] : [0, 1], range: [0, 1], showgrid: false, zeroline: false, title: { text: "" }, ...ticks },
        yaxis2: { domain: [0, 0.38], title: { text: "membrane potential" }, zeroline: false },
      },
    };
  }

  function firstSpikes() {
    const layers = content.layers.filter((layer) => layer.first_spikes);
    const place = card("First-spike times", `Of every layer, over the test set. ${layers.map((layer) => `${layer.name}: ${layer.silent.toFixed(1)} % silent`).join("; ")}.`);
    panels(place, layers, (layer) => layer.first_spikes, timeAxis("first spike"), "first spike", true);
  }

  function weights() {
    const layers = content.layers.filter((layer) => layer.weights);
    const place = card("Weights", `Of the synapses onto each layer. Means: ${layers.map((layer) => `${layer.name} ${layer.weights.mean}`).join("; ")}.`);
    panels(place, layers, (layer) => layer.weights, { title: { text: "weight" } }, "weight", false);
  }

  function delays() {
    const layers = content.layers.filter((layer) => layer.delays);
    const place = card("Delays", layers.map((layer) => `${layer.name}: ${layer.delays[0]}`).join("; "));
    panels(place, layers, (layer) => layer.delays[1], timeAxis("delay"), "delay", false);
  }

  // A histogram per layer, one above the other; on one axis if they are alike.
  function panels(place, layers, histogram, axis, what, shared) {
    const count = layers.length;
    const layout = { showlegend: false, bargap: 0, margin: { t: 24 }, annotations: [] };
    const traces = layers.map((layer, index) => {
      const suffix = index === 0 ? "" : String(index + 1);
      const bottom = 1 - (index + 1) / count;
      const domain = [bottom + (index === count - 1 ? 0 : shared ? 0.05 : 0.13) / Math.sqrt(count), 1 - index / count - 0.05 / count];
      const last = index === count - 1;
      layout[`xaxis${suffix}`] = {
        anchor: `y${suffix}`, ...(shared && index > 0 ? { matches: "x" } : {}),
        ...(last ? axis : {}), showticklabels: last || !shared, zeroline: !shared, ...(shared ? { rangemode: "tozero" } : {}),
      };
      layout[`yaxis${suffix}`] = { domain, anchor: `x${suffix}`, title: { text: "share [%]" }, nticks: 4, rangemode: "tozero" };
      layout.annotations.push({
        text: plain(layer.name), showarrow: false, xref: "paper", x: 1, xanchor: "right", yref: `y${suffix} domain`, y: 1, yanchor: "top", font: { size: 13 },
      });
      const hue = layer === labels ? colour(3) : layer === input ? colours().quiet : colour(0);
      return { ...bars(histogram(layer), { name: layer.name, hue, what }), xaxis: `x${suffix}`, yaxis: `y${suffix}` };
    });
    chart(place, { describe: `Distribution of ${what} per layer: ${layers.map((layer) => layer.name).join(", ")}.`, height: 120 + 110 * count, traces, layout });
  }

  function decisionTimes() {
    const [right, wrong] = content.decision_times;
    const traces = [];
    if (right) {
      traces.push(bars(right, { name: "right", hue: colour(2), what: "decided at" }));
    }
    if (wrong) {
      traces.push(bars(wrong, { name: "wrong", hue: colour(3), what: "decided at", opacity: 0.6 }));
    }
    if (traces.length === 0) {
      return;
    }
    const means = [right && `right ${right.mean}`, wrong && `wrong ${wrong.mean}`].filter(Boolean).join(", ");
    chart(card("Time to decision", `Of test samples, each kind by itself. Mean [${data.time_unit.replace("τ_s", "τₛ")}]: ${means}.`), {
      describe: `Distribution of the time to decision; means: ${means}.`,
      traces,
      layout: { barmode: "overlay", showlegend: true, xaxis: timeAxis("time to decision"), yaxis: { title: { text: "share [%]" }, rangemode: "tozero" } },
    });
  }

  function hardware(account) {
    const parts = [
      ["static power", account.static_energy], ["synaptic events", account.synaptic_energy],
      ["spikes", account.spike_energy], ["readout", account.readout_energy],
    ].filter(([, energy]) => energy > 0);
    const place = card(`On the chip: ${account.chip}`, "Time and energy of a classification, in the mean over the test set.", "wide");
    const sides = [element("div"), element("div")];
    place.append(element("div", { class: "viewer" }, ...sides));
    table(sides[0], ["quantity", "value"], [
      ["energy per sample", withPrefix(account.energy_per_sample, "J")],
      ["time per sample", withPrefix(account.time_per_sample, "s")],
      ["decision after", withPrefix(account.decision_time, "s")],
      ["samples per second", account.samples_per_second === null ? "unknown" : account.samples_per_second.toLocaleString("en", { maximumFractionDigits: 0 })],
      ["spikes per sample", account.spikes_per_sample.toFixed(1)],
      ["synaptic events per sample", account.synaptic_events_per_sample.toFixed(0)],
      ["spikes lost", `${(100 * account.lost_fraction).toFixed(2)} %`],
      ["synaptic time constant", withPrefix(account.synaptic_time_constant, "s")],
      ...(account.speedup_factor ? [["speedup", `${account.speedup_factor.toPrecision(4)} ×`]] : []),
    ]);
    if (parts.length > 0) {
      chart(sides[1], {
        describe: `Energy per sample by cause: ${parts.map(([name, energy]) => `${name} ${withPrefix(energy, "J")}`).join(", ")}.`,
        height: 120 + 50 * parts.length,
        traces: [{
          type: "bar", orientation: "h", y: parts.map(([name]) => name), x: parts.map(([, energy]) => energy * 1e6),
          text: parts.map(([, energy]) => withPrefix(energy, "J")), textposition: "auto", marker: { color: colour(0) },
          hovertemplate: "%{y}: %{text}<extra></extra>",
        }],
        layout: { xaxis: { title: { text: "energy per sample [µJ]" }, rangemode: "tozero" }, yaxis: { autorange: "reversed", ticks: "" } },
      });
    }
  }
});
