//! `firstspike new`: a first scenario, for data that are there or from a template.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::{bad_input, console};
use crate::dataset::{
    DataError, DataSets, FileForm, HeldOutFiles, ScalingRule, TableFiles, TableLook, TableSource,
};
use crate::reference::FileKind;
use crate::run::{overlap, write_file};
use crate::scenario::Draft;
use crate::settings::Problem;

#[derive(Debug, Args)]
pub(super) struct NewArguments {
    /// The scenario to write; a file that exists is not replaced.
    file: PathBuf,
    /// Data to learn from: a table of text, or an NPY or IDX file.
    #[arg(long, value_name = "FILE", required_unless_present = "template")]
    data: Option<PathBuf>,
    /// Labels of an NPY or IDX file.
    #[arg(long, value_name = "FILE", requires = "data")]
    labels: Option<PathBuf>,
    /// Data to test with [default: a fifth of the data].
    #[arg(long, value_name = "FILE", requires = "data")]
    test: Option<PathBuf>,
    /// Labels of an NPY or IDX file to test with.
    #[arg(long, value_name = "FILE", requires = "test")]
    test_labels: Option<PathBuf>,
    /// Column of a table that has the labels [default: one that is called so, of words, or the last].
    #[arg(long, value_name = "COLUMN", requires = "data")]
    label: Option<String>,
    /// Sizes of the hidden layers.
    #[arg(long, value_name = "N,...", value_delimiter = ',', default_value = "100", requires = "data",
          value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    hidden: Vec<u32>,
    /// The chip that the network is to run on.
    #[arg(long, value_name = "FILE", requires = "data")]
    chip: Option<PathBuf>,
    /// Write this example instead.
    #[arg(long, value_name = "NAME", conflicts_with = "data")]
    template: Option<Template>,
}

/// An example to begin with.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Template {
    /// One neuron with given input spikes.
    Simulation,
    /// A recurrent network of excitatory and inhibitory neurons.
    Recurrent,
    /// A network trained on the model of a chip.
    Chip,
    /// Trainings over an axis and several seeds; its base scenario is base.toml beside it.
    Study,
}

impl Template {
    fn text(self) -> &'static str {
        match self {
            Template::Simulation => include_str!("../../scenarios/single_neuron.toml"),
            Template::Recurrent => include_str!("../../scenarios/recurrent.toml"),
            Template::Chip => include_str!("new/chip.toml"),
            Template::Study => include_str!("new/study.toml"),
        }
    }

    fn kind(self) -> FileKind {
        match self {
            Template::Study => FileKind::Study,
            _ => FileKind::Scenario,
        }
    }

    /// What the example's own comments call its file.
    fn own_name(self) -> &'static str {
        match self {
            Template::Simulation => "scenarios/single_neuron.toml",
            Template::Recurrent => "scenarios/recurrent.toml",
            Template::Chip | Template::Study => "FILE.toml",
        }
    }

    /// What they call the folder of its results.
    fn own_folder(self) -> Option<&'static str> {
        match self {
            Template::Simulation => Some("traces/single_neuron/"),
            Template::Recurrent => Some("traces/recurrent/"),
            Template::Chip | Template::Study => None,
        }
    }
}

pub(super) fn run(arguments: &NewArguments) -> ExitCode {
    let drafted = match (arguments.template, &arguments.data) {
        (Some(template), _) => {
            let text =
                template.text().replace(template.own_name(), &arguments.file.to_string_lossy());
            let stem = arguments.file.file_stem().unwrap_or_default().to_string_lossy();
            // Results are in the folder of the scenario's name.
            let text = template
                .own_folder()
                .map_or(text.clone(), |own| text.replace(own, &format!("traces/{stem}/")));
            Ok((text, Vec::new()))
        }
        (None, Some(data)) => draft(arguments, data),
        (None, None) => Err("give --data FILE or --template NAME".to_owned()),
    };
    let kind = arguments.template.map_or(FileKind::Scenario, Template::kind);
    let schema = format!("{}.schema.json", kind.name());
    let written = drafted.and_then(|(text, found)| {
        write_new(&arguments.file, &format!("#:schema ./{schema}\n{text}"))?;
        Ok(found)
    });
    match written {
        Ok(found) => {
            found.iter().for_each(|line| console::err!("{line}"));
            write_schema(&arguments.file.with_file_name(schema), kind);
            let file = arguments.file.display();
            console::out!("wrote {file}: read it, then\n  firstspike run {file}");
            ExitCode::SUCCESS
        }
        Err(message) => bad_input(&message),
    }
}

/// Writes the schema that editors check the file with, beside it. It is no part of the scenario: a file that is
/// something else stays, and a failure is only said.
fn write_schema(path: &Path, kind: FileKind) {
    let text = kind.schema_file();
    let failed = match std::fs::read_to_string(path) {
        Ok(there) if !there.contains(FileKind::MARK) => {
            "it exists and is something else".to_owned()
        }
        _ => match write_file(path, |file| file.write_all(text.as_bytes())) {
            Ok(()) => return,
            Err(error) => error.to_string(),
        },
    };
    console::err!("the schema for editors is not written: {}: {failed}", path.display());
}

/// Writes a file that is not there yet.
fn write_new(path: &Path, text: &str) -> Result<(), String> {
    let written = File::create_new(path).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => {
            format!("{} exists: give another name, or remove it", path.display())
        }
        _ => format!("cannot write {}: {error}", path.display()),
    })
}

/// The scenario for these data, and what was found in them.
fn draft(arguments: &NewArguments, data: &Path) -> Result<(String, Vec<String>), String> {
    if arguments.file.exists() {
        return Err(format!(
            "{} exists: give another name, or remove it",
            arguments.file.display()
        ));
    }
    let say = |error: DataError| error.to_string();
    let mut draft = Draft {
        file: arguments.file.to_string_lossy().into_owned(),
        source: TableSource::new(files(data, arguments.labels.as_deref(), "--labels")?),
        left_out: Vec::new(),
        perhaps_image: None,
        hidden: arguments.hidden.iter().map(|&size| size as usize).collect(),
        chip: arguments.chip.clone(),
    };
    let source = &mut draft.source;
    if let TableFiles::Csv(path) = &source.training {
        let look = TableLook::at(path, arguments.label.as_deref()).map_err(say)?;
        let pixels = look.looks_like_pixels;
        draft.perhaps_image = look.square().filter(|_| pixels);
        source.scaling = if pixels { ScalingRule::CommonRange } else { ScalingRule::Auto };
        source.complement = !pixels;
        source.label = look.label;
        (source.leave_out, draft.left_out) = look.leave_out.into_iter().unzip();
    } else {
        source.scaling = ScalingRule::CommonRange;
    }
    if let Some(test) = &arguments.test {
        source.test = match files(test, arguments.test_labels.as_deref(), "--test-labels")? {
            TableFiles::Csv(path) => HeldOutFiles::Csv(path),
            TableFiles::Npy { features, labels } => HeldOutFiles::Npy { features, labels },
            TableFiles::Idx { features, labels } => HeldOutFiles::Idx { features, labels },
        };
    }
    let sets = match source.load(None) {
        Ok(sets) => sets,
        Err(Problem { message, .. }) => return Err(message),
    };
    if matches!(source.training, TableFiles::Npy { .. }) && sets.training.image.is_none() {
        source.scaling = ScalingRule::Auto;
        source.complement = true;
    }
    let found = found(&draft, &sets);
    place_paths(&mut draft, arguments);
    Ok((draft.text(&sets), found))
}

/// A class with fewer samples may be a label that is misspelt.
const FEW: usize = 5;

/// Classes that are named, at most.
const NAMED: usize = 12;

/// What was taken for labels and features, and what is odd about it.
fn found(draft: &Draft, sets: &DataSets) -> Vec<String> {
    let DataSets { training, validation, test, class_names, .. } = sets;
    let mut counts = vec![0_usize; class_names.len()];
    for set in [training, validation, test] {
        set.labels.iter().for_each(|&label| counts[label] += 1);
    }
    let classes = class_names.iter().zip(&counts);
    let mut named: Vec<String> =
        classes.clone().take(NAMED).map(|(name, count)| format!("{name} ({count})")).collect();
    if class_names.len() > NAMED {
        named.push("…".to_owned());
    }
    let source = &draft.source;
    let column = match &source.training {
        TableFiles::Csv(_) => source.label.as_str(),
        _ => "from their own file",
    };
    let features = training.feature_count / (1 + usize::from(sets.complement));
    let left_out =
        if source.leave_out.is_empty() { "–".to_owned() } else { source.leave_out.join(", ") };
    let mut lines = vec![format!(
        "label: {column}, {} classes: {}; {features} features; left out: {left_out}",
        class_names.len(),
        named.join(", ")
    )];
    let rare = classes.filter(|(_, count)| **count < FEW);
    let rare: Vec<String> = rare.map(|(name, count)| format!("`{name}` ({count})")).collect();
    if !rare.is_empty() {
        lines.push(format!(
            "warning: classes with fewer than {FEW} samples: {}; a label that is misspelt is a class of its own",
            rare.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ")
        ));
    }
    let overlap = overlap(test, training);
    lines.extend(overlap.map(|found| format!("warning: {}; {}", found.finding, found.advice)));
    lines
}

/// The files of a set, by their form.
fn files(path: &Path, labels: Option<&Path>, option: &str) -> Result<TableFiles, String> {
    let form = FileForm::of(path).map_err(|error| error.to_string())?;
    let (features, labels) = (path.to_owned(), labels.map(Path::to_owned));
    match (form, labels) {
        (FileForm::Text, None) => Ok(TableFiles::Csv(features)),
        (FileForm::Text, Some(_)) => Err(format!(
            "{option}: {} is a table, which has its labels in a column",
            path.display()
        )),
        (_, None) => Err(format!("{} has no labels: give {option} FILE", path.display())),
        (FileForm::Npy, Some(labels)) => Ok(TableFiles::Npy { features, labels }),
        (FileForm::Idx, Some(labels)) => Ok(TableFiles::Idx { features, labels }),
    }
}

/// Makes paths of the command line, which begin at the working directory, those of a file, which begin at its
/// folder.
fn place_paths(draft: &mut Draft, arguments: &NewArguments) {
    let folder = arguments.file.parent().unwrap_or(Path::new(""));
    if folder.as_os_str().is_empty() || folder == Path::new(".") {
        return;
    }
    let place = |path: &mut PathBuf| {
        *path = std::path::absolute(&*path).unwrap_or_else(|_| path.clone());
    };
    draft.source.files_mut().into_iter().for_each(|(_, path)| place(path));
    draft.chip.iter_mut().for_each(place);
}
