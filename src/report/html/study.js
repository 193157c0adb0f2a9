"use strict";
// The report of a study: box plots over its first axis, and tables.
firstspike.ready((data) => {
  const { card, chart, colour, colours, plain, table, unit } = firstspike;

  for (const map of data.content.heat_maps) {
    heatMap(map);
  }
  for (const figure of data.content.figures) {
    // A single plot has the width of the page, several share it.
    figure.plots.forEach((plot) => {
      const [quantity] = plot.y_label.split(" [");
      const heading = [data.content.figures.length > 1 ? figure.title : "", plot.title || quantity].filter(Boolean).join(": ");
      const levels = plot.levels.filter((level) => level !== null).length;
      const about = levels === 0 ? "" : `The broken ${levels > 1 ? "lines" : "line"}: one percentage point below the median without the distortion${levels > 1 ? ", for each series in its colour" : ""}.`;
      chart(card(heading, about, figure.plots.length === 1 ? "wide" : ""), {
        describe: `Box plots of ${plot.y_label} over ${plot.x_label}: ${plot.categories.join(", ")}.`,
        height: 380, traces: traces(plot, figure.series), layout: layout(plot, figure.series.length > 1),
      });
    });
  }
  for (const { title, about, head, rows } of data.content.tables) {
    table(card(title, about, "wide"), head, rows);
  }

  function traces(plot, series) {
    return plot.boxes.map((boxes, index) => {
      const hue = seriesColour(index);
      const filled = [...boxes.keys()].filter((place) => boxes[place] !== null);
      const quartile = (number) => filled.map((place) => boxes[place].quartiles[number]);
      return {
        type: "box", name: plain(series[index] || "seeds"), x: filled.map((place) => plain(plot.categories[place])), offsetgroup: String(index),
        q1: quartile(1), median: quartile(2), q3: quartile(3), lowerfence: quartile(0), upperfence: quartile(4),
        y: filled.map((place) => boxes[place].values), boxpoints: "all", jitter: 0.35, pointpos: 0, hoveron: "boxes+points",
        line: { color: hue, width: 1.6 }, marker: { color: hue, size: 4, opacity: 0.75 }, fillcolor: `${hue}33`,
        hovertemplate: `${plain(plot.x_label)}: %{x}<br>%{y:.4g}<extra></extra>`,
      };
    });
  }

  function layout(plot, legend) {
    return {
      boxmode: "group", showlegend: legend,
      xaxis: { title: { text: unit(plain(plot.x_label)) }, type: "category", categoryorder: "array", categoryarray: plot.categories.map(plain) },
      yaxis: { title: { text: unit(plain(plot.y_label)) }, zeroline: false },
      shapes: plot.levels.flatMap((level, index) => (level === null ? [] : [{
        type: "line", xref: "paper", x0: 0, x1: 1, y0: level, y1: level, line: { color: plot.levels.length > 1 ? seriesColour(index) : colours().quiet, width: 1.5, dash: "dash" },
      }])),
    };
  }

  // Yellow, the last of the palette, is too pale for lines.
  function seriesColour(index) {
    return colour(index % 9);
  }

  function heatMap({ title, x_label: across, y_label: up, x, y, values, unit: symbol }) {
    const known = values.flat().filter((value) => value !== null);
    const few = x.length <= 16;
    chart(card(title, "Over both axes; the box plots below have the spread over the seeds.", "wide"), {
      describe: `${title} over ${across} and ${up}.`,
      height: Math.min(180 + 44 * y.length, 640),
      traces: [{
        type: "heatmap", x: x.map(plain), y: y.map(plain), z: values, xgap: 2, ygap: 2, colorscale: "Cividis", hoverongaps: false,
        zmin: Math.min(...known), zmax: Math.max(...known), colorbar: { title: { text: symbol }, thickness: 14, outlinewidth: 0 },
        ...(few ? { texttemplate: "%{z:.1f}" } : {}),
        hovertemplate: `${plain(across)}: %{x}<br>${plain(up)}: %{y}<br>%{z:.2f} ${plain(symbol)}<extra></extra>`,
      }],
      layout: {
        xaxis: { title: { text: unit(plain(across)) }, type: "category", showgrid: false, ticks: "" },
        yaxis: { title: { text: unit(plain(up)) }, type: "category", showgrid: false, ticks: "" },
      },
    });
  }
});
