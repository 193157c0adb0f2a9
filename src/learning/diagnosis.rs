//! Why a network does not learn, and what to change.

use serde::{Deserialize, Serialize};

use super::{EpochMetrics, LearningRule, Score, SilentNeuronRule};

/// A likely cause of trouble, with the figures that show it and what to change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Diagnosis {
    /// What is wrong, with figures.
    pub finding: String,
    /// What to change in the scenario.
    pub advice: String,
}

/// How training on a substrate stands after an epoch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SubstrateCondition {
    /// Fraction of the weights that are as large as the substrate allows.
    pub at_limit: f64,
    /// Standard deviation of label times around those of the twin, in time units; none without one.
    pub label_noise: Option<f64>,
    /// By how much the loss wants wrong labels to be later, in time units, if it says so in numbers.
    pub margin: Option<f64>,
    /// Whether that follows the noise, so that losses of different epochs do not compare.
    pub margin_follows: bool,
    /// Where derivatives come from.
    pub rule: LearningRule,
}

/// Weights at the limit beyond this fraction are said.
const MANY_AT_LIMIT: f64 = 0.3;
/// A margin of fewer standard deviations of label times is said.
const THIN_MARGIN: f64 = 2.5;
/// A loss that has not fallen by this fraction in as many epochs as [`PATIENCE`] stands still.
const LEAST_PROGRESS: f64 = 0.02;

/// Looks for reasons why a network learns badly on its substrate.
pub fn diagnose_substrate(
    epochs: &[EpochMetrics],
    condition: &SubstrateCondition,
) -> Vec<Diagnosis> {
    let mut found = Vec::new();
    let Some(last) = epochs.last() else { return found };
    let SubstrateCondition { at_limit, label_noise, margin, margin_follows, rule } = *condition;
    if at_limit > MANY_AT_LIMIT {
        let rule = match rule {
            LearningRule::Twin => "",
            _ => "set training.rule = \"twin\", ",
        };
        found.push(Diagnosis {
            finding: format!(
                "{:.0} % of the weights are as large as the chip allows after epoch {}",
                100.0 * at_limit,
                last.epoch
            ),
            advice: format!(
                "learning asks for earlier spikes than the chip can make: {rule}lower \
                 training.optimiser.adam.learning_rate, or give inputs more rows (encoding.copies)"
            ),
        });
    }
    if let (Some(noise), Some(margin)) = (label_noise, margin)
        && margin < THIN_MARGIN * noise
    {
        found.push(Diagnosis {
            finding: format!(                "the loss wants wrong labels to be later by {:.1} standard deviations of the label times only",
                margin / noise
            ),
            advice: "such a margin is decided by chance: set \
                     training.loss.shift_invariant_mean_squared_error.margin = \"auto\""
                .to_owned(),
        });
    }
    let before = epochs.iter().rev().nth(PATIENCE);
    if let Some(before) = before
        && !margin_follows
        && last.training.accuracy() < 0.9
        && last.training.loss() > (1.0 - LEAST_PROGRESS) * before.training.loss()
    {
        found.push(Diagnosis {
            finding: format!(
                "the training loss stands still: {:.3} in epoch {}, {:.3} in epoch {}",
                before.training.loss(),
                before.epoch,
                last.training.loss(),
                last.epoch
            ),
            advice: "compare with an ideal training (a study with the variants \"twin\" and \
                     \"ideal_then_chip\"), and try another training.optimiser.adam.learning_rate"
                .to_owned(),
        });
    }
    found
}

/// Accuracies on the chip that differ by less are not told apart, however many samples there are.
const WORTH_SAYING: f64 = 0.05;

/// Says if training on a substrate (`in_the_loop`) does worse on it than a network which was trained as many epochs
/// without and then put there (`then_chip`): by more than 5 % and three standard errors.
pub fn diagnose_against_ideal(
    epochs: usize,
    in_the_loop: &Score,
    then_chip: &Score,
    condition: &SubstrateCondition,
) -> Option<Diagnosis> {
    let accuracies = [in_the_loop, then_chip].map(Score::accuracy);
    let variance = |accuracy: f64| accuracy * (1.0 - accuracy) / in_the_loop.samples as f64;
    let error = accuracies.map(variance).iter().sum::<f64>().sqrt();
    let [of_loop, of_ideal] = accuracies;
    // Not so if there are no samples.
    if !(of_ideal - of_loop > WORTH_SAYING.max(3.0 * error)) {
        return None;
    }
    let advice = match condition.rule {
        LearningRule::Recorded => {
            "derivatives at recorded times are wrong where spikes are late or noisy: set training.rule = \"twin\""
        }
        LearningRule::Datasheet => {
            "the chip is not as its datasheet says: set training.rule = \"twin\", which learns what it is"
        }
        LearningRule::Twin if !condition.margin_follows => {
            "set training.loss.shift_invariant_mean_squared_error.margin = \"auto\", which follows the noise of the \
             label times, or train without the chip and put the network on it (firstspike predict RUN --chip FILE)"
        }
        LearningRule::Twin => {
            "lower training.optimiser.adam.learning_rate, raise training.gradient_guard, or train without the chip and \
             put the network on it (firstspike predict RUN --chip FILE)"
        }
    };
    Some(Diagnosis {
        finding: format!(
            "training in the loop does worse than training without the chip: after {epochs} epochs it decides \
             {:.1} % of the validation set, a network that was trained without the chip and then put on it {:.1} %",
            100.0 * of_loop,
            100.0 * of_ideal
        ),
        advice: advice.to_owned(),
    })
}

/// Epochs after which a run that is still at chance level is called unable to learn.
const PATIENCE: usize = 5;

/// Looks for reasons why the network cannot learn, in the metrics of its epochs so far. Empty if
/// all seems well. `layer_names`, `class_count` and `silent_neurons` are those of the run; `given_weights` says
/// whether some layer's initial weights are chosen by hand.
///
/// Meant to be called after each of the first epochs: silence shows in the first one, an accuracy
/// that stays at chance after five.
pub fn diagnose(
    epochs: &[EpochMetrics],
    layer_names: &[String],
    class_count: usize,
    silent_neurons: &SilentNeuronRule,
    given_weights: bool,
) -> Vec<Diagnosis> {
    let derive = if given_weights {
        "leave `weights` of the layers out, or say weights = \"auto\" (then they are derived from what arrives), "
    } else {
        ""
    };
    let turn_on = match silent_neurons {
        SilentNeuronRule::Ignore => ", or turn on training.silent_neurons",
        _ => "",
    };
    let mut found = Vec::new();
    let Some(last) = epochs.last() else { return found };
    let percent = |fraction: f64| 100.0 * fraction;

    for (layer, activity) in last.layers.iter().enumerate() {
        let name = &layer_names[layer];
        let dead = activity.dead_neurons() as f64 / activity.spikes.len() as f64;
        if dead >= 0.5 {
            found.push(Diagnosis {
                finding: format!(
                    "{} of {} neurons of layer `{name}` spiked in no sample of epoch {}",
                    activity.dead_neurons(),
                    activity.spikes.len(),
                    last.epoch
                ),
                advice: format!(
                    "dead neurons receive no gradient: {derive}raise the mean of layer `{name}`'s initial \
                     weights, or lower its threshold{turn_on}"
                ),
            });
        }
        let late = activity.late_fraction() / (1.0 - activity.silent_fraction()).max(1e-12);
        if layer + 1 < last.layers.len() && late > 0.9 {
            found.push(Diagnosis {
                finding: format!(
                    "{:.0} % of the spikes of layer `{name}` came after the decision in epoch {}",
                    percent(late),
                    last.epoch
                ),
                advice: format!(
                    "late neurons cannot influence the label layer: raise layer `{name}`'s weights \
                     relative to those of the layers after it"
                ),
            });
        }
    }
    let undecided = last.training.undecided as f64 / last.training.samples as f64;
    if undecided > 0.5 {
        found.push(Diagnosis {
            finding: format!(
                "no label neuron spiked in {:.0} % of the samples of epoch {}",
                percent(undecided),
                last.epoch
            ),
            advice: format!(
                "a sample without label spike teaches nothing: {derive}raise the label layer's initial \
                 weights{turn_on}"
            ),
        });
    }
    if last.guarded_fraction > 0.5 {
        found.push(Diagnosis {
            finding: format!(
                "the gradient guard discarded {:.0} % of all gradients in epoch {}",
                percent(last.guarded_fraction),
                last.epoch
            ),
            advice:
                "raise training.gradient_guard, or make neurons spike with a steeper potential \
                     (larger weights)"
                    .to_owned(),
        });
    }
    let is_instead_of_steps = matches!(silent_neurons, SilentNeuronRule::Bump { .. });
    if is_instead_of_steps && last.bumped_batches == last.batches && last.epoch >= 3 {
        found.push(Diagnosis {
            finding: format!(
                "weights of silent neurons were bumped instead of a gradient step in every batch of \
                 epoch {}",
                last.epoch
            ),
            advice: "allow more silent neurons in training.silent_neurons.bump, or start from larger \
                     weights"
                .to_owned(),
        });
    }
    let chance = 1.0 / class_count as f64;
    // Three standard deviations of guessing.
    let noise = 3.0 * (chance * (1.0 - chance) / last.training.samples as f64).sqrt();
    if found.is_empty()
        && last.epoch >= PATIENCE
        && last.training.accuracy() < chance + noise.max(0.02)
    {
        found.push(Diagnosis {
            finding: format!(
                "after {} epochs the training accuracy of {:.1} % may as well be guessing ({:.1} % for \
                 {class_count} classes, give or take {:.1} % with {} samples)",
                last.epoch,
                percent(last.training.accuracy()),
                percent(chance),
                percent(noise),
                last.training.samples
            ),
            advice: format!(
                "{derive}try another training.optimiser.adam.learning_rate (a tenth, ten times), and check \
                 that inputs arrive within a few tau_s of each other"
            ),
        });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::{LayerActivity, Score};
    use super::*;

    fn healthy(epoch: usize) -> EpochMetrics {
        let layer = |late| LayerActivity { spikes: vec![80, 90], late, samples: 100 };
        EpochMetrics {
            epoch,
            learning_rate: 0.01,
            training: Score { samples: 100, correct: 90, ..Score::default() },
            validation: None,
            layers: vec![layer(20), layer(50)],
            guarded_fraction: 0.01,
            bumped_batches: 1,
            batches: 10,
            seconds: 1.0,
        }
    }

    fn findings(metrics: EpochMetrics) -> Vec<String> {
        findings_with(metrics, &SilentNeuronRule::Bump { allowed: vec![0.0; 2], amount: 0.1 })
    }

    fn findings_with(metrics: EpochMetrics, silent_neurons: &SilentNeuronRule) -> Vec<String> {
        let names = ["hidden".to_owned(), "label".to_owned()];
        diagnose(&[metrics], &names, 3, silent_neurons, false)
            .into_iter()
            .map(|found| found.finding)
            .collect()
    }

    #[test]
    fn training_in_the_loop_is_to_be_better_than_without_the_chip() {
        let condition = |rule, margin_follows| SubstrateCondition {
            at_limit: 0.0,
            label_noise: None,
            margin: None,
            margin_follows,
            rule,
        };
        let score = |correct| Score { samples: 1000, correct, ..Score::default() };
        let advice = |in_the_loop, ideal, rule, follows| {
            diagnose_against_ideal(5, &score(in_the_loop), &score(ideal), &condition(rule, follows))
                .map(|found| format!("{}: {}", found.finding, found.advice))
        };
        let said = advice(440, 812, LearningRule::Recorded, true).expect("much worse");
        assert!(said.contains("after 5 epochs it decides 44.0 %"), "{said}");
        assert!(said.contains("put on it 81.2 %"), "{said}");
        assert!(said.contains("training.rule = \"twin\""), "{said}");
        let twin = advice(440, 812, LearningRule::Twin, false).expect("much worse");
        assert!(twin.contains("margin = \"auto\""), "{twin}");
        // Three standard errors of 1000 samples at a half are 0.067.
        assert_eq!(advice(500, 560, LearningRule::Twin, true), None);
        assert!(advice(500, 575, LearningRule::Twin, true).is_some());
        assert_eq!(advice(960, 1000, LearningRule::Datasheet, true), None);
        assert_eq!(advice(900, 400, LearningRule::Twin, true), None);
        let none = Score::default();
        assert_eq!(
            diagnose_against_ideal(5, &none, &none, &condition(LearningRule::Twin, true)),
            None
        );
    }

    #[test]
    fn weights_that_were_chosen_by_hand_can_be_derived_instead() {
        let names = ["hidden".to_owned(), "label".to_owned()];
        let mut guessing = healthy(5);
        guessing.training.correct = 33;
        let advice = |given| {
            let rule = SilentNeuronRule::Auto;
            diagnose(std::slice::from_ref(&guessing), &names, 3, &rule, given)[0].advice.clone()
        };
        assert!(
            advice(true)
                .starts_with("leave `weights` of the layers out, or say weights = \"auto\"")
        );
        assert!(advice(false).starts_with("try another"));
    }

    #[test]
    fn what_a_chip_cannot_bear_is_named_with_its_figures() {
        let well = SubstrateCondition {
            at_limit: 0.1,
            label_noise: Some(0.05),
            margin: Some(0.15),
            margin_follows: false,
            rule: LearningRule::Recorded,
        };
        assert_eq!(diagnose_substrate(&[healthy(1)], &well), []);
        let limit = SubstrateCondition { at_limit: 0.62, ..well };
        let found = diagnose_substrate(&[healthy(1)], &limit);
        assert_eq!(
            found[0].finding,
            "62 % of the weights are as large as the chip allows after epoch 1"
        );
        assert!(found[0].advice.contains("training.rule = \"twin\""));
        let noisy = SubstrateCondition { label_noise: Some(0.1), ..well };
        let found = diagnose_substrate(&[healthy(1)], &noisy);
        assert!(found[0].advice.contains("margin = \"auto\""), "{found:?}");

        let epoch = |epoch, loss_sum| EpochMetrics {
            training: Score { samples: 100, correct: 60, loss_sum, ..Score::default() },
            ..healthy(epoch)
        };
        let still: Vec<EpochMetrics> = (1..7).map(|number| epoch(number, 30.0)).collect();
        assert!(diagnose_substrate(&still, &well)[0].finding.contains("stands still"));
        let falls: Vec<EpochMetrics> =
            (1..7).map(|number| epoch(number, 30.0 - number as f64)).collect();
        assert_eq!(diagnose_substrate(&falls, &well), []);
    }

    #[test]
    fn each_ailment_is_named_with_its_figures() {
        assert_eq!(findings(healthy(9)), [""; 0]);

        let mut dead = healthy(1);
        dead.layers[0].spikes[1] = 0;
        assert_eq!(
            findings(dead),
            ["1 of 2 neurons of layer `hidden` spiked in no sample of epoch 1"]
        );
        let mut late = healthy(2);
        late.layers[0].late = 165;
        assert_eq!(
            findings(late),
            ["97 % of the spikes of layer `hidden` came after the decision in epoch 2"]
        );
        let mut undecided = healthy(1);
        undecided.training.undecided = 60;
        assert_eq!(
            findings(undecided),
            ["no label neuron spiked in 60 % of the samples of epoch 1"]
        );
        let guarded = EpochMetrics { guarded_fraction: 0.8, ..healthy(1) };
        assert_eq!(
            findings(guarded),
            ["the gradient guard discarded 80 % of all gradients in epoch 1"]
        );
        let bumped = EpochMetrics { bumped_batches: 10, ..healthy(3) };
        assert_eq!(
            findings(bumped.clone()),
            ["weights of silent neurons were bumped instead of a gradient step in every batch of \
              epoch 3"]
        );
        let beside_the_step = SilentNeuronRule::Nudge { allowed: vec![0.0; 2], amount: 0.1 };
        assert_eq!(findings_with(bumped, &beside_the_step), [""; 0]);
        let mut guessing = healthy(5);
        guessing.training.correct = 33;
        assert_eq!(
            findings(guessing),
            [
                "after 5 epochs the training accuracy of 33.0 % may as well be guessing (33.3 % for 3 classes, \
              give or take 14.1 % with 100 samples)"
            ]
        );
    }
}
