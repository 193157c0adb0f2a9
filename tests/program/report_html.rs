//! Every run leaves a page that opens from disk: whole, the same in every run, without any network; and
//! in a real browser its charts can be looked at, zoomed into and clicked on.

use crate::common;
#[path = "../common/page.rs"]
mod page;

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use common::binary::{json, project, read, successful, text, tiny_training};
use page::{Page, browser};
use serde_json::Value;

/// A scenario and what makes it small.
const RUNS: [(&str, &str, &[&str]); 5] = [
    (
        "training",
        "yin_yang.toml",
        &[
            "training.epochs=3",
            "dataset.yin_yang.training.size=600",
            "dataset.yin_yang.test.size=200",
            "layers.0.size=30",
        ],
    ),
    (
        "chip",
        "yin_yang_30_delays_brainscales2.toml",
        &[
            "training.epochs=1",
            "dataset.yin_yang.training.size=300",
            "dataset.yin_yang.validation.size=50",
            "dataset.yin_yang.test.size=100",
        ],
    ),
    ("simulation", "recurrent.toml", &["simulation.until=200.0"]),
    ("potentials", "heterogeneous.toml", &[]),
    ("spike_training", "recurrent_learning.toml", &["spike_training.epochs=20"]),
];

const STUDY: &str = r#"
[study]
title = "Jitter <of spikes>"
base = "tiny.toml"
seeds = [1, 2]

[[axes]]
name = "jitter"
key = "chip.link.spike_jitter"
label = "Jitter of spikes"
unit = "τ_s"
values = [0.0, 0.2]
ideal = 0.0
"#;

/// The folder in which everything was run once.
fn folder() -> &'static Path {
    static FOLDER: OnceLock<tempfile::TempDir> = OnceLock::new();
    let made = || {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for (name, scenario, changes) in RUNS {
            let scenario = project().join("scenarios").join(scenario);
            let changes = changes.iter().flat_map(|change| ["--set", change]);
            let run = ["run", text(&scenario), "--out", name, "--quiet"];
            successful(folder.path(), &run.into_iter().chain(changes).collect::<Vec<_>>());
        }
        std::fs::write(folder.path().join("tiny.toml"), tiny_training("[chip]", [200, 50, 100], 2))
            .expect("writable");
        std::fs::write(folder.path().join("study.toml"), STUDY).expect("writable");
        successful(folder.path(), &["run", "study.toml", "--out", "study", "--quiet"]);
        folder
    };
    FOLDER.get_or_init(made).path()
}

fn report(name: &str) -> PathBuf {
    folder().join(name).join("report.html")
}

/// The page of a run, and its data.
fn page_and_data(name: &str) -> (String, Value) {
    let page = String::from_utf8(read(&report(name))).expect("UTF-8");
    let data = page.split_once("<script id=\"data\" type=\"application/json\">").expect("data").1;
    let data = data.split_once("</script>").expect("an end").0;
    let data = serde_json::from_str(data).expect("JSON");
    (page, data)
}

#[test]
fn every_kind_of_run_leaves_a_whole_page_without_a_network() {
    let kinds = ["training", "training", "simulation", "simulation", "spike_training", "study"];
    let names = RUNS.iter().map(|(name, ..)| *name).chain(["study"]);
    for (name, kind) in names.zip(kinds) {
        let (page, data) = page_and_data(name);
        assert_eq!(data["content"]["kind"], kind);
        assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>\n"), "{name}");
        assert!(page.contains("<noscript>") && page.contains("default-src 'none'"));
        for reference in ["http://", "https://", "src=\"//", "@import", "url("] {
            assert!(!page.contains(reference), "{name}: {reference}");
        }
        assert!(page.len() < 3 << 20, "{name}: {} bytes", page.len());
    }
}

#[test]
fn the_data_of_a_training_agree_with_its_other_files() {
    let (page, data) = page_and_data("training");
    let content = &data["content"];
    let summary = common::binary::json(&folder().join("training/summary.json"));
    let accuracy = summary["test_accuracy"].as_f64().expect("a number");
    assert!(page.contains(&format!("<dd>{:.2} %", 100.0 * accuracy)));
    let confusion: Vec<Vec<u64>> =
        serde_json::from_value(content["confusion"].clone()).expect("counts");
    let right: u64 = (0..3).map(|class| confusion[class][class]).sum();
    let all: u64 = confusion.iter().flatten().sum();
    assert_eq!((all, right as f64 / all as f64), (200, accuracy));
    assert_eq!(content["wrong"], all - right);
    let epochs = content["curves"]["epoch"].as_array().expect("a list");
    assert_eq!(epochs.len(), 3);

    // The spikes of each sample are those of the trace, and each membrane reaches its threshold there.
    let trace = firstspike::trace::read(&folder().join("training/spikes.csv")).expect("a trace");
    let samples = content["samples"].as_array().expect("a list");
    let close = |one: f64, other: f64| (one - other).abs() <= 1e-4 * other.abs();
    for sample in samples {
        let labels = sample["spikes"].as_array().expect("layers").last().expect("a layer");
        for (neuron, time) in labels.as_array().expect("neurons").iter().enumerate() {
            let recorded = trace.spikes.iter().find(|spike| {
                u64::from(spike.sample) == sample["index"]
                    && spike.population == "label"
                    && spike.neuron as usize == neuron
            });
            match (recorded, time.as_f64()) {
                (None, None) => {}
                (Some(spike), Some(time)) => {
                    assert!(close(time, spike.time), "{time}");
                    let membrane = &sample["membranes"][neuron];
                    let potentials = membrane["potential"].as_array().expect("a list");
                    let most = potentials.iter().filter_map(Value::as_f64).fold(0.0, f64::max);
                    assert!(close(most, membrane["threshold"].as_f64().expect("one")), "{most}");
                }
                other => panic!("{other:?}"),
            }
        }
    }
    let wrong = samples.iter().filter(|sample| sample["decided"] != sample["label"]);
    assert!(wrong.count() > 0, "a network of three epochs is never right everywhere");
}

/// One quantity, one definition, one unit, wherever it stands.
#[test]
fn the_data_of_a_simulation_agree_with_its_summary_and_statistics() {
    let (_, data) = page_and_data("simulation");
    let run = folder().join("simulation");
    let summary = json(&run.join("summary.json"));
    let printed = successful(&run, &["stats", "spikes.csv", "--json"]).stdout;
    let statistics: Value = serde_json::from_str(&printed).expect("JSON");
    let content = &data["content"];
    assert_eq!(content["rate_unit"], "1/s");
    let near = |found: &Value, expected: &Value| match (found.as_f64(), expected.as_f64()) {
        (Some(found), Some(expected)) => (found - expected).abs() <= 1e-4 * expected.abs(),
        (found, expected) => found == expected,
    };
    let mut variations = 0;
    for population in content["populations"].as_array().expect("a list") {
        let own = |list: &Value| -> Value {
            let list = list.as_array().expect("a list");
            let name = &population["name"];
            let is_own = |one: &&Value| one["name"] == *name || one["population"] == *name;
            list.iter().find(is_own).cloned().unwrap_or_default()
        };
        let counted = own(&statistics["populations"]);
        if counted.is_null() {
            assert_eq!(population["spikes"], 0);
            continue;
        }
        assert_eq!(own(&summary["populations"])["rate_per_second"], counted["rate_per_second"]);
        assert!(near(&population["mean_rate"], &counted["rate_per_second"]), "{population}");
        assert!(
            near(&population["variation"], &counted["coefficient_of_variation"]),
            "{population}"
        );
        variations += usize::from(population["variation"].is_number());
    }
    assert!(variations > 0);
}

#[test]
fn a_report_says_what_was_run_and_how_long_it_took() {
    let says = |name: &str, label: &str| {
        let (page, _) = page_and_data(name);
        let start = format!("<div><dt>{label}</dt><dd>");
        let line = page.lines().find(|line| line.starts_with(&start));
        let line = line.unwrap_or_else(|| panic!("{name} does not say its {label}"));
        line[start.len()..].trim_end_matches("</dd></div>").to_owned()
    };
    for (name, label, value) in [
        ("training", "Scenario", "yin_yang"),
        ("training", "Data set", "Yin-Yang, seeds 42 (training), 41 (validation), 40 (test)"),
        ("training", "Samples", "600 training, 1000 validation, 200 test; 3 classes"),
        ("training", "Loss", "shift_invariant_mean_squared_error: margin = "),
        ("training", "Optimiser", "adam: beta1 = 0.9, beta2 = 0.999, learning_rate = "),
        ("training", "Seed", "1"),
        ("training", "Engine", "feed_forward"),
        ("training", "Run time", ""),
        ("chip", "Chip", "BrainScaleS-2"),
        ("chip", "Engine", "substrate"),
        ("simulation", "Seed", "1"),
        ("simulation", "Run time", ""),
        (
            "spike_training",
            "Loss",
            "distance of the spikes of <code>recurrent</code> to their targets",
        ),
        ("study", "Base", "tiny"),
        ("study", "Seeds", "1, 2"),
        ("study", "Varied", "Jitter of spikes (<code>chip.link.spike_jitter</code>)"),
        ("study", "Chip", "ideal"),
    ] {
        let found = says(name, label);
        assert!(found.starts_with(value), "{name}: {label}: {found}");
    }
    assert!(says("training", "Run time").contains(" s on "), "{}", says("training", "Run time"));
    // The scenario itself stands in the page, too.
    assert!(page_and_data("training").0.contains("<pre>name = &quot;yin_yang&quot;"));
    assert!(!page_and_data("study").0.contains("Study study"));
}

#[test]
fn on_a_chip_the_potentials_are_those_of_its_neurons() {
    let (_, data) = page_and_data("chip");
    let sample = &data["content"]["samples"][0];
    let index = sample["index"].to_string();
    let neurons = ["--neuron", "label:0", "--neuron", "label:1", "--neuron", "label:2"];
    let membranes = ["membranes", "chip", "--sample", &index, "--csv", "chip.csv"];
    successful(folder(), &[&membranes[..], &neurons].concat());
    let rows = common::binary::rows(&folder().join("chip.csv"));
    for (neuron, membrane) in sample["membranes"].as_array().expect("a list").iter().enumerate() {
        let own: Vec<(f64, f64)> = rows
            .iter()
            .filter(|row| row[2] == *neuron.to_string())
            .map(|row| (row[0].parse().expect("a time"), row[3].parse().expect("a potential")))
            .collect();
        let numbers = |key: &str| -> Vec<f64> {
            let list = membrane[key].as_array().expect("a list");
            list.iter().map(|value| value.as_f64().expect("a number")).collect()
        };
        let shown = numbers("time").into_iter().zip(numbers("potential"));
        let shown: Vec<(f64, f64)> = shown.collect();
        assert!(shown.len() > 50, "neuron {neuron}");
        for (time, potential) in shown {
            // Both are samples of one curve, at times of their own.
            let near = own.windows(2).any(|pair| {
                let [(before, one), (after, two)] = [pair[0], pair[1]];
                let within = one.min(two) - 0.02..=one.max(two) + 0.02;
                (before - 1e-4..=after + 1e-4).contains(&time) && within.contains(&potential)
            });
            assert!(near, "neuron {neuron}: {time}, {potential}");
        }
    }
    assert!(data["content"]["potentials"].as_str().expect("a sentence").contains("the chip's"));
}

#[test]
fn in_a_browser_a_training_can_be_looked_into() {
    let Some(browser) = browser() else { return };
    let page = Page::open(&browser, &report("training"));
    assert_eq!(page.number("document.querySelectorAll('.js-plotly-plot').length"), 11.0);
    assert_eq!(page.number("document.querySelectorAll('.chart:not([aria-label])').length"), 0.0);

    // A click on a sample shows its spikes and potentials.
    let spikes = "raster.data.filter((trace) => trace.mode === 'markers').map((trace) => trace.x)";
    let potentials =
        "raster.data.filter((trace) => trace.mode === 'lines').map((trace) => trace.y)";
    let data = page_and_data("training").1;
    let samples = data["content"]["samples"].as_array().expect("a list").clone();
    let before = (page.value(spikes), page.value(potentials));
    let other =
        samples[1..].iter().find(|sample| sample["decided"] != sample["label"]).expect("wrong");
    page.click(&format!("button[data-sample='{}']", other["index"]));
    let shown = format!(
        "document.querySelector('.shown').textContent.includes('Sample {}:')",
        other["index"]
    );
    page.wait_for(&shown);
    let after = (page.value(spikes), page.value(potentials));
    assert!(before.0 != after.0 && before.1 != after.1);
    assert_eq!(after.1.as_array().expect("a list").len(), 3);
    let numbers = |list: &Value| {
        let list = list.as_array().expect("a list");
        list.iter().filter_map(Value::as_f64).collect::<Vec<_>>()
    };
    assert_eq!(numbers(&after.1[0]), numbers(&other["membranes"][0]["potential"]));

    // So does one on its point in the plane.
    let target = samples.iter().rev().find(|sample| sample["index"] != other["index"]);
    let index = target.expect("several")["index"].as_u64().expect("a number") as usize;
    let plane = &data["content"]["plane"];
    let coordinate = |axis: &str| plane[axis][index].as_f64().expect("a number");
    let place = page.place_of("plane", coordinate("x"), coordinate("y"));
    page.click_on_point("plane", place);
    page.wait_for(&format!(
        "document.querySelector('.shown').textContent.includes('Sample {index}:')"
    ));

    // Hovering tells values, dragging zooms in, on spikes and potentials together.
    let first = page.value("[raster.data[1].x[0], raster.data[1].y[0]]");
    let place =
        page.place_of("raster", first[0].as_f64().expect("x"), first[1].as_f64().expect("y"));
    page.hover(place);
    page.wait_for("/hidden \\d+/.test(raster.querySelector('.hoverlayer').textContent)");
    let span = "raster._fullLayout.xaxis.range[1] - raster._fullLayout.xaxis.range[0]";
    let whole = page.number(span);
    let (from, to) =
        (page.place_of("raster", 0.4 * whole, 0.2), page.place_of("raster", 0.7 * whole, 0.8));
    page.drag(from, to);
    page.wait_for(&format!("{span} < {}", 0.5 * whole));
    assert!(page.ink() > 0.05, "an empty picture");
    page.assert_quiet();
}

#[test]
fn in_a_browser_the_other_reports_are_drawn_too() {
    let Some(browser) = browser() else { return };
    let charts = "document.querySelectorAll('.js-plotly-plot .main-svg').length > 0";
    for (name, headings) in [
        ("chip", &["Delays", "On the chip: BrainScaleS-2", "Weights", "First-spike times"][..]),
        ("simulation", &["Raster", "Rates", "Interspike intervals", "Weights", "Populations"]),
        ("potentials", &["Raster", "Membrane potentials"]),
        ("spike_training", &["Learning: timing error", "Raster"]),
        ("study", &["Test accuracy", "Tolerances", "Jitter <of spikes>"]),
    ] {
        let page = Page::open(&browser, &report(name));
        let found = page.value("[...document.querySelectorAll('h2')].map((h2) => h2.textContent)");
        for heading in headings {
            assert!(
                found.as_array().expect("a list").contains(&(*heading).into()),
                "{name}: {found}"
            );
        }
        assert_eq!(page.value(charts), true, "{name}");
        assert!(page.ink() > 0.02, "{name}: an empty picture");
        if name == "simulation" {
            let span = "raster._fullLayout.xaxis.range[1] - raster._fullLayout.xaxis.range[0]";
            let (from, to) =
                (page.place_of("raster", 50.0, 0.3), page.place_of("raster", 100.0, 0.7));
            page.drag(from, to);
            page.wait_for(&format!("Math.abs({span} - 50) < 2"));
        }
        page.assert_quiet();
    }
}
