"use strict";
// A raster: a mark for every spike, populations by colour.
firstspike.ready((data) => {
  const { card, chart, plain, unit } = firstspike;
  const place = card("Spikes", data.note, "wide");
  const marks = data.populations.reduce((sum, { x }) => sum + x.length, 0);
  // One by one, many marks are slow. Where there is WebGL it draws them; elsewhere they are one line with
  // gaps for each population, which is fast, too.
  const many = marks > 5000;
  const webgl = many && document.createElement("canvas").getContext("webgl") !== null;
  const height = Math.max(420, Math.min(900, window.innerHeight - 180));
  const half = 3.5 * (data.y[1] - data.y[0]) / (height - 80);
  const thrice = (values, change) => values.flatMap((value) => [change(value, -1), change(value, 1), null]);
  const ticks = (pairs) => ({
    tickmode: "array", tickvals: pairs.map(([at]) => at), ticktext: pairs.map(([, text]) => text),
  });
  const traces = data.populations.map(({ name, hue, x, y, text }) => (many && !webgl ? {
    type: "scatter", mode: "lines", name: plain(name), connectgaps: false, line: { color: hue, width: 1.5, simplify: false },
    x: thrice(x, (time) => time), y: thrice(y, (row, side) => row + side * half), text: thrice(text, (words) => words),
    hovertemplate: `${plain(name)} %{text}<extra></extra>`,
  } : {
    type: webgl ? "scattergl" : "scatter", mode: "markers", name: plain(name), x, y, text,
    marker: { color: hue, symbol: "line-ns", size: 7, line: { color: hue, width: 1.5 } },
    hovertemplate: `${plain(name)} %{text}<extra></extra>`,
  }));
  chart(place, {
    describe: `Raster of ${marks} marks: spikes by time and neuron`,
    height,
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
