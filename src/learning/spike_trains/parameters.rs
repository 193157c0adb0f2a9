//! What is trained, and how it is kept within bounds.

/// An interval that a trained parameter cannot leave.
///
/// Training changes a raw number `r` that may be anything; the parameter is
/// `x = low + (high − low) σ(r)` with the logistic function `σ(r) = 1/(1 + e^(−r))`. So
/// `dx/dr = (x − low)(high − x)/(high − low)`: the closer to a bound, the slower the change, and no
/// step can cross it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    /// The lower bound, never reached.
    pub low: f64,
    /// The upper bound, never reached. Above `low`.
    pub high: f64,
}

impl Bounds {
    /// The parameter of a raw number.
    pub fn value(&self, raw: f64) -> f64 {
        self.low + (self.high - self.low) / (1.0 + (-raw).exp())
    }

    /// The raw number of a parameter; one outside the bounds, or on them, is moved inside by a
    /// thousandth of the interval.
    pub fn raw(&self, value: f64) -> f64 {
        let fraction = ((value - self.low) / (self.high - self.low)).clamp(1e-3, 1.0 - 1e-3);
        (fraction / (1.0 - fraction)).ln()
    }

    /// `dx/dr` at a parameter's value.
    pub fn derivative(&self, value: f64) -> f64 {
        (value - self.low) * (self.high - value) / (self.high - self.low)
    }
}

/// Which parameters are trained beside the weights, each within bounds; none stays as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Trainable {
    /// Delays of the synapses, in time units.
    pub delays: Option<Bounds>,
    /// Thresholds of the neurons.
    pub thresholds: Option<Bounds>,
    /// Membrane time constants, in time units.
    pub tau_m: Option<Bounds>,
    /// Synaptic time constants, in time units; those of inhibitory synapses follow.
    pub tau_s: Option<Bounds>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raw_numbers_and_values_are_inverse_and_the_derivative_fits() {
        let bounds = Bounds { low: 0.5, high: 3.0 };
        for value in [0.6, 1.0, 2.9] {
            let raw = bounds.raw(value);
            assert!((bounds.value(raw) - value).abs() < 1e-14);
            let difference = (bounds.value(raw + 1e-6) - bounds.value(raw - 1e-6)) / 2e-6;
            assert!((bounds.derivative(value) - difference).abs() < 1e-9);
        }
        assert!((bounds.low..bounds.high).contains(&bounds.value(-30.0)));
        assert!(bounds.value(bounds.raw(7.0)) < bounds.high);
    }
}
