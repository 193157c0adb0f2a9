//! Delays that are trained: on both engines the same, within their bounds, and in all that a run leaves
//! behind.

use crate::common;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use common::binary::{json, project, read, successful, text};
use firstspike::learning::{LearningEngine, Trainer};
use firstspike::network::{DelayKind, LayerDelays};
use firstspike::scenario::{Learner, load};
use proptest::prelude::*;

/// Makes the scenario small, with a kind of delays for each layer and bias sources that have them too.
const CHANGES: [&str; 9] = [
    "training.epochs=4",
    "training.batch_size=37",
    "dataset.yin_yang.training.size=200",
    "dataset.yin_yang.validation.size=50",
    "dataset.yin_yang.test.size=50",
    "training.silent_neurons.bump.allowed=[0.3, 0.3]",
    "layers.0.size=12",
    "layers.0.bias_times=[0.9]",
    "layers.1.bias_times=[0.9, 1.5]",
];

fn scenario() -> PathBuf {
    project().join("scenarios/yin_yang_5_delays.toml")
}

/// Delays of a layer, trained within 0.1 and 0.9.
fn trained(layer: usize, kind: &str) -> String {
    format!(
        "layers.{layer}.delays={{ {kind}.uniform = {{ low = 0.2, high = 0.8 }}, trainable = {{ low = \
         0.1, high = 0.9, learning_rate = 0.03 }} }}"
    )
}

fn learner(kinds: [&str; 2]) -> Learner {
    let mut changes: Vec<String> = CHANGES.iter().map(|&change| change.to_owned()).collect();
    changes.extend((0..2).map(|layer| trained(layer, kinds[layer])));
    load(&scenario(), &changes).and_then(|loaded| loaded.learner()).expect("a valid scenario")
}

/// Weights and delays after some epochs.
fn train(learner: &Learner, engine: LearningEngine) -> (Vec<f64>, Vec<Option<LayerDelays>>) {
    let settings = firstspike::learning::TrainingSettings { engine, ..learner.settings.clone() };
    let mut trainer = Trainer::new(&learner.network, settings).expect("the network can run");
    let set = learner.encode(&learner.data.training);
    for _ in 0..learner.settings.epochs {
        let go_on = &mut |_: &_| ControlFlow::Continue(());
        trainer.train_epoch(&set, go_on).expect("learns").expect("not stopped");
    }
    let mut network = learner.network.clone();
    trainer.write_to(&mut network.network);
    let weights = network.network.graph().edge_weights().map(|synapse| synapse.weight).collect();
    (weights, network.layer_delays())
}

#[test]
fn both_engines_train_the_same_delays() {
    for (kinds, expected) in [
        (["synaptic", "axonal"], [DelayKind::Synaptic, DelayKind::Axonal]),
        (["dendritic", "synaptic"], [DelayKind::Dendritic, DelayKind::Synaptic]),
        (["axonal", "dendritic"], [DelayKind::Axonal, DelayKind::Dendritic]),
    ] {
        let learner = learner(kinds);
        assert_eq!(learner.network.delays, expected.map(Some));
        let (weights, delays) = train(&learner, LearningEngine::Event);
        let (fast_weights, fast_delays) = train(&learner, LearningEngine::FeedForward);
        let (_, single_delays) = train(&learner, LearningEngine::FeedForwardSingle);
        let difference = |one: &[f64], other: &[f64]| {
            let differences = one.iter().zip(other).map(|(one, other)| (one - other).abs());
            differences.fold(0.0, f64::max)
        };
        // Adam divides by the size of the gradients, however small.
        assert!(difference(&weights, &fast_weights) < 1e-8, "{kinds:?}");
        for (layer, start) in learner.network.layer_delays().into_iter().enumerate() {
            let values = |delays: &[Option<LayerDelays>]| {
                delays[layer].clone().expect("the layer has delays").values
            };
            let (slow, fast) = (values(&delays), values(&fast_delays));
            assert!(difference(&slow, &fast) < 1e-8, "{kinds:?}: {slow:?} {fast:?}");
            assert!(difference(&slow, &values(&single_delays)) < 0.05, "{kinds:?}");
            let start = start.expect("the layer has delays").values;
            let moved = start.iter().zip(&slow).filter(|(a, b)| (*a - *b).abs() > 0.01).count();
            assert!(2 * moved > start.len(), "{kinds:?}: {moved} of {}", start.len());
            assert!(slow.iter().all(|delay| (0.1..0.9).contains(delay)), "{slow:?}");
        }
    }
}

fn run(folder: &Path, arguments: &[&str]) {
    let path = scenario();
    let kinds = [trained(0, "synaptic"), trained(1, "dendritic")];
    let changes = CHANGES.iter().copied().chain(kinds.iter().map(String::as_str));
    let changes = changes.flat_map(|change| ["--set", change]);
    let all: Vec<&str> =
        ["run", text(&path)].into_iter().chain(changes).chain(arguments.to_vec()).collect();
    successful(folder, &all);
}

#[test]
fn a_run_leaves_its_delays_and_can_be_repeated() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    run(folder.path(), &["--out", "one", "--threads", "1"]);
    run(folder.path(), &["--out", "two", "--threads", "2"]);
    let again = ["run", "one/scenario.toml", "--out", "again"];
    successful(folder.path(), &again);
    for name in ["network.json", "metrics.csv", "spikes.csv", "scenario.toml"] {
        let of = |run: &str| read(&folder.path().join(run).join(name));
        assert!(of("one") == of("two") && of("one") == of("again"), "{name} differs");
    }
    let network = json(&folder.path().join("one/network.json"));
    let summary = json(&folder.path().join("one/summary.json"));
    for (layer, name) in ["hidden", "label"].into_iter().enumerate() {
        let mut delays = Vec::new();
        for projection in network["projections"].as_array().expect("projections") {
            if projection["post"] == name {
                let synapses = projection["synapses"].as_array().expect("synapses");
                delays.extend(synapses.iter().map(|synapse| synapse[3].as_f64().expect("a delay")));
            }
        }
        let least = delays.iter().copied().fold(f64::INFINITY, f64::min);
        let most = delays.iter().copied().fold(0.0, f64::max);
        assert!(0.1 < least && least < most && most < 0.9, "{least} {most}");
        let told = &summary["layers"][layer]["delays"];
        assert_eq!((told["least"].as_f64(), told["most"].as_f64()), (Some(least), Some(most)));
        let mean = told["mean"].as_f64().expect("a number");
        assert!((least..most).contains(&mean));
        assert_eq!(told["kind"], ["synaptic", "dendritic"][layer]);
    }
}

#[test]
fn a_run_without_delays_tells_of_none() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = project().join("scenarios/yin_yang_30.toml");
    let small = ["training.epochs=1", "dataset.yin_yang.training.size=50"];
    let [epochs, size] = small;
    let arguments = ["run", text(&path), "--out", ".", "--set", epochs, "--set", size];
    successful(folder.path(), &arguments);
    let summary = json(&folder.path().join("summary.json"));
    assert!(summary["layers"][0].get("delays").is_none());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20, failure_persistence: None, ..Default::default() })]
    #[test]
    fn drawn_delays_lie_between_their_ends(
        low in 0.0..3.0f64,
        width in 0.01..5.0f64,
        mean in -3.0..3.0f64,
        std in 0.0..3.0f64,
    ) {
        let high = low + width;
        let delays = format!(
            "layers.0.delays={{ synaptic.logit_normal = {{ mean = {mean}, std = {std}, low = {low}, \
             high = {high} }}, trainable = {{ low = {low}, high = {high}, learning_rate = 0.1 }} }}"
        );
        let size = "dataset.yin_yang.training.size=3".to_owned();
        let learner = load(&scenario(), &[size, delays]).and_then(|loaded| loaded.learner());
        let delays = learner.expect("valid").network.layer_delays()[0].clone().expect("delays");
        prop_assert_eq!(delays.values.len(), 25);
        prop_assert!(delays.values.iter().all(|delay| (low..=high).contains(delay)));
    }
}
