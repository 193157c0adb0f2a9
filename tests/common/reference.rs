//! A slow and obvious simulator, to compare the event engine with.
//!
//! Between events a neuron's potential is looked at in small steps, and a crossing is closed in on
//! by bisection. There is no closed form for a crossing, no reasoning about extrema, no priority
//! queue and no prediction put off: the next event is the smallest of a list. The order of ties is
//! the one that `firstspike::engine` documents.
//!
//! Where rounding decides whether a neuron spikes at all, nothing can be compared: [`Run`] counts
//! those close calls.

use firstspike::engine::SourceSpike;
use firstspike::network::{CompiledNetwork, Network, Node};
use firstspike::neuron::NeuronParameters;

/// Relative to the potentials and currents at work: a maximum, or a potential at an arrival, nearer
/// to the threshold is a close call. A million times their rounding; a maximum further away is
/// crossed with a slope of at least `√(2·1e-9)` in units of `ϑ/τ`, which magnifies rounding 2e4-fold.
pub const CLOSE: f64 = 1e-9;

/// What happened in a run.
#[derive(Clone, Debug, Default)]
pub struct Run {
    /// Node and time, in the order of events.
    pub spikes: Vec<(usize, f64)>,
    /// How often rounding decided whether a neuron spikes.
    pub close_calls: usize,
}

/// When a neuron crosses its threshold, and when that is decided by rounding, if nothing arrives.
#[derive(Clone, Copy, Default)]
struct Outlook {
    crossing: Option<f64>,
    close_call: Option<f64>,
}

struct Neuron {
    parameters: NeuronParameters,
    /// State at `updated`.
    potential: f64,
    current: f64,
    inhibitory_current: f64,
    updated: f64,
    /// The potential is held until then.
    release: f64,
    spent: bool,
    outlook: Outlook,
}

/// `(e^(−a t) − e^(−b t))/(b − a)`, by way of the slower rate so that nothing overflows.
fn kernel(a: f64, b: f64, time: f64) -> f64 {
    let (slow, distance) = (a.min(b), (a - b).abs());
    let lead = if distance == 0.0 { time } else { -(-distance * time).exp_m1() / distance };
    (-slow * time).exp() * lead
}

impl Neuron {
    fn new(parameters: NeuronParameters) -> Self {
        Neuron {
            parameters,
            potential: parameters.initial_potential,
            current: parameters.initial_current,
            inhibitory_current: parameters.initial_inhibitory_current,
            updated: 0.0,
            release: 0.0,
            spent: false,
            outlook: Outlook::default(),
        }
    }

    /// The potential after `elapsed` time units of integration.
    fn potential_after(&self, elapsed: f64) -> f64 {
        let NeuronParameters { tau_m, tau_s, tau_s_inhibitory, capacitance, .. } = self.parameters;
        let rest = self.parameters.leak_potential;
        let drift = self.parameters.bias_current / capacitance;
        let biased = if tau_m.is_finite() {
            drift * tau_m * -(-elapsed / tau_m).exp_m1()
        } else {
            drift * elapsed
        };
        let from = |current: f64, tau: f64| {
            current / capacitance * kernel(1.0 / tau_m, 1.0 / tau, elapsed)
        };
        rest + (self.potential - rest) * (-elapsed / tau_m).exp()
            + biased
            + from(self.current, tau_s)
            + from(self.inhibitory_current, tau_s_inhibitory)
    }

    /// Brings the state up to `now`.
    fn advance(&mut self, now: f64) {
        let held_until = self.release.min(now);
        if held_until > self.updated {
            self.decay(held_until - self.updated);
            self.updated = held_until;
        }
        if now > self.updated {
            self.potential = self.potential_after(now - self.updated);
            self.decay(now - self.updated);
            self.updated = now;
        }
    }

    fn decay(&mut self, elapsed: f64) {
        self.current *= (-elapsed / self.parameters.tau_s).exp();
        self.inhibitory_current *= (-elapsed / self.parameters.tau_s_inhibitory).exp();
    }

    /// How near to the threshold is a close call, `elapsed` time units later: measured by all that
    /// makes up the potential then.
    fn close(&self, elapsed: f64) -> f64 {
        let NeuronParameters { tau_m, tau_s, tau_s_inhibitory, capacitance, .. } = self.parameters;
        let excitatory = self.current.abs() * kernel(1.0 / tau_m, 1.0 / tau_s, elapsed);
        let inhibitory =
            self.inhibitory_current.abs() * kernel(1.0 / tau_m, 1.0 / tau_s_inhibitory, elapsed);
        let potential = self.potential.abs() * (-elapsed / tau_m).exp();
        CLOSE * (1.0 + potential + (excitatory + inhibitory) / capacitance)
    }

    /// Looks at the potential from now to `until`, in steps that are small against the fastest time
    /// constant and grow as the fast exponentials vanish.
    fn look_ahead(&self, until: f64) -> Outlook {
        let mut ready = Neuron { outlook: Outlook::default(), ..*self };
        ready.advance(self.updated.max(self.release));
        let start = ready.updated;
        let threshold = self.parameters.threshold;
        let above = |elapsed: f64| ready.potential_after(elapsed) - threshold;
        let crossed = |low: f64, high: f64| start + bisect(low, high, |time| above(time) >= 0.0);
        let mut outlook = Outlook::default();
        if self.spent {
            return outlook;
        }
        if above(0.0) >= 0.0 {
            return Outlook { crossing: Some(start), ..outlook };
        }
        let NeuronParameters { tau_m, tau_s, tau_s_inhibitory, .. } = self.parameters;
        let step = 0.02 * tau_m.min(tau_s).min(tau_s_inhibitory);
        // The last two points, and their heights above the threshold.
        let (mut before, mut last) = ((0.0, above(0.0)), (0.0, above(0.0)));
        while start + last.0 <= until {
            let time = last.0 + step + 0.01 * last.0;
            let next = (time, above(time));
            let rose_and_fell = last.1 >= before.1 && last.1 > next.1;
            if rose_and_fell && next.1 < 0.0 {
                let peak = maximum(before.0, next.0, above);
                if above(peak).abs() < ready.close(peak) {
                    outlook.close_call = outlook.close_call.or(Some(start + before.0));
                }
                if above(peak) >= 0.0 {
                    return Outlook { crossing: Some(crossed(before.0, peak)), ..outlook };
                }
            }
            if next.1 >= 0.0 {
                return Outlook { crossing: Some(crossed(last.0, next.0)), ..outlook };
            }
            (before, last) = (last, next);
        }
        outlook
    }
}

/// The smallest double between `low` and `high` at which `reached` holds.
pub fn bisect(mut low: f64, mut high: f64, reached: impl Fn(f64) -> bool) -> f64 {
    loop {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            return high;
        }
        if reached(middle) { high = middle } else { low = middle }
    }
}

/// Where a function with a single maximum has it, by thirds.
fn maximum(mut low: f64, mut high: f64, value: impl Fn(f64) -> f64) -> f64 {
    // (2/3)^60 = 3e-11 of a step: at a maximum, where the function is flat, far below rounding.
    for _ in 0..60 {
        let third = (high - low) / 3.0;
        if value(low + third) < value(high - third) { low += third } else { high -= third }
    }
    0.5 * (low + high)
}

/// Runs a network up to `until`, or until `most` spikes have been recorded.
pub fn simulate(
    network: &Network,
    stimulus: &[SourceSpike],
    at_most_one_spike: bool,
    until: f64,
    most: usize,
) -> Run {
    let layout = CompiledNetwork::new(network);
    let mut neurons: Vec<Option<Neuron>> = network
        .graph()
        .node_weights()
        .map(|node| match node {
            Node::Source => None,
            Node::Neuron(parameters) => Some(Neuron::new(*parameters)),
        })
        .collect();
    for neuron in neurons.iter_mut().flatten() {
        neuron.outlook = neuron.look_ahead(until);
    }
    let mut run = Run::default();
    // What is under way: time of arrival, target, weight.
    let mut under_way: Vec<(f64, usize, f64)> = Vec::new();
    let mut sources = stimulus.iter().peekable();
    loop {
        let crossing = (neurons.iter().enumerate())
            .filter_map(|(node, neuron)| Some((neuron.as_ref()?.outlook.crossing?, node)))
            .min_by(|a, b| a.partial_cmp(b).expect("times are numbers"))
            .unwrap_or((f64::INFINITY, 0));
        let source = sources.peek().map_or(f64::INFINITY, |spike| spike.time);
        let arrival = under_way.iter().map(|arrival| arrival.0).fold(f64::INFINITY, f64::min);
        let now = crossing.0.min(source).min(arrival);
        if now > until || now == f64::INFINITY || run.spikes.len() >= most {
            break;
        }
        if crossing.0 == now || source == now {
            let node = if crossing.0 == now {
                crossing.1
            } else {
                sources.next().unwrap().source as usize
            };
            run.spikes.push((node, now));
            for synapse in layout.outgoing(node) {
                let target = layout.targets()[synapse] as usize;
                under_way.push((now + layout.delays()[synapse], target, layout.weights()[synapse]));
            }
            let Some(neuron) = &mut neurons[node] else { continue };
            // An arrival just after the crossing might as well have come before it.
            let prevented = under_way.iter().any(|&(time, target, _)| {
                target == node && time > now && time - now < CLOSE * (1.0 + 1e-6 * now)
            });
            run.close_calls += usize::from(prevented);
            run.close_calls += usize::from(neuron.outlook.close_call.is_some());
            neuron.advance(now);
            neuron.potential = neuron.parameters.reset_potential;
            neuron.release = now + neuron.parameters.refractory_period;
            neuron.spent = at_most_one_spike;
            neuron.outlook = neuron.look_ahead(until);
            continue;
        }
        let mut touched = Vec::new();
        under_way.retain(|&(time, target, weight)| {
            if time != now {
                return true;
            }
            let neuron = neurons[target].as_mut().expect("synapses end at neurons");
            if !touched.contains(&target) {
                touched.push(target);
                let close = neuron.close(now - neuron.updated);
                neuron.advance(now);
                let missed = (neuron.potential - neuron.parameters.threshold).abs() < close;
                let passed = neuron.outlook.close_call.is_some_and(|time| time <= now);
                run.close_calls += usize::from(!neuron.spent && (missed || passed));
            }
            let inhibitory = weight < 0.0;
            *(if inhibitory { &mut neuron.inhibitory_current } else { &mut neuron.current }) +=
                weight;
            false
        });
        for target in touched {
            let neuron = neurons[target].as_mut().expect("synapses end at neurons");
            neuron.outlook = neuron.look_ahead(until);
        }
    }
    for neuron in neurons.iter().flatten() {
        let close = neuron.outlook.close_call.is_some_and(|time| time <= until);
        run.close_calls += usize::from(close);
    }
    run
}
