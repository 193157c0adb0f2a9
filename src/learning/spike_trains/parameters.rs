//! What is trained, and how it is kept within bounds.

use serde::{Deserialize, Serialize};

use crate::settings::{Check, Settings};

/// An interval that a trained parameter cannot leave.
///
/// Training changes a raw number `r` that may be anything; the parameter is
/// `x = low + (high − low) σ(r)` with the logistic function `σ(r) = 1/(1 + e^(−r))`. So
/// `dx/dr = (x − low)(high − x)/(high − low)`: the closer to a bound, the slower the change, and no
/// step can cross it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(
    feature = "schema",
    schemars(
        description = "An interval that a trained parameter cannot leave: the closer to an end, the slower it changes."
    )
)]
#[serde(deny_unknown_fields)]
pub struct Bounds {
    /// The lower bound, never reached. Finite.
    pub low: f64,
    /// The upper bound, never reached. Finite, above `low`.
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

/// Which parameters are trained beside the weights, each within bounds; what has none stays as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Trainable {
    /// Delays of all synapses. In time units. Not negative. Default: not trained.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delays: Option<Bounds>,
    /// Thresholds of all neurons. Default: not trained.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threshold: Option<Bounds>,
    /// Membrane time constants of all neurons. In time units. Above zero. Default: not trained.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tau_m: Option<Bounds>,
    /// Synaptic time constants of all neurons; those of inhibitory synapses follow. In time units. Above zero.
    /// Default: not trained.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tau_s: Option<Bounds>,
}

impl Settings for Trainable {
    fn check(&self, check: &mut Check<'_>) {
        let bounds = [
            ("delays", self.delays),
            ("threshold", self.threshold),
            ("tau_m", self.tau_m),
            ("tau_s", self.tau_s),
        ];
        for (name, bounds) in bounds {
            let Some(Bounds { low, high }) = bounds else { continue };
            let in_range = match name {
                "delays" => low >= 0.0,
                "threshold" => true,
                _ => low > 0.0,
            };
            check.require(
                in_range && low < high && low.is_finite() && high.is_finite(),
                name,
                || format!("low = {low}, high = {high}: must be finite, low < high, and in range"),
            );
        }
    }
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
