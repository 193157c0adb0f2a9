//! Tables of studies, for people (Markdown) and for programs (CSV).

use std::fmt::Write as _;
use std::io;

use super::{Interval, Limit, Quantity, Statistics, Summary, Tolerance, tolerances};
use crate::report::html::Table;

/// Every group of every study: a row per quantity, with its statistics.
///
/// # Errors
/// If writing fails.
pub fn statistics_csv(summaries: &[Summary], output: impl io::Write) -> io::Result<()> {
    let mut writer = csv::Writer::from_writer(output);
    writer.write_record([
        "study",
        "series",
        "variant",
        "axis",
        "value",
        "quantity",
        "unit",
        "seeds",
        "failed",
        "minimum",
        "lower_quartile",
        "median",
        "upper_quartile",
        "maximum",
        "median_low",
        "median_high",
    ])?;
    for summary in summaries {
        for series in &summary.series {
            for group in &series.groups {
                for quantity in summary.quantities() {
                    let head = [
                        summary.study.name.clone(),
                        summary.name_of(series),
                        series.variant.name().to_owned(),
                        match summary.study.is_search {
                            true => "point".to_owned(),
                            false => summary.study.axes[0].name.clone(),
                        },
                        group.value.to_string(),
                        quantity.name().to_owned(),
                        summary.unit(quantity).to_owned(),
                        group.measured.len().to_string(),
                        group.failed.to_string(),
                    ];
                    let numbers = match group.statistics(summary, quantity) {
                        Some(found) => {
                            let ends = found.confidence.map(|ends| [ends.low, ends.high]);
                            let text = |end: usize| ends.map_or(String::new(), |e| rounded(e[end]));
                            [
                                rounded(found.minimum),
                                rounded(found.lower_quartile),
                                rounded(found.median),
                                rounded(found.upper_quartile),
                                rounded(found.maximum),
                                text(0),
                                text(1),
                            ]
                        }
                        None => Default::default(),
                    };
                    writer.write_record(head.iter().chain(&numbers))?;
                }
            }
        }
    }
    writer.flush()
}

/// Ten digits: interpolation between equal percentages leaves nothing else.
fn rounded(value: f64) -> String {
    format!("{value:.9e}").parse::<f64>().unwrap_or(value).to_string()
}

/// What the tables of statistics show.
const STATISTICS: &str = "Medians over the seeds, with 95 % confidence intervals of the median in \
                          brackets (if there are six seeds or more) and the lowest and highest value.";

/// A table per study: medians with their confidence intervals, and the range of the seeds.
pub fn statistics_markdown(summaries: &[Summary]) -> String {
    let mut text = String::new();
    for summary in summaries {
        let table = statistics_table(summary);
        let _ = writeln!(text, "## {}\n\n{}", table.title, markdown(&table));
    }
    let _ = writeln!(text, "{STATISTICS}");
    text
}

/// The medians of one study.
pub(super) fn statistics_table(summary: &Summary) -> Table {
    let quantities = summary.quantities();
    let mut head = vec![match summary.study.is_search {
        true => "point".to_owned(),
        false => summary.study.axes[0].title(),
    }];
    let has_names = summary.series.len() > 1;
    if has_names {
        head.push("networks".to_owned());
    }
    head.push("seeds".to_owned());
    for &quantity in &quantities {
        let unit = summary.unit(quantity);
        let unit = if unit.is_empty() { String::new() } else { format!(" [{unit}]") };
        head.push(format!("{}{unit}", quantity.label().to_lowercase()));
    }
    let mut rows = Vec::new();
    for series in &summary.series {
        for group in &series.groups {
            let mut cells = vec![summary.study.axes[0].name_of(&group.value)];
            if has_names {
                cells.push(summary.name_of(series));
            }
            cells.push(match group.failed {
                0 => group.measured.len().to_string(),
                failed => format!("{} ({failed} failed)", group.measured.len()),
            });
            for &quantity in &quantities {
                let found = group.statistics(summary, quantity);
                cells
                    .push(found.map_or_else(|| "–".to_owned(), |found| in_short(&found, quantity)));
            }
            rows.push(cells);
        }
    }
    Table { title: summary.study.title.clone(), about: STATISTICS.to_owned(), head, rows }
}

/// A table in Markdown.
fn markdown(table: &Table) -> String {
    let mut text =
        format!("| {} |\n|{}\n", table.head.join(" | "), "---|".repeat(table.head.len()));
    for row in &table.rows {
        let _ = writeln!(text, "| {} |", row.join(" | "));
    }
    text
}

fn in_short(found: &Statistics, quantity: Quantity) -> String {
    let digits = if quantity == Quantity::Spikes { 1 } else { 2 };
    let number = |value: f64| format!("{value:.digits$}");
    let confidence = found.confidence.map_or_else(String::new, |Interval { low, high }| {
        format!(" [{}, {}]", number(low), number(high))
    });
    format!(
        "{}{confidence} ({}–{})",
        number(found.median),
        number(found.minimum),
        number(found.maximum)
    )
}

/// What each distortion may be, in every study that has an ideal value.
pub fn tolerance_markdown(summaries: &[Summary]) -> String {
    markdown(&tolerance_table(summaries))
}

/// The tolerances of all studies.
pub(super) fn tolerance_table(summaries: &[Summary]) -> Table {
    let head = [
        "panel",
        "distortion",
        "networks",
        "ideal accuracy [%]",
        "largest value within 1 %",
        "1 % below the ideal at",
        "95 % interval, at least 6 seeds",
    ];
    let mut rows = Vec::new();
    for summary in summaries {
        let axis = &summary.study.axes[0];
        for found in tolerances(summary) {
            let Tolerance { series, ideal, ideal_confidence, borne, between, .. } = &found;
            let networks = if series.is_empty() { found.variant.label() } else { series };
            let confidence = ideal_confidence
                .map_or_else(String::new, |ends| format!(" [{:.2}, {:.2}]", ends.low, ends.high));
            let limit = |limit: &Limit| match limit {
                Limit::At(value) => short(*value),
                Limit::Before(value) => axis.name_of(value),
                Limit::Beyond => "not reached".to_owned(),
            };
            rows.push(vec![
                summary.study.title.clone(),
                axis.title(),
                networks.to_owned(),
                format!("{ideal:.2}{confidence}"),
                axis.name_of(borne),
                limit(&found.limit),
                format!("{} – {}", limit(&between.0), limit(&between.1)),
            ]);
        }
    }
    Table {
        title: "Tolerances".to_owned(),
        about: "How much of each distortion costs at most one percentage point of the median test \
                accuracy."
            .to_owned(),
        head: head.map(str::to_owned).to_vec(),
        rows,
    }
}

/// The same for programs. Limits between values that are not both numbers are those at which the
/// accuracy is too low for the first time; empty if there is none.
///
/// # Errors
/// If writing fails.
pub fn tolerance_csv(summaries: &[Summary], output: impl io::Write) -> io::Result<()> {
    let mut writer = csv::Writer::from_writer(output);
    writer.write_record([
        "study",
        "series",
        "variant",
        "axis",
        "unit",
        "ideal_accuracy",
        "borne",
        "limit",
        "limit_low",
        "limit_high",
    ])?;
    for summary in summaries {
        let axis = &summary.study.axes[0];
        for found in tolerances(summary) {
            let limit = |limit: &Limit| match limit {
                Limit::At(value) => rounded(*value),
                Limit::Before(value) => value.to_string(),
                Limit::Beyond => String::new(),
            };
            writer.write_record([
                summary.study.name.clone(),
                found.series.clone(),
                found.variant.name().to_owned(),
                axis.name.clone(),
                axis.unit.clone(),
                rounded(found.ideal),
                found.borne.to_string(),
                limit(&found.limit),
                limit(&found.between.0),
                limit(&found.between.1),
            ])?;
        }
    }
    writer.flush()
}

/// Three digits.
fn short(value: f64) -> String {
    let text = format!("{value:.2e}").parse::<f64>().unwrap_or(value);
    text.to_string()
}
