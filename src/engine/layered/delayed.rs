//! Layers with synaptic delays, forward and backward.
//!
//! With a delay per synapse the inputs of every neuron come in an order of its own, so nothing is left
//! that the neurons of a layer could share. What they do share over samples is all the rest: weights,
//! delays, thresholds. So here a register holds as many samples as fit into it, and the neurons take
//! turns. The arrivals at a neuron are sorted by a sorting network (Batcher's odd-even merge), which
//! makes the same exchanges whatever the times; then all samples of a register are searched for their
//! crossings at once. Up to 32 arrivals carry their rows in their last bits where the clock allows it: then
//! they are sorted alone, and weights are looked up afterwards.
//!
//! When an input comes is read off a [`Clock`], which need not show the time: for `τ_m = 2 τ_s` it shows
//! a power of `e`, and no synapse needs an exponential ([`powers`]); [`times`] is for any ratio.

mod backward;
mod forward;
mod powers;
mod times;

use pulp::Simd;

use self::backward::{Backward, BackwardOn};
use self::forward::Forward;
use super::inputs::Arrival;
use super::membrane::Membrane;
use super::sorting_network::Comparators;
use super::tiles::Tiling;
use super::{Layer, SamplePass};
use crate::neuron::Ratio;
use crate::simd::Element;
use crate::simd::{F64s, registers_mut};

/// The synaptic delays of a layer.
#[derive(Clone, Debug)]
pub(super) struct SynapticDelays {
    /// Row by row, in time units.
    pub values: Vec<f64>,
    comparators: Comparators,
}

/// What a block of samples did in such a layer. Values of one input or neuron in as many samples as
/// fit into a register stand side by side; a group is such a number of samples.
#[derive(Clone, Debug, Default)]
pub(super) struct BlockPass {
    /// Per group and row: what the clock shows when the input comes, without delay; infinite if it does
    /// not.
    inputs: Vec<f64>,
    /// Per synapse, row by row: how its delay changes that.
    shifts: Vec<f64>,
    /// Per group and neuron: when it spikes, as deadline of its inputs.
    deadlines: Vec<f64>,
    /// Per group and neuron: the slope of its potential then; zero if it does not spike.
    slopes: Vec<f64>,
    /// Per group and neuron: when it spikes, in time units; infinite if it does not.
    times: Vec<f64>,
}

/// Room to work in.
#[derive(Clone, Debug, Default)]
pub(super) struct BlockScratch {
    synapses: Vec<SynapseOfRow>,
    references: Vec<f64>,
    arrivals: Vec<f64>,
    weights: Vec<f64>,
    by_spike: Vec<f64>,
    /// Per group and row of the layer that was looked at last: derivatives by its inputs.
    by_input: Vec<f64>,
    /// Per row: [`Clock::effect`]s of one neuron's inputs, summed over samples from which weights learn,
    /// and over those that the gradient guard keeps from that.
    sums: Vec<f64>,
    guarded_sums: Vec<f64>,
}

/// How the loss depends on the parameters of a layer, summed over samples: what a layer with delays
/// adds to the [`super::LayerGradient`]s of its samples.
#[derive(Clone, Debug, Default)]
pub struct DelayGradient {
    /// By the weights, in tiles; empty if each sample keeps what they are made of.
    pub weights: Vec<f64>,
    /// By the delays; empty for a layer without.
    pub delays: Vec<f64>,
}

impl SynapticDelays {
    pub fn new(values: Vec<f64>, rows: usize) -> Self {
        SynapticDelays { values, comparators: Comparators::new(rows) }
    }
}

/// What is needed of one neuron's synapses: weight, and what its delay does to the clock; per row.
#[derive(Clone, Copy, Debug, Default)]
struct SynapseOfRow {
    weight: f64,
    shift: f64,
}

/// The first spikes of a register of samples.
struct FirstSpikes<S: Simd> {
    /// When, in the form that [`Clock::response`] takes; infinite where there is none.
    deadlines: F64s<S>,
    /// The slope of the potential there, per time unit; zero where there is none.
    slopes: F64s<S>,
}

/// A clock that reads later the later it is, and on which spikes can be found.
trait Clock<'a, S: Simd>: Copy {
    fn new(simd: S, membrane: &'a Membrane) -> Self;

    /// What it shows at these times, which may be infinite, for references of the same order.
    fn reading(&self, time: F64s<S>, reference: F64s<S>) -> F64s<S>;

    /// Whether its readings are as good with a row in their last bits: `ROWS` units in the last place
    /// later or earlier make no other spike.
    const CARRIES_ROWS: bool;

    /// What stands for these delays.
    fn shift(&self, delay: F64s<S>) -> F64s<S>;

    /// What it shows that much later.
    fn arrival(&self, input: F64s<S>, shift: F64s<S>) -> F64s<S>;

    /// What the weights of neurons with this threshold are multiplied with before they are searched.
    fn weight_scale(&self, threshold: f64) -> f64;

    /// Looks for the first crossings of neurons with these arrivals, in order, and scaled weights. Returns
    /// what [`Self::first_spikes`] needs to know.
    fn search(&self, threshold: F64s<S>, arrivals: &[S::f64s], weights: &[S::f64s])
    -> [F64s<S>; 2];

    /// The crossings that were found.
    fn first_spikes(&self, threshold: F64s<S>, found: [F64s<S>; 2]) -> FirstSpikes<S>;

    /// When neurons spike, in time units.
    fn times(&self, deadlines: F64s<S>, reference: F64s<S>) -> F64s<S>;

    /// Up to when inputs count if none does.
    fn never(&self) -> F64s<S>;

    /// No response to an input of unit weight is larger; infinite if that is not known.
    fn largest_response(&self) -> f64;

    /// What an arrival has done by the deadline, times a factor: two numbers, from which
    /// [`Self::response`] follows linearly, so that they can be summed first. Zero for later inputs.
    fn effect(&self, arrival: F64s<S>, deadline: F64s<S>, factor: F64s<S>) -> [F64s<S>; 2];

    /// The response to an input of unit weight, and its slope.
    fn response(&self, effect: [F64s<S>; 2]) -> [F64s<S>; 2];
}

/// A layer with synaptic delays as its passes see it.
#[derive(Clone, Copy)]
pub(super) struct DelayedLayer<'a, T> {
    layer: &'a Layer<T>,
    delays: &'a SynapticDelays,
    /// Index of the layer in its network.
    index: usize,
}

impl<'a, T: Element> DelayedLayer<'a, T> {
    pub fn new(layer: &'a Layer<T>, delays: &'a SynapticDelays, index: usize) -> Self {
        DelayedLayer { layer, delays, index }
    }

    /// Whether its neurons have a clock that spares exponentials.
    fn has_powers(&self) -> bool {
        self.layer.neurons.membrane.ratio == Ratio::Double
    }

    /// The synapses of one neuron.
    fn synapses(&self, column: usize, shifts: &[f64], synapses: &mut Vec<SynapseOfRow>) {
        let Tiling { rows, columns, .. } = self.layer.tiling;
        let place = self.layer.tiling.column(column);
        synapses.clear();
        synapses.extend((0..rows).map(|row| SynapseOfRow {
            weight: self.layer.weights[place.at(row)].to_f64(),
            shift: shifts[row * columns + column],
        }));
    }

    /// Writes what the clock shows for the inputs of a block and the delays. The reference of each sample
    /// is its last input, so that no power of `e` grows beyond what the delays make of it.
    #[inline(always)]
    fn read_clock<S: Simd, C: Clock<'a, S>>(
        &self,
        simd: S,
        clock: C,
        groups: usize,
        block: &mut BlockPass,
        references: &mut [S::f64s],
    ) {
        let rows = self.layer.tiling.rows;
        let all = |value| F64s::splat(simd, value);
        let infinity = all(f64::INFINITY);
        let inputs = registers_mut::<S>(&mut block.inputs);
        for group in 0..groups {
            let inputs = &mut inputs[group * rows..(group + 1) * rows];
            let mut last = -infinity;
            for &input in &*inputs {
                let time = F64s::new(simd, input);
                last = last.max(infinity.above(time).select(time, last));
            }
            // A sample without inputs.
            let reference = last.above(-infinity).select(last, all(0.0));
            for input in inputs {
                *input = clock.reading(F64s::new(simd, *input), reference).value();
            }
            references[group] = reference.value();
        }
        let padded = self.delays.values.len().next_multiple_of(S::F64_LANES);
        block.shifts.clear();
        block.shifts.extend_from_slice(&self.delays.values);
        block.shifts.resize(padded, 0.0);
        for shift in registers_mut::<S>(&mut block.shifts) {
            *shift = clock.shift(F64s::new(simd, *shift)).value();
        }
    }

    /// Runs the layer, and writes its spikes to the passes. It is driven by their arrivals, or else by the
    /// layer before, if that has synaptic delays too, and the bias.
    #[inline(always)]
    pub fn forward<S: Simd>(
        self,
        simd: S,
        driver: Driver<'_>,
        passes: &mut [SamplePass<T>],
        block: &mut BlockPass,
        scratch: &mut BlockScratch,
    ) {
        if self.has_powers() {
            simd.vectorize(Forward::<T, true> { layer: self, driver, passes, block, scratch });
        } else {
            simd.vectorize(Forward::<T, false> { layer: self, driver, passes, block, scratch });
        }
    }

    /// Carries the derivatives of the loss by the layer's spikes to those by its inputs, and adds those
    /// by weights and delays to `gradient`. Each stands per sample in `by_times`, one value per neuron
    /// and then per row; but from and to other layers with synaptic delays they stay in the scratch.
    #[expect(clippy::too_many_arguments, reason = "what one layer leaves to the next")]
    #[inline(always)]
    pub fn backward<S: Simd>(
        self,
        simd: S,
        guard: Option<f64>,
        neighbours: Neighbours,
        by_times: &mut [Vec<f64>],
        passes: &mut [SamplePass<T>],
        block: &BlockPass,
        scratch: &mut BlockScratch,
        gradient: &mut DelayGradient,
    ) {
        let backward =
            Backward { layer: self, guard, neighbours, passes, block, scratch, gradient };
        if self.has_powers() {
            simd.vectorize(BackwardOn::<T, true> { backward, by_times });
        } else {
            simd.vectorize(BackwardOn::<T, false> { backward, by_times });
        }
    }
}

/// What drives a layer.
#[derive(Clone, Copy)]
pub(super) enum Driver<'a> {
    /// What stands in the passes.
    Arrivals,
    /// A layer with synaptic delays, and the bias.
    Layer { before: &'a BlockPass, bias: &'a [Arrival] },
}

/// Whether the layers before and after have synaptic delays, too.
#[derive(Clone, Copy)]
pub(super) struct Neighbours {
    pub before: bool,
    pub after: bool,
}
