//! What a scenario says, in a few lines for people: the head of a report.

use std::fmt::Write as _;

use serde::Serialize;

use super::{Optimiser, Scenario};
use crate::dataset::{DataSource, HeldOutFiles, LatencyEncoding, TableFiles};
use crate::learning::Schedule;

impl Scenario {
    /// Name, data set, encoding, loss, optimiser, chip and seed, as far as there are any.
    pub fn facts(&self) -> Vec<(&'static str, String)> {
        let mut facts = vec![("Scenario", self.name.clone())];
        facts.extend(self.dataset.as_ref().map(|data| ("Data set", data_set(data))));
        if let Some(encoding) = &self.encoding {
            facts.push(("Encoding", self.encoding_in_words(encoding)));
        }
        if let Some(training) = &self.training {
            facts.push(("Loss", in_words(&training.loss)));
            facts.push(("Optimiser", optimiser(&training.optimiser, &training.schedule)));
        }
        if let Some(training) = &self.spike_training {
            let population = &training.population;
            facts.push((
                "Loss",
                format!("distance of the spikes of `{population}` to their targets"),
            ));
            facts.push(("Optimiser", optimiser(&training.optimiser, &training.schedule)));
        }
        if let Some(chip) = &self.chip {
            facts.push(("Chip", chip.name.clone()));
        }
        if let Some(substrate) = &self.substrate {
            facts.push(("Substrate", format!("`{}`", substrate.command.join(" "))));
        }
        if let Some(training) = &self.training
            && (self.chip.is_some() || self.substrate.is_some())
        {
            facts.push(("Rule in the loop", training.rule.name().to_owned()));
        }
        facts.push(("Seed", self.seed.to_string()));
        facts
    }

    fn encoding_in_words(&self, encoding: &LatencyEncoding) -> String {
        let LatencyEncoding { earliest, latest, inverted, silent_zero, copies } = *encoding;
        let mut text = format!("spikes from {earliest} to {latest} {}", self.time_unit.symbol());
        text += if inverted { ", large features early" } else { ", small features early" };
        if silent_zero {
            text += ", none for 0";
        }
        if copies > 1 {
            let _ = write!(text, ", {copies} sources for each feature");
        }
        text
    }
}

fn data_set(source: &DataSource) -> String {
    let table = |files: &TableFiles| match files {
        TableFiles::Csv(path) => path.display().to_string(),
        TableFiles::Npy { features, .. } | TableFiles::Idx { features, .. } => {
            features.display().to_string()
        }
    };
    let held_out = |files: &HeldOutFiles| match files {
        HeldOutFiles::Last(samples) => format!("its last {samples} samples"),
        HeldOutFiles::Share(share) => format!("a share of {share} of it"),
        HeldOutFiles::Csv(path) => path.display().to_string(),
        HeldOutFiles::Npy { features, .. } | HeldOutFiles::Idx { features, .. } => {
            features.display().to_string()
        }
    };
    match source {
        DataSource::YinYang(set) => format!(
            "Yin-Yang, seeds {} (training), {} (validation), {} (test)",
            set.training.seed, set.validation.seed, set.test.seed
        ),
        DataSource::Mnist(set) => format!("MNIST, {0} × {0}", set.size),
        DataSource::FashionMnist(set) => format!("Fashion-MNIST, {0} × {0}", set.size),
        DataSource::File(set) => {
            format!("{} (training), {} (test)", table(&set.training), held_out(&set.test))
        }
    }
}

fn optimiser(optimiser: &Optimiser, schedule: &Schedule) -> String {
    format!("{}; schedule {}", in_words(optimiser), in_words(schedule))
}

/// A value as a file has it, on one line: `adam: beta1 = 0.9, learning_rate = 0.005`.
fn in_words(value: &impl Serialize) -> String {
    toml::Value::try_from(value).map_or_else(|_| String::new(), |value| words(&value))
}

fn words(value: &toml::Value) -> String {
    let toml::Value::Table(table) = value else {
        return value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    };
    let parts = table.iter().map(|(key, value)| match value {
        toml::Value::Table(_) => format!("{key}: {}", words(value)),
        value => format!("{key} = {}", words(value)),
    });
    parts.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learning::{AdamSettings, Loss, Margin};

    #[test]
    fn settings_are_one_line() {
        let loss = Loss::ShiftInvariantMeanSquaredError { margin: Margin::Fixed(0.2) };
        assert_eq!(in_words(&loss), "shift_invariant_mean_squared_error: margin = 0.2");
        let adam = Optimiser::Adam(AdamSettings::default());
        assert_eq!(
            optimiser(&adam, &Schedule::Cosine),
            "adam: beta1 = 0.9, beta2 = 0.999, learning_rate = 0.005; schedule cosine"
        );
        let step = Schedule::Step { every: 20, factor: 0.95 };
        assert_eq!(in_words(&step), "step: every = 20, factor = 0.95");
    }
}
