//! Layers of first-spike neurons on arrays, forward and backward.

use std::borrow::Cow;
use std::sync::{Mutex, MutexGuard, PoisonError};

use firstspike::engine::layered::Element as Number;
use firstspike::engine::{
    FirstSpikeLayer, FlatGradients, LayerArrays, LayerInputError, LayerNeuronParameters,
    WeightOrder, is_for_threads, parameter_gradients,
};
use firstspike::network::DelayKind;
use numpy::{Element, PyArrayDyn, PyReadonlyArrayDyn, PyUntypedArrayMethods};
use pyo3::prelude::*;

use crate::{arrays, errors, threads};

/// Runs whose memory is kept for the next ones.
const KEPT: usize = 16;

/// A number that layers take, and where the memory of its past runs is.
pub trait Float: Number + Element {
    fn kept() -> &'static Mutex<Vec<FirstSpikeLayer<Self>>>;
    fn run(inner: &mut Inner) -> Option<&mut FirstSpikeLayer<Self>>;
    fn into_run(layer: FirstSpikeLayer<Self>) -> Inner;
}

macro_rules! float {
    ($float:ident, $variant:ident) => {
        impl Float for $float {
            fn kept() -> &'static Mutex<Vec<FirstSpikeLayer<Self>>> {
                static KEPT: Mutex<Vec<FirstSpikeLayer<$float>>> = Mutex::new(Vec::new());
                &KEPT
            }

            fn run(inner: &mut Inner) -> Option<&mut FirstSpikeLayer<Self>> {
                match inner {
                    Inner::$variant(layer) => Some(layer),
                    _ => None,
                }
            }

            fn into_run(layer: FirstSpikeLayer<Self>) -> Inner {
                Inner::$variant(layer)
            }
        }
    };
}

float!(f32, Single);
float!(f64, Double);

pub enum Inner {
    Single(FirstSpikeLayer<f32>),
    Double(FirstSpikeLayer<f64>),
    /// Its memory is elsewhere again.
    Gone,
}

/// What a layer keeps of the samples that it ran, for the way back.
#[pyclass(frozen, module = "firstspike._core")]
pub struct LayerRun {
    inner: Mutex<Inner>,
    is_double: bool,
    /// Samples, inputs, neurons.
    sizes: [usize; 3],
    /// Sources of the bias, the last inputs of all.
    bias: usize,
    order: WeightOrder,
    delays: Option<DelayKind>,
}

impl Drop for LayerRun {
    fn drop(&mut self) {
        fn keep<T: Float>(layer: FirstSpikeLayer<T>) {
            let mut kept = locked(T::kept());
            if kept.len() < KEPT {
                kept.push(layer);
            }
        }
        match std::mem::replace(&mut *locked(&self.inner), Inner::Gone) {
            Inner::Single(layer) => keep(layer),
            Inner::Double(layer) => keep(layer),
            Inner::Gone => {}
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A delay's kind by its name.
pub fn delay_kind(py: Python<'_>, name: Option<&str>) -> PyResult<Option<DelayKind>> {
    match name {
        None => Ok(None),
        Some("axonal") => Ok(Some(DelayKind::Axonal)),
        Some("dendritic") => Ok(Some(DelayKind::Dendritic)),
        Some("synaptic") => Ok(Some(DelayKind::Synaptic)),
        Some(other) => {
            let message =
                format!("delays: {other:?} is none of \"axonal\", \"dendritic\" and \"synaptic\"");
            Err(errors::input(py, message))
        }
    }
}

/// Arrays of a layer, borrowed from Python.
struct Borrowed<'py, T: Element> {
    times: PyReadonlyArrayDyn<'py, T>,
    /// When the bias spikes, in every sample.
    bias: Vec<T>,
    weights: PyReadonlyArrayDyn<'py, T>,
    delays: Option<(DelayKind, PyReadonlyArrayDyn<'py, T>)>,
    parameters: LayerNeuronParameters,
}

impl<'py, T: Float> Borrowed<'py, T> {
    fn new(
        times: &Bound<'py, PyAny>,
        weights: &Bound<'py, PyAny>,
        delays: Option<(Option<&str>, &Bound<'py, PyAny>)>,
        parameters: LayerNeuronParameters,
        bias: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Self> {
        let py = times.py();
        let times = arrays::array(times, "times", 2)?;
        let weights = arrays::array::<T>(weights, "weights", 2)?;
        let bias = match bias {
            None => Vec::new(),
            Some(bias) => {
                let bias = arrays::array::<T>(bias, "bias_times", 1)?;
                arrays::values(bias.as_array()).into_owned()
            }
        };
        if weights.shape()[1] != times.shape()[1] + bias.len() {
            let sources = match bias.len() {
                0 => String::new(),
                count => format!(" with {count} of the bias"),
            };
            let message = format!(
                "weights of shape {:?} (neurons, inputs) do not fit times of shape {:?} (samples, \
                 inputs){sources}",
                weights.shape(),
                times.shape()
            );
            return Err(errors::input(py, message));
        }
        let delays = match delays {
            None => None,
            Some((kind, values)) => {
                let kind = delay_kind(py, kind)?;
                let kind = kind.ok_or_else(|| errors::input(py, "delays need a kind"))?;
                let dimensions = if kind == DelayKind::Synaptic { 2 } else { 1 };
                let values = arrays::array::<T>(values, "delays", dimensions)?;
                let (neurons, inputs) = (weights.shape()[0], weights.shape()[1]);
                let expected = match kind {
                    DelayKind::Axonal => vec![inputs],
                    DelayKind::Dendritic => vec![neurons],
                    DelayKind::Synaptic => vec![neurons, inputs],
                };
                if values.shape() != expected {
                    let found = values.shape();
                    let message = format!(
                        "{} delays have shape {found:?}: {expected:?} is needed",
                        kind.name()
                    );
                    return Err(errors::input(py, message));
                }
                Some((kind, values))
            }
        };
        Ok(Borrowed { times, bias, weights, delays, parameters })
    }

    /// Does something with the arrays, in their order in memory where that is one.
    fn with<R>(&self, by_times: bool, work: impl FnOnce(&LayerArrays<'_, T>) -> R) -> R {
        let (samples, inputs) = (self.times.shape()[0], self.times.shape()[1] + self.bias.len());
        let neurons = self.weights.shape()[0];
        let weights = self.weights.as_array();
        let by_input = !weights.is_standard_layout() && weights.t().is_standard_layout();
        let order = if by_input { WeightOrder::ByInput } else { WeightOrder::ByNeuron };
        let weights = if by_input { weights.reversed_axes() } else { weights };
        let (mut times, weights) = (arrays::values(self.times.as_array()), arrays::values(weights));
        if !self.bias.is_empty() {
            times = Cow::Owned(with_columns(&times, samples, &self.bias));
        }
        let delays = self.delays.as_ref().map(|(kind, delays)| {
            let delays = delays.as_array();
            let is_turned = *kind == DelayKind::Synaptic && by_input;
            (*kind, arrays::values(if is_turned { delays.reversed_axes() } else { delays }))
        });
        work(&LayerArrays {
            inputs,
            neurons,
            samples,
            times: &times,
            weights: &weights,
            order,
            delays: delays.as_ref().map(|(kind, delays): &(_, Cow<'_, [T]>)| (*kind, &**delays)),
            parameters: &self.parameters,
            by_times,
        })
    }
}

/// Rows with some more values at their ends.
fn with_columns<T: Copy>(rows: &[T], count: usize, more: &[T]) -> Vec<T> {
    let width = rows.len() / count.max(1);
    let mut wider = Vec::with_capacity(rows.len() + count * more.len());
    for row in 0..count {
        wider.extend_from_slice(&rows[row * width..(row + 1) * width]);
        wider.extend_from_slice(more);
    }
    wider
}

/// Rows without some values at their ends.
fn without_columns<T: Copy>(rows: Vec<T>, width: usize, fewer: usize) -> Vec<T> {
    if fewer == 0 {
        return rows;
    }
    rows.chunks_exact(width).flat_map(|row| &row[..width - fewer]).copied().collect()
}

/// Thresholds: a number, or one for each neuron.
pub fn thresholds(value: &Bound<'_, PyAny>) -> PyResult<Vec<f64>> {
    if let Ok(threshold) = value.extract::<f64>() {
        return Ok(vec![threshold]);
    }
    let threshold = arrays::array::<f64>(value, "threshold", 1)?;
    Ok(arrays::values(threshold.as_array()).into_owned())
}

fn refused(py: Python<'_>, error: &LayerInputError) -> PyErr {
    errors::input(py, error)
}

/// Whether an array has doubles.
fn is_double(array: &Bound<'_, PyAny>) -> bool {
    array.cast::<PyArrayDyn<f64>>().is_ok()
}

/// Runs a layer: when each neuron first spikes, and what the way back needs.
#[pyfunction]
#[pyo3(signature = (times, weights, delays, delay_kind, tau_m, tau_s, capacitance, threshold, by_times, bias=None))]
pub fn layer_forward<'py>(
    py: Python<'py>,
    times: &Bound<'py, PyAny>,
    weights: &Bound<'py, PyAny>,
    delays: Option<&Bound<'py, PyAny>>,
    delay_kind: Option<&str>,
    tau_m: f64,
    tau_s: f64,
    capacitance: f64,
    threshold: &Bound<'py, PyAny>,
    by_times: bool,
    bias: Option<&Bound<'py, PyAny>>,
) -> PyResult<(Bound<'py, PyAny>, LayerRun)> {
    let thresholds = thresholds(threshold)?;
    let parameters = LayerNeuronParameters { tau_m, tau_s, capacitance, thresholds };
    let delays = delays.map(|delays| (delay_kind, delays));
    if is_double(times) {
        forward::<f64>(py, Borrowed::new(times, weights, delays, parameters, bias)?, by_times)
    } else {
        forward::<f32>(py, Borrowed::new(times, weights, delays, parameters, bias)?, by_times)
    }
}

fn forward<'py, T: Float>(
    py: Python<'py>,
    layer: Borrowed<'py, T>,
    by_times: bool,
) -> PyResult<(Bound<'py, PyAny>, LayerRun)> {
    let bias = layer.bias.len();
    let (run, spikes) = layer.with(by_times, |layer| {
        let LayerArrays { inputs, neurons, samples, order, delays, .. } = *layer;
        let pool = threads::pool_for(py, is_for_threads(samples, inputs, neurons))?;
        let ran = py.detach(|| {
            let mut run = locked(T::kept()).pop().unwrap_or_default();
            let mut spikes = vec![T::default(); samples * neurons];
            threads::on(pool.as_deref(), || run.forward(layer, &mut spikes))?;
            Ok((run, spikes))
        });
        ran.map_err(|error| refused(py, &error)).map(|(run, spikes)| {
            let run = LayerRun {
                inner: Mutex::new(T::into_run(run)),
                is_double: size_of::<T>() == size_of::<f64>(),
                sizes: [samples, inputs, neurons],
                bias,
                order,
                delays: delays.map(|(kind, _)| kind),
            };
            (run, spikes)
        })
    })?;
    let [samples, _, neurons] = run.sizes;
    Ok((arrays::matrix(py, [samples, neurons], false, spikes)?.into_any(), run))
}

type Gradients<'py> = (Option<Bound<'py, PyAny>>, Bound<'py, PyAny>, Option<Bound<'py, PyAny>>);

#[pymethods]
impl LayerRun {
    /// Takes the derivatives of a loss by the spikes back: those by times (if they were asked for), weights and
    /// delays.
    fn backward<'py>(&self, by_spikes: &Bound<'py, PyAny>) -> PyResult<Gradients<'py>> {
        if self.is_double { self.back::<f64>(by_spikes) } else { self.back::<f32>(by_spikes) }
    }
}

impl LayerRun {
    /// The run of a layer that ran elsewhere.
    pub fn of(
        layer: FirstSpikeLayer<f64>,
        sizes: [usize; 3],
        order: WeightOrder,
        delays: Option<DelayKind>,
    ) -> Self {
        LayerRun {
            inner: Mutex::new(Inner::Double(layer)),
            is_double: true,
            sizes,
            bias: 0,
            order,
            delays,
        }
    }

    fn back<'py, T: Float>(&self, by_spikes: &Bound<'py, PyAny>) -> PyResult<Gradients<'py>> {
        let py = by_spikes.py();
        let by_spikes = arrays::array::<T>(by_spikes, "gradient", 2)?;
        let [samples, inputs, neurons] = self.sizes;
        if by_spikes.shape() != [samples, neurons] {
            let found = by_spikes.shape();
            let message = format!("gradient has shape {found:?}: [{samples}, {neurons}] is needed");
            return Err(errors::input(py, message));
        }
        let by_spikes = arrays::values(by_spikes.as_array());
        let pool = threads::pool_for(py, is_for_threads(samples, inputs, neurons))?;
        let gradients = py.detach(|| {
            let mut inner = locked(&self.inner);
            let Some(run) = T::run(&mut inner) else { return Ok(FlatGradients::default()) };
            threads::on(pool.as_deref(), || run.backward(&by_spikes))
        });
        let FlatGradients { times, weights, delays } =
            gradients.map_err(|error| refused(py, &error))?;
        let times = match times.is_empty() {
            true => None,
            false => {
                let times = without_columns(times, inputs, self.bias);
                Some(arrays::matrix(py, [samples, inputs - self.bias], false, times)?.into_any())
            }
        };
        let by_input = self.order == WeightOrder::ByInput;
        let weights = arrays::matrix(py, [neurons, inputs], by_input, weights)?.into_any();
        let delays = match self.delays {
            None => None,
            Some(DelayKind::Synaptic) => {
                Some(arrays::matrix(py, [neurons, inputs], by_input, delays)?.into_any())
            }
            Some(_) => Some(arrays::vector(py, delays).into_any()),
        };
        Ok((times, weights, delays))
    }
}

/// How a loss depends on tau_m, tau_s (at a constant capacitance), capacitance and threshold of a layer.
#[pyfunction]
#[pyo3(signature = (times, weights, delays, delay_kind, tau_m, tau_s, capacitance, threshold, spikes, by_spikes, bias=None))]
pub fn layer_parameter_gradients<'py>(
    py: Python<'py>,
    times: &Bound<'py, PyAny>,
    weights: &Bound<'py, PyAny>,
    delays: Option<&Bound<'py, PyAny>>,
    delay_kind: Option<&str>,
    tau_m: f64,
    tau_s: f64,
    capacitance: f64,
    threshold: &Bound<'py, PyAny>,
    spikes: &Bound<'py, PyAny>,
    by_spikes: &Bound<'py, PyAny>,
    bias: Option<&Bound<'py, PyAny>>,
) -> PyResult<(f64, f64, f64, Bound<'py, PyAny>)> {
    let thresholds = thresholds(threshold)?;
    let parameters = LayerNeuronParameters { tau_m, tau_s, capacitance, thresholds };
    let delays = delays.map(|delays| (delay_kind, delays));
    if is_double(times) {
        let layer = Borrowed::<f64>::new(times, weights, delays, parameters, bias)?;
        by_parameters(py, &layer, spikes, by_spikes)
    } else {
        let layer = Borrowed::<f32>::new(times, weights, delays, parameters, bias)?;
        by_parameters(py, &layer, spikes, by_spikes)
    }
}

fn by_parameters<'py, T: Float>(
    py: Python<'py>,
    layer: &Borrowed<'py, T>,
    spikes: &Bound<'py, PyAny>,
    by_spikes: &Bound<'py, PyAny>,
) -> PyResult<(f64, f64, f64, Bound<'py, PyAny>)> {
    let spikes = arrays::array::<T>(spikes, "spikes", 2)?;
    let by_spikes = arrays::array::<T>(by_spikes, "gradient", 2)?;
    let (spikes, by_spikes) =
        (arrays::values(spikes.as_array()), arrays::values(by_spikes.as_array()));
    let pool = threads::pool_for(py, false)?;
    let found = layer.with(false, |layer| {
        py.detach(|| {
            threads::on(pool.as_deref(), || parameter_gradients(layer, &spikes, &by_spikes))
        })
    });
    let found = found.map_err(|error| refused(py, &error))?;
    let thresholds = arrays::vector(py, found.thresholds).into_any();
    Ok((found.tau_m, found.tau_s, found.capacitance, thresholds))
}
