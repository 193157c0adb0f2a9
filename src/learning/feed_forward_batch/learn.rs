//! Learning from a batch, unit by unit of samples.

use rayon::prelude::*;

use super::{FeedForwardRunner, UNIT, UnitResult, Worker};
use crate::engine::feed_forward::{Arrival, Element, SamplePass};
use crate::learning::batch::{BatchResult, GradientSettings, add_all};
use crate::learning::{EncodedSet, Presentation};

impl<T: Element + Into<f64>> FeedForwardRunner<T> {
    /// Runs the given samples forward and backward, and keeps what [`Self::step`] needs.
    pub fn learn(
        &mut self,
        set: &EncodedSet,
        samples: &[u32],
        presentation: Presentation,
        settings: GradientSettings,
    ) -> BatchResult {
        let bias = self.bias(set);
        let mut passes = std::mem::take(&mut self.passes);
        let unit = self.unit_of(samples.len());
        let learn = |unit: &[u32], passes: &mut [SamplePass<T>]| {
            self.with_worker(|worker| {
                self.learn_unit(worker, set, unit, passes, &bias, presentation, settings)
            })
        };
        let units: Vec<UnitResult> = if self.keeps_passes() {
            passes.resize_with(samples.len(), || SamplePass::new(&self.network));
            let units = samples.par_chunks(unit).zip(passes.par_chunks_mut(unit));
            units.map(|(unit, passes)| learn(unit, passes)).collect()
        } else {
            samples.par_chunks(unit).map(|unit| learn(unit, &mut [])).collect()
        };
        self.passes = passes;
        self.sum_up(units)
    }

    /// How many of so many samples are a unit of work: for a small network a part of any batch that
    /// threads can share out evenly.
    pub(super) fn unit_of(&self, samples: usize) -> usize {
        if self.is_small && self.block == 1 {
            return samples.div_ceil(4).clamp(UNIT, 3 * UNIT);
        }
        self.unit
    }

    /// Whether the units sum the weight gradients of a layer.
    pub(super) fn is_summed(&self, layer: usize) -> bool {
        self.is_small || self.network.has_synaptic_delays(layer)
    }

    /// Whether anything of a sample is needed after its unit.
    fn keeps_passes(&self) -> bool {
        (0..self.network.layer_count()).any(|layer| !self.is_summed(layer))
    }

    /// Adds up what units gave.
    pub(super) fn sum_up(&mut self, units: Vec<UnitResult>) -> BatchResult {
        let mut total = BatchResult::empty(&self.parts);
        self.summed.iter_mut().for_each(Vec::clear);
        for UnitResult { result, summed } in units {
            total.add(result);
            for (sums, more) in self.summed.iter_mut().zip(summed) {
                add_all(sums, more);
            }
        }
        total
    }

    /// Learns from a unit. `passes` are those of its samples, if they are kept.
    #[expect(clippy::too_many_arguments, reason = "the unit of work of one call above")]
    fn learn_unit(
        &self,
        worker: &mut Worker<T>,
        set: &EncodedSet,
        samples: &[u32],
        passes: &mut [SamplePass<T>],
        bias: &[Vec<Arrival>],
        presentation: Presentation,
        settings: GradientSettings,
    ) -> UnitResult {
        let mut result = BatchResult::empty(&self.parts);
        self.begin_unit(worker);
        let mut own = std::mem::take(&mut worker.passes);
        if own.len() < self.block {
            own.resize_with(self.block, || SamplePass::new(&self.network));
        }
        for (index, samples) in samples.chunks(self.block).enumerate() {
            let passes = match passes.get_mut(index * self.block..) {
                Some(passes) if !passes.is_empty() => passes,
                _ => &mut own,
            };
            let passes = &mut passes[..samples.len()];
            for (&sample, pass) in samples.iter().zip(passes.iter_mut()) {
                self.encode(worker, set, sample as usize, presentation, bias, pass);
            }
            self.network.forward(bias, passes, &mut worker.workspace);
            worker.label_gradients.clear();
            for (&sample, pass) in samples.iter().zip(passes.iter()) {
                let label = set.label(sample as usize);
                self.count(label, pass, &mut result, &mut worker.label_gradient);
                let gradients = worker.label_gradient.iter();
                let gradients = gradients.map(|gradient| gradient * settings.sample_weight);
                worker.label_gradients.extend(gradients);
            }
            let Worker { workspace, label_gradients, .. } = &mut *worker;
            self.network.backward(label_gradients, settings.guard, passes, workspace);
            self.add_weight_gradients(worker, passes);
            let layers = passes.iter().flat_map(|pass| &pass.layers);
            result.guarded += layers.map(|layer| layer.gradient.guarded).sum::<u64>();
        }
        worker.passes = own;
        self.end_unit(worker, result)
    }

    /// Nothing is summed yet.
    pub(super) fn begin_unit(&self, worker: &mut Worker<T>) {
        self.network.begin(&mut worker.workspace);
        worker.layer_sums.resize_with(self.network.layer_count(), Vec::new);
        for (layer, sums) in worker.layer_sums.iter_mut().enumerate() {
            sums.clear();
            if self.is_small {
                sums.resize(self.network.tiling(layer).value_count(), T::default());
            }
        }
    }

    /// Adds the weight gradients of samples of a small network.
    pub(super) fn add_weight_gradients(&self, worker: &mut Worker<T>, passes: &[SamplePass<T>]) {
        for (layer, sums) in worker.layer_sums.iter_mut().enumerate() {
            if self.is_small && !self.network.has_synaptic_delays(layer) {
                for tile in self.network.tiling(layer).tiles() {
                    let sums = &mut sums[tile.start..];
                    self.network.add_weight_gradients(layer, &tile, passes, sums);
                }
            }
        }
    }

    pub(super) fn end_unit(&self, worker: &mut Worker<T>, mut result: BatchResult) -> UnitResult {
        result.delay_gradients = worker.delay_gradients();
        let gradients = worker.workspace.gradients.iter_mut().zip(&worker.layer_sums);
        let summed = gradients.enumerate().map(|(layer, (gradient, sums))| {
            if self.network.has_synaptic_delays(layer) {
                std::mem::take(&mut gradient.weights)
            } else {
                sums.iter().map(|&sum| sum.into()).collect()
            }
        });
        UnitResult { result, summed: summed.collect() }
    }
}
