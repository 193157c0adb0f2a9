//! Samples that ran elsewhere: on a chip, or in the model of one.
//!
//! Of such a sample only the recorded spike times are known, and learning takes them for what an ideal
//! network did: the causal set of a spike are the inputs recorded before it, and the derivatives are
//! those of the ideal neuron with these inputs (Göltz, Kriener et al. 2021, equations 5 and 6). They
//! take the recorded time everywhere but in one place, the slope of the potential at the crossing,
//! which must not be that of the ideal neuron at a time when it would not have crossed:
//!
//! ```text
//! V̇ = V̇_ideal(T_ideal) e^(−λ_m (T − T_ideal))
//! ```
//!
//! with the crossing `T_ideal` that the causal set implies. For `τ_m = τ_s` this is, factor by factor,
//! the paper's rule with a recorded `T` and the Lambert function of the ideal model. A neuron that the
//! ideal model would have kept silent has no gradient.
//!
//! This is the way of all networks. [`super::unsorted`] has a faster one to the same gradients for some.

use pulp::{Simd, WithSimd};

use super::crossing::{LayerSpikes, closed_form, general};
use super::inputs::{Arrival, Inputs};
use super::membrane::LayerNeurons;
use super::{Delays, FeedForwardNetwork, Layer, LayerPass, SamplePass, Workspace};
use crate::neuron::Ratio;
use crate::simd::Element;
use crate::simd::{F64s, registers, registers_mut};

/// Current and potential of each neuron at the reference, from its causal set; padding included.
#[derive(Clone, Debug, Default)]
pub(super) struct CausalSums {
    currents: Vec<f64>,
    potentials: Vec<f64>,
}

pub(super) struct Recorded<'a, T> {
    pub network: &'a FeedForwardNetwork<T>,
    pub bias: &'a [Vec<Arrival>],
    pub passes: &'a mut [SamplePass<T>],
    pub workspace: &'a mut Workspace<T>,
}

impl<T: Element> WithSimd for Recorded<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Recorded { network, bias, passes, workspace } = self;
        for pass in passes {
            for (index, layer) in network.layers.iter().enumerate() {
                let (before, rest) = pass.layers.split_at_mut(index);
                let LayerPass { inputs, spikes, .. } = &mut rest[0];
                let delays = match &layer.delays {
                    Delays::Axonal(delays) => Some(delays.as_slice()),
                    _ => None,
                };
                let previous = before.last().map(|previous| {
                    let neurons = network.layers[index - 1].tiling.columns;
                    &previous.spikes.times[..neurons]
                });
                inputs.take_up(simd, previous, &bias[index], delays, &mut workspace.steps);
                spikes.times.resize(layer.tiling.padded_columns(), f64::INFINITY);
                if let Delays::Dendritic(delays) = &layer.delays {
                    spikes.crossings.clear();
                    spikes.crossings.extend_from_slice(&spikes.times);
                    let crossings = spikes.crossings.iter_mut().zip(delays);
                    crossings.for_each(|(crossing, delay)| *crossing -= delay);
                }
                let latest = latest(simd, spikes.crossings());
                while inputs.shares.count < inputs.count
                    && inputs.known().times.last().is_none_or(|time| time.to_f64() < latest)
                {
                    inputs.prepare(simd, &layer.neurons.membrane, &mut workspace.steps);
                }
                layer.sum(simd, inputs, spikes, &mut workspace.sums);
                imply(simd, &layer.neurons, inputs, spikes, &workspace.sums);
            }
        }
    }
}

/// The latest of some times that is finite, which are padded to whole registers.
#[inline(always)]
fn latest<S: Simd>(simd: S, times: &[f64]) -> f64 {
    let never = F64s::splat(simd, f64::NEG_INFINITY);
    let mut latest = never;
    for &time in registers::<S>(times) {
        let time = F64s::new(simd, time);
        latest = latest.max((-never).above(time).select(time, never));
    }
    latest.largest()
}

impl<T: Element> Layer<T> {
    /// Sums the shares of each neuron's causal set.
    #[inline(always)]
    fn sum<S: Simd>(
        &self,
        simd: S,
        inputs: &Inputs<T>,
        spikes: &LayerSpikes,
        sums: &mut CausalSums,
    ) {
        let lanes = T::lanes::<S>();
        let count = self.tiling.padded_columns();
        sums.currents.resize(count, 0.0);
        sums.potentials.resize(count, 0.0);
        for tile in self.tiling.tiles() {
            for first in (0..tile.width).step_by(lanes) {
                let column = tile.column + first;
                let times = &spikes.crossings()[column..column + lanes];
                let mut deadlines = T::splat(simd, T::default());
                let written = T::lanes_mut::<S>(&mut deadlines);
                for (deadline, &time) in written.iter_mut().zip(times) {
                    *deadline =
                        T::from_f64(if time < f64::INFINITY { time } else { f64::NEG_INFINITY });
                }
                let mut current = T::splat(simd, T::default());
                let mut potential = current;
                let known = inputs.known();
                for index in 0..known.rows.len() {
                    let causal = T::below(simd, T::splat(simd, known.times[index]), deadlines);
                    if !T::any(simd, causal) {
                        break;
                    }
                    let start = tile.start + known.rows[index] as usize * tile.width + first;
                    let weights = T::vectors::<S>(&self.weights[start..start + lanes])[0];
                    let weights = T::where_set(simd, causal, weights);
                    let (by_current, by_potential) = (
                        T::splat(simd, known.currents[index]),
                        T::splat(simd, known.potentials[index]),
                    );
                    current = T::multiply_add(simd, weights, by_current, current);
                    potential = T::multiply_add(simd, weights, by_potential, potential);
                }
                for (wide, vector) in
                    [(&mut sums.currents, &mut current), (&mut sums.potentials, &mut potential)]
                {
                    let values = T::lanes_mut::<S>(vector);
                    for (wide, value) in wide[column..].iter_mut().zip(values) {
                        *wide = value.to_f64();
                    }
                }
            }
        }
    }
}

/// Writes the current that gives each neuron the slope of the module's text at its recorded time.
#[inline(always)]
fn imply<S: Simd, T: Element>(
    simd: S,
    neurons: &LayerNeurons,
    inputs: &Inputs<T>,
    spikes: &mut LayerSpikes,
    sums: &CausalSums,
) {
    let LayerNeurons { membrane, thresholds } = neurons;
    let count = thresholds.len();
    spikes.currents.resize(count, 0.0);
    let LayerSpikes { times, crossings, currents: implied } = spikes;
    let times = if crossings.is_empty() { &*times } else { &*crossings };
    let all = |value| F64s::splat(simd, value);
    let (zero, reference) = (all(0.0), all(inputs.reference));
    let (membrane_rate, synaptic_rate) = (all(membrane.membrane_rate), all(membrane.synaptic_rate));
    let inverse_capacitance = all(membrane.inverse_capacitance);
    let columns = [&sums.currents, &sums.potentials, thresholds, times];
    let [currents, potentials, thresholds, times] =
        columns.map(|column| registers::<S>(&column[..count]));
    for (index, implied) in registers_mut::<S>(implied).iter_mut().enumerate() {
        let load = |column: &[S::f64s]| F64s::new(simd, column[index]);
        let (current, potential, threshold) = (load(currents), load(potentials), load(thresholds));
        let offset = load(times) - reference;
        let (ideal, exists) = if membrane.ratio == Ratio::General {
            let elapsed = offset.map(|lane, offset| {
                let time = offset + inputs.reference;
                let known = inputs.known().times;
                let causal = known.partition_point(|share| share.to_f64() < time);
                if causal == 0 || !(time < f64::INFINITY) {
                    return f64::INFINITY;
                }
                let last = known[causal - 1].to_f64() - inputs.reference;
                let state = (current.lane(lane), potential.lane(lane));
                general(membrane, state, threshold.lane(lane), last).unwrap_or(f64::INFINITY)
            });
            (elapsed, all(f64::INFINITY).above(elapsed))
        } else {
            closed_form(simd, membrane, current, potential, threshold)
        };
        let exists = exists.and(all(f64::INFINITY).above(offset));
        // Where there is none, anything finite will do.
        let (ideal, offset) = (exists.select(ideal, zero), exists.select(offset, zero));
        let holding = membrane_rate * threshold;
        let value = if membrane.ratio == Ratio::Equal {
            // The exponentials of the offset cancel in the slope's part.
            let (left, grown) = (-(synaptic_rate * ideal)).exp_both();
            let slope = (left * current * inverse_capacitance - holding).max(zero);
            (slope * grown + holding * (synaptic_rate * offset).exp()) / inverse_capacitance
        } else {
            let left = (-(synaptic_rate * ideal)).exp();
            let slope = left * current * inverse_capacitance - holding;
            let slope = slope.max(zero) * (membrane_rate * (ideal - offset)).exp();
            let push = (-(synaptic_rate * offset)).exp() * inverse_capacitance;
            (slope + holding) / push
        };
        *implied = exists.select(value, zero).value();
    }
}

#[cfg(test)]
mod tests {
    use rand::RngExt;
    use rand::rngs::ChaCha8Rng;

    use super::*;
    use crate::network::{
        CompiledNetwork, DelayKind, Layer as LayerToBuild, LayerDelays, LayeredNetwork, layered,
    };
    use crate::neuron::NeuronParameters;
    use crate::random;

    const SIZES: [usize; 3] = [6, 9, 4];

    fn network(random: &mut ChaCha8Rng, tau_m: f64, delays: Option<DelayKind>) -> LayeredNetwork {
        let mut layers = Vec::new();
        for (index, pair) in SIZES.windows(2).enumerate() {
            let (rows, columns) = (pair[0] + 1, pair[1]);
            let delays = delays.map(|kind| {
                let count = kind.count(rows, columns);
                let values = (0..count).map(|_| random.random_range(0.0..0.5)).collect();
                LayerDelays { kind, values }
            });
            layers.push(LayerToBuild {
                name: format!("layer {index}"),
                neurons: vec![NeuronParameters { tau_m, ..NeuronParameters::default() }; columns],
                bias_sources: 1,
                weights: (0..rows * columns).map(|_| random.random_range(-0.7..2.0)).collect(),
                delays,
            });
        }
        layered(SIZES[0], &layers).expect("valid")
    }

    fn bias() -> [Vec<Arrival>; 2] {
        [SIZES[0], SIZES[1]].map(|row| vec![Arrival { time: 0.4, row: row as u32 }])
    }

    fn stimulus(random: &mut ChaCha8Rng) -> Vec<Arrival> {
        let inputs =
            (0..SIZES[0] as u32).map(|row| Arrival { time: random.random_range(0.0..1.5), row });
        inputs.chain(bias()[0].clone()).collect()
    }

    /// All weight gradients of the label neurons' times, weighted.
    fn gradients(
        network: &FeedForwardNetwork<f64>,
        passes: &mut [SamplePass<f64>],
        workspace: &mut Workspace<f64>,
    ) -> Vec<Vec<f64>> {
        network.backward(&[1.0, -0.5, 0.3, 2.0], None, passes, workspace);
        let matrix = |layer| {
            let tiling = network.tiling(layer);
            let mut tiled = vec![0.0; tiling.value_count()];
            for tile in tiling.tiles() {
                let part = &mut tiled[tile.start..tile.start + tile.width * tiling.rows];
                network.weight_gradients(layer, &tile, passes, part);
            }
            let mut matrix = vec![0.0; tiling.rows * tiling.columns];
            tiling.gather(&tiled, &mut matrix);
            matrix
        };
        (0..network.layer_count()).map(matrix).collect()
    }

    #[test]
    fn a_record_of_the_ideal_network_has_its_gradients() {
        let kinds = [None, Some(DelayKind::Axonal), Some(DelayKind::Dendritic)];
        let mut compared = 0;
        for index in 0..240 {
            let mut random = random::stream(1, "recorded ideal", index);
            let tau_m = [1.0, 2.0, f64::INFINITY, 1.4][index as usize % 4];
            let layered = network(&mut random, tau_m, kinds[index as usize % 3]);
            let compiled = CompiledNetwork::new(&layered.network);
            let network = FeedForwardNetwork::<f64>::new(&layered, &compiled).expect("ideal");
            let network = network.one_by_one();
            let (mut workspace, arrivals) = (Workspace::default(), stimulus(&mut random));
            let mut ideal = vec![SamplePass::new(&network)];
            ideal[0].layers[0].inputs.arrivals = arrivals.clone();
            network.begin(&mut workspace);
            network.forward(&bias(), &mut ideal, &mut workspace);
            let mut recorded = vec![SamplePass::new(&network)];
            recorded[0].layers[0].inputs.arrivals = arrivals;
            for (layer, from) in recorded[0].layers.iter_mut().zip(&ideal[0].layers) {
                layer.spikes.times = from.spikes.times.clone();
            }
            network.recorded(&bias(), &mut recorded, &mut workspace);
            let expected = gradients(&network, &mut ideal, &mut workspace);
            let found = gradients(&network, &mut recorded, &mut workspace);
            for (expected, found) in expected.iter().flatten().zip(found.iter().flatten()) {
                // The same formulas but for the way back from the slope to the current, which near a
                // grazing spike loses what the slope has lost.
                let error = (expected - found).abs();
                assert!(error <= 1e-9 * (1.0 + expected.abs()), "{index}: {expected} {found}");
                compared += usize::from(*expected != 0.0);
            }
        }
        assert!(compared > 8000, "{compared}");
    }

    /// The paper's rule for `τ_m = τ_s = C = 1`: derivatives by the weights of a spike recorded at
    /// `time`; none if the ideal neuron stays silent.
    fn papers_rule(inputs: &[(f64, f64)], threshold: f64, time: f64) -> Option<Vec<f64>> {
        let causal = inputs.iter().filter(|input| input.0 < time);
        let (a, b) = causal.fold((0.0, 0.0), |(a, b), &(arrival, weight)| {
            (a + weight * arrival.exp(), b + weight * arrival * arrival.exp())
        });
        let z = -threshold / a * (b / a).exp();
        if !(a > 0.0 && z >= -(-1.0_f64).exp()) {
            return None;
        }
        let w = lambert_w::lambert_w0(z);
        let derivative = |&(arrival, _): &(f64, f64)| {
            let gradient = -arrival.exp() * (time - arrival) / (a * (1.0 + w));
            if arrival < time { gradient } else { 0.0 }
        };
        Some(inputs.iter().map(derivative).collect())
    }

    #[test]
    fn a_record_with_other_times_has_the_gradients_of_the_papers_rule() {
        let mut spiked = 0;
        for index in 0..200 {
            let mut random = random::stream(1, "recorded other", index);
            let layered = network(&mut random, 1.0, None);
            let compiled = CompiledNetwork::new(&layered.network);
            let network = FeedForwardNetwork::<f64>::new(&layered, &compiled).expect("ideal");
            let network = network.one_by_one();
            let mut workspace = Workspace::default();
            let mut passes = vec![SamplePass::new(&network)];
            let arrivals = stimulus(&mut random);
            passes[0].layers[0].inputs.arrivals = arrivals.clone();
            // Only the last layer's rule is compared: the times of the first are whatever they are.
            let times = |random: &mut ChaCha8Rng, count: usize| -> Vec<f64> {
                let time = |_| {
                    if random.random_bool(0.1) {
                        f64::INFINITY
                    } else {
                        random.random_range(0.2..2.5)
                    }
                };
                (0..count).map(time).collect()
            };
            let [hidden, labels] = [SIZES[1], SIZES[2]].map(|count| times(&mut random, count));
            passes[0].layers[0].spikes.times = hidden.clone();
            passes[0].layers[1].spikes.times = labels.clone();
            network.begin(&mut workspace);
            network.recorded(&bias(), &mut passes, &mut workspace);
            let found = gradients(&network, &mut passes, &mut workspace);
            let weights: Vec<f64> =
                layered.network.graph().edge_weights().map(|synapse| synapse.weight).collect();
            let first = (SIZES[0] + 1) * SIZES[1];
            for (label, factor) in [1.0, -0.5, 0.3, 2.0].into_iter().enumerate() {
                let inputs: Vec<(f64, f64)> = hidden
                    .iter()
                    .chain([&0.4])
                    .enumerate()
                    .map(|(row, &time)| (time, weights[first + row * SIZES[2] + label]))
                    .collect();
                let rule = (labels[label] < f64::INFINITY)
                    .then(|| papers_rule(&inputs, 1.0, labels[label]))
                    .flatten();
                spiked += usize::from(rule.is_some());
                for row in 0..inputs.len() {
                    let expected = rule.as_ref().map_or(0.0, |rule| factor * rule[row]);
                    let found = found[1][row * SIZES[2] + label];
                    let error = (expected - found).abs();
                    assert!(error <= 1e-9 * (1.0 + expected.abs()), "{index}: {expected} {found}");
                }
            }
        }
        assert!(spiked > 300, "{spiked}");
    }
}
