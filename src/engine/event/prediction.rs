//! When a neuron's crossing is predicted, and when that is put off.
//!
//! A crossing costs logarithms and exponentials, and most predictions are overtaken by the next
//! input. Whether a neuron stays below its threshold up to a given time costs next to nothing
//! ([`crate::neuron::Dynamics::stays_below_threshold`]): neurons of a layer share the propagator
//! for it. So a neuron that received something is first asked whether it stays below until the
//! next spike of a source, then whether it does until the next event of any kind; only if neither
//! is sure is its crossing predicted. The results are the same bit for bit: a crossing is computed
//! from the same state whenever that happens.

use super::EventEngine;
use super::propagators::Use;
use crate::network::CompiledNetwork;

/// Until when a prediction was put off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Horizon {
    /// The next spike of a source.
    Source,
    /// The next event.
    Event,
}

/// The neurons whose predictions were put off, by horizon. An entry counts only while the neuron's
/// own mark agrees: whatever touches the neuron changes the mark.
#[derive(Clone, Debug)]
pub(super) struct Deferred {
    to_source: Vec<u32>,
    /// No neuron of the list crosses its threshold up to this time.
    source_until: f64,
    to_event: Vec<u32>,
    event_until: f64,
}

impl Default for Deferred {
    fn default() -> Self {
        Deferred {
            to_source: Vec::new(),
            source_until: f64::INFINITY,
            to_event: Vec::new(),
            event_until: f64::INFINITY,
        }
    }
}

impl Deferred {
    pub fn clear(&mut self) {
        self.to_source.clear();
        self.to_event.clear();
        (self.source_until, self.event_until) = (f64::INFINITY, f64::INFINITY);
    }

    /// Whether some neuron may cross its threshold before `now`.
    #[inline]
    pub fn due_before(&self, now: f64) -> bool {
        self.source_until < now || self.event_until < now
    }

    #[inline]
    fn push(&mut self, neuron: usize, horizon: Horizon, until: f64) {
        let (list, earliest) = match horizon {
            Horizon::Source => (&mut self.to_source, &mut self.source_until),
            Horizon::Event => (&mut self.to_event, &mut self.event_until),
        };
        list.push(neuron as u32);
        *earliest = earliest.min(until);
    }

    /// Takes a neuron off a list of which `is_due` says that its time has come.
    #[inline]
    fn pop_due(&mut self, is_due: impl Fn(f64) -> bool) -> Option<(usize, Horizon)> {
        if is_due(self.source_until) {
            if let Some(neuron) = self.to_source.pop() {
                return Some((neuron as usize, Horizon::Source));
            }
            self.source_until = f64::INFINITY;
        }
        if is_due(self.event_until) {
            if let Some(neuron) = self.to_event.pop() {
                return Some((neuron as usize, Horizon::Event));
            }
            self.event_until = f64::INFINITY;
        }
        None
    }
}

impl EventEngine {
    /// Predicts the crossings of the neurons that received something now, and of those put off
    /// until now.
    pub(super) fn predict_touched(
        &mut self,
        network: &CompiledNetwork,
        now: f64,
        source_time: f64,
        until: f64,
    ) {
        self.take_up(|time| time <= now);
        let crossing = self.crossings.next().map_or(f64::INFINITY, |(time, _)| time);
        let event_time = source_time.min(crossing).min(self.next_arrival());
        while let Some(neuron) = self.touched.pop() {
            let neuron = neuron as usize;
            self.neurons[neuron].settle();
            self.neurons[neuron].deferred = None;
            if !self.defer(network, neuron, Horizon::Source, source_time)
                && !self.defer(network, neuron, Horizon::Event, event_time)
            {
                self.predict(network, neuron, until);
            }
        }
    }

    /// Predicts what was put off until a time before `now`: the events then did not concern those
    /// neurons. They are put off again at most until the next spike of a source, so that the events
    /// in between do not have all of them looked at each time.
    pub(super) fn predict_deferred(
        &mut self,
        network: &CompiledNetwork,
        now: f64,
        source_time: f64,
        until: f64,
    ) {
        self.take_up(|time| time < now);
        while let Some(neuron) = self.touched.pop() {
            let neuron = neuron as usize;
            self.neurons[neuron].settle();
            if !self.defer(network, neuron, Horizon::Source, source_time) {
                self.predict(network, neuron, until);
            }
        }
    }

    /// Moves what was put off, and is due, to the touched neurons.
    fn take_up(&mut self, is_due: impl Fn(f64) -> bool) {
        while let Some((neuron, horizon)) = self.deferred.pop_due(&is_due) {
            let simulated = &mut self.neurons[neuron];
            if simulated.deferred == Some(horizon) {
                simulated.deferred = None;
                if !simulated.touched {
                    simulated.touched = true;
                    self.touched.push(neuron as u32);
                }
            }
        }
    }

    /// Puts the neuron's prediction off until `time` if it certainly stays below its threshold up
    /// to then.
    #[inline]
    fn defer(
        &mut self,
        network: &CompiledNetwork,
        neuron: usize,
        horizon: Horizon,
        time: f64,
    ) -> bool {
        let simulated = &mut self.neurons[neuron];
        if !self.defers || time == f64::INFINITY || simulated.release > simulated.updated {
            return false;
        }
        let purpose = match horizon {
            Horizon::Source => Use::LookToSource,
            Horizon::Event => Use::LookToEvent,
        };
        let dynamics = &network.distinct_dynamics()[simulated.dynamics as usize];
        let propagator =
            self.propagators.get(purpose, network, simulated.dynamics, time - simulated.updated);
        if !dynamics.stays_below_threshold(&simulated.state, propagator) {
            return false;
        }
        simulated.deferred = Some(horizon);
        self.deferred.push(neuron, horizon, time);
        self.crossings.cancel(neuron);
        true
    }

    /// Predicts when the neuron crosses its threshold if nothing else arrives.
    #[inline]
    pub(super) fn predict(&mut self, network: &CompiledNetwork, neuron: usize, until: f64) {
        let simulated = &self.neurons[neuron];
        let dynamics = &network.distinct_dynamics()[simulated.dynamics as usize];
        let mut state = simulated.state;
        let start = simulated.updated.max(simulated.release);
        if simulated.updated < simulated.release {
            dynamics.decay_current(&mut state, simulated.release - simulated.updated);
        }
        match dynamics.first_crossing(&state) {
            Some(crossing) if start + crossing.elapsed <= until => {
                self.crossings.schedule(neuron, start + crossing.elapsed);
            }
            _ => self.crossings.cancel(neuron),
        }
    }
}
