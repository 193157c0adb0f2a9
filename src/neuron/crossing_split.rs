//! The first crossing of a neuron whose excitatory and inhibitory currents decay at different rates.
//!
//! With `y = dV/dt`, and `j = I/C` for either current, `y(t) e^(λ_m t)` has the derivative
//! `−(λ_e j_e e^((λ_m − λ_e) t) + λ_i j_i e^((λ_m − λ_i) t))`, which vanishes at most once, at
//!
//! ```text
//! t_h = ln(−λ_i j_i / (λ_e j_e)) / (λ_i − λ_e)
//! ```
//!
//! So `y` has at most one zero before `t_h` and one after it: the potential has at most two
//! extrema, and rises or falls steadily between them. Each zero is bracketed by the signs of `y` at
//! the ends, the last by its sign at infinity; then the first interval on which the potential rises
//! through the threshold holds the crossing. Nothing is stepped over.

use super::crossing::{Crossing, bracketed_root};
use super::dynamics::{Dynamics, State};
use super::kernel::general_decays_and_kernel;

impl Dynamics {
    /// The first crossing in the presence of an inhibitory current with a time constant of its own.
    /// The potential is below the threshold.
    pub(super) fn crossing_split(&self, state: &State) -> Option<Crossing> {
        let limit = self.limit(state);
        let reachable = state.potential.max(self.asymptote)
            + state.current.max(0.0) * self.largest_response
            + state.inhibitory_current.max(0.0) * self.largest_inhibitory_response;
        if limit <= self.threshold && reachable < self.threshold {
            return None;
        }
        let mut start = 0.0;
        for extremum in self.extrema(state).into_iter().flatten() {
            if self.potential_after(state, extremum) > self.threshold {
                return Some(self.solve(state, start, extremum, 0.5 * (start + extremum)));
            }
            start = extremum;
        }
        if limit <= self.threshold {
            return None;
        }
        let end = self.search(start, |time| self.potential_after(state, time) > self.threshold)?;
        Some(self.solve(state, start, end, 0.5 * (start + end)))
    }

    /// Where the potential goes in the end.
    fn limit(&self, state: &State) -> f64 {
        if self.membrane_rate == 0.0 && self.drift == 0.0 {
            let charge = state.current / self.synaptic_rate
                + state.inhibitory_current / self.inhibitory_rate;
            return state.potential + charge * self.inverse_capacitance;
        }
        self.asymptote
    }

    /// The times at which `dV/dt` changes its sign, in order.
    fn extrema(&self, state: &State) -> [Option<f64>; 2] {
        let excitatory = self.synaptic_rate * state.current;
        let inhibitory = self.inhibitory_rate * state.inhibitory_current;
        let turn = (-inhibitory / excitatory).ln() / (self.inhibitory_rate - self.synaptic_rate);
        // NaN (currents of one sign) means that there is no turn.
        let turn = if turn > 0.0 && turn.is_finite() { turn } else { 0.0 };
        // A slope of zero takes the sign that it is about to have.
        let sign_now = match self.slope(state) {
            0.0 => -(excitatory + inhibitory),
            slope => slope,
        };
        let sign_at_turn = if turn > 0.0 { self.scaled_slope(state, turn).0 } else { sign_now };
        let differ = |a: f64, b: f64| (a < 0.0 && b > 0.0) || (a > 0.0 && b < 0.0);
        let first = differ(sign_now, sign_at_turn).then(|| self.flat(state, 0.0, turn));
        let second = differ(sign_at_turn, self.final_slope_sign(state))
            .then(|| {
                self.search(turn, |time| !differ(-sign_at_turn, self.scaled_slope(state, time).0))
                    .map(|end| self.flat(state, turn, end))
            })
            .flatten();
        [first, second]
    }

    /// A number with the sign that `dV/dt` has in the end: that of its slowest exponential.
    fn final_slope_sign(&self, state: &State) -> f64 {
        let (slower_rate, slower_current) =
            if self.synaptic_rate < self.inhibitory_rate && state.current != 0.0 {
                (self.synaptic_rate, state.current)
            } else if self.inhibitory_rate < self.synaptic_rate || state.current == 0.0 {
                (self.inhibitory_rate, state.inhibitory_current)
            } else {
                (self.synaptic_rate, state.current)
            };
        if self.membrane_rate == 0.0 {
            // Without leak, the currents and the drift are all there is.
            return if self.drift == 0.0 { slower_current } else { self.drift };
        }
        if slower_rate <= self.membrane_rate {
            // A current that outlasts the membrane drags the potential down with itself, if it is
            // positive, and up if it is negative.
            return -slower_current;
        }
        let term = |rate: f64, current: f64| {
            rate * current * self.inverse_capacitance / (rate - self.membrane_rate)
        };
        self.slope(state)
            - term(self.synaptic_rate, state.current)
            - term(self.inhibitory_rate, state.inhibitory_current)
    }

    /// `dV/dt` times `e^(λ t)` with the slowest rate `λ`, which neither vanishes nor overflows, and
    /// its derivative. Multiplication by `e^(λ t)` takes `λ` off every rate.
    fn scaled_slope(&self, state: &State, time: f64) -> (f64, f64) {
        let slowest = self.membrane_rate.min(self.synaptic_rate).min(self.inhibitory_rate);
        let membrane_rate = self.membrane_rate - slowest;
        let slope_now = self.slope(state);
        let pull = |rate: f64, current: f64| {
            let (_, decay, kernel) = general_decays_and_kernel(membrane_rate, rate - slowest, time);
            let strength = rate * current * self.inverse_capacitance;
            (strength * kernel, strength * decay)
        };
        let excitatory = pull(self.synaptic_rate, state.current);
        let inhibitory = pull(self.inhibitory_rate, state.inhibitory_current);
        let slope = slope_now * (-membrane_rate * time).exp() - excitatory.0 - inhibitory.0;
        (slope, -membrane_rate * slope - excitatory.1 - inhibitory.1)
    }

    /// Where `dV/dt` changes its sign between `low` and `high`, where it has different ones.
    fn flat(&self, state: &State, low: f64, high: f64) -> f64 {
        let sign = if self.scaled_slope(state, high).0 > 0.0 { 1.0 } else { -1.0 };
        bracketed_root(low, high, 0.5 * (low + high), |time| {
            let (slope, change) = self.scaled_slope(state, time);
            (sign * slope, sign * change)
        })
    }

    /// A time after `start` at which `reached` holds, found by doubling; none if that is so late
    /// that every exponential has vanished.
    fn search(&self, start: f64, reached: impl Fn(f64) -> bool) -> Option<f64> {
        let rates = [self.membrane_rate, self.synaptic_rate, self.inhibitory_rate];
        let slowest = rates.into_iter().filter(|&rate| rate > 0.0).fold(f64::INFINITY, f64::min);
        let fastest = rates.into_iter().fold(0.0, f64::max);
        let mut step = 1.0 / fastest;
        // e^(−750) is zero in double precision; a drift without leak may take longer.
        let last =
            if self.membrane_rate == 0.0 && self.drift > 0.0 { f64::MAX } else { 750.0 / slowest };
        while step <= 2.0 * last {
            if reached(start + step) {
                return Some(start + step);
            }
            step *= 2.0;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::NeuronParameters;
    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3000))]

        /// The slow twin: a dense scan for the first upward crossing.
        #[test]
        fn agrees_with_a_dense_scan(
            tau_m in prop_oneof![Just(1.0), Just(2.0), Just(f64::INFINITY), 0.1..10.0],
            tau_s in prop_oneof![Just(1.0), 0.2..5.0],
            tau_s_inhibitory in prop_oneof![Just(1.0 + 1e-9), Just(2.0), 0.2..5.0],
            bias_current in prop_oneof![Just(0.0), -0.3..0.3, 0.9..3.0],
            potential in -2.0..0.99,
            current in -5.0..25.0,
            inhibitory_current in prop_oneof![-15.0..0.0, 0.0..3.0],
        ) {
            let parameters = NeuronParameters {
                tau_m, tau_s, tau_s_inhibitory, bias_current, ..NeuronParameters::default()
            };
            let neuron = Dynamics::new(&parameters).expect("valid");
            prop_assume!(neuron.has_split_currents() && inhibitory_current != 0.0);
            let state = State { potential, current, inhibitory_current };
            let (step, end) = (2e-3, 60.0);
            let above = |time: f64| neuron.potential_after(&state, time) - 1.0;
            let scanned = (1..(end / step) as u32)
                .map(|count| f64::from(count) * step)
                .find(|&time| above(time) > 0.0);
            match (neuron.first_crossing(&state), scanned) {
                (None, None) => {}
                (Some(found), Some(scanned)) => {
                    prop_assert!(above(found.elapsed).abs() < 1e-12 * (1.0 + current.abs()));
                    prop_assert!(found.elapsed <= scanned + 1e-9, "late: {found:?} {scanned}");
                    // Earlier than the scan saw: between two of its points, or a graze it missed.
                    let missed = found.elapsed < scanned - step;
                    prop_assert!(!missed || found.slope < 0.1 * (1.0 + current.abs()));
                    prop_assert!(found.slope >= 0.0);
                }
                (Some(found), None) => {
                    let graze = found.slope < 0.1 * (1.0 + current.abs());
                    prop_assert!(found.elapsed > end - 1.0 || graze, "invented: {found:?}");
                    prop_assert!(above(found.elapsed).abs() < 1e-12 * (1.0 + current.abs()));
                }
                (None, Some(scanned)) => {
                    prop_assert!(above(scanned) < 1e-12, "missed at {scanned}");
                }
            }
        }
    }
}
