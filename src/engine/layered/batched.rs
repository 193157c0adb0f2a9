//! A register holds one arrival, or one neuron, in as many samples as fit into it.
//!
//! A sample of a small network is too little work for a vector unit: its arrivals fill a register or two, and
//! most operations wait for the one before. With a delay per synapse the arrivals of every neuron even come
//! in an order of its own. So a batch of samples goes through layer after layer together, neuron after
//! neuron:
//!
//! 1. [`arrivals`]: the times of all rows, seen from each sample's last one, in the [time
//!    basis](crate::neuron::basis) of the layer. Rows that come together in all samples are one row.
//! 2. [`order`]: every sample's arrivals in the order of time; once for all neurons, or for each if every
//!    synapse has a delay.
//! 3. [`search`]: which arrivals the neurons' first crossings follow, and the spikes.
//! 4. [`backward`]: the derivatives of the loss. It compares the time of every arrival with that of the spike
//!    and needs no order.
//!
//! So samples that ran elsewhere, on a chip, go backward the same way: [`record`] sums what had arrived
//! before each recorded spike.
//!
//! On Yin-Yang with 120 hidden neurons an epoch takes 0.5 of the time of [`super::wide`]; on 30 hidden neurons
//! with synaptic delays 0.02 of that of the event engine (`cargo bench --bench epoch`).

mod arrivals;
mod backward;
mod order;
mod record;
mod search;
#[cfg(test)]
mod tests;

use std::marker::PhantomData;

use pulp::Simd;

use super::{Arrival, Delays, GradientGuard, Layer, LayerGradients};
use crate::neuron::Ratio;
use crate::neuron::basis::{BasisOf, ForAnyRatio, ForDouble, ForEqual};
use crate::simd::Element;

pub(super) use self::arrivals::ArrivalTimes;
use self::search::Scratch as SearchScratch;

/// Samples are filled up to a multiple of this: the widest register there is.
pub(super) const LANES: usize = 8;

/// How one batch of samples drove a layer, and what the layer did. Neurons stand one after the other, each
/// with a value per sample; the samples are filled up to [`LANES`].
#[derive(Clone, Debug, Default)]
pub(super) struct LayerPass {
    pub arrivals: ArrivalTimes,
    /// Per neuron: how its spike sees arrivals ([`crate::neuron::basis::SpikeState::view`]).
    pub views: [Vec<f64>; 2],
    /// Per neuron: one over the slope of its potential at the spike; zero if it does not spike.
    pub inverse_slopes: Vec<f64>,
    /// Per neuron: when it spikes, in time units; infinite if it does not.
    pub spike_times: Vec<f64>,
}

impl LayerPass {
    /// Samples, padding included.
    pub fn width(&self) -> usize {
        self.arrivals.width
    }
}

/// What a thread works with.
#[derive(Clone, Debug, Default)]
pub(super) struct Scratch {
    search: SearchScratch,
    backward: backward::Scratch,
}

/// A layer in a batch of samples.
pub(super) struct BatchedLayer<'a, T> {
    pub layer: &'a Layer<T>,
    pub pass: &'a mut LayerPass,
    pub scratch: &'a mut Scratch,
}

impl<T: Element> BatchedLayer<'_, T> {
    /// Runs the layer on its arrivals.
    #[inline(always)]
    pub fn forward<S: Simd>(self, simd: S) {
        self.on_its_basis(simd, Task::Forward);
    }

    /// Takes up the recorded spike times of the layer, which stand in the pass.
    #[inline(always)]
    pub fn record<S: Simd>(self, simd: S) {
        self.on_its_basis(simd, Task::Record);
    }

    /// Carries derivatives of the loss by the layer's spikes, neuron by neuron and sample by sample, to those
    /// by its rows, which take their place; and adds those by weights and delays to `gradients`.
    #[inline(always)]
    pub fn backward<S: Simd>(
        self,
        simd: S,
        guard: Option<GradientGuard>,
        by_time: &mut Vec<f64>,
        gradients: &mut LayerGradients,
    ) {
        self.on_its_basis(simd, Task::Backward { guard, by_time, gradients });
    }

    #[inline(always)]
    fn on_its_basis<S: Simd>(self, simd: S, task: Task<'_>) {
        match self.layer.neurons.membrane.ratio {
            Ratio::Equal => run::<S, T, ForEqual>(simd, self, task),
            Ratio::Double => run::<S, T, ForDouble>(simd, self, task),
            Ratio::NonLeaky | Ratio::General => run::<S, T, ForAnyRatio>(simd, self, task),
        }
    }
}

enum Task<'a> {
    Forward,
    Record,
    Backward {
        guard: Option<GradientGuard>,
        by_time: &'a mut Vec<f64>,
        gradients: &'a mut LayerGradients,
    },
}

/// Every task is a function of its own: it needs all registers of the machine.
#[inline(always)]
fn run<S: Simd, T: Element, B: BasisOf>(simd: S, layer: BatchedLayer<'_, T>, task: Task<'_>) {
    let basis = PhantomData::<B>;
    if !matches!(task, Task::Backward { .. }) {
        let delays = match &layer.layer.delays {
            Delays::Synaptic(delays) => delays.values.as_slice(),
            _ => &[],
        };
        let membrane = &layer.layer.neurons.membrane;
        let arrivals = &mut layer.pass.arrivals;
        simd.vectorize(arrivals::ReadTimes { arrivals, membrane, delays, basis });
    }
    match task {
        Task::Forward => search::forward::<S, T, B>(simd, layer),
        Task::Record => simd.vectorize(record::Record { layer, basis }),
        Task::Backward { guard, by_time, gradients } => {
            simd.vectorize(backward::Backward { layer, guard, by_time, gradients, basis });
        }
    }
}
