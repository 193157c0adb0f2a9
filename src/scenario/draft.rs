//! A first scenario for data that somebody has: written with comments, to be read and changed.

use std::fmt::Write as _;
use std::path::PathBuf;

use super::training::{default_batch_size, default_epochs};
use crate::dataset::table::list;
use crate::dataset::{DataSets, Features, HeldOutFiles, ScalingRule, TableFiles, TableSource};
use crate::learning::AdamSettings;

/// What a scenario for a table is made of.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Name of the scenario's file, for its comments.
    pub file: String,
    /// The table, with paths as they are to stand in the scenario.
    pub source: TableSource,
    /// Why columns are left out, one reason each.
    pub left_out: Vec<&'static str>,
    /// An image shape that the features may have.
    pub perhaps_image: Option<usize>,
    /// Sizes of the hidden layers.
    pub hidden: Vec<usize>,
    /// The chip that the network is to run on.
    pub chip: Option<PathBuf>,
}

/// A string as TOML writes it.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn path(path: &std::path::Path) -> String {
    quoted(&path.to_string_lossy())
}

impl Draft {
    /// The text of the scenario for these data, which are those of the table.
    pub fn text(&self, data: &DataSets) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = self.write(data, &mut text);
        text
    }

    fn write(&self, data: &DataSets, text: &mut String) -> std::fmt::Result {
        let Draft { file, source, .. } = self;
        let stem = file.strip_suffix(".toml").unwrap_or(file);
        let classes = data.class_names.len();
        let batch_size = default_batch_size(data.training.len());
        let epochs = default_epochs(data.training.len(), batch_size);
        let learning_rate = AdamSettings::default().learning_rate;
        writeln!(
            text,
            "# {} training, {} validation and {} test samples of {} inputs in {classes} classes: {}.\n#\n\
             #   firstspike run {file}\n\
             #   firstspike predict traces/{stem} --data new.csv --out predictions.csv\n\
             #\n# `firstspike check {file}` prints it with every default filled in.\n",
            data.training.len(),
            data.validation.len(),
            data.test.len(),
            data.training.feature_count,
            list(&data.class_names)
        )?;
        writeln!(
            text,
            "time_unit = \"tau_s\"            # all times are in synaptic time constants"
        )?;
        writeln!(
            text,
            "seed = 1                       # of initial weights and the order of samples"
        )?;
        if let Some(chip) = &self.chip {
            writeln!(text, "chip = {}", path(chip))?;
        }
        writeln!(text, "\n[dataset.file]")?;
        files(text, "training", &source.training)?;
        held_out(text, "test", &source.test, "the training table")?;
        let is_taken_away = matches!(source.test, HeldOutFiles::Last(_) | HeldOutFiles::Share(_));
        let rest = if is_taken_away { "what the test set leaves" } else { "the training table" };
        held_out(text, "validation", &source.validation, rest)?;
        if matches!(source.training, TableFiles::Csv(_)) {
            writeln!(text, "label = {}", quoted(&source.label))?;
        }
        if !source.leave_out.is_empty() {
            let names: Vec<String> = source.leave_out.iter().map(|name| quoted(name)).collect();
            let mut why = self.left_out.clone();
            why.dedup();
            writeln!(text, "leave_out = [{}]  # {}", names.join(", "), why.join(", "))?;
        }
        let numbered =
            data.class_names.iter().enumerate().all(|(at, name)| *name == at.to_string());
        if !numbered {
            let names: Vec<String> = data.class_names.iter().map(|name| quoted(name)).collect();
            writeln!(
                text,
                "class_names = [{}]  # in the order of the label neurons",
                names.join(", ")
            )?;
        }
        scaling(text, source.scaling)?;
        if source.complement {
            writeln!(
                text,
                "complement = true              # 1 − v of each feature v is one, too: large values are early there"
            )?;
        }
        match (data.training.image, self.perhaps_image) {
            (Some(image), _) => {
                writeln!(text, "# images of {} × {} pixels", image.width, image.height)?
            }
            (None, Some(side)) => writeln!(
                text,
                "# image = {{ width = {side}, height = {side} }}  # if the features are pixels, row by row"
            )?,
            (None, None) => {}
        }
        for (index, size) in self.hidden.iter().enumerate() {
            let name = match self.hidden.len() {
                1 => "hidden".to_owned(),
                _ => format!("hidden_{}", index + 1),
            };
            writeln!(text, "\n[[layers]]\nname = \"{name}\"\nsize = {size}")?;
        }
        writeln!(
            text,
            "\n[[layers]]\nname = \"label\"\nsize = {classes:<23} # a neuron for each class\n\n[training]\n\
             # All of this has a default. What one changes first, with the defaults for these data:\n\
             # epochs = {epochs}\n\
             # batch_size = {batch_size}\n\
             # optimiser.adam.learning_rate = {learning_rate:?}\n\
             # select = \"best_validation\"    # keep the epoch that is best on the validation set"
        )?;
        if data.training.image.is_some() && matches!(data.training.features, Features::Bytes { .. })
        {
            writeln!(text, "# augmentation = {{ shift = 1.0, rotation = 10.0, scale = 0.1 }}")?;
        }
        Ok(())
    }
}

fn files(text: &mut String, set: &str, files: &TableFiles) -> std::fmt::Result {
    let (kind, features, labels) = match files {
        TableFiles::Csv(file) => return writeln!(text, "{set}.csv = {}", path(file)),
        TableFiles::Npy { features, labels } => ("npy", features, labels),
        TableFiles::Idx { features, labels } => ("idx", features, labels),
    };
    writeln!(text, "{set}.{kind} = {{ features = {}, labels = {} }}", path(features), path(labels))
}

/// The line of a set that is not learned from. A share is one of `of`.
fn held_out(text: &mut String, set: &str, from: &HeldOutFiles, of: &str) -> std::fmt::Result {
    let own = match from.clone() {
        HeldOutFiles::Last(count) => return writeln!(text, "{set}.last = {count}"),
        HeldOutFiles::Share(share) => {
            let what = format!("{set}.share = {share}");
            return writeln!(text, "{what:<30} # of {of}, drawn from each class");
        }
        HeldOutFiles::Csv(file) => TableFiles::Csv(file),
        HeldOutFiles::Npy { features, labels } => TableFiles::Npy { features, labels },
        HeldOutFiles::Idx { features, labels } => TableFiles::Idx { features, labels },
    };
    files(text, set, &own)
}

fn scaling(text: &mut String, rule: ScalingRule) -> std::fmt::Result {
    match rule {
        ScalingRule::None => Ok(()),
        ScalingRule::Auto => writeln!(
            text,
            "scaling = \"auto\"               # each feature by the range of the training set, or by deciles if a few \
             values reach far beyond the others"
        ),
        ScalingRule::Range => writeln!(
            text,
            "scaling = \"range\"              # each feature, from its least to its largest value in the \
             training set"
        ),
        ScalingRule::CommonRange => writeln!(
            text,
            "scaling = \"common_range\"       # all features, from the least to the largest value of all"
        ),
        ScalingRule::Quantiles(share) => {
            let key = format!("scaling.quantiles = {share}");
            writeln!(
                text,
                "{key:<30} # each feature, without this share of extreme values at each end"
            )
        }
    }
}
