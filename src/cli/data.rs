//! `firstspike data`: fetch, list and verify public data sets.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};

use super::console;
use crate::dataset::catalogue::{self, Collection};
use crate::dataset::fetch::{FetchProgress, State, fetch, verify};

#[derive(Debug, Subcommand)]
pub(super) enum DataCommand {
    /// Download a data set, or what is missing of it.
    #[command(
        after_help = "Every file is checked before it is used: by the SHA-256 of its content \
        (MNIST) or of the file as its authors serve it (Fashion-MNIST). What breaks off is kept, and \
        the same command goes on from it.\n\n\
        Exit codes: 0 all files are there, 1 one could not be fetched, 2 bad input.\n\n\
        Examples:\n  \
        firstspike data fetch mnist\n  \
        firstspike data fetch fashion-mnist --folder /data/fashion"
    )]
    Fetch(FetchArguments),
    /// Say which data sets are there and what `data fetch` could get.
    #[command(after_help = "Looks into the usual folders. A file is verified if its checksum is \
        right; one that was unpacked may be plausible only: of the right form, with a checksum that \
        is known of the packed file alone (Fashion-MNIST).")]
    List,
    /// Check the files of a data set; exit code 1 if one is missing or wrong.
    Verify(PlaceArguments),
}

/// Which data set, and where.
#[derive(Debug, Args)]
pub(super) struct PlaceArguments {
    /// The data set.
    name: Name,
    /// The folder with its files [default: data/mnist or data/fashion_mnist].
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct FetchArguments {
    #[command(flatten)]
    place: PlaceArguments,
    /// A mirror: the address before the names of the files.
    #[arg(long, value_name = "MIRROR")]
    url: Option<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Name {
    Mnist,
    FashionMnist,
}

impl PlaceArguments {
    fn collection(&self) -> (Collection, PathBuf) {
        let collection = match self.name {
            Name::Mnist => catalogue::mnist(),
            Name::FashionMnist => catalogue::fashion_mnist(),
        };
        let folder = self.folder.clone().unwrap_or_else(|| collection.folder.clone());
        (collection, folder)
    }
}

pub(super) fn run(command: &DataCommand) -> ExitCode {
    match command {
        DataCommand::Fetch(arguments) => fetch_collection(arguments),
        DataCommand::List => list(),
        DataCommand::Verify(place) => {
            let (collection, folder) = place.collection();
            if report(&collection, &folder) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
    }
}

fn fetch_collection(arguments: &FetchArguments) -> ExitCode {
    let (collection, folder) = arguments.place.collection();
    let url = arguments.url.as_deref();
    if let Some(url) = url.filter(|url| !url.starts_with("http://") && !url.starts_with("https://"))
    {
        return super::bad_input(&format!(
            "--url {url}: an address begins with http:// or https://"
        ));
    }
    let mut progress = Bar { bar: ProgressBar::hidden() };
    match fetch(&collection, &folder, url, &mut progress) {
        Ok(()) => {
            console::out!("{} is in {}", collection.name, folder.display());
            ExitCode::SUCCESS
        }
        Err(error) => {
            progress.bar.finish_and_clear();
            console::err!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn list() -> ExitCode {
    for collection in catalogue::all() {
        console::out!("{}  ({})", collection.name, collection.url);
        report(&collection, &collection.folder);
    }
    ExitCode::SUCCESS
}

/// A line for each file; whether all are there and right.
fn report(collection: &Collection, folder: &Path) -> bool {
    let mut right = true;
    for (path, state) in verify(collection, folder) {
        let (word, more) = match &state {
            State::Missing => ("missing", String::new()),
            State::Verified => ("verified", String::new()),
            State::Plausible => {
                ("plausible", "  (unpacked: the checksum is of the packed file)".to_owned())
            }
            State::Wrong(problem) => ("wrong", format!(": {problem}")),
        };
        console::out!("  {word:<10} {}{more}", path.display());
        right &= matches!(state, State::Verified | State::Plausible);
    }
    right
}

/// A progress bar on a terminal, a line per file elsewhere.
struct Bar {
    bar: ProgressBar,
}

impl FetchProgress for Bar {
    fn begin(&mut self, name: &str, already: u64, size: Option<u64>) {
        if !std::io::stderr().is_terminal() {
            let resumed =
                if already > 0 { format!(" (from byte {already})") } else { String::new() };
            console::err!("fetching {name}{resumed}");
            return;
        }
        self.bar = match size {
            Some(size) => ProgressBar::new(size),
            None => ProgressBar::new_spinner(),
        };
        let template = if size.is_some() {
            "{bar:10} {wide_msg}  {bytes} of {total_bytes}  {eta:>4} left"
        } else {
            "{spinner} {wide_msg}  {bytes}"
        };
        self.bar.set_style(
            ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()),
        );
        self.bar.set_message(name.to_owned());
        self.bar.set_position(already);
    }

    fn received(&mut self, bytes: u64) {
        self.bar.set_position(bytes);
    }

    fn done(&mut self, name: &str, before: bool) {
        self.bar.finish_and_clear();
        console::err!("{name}: {}", if before { "already there" } else { "fetched and verified" });
    }
}
