//! What is known of a substrate before it has recorded anything: the prior of its twin.

use crate::chip::{Datasheet, Deviation};
use crate::engine::layered::{LayeredEngine, Unsupported};
use crate::network::{LayeredNetwork, Node, PopulationId};
use crate::neuron::{Dynamics, NeuronParameters};

/// What is known of a substrate before it has recorded anything. Times are in time units; standard deviations are
/// above zero.
#[derive(Clone, Debug, PartialEq)]
pub struct SubstratePrior {
    /// Expected factor of thresholds above the leak potential, and its standard deviation.
    pub threshold: [f64; 2],
    /// Expected delay from a crossing to its record, beyond that of the inputs, and its standard deviation.
    pub delay: [f64; 2],
    /// Membrane time constant that the neurons are set to, if it is another than the network's.
    pub tau_m: Option<f64>,
    /// Factors of the membrane and the synaptic time constant.
    pub time_constants: [f64; 2],
    /// Standard deviation of a recorded time.
    pub jitter: f64,
    /// Standard deviation of a threshold from trial to trial, relative to it.
    pub threshold_noise: f64,
    /// Measured thresholds above the leak potential, layer after layer; empty if they are not known.
    pub measured: Vec<f64>,
}
impl SubstratePrior {
    /// For a substrate that nothing is known of, whose neurons have this synaptic time constant.
    pub fn unknown(tau_s: f64) -> Self {
        SubstratePrior {
            threshold: [1.0, 0.2],
            delay: [0.0, 0.2 * tau_s],
            tau_m: None,
            time_constants: [1.0; 2],
            jitter: 0.01 * tau_s,
            threshold_noise: 0.0,
            measured: Vec::new(),
        }
    }

    /// What a datasheet in model time says. Spreads that the twin has no parameter for (of synapses, time
    /// constants, leak potentials) widen those that it has.
    pub fn of(sheet: &Datasheet, tau_s: f64) -> Self {
        let fixed = &sheet.neurons.fixed_pattern;
        let trial = &sheet.neurons.trial_to_trial;
        let time_constants = fixed.tau_m.std.hypot(fixed.tau_s.std);
        let threshold = [
            fixed.threshold.std,
            fixed.leak_potential.std,
            time_constants,
            sheet.weights.gain.std,
            sheet.weights.offset.std,
            LEAST_SPREAD,
        ];
        let delay = [
            sheet.link.delay_fixed_pattern,
            0.5 * time_constants * tau_s,
            sheet.link.interval,
            LEAST_SPREAD * tau_s,
        ];
        let jitter = [
            sheet.link.spike_jitter,
            sheet.link.delay_jitter,
            sheet.presentation.time_stamp / 12_f64.sqrt(),
            LEAST_JITTER * tau_s,
        ]; // As on the model of a chip, no factor is below a tenth, and no threshold comes too close to its leak.
        let factor = |deviation: Deviation| (1.0 + deviation.mean).max(0.1);
        let above_leak = factor(fixed.threshold) * factor(trial.threshold)
            - fixed.leak_potential.mean
            - trial.leak_potential.mean;
        // Stronger synapses are a lower threshold.
        let expected = above_leak.max(LEAST_DISTANCE) / factor(sheet.weights.gain);
        SubstratePrior {
            threshold: [expected, norm(&threshold)],
            delay: [sheet.link.delay, norm(&delay)],
            tau_m: sheet.neurons.tau_m,
            time_constants: [
                factor(fixed.tau_m) * factor(trial.tau_m),
                factor(fixed.tau_s) * factor(trial.tau_s),
            ],
            jitter: norm(&jitter),
            threshold_noise: trial.threshold.std.hypot(trial.leak_potential.std),
            measured: Vec::new(),
        }
    }

    /// The neuron that is expected where the network has this one.
    pub fn expected(&self, target: &NeuronParameters) -> NeuronParameters {
        let [tau_m, tau_s] = self.time_constants;
        let distance = target.threshold - target.leak_potential;
        let threshold = target.leak_potential + distance * self.threshold[0].max(LEAST_DISTANCE);
        NeuronParameters {
            threshold,
            reset_potential: target.reset_potential.min(threshold - LEAST_DISTANCE * distance),
            tau_m: self.tau_m.unwrap_or(target.tau_m) * tau_m,
            tau_s: target.tau_s * tau_s,
            tau_s_inhibitory: target.tau_s_inhibitory * tau_s,
            ..*target
        }
    }
}

impl SubstratePrior {
    /// An engine of a network, with the neurons that are expected.
    ///
    /// # Errors
    /// If they need the event engine.
    pub(in crate::learning) fn expected_engine(
        &self,
        network: &LayeredNetwork,
        engine: LayeredEngine<f64>,
    ) -> Result<LayeredEngine<f64>, Unsupported> {
        let nodes: Vec<&Node> = network.network.graph().node_weights().collect();
        let populations = network.network.populations();
        let name = |layer: usize| populations[network.layers[layer].0].name.clone();
        let layer = |(index, id): (usize, &PopulationId)| {
            let neurons = nodes[populations[id.0].nodes.clone()].iter();
            let parameters = neurons.filter_map(|node| match node {
                Node::Neuron(neuron) => Some(self.expected(neuron)),
                Node::Source => None,
            });
            let dynamics = parameters.map(|neuron| Dynamics::new(&neuron));
            dynamics.collect::<Result<Vec<Dynamics>, _>>().map_err(|error| {
                Unsupported::Impossible { layer: name(index), problem: error.to_string() }
            })
        };
        let neurons: Vec<Vec<Dynamics>> =
            network.layers.iter().enumerate().map(layer).collect::<Result<_, _>>()?;
        let mut engine = engine.with_neurons(&neurons, name)?;
        let mut first = 0;
        for layer in 0..engine.layer_count() {
            let count = engine.thresholds(layer).len();
            if let Some(measured) = self.measured.get(first..first + count) {
                engine.set_thresholds(layer, measured);
            }
            first += count;
        }
        Ok(engine)
    }
}

/// No threshold comes closer to leak or reset potential than this, relative to its target.
const LEAST_DISTANCE: f64 = 0.05;
/// No datasheet is exact: the least spread of thresholds, relative to them, and of delays, in synaptic time
/// constants.
const LEAST_SPREAD: f64 = 0.02;
/// A standard deviation of zero would be certain for ever: it is at least this, relative to the threshold or in
/// synaptic time constants.
pub(super) const SMALLEST: f64 = 1e-6;
/// The least standard deviation of a recorded time, in synaptic time constants.
pub(super) const LEAST_JITTER: f64 = 1e-3;

fn norm(values: &[f64]) -> f64 {
    values.iter().map(|value| value * value).sum::<f64>().sqrt()
}
