//! Figures and tables of studies, as files.

use std::io::Write;
use std::path::Path;

use super::figures::{figure, overview};
use super::tables::{statistics_csv, statistics_markdown, tolerance_csv, tolerance_markdown};
use super::{Quantity, StudyError, Summary};
use crate::report::box_plot::Figure;
use crate::run::OutputFolder;

/// Writes into a folder, for each study, `<name>.svg` and `<name>.png`; for all together `overview.svg`
/// and `.png` if there are several, `statistics.csv` and `.md`, and `tolerance.csv` and `.md`.
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
    Ok(())
}

fn draw(folder: &OutputFolder, name: &str, figure: &Figure) -> Result<(), StudyError> {
    let (svg, png) = (figure.to_svg()?, figure.to_png()?);
    folder.write(&format!("{name}.svg"), |file| file.write_all(svg.as_bytes()))?;
    folder.write(&format!("{name}.png"), |file| file.write_all(&png))?;
    Ok(())
}
