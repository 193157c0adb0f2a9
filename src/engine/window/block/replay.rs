//! The exact run of single neurons through an interval, input by input.

use super::Block;
use crate::engine::window::schedule::{Interval, Schedule};
use crate::engine::{EngineOptions, Spike};
use crate::network::CompiledNetwork;
use crate::neuron::add_compensated;

/// A neuron that may have crossed its threshold, with the list of its inputs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate {
    neuron: usize,
    first_input: u32,
    last_input: u32,
}

/// One input of a candidate, and the index of its next.
#[derive(Clone, Copy, Debug)]
pub(super) struct Input {
    time: f64,
    weight: f64,
    next: u32,
}

const NONE: u32 = u32::MAX;

impl Candidate {
    pub fn new(neuron: usize) -> Self {
        Candidate { neuron, first_input: NONE, last_input: NONE }
    }
}

impl Block {
    /// Runs the candidates through the interval again, and empties their list.
    pub(super) fn replay_candidates(
        &mut self,
        network: &CompiledNetwork,
        schedule: &Schedule,
        interval: &Interval,
        options: EngineOptions,
    ) {
        if self.candidates.is_empty() {
            return;
        }
        self.gather_inputs(network, schedule, interval);
        for index in 0..self.candidates.len() {
            let candidate = self.candidates[index];
            self.candidate_of[candidate.neuron] = 0;
            self.replay(network, candidate, interval, options);
        }
    }

    /// Lists the inputs of every candidate in the order in which they arrive.
    fn gather_inputs(
        &mut self,
        network: &CompiledNetwork,
        schedule: &Schedule,
        interval: &Interval,
    ) {
        self.inputs.clear();
        for arrival in &schedule.arrivals[interval.arrivals.clone()] {
            let reached = self.reached(network, arrival.bundle);
            let targets = &network.targets()[reached.clone()];
            for (&target, &weight) in targets.iter().zip(&network.weights()[reached]) {
                let position = self.candidate_of[target as usize - self.nodes.start];
                if position == 0 {
                    continue;
                }
                let index = self.inputs.len() as u32;
                let candidate = &mut self.candidates[position as usize - 1];
                match candidate.last_input {
                    NONE => candidate.first_input = index,
                    last => self.inputs[last as usize].next = index,
                }
                candidate.last_input = index;
                self.inputs.push(Input { time: arrival.time, weight, next: NONE });
            }
        }
    }

    /// Runs one neuron from the start of the interval to its end: the event engine's steps for a
    /// single neuron.
    fn replay(
        &mut self,
        network: &CompiledNetwork,
        candidate: Candidate,
        interval: &Interval,
        options: EngineOptions,
    ) {
        let Candidate { neuron, mut first_input, .. } = candidate;
        let node = self.nodes.start + neuron;
        let Some(dynamics) = network.dynamics(node) else { return };
        let mut state = self.state(dynamics, neuron);
        let mut release = self.release[neuron];
        let mut now = interval.start;
        loop {
            let next = match first_input {
                NONE => interval.end,
                index => self.inputs[index as usize].time,
            };
            // All crossings up to the next input; one at its very moment happens without it.
            loop {
                if now < release {
                    let held_until = release.min(next);
                    dynamics.decay_current(&mut state, held_until - now);
                    now = held_until;
                    if now < release {
                        break;
                    }
                }
                let Some(crossing) = dynamics.first_crossing(&state) else { break };
                let time = now + crossing.elapsed;
                if !(time <= next) {
                    break;
                }
                self.spikes.push(Spike { node: node as u32, time });
                let again = if options.at_most_one_spike {
                    f64::INFINITY
                } else {
                    time + dynamics.refractory_period()
                };
                if again <= release {
                    self.fail(time, node as u32);
                    return;
                }
                dynamics.decay_current(&mut state, time - now);
                dynamics.reset(&mut state);
                (now, release) = (time, again);
            }
            if now < next {
                dynamics.advance(&mut state, next - now);
                now = next;
            }
            if first_input == NONE {
                break;
            }
            // Simultaneous inputs are added up before the next crossing is looked for.
            let mut lost = 0.0;
            while let Some(input) = self.inputs.get(first_input as usize)
                && input.time == now
            {
                add_compensated(&mut state.current, &mut lost, input.weight);
                first_input = input.next;
            }
            state.current += lost;
        }
        self.end[neuron] = [state.potential, state.current];
        self.release[neuron] = release;
        if release > interval.end {
            self.refractory.push(neuron as u32);
        }
    }

    fn fail(&mut self, time: f64, node: u32) {
        let earlier = self.failure.is_some_and(|failure| failure <= (time, node));
        if !earlier {
            self.failure = Some((time, node));
        }
    }
}
