//! A user's own table, there and back: what is read, what is learned, and what is decided on new samples.

use crate::common;

use std::path::Path;

use common::binary::{firstspike, json, read, rows, successful, text};
use common::cases::{case, replace};

/// The folder of the case, with its network trained into `run`.
fn trained() -> tempfile::TempDir {
    let folder = case("words-as-labels");
    successful(folder.path(), &["run", "scenario.toml", "--out", "run", "--quiet"]);
    folder
}

fn refused(folder: &Path, arguments: &[&str], messages: &[&str]) {
    let ended = firstspike(folder, arguments);
    assert_eq!(ended.code, Some(2), "{arguments:?}: {}", ended.stderr);
    for message in messages {
        assert!(ended.stderr.contains(message), "{message}: {}", ended.stderr);
    }
}

#[test]
fn a_scenario_of_data_and_sizes_learns_words_and_decides_on_new_samples() {
    let folder = trained();
    let path = folder.path();
    let summary = json(&path.join("run/summary.json"));
    assert_eq!(summary["class_names"], serde_json::json!(["setosa", "versi color", "virginica"]));
    // A third would be chance; the classes are far from each other.
    assert!(summary["test_accuracy"].as_f64().expect("a number") > 0.9, "{summary}");
    let confusion = summary["confusion"].as_array().expect("a matrix");
    assert_eq!((confusion.len(), confusion[0].as_array().expect("a row").len()), (3, 4));

    // Without labels, other columns beside, in another order, beyond the training set's range.
    let arguments = ["predict", "run", "--data", "new.csv", "--out", "new_classes.csv", "--times"];
    let ended = successful(path, &arguments);
    assert_eq!(ended.stdout, "4 decisions in new_classes.csv\n");
    let table = String::from_utf8(read(&path.join("new_classes.csv"))).expect("UTF-8");
    assert!(
        table.starts_with(
            "sample,class,time_tau_s,margin_tau_s,time_tau_s_setosa,time_tau_s_versi color,"
        ),
        "{table}"
    );
    let classes: Vec<String> =
        rows(&path.join("new_classes.csv")).iter().map(|row| row[1].to_owned()).collect();
    assert_eq!(classes, ["setosa", "virginica", "versi color", "versi color"]);
}

#[test]
fn predicting_the_test_set_gives_the_bytes_of_the_run() {
    let folder = trained();
    let path = folder.path();
    successful(path, &["predict", "run", "--set", "test", "--out", "again.csv", "--threads", "1"]);
    let own = read(&path.join("run/predictions.csv"));
    assert!(read(&path.join("again.csv")) == own);
    let printed = successful(path, &["predict", "run", "--set", "test"]);
    assert_eq!(printed.stdout.as_bytes(), own);
    let summary = json(&path.join("run/summary.json"));
    let evaluated =
        successful(path, &["evaluate", "run", "--set", "test", "--out", "evaluation.json"]);
    let report = ["evaluate", "run", "--set", "test", "--report", "test.html"];
    let reported = successful(path, &report);
    assert!(reported.stdout.starts_with("report               test.html\n"), "{}", reported.stdout);
    let page = String::from_utf8(read(&path.join("test.html"))).expect("UTF-8");
    assert!(page.contains("Evaluation of a trained network on the test set"));
    let accuracy = 100.0 * summary["test_accuracy"].as_f64().expect("a number");
    assert!(page.contains(&format!("{accuracy:.2} %")));
    let evaluation = json(&path.join("evaluation.json"));
    assert_eq!(evaluation["accuracy"], summary["test_accuracy"]);
    assert_eq!(evaluation["confusion"], summary["confusion"]);
    assert!(evaluated.stdout.contains("accuracy  "), "{}", evaluated.stdout);
    assert!(evaluated.stdout.contains("\nversi color  "), "{}", evaluated.stdout);
}

#[test]
fn predicting_the_test_set_of_a_noisy_chip_gives_the_bytes_of_the_run() {
    let folder = case("words-as-labels");
    let path = folder.path();
    let chip = "[neurons.trial_to_trial]\nthreshold = 0.05\n[neurons.fixed_pattern]\ntau_m = 0.1\n";
    std::fs::write(path.join("chip.toml"), chip).expect("writable");
    let run = ["run", "scenario.toml", "--out", "run", "--set", "chip=chip.toml", "-q", "--set"];
    successful(path, &[&run[..], &["training.epochs=3"]].concat());
    successful(path, &["predict", "run", "--set", "test", "--out", "again.csv"]);
    assert!(read(&path.join("again.csv")) == read(&path.join("run/predictions.csv")));
    // Another chip is another result.
    std::fs::write(path.join("ideal.toml"), "").expect("writable");
    let ideal = ["predict", "run", "--set", "test", "--chip", "ideal.toml", "--out", "ideal.csv"];
    successful(path, &ideal);
    assert!(read(&path.join("ideal.csv")) != read(&path.join("again.csv")));
}

#[test]
fn what_is_missing_in_a_table_is_named_with_row_and_column() {
    let folder = case("words-as-labels");
    let path = folder.path();
    let run = ["run", "scenario.toml", "--out", "run", "-q"];
    let first = std::fs::read_to_string(path.join("train.csv")).expect("a table");
    let line = first.lines().nth(1).expect("a sample").to_owned();
    let fields: Vec<&str> = line.split(',').collect();
    for (column, value, messages) in [
        (1, "NA", ["line 2, column `length_cm`: `NA`: there is no value", "fill it in"]),
        (2, "", ["line 2, column `mass_g`: ``: there is no value", "leave the row out"]),
        (3, "?", ["line 2, column `species`: `?`: there is no value", "fill it in"]),
        (
            1,
            "long",
            ["line 2, column `length_cm`: `long`: a feature must be a number", "leave_out"],
        ),
        (3, "0.5", ["line 2, column `species`: `0.5`: a label must be", "whole number or a word"]),
    ] {
        let mut changed = fields.clone();
        changed[column] = value;
        std::fs::write(path.join("train.csv"), first.replacen(&line, &changed.join(","), 1))
            .expect("writable");
        refused(path, &run, &messages);
        assert!(!path.join("run").exists(), "nothing was written");
    }
    std::fs::write(path.join("train.csv"), &first).expect("writable");
    replace(&path.join("scenario.toml"), "[\"id\", \"island\"]", "[\"id\", \"isle\"]");
    refused(path, &run, &["line 1: there is no column `isle`; there are id, length_cm, mass_g"]);
    replace(&path.join("scenario.toml"), "\"species\"", "\"kind\"");
    refused(path, &run, &["line 1: there is no column `kind`", "dataset.file.label"]);
}

#[test]
fn samples_and_folders_that_do_not_fit_are_refused_with_what_to_do() {
    let folder = trained();
    let path = folder.path();
    std::fs::write(path.join("less.csv"), "mass_g\n300\n").expect("writable");
    let less = ["predict", "run", "--data", "less.csv"];
    refused(path, &less, &["less.csv: line 1: there is no column `length_cm`; there are mass_g"]);
    let evaluate = ["evaluate", "run", "--data", "new.csv"];
    refused(path, &evaluate, &["new.csv has no labels", "--labels FILE"]);
    refused(
        path,
        &["predict", ".", "--data", "new.csv"],
        &[". has no network.json", "firstspike run"],
    );
    refused(path, &["predict", "run"], &["--data"]);

    let network = path.join("run/network.json");
    let saved = std::fs::read_to_string(&network).expect("a network");
    let newer = saved.replacen("\"version\":2", "\"version\":9", 1);
    std::fs::write(&network, newer).expect("writable");
    let predict = ["predict", "run", "--data", "new.csv", "--out", "out.csv"];
    refused(path, &predict, &["network.json: has version 9", "use a newer one"]);
    let misfit = saved.replacen("\"class_names\":[\"setosa\",", "\"class_names\":[", 1);
    std::fs::write(&network, misfit).expect("writable");
    refused(path, &predict, &["network.json: inference: 2 classes: the network needs 3"]);
    assert!(!path.join("out.csv").exists());

    // Other data than were trained with are not the run's own.
    std::fs::write(&network, &saved).expect("writable");
    let data = std::fs::read_to_string(path.join("train.csv")).expect("a table");
    std::fs::write(path.join("train.csv"), data.replacen("setosa", "virginica", 1))
        .expect("writable");
    refused(path, &["predict", "run", "--set", "test"], &["the data have changed", "train.csv"]);
    successful(path, &predict);
}

#[test]
fn a_run_of_an_earlier_version_is_read_with_its_data_or_refused() {
    let folder = trained();
    let path = folder.path();
    let network = path.join("run/network.json");
    let mut saved: serde_json::Value = json(&network);
    let fields = saved.as_object_mut().expect("a network");
    fields.remove("version").expect("there");
    fields.remove("inference").expect("there");
    std::fs::write(&network, saved.to_string()).expect("writable");
    let own = read(&path.join("run/predictions.csv"));
    successful(path, &["predict", "run", "--set", "test", "--out", "again.csv"]);
    assert!(read(&path.join("again.csv")) == own);
    std::fs::remove_file(path.join("train.csv")).expect("there");
    let message = format!("firstspike run {}", text(Path::new("run/scenario.toml")));
    refused(path, &["predict", "run", "--data", "new.csv"], &["of an earlier version", &message]);
}

#[test]
fn new_run_and_predict_work_as_they_are_printed() {
    let folder = case("words-as-labels");
    let path = folder.path();
    std::fs::remove_file(path.join("scenario.toml")).expect("there");
    let ended = successful(path, &["new", "mine.toml", "--data", "train.csv", "--hidden", "20"]);
    assert_eq!(ended.stdout, "wrote mine.toml: read it, then\n  firstspike run mine.toml\n");
    let scenario = std::fs::read_to_string(path.join("mine.toml")).expect("a scenario");
    for line in [
        "training.csv = \"train.csv\"",
        "label = \"species\"",
        "leave_out = [\"id\", \"island\"]  # numbers of rows, words",
        "class_names = [\"setosa\", \"versi color\", \"virginica\"]  # in the order of the label neurons",
        "#   firstspike predict traces/mine --data new.csv --out predictions.csv",
    ] {
        assert!(scenario.contains(line), "{line}: {scenario}");
    }
    successful(path, &["run", "mine.toml", "--quiet", "--set", "training.epochs=20"]);
    let predict = ["predict", "traces/mine", "--data", "new.csv", "--out", "predictions.csv"];
    successful(path, &predict);
    let classes: Vec<String> =
        rows(&path.join("predictions.csv")).iter().map(|row| row[1].to_owned()).collect();
    assert_eq!(classes[..3], ["setosa", "virginica", "versi color"]);

    refused(path, &["new", "mine.toml", "--data", "train.csv"], &["mine.toml exists"]);
    refused(
        path,
        &["new", "a.toml", "--data", "new.csv"],
        &["which column is the label?", "--label"],
    );
    refused(path, &["new", "a.toml", "--data", "none.csv"], &["none.csv: "]);
    refused(path, &["new", "a.toml"], &["--data"]);
    assert!(!path.join("a.toml").exists());
}

#[test]
fn new_finds_its_data_from_another_folder() {
    let folder = case("words-as-labels");
    let path = folder.path();
    std::fs::create_dir(path.join("scenarios")).expect("writable");
    let new = ["new", "scenarios/mine.toml", "--data", "train.csv", "--test", "train.csv"];
    successful(path, &new);
    successful(path, &["check", "scenarios/mine.toml"]);
}

#[test]
fn every_template_is_a_valid_scenario() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path();
    for template in ["simulation", "recurrent", "chip"] {
        let file = format!("{template}.toml");
        successful(path, &["new", &file, "--template", template]);
        successful(path, &["check", &file]);
        let text = std::fs::read_to_string(path.join(&file)).expect("a scenario");
        assert!(text.contains(&format!("firstspike run {file}")), "{text}");
        assert!(!text.contains("single_neuron"), "{text}");
    }
    std::fs::rename(path.join("chip.toml"), path.join("base.toml")).expect("there");
    successful(path, &["new", "study.toml", "--template", "study"]);
    successful(path, &["check", "study.toml"]);
}

#[test]
fn a_training_starts_from_the_network_of_another() {
    let folder = trained();
    let path = folder.path();
    let from = |extra: &[&str]| {
        let start = ["run", "scenario.toml", "--quiet", "--set", "start_from=run", "--out"];
        [&start[..], extra].concat().iter().map(|it| it.to_string()).collect::<Vec<_>>()
    };
    let run = |extra: &[&str]| {
        let arguments = from(extra);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        firstspike(path, &arguments)
    };
    // A learning rate of next to nothing leaves it as it was, so that it decides alike.
    let still = [
        "tuned",
        "--set",
        "training.optimiser.adam.learning_rate=1e-99",
        "--set",
        "training.epochs=1",
        "--set",
        "training.silent_neurons=false",
    ];
    let ended = run(&still);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(read(&path.join("tuned/predictions.csv")) == read(&path.join("run/predictions.csv")));
    let other = run(&["other", "--set", "layers.0.size=10"]);
    assert_eq!(other.code, Some(2));
    assert!(other.stderr.contains("3 × 20 synapses, here 3 × 10 are needed"), "{}", other.stderr);
    let missing = firstspike(path, &["run", "scenario.toml", "--set", "start_from=nowhere"]);
    assert_eq!(missing.code, Some(2));
    assert!(missing.stderr.contains("start_from: cannot read"), "{}", missing.stderr);
}

#[test]
fn new_says_what_it_took_for_the_label_and_what_is_odd() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path();
    let mut table = String::from("id,machine,x,z\n");
    for sample in 0..60 {
        let machine = if sample == 7 { "m0" } else { ["M0", "M1"][sample % 2] };
        table += &format!("{sample},{machine},{},{}\n", sample * sample % 17, sample % 2);
    }
    std::fs::write(path.join("table.csv"), table).expect("written");
    let told = successful(
        path,
        &["new", "a.toml", "--data", "table.csv", "--test", "table.csv", "--hidden", "10"],
    );
    let expected = "label: machine, 3 classes: M0 (60), M1 (58), m0 (2); 2 features; left out: id";
    assert!(told.stderr.contains(expected), "{}", told.stderr);
    assert!(told.stderr.contains("classes with fewer than 5 samples: `m0` (2)"), "{}", told.stderr);
    let seen = "60 of 60 test samples are in the training set, too";
    assert!(told.stderr.contains(seen), "{}", told.stderr);
    let run = ["run", "a.toml", "--out", "run", "--quiet", "--set", "training.epochs=1"];
    let told = successful(path, &run);
    assert!(told.stderr.contains(seen), "{}", told.stderr);
    let summary = json(&path.join("run/summary.json"));
    assert!(summary["warnings"].to_string().contains(seen), "{summary}");
    let told = successful(path, &["evaluate", "run", "--data", "table.csv"]);
    assert!(told.stderr.contains(seen), "{}", told.stderr);
}

#[test]
fn decimal_commas_are_told_from_words() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path();
    let rows: String =
        (0..20).map(|row| format!("{},5;1,{};{}\n", row, row, ["a", "b"][row % 2])).collect();
    std::fs::write(path.join("table.csv"), format!("x;z;class\n{rows}")).expect("written");
    let advice = "this is a decimal comma";
    refused(path, &["new", "a.toml", "--data", "table.csv"], &["line 2, column `x`", advice]);
    std::fs::write(
        path.join("a.toml"),
        "dataset.file = { training.csv = \"table.csv\", label = \"class\", scaling = \"range\" }\n\
         layers = [{ size = 2 }]\n",
    )
    .expect("written");
    refused(path, &["check", "a.toml"], &["table.csv", advice]);
}

#[test]
#[cfg(unix)]
fn a_pipe_is_no_file_of_data() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path();
    refused(path, &["new", "a.toml", "--data", "/dev/null"], &["which can be read only once"]);
}

#[test]
fn check_says_what_is_derived_from_the_data() {
    let folder = case("words-as-labels");
    let path = folder.path();
    let told = successful(path, &["check", "scenario.toml"]).stdout;
    let (_, derived) = told.split_once("# Derived from data and network:").expect("derived");
    for key in ["layers.0.weights.normal = { mean", "training.batch_size = ", "time_noise = "] {
        assert!(derived.contains(key), "{key}: {told}");
    }
    // Which comes to the same as what it was printed of.
    std::fs::write(path.join("again.toml"), &told).expect("written");
    assert_eq!(successful(path, &["check", "again.toml"]).stdout, told);
}
