//! The arrays of a layer, and what is accepted of them.

use super::{Element, Tiling};
use crate::network::DelayKind;
use crate::neuron::{Dynamics, NeuronParameters, ParameterError};
use crate::settings::MOST;

/// How a matrix of weights (or synaptic delays) is laid out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WeightOrder {
    /// Input × neuron: the weights of an input are side by side, as in the library's networks.
    #[default]
    ByInput,
    /// Neuron × input: the weights of a neuron are side by side, as in PyTorch.
    ByNeuron,
}

impl WeightOrder {
    /// Copies a matrix into tiles.
    pub(super) fn scatter<T: Element>(self, tiling: Tiling, matrix: &[T], tiled: &mut [T]) {
        for tile in tiling.tiles() {
            let block = &mut tiled[tile.start..tile.start + tile.width * tiling.rows];
            let columns = tile.width.min(tiling.columns - tile.column);
            match self {
                WeightOrder::ByInput => {
                    let rows = block.chunks_exact_mut(tile.width);
                    for (to, from) in rows.zip(matrix.chunks_exact(tiling.columns)) {
                        to[..columns].copy_from_slice(&from[tile.column..][..columns]);
                    }
                }
                WeightOrder::ByNeuron => {
                    let neurons = matrix[tile.column * tiling.rows..].chunks_exact(tiling.rows);
                    for (column, from) in neurons.take(columns).enumerate() {
                        let to = block[column..].iter_mut().step_by(tile.width);
                        to.zip(from).for_each(|(to, &from)| *to = from);
                    }
                }
            }
        }
    }

    /// Copies tiles into a matrix.
    pub(super) fn gather<T: Element>(self, tiling: Tiling, tiled: &[T], matrix: &mut [T]) {
        for tile in tiling.tiles() {
            let block = &tiled[tile.start..tile.start + tile.width * tiling.rows];
            let columns = tile.width.min(tiling.columns - tile.column);
            match self {
                WeightOrder::ByInput => {
                    let rows = block.chunks_exact(tile.width);
                    for (from, to) in rows.zip(matrix.chunks_exact_mut(tiling.columns)) {
                        to[tile.column..][..columns].copy_from_slice(&from[..columns]);
                    }
                }
                WeightOrder::ByNeuron => {
                    let neurons = matrix[tile.column * tiling.rows..].chunks_exact_mut(tiling.rows);
                    for (column, to) in neurons.take(columns).enumerate() {
                        let from = block[column..].iter().step_by(tile.width);
                        to.iter_mut().zip(from).for_each(|(to, &from)| *to = from);
                    }
                }
            }
        }
    }

    /// A matrix in rows of inputs, widened.
    pub(super) fn to_rows<T: Element>(self, tiling: Tiling, matrix: &[T]) -> Vec<f64> {
        let place = |index: usize| match self {
            WeightOrder::ByInput => index,
            WeightOrder::ByNeuron => index % tiling.columns * tiling.rows + index / tiling.columns,
        };
        (0..matrix.len()).map(|index| matrix[place(index)].to_f64()).collect()
    }

    /// From rows of inputs to this order.
    pub(super) fn ordered<T: Element>(self, tiling: Tiling, rows: &[T]) -> Vec<T> {
        let place = |index: usize| match self {
            WeightOrder::ByInput => index,
            WeightOrder::ByNeuron => index % tiling.rows * tiling.columns + index / tiling.rows,
        };
        (0..rows.len()).map(|index| rows[place(index)]).collect()
    }

    /// Where the synapse from an input to a neuron stands.
    pub fn index(self, input: usize, neuron: usize, inputs: usize, neurons: usize) -> usize {
        match self {
            WeightOrder::ByInput => input * neurons + neuron,
            WeightOrder::ByNeuron => neuron * inputs + input,
        }
    }
}

/// What the neurons of a layer have in common, and their thresholds. They rest at zero, without input.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerNeuronParameters {
    /// Membrane time constant, in time units; infinite for non-leaky neurons. Above zero.
    pub tau_m: f64,
    /// Synaptic time constant, in time units. Finite, above zero.
    pub tau_s: f64,
    /// Membrane capacitance. Finite, above zero; [`NeuronParameters`] has `tau_s`.
    pub capacitance: f64,
    /// One threshold for all neurons, or one for each. Finite, above zero.
    pub thresholds: Vec<f64>,
}

impl LayerNeuronParameters {
    /// The parameters of one of the neurons.
    ///
    /// # Panics
    /// If there are several thresholds, and none for this neuron.
    pub fn of_neuron(&self, neuron: usize) -> NeuronParameters {
        let threshold = match self.thresholds[..] {
            [threshold] => threshold,
            _ => self.thresholds[neuron],
        };
        NeuronParameters {
            tau_m: self.tau_m,
            tau_s: self.tau_s,
            tau_s_inhibitory: self.tau_s,
            capacitance: self.capacitance,
            threshold,
            ..NeuronParameters::default()
        }
    }

    /// The membrane, and a threshold for every neuron.
    pub(super) fn prepare(&self, neurons: usize) -> Result<(Dynamics, Vec<f64>), LayerInputError> {
        if self.thresholds.len() != 1 {
            fits("thresholds", neurons, self.thresholds.len())?;
        }
        for &threshold in &self.thresholds {
            if !(threshold > 0.0 && threshold <= MOST) {
                let accepted = format!("above 0, where the neurons rest, and at most {MOST:e}");
                return Err(
                    ParameterError { parameter: "threshold", value: threshold, accepted }.into()
                );
            }
        }
        let dynamics = Dynamics::new(&self.of_neuron(0))?;
        let mut thresholds = self.thresholds.clone();
        thresholds.resize(neurons, self.thresholds[0]);
        Ok((dynamics, thresholds))
    }
}

/// A layer, and the samples that it is to run.
#[derive(Clone, Copy, Debug)]
pub struct LayerArrays<'a, T> {
    /// Number of inputs. Above zero.
    pub inputs: usize,
    /// Number of neurons. Above zero.
    pub neurons: usize,
    /// Number of samples. Above zero.
    pub samples: usize,
    /// When the inputs spike, sample × input, in time units: not negative, infinite for an input that is silent.
    pub times: &'a [T],
    /// One per synapse. Finite.
    pub weights: &'a [T],
    /// The layout of the weights, and of synaptic delays.
    pub order: WeightOrder,
    /// One per input, per neuron or per synapse, in time units. Finite, not negative.
    pub delays: Option<(DelayKind, &'a [T])>,
    /// The neurons.
    pub parameters: &'a LayerNeuronParameters,
    /// Whether derivatives by the input times will be asked for.
    pub by_times: bool,
}

impl<T: Element> LayerArrays<'_, T> {
    /// Looks at shapes and values.
    ///
    /// # Errors
    /// If an array does not fit the others, or a value is out of its range.
    pub fn check(&self) -> Result<(), LayerInputError> {
        let LayerArrays { inputs, neurons, samples, .. } = *self;
        for (what, count) in [("inputs", inputs), ("neurons", neurons), ("samples", samples)] {
            if count == 0 {
                return Err(LayerInputError::Nothing { what });
            }
        }
        fits("times", samples * inputs, self.times.len())?;
        fits("weights", inputs * neurons, self.weights.len())?;
        check_times("times", self.times, inputs)?;
        let width = match self.order {
            WeightOrder::ByInput => neurons,
            WeightOrder::ByNeuron => inputs,
        };
        let is_weight = |weight: f64| weight.abs() <= MOST;
        check("weights", self.weights, width, is_weight, "finite, and at most 1e100 in size")?;
        if let Some((kind, delays)) = self.delays {
            fits("delays", kind.count(inputs, neurons), delays.len())?;
            let width = if kind == DelayKind::Synaptic { width } else { delays.len() };
            let is_delay = |delay: f64| (0.0..=MOST).contains(&delay);
            check("delays", delays, width, is_delay, "a number from 0 to 1e100")?;
        }
        Ok(())
    }
}

/// An array has as many values as it should.
pub(super) fn fits(
    array: &'static str,
    expected: usize,
    found: usize,
) -> Result<(), LayerInputError> {
    if expected == found { Ok(()) } else { Err(LayerInputError::Size { array, expected, found }) }
}

/// Whether all are times of spikes, in rows of some width.
pub(super) fn check_times<T: Element>(
    array: &'static str,
    times: &[T],
    width: usize,
) -> Result<(), LayerInputError> {
    let is_time = |time: f64| (0.0..=MOST).contains(&time) || time == f64::INFINITY;
    check(array, times, width, is_time, "a time from 0 to 1e100, or infinite for no spike")
}

/// Whether all derivatives are finite, in rows of some width.
pub(super) fn check_finite<T: Element>(
    array: &'static str,
    values: &[T],
    width: usize,
) -> Result<(), LayerInputError> {
    check(array, values, width, f64::is_finite, "finite")
}

fn check<T: Element>(
    array: &'static str,
    values: &[T],
    width: usize,
    accepts: impl Fn(f64) -> bool,
    accepted: &'static str,
) -> Result<(), LayerInputError> {
    // Without an early end it is vectorised.
    if values.iter().fold(true, |all, value| all & accepts(value.to_f64())) {
        return Ok(());
    }
    let index = values.iter().position(|value| !accepts(value.to_f64())).unwrap_or(0);
    let value = values[index].to_f64();
    Err(LayerInputError::Value {
        array,
        row: index / width,
        column: index % width,
        value,
        accepted,
    })
}

/// Arrays that make no layer.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum LayerInputError {
    /// There is nothing to do.
    #[error("there are no {what}: a layer has one at least")]
    Nothing {
        /// What is missing.
        what: &'static str,
    },
    /// An array has more or fewer values than the shape of the layer says.
    #[error("{array} has {found} values: the layer's shape needs {expected}")]
    Size {
        /// The array.
        array: &'static str,
        /// How many values it should have.
        expected: usize,
        /// How many it has.
        found: usize,
    },
    /// A value is out of its range.
    #[error("{array}[{row}, {column}] is {value}: it must be {accepted}")]
    Value {
        /// The array.
        array: &'static str,
        /// Its row.
        row: usize,
        /// Its column.
        column: usize,
        /// What stands there.
        value: f64,
        /// What is accepted, to be read after "must be".
        accepted: &'static str,
    },
    /// A parameter of the neurons is out of its range.
    #[error(transparent)]
    Parameter(#[from] ParameterError),
}
