//! `firstspike reproduce`: a table of results beside published figures.

use std::process::ExitCode;

use super::exit::{INTERRUPTED, failure};
use super::session::Session;
use super::{ReproduceArguments, bad_input, console};
use crate::run::Progress;
use crate::run::reproduce::{Job, Outcome, Table, Watch, markdown, reproduce};

pub(super) fn run(arguments: &ReproduceArguments) -> ExitCode {
    let mut table = match Table::load(&arguments.table) {
        Ok(table) => table,
        Err(error) => return bad_input(&error),
    };
    if !arguments.rows.is_empty()
        && let Err(error) = table.select(&arguments.rows)
    {
        return bad_input(&format!("--rows: {error}"));
    }
    if let Some(Seeds(seeds)) = &arguments.seeds {
        table.rows.iter_mut().for_each(|row| row.seeds.clone_from(seeds));
    }
    let session = match Session::new(&arguments.session) {
        Ok(session) => session,
        Err(error) => return bad_input(&error),
    };
    let options = session.options(arguments.out.clone(), true);
    let done = session.install(|| reproduce(&table, &options, &mut Console { session: &session }));
    let results = match done {
        Ok(results) => results,
        Err(error) => return failure(&error),
    };
    if session.is_interrupted() {
        console::err!("to go on from here, run the same command again");
        if results.iter().any(|result| !result.summaries.is_empty()) {
            console::err!("results so far: {}", options.out.join("table.md").display());
        }
        return ExitCode::from(INTERRUPTED);
    }
    console::out!("{}", markdown(&results).trim_end());
    if results.iter().any(|result| result.failure.is_some()) {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

/// Says what is being done on standard error.
struct Console<'s> {
    session: &'s Session,
}

impl Console<'_> {
    fn say(&self, job: &Job<'_>, what: &str) {
        if !self.session.is_quiet() {
            console::err!("{} {what}", place(job));
        }
    }
}

fn place(job: &Job<'_>) -> String {
    format!("[{}/{}] {}, seed {}:", job.number, job.count, job.row.name, job.seed)
}

impl Watch for Console<'_> {
    fn begin(&mut self, job: &Job<'_>, discarded: Option<&str>) -> Box<dyn Progress> {
        if let Some(reason) = discarded {
            console::err!("{} warning: starting anew: {reason}", place(job));
        }
        self.say(job, &format!("training ({} left after this)", job.count - job.number));
        self.session.progress()
    }

    fn end(&mut self, job: &Job<'_>, outcome: &Outcome<'_>) {
        match outcome {
            Outcome::Found(summary) => self.say(
                job,
                &format!("complete already, test accuracy {:.2} %", 100.0 * summary.test_accuracy),
            ),
            Outcome::Trained(summary) => {
                let accuracy = 100.0 * summary.test_accuracy;
                self.say(
                    job,
                    &format!("test accuracy {accuracy:.2} % after {:.1} s", summary.seconds),
                );
            }
            Outcome::Failed(message) => console::err!("{} error: {message}", place(job)),
        }
    }
}

/// Seeds as they are written on the command line: `1-5`, `1,3,7` or `1-3,8`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seeds(Vec<u64>);

/// More are surely a slip of the finger.
const MOST_SEEDS: u64 = 10_000;

impl std::str::FromStr for Seeds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |part: &str| {
            part.trim().parse::<u64>().ok().filter(|&seed| seed <= i64::MAX as u64).ok_or_else(
                || format!("`{part}` is not a seed: write 1-5 or 1,3,7, from 0 to {}", i64::MAX),
            )
        };
        let mut seeds = Vec::new();
        for part in text.split(',') {
            let (first, last) = match part.split_once('-') {
                Some((first, last)) => (number(first)?, number(last)?),
                None => (number(part)?, number(part)?),
            };
            if first > last || last - first >= MOST_SEEDS {
                return Err(format!("`{part}` must go up, and have at most {MOST_SEEDS} seeds"));
            }
            for seed in first..=last {
                if seeds.contains(&seed) {
                    return Err(format!("seed {seed} is there twice"));
                }
                seeds.push(seed);
            }
        }
        Ok(Seeds(seeds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_numbers_and_ranges() {
        let seeds = |text: &str| text.parse::<Seeds>().map(|seeds| seeds.0);
        assert_eq!(seeds("1-3,8"), Ok(vec![1, 2, 3, 8]));
        assert_eq!(seeds("7"), Ok(vec![7]));
        for bad in ["", "x", "3-1", "1,1", "1-3,2", "-1", "1-", "0-10000", "9223372036854775808"] {
            assert!(seeds(bad).is_err(), "{bad}");
        }
    }
}
