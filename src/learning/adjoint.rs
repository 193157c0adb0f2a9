//! Exact gradients of a recorded trace by an event-based adjoint.
//!
//! The record holds spikes of sources and neurons, any number per neuron. A loss `L` is any
//! differentiable function of the recorded times; its derivatives by those times go in, its
//! derivatives by everything the times depend on come out of one backward pass over the record.
//!
//! # Derivation
//!
//! *Forwards*, a neuron's state `x = (u, I)` (potential relative to the leak, synaptic currents)
//! moves freely by `ẋ = f(x)`. An input of weight `w` at `a` adds `w` to `I`. When `u` reaches the
//! threshold `ϑ` at `T` with the slope `u̇(T)`, `u` is set to the reset potential `r` and held
//! there until `R = T + t_ref`, while the currents go on decaying: they survive the spike.
//!
//! *Backwards*, `p = dL/du` and `q = dL/dI` at a moment are the influence of the state at that
//! moment on everything later. After a neuron's last spike both are zero. Then:
//!
//! * **Between events** the state at the end of an inter-event interval is a linear function of that at
//!   its start, and `(p, q)` goes back with its transpose. Parameters receive the adjoint state times
//!   the derivative of that function by them (both in `neuron/adjoint.rs`).
//! * **At an arrival** the jump moves `I` alone: `dL/dw = q`. An arrival that is `δ` later lets the
//!   state before it move on for `δ` and that behind it start `δ` later, so it changes the state
//!   behind it by `(f(x) − f(x + w)) δ`, which is `(−w/C, w/τ_s) δ` (no potential while it is held):
//!
//!   ```text
//!   dL/da = w (q/τ_s − p/C)
//!   ```
//!
//!   The arrival is the presynaptic spike's time plus the delay: both receive `dL/da`.
//! * **At the end of the refractory period**, `u(R) = r` gives `dL/dr = p`. If `R` is `δ` later the
//!   potential is `u̇(R⁺) δ` lower at any later time's start: `dL/dR = −p u̇(R⁺)`, which both the
//!   refractory period and `T` receive. Before `R` the potential has no influence: `p = 0`.
//! * **At a spike** let `G = dL/dT` be complete: the loss's own dependence on `T`, all that arrives
//!   elsewhere because of it, and the start of the next free interval, `dL/dR`. By the implicit function
//!   theorem `u(T) = ϑ` gives `dT/dx = (dϑ/dx − ∂u/∂x)/u̇(T)`, so before the spike `p = −G/u̇(T)`,
//!   and `dL/dϑ = G/u̇(T)`. `q` passes unchanged: the currents do not notice the spike.
//! * **At time zero** `p` and `q` are the derivatives by the initial state.
//!
//! The backward pass visits every arrival once. When a spike's turn comes everything it caused has passed,
//! because delays are not negative and, at one time, spikes come before arrivals; recurrent loops
//! need nothing more.
//!
//! # Conventions
//!
//! * The states come from the record alone: arrivals are recorded times plus delays, and a spike's
//!   slope is that of the state which the record implies at the recorded time, whether or not that
//!   state is at the threshold there. Records from elsewhere are as good as the engine's own.
//! * Ties are those of the engine: an input at the moment of a crossing does not take part in it.
//!   One at the end of the refractory period arrives after it. Derivatives are then one-sided.
//! * A spike that the network could not have emitted, because the implied potential is held or does
//!   not rise there, moves with nothing; so does a spike at time zero, of a neuron that starts
//!   above its threshold. [`TraceGradients::immovable`] counts them.
//! * The receptor of a synapse, which may be chosen by the sign of its weight, stays.

mod timeline;

use crate::engine::{EngineOptions, Spike};
use crate::network::CompiledNetwork;
pub use crate::neuron::NeuronGradients;
use crate::neuron::{AdjointState, LinearDynamics, MembraneState, RateGradients};
use timeline::{Event, Kind};

/// Derivatives of a loss by everything that the recorded times depend on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TraceGradients {
    /// Per synapse, by its weight.
    pub weights: Vec<f64>,
    /// Per synapse, by its delay.
    pub delays: Vec<f64>,
    /// Per recorded spike, by its time: its own part in the loss and that of all it causes. For a
    /// source this is the derivative by the input's time.
    pub spike_times: Vec<f64>,
    /// Per node, by the neuron's parameters; zero for sources.
    pub neurons: Vec<NeuronGradients>,
    /// How many recorded spikes of neurons have no derivative: the network could not have emitted
    /// them then, or they are at time zero.
    pub immovable: usize,
}

/// The interval from one of a neuron's events to the next.
#[derive(Clone, Copy, Debug)]
struct Interval {
    /// State right after the event before.
    start: MembraneState,
    /// How long the potential was held first.
    held: f64,
    /// How long it then moved freely; none if the interval ends before the refractory period does.
    free: Option<f64>,
    /// Whether the refractory period ends in this interval.
    releases: bool,
    /// `dV/dt` at the end of the interval, before the event there; zero if held.
    slope: f64,
}

/// A neuron in the forward pass.
#[derive(Clone, Copy, Debug)]
struct ForwardState {
    membrane: MembraneState,
    time: f64,
    /// End of the refractory period if the potential is held.
    release: Option<f64>,
}

/// A neuron in the backward pass.
#[derive(Clone, Copy, Debug, Default)]
struct BackwardState {
    adjoint: AdjointState,
    rates: RateGradients,
    /// `dL/dR` of the refractory period that began with the spike before.
    by_release: f64,
}

/// Derivatives of a loss by everything that the recorded times depend on, given its derivative
/// `by_time` by the time of each of the recorded `spikes` (sources and neurons, in the order of the
/// record). The module's text derives them. With at most one spike per neuron
/// ([`EngineOptions`]), later spikes of a neuron are ignored.
///
/// # Panics
/// If a spike names a node that the network does not have, or `by_time` is not as long as `spikes`.
///
/// # Example
///
/// ```
/// use firstspike::engine::{EngineOptions, EventEngine, Recording, SourceSpike};
/// use firstspike::learning::trace_gradients;
/// use firstspike::network::{CompiledNetwork, Network, Synapse};
/// use firstspike::neuron::NeuronParameters;
///
/// let mut network = Network::new();
/// let input = network.add_sources("input", 1)?;
/// let neuron = network.add_neurons("neuron", [NeuronParameters::default()])?;
/// network.connect((input, 0), (neuron, 0), Synapse { weight: 9.0, delay: 0.5 })?;
/// let network = CompiledNetwork::new(&network);
///
/// let mut record = Recording::default();
/// let stimulus = [SourceSpike { time: 0.1, source: 0 }];
/// EventEngine::new(&network, EngineOptions::default()).run(&network, &stimulus, 9.0, &mut record)?;
/// assert!(record.spikes.len() > 2, "the input, and several spikes of the neuron");
///
/// // The loss is the time of the last spike. Delay the input: all that follows is delayed as much.
/// let mut by_time = vec![0.0; record.spikes.len()];
/// by_time[record.spikes.len() - 1] = 1.0;
/// let gradients = trace_gradients(&network, EngineOptions::default(), &record.spikes, &by_time);
/// assert!((gradients.delays[0] - 1.0).abs() < 1e-12);
/// assert!((gradients.spike_times[0] - 1.0).abs() < 1e-12);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn trace_gradients(
    network: &CompiledNetwork,
    options: EngineOptions,
    spikes: &[Spike],
    by_time: &[f64],
) -> TraceGradients {
    assert_eq!(spikes.len(), by_time.len(), "one derivative per recorded spike");
    let distinct: Vec<LinearDynamics> =
        network.distinct_parameters().iter().map(LinearDynamics::new).collect();
    let dynamics_of =
        |node: usize| network.dynamics_index(node).map(|index| &distinct[index as usize]);
    let events = timeline::events(network, options, spikes);
    let intervals = forward_pass(network, &distinct, &events);

    let mut gradients = TraceGradients {
        weights: vec![0.0; network.synapse_count()],
        delays: vec![0.0; network.synapse_count()],
        spike_times: by_time.to_vec(),
        neurons: vec![NeuronGradients::default(); network.node_count()],
        immovable: 0,
    };
    let mut neurons = vec![BackwardState::default(); network.node_count()];
    for (event, interval) in events.iter().zip(&intervals).rev() {
        let node = event.neuron as usize;
        let Some(dynamics) = dynamics_of(node) else { continue };
        let neuron = &mut neurons[node];
        match event.kind {
            Kind::Spike => neuron.spike(dynamics, event, interval, &mut gradients),
            Kind::Arrival { synapse } => {
                let synapse = synapse as usize;
                let weight = network.weights()[synapse];
                let kind = usize::from(network.is_inhibitory(synapse));
                let by_arrival = weight * neuron.adjoint.arrivals[kind];
                gradients.weights[synapse] += neuron.adjoint.currents[kind];
                gradients.delays[synapse] += by_arrival;
                gradients.spike_times[event.spike as usize] += by_arrival;
            }
        }
        neuron.go_back(dynamics, interval, &mut gradients.neurons[node]);
    }
    for (node, (neuron, by)) in neurons.iter().zip(&mut gradients.neurons).enumerate() {
        let Some(dynamics) = dynamics_of(node) else { continue };
        neuron.rates.add_to(dynamics, by);
        by.initial_potential = neuron.adjoint.potential;
        [by.initial_current, by.initial_inhibitory_current] = neuron.adjoint.currents;
        // All potentials are relative to the leak, so that raising it is lowering all of them.
        by.leak_potential = -(by.threshold + by.reset_potential + by.initial_potential);
    }
    gradients
}

/// Every neuron's state along the record: for each event, the interval that leads up to it.
fn forward_pass(
    network: &CompiledNetwork,
    distinct: &[LinearDynamics],
    events: &[Event],
) -> Vec<Interval> {
    let initial = |node: usize| {
        let index = network.dynamics_index(node);
        index.map_or_else(MembraneState::default, |index| distinct[index as usize].initial)
    };
    let mut neurons: Vec<ForwardState> = (0..network.node_count())
        .map(|node| ForwardState { membrane: initial(node), time: 0.0, release: None })
        .collect();
    let mut intervals = Vec::with_capacity(events.len());
    for event in events {
        let node = event.neuron as usize;
        let Some(index) = network.dynamics_index(node) else { continue };
        let dynamics = &distinct[index as usize];
        let neuron = &mut neurons[node];
        intervals.push(neuron.advance_to(dynamics, event.time));
        match event.kind {
            Kind::Spike => neuron.release = Some(event.time + dynamics.refractory_period),
            Kind::Arrival { synapse } => {
                let synapse = synapse as usize;
                let kind = usize::from(network.is_inhibitory(synapse));
                neuron.membrane.currents[kind] += network.weights()[synapse];
            }
        }
    }
    intervals
}

impl ForwardState {
    /// Moves the neuron on to its next event, without what happens there.
    fn advance_to(&mut self, dynamics: &LinearDynamics, time: f64) -> Interval {
        let start = self.membrane;
        let mut interval = Interval { start, held: 0.0, free: None, releases: false, slope: 0.0 };
        let mut free_from = Some(self.time);
        if let Some(release) = self.release {
            interval.releases = time >= release;
            interval.held = time.min(release) - self.time;
            self.membrane = dynamics.hold(&start, interval.held);
            free_from = interval.releases.then_some(release);
        }
        if let Some(from) = free_from {
            self.release = None;
            self.membrane = dynamics.advance(&self.membrane, time - from);
            interval.free = Some(time - from);
            interval.slope = dynamics.slope(&self.membrane);
        }
        self.time = time;
        interval
    }
}

impl BackwardState {
    /// Back over one of the neuron's spikes, at the end of `interval`.
    fn spike(
        &mut self,
        dynamics: &LinearDynamics,
        event: &Event,
        interval: &Interval,
        gradients: &mut TraceGradients,
    ) {
        let by_time = &mut gradients.spike_times[event.spike as usize];
        *by_time += std::mem::take(&mut self.by_release);
        let movable = interval.slope > 0.0 && event.time > 0.0;
        gradients.immovable += usize::from(!movable);
        let potential = if movable { -*by_time / interval.slope } else { 0.0 };
        gradients.neurons[event.neuron as usize].threshold -= potential;
        dynamics.spike_adjoint(&mut self.adjoint, potential);
    }

    /// Back to the start of an interval.
    fn go_back(
        &mut self,
        dynamics: &LinearDynamics,
        interval: &Interval,
        by: &mut NeuronGradients,
    ) {
        if self.adjoint.is_zero() {
            return;
        }
        let Interval { start, held, .. } = interval;
        let free_start = if interval.releases { dynamics.hold(start, *held) } else { *start };
        if let Some(elapsed) = interval.free {
            dynamics.advance_adjoint(&free_start, elapsed, &mut self.adjoint, &mut self.rates);
        }
        if interval.releases {
            let potential = self.adjoint.potential;
            by.reset_potential += potential;
            self.by_release = -potential * dynamics.slope(&free_start);
            by.refractory_period += self.by_release;
            dynamics.release_adjoint(&mut self.adjoint);
        }
        if *held > 0.0 {
            dynamics.hold_adjoint(start, *held, &mut self.adjoint, &mut self.rates);
        }
    }
}
