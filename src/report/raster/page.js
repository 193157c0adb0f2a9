"use strict";
// A raster: a mark for every spike, populations by colour.
firstspike.ready((data) => {
  const { card, chart, plain, unit } = firstspike;
  const place = card("Spikes", data.note, "wide");
  const marks = data.populations.reduce((sum, { x }) => sum + x.length, 0);
  // Browsers without WebGL draw many marks slowly, but they draw them.
  const fast = marks > 5000 && document.createElement("canvas").getContext("webgl") !== null;
  const ticks = (pairs) => ({
    tickmode: "array", tickvals: pairs.map(([at]) => at), ticktext: pairs.map(([, text]) => text),
  });
  const traces = data.populations.map(({ name, hue, x, y, text }) => ({
    type: fast ? "scattergl" : "scatter", mode: "markers", name: plain(name), x, y, text,
    marker: { color: hue, symbol: "line-ns", size: 7, line: { color: hue, width: 1.5 } },
    hovertemplate: `${plain(name)} %{text}<extra></extra>`,
  }));
  chart(place, {
    describe: `Raster of ${marks} marks: spikes by time and neuron`,
    height: Math.max(420, Math.min(900, window.innerHeight - 180)),
    traces,
    layout: {
      showlegend: traces.length > 1,
      margin: { t: data.samples.length > 0 ? 48 : 12 },
      legend: { y: data.samples.length > 0 ? 1.06 : 1.02 },
      xaxis: {
        title: { text: unit(data.time_label) }, range: data.x, zeroline: false,
        ...(data.times.length > 0 ? ticks(data.times) : {}),
      },
      yaxis: { title: { text: "neuron" }, range: data.y, zeroline: false, ...ticks(data.neurons) },
      annotations: data.samples.map(([x, text]) => ({
        x, y: 1, xref: "x", yref: "paper", yanchor: "bottom", showarrow: false, text: `sample ${text}`,
      })),
    },
  });
});
