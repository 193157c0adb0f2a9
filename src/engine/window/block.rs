//! Neurons that one thread advances through a window.

mod replay;

use std::ops::Range;

use super::schedule::{Interval, Schedule};
use crate::engine::{EngineOptions, Spike};
use crate::network::CompiledNetwork;
use crate::neuron::{CrossingBound, Dynamics, Propagator, State};
use replay::{Candidate, Input};

/// Consecutive nodes that one thread takes care of. Neurons are indexed from the block's first
/// node; sources among them are never touched.
#[derive(Clone, Debug)]
pub(super) struct Block {
    nodes: Range<usize>,
    /// Consecutive neurons of one kind, and its index among the distinct dynamics.
    runs: Vec<(Range<usize>, u32)>,
    /// Potential and current of every neuron at the start of the interval, and at its end.
    start: Vec<[f64; 2]>,
    end: Vec<[f64; 2]>,
    /// Per neuron: the sum of the absolute weights of its inhibitory inputs in the interval.
    inhibition: Vec<f64>,
    /// End of the neuron's refractory period; infinity for one that may not spike again.
    release: Vec<f64>,
    /// The neurons in their refractory period.
    refractory: Vec<u32>,
    /// Per kind: what the interval does to a neuron, and which neurons it certainly leaves silent.
    kinds: Vec<(Propagator, CrossingBound)>,
    /// Per kind: what the input at hand adds to potential and current at the end of the interval.
    coefficients: Vec<[f64; 2]>,
    /// The neurons that may have crossed their threshold in the interval.
    candidates: Vec<Candidate>,
    /// Per neuron: its position among the candidates plus one, or zero.
    candidate_of: Vec<u32>,
    /// Inputs of the candidates.
    inputs: Vec<Input>,
    /// Spikes of the window, in no order.
    pub spikes: Vec<Spike>,
    /// Time and node of the earliest spike that followed another at the same moment.
    pub failure: Option<(f64, u32)>,
}

/// Splits a network into blocks of about equally many neurons.
pub(super) fn split(network: &CompiledNetwork, blocks: usize) -> Vec<Block> {
    let is_neuron = |&node: &usize| network.dynamics_index(node).is_some();
    let neurons: Vec<usize> = (0..network.node_count()).filter(is_neuron).collect();
    let size = neurons.len().div_ceil(blocks.max(1)).max(1);
    neurons
        .chunks(size)
        .map(|part| Block::new(network, part[0]..part[part.len() - 1] + 1))
        .collect()
}

impl Block {
    fn new(network: &CompiledNetwork, nodes: Range<usize>) -> Self {
        let mut runs: Vec<(Range<usize>, u32)> = Vec::new();
        for node in nodes.clone() {
            let Some(kind) = network.dynamics_index(node) else { continue };
            let neuron = node - nodes.start;
            match runs.last_mut() {
                Some((run, last)) if *last == kind && run.end == neuron => run.end += 1,
                _ => runs.push((neuron..neuron + 1, kind)),
            }
        }
        let size = nodes.len();
        Block {
            nodes,
            runs,
            start: vec![[0.0; 2]; size],
            end: vec![[0.0; 2]; size],
            inhibition: vec![0.0; size],
            release: vec![f64::NEG_INFINITY; size],
            refractory: Vec::new(),
            kinds: Vec::new(),
            coefficients: Vec::new(),
            candidates: Vec::new(),
            candidate_of: vec![0; size],
            inputs: Vec::new(),
            spikes: Vec::new(),
            failure: None,
        }
    }

    /// Puts every neuron into its initial state.
    pub fn reset(&mut self, network: &CompiledNetwork) {
        self.release.fill(f64::NEG_INFINITY);
        self.refractory.clear();
        self.spikes.clear();
        self.failure = None;
        for (run, kind) in &self.runs {
            let State { potential, current, .. } =
                network.distinct_dynamics()[*kind as usize].initial_state();
            self.start[run.clone()].fill([potential, current]);
        }
    }

    /// When the first neuron crosses its threshold if nothing arrives after `now`.
    pub fn earliest_crossing(&self, network: &CompiledNetwork, now: f64) -> f64 {
        let mut earliest = f64::INFINITY;
        for (run, kind) in &self.runs {
            let dynamics = &network.distinct_dynamics()[*kind as usize];
            for neuron in run.clone() {
                let mut state = self.state(dynamics, neuron);
                let release = self.release[neuron];
                if release > now {
                    dynamics.decay_current(&mut state, release - now);
                }
                if let Some(crossing) = dynamics.first_crossing(&state) {
                    earliest = earliest.min(now.max(release) + crossing.elapsed);
                }
            }
        }
        earliest
    }

    /// The neuron's state at the start of the interval.
    #[inline]
    fn state(&self, dynamics: &Dynamics, neuron: usize) -> State {
        let mut state = dynamics.initial_state();
        [state.potential, state.current] = self.start[neuron];
        state
    }

    /// Runs through the window.
    pub fn advance(
        &mut self,
        network: &CompiledNetwork,
        schedule: &Schedule,
        options: EngineOptions,
    ) {
        self.spikes.clear();
        for interval in &schedule.intervals {
            if self.failure.is_some() {
                return;
            }
            self.propagate(network, interval);
            for arrival in &schedule.arrivals[interval.arrivals.clone()] {
                self.receive(network, arrival.bundle, interval.end - arrival.time);
                if arrival.inhibits {
                    self.add_inhibition(network, arrival.bundle);
                }
            }
            self.find_candidates(interval);
            self.replay_candidates(network, schedule, interval, options);
            std::mem::swap(&mut self.start, &mut self.end);
        }
    }

    /// Moves every neuron to the end of the interval as if nothing arrived.
    fn propagate(&mut self, network: &CompiledNetwork, interval: &Interval) {
        let elapsed = interval.end - interval.start;
        self.inhibition.fill(0.0);
        self.kinds.clear();
        self.kinds.extend(
            network
                .distinct_dynamics()
                .iter()
                .map(|dynamics| (dynamics.propagator(elapsed), dynamics.crossing_bound(elapsed))),
        );
        for (run, kind) in &self.runs {
            let propagator = self.kinds[*kind as usize].0;
            let start = &self.start[run.clone()];
            for (end, &start) in self.end[run.clone()].iter_mut().zip(start) {
                *end = propagator.apply_to_pair(start);
            }
        }
    }

    /// The synapses of a bundle that end in the block.
    fn reached(&self, network: &CompiledNetwork, bundle: usize) -> Range<usize> {
        let synapses = network.bundle_synapses(bundle..bundle + 1);
        let targets = &network.targets()[synapses.clone()];
        let before = |node: usize| targets.partition_point(|&target| (target as usize) < node);
        // The first and the last block need only look for one end.
        let first =
            if before_all(targets, self.nodes.start) { 0 } else { before(self.nodes.start) };
        let last =
            if after_all(targets, self.nodes.end) { targets.len() } else { before(self.nodes.end) };
        synapses.start + first..synapses.start + last
    }

    /// A spike arrives over a bundle, `remaining` time units before the end of the interval.
    fn receive(&mut self, network: &CompiledNetwork, bundle: usize, remaining: f64) {
        let reached = self.reached(network, bundle);
        let synapses =
            network.targets()[reached.clone()].iter().zip(&network.weights()[reached.clone()]);
        let first = self.nodes.start;
        let coefficients_of = |dynamics: &Dynamics| dynamics.propagator(remaining).of_unit_input();
        if let [dynamics] = network.distinct_dynamics() {
            let [potential, current] = coefficients_of(dynamics);
            for (&target, &weight) in synapses {
                let end = &mut self.end[target as usize - first];
                end[0] += weight * potential;
                end[1] += weight * current;
            }
            return;
        }
        // Many kinds of neurons and few synapses: only the kinds that are there.
        let tabulate = reached.len() >= network.distinct_dynamics().len();
        if tabulate {
            self.coefficients.clear();
            self.coefficients.extend(network.distinct_dynamics().iter().map(coefficients_of));
        }
        for (&target, &weight) in synapses {
            let Some(kind) = network.dynamics_index(target as usize) else { continue };
            let [potential, current] = if tabulate {
                self.coefficients[kind as usize]
            } else {
                coefficients_of(&network.distinct_dynamics()[kind as usize])
            };
            let end = &mut self.end[target as usize - first];
            end[0] += weight * potential;
            end[1] += weight * current;
        }
    }

    /// Adds up the inhibitory weights over which a spike arrives.
    fn add_inhibition(&mut self, network: &CompiledNetwork, bundle: usize) {
        let reached = self.reached(network, bundle);
        let targets = &network.targets()[reached.clone()];
        for (&target, &weight) in targets.iter().zip(&network.weights()[reached]) {
            self.inhibition[target as usize - self.nodes.start] += (-weight).max(0.0);
        }
    }

    /// Keeps neurons in their refractory period at reset, and lists the neurons that may have
    /// crossed their threshold, or are released, in the interval.
    fn find_candidates(&mut self, interval: &Interval) {
        self.candidates.clear();
        let mut add = |neuron: usize, candidate_of: &mut [u32]| {
            if candidate_of[neuron] == 0 {
                self.candidates.push(Candidate::new(neuron));
                candidate_of[neuron] = self.candidates.len() as u32;
            }
        };
        self.refractory.retain(|&neuron| {
            let neuron = neuron as usize;
            let stays = self.release[neuron] >= interval.end;
            if stays {
                self.end[neuron][0] = self.start[neuron][0];
            } else {
                add(neuron, &mut self.candidate_of);
            }
            stays
        });
        for (run, kind) in &self.runs {
            let bound = self.kinds[*kind as usize].1;
            for neuron in run.clone() {
                if !bound.excludes(self.start[neuron], self.end[neuron][1], self.inhibition[neuron])
                    && self.release[neuron] < interval.end
                {
                    add(neuron, &mut self.candidate_of);
                }
            }
        }
    }
}

/// Whether no target lies before `node`.
fn before_all(targets: &[u32], node: usize) -> bool {
    targets.first().is_none_or(|&first| first as usize >= node)
}

/// Whether no target lies at `node` or behind.
fn after_all(targets: &[u32], node: usize) -> bool {
    targets.last().is_none_or(|&last| (last as usize) < node)
}
