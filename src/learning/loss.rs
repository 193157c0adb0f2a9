//! What the label neurons' first-spike times should be.

use std::ops::Range;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::network::CompiledNetwork;
use crate::neuron::Dynamics;
use crate::settings::{Check, Settings, number_or_auto};

/// Loss of a sample whose correct label neuron stays silent. A constant: it has no gradient (what
/// makes silent neurons spike is a [`super::SilentNeuronRule`]).
pub const SILENT_LOSS: f64 = 100.0;

/// A loss on the label neurons' first-spike times (infinite for a silent neuron), with its decision
/// rule. Times and scales are in time units.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum Loss {
    /// Cross-entropy of the softmax over `−t/scale`, plus a cost of late correct spikes (Göltz,
    /// Kriener et al. 2021, equation 3):
    /// `ln Σ_n e^(−t_n/scale) + t_c/scale + early_weight e^(t_c/early_scale)`.
    ///
    /// Decision: the label whose neuron spikes first.
    FirstSpikeCrossEntropy {
        /// `ξ τ_s`: how far apart two times must be to count as different. In time units. Finite, above zero.
        scale: f64,
        /// `α`: weight of the cost of late spikes. Not negative.
        early_weight: f64,
        /// `β τ_s`: how quickly that cost grows. In time units. Finite, above zero.
        early_scale: f64,
    },
    /// `½ Σ_n (t_n − target_n)²` with one target for the correct label and one for the others.
    ///
    /// Decision: the label whose neuron's time is closest to the correct label's target. (With
    /// `correct > wrong` that is the *last* to spike.)
    MeanSquaredError {
        /// Target of the correct label neuron. In time units. Finite, above zero.
        correct: f64,
        /// Target of the other label neurons. In time units. Finite, above zero, and another than `correct`.
        wrong: f64,
    },
    /// `½ Σ_n ((t_n − t_c) − margin)²` over the wrong labels `n`: they should spike `margin` after
    /// the correct one, whenever that is (Göltz et al. 2024, DelGrad).
    ///
    /// Decision: the label whose neuron spikes first.
    ShiftInvariantMeanSquaredError {
        /// How much later than the correct label neuron the others should spike.
        margin: Margin,
    },
}

/// By how much label times should differ. In a file a number, or `"auto"`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Margin {
    /// In time units. Above zero.
    Fixed(f64),
    /// 0.15 synaptic time constants, or on a substrate four standard deviations of its label times if that is
    /// more: a smaller difference is decided by chance.
    Auto,
}

impl Margin {
    /// The least that [`Margin::Auto`] asks for, in synaptic time constants.
    const LEAST: f64 = 0.15;
    /// What it asks for in standard deviations of label times.
    const OF_NOISE: f64 = 4.0;

    /// In time units, on neurons of a synaptic time constant whose times have a standard deviation.
    fn value(self, tau_s: f64, noise: f64) -> f64 {
        match self {
            Margin::Fixed(margin) => margin,
            Margin::Auto => (Self::LEAST * tau_s).max(Self::OF_NOISE * noise),
        }
    }
}

impl Serialize for Margin {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let number = match *self {
            Margin::Fixed(margin) => Some(margin),
            Margin::Auto => None,
        };
        number_or_auto::serialize(number, serializer)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Margin {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Margin".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        crate::settings::schema::number_or_auto(
            "A number in time units, above 0, or `\"auto\"`.",
            "0.15 synaptic time constants, or on a substrate four standard deviations of its label times if \
             that is more.",
        )
    }
}

impl<'de> Deserialize<'de> for Margin {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(number_or_auto::deserialize(deserializer)?.map_or(Margin::Auto, Margin::Fixed))
    }
}

/// The decision for a sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Verdict {
    /// The class.
    pub class: usize,
    /// When its label neuron spiked, in time units.
    pub time: f64,
    /// By how much the next best label neuron was later (for a loss with a target for the correct label:
    /// further from that), in time units; infinite if no other one spiked.
    pub margin: f64,
}

impl Settings for Loss {
    fn check(&self, check: &mut Check<'_>) {
        match *self {
            Loss::FirstSpikeCrossEntropy { scale, early_weight, early_scale } => {
                let mut check = check.section("first_spike_cross_entropy");
                check.positive("scale", scale);
                check.positive("early_scale", early_scale);
                check.not_negative("early_weight", early_weight);
            }
            Loss::MeanSquaredError { correct, wrong } => {
                let mut check = check.section("mean_squared_error");
                check.positive("correct", correct);
                check.positive("wrong", wrong);
                check.require(correct != wrong, "", || {
                    format!("correct and wrong are both {correct}: they must differ")
                });
            }
            Loss::ShiftInvariantMeanSquaredError { margin: Margin::Fixed(margin) } => {
                check.positive("shift_invariant_mean_squared_error.margin", margin);
            }
            Loss::ShiftInvariantMeanSquaredError { margin: Margin::Auto } => {}
        }
    }
}

/// Synaptic time constant of the neurons of a label layer, in time units.
pub(super) fn label_tau_s(network: &CompiledNetwork, labels: &Range<usize>) -> f64 {
    network.dynamics(labels.start).map_or(1.0, Dynamics::tau_s)
}

impl Loss {
    /// The same with a margin in numbers ([`Margin::Auto`]), for label neurons of a synaptic time constant whose
    /// times have a standard deviation, both in time units.
    pub fn with_noise(self, tau_s: f64, noise: f64) -> Self {
        match self {
            Loss::ShiftInvariantMeanSquaredError { margin } => {
                let margin = Margin::Fixed(margin.value(tau_s, noise));
                Loss::ShiftInvariantMeanSquaredError { margin }
            }
            other => other,
        }
    }
    /// The same with a margin in numbers, for the labels of a network that has no noise or of which none is known.
    pub fn for_labels(self, network: &CompiledNetwork, labels: &Range<usize>) -> Self {
        self.with_noise(label_tau_s(network, labels), 0.0)
    }

    /// The loss of one sample; writes its gradient with respect to each label neuron's time.
    ///
    /// A silent neuron's time has zero gradient. If the correct label neuron is silent the loss is
    /// [`SILENT_LOSS`]. A silent wrong label neuron is later than any other and adds nothing. A margin that
    /// is not in numbers ([`Self::with_noise`]) is that of neurons with a synaptic time constant of one time unit.
    pub fn evaluate(&self, times: &[f64], correct_label: usize, gradient: &mut [f64]) -> f64 {
        gradient.fill(0.0);
        let correct_time = times[correct_label];
        if correct_time == f64::INFINITY {
            return SILENT_LOSS;
        }
        match *self {
            Loss::FirstSpikeCrossEntropy { scale, early_weight, early_scale } => {
                let first = times.iter().copied().fold(f64::INFINITY, f64::min);
                let sum: f64 = times.iter().map(|time| ((first - time) / scale).exp()).sum();
                for (gradient, time) in gradient.iter_mut().zip(times) {
                    *gradient = -((first - time) / scale).exp() / (sum * scale);
                }
                let late = early_weight * (correct_time / early_scale).exp();
                gradient[correct_label] += 1.0 / scale + late / early_scale;
                sum.ln() + (correct_time - first) / scale + late
            }
            Loss::MeanSquaredError { correct, wrong } => {
                let mut loss = 0.0;
                for (label, &time) in times.iter().enumerate() {
                    if time < f64::INFINITY {
                        let target = if label == correct_label { correct } else { wrong };
                        gradient[label] = time - target;
                        loss += 0.5 * (time - target).powi(2);
                    }
                }
                loss
            }
            Loss::ShiftInvariantMeanSquaredError { margin } => {
                let margin = margin.value(1.0, 0.0);
                let mut loss = 0.0;
                for (label, &time) in times.iter().enumerate() {
                    if label != correct_label && time < f64::INFINITY {
                        let error = time - correct_time - margin;
                        gradient[label] = error;
                        gradient[correct_label] -= error;
                        loss += 0.5 * error * error;
                    }
                }
                loss
            }
        }
    }

    /// What these times are decided to be, when, and how clearly; none if every label neuron is silent.
    pub fn verdict(&self, times: &[f64]) -> Option<Verdict> {
        let class = self.decide(times)?;
        let distance = |label: usize| match *self {
            Loss::MeanSquaredError { correct, .. } => (times[label] - correct).abs(),
            _ => times[label],
        };
        let others = (0..times.len()).filter(|&label| label != class).map(distance);
        let margin = others.fold(f64::INFINITY, f64::min) - distance(class);
        Some(Verdict { class, time: times[class], margin })
    }

    /// The label that these times stand for; none if every label neuron is silent. Of equal times
    /// the label with the lower index wins.
    pub fn decide(&self, times: &[f64]) -> Option<usize> {
        let distance = |time: f64| match *self {
            Loss::MeanSquaredError { correct, .. } => (time - correct).abs(),
            _ => time,
        };
        (0..times.len())
            .filter(|&label| times[label] < f64::INFINITY)
            .min_by(|&a, &b| distance(times[a]).total_cmp(&distance(times[b])))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOSSES: [Loss; 3] = [
        Loss::FirstSpikeCrossEntropy { scale: 0.2, early_weight: 0.005, early_scale: 1.0 },
        Loss::MeanSquaredError { correct: 1.9, wrong: 1.6 },
        Loss::ShiftInvariantMeanSquaredError { margin: Margin::Fixed(0.2) },
    ];

    #[test]
    fn gradients_agree_with_central_differences() {
        for loss in LOSSES {
            for times in [[1.1, 0.9, 1.4], [1.1, f64::INFINITY, 1.4]] {
                let mut gradient = [0.0; 3];
                loss.evaluate(&times, 2, &mut gradient);
                for label in 0..3 {
                    let at = |step: f64| {
                        let mut moved = times;
                        moved[label] += step;
                        loss.evaluate(&moved, 2, &mut [0.0; 3])
                    };
                    let difference = (at(1e-6) - at(-1e-6)) / 2e-6;
                    assert!((gradient[label] - difference).abs() < 1e-8, "{loss:?} {label}");
                }
            }
        }
    }

    #[test]
    fn silence_is_a_constant_loss_and_no_decision() {
        let silent = [f64::INFINITY; 3];
        for loss in LOSSES {
            let mut gradient = [1.0; 3];
            assert_eq!(loss.evaluate(&[1.0, f64::INFINITY, 2.0], 1, &mut gradient), SILENT_LOSS);
            assert_eq!(gradient, [0.0; 3]);
            assert_eq!(loss.decide(&silent), None);
        }
    }

    #[test]
    fn decisions_follow_each_loss_own_rule() {
        let times = [1.7, 1.0, f64::INFINITY];
        assert_eq!(LOSSES.map(|loss| loss.decide(&times)), [Some(1), Some(0), Some(1)]);
        assert_eq!(LOSSES[0].decide(&[1.0, 1.0]), Some(0));
    }

    #[test]
    fn margins_are_to_the_next_best_label() {
        let times = [1.7, 1.0, f64::INFINITY];
        let verdicts = LOSSES.map(|loss| loss.verdict(&times).expect("two spikes"));
        assert_eq!(verdicts[0], Verdict { class: 1, time: 1.0, margin: 1.7 - 1.0 });
        // Distances of 0.2 and 0.9 from the target.
        let Verdict { class, time, margin } = verdicts[1];
        assert_eq!((class, time), (0, 1.7));
        assert!((margin - 0.7).abs() < 1e-15, "{margin}");
        let alone = LOSSES[2].verdict(&[f64::INFINITY, 0.5]).expect("a spike");
        assert_eq!(alone, Verdict { class: 1, time: 0.5, margin: f64::INFINITY });
        assert_eq!(LOSSES[0].verdict(&[f64::INFINITY; 2]), None);
    }

    #[test]
    fn distant_times_neither_overflow_nor_lose_the_loss() {
        let mut gradient = [0.0; 2];
        let loss = LOSSES[0].evaluate(&[0.0, 400.0], 0, &mut gradient);
        assert!((loss - 0.005).abs() < 1e-15);
        let loss = LOSSES[2].evaluate(&[800.0, 801.0], 1, &mut gradient);
        assert!(loss.is_finite() && gradient.iter().all(|value| value.is_finite()));
    }
}
