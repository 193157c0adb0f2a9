//! Weights as a chip has them.
//!
//! Training changes continuous weights (the shadow weights). The chip is programmed with the nearest values
//! that it has, and learning takes those for the weights. Each synapse then has a gain and an offset of its
//! own, which learning does not know.
//!
//! ```text
//! shadow weight ─→ programmed: sign, range, steps ─→ realised: gain, offset
//! ```

use super::datasheet::{Datasheet, Sign};
use crate::network::{LayerShape, LayeredNetwork, Node};
use crate::random;

/// The weights that a chip can be programmed with.
#[derive(Clone, Debug, PartialEq)]
pub struct WeightGrid {
    layers: Vec<LayerGrid>,
}

#[derive(Clone, Debug, PartialEq)]
struct LayerGrid {
    /// Per neuron: the steps (zero for none) and the largest magnitude, in the scenario's units.
    steps: Vec<f64>,
    largest: Vec<f64>,
    /// Per row: the sign that its weights must have, if signs belong to rows.
    signs: Option<Vec<f64>>,
}

impl WeightGrid {
    /// The grid of a chip (in model time) for a network with its initial weights; none if any weight
    /// will do.
    pub fn new(sheet: &Datasheet, network: &LayeredNetwork) -> Option<Self> {
        let signs = sheet.weights.sign == Sign::Row;
        if sheet.weights.largest == f64::INFINITY
            && sheet.weights.magnitude_bits.is_none()
            && !signs
        {
            return None;
        }
        let edges = network.network.graph().raw_edges();
        let shapes = network.shapes();
        let units = units(network);
        let layers = shapes.iter().zip(units).map(|(shape, units)| {
            let row = |row: usize| {
                let first = shape.first + row * shape.columns;
                let weights = &edges[first..first + shape.columns];
                let sum: f64 = weights.iter().map(|edge| edge.weight.weight).sum();
                if sum < 0.0 { -1.0 } else { 1.0 }
            };
            LayerGrid {
                steps: units.iter().map(|unit| unit * sheet.weight_step()).collect(),
                largest: units.iter().map(|unit| unit * sheet.weights.largest).collect(),
                signs: signs.then(|| (0..shape.rows).map(row).collect()),
            }
        });
        Some(WeightGrid { layers: layers.collect() })
    }

    /// The values that a synapse can have.
    pub fn synapse(&self, layer: usize, row: usize, column: usize) -> SynapseGrid {
        let LayerGrid { steps, largest, signs } = &self.layers[layer];
        let sign = signs.as_ref().map_or(0.0, |signs| signs[row]);
        SynapseGrid { step: steps[column], largest: largest[column], sign }
    }

    /// Those of a row's synapses from a column on.
    #[inline(always)]
    pub fn row(
        &self,
        layer: usize,
        row: usize,
        column: usize,
    ) -> impl Iterator<Item = SynapseGrid> {
        let LayerGrid { steps, largest, signs } = &self.layers[layer];
        let sign = signs.as_ref().map_or(0.0, |signs| signs[row]);
        let columns = steps[column..].iter().zip(&largest[column..]);
        columns.map(
            #[inline(always)]
            move |(&step, &largest)| SynapseGrid { step, largest, sign },
        )
    }

    /// What the chip is programmed with for all weights of the layers at these places, which hold the
    /// matrices one after the other, row by row.
    pub fn program_all(&self, shapes: &[LayerShape], weights: &[f64]) -> Vec<f64> {
        self.each(shapes, weights, |grid, weight| grid.program(weight)).collect()
    }

    /// All weights within the chip's range, laid out as for [`Self::program_all`].
    pub fn clip_all(&self, shapes: &[LayerShape], weights: &[f64]) -> Vec<f64> {
        self.each(shapes, weights, |grid, weight| grid.clip(weight)).collect()
    }

    /// A function of each weight and the values that its synapse can have.
    fn each<'a>(
        &'a self,
        shapes: &'a [LayerShape],
        weights: &'a [f64],
        value: impl Fn(SynapseGrid, f64) -> f64 + Copy + 'a,
    ) -> impl Iterator<Item = f64> + 'a {
        let layers = shapes.iter().enumerate();
        layers.flat_map(move |(layer, &LayerShape { first, rows, columns })| {
            (0..rows).flat_map(move |row| {
                let weights = &weights[first + row * columns..][..columns];
                self.row(layer, row, 0).zip(weights).map(move |(grid, &weight)| value(grid, weight))
            })
        })
    }
}

/// The weights that one synapse can have.
#[derive(Clone, Copy, Debug)]
pub struct SynapseGrid {
    /// Zero for any.
    step: f64,
    largest: f64,
    /// Zero for both.
    sign: f64,
}

impl SynapseGrid {
    /// Whether a shadow weight is as large as the chip allows, or larger.
    pub fn is_at_limit(&self, weight: f64) -> bool {
        weight.abs() >= self.largest
    }

    /// The shadow weight within the chip's range.
    #[inline(always)]
    pub fn clip(&self, weight: f64) -> f64 {
        // Not as the standard library does it, which checks the range and is slower.
        if weight > self.largest {
            self.largest
        } else if weight < -self.largest {
            -self.largest
        } else {
            weight
        }
    }

    /// What the chip is programmed with for a shadow weight.
    #[inline(always)]
    pub fn program(&self, weight: f64) -> f64 {
        let weight = self.clip(if weight * self.sign < 0.0 { 0.0 } else { weight });
        // Steps that were scaled need not end at the largest magnitude.
        let rounded = self.clip((weight / self.step).round() * self.step);
        if self.step == 0.0 { weight } else { rounded }
    }
}

/// Per layer and neuron: the weight that counts as one on the chip, the threshold above the leak times
/// the capacitance over the synaptic time constant.
pub(super) fn units(network: &LayeredNetwork) -> Vec<Vec<f64>> {
    let graph = network.network.graph();
    let unit = |node: usize| match graph.node_weights().nth(node) {
        Some(Node::Neuron(neuron)) => {
            (neuron.threshold - neuron.leak_potential) * neuron.capacitance / neuron.tau_s
        }
        _ => 1.0,
    };
    let layer = |id: &crate::network::PopulationId| {
        network.network.populations()[id.0].nodes.clone().map(unit).collect()
    };
    network.layers.iter().map(layer).collect()
}

/// What the synapses of one layer make of programmed weights.
#[derive(Clone, Debug)]
pub(super) struct SynapsePattern {
    /// Per synapse: gain for positive and for negative weights; empty if all are one.
    gains: [Vec<f64>; 2],
    /// Per synapse, in the scenario's units; empty if there are none.
    offsets: Vec<f64>,
}

impl SynapsePattern {
    /// The pattern of an individual chip for a layer of so many rows. `first` is its first synapse among
    /// all.
    pub fn new(
        sheet: &Datasheet,
        units: &[f64],
        rows: usize,
        individual: u64,
        first: usize,
    ) -> Self {
        let columns = units.len();
        let count = rows * columns;
        let (gain, offset) = (sheet.weights.gain, sheet.weights.offset);
        let pairs = sheet.weights.sign == Sign::RowPair;
        let pair = |synapse: usize| {
            let mut random = random::stream(individual, "chip gain", (first + synapse) as u64);
            let positive = gain.factor(&mut random);
            (positive, if pairs { gain.factor(&mut random) } else { positive })
        };
        let (positive, negative) =
            if gain.is_ideal() { Default::default() } else { (0..count).map(pair).unzip() };
        let offsets = |synapse: usize| {
            let mut random = random::stream(individual, "chip offset", (first + synapse) as u64);
            offset.draw(&mut random) * units[synapse % columns]
        };
        SynapsePattern {
            gains: [positive, negative],
            offsets: if offset.is_ideal() { Vec::new() } else { (0..count).map(offsets).collect() },
        }
    }

    /// What the synapses make of a layer's weights, row by row. A synapse of weight zero is not used.
    pub fn realised(&self, weights: &[f64]) -> Vec<f64> {
        let mut realised = weights.to_vec();
        let [positive, negative] = &self.gains;
        for (weight, (positive, negative)) in realised.iter_mut().zip(positive.iter().zip(negative))
        {
            *weight *= if *weight < 0.0 { negative } else { positive };
        }
        for ((realised, weight), offset) in realised.iter_mut().zip(weights).zip(&self.offsets) {
            *realised += if *weight == 0.0 { 0.0 } else { *offset };
        }
        realised
    }
}
