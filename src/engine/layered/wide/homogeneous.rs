//! One layer by itself, whose neurons have the same time constants: the sweep and the closed forms of
//! [`super`] for whoever has the spikes that reach the layer at hand, such as the
//! model of a chip.

use pulp::{Arch, Simd, WithSimd};

use super::crossings::{Crossings, LayerSpikes};
use super::inputs::{Inputs, Steps};
use super::sweep::SweptLayer;
use crate::engine::layered::tiles::Tiling;
use crate::engine::layered::{Arrival, LayerNeurons};
use crate::neuron::{Dynamics, Membrane, NeuronParameters, Ratio};
use crate::simd::Element;

/// A layer whose neurons differ in nothing that a stretch without input depends on: only in their
/// thresholds, leak and reset potentials.
#[derive(Clone, Debug)]
pub struct HomogeneousLayer {
    membrane: Membrane,
    tiling: Tiling,
    weights: Vec<f64>,
}

/// What a thread works with; kept from sample to sample.
#[derive(Clone, Debug, Default)]
pub struct HomogeneousWorkspace {
    inputs: Inputs<f64>,
    steps: Steps<f64>,
    crossings: Crossings<f64>,
    spikes: LayerSpikes,
    thresholds: Vec<f64>,
}

impl HomogeneousLayer {
    /// A layer with `rows` rows of weights, all zero. None if there are no neurons; if they differ in a
    /// time constant or capacitance, have an inhibitory time constant of their own, or do not rest
    /// below their thresholds; or if their ratio of time constants has no closed form of the crossing:
    /// solving for one neuron after the other takes longer than [`crate::engine::heterogeneous`] does.
    pub fn new(neurons: &[NeuronParameters], rows: usize) -> Option<Self> {
        let dynamics: Vec<Dynamics> =
            neurons.iter().map(Dynamics::new).collect::<Result<_, _>>().ok()?;
        let membrane = Membrane::new(dynamics.first()?);
        let is_alike = |dynamics: &Dynamics| {
            membrane.ratio != Ratio::General
                && membrane.is_that_of(dynamics)
                && !dynamics.has_split_currents()
                && dynamics.starts_and_stays_at_rest()
        };
        if !dynamics.iter().all(is_alike) {
            return None;
        }
        let tiling = Tiling { rows, columns: neurons.len(), padding: f64::PADDING };
        Some(HomogeneousLayer { membrane, tiling, weights: vec![0.0; tiling.value_count()] })
    }

    /// Takes a matrix of a row per presynaptic and a column per postsynaptic neuron, row by row.
    pub fn set_weights(&mut self, weights: &[f64]) {
        self.tiling.scatter(weights, &mut self.weights);
    }

    /// When each neuron spikes first, from rest at time zero; infinite if it does not. `thresholds` are
    /// above the leak potential; arrivals come in any order.
    pub fn first_spikes<'a>(
        &self,
        arch: Arch,
        arrivals: &[Arrival],
        thresholds: &[f64],
        workspace: &'a mut HomogeneousWorkspace,
    ) -> &'a [f64] {
        workspace.inputs.arrivals.clear();
        workspace.inputs.arrivals.extend_from_slice(arrivals);
        workspace.thresholds.clear();
        workspace.thresholds.extend_from_slice(&thresholds[..self.tiling.columns]);
        workspace.thresholds.resize(self.tiling.padded_columns(), f64::INFINITY);
        arch.dispatch(FirstSpikes { layer: self, workspace });
        &workspace.spikes.times[..self.tiling.columns]
    }
}

struct FirstSpikes<'a> {
    layer: &'a HomogeneousLayer,
    workspace: &'a mut HomogeneousWorkspace,
}

impl WithSimd for FirstSpikes<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let HomogeneousLayer { membrane, tiling, weights } = self.layer;
        let HomogeneousWorkspace { inputs, steps, crossings, spikes, thresholds } = self.workspace;
        let neurons = LayerNeurons { membrane: *membrane, thresholds: std::mem::take(thresholds) };
        inputs.take_up(simd, None, &[], None, steps);
        let swept = SweptLayer { neurons: &neurons, tiling: *tiling, weights };
        swept.run(simd, inputs, steps, crossings, spikes);
        *thresholds = neurons.thresholds;
    }
}
