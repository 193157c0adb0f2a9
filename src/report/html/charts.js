"use strict";
// What all pages share: the data, the charting library, and cards with charts in them.
const firstspike = (() => {
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const main = document.getElementById("main");
  const darkness = window.matchMedia("(prefers-color-scheme: dark)");
  const palette = read("palette");
  const narrow = () => main.clientWidth < 700;
  const charts = [];

  function element(name, attributes = {}, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      made.setAttribute(key, value);
    }
    made.append(...children);
    return made;
  }

  // A card with a heading; `size` is "", "third" or "wide".
  function card(title, about = "", size = "") {
    const made = element("section", { class: `card ${size}`.trim() }, element("h2", {}, title));
    if (about) {
      made.append(element("p", { class: "about" }, about));
    }
    main.append(made);
    return made;
  }

  // Symbols of time units as the charting library writes them: τ with a small s.
  const unit = (symbol) => symbol.replace("τ_s", "τ<sub>s</sub>");

  // Texts from outside may hold what the library takes for markup.
  const plain = (text) => String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

  // A dark hue on dark ground is mixed with white.
  function visible(hue) {
    const parts = [1, 3, 5].map((start) => parseInt(hue.slice(start, start + 2), 16));
    if (!darkness.matches || Math.max(...parts) > 150) {
      return hue;
    }
    return `rgb(${parts.map((part) => Math.round(0.5 * (part + 255))).join(", ")})`;
  }

  const colour = (index) => visible(palette[index % palette.length]);

  // Marks and dashes of classes, beside their colours: ten that can be told apart without any.
  const symbols = ["circle", "square", "diamond", "triangle-up", "x", "star", "triangle-down", "cross", "pentagon", "hourglass"];
  const dashes = ["solid", "dash", "dot", "dashdot", "longdash", "longdashdot", "9px 2px 2px 2px 2px 2px", "2px 7px", "14px 3px", "5px 9px"];
  const mark = (index) => symbols[index % symbols.length];
  const dash = (index) => dashes[index % dashes.length];

  function colours() {
    const style = getComputedStyle(document.documentElement);
    const value = (name) => style.getPropertyValue(name).trim();
    return { text: value("--text"), quiet: value("--quiet"), line: value("--line"), card: value("--card") };
  }

  const axisStyle = ({ line }) => ({
    gridcolor: line, zerolinecolor: line, linecolor: line, tickcolor: line, ticks: "outside",
    ticklen: 4, showline: true, mirror: false, automargin: true, title: { standoff: 8 },
  });

  function merged(base, more) {
    const result = { ...base };
    for (const [key, value] of Object.entries(more || {})) {
      const both = value && typeof value === "object" && !Array.isArray(value)
        && result[key] && typeof result[key] === "object" && !Array.isArray(result[key]);
      result[key] = both ? merged(result[key], value) : value;
    }
    return result;
  }

  function dressed(layout) {
    const { text, quiet, line, card } = colours();
    const base = {
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: { color: text, size: 13, family: "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif" },
      margin: { l: 60, r: 14, t: 12, b: 48 },
      legend: { orientation: "h", x: 0, y: 1.02, xanchor: "left", yanchor: "bottom" },
      hoverlabel: { bgcolor: card, bordercolor: line, font: { color: text } },
      modebar: { bgcolor: "rgba(0,0,0,0)", color: quiet, activecolor: text },
      hovermode: "closest", dragmode: "zoom", colorway: palette.map(visible),
      xaxis: {}, yaxis: {},
    };
    const full = merged(base, layout);
    for (const key of Object.keys(full)) {
      if (/^[xy]axis\d*$/.test(key)) {
        full[key] = merged(axisStyle({ line }), full[key]);
      }
    }
    return full;
  }

  const config = {
    responsive: true, displaylogo: false, doubleClick: "reset+autosize",
    modeBarButtonsToRemove: ["lasso2d", "select2d"],
    toImageButtonOptions: { format: "svg" },
  };

  // Lines that a legend above a chart takes: names side by side, in columns if they are too many for one.
  function legendLines(traces, width) {
    const widths = traces.filter(({ name, showlegend }) => name && showlegend !== false).map(({ name }) => 50 + 7.5 * name.length);
    const sum = widths.reduce((total, one) => total + one, 0);
    if (widths.length === 0 || sum <= width) {
      return 1;
    }
    const widest = widths.reduce((most, one) => Math.max(most, one), 0);
    return Math.ceil(widths.length / Math.max(1, Math.floor(width / widest)));
  }

  // How wide a card will be once others stand beside it.
  function share(place) {
    const { classList } = place.closest(".card");
    return main.clientWidth / (classList.contains("wide") || narrow() ? 1 : classList.contains("third") ? 3 : 2);
  }

  // Gives charts the width that their cards have now: until the next one came, a card had a row for itself.
  function settle() {
    for (const { place } of charts) {
      if (Math.abs(place.clientWidth - place._fullLayout.width) > 1) {
        Plotly.Plots.resize(place);
      }
    }
  }

  // Draws a chart into a parent. `describe` says what is to be seen, for those who do not see it.
  function chart(parent, { describe, height = 320, traces, layout }) {
    const place = element("div", { class: "chart", role: "img", "aria-label": describe });
    parent.append(place);
    let full = layout;
    if (layout.showlegend && !layout.legend) {
      // Room for the legend, so that it is never over what is drawn.
      const lines = legendLines(traces, Math.min(place.clientWidth, share(place)) - 80);
      full = merged({ margin: { t: 14 + 22 * lines } }, layout);
      height += 22 * (lines - 1);
    }
    place.style.height = `${height}px`;
    charts.push({ place, layout: full });
    Plotly.newPlot(place, traces, dressed(full), config);
    return place;
  }

  // Draws something else in the place of a chart.
  function redraw(place, traces, layout, describe) {
    charts.find((known) => known.place === place).layout = layout;
    place.setAttribute("aria-label", describe);
    Plotly.react(place, traces, dressed(layout), config);
  }

  function table(parent, head, rows) {
    const cells = (name, texts) => texts.map((text) => element(name, {}, text));
    parent.append(element("div", { class: "scroll" }, element("table", {},
      element("thead", {}, element("tr", {}, ...cells("th", head))),
      element("tbody", {}, ...rows.map((row) => element("tr", {}, ...cells("td", row)))))));
  }

  // A histogram that was counted already, as bars.
  function bars({ start, width, counts, total }, { name, hue, what, opacity = 0.85 }) {
    const x = counts.map((_, bin) => start + (bin + 0.5) * width);
    const ends = counts.map((_, bin) => [start + bin * width, start + (bin + 1) * width]);
    return {
      type: "bar", name, x, y: counts.map((count) => 100 * count / total), width, customdata: ends.map((end, bin) => [...end, counts[bin]]),
      marker: { color: hue, opacity, line: { width: 0 } },
      hovertemplate: `${plain(name)}<br>${what} %{customdata[0]:.4~g} to %{customdata[1]:.4~g}<br>%{customdata[2]:,} (%{y:.2f} %)<extra></extra>`,
    };
  }

  // Where all but the largest hundredth of counted values end.
  function most({ start, width, counts, total }) {
    let below = 0;
    return start + width * (1 + counts.findIndex((count) => (below += count) >= 0.99 * total));
  }

  // An axis of values above zero: logarithmic if they differ by more than a factor.
  function scale(values, factor) {
    const known = values.filter((value) => value !== null);
    const low = known.reduce((least, value) => Math.min(least, value), Infinity);
    const high = known.reduce((largest, value) => Math.max(largest, value), -Infinity);
    if (known.length === 0 || !(low > 0 && high > factor * low)) {
      return { rangemode: "tozero" };
    }
    const decades = Math.log10(high / low);
    if (decades > 3) {
      return { type: "log", exponentformat: "power", dtick: Math.ceil(decades / 6) };
    }
    const tickvals = [];
    for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power += 1) {
      tickvals.push(...[1, 2, 5].map((digit) => Number(`${digit}e${power}`)));
    }
    return { type: "log", tickvals, ticktext: tickvals.map(String) };
  }

  // A number with three digits and the prefix that suits it.
  function withPrefix(value, symbol) {
    if (value === null) {
      return "unknown";
    }
    const prefixes = [[1, ""], [1e-3, "m"], [1e-6, "µ"], [1e-9, "n"], [1e-12, "p"], [1e-15, "f"]];
    const [size, prefix] = prefixes.find(([size]) => Math.abs(value) >= 0.9995 * size) || prefixes[0];
    return `${(value / size).toPrecision(3)} ${prefix}${symbol}`;
  }

  async function unpack() {
    const packed = Uint8Array.from(atob(document.getElementById("library").textContent), (letter) => letter.charCodeAt(0));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
    document.head.append(element("script", {}, await new Response(stream).text()));
  }

  darkness.addEventListener("change", () => {
    for (const { place, layout } of charts) {
      Plotly.react(place, place.data, dressed(layout), config);
    }
  });

  // Draws the page: `build` gets the data once the library is there.
  async function ready(build) {
    try {
      await unpack();
      await build(read("data"));
      settle();
      main.dataset.state = "ready";
    } catch (error) {
      main.dataset.state = "failed";
      main.prepend(element("p", { class: "failure card wide" }, `The charts cannot be drawn in this browser: ${error}`));
      console.error(error);
    }
    main.setAttribute("aria-busy", "false");
  }

  return { bars, card, chart, colour, colours, dash, element, main, mark, most, narrow, plain, ready, redraw, scale, table, unit, withPrefix };
})();
