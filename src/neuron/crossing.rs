//! When a neuron's potential first reaches the threshold, if nothing else arrives.
//!
//! Between events the potential is a sum of two exponentials and a constant, so it has at most one
//! extremum. Whether it crosses is decided at that extremum, and the first upward crossing lies
//! on an interval where the potential only rises: nothing can be stepped over.

use super::dynamics::{Dynamics, Propagator, Ratio, State};
use super::lambert::lead_before_peak;

/// A threshold crossing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Crossing {
    /// Time from the state (or from the start of the inputs) to the crossing.
    pub elapsed: f64,
    /// `dV/dt` at the crossing; it tends to zero as the peak of the potential grazes the threshold.
    pub slope: f64,
}

impl Dynamics {
    /// The first time the potential rises to the threshold if no further spike arrives.
    ///
    /// A state that is at or above the threshold already crosses now. A peak that only touches
    /// the threshold is no crossing.
    #[inline]
    pub fn first_crossing(&self, state: &State) -> Option<Crossing> {
        if state.potential >= self.threshold {
            return Some(Crossing { elapsed: 0.0, slope: self.slope(state) });
        }
        if state.inhibitory_current != 0.0 {
            return self.crossing_split(state);
        }
        if self.asymptote > self.threshold {
            return Some(self.crossing_towards_asymptote(state));
        }
        // The potential decays to a value at or below the threshold. To cross on the way it must
        // be pushed up by a current that can add enough: a bound that costs no exponential.
        let potential_now = state.potential.max(self.asymptote);
        if potential_now + state.current * self.largest_response < self.threshold
            || state.current <= 0.0
        {
            return None;
        }
        match self.ratio {
            Ratio::Equal => self.crossing_equal(state),
            Ratio::Double => self.crossing_double(state),
            Ratio::NonLeaky => self.crossing_non_leaky(state),
            Ratio::General => self.crossing_before_peak(state),
        }
    }

    /// Whether the potential certainly stays below the threshold for the interval that the
    /// propagator stands for. `false` says nothing.
    ///
    /// The potential has at most one extremum. If it is below the threshold at both ends and rises
    /// at the second, that extremum is no maximum in between. The slack is far more than rounding
    /// can shift the potential at the second end, or its slope: after a long time all that is left
    /// of the slope is the rounding of a bias current against the leak, or of numbers below
    /// [`f64::MIN_POSITIVE`] (after 700 time constants), whose sign means nothing.
    #[inline]
    pub fn stays_below_threshold(&self, state: &State, propagator: &Propagator) -> bool {
        let mut later = *state;
        propagator.apply(&mut later);
        let scale = state.potential.abs() + (state.current * self.largest_response).abs();
        let rounding = 1e-12 * (self.drift.abs() + self.membrane_rate * later.potential.abs());
        let underflow = f64::MIN_POSITIVE
            * (self.membrane_rate + self.inverse_capacitance)
            * (1.0 + state.potential.abs() + state.current.abs());
        // Two currents may cause a maximum and a minimum.
        state.inhibitory_current == 0.0
            && state.potential < self.threshold
            && later.potential + 1e-12 * (scale + self.threshold.abs()) < self.threshold
            && self.slope(&later) > rounding + underflow
    }

    /// `τ_m = τ_s`. Relative to the asymptote the potential is `(a t − b) e^(−λ t)` with the
    /// slope `a = I/C` and `b` the distance up to the asymptote. It peaks at `t* = 1/λ + b/a` with
    /// height `(a/λ) e^(−λ t*)`. Writing the crossing as `T = t* − u/λ` turns
    /// `(a T − b) e^(−λ T) = ϑ` into `(1 − u) e^u = ϑ/height`, or
    /// `u + ln(1 − u) = ln(ϑ/height)`: the margin of [`lead_before_peak`]. The same `u` gives the
    /// slope there, `a u e^(−λ T)`.
    #[inline]
    fn crossing_equal(&self, state: &State) -> Option<Crossing> {
        let rate = self.membrane_rate;
        let push = state.current * self.inverse_capacitance;
        // λ t*
        let peak = self.slope(state) / push;
        // ϑ/height · e^(−λ t*): near the peak of a potential that hardly moves, from the distance
        // to the threshold, so that a far asymptote cancels nothing.
        let logarithm = if peak < 0.5 {
            ((self.threshold - state.potential) * rate / push - peak).ln_1p()
        } else {
            ((self.threshold - self.asymptote) * rate / push).ln()
        };
        let margin = logarithm + peak;
        // Negated so that a margin of NaN (an infinite push) is no spike either.
        if !(peak > 0.0 && margin < 0.0) {
            return None;
        }
        let lead = lead_before_peak(margin);
        let scaled = (peak - lead).max(0.0);
        Some(Crossing { elapsed: scaled / rate, slope: push * lead * (-scaled).exp() })
    }

    /// `τ_m = 2 τ_s`. In `x = e^(−λ_m t)` the potential relative to the asymptote is the parabola
    /// `(c − b) x − c x²` with `c = I/(C λ_m)`. It peaks at `x* = (c − b)/(2c)` with height
    /// `(c − b)²/(4c)`, and the earlier crossing is `x = x* (1 + r)`, `r = √(1 − ϑ/height)`.
    #[inline]
    fn crossing_double(&self, state: &State) -> Option<Crossing> {
        let rate = self.membrane_rate;
        let push = state.current * self.inverse_capacitance / rate;
        // e^(−λ_m t) at the peak.
        let lift = push - (self.asymptote - state.potential);
        let peak = lift / (2.0 * push);
        if !(peak > 0.0 && peak < 1.0) {
            return None;
        }
        if peak < 0.5 {
            let margin = 1.0 - (self.threshold - self.asymptote) / (0.5 * lift * peak);
            if !(margin > 0.0) {
                return None;
            }
            let root = margin.sqrt();
            let decay = peak * (1.0 + root);
            return Some(Crossing {
                elapsed: (-decay.ln() / rate).max(0.0),
                slope: lift * root * rate * decay,
            });
        }
        // Soon, compared with τ_m: the same parabola in y = 1 − x, which holds the distance to the
        // threshold instead of the asymptote: c y² − (V̇/λ_m) y + (ϑ − u) = 0.
        let rise = self.slope(state) / rate;
        let gap = self.threshold - state.potential;
        let discriminant = rise * rise - 4.0 * push * gap;
        if !(rise > 0.0 && discriminant > 0.0) {
            return None;
        }
        let root = discriminant.sqrt();
        let decayed = 2.0 * gap / (rise + root);
        Some(Crossing { elapsed: -(-decayed).ln_1p() / rate, slope: root * rate * (1.0 - decayed) })
    }

    /// `τ_m = ∞` without bias: the potential is `u + (I/C) τ_s (1 − e^(−t/τ_s))`.
    fn crossing_non_leaky(&self, state: &State) -> Option<Crossing> {
        let push = state.current * self.inverse_capacitance;
        let used = (self.threshold - state.potential) * self.synaptic_rate / push;
        if !(used < 1.0) {
            return None;
        }
        let elapsed = -(-used).ln_1p() / self.synaptic_rate;
        Some(Crossing { elapsed, slope: push * (1.0 - used) })
    }

    /// Any ratio, threshold above the asymptote: the crossing lies before the peak, on a rising
    /// and concave interval.
    fn crossing_before_peak(&self, state: &State) -> Option<Crossing> {
        let slope = self.slope(state);
        if slope <= 0.0 {
            return None;
        }
        let peak = self.extremum(state)?;
        let height = self.potential_after(state, peak);
        if !(height > self.threshold) {
            return None;
        }
        // Where a parabola through the state and the peak would cross.
        let margin = (height - self.threshold) / (height - state.potential);
        let guess = peak * (1.0 - margin.sqrt());
        Some(self.solve(state, 0.0, peak, guess))
    }

    /// Threshold below the asymptote: the potential crosses for certain, on the way up to a peak
    /// above the asymptote, or after the minimum that an inhibitory current causes.
    #[cold]
    fn crossing_towards_asymptote(&self, state: &State) -> Crossing {
        let extremum = self.extremum(state);
        let (low, high) = match extremum {
            Some(peak) if state.current > 0.0 => (0.0, Some(peak)),
            Some(minimum) => (minimum, None),
            None => (0.0, None),
        };
        let high = high.unwrap_or_else(|| {
            let mut step = 1.0 / self.synaptic_rate.max(self.membrane_rate);
            while self.potential_after(state, low + step) < self.threshold {
                step *= 2.0;
            }
            low + step
        });
        self.solve(state, low, high, 0.5 * (low + high))
    }

    /// When `dV/dt` vanishes, if it does in the future.
    ///
    /// With `y = dV/dt` now, `y(t) = y e^(−λ_m t) − λ_s (I/C) K(t)`, which is zero at
    /// `t = −ln(1 − d q)/d` for `q = y/(λ_s I/C)` and `d = λ_s − λ_m`.
    pub(super) fn extremum(&self, state: &State) -> Option<f64> {
        let push = state.current * self.inverse_capacitance;
        let distance = self.synaptic_rate - self.membrane_rate;
        let q = self.slope(state) / (self.synaptic_rate * push);
        let x = distance * q;
        // 1 − x, without the cancellation that a ratio of time constants far from one causes.
        let drop = self.membrane_rate * state.potential - self.drift;
        let complement = (self.membrane_rate + distance * (drop / push)) / self.synaptic_rate;
        if !(q > 0.0 && complement > 0.0) {
            return None;
        }
        let time = if x == 0.0 {
            q
        } else if x < 0.5 {
            q * (-(-x).ln_1p() / x)
        } else {
            -complement.ln() / distance
        };
        time.is_finite().then_some(time)
    }

    /// The crossing between `low` and `high`: the potential is below the threshold at `low`, above
    /// it at `high`, and rises between them.
    pub(super) fn solve(&self, state: &State, low: f64, high: f64, guess: f64) -> Crossing {
        let elapsed = bracketed_root(low, high, guess, |time| {
            let mut later = *state;
            self.advance(&mut later, time);
            (later.potential - self.threshold, self.slope(&later))
        });
        Crossing { elapsed, slope: self.slope_after(state, elapsed).max(0.0) }
    }
}

/// Newton's iteration from `guess` for the root of a function (`evaluate` gives value and
/// derivative) that is negative at `low` and positive at `high`, kept inside that bracket, which
/// closes with every step.
#[inline]
pub(super) fn bracketed_root(
    mut low: f64,
    mut high: f64,
    guess: f64,
    mut evaluate: impl FnMut(f64) -> (f64, f64),
) -> f64 {
    let mut time = guess.clamp(low, high);
    // Halving every other step from the twentieth on closes any bracket of doubles in time.
    for count in 0..200 {
        let (value, derivative) = evaluate(time);
        if value < 0.0 {
            low = time;
        } else {
            high = time;
        }
        let mut next = time - value / derivative;
        // Far below the threshold the potential is exponential and Newton's steps do not shrink:
        // they must not go on for ever.
        let halve = count >= 20 && count % 2 == 0;
        if halve || !(next > low && next < high) {
            // Rounding may put the last Newton step on the bracket's own end.
            if (next - time).abs() <= f64::EPSILON * time.abs() {
                break;
            }
            next = 0.5 * (low + high);
            if next <= low || next >= high {
                break;
            }
        }
        let step = (next - time).abs();
        time = next;
        if step <= f64::EPSILON * time {
            break;
        }
    }
    time
}

/// The first spike of a neuron that starts in its initial state at time zero and receives `inputs` (time, weight),
/// sorted by time; inputs at infinity never arrive. `elapsed` is counted from time zero.
///
/// An input that arrives at the very moment of a crossing does not take part in it: the potential
/// is continuous, and had reached the threshold before.
pub fn first_spike(dynamics: &Dynamics, inputs: &[(f64, f64)]) -> Option<Crossing> {
    let mut state = dynamics.initial_state();
    let mut now = 0.0;
    let mut rest = inputs;
    loop {
        let next = rest.first().map_or(f64::INFINITY, |input| input.0);
        if let Some(crossing) = dynamics.first_crossing(&state)
            && now + crossing.elapsed <= next
        {
            return Some(Crossing { elapsed: now + crossing.elapsed, ..crossing });
        }
        if next == f64::INFINITY {
            return None;
        }
        dynamics.advance(&mut state, next - now);
        now = next;
        // Simultaneous inputs are added up before the next crossing is looked for.
        while let Some(&(time, weight)) = rest.first()
            && time == now
        {
            dynamics.receive(&mut state, weight);
            rest = &rest[1..];
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::NeuronParameters;
    use super::*;

    fn neuron(tau_m: f64, bias_current: f64) -> Dynamics {
        Dynamics::new(&NeuronParameters { tau_m, bias_current, ..NeuronParameters::default() })
            .expect("valid")
    }

    #[test]
    fn every_ratio_crosses_where_the_potential_says() {
        for tau_m in [0.1, 0.5, 0.999, 1.0, 1.0 + 1e-12, 1.001, 2.0, 3.0, 1e4, f64::INFINITY] {
            for bias in [0.0, -0.3, 0.05, 3.0, 20.0] {
                let dynamics = neuron(tau_m, bias);
                for current in [-3.0, 0.0, 2.9, 5.0, 30.0] {
                    for potential in [-2.0, 0.0, 0.9] {
                        let state = State { potential, current, inhibitory_current: 0.0 };
                        let Some(crossing) = dynamics.first_crossing(&state) else { continue };
                        let reached = dynamics.potential_after(&state, crossing.elapsed);
                        assert!((reached - 1.0).abs() < 1e-13, "{tau_m} {bias} {state:?}");
                        let slope = dynamics.slope_after(&state, crossing.elapsed);
                        assert!((slope - crossing.slope).abs() < 1e-12 * (1.0 + slope));
                        assert!(slope > 0.0);
                    }
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(5000))]

        #[test]
        fn what_certainly_stays_below_does_not_cross(
            tau_m in prop_oneof![Just(1.0), Just(2.0), Just(f64::INFINITY), 0.1..20.0],
            bias in prop_oneof![Just(0.0), -2.0..0.99, 0.9..1.1],
            potential in -3.0..1.0,
            current in -5.0..20.0,
            elapsed in prop_oneof![0.0..5.0, 0.0..1e3, 0.0..1e6],
        ) {
            let dynamics = neuron(tau_m, bias);
            let state = State { potential, current, inhibitory_current: 0.0 };
            if dynamics.stays_below_threshold(&state, &dynamics.propagator(elapsed)) {
                let crossing = dynamics.first_crossing(&state);
                prop_assert!(crossing.is_none_or(|crossing| crossing.elapsed > elapsed));
            }
        }
    }

    #[test]
    fn after_a_long_time_the_sign_of_a_rounded_slope_means_nothing() {
        // Potential and current have decayed to a few multiples of 5e-324.
        let dynamics = neuron(0.33067035004468864, 0.0);
        let state = State { potential: 0.0, current: 7.703896950645586, inhibitory_current: 0.0 };
        assert!(dynamics.first_crossing(&state).is_some_and(|crossing| crossing.elapsed < 1.0));
        let mut elapsed = 690.0;
        while elapsed < 760.0 {
            assert!(!dynamics.stays_below_threshold(&state, &dynamics.propagator(elapsed)));
            elapsed += 0.01;
        }
    }

    #[test]
    fn touching_the_threshold_from_below_is_no_crossing() {
        // A lone spike of weight w peaks at w/e.
        let dynamics = neuron(1.0, 0.0);
        let weight = std::f64::consts::E;
        let below = State { current: weight * (1.0 - 1e-14), ..State::default() };
        let above = State { current: weight * (1.0 + 1e-14), ..State::default() };
        assert_eq!(dynamics.first_crossing(&below), None);
        assert!(dynamics.first_crossing(&above).is_some());
    }

    #[test]
    fn simultaneous_inputs_are_summed_before_the_crossing_is_predicted() {
        let dynamics = neuron(1.0, 0.0);
        let split = [(0.5, 9.0), (0.5, -5.0), (0.5, 2.0)];
        let whole = [(0.5, 6.0)];
        assert_eq!(first_spike(&dynamics, &split), first_spike(&dynamics, &whole));
        assert_eq!(first_spike(&dynamics, &[(0.5, 9.0), (0.5, -8.0)]), None);
        assert_eq!(first_spike(&dynamics, &[(f64::INFINITY, 9.0)]), None);
    }
}
