//! Pages that open from disk: charts of a run in one file that needs no network.
//!
//! ```text
//! run, study ─→ ReportData ─→ report ─┬─→ page ─→ report.html
//!                  (plain numbers)    │     ↑
//!                                     │  page.html, page.css, charts.js, plotly.js
//!                                     └─ training.js, chip_found.js, simulation.js, study.js
//! ```
//!
//! A page carries three things: what readers see without scripts (headline figures, tables), its data as
//! one block of JSON, and scripts that hand the data to a charting library, plotly.js, which draws
//! everything. The library comes out of the crate `plotly`: `build.rs` packs it, the reader's browser
//! unpacks it. A policy in the page forbids every request to a network. The same data give the same
//! bytes.

mod data;
mod histogram;

use std::fmt::Write as _;

use serde::Serialize;

pub use data::{
    ChipFound, ClassMap, Content, Curves, Fact, FoundNeurons, Headline, HeatMap, LayerContent,
    Membrane, Plane, PopulationContent, PotentialContent, ProjectionContent, Raster, ReportData,
    Rows, Sample, SimulationContent, SpikeTrainingContent, StudyContent, Table, TrainingContent,
    short,
};
pub use histogram::{Histogram, StreamingHistogram};

use super::picture::PALETTE;

/// plotly.js, deflated and in base64.
const LIBRARY: &str = include_str!(concat!(env!("OUT_DIR"), "/plotly.js.deflated.base64"));

const TEMPLATE: &str = include_str!("html/page.html");
const STYLE: &str = include_str!("html/page.css");
const CHARTS: &str = include_str!("html/charts.js");

/// A page with a title, a body (HTML), data, and a script that draws them.
///
/// `script` runs last, after the charting library and `charts.js`, whose helpers it uses:
/// `firstspike.ready(build)` calls `build(data)` once the library is there, with `data` as they are
/// serialised here. Charts go into the element `main`, which comes after the body.
///
/// # Errors
/// If the data cannot be written as JSON.
pub fn page(
    title: &str,
    body: &str,
    data: &impl Serialize,
    script: &str,
) -> Result<String, serde_json::Error> {
    // A script element ends at the first `</script`, wherever it stands.
    let data = serde_json::to_string(data)?.replace('<', "\\u003c");
    let hues: Vec<String> =
        PALETTE.iter().map(|hue| format!("#{:02x}{:02x}{:02x}", hue.0, hue.1, hue.2)).collect();
    let palette = serde_json::to_string(&hues)?;
    let title = escape(title);
    let mut page = String::with_capacity(LIBRARY.len() + data.len() + (64 << 10));
    for part in TEMPLATE.split("{{") {
        let (name, text) = part.split_once("}}").unwrap_or(("", part));
        page.push_str(match name {
            "title" => &title,
            "style" => STYLE,
            "body" => body,
            "data" => &data,
            "palette" => &palette,
            "library" => LIBRARY,
            "charts" => CHARTS,
            "script" => script,
            _ => "",
        });
        page.push_str(text);
    }
    Ok(page)
}

/// The report of a run or a study, as a page.
///
/// # Errors
/// If the data cannot be written as JSON.
pub fn report(data: &ReportData) -> Result<String, serde_json::Error> {
    let script = match data.content {
        Content::Training(_) => {
            concat!(include_str!("html/training.js"), include_str!("html/chip_found.js"))
        }
        Content::Simulation(_) | Content::SpikeTraining(_) => include_str!("html/simulation.js"),
        Content::Study(_) => include_str!("html/study.js"),
    };
    page(&format!("{}: report", data.title), &body(data), data, script)
}

/// What is there without scripts: title, headline figures and notes.
fn body(data: &ReportData) -> String {
    let mut html = format!(
        "<header>\n<h1>{}</h1>\n<p class=\"what\">{}</p>\n</header>\n",
        text(&data.title),
        text(&data.subtitle)
    );
    if !data.headline.is_empty() {
        html.push_str("<dl class=\"headline\">\n");
        for Headline { label, value, detail } in &data.headline {
            // Writing to a string does not fail.
            let _ = writeln!(
                html,
                "<div><dt>{}</dt><dd>{}<small>{}</small></dd></div>",
                text(label),
                text(value),
                text(detail)
            );
        }
        html.push_str("</dl>\n");
    }
    if !data.notes.is_empty() {
        html.push_str("<ul class=\"notes\">\n");
        for note in &data.notes {
            let _ = writeln!(html, "<li>{}</li>", text(note));
        }
        html.push_str("</ul>\n");
    }
    about(data, &mut html);
    html
}

/// What was run, and how.
fn about(data: &ReportData, html: &mut String) {
    if !data.facts.is_empty() {
        html.push_str("<dl class=\"facts\">\n");
        for (label, value) in &data.facts {
            let _ = writeln!(html, "<div><dt>{}</dt><dd>{}</dd></div>", text(label), text(value));
        }
        html.push_str("</dl>\n");
    }
    if !data.scenario.is_empty() {
        let _ = writeln!(
            html,
            "<details>\n<summary>The scenario, with every default</summary>\n<pre>{}</pre>\n</details>",
            escape(&data.scenario)
        );
    }
}

/// A text of a report: with the unit τ_s as it is printed, and what stands in backticks as code.
fn text(plain: &str) -> String {
    let html = escape(plain).replace("τ_s", "τ<sub>s</sub>");
    // Of an odd number of backticks none has a partner for certain.
    if html.matches('`').count() % 2 == 1 {
        return html;
    }
    let parts = html.split('`').enumerate().map(|(index, part)| match index % 2 {
        0 => part.to_owned(),
        _ => format!("<code>{part}</code>"),
    });
    parts.collect()
}

/// A text as HTML.
pub fn escape(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            _ => html.push(letter),
        }
    }
    html
}

#[cfg(test)]
mod tests;
