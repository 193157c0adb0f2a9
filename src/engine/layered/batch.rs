//! A batch of samples: what drives them, what they did, and the gradients they leave.

use pulp::{Simd, WithSimd};

use super::batched::LayerView;
use super::wide::{self, WeightGradients};
use super::{Arrival, Element, GradientGuard, Kernel, LayeredEngine, Tile, batched};

/// How the loss depends on the parameters of a layer, summed over the samples of a batch.
#[derive(Clone, Debug, Default)]
pub struct LayerGradients {
    /// By the weights, in tiles; empty in the wide kernel, whose samples keep what they are made of
    /// ([`LayeredEngine::weight_gradients`]).
    pub(super) weights: Vec<f64>,
    /// By the delays; empty for a layer without.
    pub delays: Vec<f64>,
    /// How many neurons the gradient guard kept from learning, in all samples.
    pub guarded: u64,
}

/// Where the derivatives of a recorded spike are taken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum DerivativesAt<'a> {
    /// At the recorded time: its causes are the inputs recorded before it (Göltz, Kriener et al. 2021).
    Record,
    /// At the crossing that this network's neuron has on the recorded inputs; or, for layers with an entry, where
    /// the crossing is to be expected from that and the record together.
    Crossings(&'a [RecordNoise]),
}

/// What makes the records of a layer differ from the crossings of this network.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RecordNoise {
    /// Per neuron: from a crossing to its record, in time units.
    pub delays: Vec<f64>,
    /// Variance of the times from a crossing to its record, in time units squared. Above zero.
    pub time_variance: f64,
    /// Variance of what disturbs the potential before a crossing, in units of potential squared.
    pub potential_variance: f64,
}

/// A neuron elsewhere and here, on the same inputs: a value per sample.
#[derive(Clone, Copy, Debug)]
pub struct Comparison<'a> {
    /// When it first spiked there, in time units; infinite if it did not.
    pub recorded: &'a [f64],
    /// When it crosses its threshold here; infinite if it does not.
    pub computed: &'a [f64],
    /// One over the slope of the potential at that crossing, which is the derivative of its time by the
    /// threshold, in time units per unit of potential; zero without a crossing.
    pub inverse_slopes: &'a [f64],
}

/// Samples that go through a network together.
#[derive(Clone, Debug, Default)]
pub struct Batch<T> {
    samples: usize,
    passes: Passes<T>,
    gradients: Vec<LayerGradients>,
}

/// What the kernels keep of them.
#[derive(Clone, Debug)]
enum Passes<T> {
    /// Per sample and layer.
    Wide(Vec<Vec<wide::LayerPass<T>>>),
    Batched(batched::Samples),
}

impl<T> Default for Passes<T> {
    fn default() -> Self {
        Passes::Wide(Vec::new())
    }
}

/// What a thread works with; kept from batch to batch. It also holds what the batch that ran last needs on its
/// way back.
#[derive(Clone, Debug, Default)]
pub struct Workspace<T> {
    wide: wide::Scratch<T>,
    batched: batched::Workspace,
    /// Derivatives by the spikes of the layer that is being looked at, in the layout of the batched kernel.
    by_time: Vec<f64>,
}

impl<T: Element> Batch<T> {
    /// Makes room for so many samples of a network. What the batch held before is void.
    pub fn begin(&mut self, engine: &LayeredEngine<T>, samples: usize) {
        self.samples = samples;
        let count = engine.layer_count();
        match engine.kernel {
            Kernel::Wide => {
                if !matches!(self.passes, Passes::Wide(_)) {
                    self.passes = Passes::Wide(Vec::new());
                }
                if let Passes::Wide(passes) = &mut self.passes {
                    passes.resize_with(samples, Vec::new);
                    for pass in passes {
                        pass.resize_with(count, wide::LayerPass::default);
                    }
                }
            }
            Kernel::Batched => {
                if !matches!(self.passes, Passes::Batched(_)) {
                    self.passes = Passes::Batched(batched::Samples::default());
                }
                if let Passes::Batched(batched::Samples { stimuli, spike_times }) = &mut self.passes
                {
                    stimuli.resize_with(samples, Vec::new);
                    spike_times.resize_with(count, Vec::new);
                    let width = batched::width(samples);
                    for (times, layer) in spike_times.iter_mut().zip(&engine.layers) {
                        times.resize(layer.tiling.columns * width, f64::INFINITY);
                        // What only fills registers up does not spike.
                        times.chunks_exact_mut(width).for_each(|of_neuron| {
                            of_neuron[samples..].fill(f64::INFINITY);
                        });
                    }
                }
            }
        }
    }

    /// Number of samples.
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// The spikes that drive the first layer in one sample, those of its bias included, in any order and
    /// without delays: one per row at most.
    pub fn stimulus_mut(&mut self, sample: usize) -> &mut Vec<Arrival> {
        match &mut self.passes {
            Passes::Wide(passes) => &mut passes[sample][0].inputs.arrivals,
            Passes::Batched(samples) => &mut samples.stimuli[sample],
        }
    }

    /// Writes when the neurons of a layer first spiked in one sample, in time units; infinite if they did not.
    pub fn copy_spike_times(
        &self,
        engine: &LayeredEngine<T>,
        layer: usize,
        sample: usize,
        to: &mut [f64],
    ) {
        match &self.passes {
            Passes::Wide(passes) => {
                let columns = engine.layers[layer].tiling.columns;
                to.copy_from_slice(&passes[sample][layer].spikes.times[..columns]);
            }
            Passes::Batched(batched::Samples { spike_times, .. }) => {
                let of_neurons = spike_times[layer].chunks_exact(batched::width(self.samples));
                to.iter_mut().zip(of_neurons).for_each(|(to, times)| *to = times[sample]);
            }
        }
    }

    /// Takes up when they did elsewhere ([`LayeredEngine::load_record`]).
    ///
    /// # Panics
    /// If the network does not run on the kernel that takes up records ([`LayeredEngine::batched`]).
    pub fn record_spike_times(&mut self, layer: usize, sample: usize, times: &[f64]) {
        let width = batched::width(self.samples);
        match &mut self.passes {
            Passes::Wide(_) => panic!("records go through the batched kernel"),
            Passes::Batched(batched::Samples { spike_times, .. }) => {
                let of_neurons = spike_times[layer].chunks_exact_mut(width);
                of_neurons.zip(times).for_each(|(of_neuron, &time)| of_neuron[sample] = time);
            }
        }
    }

    /// Adds to `counts`, which has one per neuron of a layer, in how many samples each spiked. Returns how many
    /// of these spikes came after the deadline of their sample.
    pub fn count_spikes(
        &self,
        engine: &LayeredEngine<T>,
        layer: usize,
        deadlines: &[f64],
        counts: &mut [u64],
    ) -> u64 {
        engine.arch.dispatch(
            #[inline(always)]
            || match &self.passes {
                Passes::Wide(passes) => {
                    let mut late = 0;
                    for (pass, &deadline) in passes.iter().zip(deadlines) {
                        for (count, &time) in counts.iter_mut().zip(&pass[layer].spikes.times) {
                            let spiked = time < f64::INFINITY;
                            *count += u64::from(spiked);
                            late += u64::from(spiked & (deadline < time));
                        }
                    }
                    late
                }
                Passes::Batched(batched::Samples { spike_times, .. }) => {
                    let mut late = 0;
                    let of_neurons = spike_times[layer].chunks_exact(batched::width(self.samples));
                    for (count, times) in counts.iter_mut().zip(of_neurons) {
                        for (&time, &deadline) in times.iter().zip(deadlines) {
                            let spiked = time < f64::INFINITY;
                            *count += u64::from(spiked);
                            late += u64::from(spiked & (deadline < time));
                        }
                    }
                    late
                }
            },
        )
    }

    /// Per layer, after [`LayeredEngine::backward`].
    pub fn gradients(&self) -> &[LayerGradients] {
        &self.gradients
    }

    /// Writes the derivatives by the inputs (sample × input, `rows` inputs), which the backward pass of this batch
    /// left in the workspace if the first layer is none of the network's.
    pub(super) fn copy_input_gradients(&self, workspace: &Workspace<T>, rows: usize, to: &mut [T]) {
        let width = batched::width(self.samples);
        for (sample, to) in to.chunks_exact_mut(rows).enumerate() {
            match &self.passes {
                // A batch of this kernel has one sample.
                Passes::Wide(_) => {
                    let by_row = workspace.wide.by_time.iter();
                    to.iter_mut().zip(by_row).for_each(|(to, &by)| *to = T::from_f64(by));
                }
                Passes::Batched(_) => {
                    let by_row = workspace.by_time[sample..].iter().step_by(width);
                    to.iter_mut().zip(by_row).for_each(|(to, &by)| *to = T::from_f64(by));
                }
            }
        }
    }

    /// How many neurons the gradient guard kept from learning, in all layers and samples.
    pub fn guarded(&self) -> u64 {
        self.gradients.iter().map(|layer| layer.guarded).sum()
    }

    pub(super) fn wide_passes(&self) -> &[Vec<wide::LayerPass<T>>] {
        match &self.passes {
            Passes::Wide(passes) => passes,
            Passes::Batched(_) => &[],
        }
    }

    fn clear_gradients(&mut self, engine: &LayeredEngine<T>) {
        self.gradients.resize_with(engine.layer_count(), LayerGradients::default);
        for (gradients, layer) in self.gradients.iter_mut().zip(&engine.layers) {
            let weights = match engine.kernel {
                Kernel::Wide => 0,
                Kernel::Batched => layer.tiling.value_count(),
            };
            gradients.weights.clear();
            gradients.weights.resize(weights, 0.0);
            gradients.delays.clear();
            gradients.delays.resize(layer.delays.values().len(), 0.0);
            gradients.guarded = 0;
        }
    }
}

impl<T: Element> LayeredEngine<T> {
    /// Shows the layers as the batched kernel sees them.
    fn with_views(&self, run: impl FnOnce(&[LayerView<'_>])) {
        let weights: Vec<_> = self.layers.iter().map(|layer| T::widened(&layer.weights)).collect();
        let views: Vec<LayerView<'_>> = self
            .layers
            .iter()
            .zip(&weights)
            .map(|(layer, weights)| LayerView {
                neurons: &layer.neurons,
                is_first: layer.is_first,
                tiling: layer.tiling,
                weights,
                delays: &layer.delays,
            })
            .collect();
        run(&views);
    }

    /// Runs the samples of a batch on their stimuli. `bias` are the spikes of each layer's bias sources, the
    /// same in all samples.
    pub fn forward(
        &self,
        bias: &[Vec<Arrival>],
        batch: &mut Batch<T>,
        workspace: &mut Workspace<T>,
    ) {
        let Workspace { wide: scratch, batched, .. } = workspace;
        match &mut batch.passes {
            Passes::Wide(passes) => {
                self.arch.dispatch(Forward { engine: self, bias, passes, scratch });
            }
            Passes::Batched(samples) => {
                self.with_views(|layers| {
                    let run = batched::Run { layers, bias, samples, recorded: None };
                    self.arch.dispatch(batched::Forward { run, workspace: batched });
                });
            }
        }
    }

    /// Prepares samples that ran elsewhere for [`Self::backward`]. The batch holds their stimuli and the
    /// recorded times of the first spikes of all layers ([`Batch::record_spike_times`]), which drive the
    /// layers after them.
    ///
    /// # Panics
    /// If the network does not run on the kernel that takes up records ([`Self::batched`]).
    pub fn load_record(
        &self,
        bias: &[Vec<Arrival>],
        derivatives: DerivativesAt<'_>,
        batch: &mut Batch<T>,
        workspace: &mut Workspace<T>,
    ) {
        assert!(self.is_batched(), "records go through the batched kernel");
        if let Passes::Batched(samples) = &mut batch.passes {
            self.with_views(|layers| {
                let run = batched::Run { layers, bias, samples, recorded: Some(derivatives) };
                let workspace = &mut workspace.batched;
                self.arch.dispatch(batched::Forward { run, workspace });
            });
        }
    }

    /// Compares what was recorded of each neuron of a layer with what the network would have done on the
    /// recorded inputs. The batch is the last whose record was taken up in this workspace, with
    /// [`DerivativesAt::Crossings`].
    pub fn compare<'a>(
        &self,
        layer: usize,
        batch: &'a Batch<T>,
        workspace: &'a Workspace<T>,
    ) -> impl Iterator<Item = Comparison<'a>> {
        let samples = batch.samples;
        let width = batched::width(samples);
        let pass = &workspace.batched.passes[layer];
        let recorded: &[f64] = match &batch.passes {
            Passes::Wide(_) => &[],
            Passes::Batched(batched::Samples { spike_times, .. }) => &spike_times[layer],
        };
        let computed = pass.crossings.times.chunks_exact(width);
        let slopes = pass.crossings.inverse_slopes.chunks_exact(width);
        recorded.chunks_exact(width).zip(computed.zip(slopes)).map(
            move |(recorded, (computed, inverse_slopes))| Comparison {
                recorded: &recorded[..samples],
                computed: &computed[..samples],
                inverse_slopes: &inverse_slopes[..samples],
            },
        )
    }

    /// Carries the derivatives of the loss by the label neurons' spike times, one sample after the other, back
    /// through the samples of a batch. The batch ran last in this workspace, or its record was taken up last. [`Batch::gradients`] has those by
    /// delays afterwards, and [`Self::weight_gradients`] those by weights.
    pub fn backward(
        &self,
        by_label_time: &[f64],
        guard: Option<GradientGuard>,
        batch: &mut Batch<T>,
        workspace: &mut Workspace<T>,
    ) {
        batch.clear_gradients(self);
        let Batch { passes, gradients, .. } = batch;
        let Workspace { wide: scratch, batched, by_time } = workspace;
        match passes {
            Passes::Wide(passes) => self.arch.dispatch(Backward {
                engine: self,
                by_label_time,
                guard,
                passes,
                gradients,
                scratch,
            }),
            Passes::Batched(_) => self.with_views(|layers| {
                self.arch.dispatch(batched::Backward {
                    layers,
                    by_label_time,
                    guard,
                    gradients,
                    by_time,
                    workspace: batched,
                });
            }),
        }
    }

    /// Sums the derivatives by one tile of a layer's weights over batches, in their order.
    pub fn weight_gradients(
        &self,
        layer: usize,
        tile: &Tile,
        batches: &[Batch<T>],
        sums: &mut [T],
    ) {
        sums.fill(T::default());
        match self.kernel {
            Kernel::Wide => {
                self.arch.dispatch(WeightGradients { layer, tile, batches, sums });
            }
            Kernel::Batched => {
                for batch in batches {
                    let gradients = &batch.gradients[layer].weights[tile.start..];
                    for (sum, gradient) in sums.iter_mut().zip(gradients) {
                        *sum = T::from_f64(sum.to_f64() + gradient);
                    }
                }
            }
        }
    }
}

struct Forward<'a, T> {
    engine: &'a LayeredEngine<T>,
    bias: &'a [Vec<Arrival>],
    passes: &'a mut [Vec<wide::LayerPass<T>>],
    scratch: &'a mut wide::Scratch<T>,
}

impl<T: Element> WithSimd for Forward<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Forward { engine, bias, passes, scratch } = self;
        for pass in passes {
            wide::forward(simd, engine, bias, pass, scratch);
        }
    }
}

struct Backward<'a, T> {
    engine: &'a LayeredEngine<T>,
    by_label_time: &'a [f64],
    guard: Option<GradientGuard>,
    passes: &'a mut [Vec<wide::LayerPass<T>>],
    gradients: &'a mut [LayerGradients],
    scratch: &'a mut wide::Scratch<T>,
}

impl<T: Element> WithSimd for Backward<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Backward { engine, by_label_time, guard, passes, gradients, scratch } = self;
        let labels = engine.layers.last().map_or(1, |layer| layer.tiling.columns);
        for (pass, by_time) in passes.iter_mut().zip(by_label_time.chunks_exact(labels)) {
            wide::backward(simd, engine, by_time, guard, pass, gradients, scratch);
        }
    }
}
