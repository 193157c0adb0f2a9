//! The gradients of a backward pass against finite differences of the event engine itself, on
//! random layered networks: every weight, every input time and every loss.

use std::ops::Range;

use firstspike::engine::{EngineOptions, EventEngine, SourceSpike};
use firstspike::learning::{BackwardPass, FirstSpikes, Loss, Margin};
use firstspike::network::{CompiledNetwork, DelayKind, Layer, LayerDelays, PopulationId, layered};
use firstspike::neuron::NeuronParameters;
use firstspike::random::stream;
use rand::RngExt;
use rand::rngs::ChaCha8Rng;

const NETWORKS: u64 = 400;

const LOSSES: [Loss; 3] = [
    Loss::FirstSpikeCrossEntropy { scale: 0.2, early_weight: 0.005, early_scale: 1.0 },
    Loss::MeanSquaredError { correct: 1.9, wrong: 1.6 },
    Loss::ShiftInvariantMeanSquaredError { margin: Margin::Fixed(0.2) },
];

/// `tau_m/tau_s`: every closed form, and two ratios that need the bracketed solve.
const RATIOS: [f64; 5] = [1.0, 2.0, 0.5, 4.0, f64::INFINITY];

/// Largest step of a difference quotient. Quotients at this step, its half and its quarter
/// extrapolate to an error of order `STEP^4`, about 1e-18 where the loss is smooth on the scale of
/// one, so that rounding ([`ROUNDING`]) dominates; and only crossings that the step all but undoes
/// are too near to grazing.
const STEP: f64 = 4e-5;

/// Relative to the difference quotient.
const TOLERANCE: f64 = 1e-6;

/// Times the size of the loss: what a difference quotient cannot resolve. Two losses, good to a few
/// units in the last place times the condition of the crossings behind them, are divided by half a
/// step: 1e-16/1e-5 = 1e-11, and a tenfold allowance for the condition.
const ROUNDING: f64 = 1e-10;

/// A network with the input to it.
struct Case {
    network: CompiledNetwork,
    /// The sources and when they spike; infinite for one that does not.
    sources: Vec<(usize, f64)>,
    labels: Range<usize>,
    correct_label: usize,
}

/// What a loss is differentiated by.
#[derive(Clone, Copy, Debug)]
enum Parameter {
    /// Of a synapse.
    Weight(usize),
    /// Of the source with this position in [`Case::sources`].
    Time(usize),
}

#[test]
fn gradients_agree_with_differences_of_the_engine() {
    let mut seen = Seen::default();
    for index in 0..NETWORKS {
        check(&random_case(index), index, &mut seen);
    }
    println!("{seen:#?}");
    seen.check();
}

#[test]
fn a_silent_correct_label_leaves_no_gradient_at_all() {
    let mut found = 0;
    for index in 0..NETWORKS {
        let case = random_case(index);
        let record = Engine::new(&case).run(&case);
        if record.times()[case.labels.start + case.correct_label] < f64::INFINITY {
            continue;
        }
        found += 1;
        for loss in LOSSES {
            let pass = backpropagate(&case, &record, &loss);
            let mut gradients = pass.weight_gradients.iter().chain(&pass.time_gradients);
            assert!(gradients.all(|&gradient| gradient == 0.0), "network {index}, {loss:?}");
        }
    }
    assert!(found > 10, "only {found} networks have a silent correct label");
}

/// What the random networks covered: without it, agreement would mean little.
#[derive(Debug, Default)]
struct Seen {
    delayed_networks: u64,
    tied_inputs: usize,
    infinite_inputs: usize,
    silent_hidden_neurons: usize,
    silent_correct_labels: usize,
    silent_wrong_labels: usize,
    /// Per loss: derivatives by parameters that have an influence, compared with differences.
    effective: [usize; 3],
    /// Per loss: derivatives by parameters without influence, zero to the bit in both.
    without_influence: [usize; 3],
    /// Not compared: a step creates or deletes a spike, so the loss has no derivative near.
    spike_created_or_deleted: usize,
    /// Not compared: the difference quotient itself is not accurate enough to judge.
    inaccurate_difference: usize,
    /// Largest deviation in units of its tolerance.
    worst: f64,
    /// Compared, but further than [`TOLERANCE`] apart: agreement is owed to [`ROUNDING`].
    within_rounding_only: usize,
}

impl Seen {
    fn check(&self) {
        assert!(self.delayed_networks > NETWORKS / 3 && self.delayed_networks < 2 * NETWORKS / 3);
        assert!(self.tied_inputs > 100 && self.infinite_inputs > 100);
        assert!(self.silent_hidden_neurons > 100);
        assert!(self.silent_correct_labels > 10 && self.silent_wrong_labels > 10);
        let excluded = self.spike_created_or_deleted + self.inaccurate_difference;
        for (&effective, &without_influence) in self.effective.iter().zip(&self.without_influence) {
            assert!(effective > 5000 && without_influence > 5000);
        }
        // Of the parameters that have an influence: the others agree trivially.
        let all = self.effective.iter().sum::<usize>() + excluded;
        assert!((excluded as f64) < 0.02 * all as f64, "{excluded} of {all} not compared");
        let loose = self.within_rounding_only;
        assert!((loose as f64) < 0.02 * all as f64, "{loose} of {all} within rounding only");
    }
}

fn random_case(index: u64) -> Case {
    let random = &mut stream(1, "test gradients", index);
    let inputs = random.random_range(2..=6);
    let layer_count = random.random_range(2..=3);
    let has_delays = random.random_bool(0.5);
    let mut layers = Vec::new();
    let mut previous = inputs;
    for layer in 0..layer_count {
        let last = layer + 1 == layer_count;
        let size = if last { random.random_range(2..=4) } else { random.random_range(2..=8) };
        let bias_sources = random.random_range(0..=2);
        let synapses = (previous + bias_sources) * size;
        layers.push(Layer {
            name: format!("layer {layer}"),
            neurons: (0..size).map(|_| random_neuron(random)).collect(),
            bias_sources,
            weights: (0..synapses).map(|_| random.random_range(-1.5..4.5)).collect(),
            delays: has_delays.then(|| LayerDelays {
                kind: DelayKind::Synaptic,
                values: (0..synapses).map(|_| random.random_range(0.0..1.0)).collect(),
            }),
        });
        previous = size;
    }
    let built = layered(inputs, &layers).expect("the random network is valid");
    let nodes = |id: PopulationId| built.network.populations()[id.0].nodes.clone();
    let labels = nodes(built.layers[layer_count - 1]);
    let bias = built.bias.iter().flatten().flat_map(|&id| nodes(id));
    let sources: Vec<usize> = nodes(built.input).chain(bias).collect();
    let times = random_times(random, sources.len());
    Case {
        network: CompiledNetwork::new(&built.network),
        sources: sources.into_iter().zip(times).collect(),
        correct_label: random.random_range(0..labels.len()),
        labels,
    }
}

/// A neuron of any ratio, on any scale of time and potential.
fn random_neuron(random: &mut ChaCha8Rng) -> NeuronParameters {
    let ratio = RATIOS[random.random_range(0..RATIOS.len())];
    let tau_s = [0.7, 1.0, 1.5][random.random_range(0..3)];
    let bias_current = if random.random_bool(0.2) { random.random_range(-0.1..0.3) } else { 0.0 };
    NeuronParameters {
        tau_m: ratio * tau_s,
        tau_s,
        capacitance: random.random_range(0.6..1.4),
        leak_potential: -0.3,
        reset_potential: -0.5,
        threshold: random.random_range(0.5..1.2),
        bias_current,
        ..NeuronParameters::default()
    }
}

/// Times of the sources; some infinite, some equal to the one before.
fn random_times(random: &mut ChaCha8Rng, count: usize) -> Vec<f64> {
    let mut times: Vec<f64> = Vec::new();
    for _ in 0..count {
        let chance = random.random_range(0.0..1.0);
        times.push(match times.last() {
            _ if chance < 0.1 => f64::INFINITY,
            Some(&last) if chance < 0.3 => last,
            _ => random.random_range(0.1..2.0),
        });
    }
    times
}

fn check(case: &Case, index: u64, seen: &mut Seen) {
    let mut engine = Engine::new(case);
    let record = engine.run(case);
    note_special_cases(case, &record, seen);
    let matters = nodes_that_matter(case, &record);
    let losses = losses(case, &record);
    let gradients = LOSSES.map(|loss| backpropagate(case, &record, &loss));

    let weights = (0..case.network.synapse_count()).map(Parameter::Weight);
    let times = (0..case.sources.len()).map(Parameter::Time);
    for parameter in weights.chain(times) {
        let influential = has_influence(case, &record, &matters, parameter);
        let Some(quotients) = engine.difference_quotients(case, &record, parameter) else {
            seen.spike_created_or_deleted += LOSSES.len();
            continue;
        };
        for (loss, pass) in gradients.iter().enumerate() {
            let gradient = match parameter {
                Parameter::Weight(synapse) => pass.weight_gradients[synapse],
                Parameter::Time(source) => pass.time_gradients[case.sources[source].0],
            };
            let context = || format!("network {index}, {parameter:?}, {:?}", LOSSES[loss]);
            let [wide, narrow] = quotients[loss];
            if !influential {
                assert_eq!((gradient, narrow), (0.0, 0.0), "no influence: {}", context());
                seen.without_influence[loss] += 1;
                continue;
            }
            let tolerance = TOLERANCE * narrow.abs() + ROUNDING * (1.0 + losses[loss].abs());
            // Judged by the engine's differences alone, never by the gradient.
            if (wide - narrow).abs() > 0.3 * tolerance {
                seen.inaccurate_difference += 1;
                continue;
            }
            let deviation = (gradient - narrow).abs();
            assert!(deviation <= tolerance, "{gradient} is not {narrow}: {}", context());
            seen.worst = seen.worst.max(deviation / tolerance);
            seen.within_rounding_only += usize::from(deviation > TOLERANCE * narrow.abs());
            seen.effective[loss] += 1;
        }
    }
}

fn note_special_cases(case: &Case, record: &FirstSpikes, seen: &mut Seen) {
    let times: Vec<f64> = case.sources.iter().map(|source| source.1).collect();
    let network = &case.network;
    seen.delayed_networks += u64::from(network.delays().iter().any(|&delay| delay > 0.0));
    seen.infinite_inputs += times.iter().filter(|time| time.is_infinite()).count();
    seen.tied_inputs +=
        times.windows(2).filter(|pair| pair[0] == pair[1] && pair[0].is_finite()).count();
    let silent = |node: &usize| record.times()[*node] == f64::INFINITY;
    let hidden = (0..case.labels.start).filter(|&node| network.dynamics(node).is_some());
    seen.silent_hidden_neurons += hidden.filter(silent).count();
    let correct = case.labels.start + case.correct_label;
    seen.silent_correct_labels += usize::from(silent(&correct));
    seen.silent_wrong_labels +=
        case.labels.clone().filter(|&node| node != correct && silent(&node)).count();
}

/// Per node: whether its spike can move the loss, by the definition of the losses (silence of the
/// correct label is a constant loss, silence of another label adds a constant) and by the arrows
/// of time. Independent of any derivative.
fn nodes_that_matter(case: &Case, record: &FirstSpikes) -> Vec<bool> {
    let mut matters = vec![false; case.network.node_count()];
    if record.times()[case.labels.start + case.correct_label] == f64::INFINITY {
        return matters;
    }
    // Backwards in time, so that everything a spike caused is known when its turn comes.
    for (node, _) in record.in_order().rev() {
        let causes = |synapse| {
            matters[case.network.targets()[synapse] as usize]
                && is_causal(case, record, node, synapse)
        };
        matters[node] = case.labels.contains(&node) || case.network.outgoing(node).any(causes);
    }
    matters
}

/// Whether the presynaptic node's spike arrives before the synapse's target spikes.
fn is_causal(case: &Case, record: &FirstSpikes, pre: usize, synapse: usize) -> bool {
    let target = case.network.targets()[synapse] as usize;
    record.times()[pre] + case.network.delays()[synapse] < record.times()[target]
}

fn has_influence(case: &Case, record: &FirstSpikes, matters: &[bool], by: Parameter) -> bool {
    match by {
        Parameter::Time(source) => matters[case.sources[source].0],
        Parameter::Weight(synapse) => {
            let outgoing = |node: &usize| case.network.outgoing(*node).contains(&synapse);
            let pre = (0..case.network.node_count()).find(outgoing).expect("a synapse has a start");
            matters[case.network.targets()[synapse] as usize]
                && is_causal(case, record, pre, synapse)
        }
    }
}

/// Each loss of a run.
fn losses(case: &Case, record: &FirstSpikes) -> [f64; 3] {
    let times = &record.times()[case.labels.clone()];
    LOSSES.map(|loss| loss.evaluate(times, case.correct_label, &mut vec![0.0; times.len()]))
}

fn backpropagate(case: &Case, record: &FirstSpikes, loss: &Loss) -> BackwardPass {
    let mut pass = BackwardPass::new(&case.network);
    let times = &record.times()[case.labels.clone()];
    loss.evaluate(times, case.correct_label, &mut pass.time_gradients[case.labels.clone()]);
    record.backpropagate(&case.network, None, &mut pass);
    pass
}

/// The event engine, on a network whose parameters may be moved a little.
struct Engine {
    engine: EventEngine,
    network: CompiledNetwork,
}

impl Engine {
    fn new(case: &Case) -> Self {
        let options = EngineOptions { at_most_one_spike: true };
        let network = case.network.clone();
        Engine { engine: EventEngine::new(&network, options), network }
    }

    fn run(&mut self, case: &Case) -> FirstSpikes {
        self.run_sources(&case.sources)
    }

    fn run_sources(&mut self, sources: &[(usize, f64)]) -> FirstSpikes {
        let spike = |&(node, time): &(usize, f64)| SourceSpike { time, source: node as u32 };
        let mut stimulus: Vec<_> = sources.iter().map(spike).collect();
        stimulus.sort_by(|a, b| a.time.total_cmp(&b.time));
        let mut record = FirstSpikes::new(self.network.node_count());
        self.engine
            .run(&self.network, &stimulus, f64::INFINITY, &mut record)
            .expect("the random network runs");
        record
    }

    /// Per loss: its derivative by the parameter, extrapolated from quotients at [`STEP`] and its
    /// half, and at its half and quarter. None if any step creates or deletes a spike.
    fn difference_quotients(
        &mut self,
        case: &Case,
        at: &FirstSpikes,
        by: Parameter,
    ) -> Option<[[f64; 2]; 3]> {
        let mut quotient = |step: f64| -> Option<[f64; 3]> {
            let up = self.run_moved(case, by, step);
            let down = self.run_moved(case, by, -step);
            if !(same_neurons_spike(&up, at) && same_neurons_spike(&down, at)) {
                return None;
            }
            let (up, down) = (losses(case, &up), losses(case, &down));
            Some([0, 1, 2].map(|loss| (up[loss] - down[loss]) / (2.0 * step)))
        };
        let (full, half, quarter) = (quotient(STEP)?, quotient(STEP / 2.0)?, quotient(STEP / 4.0)?);
        // Richardson: the error of a central quotient is even in the step.
        let extrapolate = |wide: f64, narrow: f64| narrow + (narrow - wide) / 3.0;
        Some([0, 1, 2].map(|loss| {
            [extrapolate(full[loss], half[loss]), extrapolate(half[loss], quarter[loss])]
        }))
    }

    fn run_moved(&mut self, case: &Case, parameter: Parameter, by: f64) -> FirstSpikes {
        match parameter {
            Parameter::Weight(synapse) => {
                self.network.weights_mut()[synapse] += by;
                let record = self.run(case);
                self.network.weights_mut()[synapse] = case.network.weights()[synapse];
                record
            }
            Parameter::Time(source) => {
                let mut sources = case.sources.clone();
                sources[source].1 += by;
                self.run_sources(&sources)
            }
        }
    }
}

fn same_neurons_spike(a: &FirstSpikes, b: &FirstSpikes) -> bool {
    a.times().iter().zip(b.times()).all(|(a, b)| a.is_finite() == b.is_finite())
}
