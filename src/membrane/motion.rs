//! A neuron on its way through its events.

use crate::engine::EngineOptions;
use crate::network::CompiledNetwork;
use crate::neuron::{Dynamics, State};

/// Something that happens to a neuron.
#[derive(Clone, Copy)]
pub(super) struct Event {
    pub time: f64,
    pub what: What,
}

#[derive(Clone, Copy)]
pub(super) enum What {
    Spike,
    Arrival { pre: u32, synapse: u32 },
}

/// A neuron at the time of its last event.
#[derive(Clone)]
pub(super) struct Membrane<'a> {
    dynamics: &'a Dynamics,
    /// State at `updated`.
    pub state: State,
    pub updated: f64,
    /// End of the refractory period.
    pub release: f64,
    /// How long a spike holds the potential at reset.
    pub hold: f64,
}

impl<'a> Membrane<'a> {
    /// The neuron at time zero.
    pub fn new(dynamics: &'a Dynamics, options: EngineOptions) -> Self {
        let once = options.at_most_one_spike;
        Membrane {
            dynamics,
            state: dynamics.initial_state(),
            updated: 0.0,
            release: f64::NEG_INFINITY,
            hold: if once { f64::INFINITY } else { dynamics.refractory_period() },
        }
    }

    /// Moves on to a time before which nothing more happens.
    pub fn move_to(&mut self, time: f64) {
        if self.updated < self.release {
            let held_until = self.release.min(time);
            self.dynamics.decay_current(&mut self.state, held_until - self.updated);
            self.updated = held_until;
        }
        if self.updated < time {
            self.dynamics.advance(&mut self.state, time - self.updated);
            self.updated = time;
        }
    }

    /// Moves on to an event and through it.
    pub fn meet(&mut self, event: &Event, network: &CompiledNetwork) {
        self.move_to(event.time);
        match event.what {
            What::Spike => {
                self.dynamics.reset(&mut self.state);
                self.release = self.updated + self.hold;
            }
            What::Arrival { synapse, .. } => {
                let synapse = synapse as usize;
                let (weight, inhibitory) =
                    (network.weights()[synapse], network.is_inhibitory(synapse));
                self.dynamics.receive_at(&mut self.state, weight, inhibitory);
            }
        }
    }

    /// When the potential reaches the threshold if no spike resets it: `events` are all that follow,
    /// of which only arrivals count.
    pub fn crossing(mut self, events: &[Event], network: &CompiledNetwork) -> Option<f64> {
        let arrivals = events.iter().filter(|event| matches!(event.what, What::Arrival { .. }));
        let mut arrivals = arrivals.peekable();
        loop {
            let next = arrivals.peek().map_or(f64::INFINITY, |event| event.time);
            let free = self.updated.max(self.release);
            // What arrives at one moment counts together.
            if free < next {
                let mut there = self.clone();
                there.move_to(free);
                let crossing = self.dynamics.first_crossing(&there.state);
                let crossing = crossing.map(|crossing| free + crossing.elapsed);
                if let Some(time) = crossing.filter(|&time| time <= next) {
                    return Some(time);
                }
            }
            self.meet(arrivals.next()?, network);
        }
    }
}
