//! The twin of a substrate: what its neurons really are, learned from the records that training in the loop
//! makes anyway.
//!
//! The paper's rule takes a recorded spike time `T` for the truth, and its derivatives there. Under jitter that
//! goes wrong: a spike that was early by chance precedes some of its causes, and has no gradient where the
//! others would not have reached the threshold. But the times of the inputs are recorded, too, so a model of the
//! neuron tells when it should have crossed its threshold, `T*`. Derivatives at `T*` are the exact ones of the
//! mean behaviour under jitter; `T` stays where it belongs, in the loss and at the inputs of the next layer.
//!
//! A model is only as good as its parameters, and no two neurons of an analog chip are alike. So two deviations
//! of every neuron are estimated from the same records: its threshold `ϑ` and a delay `δ`. Records tell them apart
//! because the same change of threshold moves a spike on a steep slope less than one on a flat slope:
//!
//! ```text
//! T − T*(ϑ) = δ + noise        ∂T/∂ϑ = 1/V̇(T*)        ∂T/∂δ = 1
//! ```
//!
//! The [`filter`] is an extended Kalman filter in information form, one per neuron, with the datasheet's spreads
//! as its prior ([`SubstratePrior`]) and the datasheet's jitter as its noise. Batches add to it in their order,
//! whatever the number of threads.
//!
//! ```text
//! records ─→ LayeredEngine::load_record (thresholds of the twin) ─→ crossings, slopes ─→ gradients
//!                                             └─→ Observations ─→ Twin::learn ─→ thresholds for the next batch
//! ```
//!
//! What it does not estimate: deviations of single synapses and of time constants. They act much like one of the
//! threshold, which takes them up as far as it can; the rest disturbs the potential like noise.
//!
//! Not all noise is jitter. A disturbance of the potential (noise of the threshold, a lost input) truly moves the
//! crossing, and derivatives belong where it was. Such a disturbance counts the more the flatter the potential, and
//! jitter does not: so the two are told apart ([`moments`]), and derivatives are taken between `T*` and the record
//! ([`DerivativesAt::Crossings`](crate::engine::layered::DerivativesAt)).
mod filter;
mod identify;
mod moments;
mod prior;
use serde::{Deserialize, Serialize};

pub(super) use self::filter::NeuronObservations;
use self::filter::{NeuronEstimate, Variance};
pub use self::identify::{Identification, identify};
use self::moments::Moments;
pub use self::prior::SubstratePrior;
use self::prior::{LEAST_JITTER, SMALLEST};
use super::{StateError, TrainerState};
use crate::engine::layered::{Comparison, LayeredEngine, RecordNoise, Unsupported};
use crate::network::LayeredNetwork;
/// Where the derivatives of spikes come from that a substrate recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum LearningRule {
    /// From the crossings of a twin: a model of every neuron whose threshold and delay are estimated from the
    /// same records.
    #[default]
    Twin,
    /// From the crossings of the neurons that the datasheet promises.
    Datasheet,
    /// From the recorded times, with the causes recorded before them (Göltz, Kriener et al. 2021).
    Recorded,
}

impl LearningRule {
    /// As it is written in files.
    pub fn name(self) -> &'static str {
        match self {
            LearningRule::Twin => "twin",
            LearningRule::Datasheet => "datasheet",
            LearningRule::Recorded => "recorded",
        }
    }
}

/// What a batch says of the neurons: per layer and neuron.
pub(super) type Observations = Vec<Vec<NeuronObservations>>;

/// The twin of one layer.
#[derive(Clone, Debug, PartialEq)]
struct LayerTwin {
    neurons: Vec<NeuronEstimate>,
    /// The same before anything was recorded.
    priors: Vec<NeuronEstimate>,
    /// Thresholds of the network's neurons, relative to the leak potential.
    targets: Vec<f64>,
    /// What its residuals say of the two kinds of noise, and the variances that follow: of times, in time units
    /// squared, and of potentials, in their units squared.
    moments: Moments,
    variances: [f64; 2],
    /// Weights of residuals, and their squares times these, in time units squared.
    residuals: [f64; 2],
    /// Batches so far.
    batches: f64,
    /// Synaptic time constant, in time units.
    tau_s: f64,
}

impl LayerTwin {
    /// Standard deviation of records around the crossings, in time units.
    fn residual(&self) -> f64 {
        (self.residuals[1] / self.residuals[0]).sqrt()
    }
}

/// The twin of a substrate with a layered network.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Twin {
    layers: Vec<LayerTwin>,
}

/// A layer as it is expected on a substrate.
pub(super) struct ExpectedLayer {
    /// Relative to the leak potential.
    pub thresholds: Vec<f64>,
    /// The same of the network's neurons.
    pub targets: Vec<f64>,
    /// In time units.
    pub tau_s: f64,
}

/// Batches that a layer remembers of its noise.
const NOISE_MEMORY: f64 = 150.0;
/// What the prior says of the noise counts as so many spikes.
const PRIOR_SPIKES: f64 = 100.0;
impl Twin {
    /// The twin of layers that are expected to be like this.
    pub fn new(prior: &SubstratePrior, layers: impl Iterator<Item = ExpectedLayer>) -> Self {
        let layer = |ExpectedLayer { thresholds, targets, tau_s }: ExpectedLayer| {
            let delay = [prior.delay[0], prior.delay[1].max(SMALLEST * tau_s)];
            let neurons: Vec<NeuronEstimate> = thresholds
                .iter()
                .zip(&targets)
                .map(|(&threshold, &target)| {
                    let spread = prior.threshold[1].max(SMALLEST) * target;
                    NeuronEstimate::new([threshold, delay[0]], [spread, delay[1]])
                })
                .collect();
            let typical = thresholds.iter().sum::<f64>() / thresholds.len() as f64;
            let jitter = prior.jitter.max(LEAST_JITTER * tau_s);
            let variances = [jitter * jitter, (prior.threshold_noise * typical).powi(2)];
            // Flat and steep crossings, as the prior expects them.
            let mut moments = Moments::default();
            for slope in [0.0, 1.0, 2.0] {
                let square = (slope * tau_s / typical).powi(2);
                let variance = variances[0] + variances[1] * square;
                moments.observe(PRIOR_SPIKES / (variance * variance), square, variance);
            }
            LayerTwin {
                priors: neurons.clone(),
                neurons,
                targets,
                moments,
                variances,
                residuals: [PRIOR_SPIKES, PRIOR_SPIKES * variances[0]],
                batches: 0.0,
                tau_s,
            }
        };
        Twin { layers: layers.map(layer).collect() }
    }

    /// The twin of a substrate that runs a network, and the engine with the neurons that are expected there.
    ///
    /// # Errors
    /// If they need the event engine.
    pub fn of(
        prior: SubstratePrior,
        network: &LayeredNetwork,
        engine: LayeredEngine<f64>,
    ) -> Result<(LayeredEngine<f64>, Self), Unsupported> {
        let targets: Vec<Vec<f64>> =
            (0..engine.layer_count()).map(|layer| engine.thresholds(layer).to_vec()).collect();
        let engine = prior.expected_engine(network, engine)?;
        let layers = targets.into_iter().enumerate().map(|(layer, targets)| ExpectedLayer {
            thresholds: engine.thresholds(layer).to_vec(),
            targets,
            tau_s: engine.tau_s(layer),
        });
        let twin = Twin::new(&prior, layers);
        Ok((engine, twin))
    }

    /// Gives an engine the thresholds of the twin.
    pub fn show_to(&self, engine: &mut LayeredEngine<f64>) {
        for layer in 0..engine.layer_count() {
            engine.set_thresholds(layer, &self.thresholds(layer));
        }
    }

    /// Adds to observations what the prior says of the estimates: how it pulls them back.
    pub fn pull_back(&self, observations: &mut Observations) {
        for (layer, observations) in self.layers.iter().zip(observations) {
            let neurons = layer.neurons.iter().zip(&layer.priors);
            for ((neuron, prior), observation) in neurons.zip(observations) {
                neuron.pull_back(prior, observation);
            }
        }
    }

    /// Keeps the estimates, but is as uncertain of them as at first.
    pub fn forget(&mut self) {
        for LayerTwin { neurons, priors, .. } in &mut self.layers {
            neurons.iter_mut().zip(priors).for_each(|(neuron, prior)| neuron.forget(prior));
        }
    }

    /// Thresholds of a layer, relative to the leak potential.
    pub fn thresholds(&self, layer: usize) -> Vec<f64> {
        self.layers[layer].neurons.iter().map(NeuronEstimate::threshold).collect()
    }

    /// Observations of nothing.
    pub fn no_observations(&self) -> Observations {
        let layer = |layer: &LayerTwin| vec![NeuronObservations::default(); layer.neurons.len()];
        self.layers.iter().map(layer).collect()
    }

    /// Adds what samples say of the neurons of a layer.
    pub fn observe<'a>(
        &self,
        layer: usize,
        neurons: impl Iterator<Item = Comparison<'a>>,
        observations: &mut [NeuronObservations],
    ) {
        let LayerTwin { neurons: estimates, variances, tau_s, .. } = &self.layers[layer];
        let [of_time, of_potential] = *variances;
        let variance = Variance { of_time, of_potential, tau_s: *tau_s };
        for ((comparison, estimate), sums) in neurons.zip(estimates).zip(observations) {
            estimate.observe(&comparison, &variance, sums);
        }
    }

    /// Learns from all that a batch said.
    pub fn learn(&mut self, observations: &Observations) {
        for (layer, observations) in self.layers.iter_mut().zip(observations) {
            let (mut weight, mut squares, mut moments) = (0.0, 0.0, Moments::default());
            for observation in observations {
                weight += observation.weight;
                squares += observation.squares;
                moments.add(&observation.moments, 1.0);
            }
            if weight > 0.0 {
                // As in the filter: the first batches say little.
                layer.batches = (layer.batches + 1.0).min(NOISE_MEMORY);
                let share = (1.0 - 1.0 / (1.0 + layer.batches)).powi(2);
                layer.residuals[0] = share * layer.residuals[0] + weight;
                layer.residuals[1] = share * layer.residuals[1] + squares;
                layer.moments.add(&moments, share);
                let least = (LEAST_JITTER * layer.tau_s).powi(2);
                layer.variances = layer.moments.variances(least);
            }
            let earliest = 0.1 * layer.tau_s;
            let neurons = layer.neurons.iter_mut().zip(&layer.priors);
            for ((neuron, prior), observation) in neurons.zip(observations) {
                neuron.learn(observation, prior, earliest);
            }
        }
    }
    /// What makes the records of each layer differ from its crossings.
    pub fn record_noise(&self) -> Vec<RecordNoise> {
        let layer = |layer: &LayerTwin| RecordNoise {
            delays: layer.neurons.iter().map(NeuronEstimate::delay).collect(),
            time_variance: layer.variances[0],
            potential_variance: layer.variances[1],
        };
        self.layers.iter().map(layer).collect()
    }

    /// Standard deviation of the records of a layer around its crossings, in time units.
    pub fn noise(&self, layer: usize) -> f64 {
        self.layers[layer].residual()
    }
    /// Adds everything to a state.
    pub fn save(&self, state: &mut TrainerState) {
        for (index, layer) in self.layers.iter().enumerate() {
            let numbers = layer.neurons.iter().flat_map(NeuronEstimate::numbers).collect();
            state.set_array(format!("twin.{index}.neurons"), numbers);
            let [of_time, of_potential] = layer.variances;
            let [weight, squares] = layer.residuals;
            let mut noise = vec![layer.batches, weight, squares, of_time, of_potential];
            noise.extend(layer.moments.numbers());
            state.set_array(format!("twin.{index}.noise"), noise);
        }
    }

    /// The twin of a state.
    ///
    /// # Errors
    /// If the state has none of this network.
    pub fn restored(&self, state: &TrainerState) -> Result<Self, StateError> {
        let mut twin = self.clone();
        for (index, layer) in twin.layers.iter_mut().enumerate() {
            let length = filter::NUMBERS * layer.neurons.len();
            let numbers = state.array(&format!("twin.{index}.neurons"), length)?;
            let each = numbers.as_chunks::<{ filter::NUMBERS }>().0;
            let neurons = layer.neurons.iter_mut().zip(each);
            neurons.for_each(|(neuron, numbers)| *neuron = NeuronEstimate::from_numbers(*numbers));
            let noise = state.array(&format!("twin.{index}.noise"), 5 + moments::NUMBERS)?;
            layer.batches = noise[0];
            layer.residuals = [noise[1], noise[2]];
            layer.variances = [noise[3], noise[4]];
            layer.moments = Moments::from_numbers(std::array::from_fn(|place| noise[5 + place]));
        }
        Ok(twin)
    }

    /// What was found of every neuron, layer after layer.
    pub fn found(&self) -> Vec<FoundNeuron> {
        let each = self.layers.iter().enumerate();
        each.flat_map(|(index, layer)| {
            let neurons = layer.neurons.iter().zip(&layer.priors).zip(&layer.targets);
            neurons.map(move |((neuron, prior), &target)| {
                let ([threshold, delay], [compared, only_recorded, only_computed]) =
                    neuron.found(prior);
                FoundNeuron {
                    layer: index,
                    target,
                    threshold,
                    true_threshold: None,
                    delay,
                    residual: layer.residual(),
                    compared,
                    missed: [only_recorded, only_computed],
                }
            })
        })
        .collect()
    }
}

/// What was found of a neuron on a substrate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FoundNeuron {
    /// Its layer, from zero.
    pub layer: usize,
    /// Threshold of the network's neuron, relative to the leak potential, as everything here that is a threshold.
    pub target: f64,
    /// Estimate and standard deviation of its threshold.
    pub threshold: [f64; 2],
    /// The threshold that it has, if the substrate knows.
    pub true_threshold: Option<f64>,
    /// Estimate and standard deviation of its delay, in time units.
    pub delay: [f64; 2],
    /// Standard deviation of its layer's records around the crossings of the twin, in time units.
    pub residual: f64,
    /// Spikes that were compared.
    pub compared: u64,
    /// Spikes that only the record has, and that only the twin has.
    pub missed: [u64; 2],
}

#[cfg(test)]
mod tests;
