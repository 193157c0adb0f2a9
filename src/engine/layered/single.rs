//! One layer of first-spike neurons on flat arrays: what frameworks for automatic differentiation call.
//!
//! A [`FirstSpikeLayer`] takes when every input spikes in every sample and gives when every neuron first does;
//! then it takes how a loss depends on these times and gives how it depends on weights, delays and input times:
//!
//! ```text
//! times (sample × input) ─ forward | record ─→ spikes (sample × neuron)
//!                                                 │ the loss
//! by times, weights, delays ←─── backward ─── by spikes
//! ```
//!
//! The kernels are those of layered networks, chosen by the same rule. How the loss depends on thresholds and
//! time constants follows from the same arrays ([`parameter_gradients`]); that is seldom asked for, and not
//! vectorised. Samples are shared out among the threads of the present rayon pool if there is enough to do; the
//! results do not depend on their number.

mod arrays;
mod parameters;

use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;

pub use self::arrays::{LayerArrays, LayerInputError, LayerNeuronParameters, WeightOrder};
pub use self::parameters::{LayerParameterGradients, parameter_gradients};
use super::{
    Arrival, Batch, Comparison, Delays, DerivativesAt, Element, Kernel, Layer, LayerNeurons,
    LayeredEngine, SynapticDelays, TUNING, Tiling, Workspace,
};
use crate::network::DelayKind;
use crate::neuron::Membrane;
use crate::sorting::Comparators;

/// Whether there is enough to do in a layer of this shape for more than one thread.
pub fn is_for_threads(samples: usize, inputs: usize, neurons: usize) -> bool {
    samples * inputs * neurons >= 200_000
}

/// Samples of a unit of work in the wide kernel.
const UNIT: usize = 16;

/// Derivatives of a loss, each in the layout of what they are by.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FlatGradients<T> {
    /// By the input times, sample × input; empty if they were not asked for.
    pub times: Vec<T>,
    /// By the weights.
    pub weights: Vec<T>,
    /// By the delays; empty for a layer without.
    pub delays: Vec<T>,
}

/// One layer, and what it keeps of the samples that it ran last. Used again for a layer of the same shape, it
/// needs no new memory.
#[derive(Debug)]
pub struct FirstSpikeLayer<T> {
    engine: Option<LayeredEngine<T>>,
    order: WeightOrder,
    samples: usize,
    /// Samples of a unit of work, and how many batches they are.
    unit: (usize, usize),
    /// Those that the samples fill come first.
    batches: Vec<Batch<T>>,
    used: usize,
    /// One for each unit of work.
    workspaces: Vec<Workspace<T>>,
}

impl<T> Default for FirstSpikeLayer<T> {
    fn default() -> Self {
        FirstSpikeLayer {
            engine: None,
            order: WeightOrder::default(),
            samples: 0,
            unit: (1, 1),
            batches: Vec::new(),
            used: 0,
            workspaces: Vec::new(),
        }
    }
}

impl<T: Element> FirstSpikeLayer<T> {
    /// Runs samples: `spikes` (sample × neuron) gets when each neuron first spikes; infinity where it does not.
    ///
    /// # Errors
    /// If an array does not fit the others, or a value is out of its range. Nothing was written then.
    pub fn forward(
        &mut self,
        layer: &LayerArrays<'_, T>,
        spikes: &mut [T],
    ) -> Result<(), LayerInputError> {
        layer.check()?;
        arrays::fits("spikes", layer.samples * layer.neurons, spikes.len())?;
        self.engine = Some(self.programmed(layer)?);
        self.prepare(layer);
        self.each(|engine, batch, workspace| engine.forward(&[vec![]], batch, workspace));
        let Some(engine) = &self.engine else { return Ok(()) };
        let mut room = vec![0.0; layer.neurons];
        for (index, spikes) in spikes.chunks_exact_mut(layer.neurons).enumerate() {
            let (batch, sample) = self.place(index);
            self.batches[batch].copy_spike_times(engine, 0, sample, &mut room);
            spikes.iter_mut().zip(&room).for_each(|(to, &time)| *to = T::from_f64(time));
        }
        Ok(())
    }

    /// Takes up samples that ran elsewhere, on a chip. `spikes` (sample × neuron) were recorded there;
    /// `derivatives` says where the derivatives are taken.
    ///
    /// # Errors
    /// If an array does not fit the others, or a value is out of its range.
    pub fn record(
        &mut self,
        layer: &LayerArrays<'_, T>,
        spikes: &[f64],
        derivatives: DerivativesAt<'_>,
    ) -> Result<(), LayerInputError> {
        layer.check()?;
        arrays::fits("spikes", layer.samples * layer.neurons, spikes.len())?;
        arrays::check_times("spikes", spikes, layer.neurons)?;
        self.engine = Some(self.programmed(layer)?.batched());
        self.prepare(layer);
        for (index, record) in spikes.chunks_exact(layer.neurons).enumerate() {
            let (batch, sample) = self.place(index);
            self.batches[batch].record_spike_times(0, sample, record);
        }
        self.each(|engine, batch, workspace| {
            engine.load_record(&[vec![]], derivatives, batch, workspace);
        });
        Ok(())
    }

    /// Shows each batch of the samples that were recorded with [`DerivativesAt::Crossings`], neuron by neuron.
    pub(crate) fn compare(&self, mut look: impl FnMut(&mut dyn Iterator<Item = Comparison<'_>>)) {
        let Some(engine) = &self.engine else { return };
        for (batch, workspace) in self.batches[..self.used].iter().zip(&self.workspaces) {
            look(&mut engine.compare(0, batch, workspace));
        }
    }

    /// Takes derivatives of a loss by the spikes of the samples that ran last (sample × neuron) back. Those by
    /// spikes that did not happen count as zero.
    ///
    /// # Errors
    /// If there are more or fewer than spikes, or one by a spike is not finite.
    pub fn backward(&mut self, by_spikes: &[T]) -> Result<FlatGradients<T>, LayerInputError> {
        let FirstSpikeLayer { engine, batches, used, workspaces, unit, samples, order } = self;
        let batches = &mut batches[..*used];
        let Some(engine) = engine else { return Ok(FlatGradients::default()) };
        let layer = &engine.layers[0];
        let Tiling { rows, columns, .. } = layer.tiling;
        arrays::fits("gradient", *samples * columns, by_spikes.len())?;
        let (size, count) = *unit;
        let mut times = vec![T::default(); if layer.is_first { 0 } else { *samples * rows }];
        let mut by_times: Vec<&mut [T]> = times.chunks_mut(size * rows).collect();
        by_times.resize_with(workspaces.len(), Default::default);
        let units = batches.chunks_mut(count).zip(workspaces.iter_mut());
        let units: Vec<_> = units.zip(by_spikes.chunks(size * columns)).zip(by_times).collect();
        let is_finite = AtomicBool::new(true);
        share_out(pays(*samples, layer.tiling), units, |unit| {
            let (((batches, workspace), by_spikes), by_times) = unit;
            let (mut by_spikes, mut by_times) = (by_spikes, by_times);
            let (mut widened, mut spikes) = (Vec::new(), vec![0.0; columns]);
            for batch in batches {
                let (here, rest) = by_spikes.split_at(batch.samples() * columns);
                by_spikes = rest;
                widened.clear();
                for (sample, here) in here.chunks_exact(columns).enumerate() {
                    batch.copy_spike_times(engine, 0, sample, &mut spikes);
                    // A spike that was not has no derivative, whatever the loss made of infinity.
                    widened.extend(
                        here.iter().zip(&spikes).map(|(by, &spike)| {
                            if spike < f64::INFINITY { by.to_f64() } else { 0.0 }
                        }),
                    );
                }
                if !widened.iter().all(|by| by.is_finite()) {
                    is_finite.store(false, Ordering::Relaxed);
                    return;
                }
                engine.backward(&widened, None, batch, workspace);
                if !by_times.is_empty() {
                    let (here, rest) = by_times.split_at_mut(batch.samples() * rows);
                    by_times = rest;
                    batch.copy_input_gradients(workspace, rows, here);
                }
            }
        });
        if !is_finite.into_inner() {
            arrays::check_finite("gradient", by_spikes, columns)?;
        }
        let batches = &*batches;
        let mut gradients =
            FlatGradients { times, weights: vec![T::default(); rows * columns], delays: vec![] };
        let mut tiled = vec![T::default(); layer.tiling.value_count()];
        let (mut tiles, mut rest) = (Vec::new(), tiled.as_mut_slice());
        for tile in layer.tiling.tiles() {
            let (here, more) = rest.split_at_mut(tile.width * rows);
            tiles.push((tile, here));
            rest = more;
        }
        share_out(pays(*samples, layer.tiling), tiles, |(tile, sums)| {
            engine.weight_gradients(0, &tile, batches, sums);
        });
        order.gather(layer.tiling, &tiled, &mut gradients.weights);
        let mut delays = vec![0.0; layer.delays.values().len()];
        for batch in batches {
            let of_batch = batch.gradients().first().map_or(&[][..], |layer| &layer.delays);
            delays.iter_mut().zip(of_batch).for_each(|(sum, by)| *sum += by);
        }
        gradients.delays = delays.into_iter().map(T::from_f64).collect();
        if matches!(layer.delays, Delays::Synaptic(_)) {
            gradients.delays = order.ordered(layer.tiling, &gradients.delays);
        }
        Ok(gradients)
    }

    /// The engine of this layer, with the memory of the one before.
    fn programmed(
        &mut self,
        input: &LayerArrays<'_, T>,
    ) -> Result<LayeredEngine<T>, LayerInputError> {
        let LayerArrays { inputs, neurons, order, .. } = *input;
        let tiling = Tiling { rows: inputs, columns: neurons, padding: T::PADDING };
        let (dynamics, mut thresholds) = input.parameters.prepare(neurons)?;
        thresholds.resize(tiling.padded_columns(), f64::INFINITY);
        let (mut weights, mut comparators) = (Vec::new(), None);
        if let Some(before) = self.engine.take()
            && let Some(layer) = before.layers.into_iter().next()
            && layer.tiling == tiling
        {
            weights = layer.weights;
            if let Delays::Synaptic(delays) = layer.delays {
                comparators = Some(delays.comparators);
            }
        }
        weights.resize(tiling.value_count(), T::default());
        order.scatter(tiling, input.weights, &mut weights);
        let widened = |values: &[T]| values.iter().map(|value| value.to_f64()).collect();
        let delays = match input.delays {
            None => Delays::None,
            Some((DelayKind::Axonal, values)) => Delays::Axonal(widened(values)),
            Some((DelayKind::Dendritic, values)) => Delays::Dendritic(widened(values)),
            Some((DelayKind::Synaptic, values)) => Delays::Synaptic(SynapticDelays {
                values: order.to_rows(tiling, values),
                comparators: comparators.unwrap_or_else(|| Comparators::new(inputs)),
            }),
        };
        self.order = order;
        let is_synaptic = matches!(delays, Delays::Synaptic(_));
        let layer = Layer {
            neurons: LayerNeurons { membrane: Membrane::new(&dynamics), thresholds },
            is_first: !input.by_times,
            tiling,
            weights,
            delays,
            first_node: inputs,
            bias: (0, 0),
            first_synapse: 0,
        };
        let is_batched = is_synaptic || TUNING.suits_batches(tiling);
        let kernel = if is_batched { Kernel::Batched } else { Kernel::Wide };
        Ok(LayeredEngine { layers: vec![layer], first_input: 0, kernel, arch: pulp::Arch::new() })
    }

    /// Which batch a sample is in, and its place there.
    fn place(&self, sample: usize) -> (usize, usize) {
        let size = self.unit.0 / self.unit.1;
        (sample / size, sample % size)
    }

    /// Brings the samples into batches.
    fn prepare(&mut self, layer: &LayerArrays<'_, T>) {
        self.samples = layer.samples;
        let Some(engine) = &self.engine else { return };
        let size = engine.batch_size(layer.samples);
        self.unit = if engine.is_batched() { (size, 1) } else { (UNIT * size, UNIT) };
        self.used = layer.samples.div_ceil(size);
        self.batches.resize_with(self.batches.len().max(self.used), Batch::default);
        self.workspaces.resize_with(layer.samples.div_ceil(self.unit.0), Workspace::default);
        let mut times = layer.times.chunks_exact(layer.inputs);
        for (index, batch) in self.batches[..self.used].iter_mut().enumerate() {
            let samples = (layer.samples - index * size).min(size);
            batch.begin(engine, samples);
            for (sample, times) in times.by_ref().take(samples).enumerate() {
                let arrivals = batch.stimulus_mut(sample);
                arrivals.clear();
                let rows = times.iter().zip(0..).map(|(&time, row)| (time.to_f64(), row));
                let spikes = rows.filter(|&(time, _)| time < f64::INFINITY);
                arrivals.extend(spikes.map(|(time, row)| Arrival { time, row }));
            }
        }
    }

    /// Does something with every batch.
    fn each(
        &mut self,
        work: impl Fn(&LayeredEngine<T>, &mut Batch<T>, &mut Workspace<T>) + Send + Sync,
    ) {
        let FirstSpikeLayer { engine, batches, used, workspaces, unit, samples, .. } = self;
        let Some(engine) = engine else { return };
        let units: Vec<_> = batches[..*used].chunks_mut(unit.1).zip(workspaces).collect();
        let pays = pays(*samples, engine.layers[0].tiling);
        share_out(pays, units, |(batches, workspace)| {
            batches.iter_mut().for_each(|batch| work(engine, batch, workspace));
        });
    }
}

/// Whether more than one thread pays.
fn pays(samples: usize, tiling: Tiling) -> bool {
    is_for_threads(samples, tiling.rows, tiling.columns) && rayon::current_num_threads() > 1
}

/// Does all units of work, on several threads if that pays.
fn share_out<U: Send>(pays: bool, units: Vec<U>, work: impl Fn(U) + Send + Sync) {
    if pays {
        units.into_par_iter().with_max_len(1).for_each(work);
    } else {
        units.into_iter().for_each(work);
    }
}
