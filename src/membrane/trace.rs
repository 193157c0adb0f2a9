//! What a picture of one neuron's potential needs.

use super::SpikeTrains;
use super::motion::{Event, Membrane, What};
use crate::engine::EngineOptions;
use crate::network::CompiledNetwork;

/// Evenly spaced times in a window at which a potential is computed, besides those of events: more
/// than a picture has pixels.
const SAMPLES: u32 = 1000;

/// The potential of one neuron in a stretch of time, with everything that happens to it. Times are in
/// time units, potentials in the units of the neuron's parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct MembraneTrace {
    /// Times of the potentials, in order: a fine grid, every event, and twice the time of each spike.
    pub times: Vec<f64>,
    /// Potential at these times. The first of the two at a spike is just before its reset, the second
    /// just after it.
    pub potential: Vec<f64>,
    /// Spikes that arrive at the neuron, by time.
    pub inputs: Vec<InputSpike>,
    /// Threshold potential.
    pub threshold: f64,
    /// Potential to which a spike resets the neuron.
    pub reset: f64,
    /// Potential at which the neuron rests without input and bias current.
    pub leak: f64,
    /// The recorded spikes of the neuron.
    pub spikes: Vec<f64>,
    /// When the potential reaches the threshold by itself, if it does: after the start, and again after
    /// each refractory period, had the recorded spike that follows not reset it. In a run of exact
    /// engines these are the recorded spikes.
    pub crossings: Vec<f64>,
    /// From when to when the neuron was held at reset, within the window. A neuron that may spike only
    /// once is held from its spike on.
    pub refractory: Vec<(f64, f64)>,
}

/// A spike that arrives at a neuron.
#[derive(Clone, Debug, PartialEq)]
pub struct InputSpike {
    /// When it arrives, its delay included.
    pub time: f64,
    /// Name of the population it comes from.
    pub population: String,
    /// Index of the neuron in it.
    pub neuron: usize,
    /// Weight of the synapse: the jump of the current.
    pub weight: f64,
    /// The largest deflection of the potential that it would cause in a neuron at rest.
    pub amplitude: f64,
    /// What it had added to the potential by the first spike of the neuron in the run; none if it
    /// arrives later, or the neuron is silent.
    pub contribution: Option<f64>,
}

impl SpikeTrains {
    /// The potential of a neuron from one time to another (the first not negative, the second not
    /// smaller), and what happens meanwhile. `options` are those of the run. None if the node is a
    /// source or its spikes were not recorded.
    pub fn trace(
        &self,
        network: &CompiledNetwork,
        neuron: usize,
        options: EngineOptions,
        (from, to): (f64, f64),
    ) -> Option<MembraneTrace> {
        let dynamics = network.dynamics(neuron)?;
        let parameters = network.distinct_parameters()[network.dynamics_index(neuron)? as usize];
        let events = self.events(network, neuron)?;
        let at_start = Membrane::new(dynamics, options);
        let hold = at_start.hold;
        let within = |time: f64| from <= time && time <= to;
        let is_spike = |event: &&Event| matches!(event.what, What::Spike);
        let all_spikes: Vec<f64> = events.iter().filter(is_spike).map(|spike| spike.time).collect();
        let spikes: Vec<f64> = all_spikes.iter().copied().filter(|&time| within(time)).collect();

        let grid =
            (0..=SAMPLES).map(|step| from + (to - from) * f64::from(step) / f64::from(SAMPLES));
        let released = all_spikes.iter().map(|spike| spike + hold);
        let special = events.iter().map(|event| event.time).chain(released).filter(|&t| within(t));
        let mut before: Vec<f64> = grid.chain(special).collect();
        before.sort_by(f64::total_cmp);
        before.dedup();
        let states = self.states(network, neuron, options, &before)?;
        let mut resets = spikes.iter().peekable();
        let (mut times, mut potential) = (Vec::new(), Vec::new());
        for (&time, state) in before.iter().zip(&states) {
            times.push(time);
            potential.push(dynamics.membrane_potential(state));
            if resets.next_if(|&&spike| spike == time).is_some() {
                times.push(time);
                potential.push(parameters.reset_potential);
            }
        }

        let mut membrane = at_start.clone();
        let mut crossings = Vec::from_iter(at_start.crossing(&events, network));
        for (index, event) in events.iter().enumerate() {
            membrane.meet(event, network);
            if is_spike(&event) {
                crossings.extend(membrane.clone().crossing(&events[index + 1..], network));
            }
        }
        crossings.retain(|&time| within(time));

        let name_of = |node: usize| {
            let found = network.populations().iter().find(|known| known.nodes.contains(&node));
            found.map_or((String::new(), node), |population| {
                (population.name.clone(), node - population.nodes.start)
            })
        };
        let first_spike = all_spikes.first().copied();
        let input = |event: &Event| {
            let What::Arrival { pre, synapse } = event.what else { return None };
            let synapse = synapse as usize;
            let (weight, inhibitory) = (network.weights()[synapse], network.is_inhibitory(synapse));
            let (population, neuron) = name_of(pre as usize);
            let contribution = first_spike
                .filter(|&spike| event.time < spike)
                .map(|spike| weight * dynamics.response_at(inhibitory, spike - event.time).0);
            let amplitude = weight * dynamics.peak_response_at(inhibitory);
            Some(InputSpike {
                time: event.time,
                population,
                neuron,
                weight,
                amplitude,
                contribution,
            })
        };
        let arrivals = events.iter().filter(|event| within(event.time));
        Some(MembraneTrace {
            times,
            potential,
            inputs: arrivals.filter_map(input).collect(),
            threshold: parameters.threshold,
            reset: parameters.reset_potential,
            leak: parameters.leak_potential,
            spikes,
            crossings,
            refractory: all_spikes
                .iter()
                .map(|&spike| (spike.max(from), (spike + hold).min(to)))
                .filter(|(start, end)| start < end)
                .collect(),
        })
    }
}
