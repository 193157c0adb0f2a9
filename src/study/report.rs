//! Figures and tables of studies, as files.

use std::io::Write;
use std::path::Path;

use super::figures::{figure, heat_maps, overview};
use super::tables::{
    statistics_csv, statistics_markdown, statistics_table, tolerance_csv, tolerance_markdown,
    tolerance_table,
};
use super::{Group, Quantity, StudyError, Summary};
use crate::report::box_plot::Figure;
use crate::report::html::{Content, Fact, Headline, ReportData, StudyContent};
use crate::run::OutputFolder;

/// Writes into a folder, for each study, `<name>.svg` and `<name>.png`; for all together `overview.svg`
/// and `.png` if there are several, `statistics.csv` and `.md`, and `tolerance.csv` and `.md`;
/// and all of it as a page, `report.html`.
///
/// # Errors
/// If a figure cannot be drawn or a file not be written.
pub fn write_report(summaries: &[Summary], folder: &Path) -> Result<(), StudyError> {
    let folder = OutputFolder::create(folder)?;
    for summary in summaries {
        draw(&folder, &summary.study.name, &figure(summary))?;
    }
    if summaries.len() > 1 {
        draw(&folder, "overview", &overview(summaries, Quantity::Accuracy))?;
    }
    folder.write("statistics.csv", |file| statistics_csv(summaries, file))?;
    let text = statistics_markdown(summaries);
    folder.write("statistics.md", |file| file.write_all(text.as_bytes()))?;
    folder.write("tolerance.csv", |file| tolerance_csv(summaries, file))?;
    let text = tolerance_markdown(summaries);
    folder.write("tolerance.md", |file| file.write_all(text.as_bytes()))?;
    folder.write_report(&page(summaries))?;
    Ok(())
}

/// The page of studies.
fn page(summaries: &[Summary]) -> ReportData {
    let sum = |number: &dyn Fn(&Group) -> usize| -> usize {
        let series = summaries.iter().flat_map(|summary| &summary.series);
        series.flat_map(|series| &series.groups).map(number).sum()
    };
    let (measured, failed) = (sum(&|group| group.measured.len()), sum(&|group| group.failed));
    let mut headline = vec![
        Headline::new("Trainings", measured.to_string()),
        Headline::new("Points", sum(&|_| 1).to_string()),
    ];
    if failed > 0 {
        headline.push(Headline::new("Failed trainings", failed.to_string()));
    }
    let title = match summaries {
        [only] => only.study.title.clone(),
        several => format!("{} studies", several.len()),
    };
    let tolerances = Some(tolerance_table(summaries)).filter(|table| !table.rows.is_empty());
    ReportData {
        title,
        subtitle: format!(
            "{} over seeds · firstspike {}",
            if summaries.len() == 1 { "A study" } else { "Studies" },
            env!("CARGO_PKG_VERSION")
        ),
        headline,
        notes: Vec::new(),
        facts: summaries.iter().flat_map(facts).collect(),
        scenario: String::new(),
        time_unit: summaries.first().map_or_else(String::new, |first| first.time_unit.to_owned()),
        content: Content::Study(StudyContent {
            heat_maps: summaries.iter().flat_map(heat_maps).collect(),
            figures: summaries.iter().map(figure).collect(),
            tables: tolerances.into_iter().chain(summaries.iter().map(statistics_table)).collect(),
        }),
    }
}

/// What was varied, of which scenario, on which chip, with which seeds.
fn facts(summary: &Summary) -> Vec<Fact> {
    let study = &summary.study;
    let mut facts = vec![("Study", study.name.clone())];
    facts.extend(summary.base.iter().map(|(label, value)| match *label {
        "Scenario" => ("Base", value.clone()),
        label => (label, value.clone()),
    }));
    let seeds: Vec<String> = study.seeds.iter().map(u64::to_string).collect();
    facts.push(("Seeds", seeds.join(", ")));
    if !study.set.is_empty() {
        let set: Vec<String> = study.set.iter().map(|set| format!("`{}`", set.given)).collect();
        facts.push(("Changed", set.join(", ")));
    }
    let axes: Vec<String> = study
        .axes
        .iter()
        .map(|axis| format!("{} (`{}`)", axis.label, axis.keys.join("`, `")))
        .collect();
    facts.push(("Varied", axes.join(", ")));
    let engines: Vec<String> = summary.engines.iter().map(ToString::to_string).collect();
    if !engines.is_empty() {
        facts.push(("Engine", engines.join("; ")));
    }
    facts
}

fn draw(folder: &OutputFolder, name: &str, figure: &Figure) -> Result<(), StudyError> {
    let (svg, png) = (figure.to_svg()?, figure.to_png()?);
    folder.write(&format!("{name}.svg"), |file| file.write_all(svg.as_bytes()))?;
    folder.write(&format!("{name}.png"), |file| file.write_all(&png))?;
    Ok(())
}
