//! The window engine: neurons that are independent for a while, advanced without a queue.
//!
//! A spike takes at least the shortest delay `d` to arrive. So in a window `[t, t + d)` all that
//! arrives anywhere is known at its start, and what one neuron does there concerns no other before
//! its end. Each window is planned once ([`schedule`]): its arrivals in order, cut into intervals of
//! about four synaptic events per neuron. Blocks of neurons then run through it on as many threads
//! as there are ([`block`]), and the spikes they found are sorted, reported and sent on their way.
//!
//! # Why it is fast, and exact
//!
//! In an interval a block keeps each neuron's potential and current *as they will be at its end*. What
//! an arrival of weight `w` adds there is `w K(s)/C` and `w e^(−s/τ_s)`, where the time `s` from the
//! arrival to the end is the same for all neurons that the spike reaches: two exponentials per
//! spike, two multiplications and additions per synapse. Nothing is subtracted that was not
//! subtracted before, so the state is that of the event engine to a few roundings.
//!
//! Whether a neuron crossed its threshold in between is settled for nearly all of them by one
//! comparison at the end of the interval ([`crate::neuron::CrossingBound`], a strict bound with a
//! slack far above rounding). The few that remain are replayed from the start of the interval, input
//! by input, with the same functions that the event engine uses ([`block`]): a crossing is never
//! looked for on a grid, and never missed.
//!
//! Spike times differ from the event engine's by roundings only (in a chaotic network these grow
//! with time, as every rounding does there). Where a crossing and an arrival are at the same time, to
//! rounding, the two engines may see them in different order. The number of threads has no influence:
//! no rule that cuts intervals or chooses neurons to replay knows of blocks.

mod block;
mod schedule;

use rayon::prelude::*;

use super::delivery::check_source;
use super::{EngineError, EngineOptions, Observer, RunStatistics, SourceSpike, Spike};
use crate::network::CompiledNetwork;
use block::Block;
use schedule::Schedule;

/// A network that the window engine cannot run; the event engine can.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum WindowError {
    /// A neuron's spikes arrive at the moment they are emitted.
    #[error("node {node} has a synapse without delay: the window engine needs delays above zero")]
    ZeroDelay {
        /// The presynaptic neuron.
        node: usize,
    },
    /// A neuron's inhibitory synapses have a time constant of their own.
    #[error("node {node} has two synaptic time constants: the window engine needs one per neuron")]
    SplitCurrents {
        /// The neuron.
        node: usize,
    },
}

/// Runs networks whose neurons all have delays above zero (spike sources may do without), in
/// windows of the shortest delay and on all threads of the current rayon pool. The results are
/// those of [`super::EventEngine`] to rounding, and the same bit for bit on any number of threads.
///
/// One engine serves any number of runs of networks of one topology; it keeps its memory between
/// them.
#[derive(Clone, Debug)]
pub struct WindowEngine {
    options: EngineOptions,
    /// Length of a window, in time units.
    length: f64,
    blocks: Vec<Block>,
    schedule: Schedule,
    /// Spikes of neurons in the present window.
    spikes: Vec<Spike>,
}

/// What the engine's speed and memory depend on; the results do not.
struct Tuning {
    /// Longest window, in units of the longest synaptic time constant, whatever the delays: a run's
    /// spikes must reach the observer before they fill the memory.
    longest_window: f64,
    /// Longest interval with arrivals, in units of the shortest synaptic time constant: the longer it
    /// is, the looser is the bound of crossings, and the more neurons must be replayed.
    longest_interval: f64,
    /// Synaptic events per neuron and interval: with fewer, looking at every neuron at the end of the
    /// interval costs more than the events; with more, too many neurons must be replayed.
    events_per_neuron: usize,
}

const TUNING: Tuning =
    Tuning { longest_window: 64.0, longest_interval: 0.125, events_per_neuron: 4 };

impl WindowEngine {
    /// Synapses from which on its start-up pays.
    pub const LARGE: usize = 200_000;

    /// Inputs of a neuron up to which its sums are exact to 1e-12: it adds up plainly what arrives in an interval.
    /// 100,000 equal inputs at one time cost 2e-12, a million 2e-11; the event engine compensates its sums.
    pub const MOST_INPUTS: usize = 20_000;

    /// The first neuron with more than [`MOST_INPUTS`](Self::MOST_INPUTS), and how many it has.
    pub fn crowded(network: &CompiledNetwork) -> Option<(usize, usize)> {
        let mut inputs = vec![0_usize; network.node_count()];
        network.targets().iter().for_each(|&target| inputs[target as usize] += 1);
        inputs.into_iter().enumerate().find(|&(_, inputs)| inputs > Self::MOST_INPUTS)
    }

    /// An engine for networks of this topology.
    ///
    /// # Errors
    /// If a neuron has a synapse without delay, or two synaptic time constants.
    pub fn new(network: &CompiledNetwork, options: EngineOptions) -> Result<Self, WindowError> {
        let mut shortest = f64::INFINITY;
        for node in 0..network.node_count() {
            let Some(dynamics) = network.dynamics(node) else { continue };
            if dynamics.has_split_currents() {
                return Err(WindowError::SplitCurrents { node });
            }
            // Bundles are sorted by delay.
            let delay = network.bundles(node).next().map(|bundle| network.bundle_delays()[bundle]);
            match delay {
                Some(0.0) => return Err(WindowError::ZeroDelay { node }),
                Some(delay) => shortest = shortest.min(delay),
                None => {}
            }
        }
        let tau_s = network.distinct_dynamics().iter().map(|dynamics| dynamics.tau_s());
        let (least, most) = tau_s.fold((f64::INFINITY, 0.0f64), |(least, most), tau_s| {
            (least.min(tau_s), most.max(tau_s))
        });
        Ok(WindowEngine {
            options,
            length: shortest.min(TUNING.longest_window * most.max(f64::MIN_POSITIVE)),
            blocks: Vec::new(),
            schedule: Schedule::new(network, least),
            spikes: Vec::new(),
        })
    }

    /// Runs the network from its initial state at time zero until nothing is left to happen up to
    /// `until` (inclusive; may be infinite for networks that fall silent), or the observer wants to
    /// stop. `stimulus` is sorted by time. The observer sees spikes by time, at one time neurons
    /// before sources, neurons by index and sources in the order of the stimulus.
    ///
    /// The statistics of a run that the observer stops include the synaptic events of the window
    /// in which it did.
    ///
    /// # Errors
    /// If the stimulus is unsorted or names a node that is no source (before anything happens), or
    /// if a neuron spikes endlessly at one instant.
    pub fn run<O: Observer>(
        &mut self,
        network: &CompiledNetwork,
        stimulus: &[SourceSpike],
        until: f64,
        observer: &mut O,
    ) -> Result<RunStatistics, EngineError> {
        check_stimulus(network, stimulus)?;
        let mut statistics = RunStatistics::default();
        self.reset(network);
        let mut sources = stimulus;
        let mut now = 0.0;
        while now <= until {
            let mut end = f64::max(now + self.length, f64::next_up(now));
            let next_source = sources.first().map_or(f64::INFINITY, |spike| spike.time);
            let next_input = next_source.min(self.schedule.next_arrival());
            if next_input >= end {
                let next = next_input.min(self.earliest_crossing(network, now));
                if next > until || next == f64::INFINITY {
                    break;
                }
                // Nothing happens before, so the window may well be longer.
                end = end.max(next);
            }
            let last = end >= until;
            end = end.min(until);
            let is_due = |time: f64| time < end || (last && time == end);
            let due = sources.partition_point(|spike| is_due(spike.time));
            let (present, later) = sources.split_at(due);
            sources = later;
            for spike in present {
                self.schedule.emit(network, spike.source as usize, spike.time);
            }
            statistics.synaptic_events += self.schedule.plan(network, now, end, is_due);
            let failure = self.advance(network);
            // At the moment of a failure the spikes before it are still to be seen.
            let horizon = failure.as_ref().map_or(f64::INFINITY, |&(time, _)| time);
            if !self.report(network, present, horizon, observer, &mut statistics) {
                break;
            }
            if let Some((_, error)) = failure {
                return Err(error);
            }
            if last {
                break;
            }
            now = end;
        }
        Ok(statistics)
    }

    /// Puts every neuron into its initial state, and forgets what was under way.
    fn reset(&mut self, network: &CompiledNetwork) {
        let threads = rayon::current_num_threads();
        if self.blocks.is_empty() || self.blocks.len() != threads {
            self.blocks = block::split(network, threads);
        }
        self.blocks.iter_mut().for_each(|block| block.reset(network));
        self.schedule.reset();
    }

    /// When the first neuron crosses its threshold if nothing arrives any more.
    fn earliest_crossing(&self, network: &CompiledNetwork, now: f64) -> f64 {
        let earliest = self.blocks.par_iter().map(|block| block.earliest_crossing(network, now));
        earliest.reduce(|| f64::INFINITY, f64::min)
    }

    /// Runs all blocks through the window and gathers their spikes in the order of events; the
    /// first failure, if there is one.
    fn advance(&mut self, network: &CompiledNetwork) -> Option<(f64, EngineError)> {
        let (schedule, options) = (&self.schedule, self.options);
        if let [block] = &mut self.blocks[..] {
            block.advance(network, schedule, options);
        } else {
            self.blocks.par_iter_mut().for_each(|block| block.advance(network, schedule, options));
        }
        self.spikes.clear();
        self.spikes.extend(self.blocks.iter().flat_map(|block| &block.spikes));
        self.spikes.sort_unstable_by(|a, b| a.time.total_cmp(&b.time).then(a.node.cmp(&b.node)));
        let failures = self.blocks.iter().filter_map(|block| block.failure);
        let (time, node) = failures.min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)))?;
        Some((time, EngineError::EndlessSpikes { neuron: node as usize, time }))
    }

    /// Shows the observer the window's spikes up to `horizon` and sends those of neurons on their
    /// way; whether the run goes on.
    fn report<O: Observer>(
        &mut self,
        network: &CompiledNetwork,
        sources: &[SourceSpike],
        horizon: f64,
        observer: &mut O,
        statistics: &mut RunStatistics,
    ) -> bool {
        let mut sources = sources.iter().peekable();
        let mut neurons = self.spikes.iter().peekable();
        loop {
            let source_time = sources.peek().map_or(f64::INFINITY, |spike| spike.time);
            let next_neuron = neurons.next_if(|spike| spike.time <= source_time);
            let (node, time) = match next_neuron {
                Some(spike) => (spike.node, spike.time),
                None => match sources.next() {
                    Some(spike) => (spike.source, spike.time),
                    None => return true,
                },
            };
            if time > horizon {
                return true;
            }
            observer.spike(node as usize, time);
            if observer.wants_to_stop() {
                return false;
            }
            statistics.spikes += 1;
            if next_neuron.is_some() {
                self.schedule.emit(network, node as usize, time);
            }
        }
    }
}

fn check_stimulus(network: &CompiledNetwork, stimulus: &[SourceSpike]) -> Result<(), EngineError> {
    let mut earliest = 0.0;
    for (index, spike) in stimulus.iter().enumerate() {
        check_source(network, spike, index, earliest)?;
        earliest = spike.time;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
