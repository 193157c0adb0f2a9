//! Losses, initial weights and data sets of the library on arrays.

use firstspike::dataset::yin_yang::YinYang;
use firstspike::dataset::{Dataset, Encoding, Features};
use firstspike::engine::LayerNeuronParameters;
use firstspike::learning::{Drive, Loss, Margin};
use firstspike::settings::{Check, Settings};
use numpy::PyUntypedArrayMethods;
use pyo3::prelude::*;

use crate::{arrays, errors};

/// A loss by its name and its numbers.
fn loss_of(py: Python<'_>, kind: &str, values: &[f64]) -> PyResult<Loss> {
    let loss = match (kind, values) {
        ("cross_entropy", &[scale, early_weight, early_scale]) => {
            Loss::FirstSpikeCrossEntropy { scale, early_weight, early_scale }
        }
        ("mean_squared", &[correct, wrong]) => Loss::MeanSquaredError { correct, wrong },
        ("shift_invariant", &[margin]) => {
            Loss::ShiftInvariantMeanSquaredError { margin: Margin::Fixed(margin) }
        }
        _ => return Err(errors::input(py, format!("there is no loss {kind:?} of these numbers"))),
    };
    let mut problems = Vec::new();
    loss.check(&mut Check::new(&mut problems));
    match problems.first() {
        None => Ok(loss),
        Some(problem) => Err(errors::input(py, format!("{}: {}", problem.key, problem.message))),
    }
}

/// The loss of each sample, and its derivatives by the label times (sample × class).
#[pyfunction]
pub fn loss<'py>(
    py: Python<'py>,
    kind: &str,
    values: Vec<f64>,
    times: &Bound<'py, PyAny>,
    labels: &Bound<'py, PyAny>,
) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
    let loss = loss_of(py, kind, &values)?;
    let times = arrays::array::<f64>(times, "times", 2)?;
    let labels = arrays::array::<i64>(labels, "labels", 1)?;
    let (samples, classes) = (times.shape()[0], times.shape()[1]);
    let (times, labels) = (arrays::values(times.as_array()), arrays::values(labels.as_array()));
    if labels.len() != samples {
        let found = labels.len();
        return Err(errors::input(py, format!("{found} labels for {samples} samples")));
    }
    if let Some(&label) = labels.iter().find(|label| !(0..classes as i64).contains(label)) {
        let message =
            format!("there is a label {label}: classes are from 0 to {}", classes as i64 - 1);
        return Err(errors::input(py, message));
    }
    let mut losses = Vec::with_capacity(samples);
    let mut gradients = vec![0.0; times.len()];
    if classes > 0 {
        let each = times.chunks_exact(classes).zip(gradients.chunks_exact_mut(classes));
        for ((times, gradient), &label) in each.zip(&*labels) {
            losses.push(loss.evaluate(times, label as usize, gradient));
        }
    }
    let losses = arrays::vector(py, losses).into_any();
    Ok((losses, arrays::matrix(py, [samples, classes], false, gradients)?.into_any()))
}

/// Mean and standard deviation of initial weights for a layer on these input times (sample × input).
#[pyfunction]
#[pyo3(signature = (times, tau_m, tau_s, capacitance, threshold, neurons, is_label))]
pub fn initial_weights(
    py: Python<'_>,
    times: &Bound<'_, PyAny>,
    tau_m: f64,
    tau_s: f64,
    capacitance: f64,
    threshold: f64,
    neurons: usize,
    is_label: bool,
) -> PyResult<(f64, f64)> {
    let times = arrays::array::<f64>(times, "times", 2)?;
    let (samples, inputs) = (times.shape()[0], times.shape()[1]);
    let features = arrays::values(times.as_array()).into_owned();
    if let Some(time) = features.iter().find(|time| !(**time >= 0.0)) {
        return Err(errors::input(py, format!("there is a time {time}: times are 0 or later")));
    }
    let dataset = Dataset {
        features: Features::Real(features.into()),
        labels: vec![0; samples].into(),
        feature_count: inputs,
        class_count: 1,
        image: None,
    };
    let drive = Drive::of_features(&dataset, Encoding::SpikeTimes);
    let thresholds = vec![threshold];
    let neuron = LayerNeuronParameters { tau_m, tau_s, capacitance, thresholds }.of_neuron(0);
    neuron.validate().map_err(|error| errors::input(py, error))?;
    let weights = drive.weights(&vec![neuron; neurons.max(1)], is_label);
    weights.map(|weights| (weights.mean, weights.std)).map_err(|error| errors::input(py, error))
}

/// The Yin-Yang data set: features (size × 4) and labels.
#[pyfunction]
pub fn yin_yang(
    py: Python<'_>,
    size: usize,
    seed: u32,
    r_small: f64,
    r_big: f64,
) -> PyResult<(Bound<'_, PyAny>, Bound<'_, PyAny>)> {
    let yin_yang = YinYang { r_small, r_big };
    yin_yang.check().map_err(|error| errors::input(py, error))?;
    let samples = py.detach(|| yin_yang.generate(seed, size));
    let features: Vec<f64> = samples.features.iter().flatten().copied().collect();
    let labels: Vec<i64> = samples.labels.iter().map(|&label| label as i64).collect();
    let features = arrays::matrix(py, [size, 4], false, features)?.into_any();
    Ok((features, arrays::vector(py, labels).into_any()))
}
