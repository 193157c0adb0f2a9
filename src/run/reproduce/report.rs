//! The results of a table, for people and for programs.

use std::fmt::Write as _;
use std::io;

use super::{RowResult, folder_of};
use crate::run::{OutputFolder, TrainingSummary};
use crate::settings::time_units;

/// The table in Markdown. Accuracies are of the test set and in percent: the mean over the seeds,
/// with the lowest and the highest.
pub fn markdown(results: &[RowResult<'_>]) -> String {
    let mut text = "| network | published | here: mean (lowest–highest) | to reach | \
                    seconds per epoch | decision time |\n|---|---|---|---|---|---|\n"
        .to_owned();
    for RowResult { row, summaries, failure } in results {
        let cells = [
            row.title.clone(),
            row.published.join("; "),
            accuracy(summaries, row.seeds.len(), failure.is_some()),
            row.reach.map_or_else(String::new, |reach| reached(summaries, reach)),
            seconds_per_epoch(summaries),
            decision_time(summaries),
        ];
        let cells = cells.map(|cell| cell.replace('|', "\\|").replace(['\n', '\r'], " "));
        let _ = writeln!(text, "| {} |", cells.join(" | "));
    }
    let failed = results.iter().filter_map(|result| Some((result.row, result.failure.as_ref()?)));
    for (index, (row, failure)) in failed.enumerate() {
        let gap = if index == 0 { "\n" } else { "" };
        let failure: Vec<&str> = failure.lines().map(str::trim).collect();
        let _ = writeln!(text, "{gap}- `{}` failed: {}", row.name, failure.join(" "));
    }
    text
}

/// The table, and then a link to the report of each complete training, as seen from the table's folder.
pub fn page(results: &[RowResult<'_>]) -> String {
    let mut text = markdown(results);
    let trained = results.iter().filter(|result| !result.summaries.is_empty());
    for (index, RowResult { row, summaries, .. }) in trained.enumerate() {
        let link = |summary: &TrainingSummary| {
            let report = folder_of(row, summary.seed).join(OutputFolder::REPORT);
            format!("[seed {}]({})", summary.seed, report.display())
        };
        let links: Vec<String> = summaries.iter().map(link).collect();
        let heading = if index == 0 { "\nReports:\n\n" } else { "" };
        let _ = writeln!(text, "{heading}- `{}`: {}", row.name, links.join(", "));
    }
    text
}

/// A row per complete training. Accuracies are fractions of 1.
///
/// # Errors
/// If writing fails.
pub fn csv(results: &[RowResult<'_>], output: impl io::Write) -> io::Result<()> {
    let mut writer = csv::Writer::from_writer(output);
    writer.write_record([
        "name",
        "seed",
        "test_accuracy",
        "validation_accuracy",
        "train_accuracy",
        "epochs",
        "selected_epoch",
        "seconds",
        "seconds_per_epoch",
        "mean_decision_time",
        "time_unit",
    ])?;
    for RowResult { row, summaries, .. } in results {
        for summary in summaries {
            writer.write_record([
                row.name.clone(),
                summary.seed.to_string(),
                summary.test_accuracy.to_string(),
                summary.validation_accuracy.to_string(),
                summary.train_accuracy.to_string(),
                summary.epochs.to_string(),
                summary.selected_epoch.to_string(),
                summary.seconds.to_string(),
                summary.seconds_per_epoch.to_string(),
                summary.mean_decision_time.to_string(),
                summary.time_unit.clone(),
            ])?;
        }
    }
    writer.flush()
}

fn mean(summaries: &[TrainingSummary], value: impl Fn(&TrainingSummary) -> f64) -> f64 {
    summaries.iter().map(value).sum::<f64>() / summaries.len() as f64
}

fn percent(summary: &TrainingSummary) -> f64 {
    100.0 * summary.test_accuracy
}

fn accuracy(summaries: &[TrainingSummary], seeds: usize, failed: bool) -> String {
    let rest = match summaries.len() {
        0 if failed => return "failed".to_owned(),
        0 => return "not yet".to_owned(),
        1 if seeds == 1 => "1 seed".to_owned(),
        count if count == seeds => format!("{count} seeds"),
        count if failed => format!("{count} of {seeds} seeds, then failed"),
        count => format!("{count} of {seeds} seeds so far"),
    };
    let values = || summaries.iter().map(percent);
    let (lowest, highest) =
        (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max));
    format!("{:.2} ({lowest:.2}–{highest:.2}), {rest}", mean(summaries, percent))
}

fn reached(summaries: &[TrainingSummary], reach: f64) -> String {
    if summaries.is_empty() {
        return format!("{reach}");
    }
    let short = reach - mean(summaries, percent);
    // What would be shown as nothing is due to rounding: percentages are not exact.
    if short < 0.005 { format!("{reach}, reached") } else { format!("{reach}, {short:.2} short") }
}

fn seconds_per_epoch(summaries: &[TrainingSummary]) -> String {
    if summaries.iter().all(|summary| summary.epochs == 0) {
        return "–".to_owned();
    }
    format!("{:.3}", mean(summaries, |summary| summary.seconds_per_epoch))
}

fn decision_time(summaries: &[TrainingSummary]) -> String {
    let time = mean(summaries, |summary| summary.mean_decision_time);
    match summaries.first() {
        Some(summary) if time.is_finite() => {
            format!("{time:.3} {}", time_units::symbol(&summary.time_unit))
        }
        _ => "–".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::EngineSummary;
    use crate::run::reproduce::Row;

    fn summary(seed: u64, test_accuracy: f64) -> TrainingSummary {
        TrainingSummary {
            scenario: "a".to_owned(),
            version: "0".to_owned(),
            seed,
            test_accuracy,
            train_accuracy: 0.5,
            validation_accuracy: 0.25,
            test_loss: 0.1,
            test_undecided: 0.0,
            mean_decision_time: 1.5 + seed as f64,
            time_unit: "tau_s".to_owned(),
            epochs: 7,
            selected_epoch: 6,
            interrupted: false,
            seconds_per_epoch: 0.25,
            seconds: 2.0,
            engine: EngineSummary::fastest("event"),
            hardware: None,
            rule: None,
            found: None,
            threads: 1,
            class_names: Vec::new(),
            confusion: Vec::new(),
            layers: Vec::new(),
            warnings: Vec::new(),
        }
    }

    fn row(name: &str, reach: Option<f64>) -> Row {
        Row {
            name: name.to_owned(),
            title: format!("{name}|1"),
            scenario: "a.toml".into(),
            set: Vec::new(),
            seeds: vec![1, 2],
            published: vec!["95 (A)".to_owned(), "96 (B)".to_owned()],
            reach,
        }
    }

    #[test]
    fn shows_mean_and_range_and_what_is_missing() {
        let (one, two, three) = (row("a", Some(93.0)), row("b", Some(94.5)), row("c", None));
        let results = [
            RowResult {
                row: &one,
                summaries: vec![summary(1, 0.94), summary(2, 0.92)],
                failure: None,
            },
            RowResult { row: &two, summaries: vec![summary(1, 0.94)], failure: None },
            RowResult {
                row: &three,
                summaries: Vec::new(),
                failure: Some("no\n  such file".to_owned()),
            },
        ];
        let lines: Vec<String> = markdown(&results).lines().map(str::to_owned).collect();
        let published = "95 (A); 96 (B)";
        assert_eq!(
            lines[2..],
            [
                format!(
                    "| a\\|1 | {published} | 93.00 (92.00–94.00), 2 seeds | 93, reached | 0.250 | \
                     3.000 τ_s |"
                ),
                format!(
                    "| b\\|1 | {published} | 94.00 (94.00–94.00), 1 of 2 seeds so far | \
                     94.5, 0.50 short | 0.250 | 2.500 τ_s |"
                ),
                format!("| c\\|1 | {published} | failed |  | – | – |"),
                String::new(),
                "- `c` failed: no such file".to_owned(),
            ]
        );
        let page = page(&results);
        let links = page.strip_prefix(&markdown(&results)).expect("the table comes first");
        assert_eq!(
            links,
            "\nReports:\n\n- `a`: [seed 1](a/seed_1/report.html), [seed 2](a/seed_2/report.html)\n\
             - `b`: [seed 1](b/seed_1/report.html)\n"
        );
        let mut bytes = Vec::new();
        csv(&results, &mut bytes).expect("written");
        let text = String::from_utf8(bytes).expect("UTF-8");
        let rows: Vec<&str> = text.lines().skip(1).collect();
        assert_eq!(
            rows,
            [
                "a,1,0.94,0.25,0.5,7,6,2,0.25,2.5,tau_s",
                "a,2,0.92,0.25,0.5,7,6,2,0.25,3.5,tau_s",
                "b,1,0.94,0.25,0.5,7,6,2,0.25,2.5,tau_s",
            ]
        );
    }
}
