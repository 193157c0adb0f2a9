//! Learning from records without sorting: units of samples, fixed by their position, are taken back on any
//! thread; each sums its weight gradients, and the units' sums are added in their order.

use rayon::prelude::*;

use super::{Shown, SubstrateRunner};
use crate::chip::Presented;
use crate::engine::Spike;
use crate::engine::layered::{Arrival, SamplePass, UnsortedBackward, WeightSums};
use crate::learning::EncodedSet;
use crate::learning::batch::{BatchResult, GradientSettings};
use crate::learning::feed_forward_batch::Worker;

impl SubstrateRunner {
    /// [`Self::learn`] from the records of samples.
    pub(super) fn learn_unsorted(
        &mut self,
        set: &EncodedSet,
        samples: &[u32],
        Shown { presented, records }: &Shown,
        settings: GradientSettings,
    ) -> BatchResult {
        let mut total = BatchResult::empty(&self.fast.parts);
        let Some(backward) = &self.unsorted else { return total };
        let bias = self.fast.bias(set);
        let (unit, _) = self.fast.unit(samples.len());
        let this = &*self;
        let units: Vec<(BatchResult, Vec<WeightSums>)> = samples
            .par_chunks(unit)
            .zip(presented.par_chunks(unit).zip(records.par_chunks(unit)))
            .map(|(samples, (presented, records))| {
                this.fast.with_worker(|worker| {
                    let shown = presented.iter().zip(records);
                    this.learn_unit_unsorted(backward, worker, set, samples, shown, &bias, settings)
                })
            })
            .collect();
        let mut summed = backward.begin();
        for (result, sums) in units {
            total.add(result);
            summed.iter_mut().zip(sums).for_each(|(summed, sums)| summed.add(sums));
        }
        let network = &self.fast.network;
        let layers = summed.into_iter().enumerate();
        self.fast.summed =
            layers.map(|(layer, sums)| backward.weight_gradients(network, layer, sums)).collect();
        total
    }

    #[expect(clippy::too_many_arguments, reason = "the unit of work of one call above")]
    fn learn_unit_unsorted<'a>(
        &self,
        backward: &UnsortedBackward,
        worker: &mut Worker<f64>,
        set: &EncodedSet,
        samples: &[u32],
        shown: impl Iterator<Item = (&'a Presented, &'a Vec<Spike>)>,
        bias: &[Vec<Arrival>],
        settings: GradientSettings,
    ) -> (BatchResult, Vec<WeightSums>) {
        let fast = &self.fast;
        let (mut result, mut sums) = (BatchResult::empty(&fast.parts), backward.begin());
        let Worker { unsorted: workspace, times, passes, label_gradient, .. } = worker;
        passes.resize_with(passes.len().max(1), || SamplePass::new(&fast.network));
        let pass = &mut passes[0];
        for (&sample, (presented, record)) in samples.iter().zip(shown) {
            self.take_record(presented, record, times, pass);
            let label = set.label(sample as usize);
            fast.count(label, pass, &mut result, label_gradient);
            for gradient in &mut *label_gradient {
                *gradient *= settings.sample_weight;
            }
            result.guarded += backward.backward(
                &fast.network,
                bias,
                pass,
                label_gradient,
                settings.guard,
                workspace,
                &mut sums,
            );
        }
        (result, sums)
    }
}
