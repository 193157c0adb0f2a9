//! The commands that work with exact gradients: `check --gradients` and `learn`.

use crate::common;

use std::ops::ControlFlow;
use std::path::Path;

use common::binary::{firstspike, json, project, successful, text};
use firstspike::learning::{EncodedSet, Trainer};
use firstspike::scenario::{Learner, load};
use firstspike::trace::TraceWriter;

/// Changes the main scenario into a small one that learns all its samples in one step, without help
/// for silent neurons. Its delays are trained too.
const ONE_STEP: [&str; 8] = [
    "dataset.yin_yang.training.size=40",
    "dataset.yin_yang.test.size=40",
    "layers.0.size=30",
    "training.epochs=1",
    "training.batch_size=40",
    "training.silent_neurons=\"ignore\"",
    "layers.0.delays={synaptic.constant=0.2, trainable={high=1.0, learning_rate=0.003}}",
    "layers.1.delays={dendritic.constant=0.1, trainable={high=0.5, learning_rate=0.01}}",
];

fn overrides() -> Vec<String> {
    ONE_STEP.iter().map(|&change| change.to_owned()).collect()
}

fn scenario() -> std::path::PathBuf {
    project().join("scenarios/yin_yang.toml")
}

fn learner() -> Learner {
    load(&scenario(), &overrides()).and_then(|loaded| loaded.learner()).expect("a valid scenario")
}

/// Records the training set as the trainer's own engine runs it.
fn write_trace(trainer: &Trainer, set: &EncodedSet, path: &Path) {
    let populations = trainer.network().populations();
    let file = std::fs::File::create(path).expect("writable");
    let mut writer = TraceWriter::new(file, "tau_s").expect("heading");
    trainer
        .evaluate_records(set, |sample, record, _| {
            for (node, time) in record.in_order() {
                let population = populations.iter().find(|found| found.nodes.contains(&node));
                let population = population.expect("every node has a population");
                let neuron = (node - population.nodes.start) as u32;
                writer.write(sample as u32, &population.name, neuron, time).expect("row");
            }
        })
        .expect("the samples run");
    writer.finish().expect("flush");
}

fn learn<'a>(scenario: &'a str, trace: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let changes = ONE_STEP.iter().flat_map(|&change| ["--set", change]);
    ["learn", scenario, "--trace", trace].into_iter().chain(changes).chain(more.to_vec()).collect()
}

#[test]
fn learning_from_the_engines_own_trace_is_one_step_of_training() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let learner = learner();
    let mut trainer =
        Trainer::new(&learner.network, learner.settings.clone()).expect("the network can run");
    let set = learner.encode(&learner.data.training);
    write_trace(&trainer, &set, &folder.path().join("trace.csv"));
    let edges = learner.network.network.graph().edge_weights();
    let before: Vec<f64> = edges.map(|synapse| synapse.weight).collect();
    let loss = trainer.evaluate(&set).expect("the samples run").score.loss();

    let ended = successful(
        folder.path(),
        &learn(text(&scenario()), "trace.csv", &["--out", "new/learned.json"]),
    );
    let printed = ended.stdout.lines().find_map(|line| line.strip_prefix("loss"));
    let printed: f64 = printed.expect("the loss").trim().parse().expect("a number");
    // Sums of forty losses in another order.
    assert!((printed - loss).abs() < 1e-14 * loss, "{printed} is not {loss}");

    trainer.train_epoch(&set, &mut |_| ControlFlow::Continue(())).expect("the samples run");
    let mut trained = learner.network.network.clone();
    trainer.write_to(&mut trained);
    let learned = json(&folder.path().join("new/learned.json"));
    let (mut compared, mut delays_moved) = (0, 0);
    for projection in learned["projections"].as_array().expect("projections") {
        let name = |end: &str| projection[end].as_str().expect("a name").to_owned();
        let first = |end: &str| trained.population(&name(end)).expect("known").1.nodes.start;
        for synapse in projection["synapses"].as_array().expect("synapses") {
            let index = |place: usize| synapse[place].as_u64().expect("an index") as usize;
            let nodes = [first("pre") + index(0), first("post") + index(1)];
            let [pre, post] = nodes.map(|node| (node as u32).into());
            let edge = trained.graph().find_edge(pre, post).expect("the same edges");
            let expected = trained.graph()[edge];
            // Gradients are sums in another order, good to 1e-13 of those that cancel least; the
            // first step of Adam divides by their size, at a rate of 0.005.
            let weight = synapse[2].as_f64().expect("a weight");
            assert!((weight - expected.weight).abs() < 1e-10, "{weight} is not {expected:?}");
            let delay = synapse[3].as_f64().expect("a delay");
            assert!((delay - expected.delay).abs() < 1e-10, "{delay} is not {expected:?}");
            let start = if name("post") == "label" { 0.1 } else { 0.2 };
            delays_moved += usize::from((delay - start).abs() > 1e-5);
            compared += 1;
        }
    }
    assert_eq!(compared, before.len());
    let after = trained.graph().edge_weights().map(|synapse| synapse.weight);
    let moved = after.zip(&before).filter(|(after, before)| after != *before).count();
    assert!(moved > compared / 4, "only {moved} of {compared} weights moved");
    assert!(delays_moved > compared / 4, "only {delays_moved} of {compared} delays moved");
}

#[test]
fn traces_that_do_not_fit_are_refused_with_file_and_line() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("trace.csv");
    let learner = learner();
    let trainer =
        Trainer::new(&learner.network, learner.settings.clone()).expect("the network can run");
    write_trace(&trainer, &learner.encode(&learner.data.training), &path);
    let good = std::fs::read_to_string(&path).expect("readable");
    let second = good.lines().nth(1).expect("a spike").to_owned();
    let with = |row: &str| good.replacen(&second, &format!("{second}\n{row}"), 1);
    let scenario = scenario();
    let cases = [
        (with("0,output,0,1.0"), ":3: there is no population `output`; there are input"),
        (with("0,hidden,30,1.0"), ":3: hidden[30] does not exist: the neuron must be from 0 to 29"),
        (with("40,label,0,1.0"), ":3: sample 40 does not exist: it must be from 0 to 39"),
        (with(&second), ":3: "),
        (with(&second), "spikes twice in sample 0 (first in line 2)"),
        (good.replacen(&format!("{second}\n"), "", 1), ":2: sample 0, which begins here, has no"),
        (good.replacen("time_tau_s", "time_us", 1), ":1: times are in us, the scenario's in tau_s"),
        (with("0,hidden,x,1.0"), ":3: neuron `x` must be"),
        ("sample,population,neuron,time_tau_s\n".to_owned(), "trace.csv: there are no spikes"),
    ];
    for (trace, expected) in cases {
        std::fs::write(&path, trace).expect("writable");
        let arguments = learn(text(&scenario), "trace.csv", &["--out", "learned.json"]);
        let ended = firstspike(folder.path(), &arguments);
        assert_eq!(ended.code, Some(2), "{expected}: {}", ended.stderr);
        assert!(ended.stderr.contains(expected), "{} is not {expected}", ended.stderr);
        assert!(ended.stderr.contains("trace.csv"), "{}", ended.stderr);
        assert!(!folder.path().join("learned.json").exists(), "nothing was written");
    }
}

#[test]
fn a_trace_of_another_set_is_recognised() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let learner = learner();
    let trainer =
        Trainer::new(&learner.network, learner.settings.clone()).expect("the network can run");
    let test = learner.encode(&learner.data.test);
    write_trace(&trainer, &test, &folder.path().join("trace.csv"));
    let scenario = scenario();
    let ended = firstspike(folder.path(), &learn(text(&scenario), "trace.csv", &[]));
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("is this a trace of another set"), "{}", ended.stderr);
    successful(folder.path(), &learn(text(&scenario), "trace.csv", &["--data", "test"]));
    assert!(folder.path().join("traces/yin_yang/learned.json").exists());
}

#[test]
fn a_network_of_populations_has_no_loss_to_learn_by() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let scenario = project().join("scenarios/recurrent.toml");
    let ended = firstspike(folder.path(), &["learn", text(&scenario), "--trace", "none.csv"]);
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("no loss to learn by"), "{}", ended.stderr);
}

#[test]
fn gradients_of_every_kind_of_scenario_are_checked() {
    let delays = "layers.0.delays.uniform={low=0.1,high=0.5}";
    let cases = [
        ("yin_yang.toml", "layers.0.size=30"),
        ("yin_yang.toml", delays),
        ("yin_yang_5_delays.toml", "layers.0.delays={axonal.constant=0.4}"),
        ("yin_yang_30_delays.toml", "seed=1"),
        ("single_neuron.toml", "seed=1"),
        ("recurrent.toml", "simulation.until=50.0"),
    ];
    for (name, change) in cases {
        let path = project().join("scenarios").join(name);
        let arguments = ["check", text(&path), "--gradients", "--samples", "60", "--set", change];
        let ended = successful(project(), &arguments);
        assert!(ended.stdout.contains("0 differ by more than 1e-5"), "{name}: {}", ended.stdout);
        assert!(ended.stdout.contains("weight "), "{name}: {}", ended.stdout);
        assert!(!ended.stdout.contains("have no finite difference"), "{name}: {}", ended.stdout);
    }
}

#[test]
fn samples_without_gradients_is_a_mistake() {
    let path = project().join("scenarios/yin_yang.toml");
    let ended = firstspike(project(), &["check", text(&path), "--samples", "60"]);
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("--gradients"), "{}", ended.stderr);
}
