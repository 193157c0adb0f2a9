//! The published networks of Göltz, Kriener et al. (2021, 2024), to rounding: spike times,
//! decisions, losses and gradients.
//!
//! The gold data holds the authors' own results and those of an independent 80-bit solver for the
//! same networks (`../shared/gold/published/README.md`). The library has to agree with the solver
//! to rounding, and with the authors' code up to the `eps` of 1e-6 that it adds to sums.

use crate::common;

use common::gold::{Publication, Published, Table, say};
use firstspike::dataset::yin_yang::YinYang;
use firstspike::dataset::{Dataset, Features, LatencyEncoding};
use firstspike::learning::{BackwardPass, FirstSpikes, Loss, Margin};
use firstspike::neuron::{CausalInput, crossing_derivatives};

/// In units of `tau_s`. The solver's times are good to about 1e-16. Ours pass through some ten
/// events of 1e-16 each, magnified by one over the slope of the crossing: the nearest to grazing in
/// these test sets is an extremum 7e-6 from the threshold, hence a slope of about
/// `√(2·7e-6) = 4e-3`. Together 3e-13 at worst, and 1e-12 with another machine's `exp`.
const TIME_TOLERANCE: f64 = 1e-12;

/// The authors' `eps` of 1e-6 moves a crossing by some 1e-6 over its slope. The gold data's README
/// measures 5.2e-5 for their worst spike of all.
const EPS_TOLERANCE: f64 = 1e-4;

/// Relative. The shift-invariant loss is quadratic in differences of times of about 0.05, where the
/// times' rounding of 1e-14 makes 4e-13 of the loss; the cross-entropy suffers less.
const LOSS_TOLERANCE: f64 = 1e-12;

/// Relative to the gold gradient. That is 64-bit code, good to 1e-16 times the condition of the
/// crossing (3e2, from the slope above), and again times the condition where an error of the time
/// enters the slope: 1e-11. A hundred times that is still far below any error of substance.
const GRADIENT_TOLERANCE: f64 = 1e-9;

/// Added to the tolerance of a gradient. A gradient sums 20 samples and several paths, whose terms
/// of up to 0.1 may cancel: their rounding of 1e-17, magnified 3e2-fold, has no relative accuracy.
const GRADIENT_FLOOR: f64 = 1e-14;

/// The gold gradients are of the mean loss over the first samples of the test set.
const GRADIENT_SAMPLES: usize = 20;

const YIN_YANG_V1: Publication = Publication {
    name: "yin_yang_v1",
    tau_m: 1.0,
    bias_time: Some(0.9),
    has_delays: false,
    loss: Loss::FirstSpikeCrossEntropy { scale: 0.2, early_weight: 0.005, early_scale: 1.0 },
    correct: 960,
};

// The published kernel is (e^(−t/2) − e^(−t))/g_leak with g_leak = 0.5; ours is
// (e^(−t/2) − e^(−t))/(C (1 − 1/2)), the same for the default capacitance C = g_leak τ_m = 1.
const YIN_YANG_H30_W: Publication = Publication {
    name: "yin_yang_H30_W",
    tau_m: 2.0,
    bias_time: None,
    has_delays: false,
    loss: Loss::ShiftInvariantMeanSquaredError { margin: Margin::Fixed(0.2) },
    correct: 967,
};

const YIN_YANG_H30_WS: Publication =
    Publication { name: "yin_yang_H30_WS", has_delays: true, correct: 982, ..YIN_YANG_H30_W };

#[test]
fn the_network_of_2021_is_reproduced() {
    compare(YIN_YANG_V1);
}

#[test]
fn the_network_of_2024_without_delays_is_reproduced() {
    compare(YIN_YANG_H30_W);
}

#[test]
fn the_network_of_2024_with_synaptic_delays_is_reproduced() {
    compare(YIN_YANG_H30_WS);
}

#[test]
fn the_published_inputs_are_the_encoded_test_set_bit_for_bit() {
    let test_set = Dataset::from(YinYang::default().generate(40, 1000));
    let encoding = LatencyEncoding { earliest: 0.15, latest: 2.0, ..Default::default() };
    let bits = |times: &[f64]| -> Vec<u64> { times.iter().map(|time| time.to_bits()).collect() };
    let Features::Real(features) = &test_set.features else { panic!("real numbers") };
    let encoded: Vec<f64> = features.iter().map(|&feature| encoding.spike_time(feature)).collect();
    for publication in [YIN_YANG_V1, YIN_YANG_H30_W, YIN_YANG_H30_WS] {
        let Some(published) = Published::load(publication) else { continue };
        let name = published.publication.name;
        let inputs = published.table("inputs.csv").concat();
        assert!(bits(&inputs) == bits(&encoded), "{name}: inputs differ");
        assert_eq!(published.labels(), *test_set.labels, "{name}: labels differ");
    }
}

/// How far the library is from the gold data: the worst of each kind.
#[derive(Debug, Default)]
struct Deviations {
    /// Neurons that are silent in one and spike in the other.
    silence: usize,
    hidden: f64,
    label: f64,
    /// From the authors' own label times.
    published: f64,
    /// Decisions that differ from the authors'.
    decisions: usize,
    correct: usize,
    /// Relative.
    loss: f64,
    weights: Agreement,
    inputs: Agreement,
    delays: Agreement,
}

fn compare(publication: Publication) {
    let Some(published) = Published::load(publication) else { return };
    check_order_of_synapses(&published);
    let records = published.run(&published.table("inputs.csv"));
    assert_eq!(records.len(), 1000);
    let mut found = Deviations::default();
    compare_times(&published, &records, &mut found);
    compare_decisions(&published, &records, &mut found);
    compare_gradients(&published, &records, &mut found);
    say(&summary(&published, &found));

    let name = published.publication.name;
    assert_eq!(found.silence, 0, "{name}: neurons spike in one and not in the other");
    assert!(found.hidden <= TIME_TOLERANCE, "{name}: hidden times");
    assert!(found.label <= TIME_TOLERANCE, "{name}: label times");
    assert!(found.published <= EPS_TOLERANCE, "{name}: published label times");
    assert_eq!(found.decisions, 0, "{name}: decisions differ");
    assert_eq!(found.correct, published.publication.correct, "{name}: correct ones of 1000");
    assert!(found.loss <= LOSS_TOLERANCE, "{name}: loss");
    assert!(found.weights.within_tolerance(), "{name}: gradients of weights");
    assert!(found.inputs.within_tolerance(), "{name}: gradients of input times");
    assert!(found.delays.within_tolerance(), "{name}: gradients of delays");
}

fn summary(published: &Published, found: &Deviations) -> String {
    let name = published.publication.name;
    let Deviations { silence, hidden, label, published, decisions, correct, loss, .. } = found;
    let Deviations { weights, inputs, delays, .. } = found;
    format!(
        "{name}: worst |dt| hidden {hidden:.1e}, label {label:.1e}, published {published:.1e}; \
         {silence} differ in silence, {decisions} in decision; {correct}/1000 correct; loss \
         {loss:.1e} relative; gradients: weights {weights}, inputs {inputs}, delays {delays}",
    )
}

/// The matrices as the compiled network holds them are those of the files: what is said of a
/// synapse below is said of the right one.
fn check_order_of_synapses(published: &Published) {
    let network = &published.network;
    for layer in 0..2 {
        let weights = published.table(&format!("weights_layer{layer}.csv"));
        assert_eq!(published.matrix(layer, network.weights()), weights);
        if published.publication.has_delays {
            let delays = published.table(&format!("delays_layer{layer}.csv"));
            assert_eq!(published.matrix(layer, network.delays()), delays);
        }
    }
}

fn compare_times(published: &Published, records: &[FirstSpikes], found: &mut Deviations) {
    let times = published.layers.clone().map(|nodes| -> Table {
        records.iter().map(|record| record.times()[nodes.clone()].to_vec()).collect()
    });
    let mut worst = |layer: usize, file: &str| {
        let (distance, silence) = worst_time(&times[layer], &published.table(file));
        found.silence += silence;
        distance
    };
    let hidden = worst(0, "hidden_times_exact.csv");
    let label = worst(1, "output_times_exact.csv");
    let authors = worst(1, "output_times.csv");
    (found.hidden, found.label, found.published) = (hidden, label, authors);
}

/// The largest distance of two tables of times, and how many are infinite in one of them only.
fn worst_time(ours: &Table, gold: &Table) -> (f64, usize) {
    assert_same_shape(ours, gold);
    let pairs = || ours.iter().flatten().zip(gold.iter().flatten());
    let silence = pairs().filter(|(a, b)| a.is_finite() != b.is_finite()).count();
    let both = pairs().filter(|(a, b)| a.is_finite() && b.is_finite());
    (both.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max), silence)
}

fn assert_same_shape(ours: &Table, gold: &Table) {
    let shape = |table: &Table| table.iter().map(Vec::len).collect::<Vec<_>>();
    assert_eq!(shape(ours), shape(gold), "the tables have different shapes");
}

fn compare_decisions(published: &Published, records: &[FirstSpikes], found: &mut Deviations) {
    let gold = published.table("output_times.csv");
    for ((record, gold), label) in records.iter().zip(&gold).zip(published.labels()) {
        let times = &record.times()[published.layers[1].clone()];
        let decision = published.publication.loss.decide(times);
        found.decisions += usize::from(decision != earliest(gold));
        found.correct += usize::from(decision == Some(label));
    }
}

/// The authors' decision rule; none if nothing spikes, which they count as wrong.
fn earliest(times: &[f64]) -> Option<usize> {
    let spiking = (0..times.len()).filter(|&label| times[label].is_finite());
    spiking.min_by(|&a, &b| times[a].total_cmp(&times[b]))
}

/// Loss, and gradients with respect to weights, input times and delays, over the first samples.
fn compare_gradients(published: &Published, records: &[FirstSpikes], found: &mut Deviations) {
    let network = &published.network;
    let mut pass = BackwardPass::new(network);
    let mut loss = 0.0;
    let mut inputs = Table::new();
    let mut by_delay = vec![0.0; network.synapse_count()];
    for (record, label) in records.iter().zip(published.labels()).take(GRADIENT_SAMPLES) {
        loss += start_backward_pass(published, record, label, &mut pass);
        record.backpropagate(network, None, &mut pass);
        inputs.push(pass.time_gradients[published.inputs.clone()].to_vec());
        add_delay_gradients(published, record, &pass.time_gradients, &mut by_delay);
    }
    found.loss = (loss / published.loss() - 1.0).abs();
    found.inputs.add(&inputs, &published.table("gradients_exact_inputs.csv"));
    for layer in 0..2 {
        let gold =
            |what: &str| published.table(&format!("gradients_exact_{what}_layer{layer}.csv"));
        found.weights.add(&published.matrix(layer, &pass.weight_gradients), &gold("weights"));
        if published.publication.has_delays {
            found.delays.add(&published.matrix(layer, &by_delay), &gold("delays"));
        }
    }
}

/// Returns the sample's share of the mean loss, and sets its gradient by the label times.
fn start_backward_pass(
    published: &Published,
    record: &FirstSpikes,
    label: usize,
    pass: &mut BackwardPass,
) -> f64 {
    let nodes = published.layers[1].clone();
    let by_label_time = &mut [0.0; 3];
    let times = &record.times()[nodes.clone()];
    let loss = published.publication.loss.evaluate(times, label, by_label_time);
    let sample_weight = 1.0 / GRADIENT_SAMPLES as f64;
    pass.time_gradients.fill(0.0);
    for (node, gradient) in nodes.zip(by_label_time) {
        pass.time_gradients[node] = sample_weight * *gradient;
    }
    sample_weight * loss
}

/// A delay moves a single arrival, so the loss's derivative by it is that by the arrival. The
/// library has no use for it alone; here it comes from the same two factors.
fn add_delay_gradients(
    published: &Published,
    record: &FirstSpikes,
    time_gradients: &[f64],
    by_delay: &mut [f64],
) {
    let network = &published.network;
    let mut derivatives = Vec::new();
    for (node, time) in record.in_order() {
        let Some(dynamics) = network.dynamics(node) else { continue };
        // Inputs that arrive too late may stay in: their derivatives are zero.
        let incoming = network.incoming(node);
        let arrivals = incoming.iter().map(|at| CausalInput {
            arrival: record.times()[at.pre as usize] + network.delays()[at.synapse as usize],
            weight: network.weights()[at.synapse as usize],
            inhibitory: network.is_inhibitory(at.synapse as usize),
        });
        let inputs: Vec<CausalInput> = arrivals.collect();
        crossing_derivatives(dynamics, time, &inputs, &mut derivatives);
        for (at, derivative) in incoming.iter().zip(&derivatives) {
            by_delay[at.synapse as usize] += time_gradients[node] * derivative.by_arrival;
        }
    }
}

/// How well gradients agree with the gold data.
#[derive(Debug, Default)]
struct Agreement {
    compared: usize,
    /// Largest deviation in units of its tolerance.
    worst: f64,
    /// Largest deviation.
    absolute: f64,
    /// Largest deviation relative to a gold value above 1e-6.
    relative: f64,
}

impl Agreement {
    fn add(&mut self, ours: &Table, gold: &Table) {
        assert_same_shape(ours, gold);
        for (ours, gold) in ours.iter().flatten().zip(gold.iter().flatten()) {
            assert!(ours.is_finite(), "a gradient is {ours}");
            let (deviation, size) = ((ours - gold).abs(), gold.abs());
            self.compared += 1;
            self.worst = self.worst.max(deviation / (GRADIENT_TOLERANCE * size + GRADIENT_FLOOR));
            self.absolute = self.absolute.max(deviation);
            if size > 1e-6 {
                self.relative = self.relative.max(deviation / size);
            }
        }
    }

    fn within_tolerance(&self) -> bool {
        self.worst <= 1.0
    }
}

impl std::fmt::Display for Agreement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.compared == 0 {
            return write!(f, "none");
        }
        let Agreement { compared, worst, absolute, relative } = self;
        write!(
            f,
            "{absolute:.1e} ({relative:.1e} relative, {:.1}% of tolerance, {compared} values)",
            100.0 * worst
        )
    }
}
