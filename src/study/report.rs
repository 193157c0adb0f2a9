//! Figures and tables of studies, as files.

use std::io::Write;
use std::path::Path;

use super::figures::{figure, overview};
use super::tables::{
    statistics_csv, statistics_markdown, statistics_table, tolerance_csv, tolerance_markdown,
    tolerance_table,
};
use super::{Group, Quantity, StudyError, Summary};
use crate::report::box_plot::Figure;
use crate::report::html::{Content, Headline, ReportData, StudyContent};
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
    let names: Vec<&str> = summaries.iter().map(|summary| summary.study.name.as_str()).collect();
    let tolerances = Some(tolerance_table(summaries)).filter(|table| !table.rows.is_empty());
    ReportData {
        title,
        subtitle: format!("Study {} · firstspike {}", names.join(", "), env!("CARGO_PKG_VERSION")),
        headline,
        notes: Vec::new(),
        time_unit: summaries.first().map_or_else(String::new, |first| first.time_unit.to_owned()),
        content: Content::Study(StudyContent {
            figures: summaries.iter().map(figure).collect(),
            tables: tolerances.into_iter().chain(summaries.iter().map(statistics_table)).collect(),
        }),
    }
}

fn draw(folder: &OutputFolder, name: &str, figure: &Figure) -> Result<(), StudyError> {
    let (svg, png) = (figure.to_svg()?, figure.to_png()?);
    folder.write(&format!("{name}.svg"), |file| file.write_all(svg.as_bytes()))?;
    folder.write(&format!("{name}.png"), |file| file.write_all(&png))?;
    Ok(())
}
