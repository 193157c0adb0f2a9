//! A layer on the model of a chip, on arrays.

use std::sync::{Mutex, PoisonError};

use firstspike::engine::{LayerNeuronParameters, WeightOrder};
use firstspike::learning::{self, ChipLayerSettings, LearningRule, TrainerState};
use firstspike::neuron::NeuronParameters;
use numpy::PyUntypedArrayMethods;
use pyo3::prelude::*;
use pyo3::sync::MutexExt;
use pyo3::types::PyDict;

use crate::layer::{LayerRun, delay_kind, thresholds};
use crate::{arrays, errors, run, threads};

/// A layer of neurons on the model of a chip.
#[pyclass(frozen, module = "firstspike._core")]
pub struct ChipLayer {
    layer: Mutex<learning::ChipLayer>,
    inputs: usize,
    neurons: usize,
    delays: Option<firstspike::network::DelayKind>,
}

type State = (Vec<(String, Vec<f64>)>, Vec<(String, u64)>);

#[pymethods]
impl ChipLayer {
    /// `chip` is the path of a chip file or a dictionary, `set` changes entries of it.
    #[new]
    #[pyo3(signature = (chip, set, inputs, neurons, tau_m, tau_s, capacitance, threshold, delays, rule, seed))]
    fn new(
        py: Python<'_>,
        chip: &Bound<'_, PyAny>,
        set: Option<&Bound<'_, PyDict>>,
        inputs: usize,
        neurons: usize,
        tau_m: f64,
        tau_s: f64,
        capacitance: f64,
        threshold: &Bound<'_, PyAny>,
        delays: Option<&str>,
        rule: &str,
        seed: u64,
    ) -> PyResult<Self> {
        let sheet = run::datasheet(chip, set)?;
        let thresholds = thresholds(threshold)?;
        if thresholds.len() != 1 && thresholds.len() != neurons {
            let found = thresholds.len();
            return Err(errors::input(py, format!("{found} thresholds for {neurons} neurons")));
        }
        if inputs == 0 || neurons == 0 {
            return Err(errors::input(py, "a layer has an input and a neuron at least"));
        }
        let rule = match rule {
            "twin" => LearningRule::Twin,
            "datasheet" => LearningRule::Datasheet,
            "recorded" => LearningRule::Recorded,
            other => {
                let message =
                    format!("rule {other:?} is none of \"twin\", \"datasheet\" and \"recorded\"");
                return Err(errors::input(py, message));
            }
        };
        let parameters = LayerNeuronParameters { tau_m, tau_s, capacitance, thresholds };
        let neurons: Vec<NeuronParameters> =
            (0..neurons).map(|neuron| parameters.of_neuron(neuron)).collect();
        let delays = delay_kind(py, delays)?;
        let settings =
            ChipLayerSettings { sheet: &sheet, inputs, neurons: &neurons, delays, rule, seed };
        let layer = py.detach(|| learning::ChipLayer::new(&settings));
        let layer = layer.map_err(|error| errors::input(py, error))?;
        Ok(ChipLayer { layer: Mutex::new(layer), inputs, neurons: neurons.len(), delays })
    }

    /// Runs samples: the recorded spikes, and what the way back needs. `weights` are neurons × inputs.
    fn forward<'py>(
        &self,
        py: Python<'py>,
        times: &Bound<'py, PyAny>,
        weights: &Bound<'py, PyAny>,
        delays: Option<&Bound<'py, PyAny>>,
        trains: bool,
        by_times: bool,
    ) -> PyResult<(Bound<'py, PyAny>, LayerRun)> {
        let times = arrays::array::<f64>(times, "times", 2)?;
        let weights = arrays::array::<f64>(weights, "weights", 2)?;
        let ChipLayer { inputs, neurons, .. } = *self;
        if weights.shape() != [neurons, inputs] || times.shape()[1] != inputs {
            let message = format!(
                "times of shape {:?} and weights of shape {:?}: the layer needs [samples, {inputs}] and \
                 [{neurons}, {inputs}]",
                times.shape(),
                weights.shape()
            );
            return Err(errors::input(py, message));
        }
        let delays = match delays {
            None => Vec::new(),
            Some(delays) => {
                let delays = arrays::array::<f64>(delays, "delays", 1)?;
                arrays::values(delays.as_array()).into_owned()
            }
        };
        let samples = times.shape()[0];
        let weights = arrays::values(weights.as_array().reversed_axes()).into_owned();
        let times = arrays::values(times.as_array());
        let pool = threads::pool_of(py)?;
        let ran = py.detach(|| {
            let mut layer = self.layer.lock().unwrap_or_else(PoisonError::into_inner);
            let layer = &mut *layer;
            pool.install(|| layer.run(&weights, &delays, &times, trains, by_times))
        });
        let ran = ran.map_err(|error| errors::input(py, error))?;
        let sizes = [samples, inputs, neurons];
        let run = LayerRun::of(ran.layer, sizes, WeightOrder::ByInput, self.delays);
        Ok((arrays::matrix(py, [samples, neurons], false, ran.spikes)?.into_any(), run))
    }

    /// What the chip is programmed with for these weights (neurons × inputs).
    fn programmed<'py>(
        &self,
        py: Python<'py>,
        weights: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.of_weights(py, weights, learning::ChipLayer::programmed)
    }

    /// These weights (neurons × inputs) within the chip's range.
    fn clipped<'py>(
        &self,
        py: Python<'py>,
        weights: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.of_weights(py, weights, learning::ChipLayer::clipped)
    }

    /// Thresholds of the neurons that derivatives are of, and those that the model has.
    fn thresholds<'py>(&self, py: Python<'py>) -> (Bound<'py, PyAny>, Bound<'py, PyAny>) {
        let layer = self.lock(py);
        let estimated = arrays::vector(py, layer.thresholds().to_vec()).into_any();
        (estimated, arrays::vector(py, layer.true_thresholds()).into_any())
    }

    /// What was learned of the chip: arrays and counters by name.
    fn state(&self, py: Python<'_>) -> State {
        let state = self.lock(py).state();
        let arrays = state.arrays().iter().map(|(name, values)| (name.clone(), values.clone()));
        let counters = state.counters().iter().map(|(name, count)| (name.clone(), *count));
        (arrays.collect(), counters.collect())
    }

    /// Goes on from a state.
    fn restore(&self, py: Python<'_>, state: State) -> PyResult<()> {
        let mut taken = TrainerState::default();
        let (arrays, counters) = state;
        arrays.into_iter().for_each(|(name, values)| taken.set_array(name, values));
        counters.into_iter().for_each(|(name, count)| taken.set_counter(name, count));
        self.lock(py).restore(&taken).map_err(|error| errors::input(py, error))
    }
}

impl ChipLayer {
    fn lock(&self, py: Python<'_>) -> std::sync::MutexGuard<'_, learning::ChipLayer> {
        self.layer.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner)
    }

    /// What the layer makes of weights (neurons × inputs), in the same form.
    fn of_weights<'py>(
        &self,
        py: Python<'py>,
        weights: &Bound<'py, PyAny>,
        made: fn(&learning::ChipLayer, &[f64]) -> Vec<f64>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let weights = arrays::array::<f64>(weights, "weights", 2)?;
        if weights.shape() != [self.neurons, self.inputs] {
            let message = format!(
                "weights have shape {:?}: the layer's have [{}, {}]",
                weights.shape(),
                self.neurons,
                self.inputs
            );
            return Err(errors::input(py, message));
        }
        let weights = arrays::values(weights.as_array().reversed_axes());
        let values = made(&self.lock(py), &weights);
        Ok(arrays::matrix(py, [self.neurons, self.inputs], true, values)?.into_any())
    }
}
