//! One layer on the model of a chip, on flat arrays: training in the loop from frameworks for automatic
//! differentiation.
//!
//! ```text
//! weights ─→ programmed ─→ ┐
//! times (sample × input) ─→ ChipModel ─→ recorded spikes (sample × neuron) ─→ the loss
//!                               └─→ FirstSpikeLayer::record ─→ ChipRun::layer ─→ backward
//!                                          └─→ twin, for the next samples
//! ```
//!
//! The [`LearningRule`] says of which neurons the derivatives are, as in the training of whole networks. They are
//! derivatives by what the chip is programmed with, and are taken for those by the weights behind it.

use super::twin::{ExpectedLayer, Twin};
use super::{LearningRule, StateError, SubstratePrior, TrainerState};
use crate::chip::{
    ChipModel, Datasheet, HardwareClock, PresentationKey, Presented, Program, Substrate,
    SubstrateError, WeightGrid, misfit,
};
use crate::engine::layered::DerivativesAt;
use crate::engine::{
    FirstSpikeLayer, LayerArrays, LayerInputError, LayerNeuronParameters, SourceSpike, WeightOrder,
};
use crate::network::{DelayKind, Layer, LayerDelays, LayerError, LayeredNetwork, layered};
use crate::neuron::{Dynamics, NeuronParameters, ParameterError};

/// What a layer on a chip is.
#[derive(Clone, Copy, Debug)]
pub struct ChipLayerSettings<'a> {
    /// The chip.
    pub sheet: &'a Datasheet,
    /// Number of inputs.
    pub inputs: usize,
    /// The neurons that the chip is set to, of one membrane.
    pub neurons: &'a [NeuronParameters],
    /// What has delays; not synapses.
    pub delays: Option<DelayKind>,
    /// Where derivatives come from.
    pub rule: LearningRule,
    /// What trials are drawn with, and the individual chip, unless the sheet names one.
    pub seed: u64,
}

/// One layer on the model of a chip.
#[derive(Debug)]
pub struct ChipLayer {
    model: ChipModel,
    grid: Option<WeightGrid>,
    network: LayeredNetwork,
    rule: LearningRule,
    /// Of the neurons that derivatives are of.
    parameters: LayerNeuronParameters,
    twin: Option<Twin>,
    inputs: usize,
    delays: Option<DelayKind>,
    /// Presentations in training so far: each has noise of its own.
    shown: u64,
}

/// Samples that ran on the chip.
#[derive(Debug)]
pub struct ChipRun {
    /// What was recorded, sample × neuron: first spikes, in time units; infinite without one.
    pub spikes: Vec<f64>,
    /// Takes derivatives back.
    pub layer: FirstSpikeLayer<f64>,
}

/// A layer that is not on the chip, or samples that it cannot run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChipLayerError {
    /// It does not fit.
    #[error("{0}")]
    Misfit(String),
    /// It is no layer.
    #[error(transparent)]
    Layer(#[from] LayerError),
    /// A parameter of the neurons that are expected there is out of its range.
    #[error("the neurons that are expected on the chip: {0}")]
    Parameter(#[from] ParameterError),
    /// The model refuses it.
    #[error(transparent)]
    Chip(#[from] SubstrateError),
    /// An array does not fit, or a value is out of its range.
    #[error(transparent)]
    Input(#[from] LayerInputError),
}

impl ChipLayer {
    /// Puts a layer on a chip.
    ///
    /// # Errors
    /// If it does not fit there.
    pub fn new(settings: &ChipLayerSettings<'_>) -> Result<Self, ChipLayerError> {
        let ChipLayerSettings { sheet, inputs, neurons, delays, rule, seed } = *settings;
        let count = neurons.len();
        let layer = Layer {
            name: "layer".to_owned(),
            neurons: neurons.to_vec(),
            bias_sources: 0,
            weights: vec![0.0; inputs * count],
            delays: delays
                .map(|kind| LayerDelays { kind, values: vec![0.0; kind.count(inputs, count)] }),
        };
        let network = layered(inputs, &[layer])?;
        let tau_s = neurons[0].tau_s;
        let clock = HardwareClock::new(sheet, tau_s);
        let sheet = sheet.in_model_time(clock.map_or(1.0, |clock| 1.0 / clock.per_model_time));
        if let Some(message) = misfit(&sheet, &network, 1) {
            return Err(ChipLayerError::Misfit(message));
        }
        let model = ChipModel::new(&sheet, &network, seed)?;
        let mut prior = SubstratePrior::of(&sheet, tau_s);
        if sheet.neurons.measured.is_some() {
            prior.measured = model.thresholds();
        }
        let above_leak = |neuron: &NeuronParameters| neuron.threshold - neuron.leak_potential;
        let targets: Vec<f64> = neurons.iter().map(above_leak).collect();
        let expected = match rule {
            LearningRule::Recorded => neurons.to_vec(),
            _ => neurons.iter().map(|neuron| prior.expected(neuron)).collect(),
        };
        for neuron in &expected {
            Dynamics::new(neuron)?;
        }
        let is_measured = rule != LearningRule::Recorded && prior.measured.len() == count;
        let thresholds = match is_measured {
            true => prior.measured.clone(),
            false => expected.iter().map(above_leak).collect(),
        };
        let twin = (rule == LearningRule::Twin).then(|| {
            let thresholds = thresholds.clone();
            Twin::new(&prior, [ExpectedLayer { thresholds, targets, tau_s }].into_iter())
        });
        let NeuronParameters { tau_m, tau_s, capacitance, .. } = expected[0];
        Ok(ChipLayer {
            grid: WeightGrid::new(&sheet, &network),
            model,
            network,
            rule,
            parameters: LayerNeuronParameters { tau_m, tau_s, capacitance, thresholds },
            twin,
            inputs,
            delays,
            shown: 0,
        })
    }

    /// What the chip is programmed with for these weights (input × neuron).
    pub fn programmed(&self, weights: &[f64]) -> Vec<f64> {
        match &self.grid {
            Some(grid) => grid.program_all(&self.network.shapes(), weights),
            None => weights.to_vec(),
        }
    }

    /// These weights (input × neuron) within the chip's range. A weight beyond acts as the limit does: an
    /// optimiser's steps there do nothing, and as many have to lead back.
    pub fn clipped(&self, weights: &[f64]) -> Vec<f64> {
        match &self.grid {
            Some(grid) => grid.clip_all(&self.network.shapes(), weights),
            None => weights.to_vec(),
        }
    }

    /// Runs samples on the chip. `weights` are input × neuron, `delays` one per input or neuron. In training every
    /// presentation has new noise and the twin learns from the record; else noise depends on the place of a sample
    /// alone.
    ///
    /// # Errors
    /// If an array does not fit, or a value is out of its range.
    pub fn run(
        &mut self,
        weights: &[f64],
        delays: &[f64],
        times: &[f64],
        trains: bool,
        by_times: bool,
    ) -> Result<ChipRun, ChipLayerError> {
        let (inputs, neurons) = (self.inputs, self.network.shapes()[0].columns);
        let weights = self.programmed(weights);
        let parameters = self.parameters.clone();
        let arrays = LayerArrays {
            inputs,
            neurons,
            samples: times.len() / inputs,
            times,
            weights: &weights,
            order: WeightOrder::ByInput,
            delays: self.delays.map(|kind| (kind, delays)),
            parameters: &parameters,
            by_times,
        };
        arrays.check()?;
        let spikes = self.present(&arrays, trains)?;
        let mut layer = FirstSpikeLayer::default();
        if !trains {
            return Ok(ChipRun { spikes, layer });
        }
        let noise = self.twin.as_ref().map(Twin::record_noise).unwrap_or_default();
        let derivatives = match self.rule {
            LearningRule::Recorded => DerivativesAt::Record,
            LearningRule::Datasheet | LearningRule::Twin => DerivativesAt::Crossings(&noise),
        };
        layer.record(&arrays, &spikes, derivatives)?;
        if let Some(twin) = &mut self.twin {
            let mut observations = twin.no_observations();
            layer.compare(|neurons| twin.observe(0, neurons, &mut observations[0]));
            twin.learn(&observations);
            self.parameters.thresholds = twin.thresholds(0);
        }
        Ok(ChipRun { spikes, layer })
    }

    /// What the chip records of samples.
    fn present(
        &mut self,
        arrays: &LayerArrays<'_, f64>,
        trains: bool,
    ) -> Result<Vec<f64>, SubstrateError> {
        let LayerArrays { inputs, neurons, samples, times, weights, .. } = *arrays;
        self.shown += u64::from(trains);
        let epoch = if trains { self.shown } else { 0 };
        let delays = arrays.delays.map_or_else(Vec::new, |(kind, delays)| {
            kind.of_synapses(delays, inputs, neurons).collect()
        });
        self.model.program(&Program { weights, delays: &delays })?;
        let presented: Vec<Presented> = times
            .chunks_exact(inputs)
            .zip(0..)
            .map(|(times, sample)| {
                let spikes = times.iter().zip(0..).filter(|(time, _)| **time < f64::INFINITY);
                Presented {
                    key: PresentationKey { epoch, sample, batch: 0 },
                    stimulus: spikes.map(|(&time, source)| SourceSpike { time, source }).collect(),
                }
            })
            .collect();
        let records = self.model.present(&presented)?;
        let mut spikes = vec![f64::INFINITY; samples * neurons];
        for (spikes, record) in spikes.chunks_exact_mut(neurons).zip(&records) {
            for spike in record {
                let first = &mut spikes[spike.node as usize - inputs];
                *first = first.min(spike.time);
            }
        }
        Ok(spikes)
    }

    /// Thresholds of the neurons that derivatives are of: estimates of the twin, or what the sheet promises.
    pub fn thresholds(&self) -> &[f64] {
        &self.parameters.thresholds
    }

    /// Thresholds that the neurons of the model have, but for what changes from trial to trial.
    pub fn true_thresholds(&self) -> Vec<f64> {
        self.model.thresholds()
    }

    /// What was learned of the chip, and how many presentations there were.
    pub fn state(&self) -> TrainerState {
        let mut state = TrainerState::default();
        state.set_counter("shown", self.shown);
        if let Some(twin) = &self.twin {
            twin.save(&mut state);
        }
        state
    }

    /// Goes on from a state.
    ///
    /// # Errors
    /// If it is not of this layer.
    pub fn restore(&mut self, state: &TrainerState) -> Result<(), StateError> {
        let shown = state.counter("shown", u64::MAX)?;
        if let Some(twin) = &mut self.twin {
            *twin = twin.restored(state)?;
            self.parameters.thresholds = twin.thresholds(0);
        }
        self.shown = shown;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use rand::RngExt;

    use super::*;
    use crate::random;

    fn layer(sheet: &Datasheet, rule: LearningRule) -> ChipLayer {
        let settings = ChipLayerSettings {
            sheet,
            inputs: 6,
            neurons: &[NeuronParameters::default(); 10],
            delays: None,
            rule,
            seed: 3,
        };
        ChipLayer::new(&settings).expect("it fits")
    }

    fn arrays(samples: usize) -> (Vec<f64>, Vec<f64>) {
        let mut random = random::stream(1, "chip layer", 0);
        let mut draw = |count: usize, low: f64, high: f64| -> Vec<f64> {
            (0..count).map(|_| random.random_range(low..high)).collect()
        };
        (draw(60, 0.2, 1.8), draw(samples * 6, 0.0, 2.0))
    }

    #[test]
    fn on_an_ideal_chip_the_layer_is_the_ideal_one_whatever_the_rule() {
        let (weights, times) = arrays(40);
        let by_spikes: Vec<f64> = (0..400).map(|spike| f64::from(spike % 7) - 3.0).collect();
        let parameters = LayerNeuronParameters {
            tau_m: 1.0,
            tau_s: 1.0,
            capacitance: 1.0,
            thresholds: vec![1.0],
        };
        let ideal = LayerArrays {
            inputs: 6,
            neurons: 10,
            samples: 40,
            times: &times,
            weights: &weights,
            order: WeightOrder::ByInput,
            delays: None,
            parameters: &parameters,
            by_times: true,
        };
        let mut expected = vec![0.0; 400];
        let mut exact = FirstSpikeLayer::default();
        exact.forward(&ideal, &mut expected).expect("valid");
        let gradients = exact.backward(&by_spikes).expect("valid");
        for rule in [LearningRule::Recorded, LearningRule::Datasheet, LearningRule::Twin] {
            let mut on_chip = layer(&Datasheet::default(), rule);
            let mut run = on_chip.run(&weights, &[], &times, true, true).expect("valid");
            let found = run.layer.backward(&by_spikes).expect("valid");
            let close = |a: f64, b: f64| a == b || (a - b).abs() < 1e-9 * (1.0 + b.abs());
            for (spike, (&a, &b)) in run.spikes.iter().zip(&expected).enumerate() {
                assert!(close(a, b), "{rule:?}, spike {spike}: {a} and {b}");
            }
            for (a, b) in found.weights.iter().zip(&gradients.weights) {
                assert!((a - b).abs() < 1e-6 * (1.0 + b.abs()), "{rule:?}: {a} and {b}");
            }
            for (a, b) in found.times.iter().zip(&gradients.times) {
                assert!((a - b).abs() < 1e-6 * (1.0 + b.abs()), "{rule:?}: {a} and {b}");
            }
        }
    }

    #[test]
    fn the_twin_finds_thresholds_and_goes_on_from_its_state() {
        let mut sheet = Datasheet::default();
        sheet.neurons.fixed_pattern.threshold.std = 0.1;
        sheet.link.spike_jitter = 0.02;
        let mut on_chip = layer(&sheet, LearningRule::Twin);
        let (weights, times) = arrays(100);
        let error = |layer: &ChipLayer| -> f64 {
            let pairs = layer.thresholds().iter().zip(layer.true_thresholds());
            pairs.map(|(estimate, truth)| (estimate - truth).powi(2)).sum::<f64>().sqrt()
        };
        let before = error(&on_chip);
        for _ in 0..20 {
            on_chip.run(&weights, &[], &times, true, false).expect("valid");
        }
        assert!(error(&on_chip) < 0.3 * before, "{} of {before}", error(&on_chip));
        let mut other = layer(&sheet, LearningRule::Twin);
        other.restore(&on_chip.state()).expect("its own");
        assert_eq!(other.thresholds(), on_chip.thresholds());
        let next = |layer: &mut ChipLayer| {
            layer.run(&weights, &[], &times, true, false).expect("valid").spikes
        };
        assert_eq!(next(&mut other), next(&mut on_chip));
    }
}
