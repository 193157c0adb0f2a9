//! A test that a neuron stays below its threshold while inputs arrive, for many neurons at once.

use super::{Dynamics, Propagator};

/// Whether a neuron certainly stays below its threshold for an interval, whatever arrived
/// when: from its state at the start, its current at the end and the inhibition in between only.
///
/// Let the interval have length `Δ`, and let inputs of the weights `w_i` arrive `t_i` after its
/// start. Arriving earlier with the weight that decays to the same current afterwards,
/// `w_i e^(λ_s t_i)` at the start, an excitatory input only adds to the current at every moment,
/// and the potential is monotone in the current. Without its inhibitory inputs it is higher still.
/// So the potential never exceeds that of a neuron that starts with the current
///
/// ```text
/// I(0) + Σ⁺ w_i e^(λ_s t_i)  =  I(Δ) e^(λ_s Δ) + Σ⁻ |w_i| e^(λ_s t_i)  ≤  (I(Δ) + W) e^(λ_s Δ)
/// ```
///
/// where `I(Δ)` is the current at the end, all inputs included, and `W` the sum
/// of the absolute inhibitory weights. That neuron in turn stays below the larger of its
/// ends without current, plus what its current adds at most.
#[derive(Clone, Copy, Debug)]
pub struct CrossingBound {
    free: Propagator,
    /// Most that a unit of current at the end can have added to the potential.
    gain: f64,
    ceiling: f64,
}

impl Dynamics {
    /// The bound for an interval of `elapsed` time units. For intervals longer than `τ_s` it excludes
    /// nothing, nor does it for neurons with split currents.
    pub fn crossing_bound(&self, elapsed: f64) -> CrossingBound {
        let growth = (self.synaptic_rate * elapsed).exp();
        // K(t) ≤ t, and K(t) ≤ its largest value.
        let response = (elapsed * self.inverse_capacitance).min(self.largest_response);
        let slack = SLACK * (self.threshold.abs() + (self.drift * elapsed).abs());
        let useful = self.synaptic_rate * elapsed <= 1.0 && !self.has_split_currents();
        CrossingBound {
            free: self.propagator(elapsed),
            gain: growth * response,
            ceiling: if useful { self.threshold - slack } else { f64::NEG_INFINITY },
        }
    }
}

/// Relative slack of the bound: far more than the roundings of an interval add up to.
const SLACK: f64 = 1e-11;

impl CrossingBound {
    /// Whether no crossing is possible, given potential (relative to the leak) and synaptic current
    /// at the start of the interval, the current at its end, and the sum of the absolute weights of
    /// the inhibitory inputs in it. `false` says nothing.
    #[inline]
    pub fn excludes(&self, start: [f64; 2], current_at_end: f64, inhibition: f64) -> bool {
        let [potential, current] = start;
        let drive = (current_at_end + inhibition).max(0.0) * self.gain;
        let free = potential.max(self.free.apply_to_pair([potential, 0.0])[0]);
        // All that was added up to arrive at the current.
        let scale = potential.abs() + drive + (current.abs() + inhibition) * self.gain;
        free + drive + SLACK * scale < self.ceiling
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Dynamics, NeuronParameters, State};

    proptest! {
        /// Whatever the bound excludes does not happen: no potential on a fine grid reaches the
        /// threshold.
        #[test]
        fn what_is_excluded_does_not_happen(
            tau_m in prop_oneof![Just(1.0), Just(2.0), Just(f64::INFINITY), 0.2..20.0],
            bias_current in -0.5..2.0,
            potential in -1.0..1.0,
            current in -2.0..3.0,
            elapsed in 0.01..1.0,
            inputs in prop::collection::vec((0.0..1.0, -0.5..0.5), 0..6),
        ) {
            let parameters =
                NeuronParameters { tau_m, bias_current, ..NeuronParameters::default() };
            let dynamics = Dynamics::new(&parameters).expect("valid");
            let mut inputs: Vec<(f64, f64)> =
                inputs.iter().map(|&(at, weight)| (at * elapsed, weight)).collect();
            inputs.sort_by(|a, b| a.0.total_cmp(&b.0));
            let start = State { potential, current, ..State::default() };
            let (mut state, mut now, mut highest) = (start, 0.0, potential);
            for &(time, weight) in inputs.iter().chain([&(elapsed, 0.0)]) {
                for step in 0..=20 {
                    let after = (time - now) * f64::from(step) / 20.0;
                    highest = dynamics.potential_after(&state, after).max(highest);
                }
                dynamics.advance(&mut state, time - now);
                now = time;
                dynamics.receive(&mut state, weight);
            }
            let inhibition = inputs.iter().map(|input| (-input.1).max(0.0)).sum();
            let bound = dynamics.crossing_bound(elapsed);
            prop_assert!(!bound.excludes([potential, current], state.current, inhibition) || highest < 1.0);
        }
    }
}
