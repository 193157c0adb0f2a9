//! Studies: `firstspike run` of one, and what is done with results.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};

use super::exit::{INTERRUPTED, failure};
use super::progress::print_engine;
use super::session::Session;
use super::{RunArguments, ScenarioArguments, bad_input, console};
use crate::run::{RunError, write_file};
use crate::scenario::Override;
use crate::study::{
    Finished, Ranked, Ranking, Row, Shard, Spread, Study, StudyError, Summary, Watch, estimate,
    merge, run as run_study, tolerance_markdown, write_report,
};

/// How a study is done.
#[derive(Debug, Args)]
pub(super) struct StudyArguments {
    /// Only this part of a study, as 3/16: the third of sixteen, for several machines.
    #[arg(long, value_name = "I/N")]
    shard: Option<Shard>,
    /// List the points of a study and estimate its time, without doing it.
    #[arg(long)]
    dry_run: bool,
}

impl StudyArguments {
    /// What is given although the file is no study.
    pub fn misplaced(&self) -> Option<&'static str> {
        match (self.shard, self.dry_run) {
            (Some(_), _) => Some("--shard"),
            (None, true) => Some("--dry-run"),
            (None, false) => None,
        }
    }
}

#[derive(Debug, Subcommand)]
pub(super) enum StudyCommand {
    /// Put the results of several shards together.
    Merge(MergeArguments),
    /// Name the best point by validation, and write its scenario.
    #[command(
        after_help = "The best point has the highest mean accuracy on the validation set over its seeds; only points \
        with all seeds count. The test set has no say, so its accuracy there is an honest one. The scenario \
        that is written trains that point with the first seed of the study.\n\n\
        Example:\n  \
        firstspike run study.toml\n  \
        firstspike study best study.toml --out best.toml\n  \
        firstspike run best.toml"
    )]
    Best(BestArguments),
    /// Draw figures and write tables of the results of studies.
    Report(ReportArguments),
}

#[derive(Debug, Args)]
pub(super) struct MergeArguments {
    /// Files of results of one study.
    #[arg(required = true)]
    results: Vec<PathBuf>,
    /// The file for all of them.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct BestArguments {
    /// The study.
    study: PathBuf,
    /// Its results [default: traces/<name of the study>/results.csv].
    #[arg(long, value_name = "FILE")]
    results: Option<PathBuf>,
    /// File for the scenario [default: best.toml beside the results].
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// How many points are listed.
    #[arg(long, value_name = "N", default_value_t = 5)]
    top: usize,
}

#[derive(Debug, Args)]
pub(super) struct ReportArguments {
    /// The studies, in the order of the overview.
    #[arg(required = true)]
    studies: Vec<PathBuf>,
    /// Folder with the results of each study in <DIR>/<name>/results.csv.
    #[arg(long, value_name = "DIR", default_value = "traces")]
    results: PathBuf,
    /// Folder for figures and tables.
    #[arg(long, value_name = "DIR", default_value = "traces/report")]
    out: PathBuf,
}

pub(super) fn study(command: &StudyCommand) -> ExitCode {
    let done = match command {
        StudyCommand::Merge(MergeArguments { results, out }) => merge(results, out).map(|rows| {
            console::out!("{rows} trainings in {}", out.display());
        }),
        StudyCommand::Report(arguments) => report(arguments),
        StudyCommand::Best(arguments) => best(arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failure(&error),
    }
}

fn report(arguments: &ReportArguments) -> Result<(), StudyError> {
    let mut summaries = Vec::new();
    for path in &arguments.studies {
        let study = Study::read(path)?;
        let results = arguments.results.join(&study.name).join("results.csv");
        summaries.push(Summary::read(&study, &results)?);
    }
    write_report(&summaries, &arguments.out)?;
    console::out!("{}", tolerance_markdown(&summaries).trim_end());
    console::out!("\nfigures and tables in {}", arguments.out.display());
    Ok(())
}

/// How the scenarios begin that `best` writes.
const BEST: &str = "# The best point of the study ";

fn best(arguments: &BestArguments) -> Result<(), StudyError> {
    let study = Study::read(&arguments.study)?;
    let results = arguments
        .results
        .clone()
        .unwrap_or_else(|| Path::new("traces").join(&study.name).join("results.csv"));
    let ranking = Ranking::read(&study, &results)?;
    let [best, ..] = &ranking.ranked[..] else { return Ok(()) };
    let percent = |spread: &Spread| {
        let std = spread.std.map_or(String::new(), |std| format!(" ± {:.2}", 100.0 * std));
        let Spread { mean, lowest, highest, .. } = spread;
        format!("{:.2}{std} % ({:.2}–{:.2})", 100.0 * mean, 100.0 * lowest, 100.0 * highest)
    };
    let variants = study.variants.len() > 1;
    for (place, found) in ranking.ranked.iter().take(arguments.top.max(1)).enumerate() {
        let variant = if variants { format!(", {}", found.variant.label()) } else { String::new() };
        console::out!(
            "{:>3}. validation {}, test {}: {}{variant}",
            place + 1,
            percent(&found.validation),
            percent(&found.test),
            study.describe(&found.point)
        );
    }
    let seeds = if best.seeds == 1 { "one seed" } else { "mean ± standard deviation (range)" };
    console::out!("     {seeds} of {} points with all seeds", ranking.ranked.len());
    let mean = |ranked: &Ranked| ranked.validation.mean;
    let tied = ranking.ranked.iter().filter(|ranked| mean(ranked) == mean(best)).count();
    if tied > 1 {
        console::err!(
            "warning: {tied} points are best alike by validation, and the first of the study is taken: more validation \
             samples or seeds would tell them apart"
        );
    }
    if ranking.incomplete > 0 {
        console::err!("{} points lack a seed, or one failed: not ranked", ranking.incomplete);
    }
    let out = arguments.out.clone().unwrap_or_else(|| results.with_file_name("best.toml"));
    let text = format!(
        "{BEST}`{}` by validation: {}\n\n{}",
        study.name,
        study.describe(&best.point),
        best.scenario(&study)?.scenario.to_toml()
    );
    // What an earlier call wrote may go; what someone else did must not.
    if std::fs::read_to_string(&out).is_ok_and(|old| !old.starts_with(BEST)) {
        let source =
            std::io::Error::other("it exists and is of someone else: choose another --out");
        return Err(RunError::Output { path: out, source }.into());
    }
    write_file(&out, |file| file.write_all(text.as_bytes()))?;
    console::out!("scenario             {}", out.display());
    Ok(())
}

/// Reads a study with what the command line changes.
fn read(arguments: &ScenarioArguments) -> Result<Study, StudyError> {
    let mut study = Study::read(&arguments.scenario)?;
    study.set.extend(arguments.set.iter().map(Override::here));
    if let Some(seed) = arguments.seed {
        study.seeds = vec![seed];
    }
    Ok(study)
}

/// `firstspike check` of a study: every point.
pub(super) fn check(arguments: &ScenarioArguments) -> ExitCode {
    let checked = read(arguments).and_then(|study| {
        let seed = study.seeds[0];
        study.points().iter().try_for_each(|point| study.load(point, seed).map(drop))?;
        Ok((study.identity()?, study.engines()?, study))
    });
    match checked {
        Ok((identity, engines, study)) => {
            console::out!("{}", identity.trim_end());
            let place = arguments.scenario.display();
            console::err!("{place}: valid; {}", size(&study));
            say_what_is_ideal(&study);
            engines.iter().for_each(print_engine);
            ExitCode::SUCCESS
        }
        Err(error) => bad_input(&error),
    }
}

fn size(study: &Study) -> String {
    format!(
        "{} points, {} seeds, {} variant{}: {} trainings",
        study.points().len(),
        study.seeds.len(),
        study.variants.len(),
        if study.variants.len() == 1 { "" } else { "s" },
        study.jobs().len()
    )
}

/// Axes of a chip make a chip where the base scenario has none: says what that is.
fn say_what_is_ideal(study: &Study) {
    let mut keys = study.axes.iter().flat_map(|axis| &axis.keys);
    let Some(key) = keys.find(|key| key.starts_with("chip.")) else { return };
    let base = study.load_base();
    if base.is_ok_and(|base| base.scenario.chip.is_none()) {
        console::err!(
            "the base scenario has no chip: {key} makes one, of which all is ideal that the study does not change"
        );
    }
}

/// `firstspike run` of a study.
pub(super) fn run(arguments: &RunArguments) -> ExitCode {
    let study = match read(&arguments.scenario) {
        Ok(study) => study,
        Err(error) => return bad_input(&error),
    };
    let folder = arguments.out.clone().unwrap_or_else(|| Path::new("traces").join(&study.name));
    let session = match Session::new(&arguments.session) {
        Ok(session) => session,
        Err(error) => return bad_input(&error),
    };
    let shard = arguments.study.shard.unwrap_or(Shard::WHOLE);
    let threads = session.install(rayon::current_num_threads);
    if arguments.study.dry_run {
        return dry_run(&study, &folder, shard, threads);
    }
    say_what_is_ideal(&study);
    // What cannot be told now is an error of the trainings.
    let engines = study.engines().unwrap_or_default();
    if !session.is_quiet() {
        engines.iter().filter(|engine| engine.why_not_faster.is_some()).for_each(print_engine);
    }
    let mut display = Display::new(&study, &session);
    let options = session.options(folder.clone(), false);
    #[cfg(feature = "mpi")]
    let processes = crate::study::distributed::Processes::several();
    #[cfg(feature = "mpi")]
    if let Some(processes) = processes.as_ref().filter(|processes| !processes.is_first()) {
        processes.work(&study, &folder, shard, options.interrupt);
        return ExitCode::SUCCESS;
    }
    #[cfg(feature = "mpi")]
    let done = match &processes {
        Some(processes) => processes.run(&study, &folder, shard, options.interrupt, &mut display),
        None => run_study(&study, &folder, shard, threads, options.interrupt, &mut display),
    };
    #[cfg(not(feature = "mpi"))]
    let done = run_study(&study, &folder, shard, threads, options.interrupt, &mut display);
    let outcome = match done {
        Ok(outcome) => outcome,
        Err(error) => return failure(&error),
    };
    let results = folder.join(shard.file());
    console::out!("results              {}", results.display());
    if outcome.failed > 0 {
        console::err!("{} trainings failed: see the column `error`", outcome.failed);
    }
    if outcome.left > 0 {
        console::err!("{} left: to go on from here, run the same command again", outcome.left);
        return ExitCode::from(INTERRUPTED);
    }
    if shard == Shard::WHOLE
        && let Err(error) = summarise(&study, &results, &folder)
    {
        return failure(&error);
    }
    if outcome.failed > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Figures and tables of a complete study.
fn summarise(study: &Study, results: &Path, folder: &Path) -> Result<(), StudyError> {
    let summary = Summary::read(study, results)?;
    write_report(std::slice::from_ref(&summary), folder)?;
    console::out!("figure               {}", folder.join(format!("{}.png", study.name)).display());
    if study.axes[0].ideal.is_some() {
        console::out!("\n{}", tolerance_markdown(&[summary]).trim_end());
    }
    Ok(())
}

fn dry_run(study: &Study, folder: &Path, shard: Shard, threads: usize) -> ExitCode {
    for point in study.points() {
        console::out!("{}", study.describe(&point));
    }
    match estimate(study, folder, shard, threads) {
        Ok(found) => {
            let size = size(study);
            let left = match (shard == Shard::WHOLE, found.left == found.total) {
                (true, true) => String::new(),
                (true, false) => format!(", {} of them left", found.left),
                (false, _) => {
                    format!(", {} of them in shard {shard}, {} left", found.total, found.left)
                }
            };
            let time = duration(found.seconds);
            let plural = if threads == 1 { "" } else { "s" };
            console::out!("{size}{left}; about {time} on {threads} thread{plural}");
            ExitCode::SUCCESS
        }
        Err(error) => failure(&error),
    }
}

/// A time in words: `1 h 20 min`.
fn duration(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    match whole {
        0..90 => format!("{whole} s"),
        90..5400 => format!("{} min", (whole + 30) / 60),
        _ => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
    }
}

/// Shows how a study goes: trainings done, time left, and the best and worst so far.
struct Display<'s> {
    study: &'s Study,
    is_quiet: bool,
    bar: Option<ProgressBar>,
    best: Option<(f64, String)>,
    worst: Option<(f64, String)>,
}

impl<'s> Display<'s> {
    fn new(study: &'s Study, session: &Session) -> Self {
        let bar = !session.is_quiet() && std::io::stderr().is_terminal();
        Display {
            study,
            is_quiet: session.is_quiet(),
            bar: bar.then(ProgressBar::no_length),
            best: None,
            worst: None,
        }
    }

    fn note(&mut self, row: &Row) {
        let Ok(measured) = &row.outcome else { return };
        let accuracy = measured.test_accuracy;
        let found = || (accuracy, row.values.join(", "));
        if self.best.as_ref().is_none_or(|(best, _)| accuracy > *best) {
            self.best = Some(found());
        }
        if self.worst.as_ref().is_none_or(|(worst, _)| accuracy < *worst) {
            self.worst = Some(found());
        }
    }

    fn extremes(&self) -> String {
        let text = |name: &str, found: &Option<(f64, String)>| {
            found
                .as_ref()
                .map(|(accuracy, place)| format!("{name} {:.2} % at {place}", 100.0 * accuracy))
        };
        let parts = [text("best", &self.best), text("worst", &self.worst)];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

impl Watch for Display<'_> {
    fn begin(&mut self, total: usize, found: &[Row]) {
        found.iter().for_each(|row| self.note(row));
        if let Some(bar) = &self.bar {
            // The template is a literal; a bar without style is better than none.
            let style = ProgressStyle::with_template("{bar:10} {pos}/{len}  {wide_msg}")
                .unwrap_or_else(|_| ProgressStyle::default_bar());
            bar.set_style(style);
            bar.set_length(total as u64);
            bar.set_position(found.len().min(total) as u64);
        } else if !self.is_quiet && !found.is_empty() {
            console::err!("{} trainings are there already", found.len().min(total));
        }
    }

    fn end(&mut self, finished: &Finished<'_>) {
        self.note(finished.row);
        let Finished { job, row, done, total, seconds_left } = finished;
        let place = format!("{}, seed {}", self.study.describe(&job.point), job.seed);
        let variant = job.variant.name();
        if let Err(error) = &row.outcome {
            let print = || console::err!("failed: {place}, {variant}: {error}");
            match &self.bar {
                Some(bar) => bar.suspend(print),
                None => print(),
            }
        }
        let left = duration(*seconds_left);
        if let Some(bar) = &self.bar {
            bar.set_position(*done as u64);
            bar.set_message(format!("{left} left; {}", self.extremes()));
        } else if let (false, Ok(measured)) = (self.is_quiet, &row.outcome) {
            console::err!(
                "[{done}/{total}] {place}, {variant}: {:.2} %  ({}; {left} left)",
                100.0 * measured.test_accuracy,
                self.extremes()
            );
        }
    }

    fn finish(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
