//! The class map of a trained network.

use super::RunError;
use crate::dataset::Dataset;
use crate::dataset::yin_yang::{Samples, YinYang};
use crate::learning::Trainer;
use crate::report::class_map::{ClassMap, Decision, MapSample};
use crate::report::html;
use crate::scenario::Learner;

/// Cells along each side of the map.
const RESOLUTION: usize = 160;

/// The same if an external program decides each of them.
const EXTERNAL_RESOLUTION: usize = 48;

/// The class map of a trained network.
pub(super) struct ClassMapFiles {
    pub svg: String,
    pub png: Vec<u8>,
    /// For the report.
    pub content: html::ClassMap,
}

/// The class map. `decided` are the decisions on the test set.
pub(super) fn class_map(
    learner: &Learner,
    trainer: &Trainer,
    plane: &YinYang,
    decided: &[Option<usize>],
    title: &str,
    external: bool,
) -> Result<ClassMapFiles, RunError> {
    let resolution = if external { EXTERNAL_RESOLUTION } else { RESOLUTION };
    let side = 2.0 * plane.r_big;
    let centre = |index: usize| (index as f64 + 0.5) * side / resolution as f64;
    let mut decisions = vec![Decision::Outside; resolution * resolution];
    let mut grid = Samples { features: Vec::new(), labels: Vec::new() };
    let mut cells = Vec::new();
    for cell in 0..decisions.len() {
        let (x, y) = (centre(cell % resolution), centre(cell / resolution));
        if let Some(class) = plane.class_of(x, y) {
            grid.features.push([x, y, 1.0 - x, 1.0 - y]);
            grid.labels.push(class);
            cells.push(cell);
        }
    }
    trainer.evaluate_records(&learner.encode(&Dataset::from(grid)), |sample, _, decided| {
        decisions[cells[sample]] = decided.map_or(Decision::Undecided, Decision::Class);
    })?;
    let test = &learner.data.test;
    let samples: Vec<MapSample> = (0..test.len())
        .map(|index| MapSample {
            x: test.feature(index, 0),
            y: test.feature(index, 1),
            label: test.labels[index],
            decided: decided[index],
        })
        .collect();
    let map = ClassMap {
        title,
        resolution,
        decisions: &decisions,
        extent: ((0.0, side), (0.0, side)),
        samples: &samples,
        class_names: &learner.data.class_names,
        axis_labels: ("x", "y"),
    };
    let (svg, png) = (map.to_svg()?, map.to_png()?);
    let answer = |decision: &Decision| match decision {
        Decision::Outside => None,
        Decision::Undecided => Some(-1),
        Decision::Class(class) => Some(*class as i32),
    };
    let rows = decisions.chunks(resolution).map(|row| row.iter().map(answer).collect());
    Ok(ClassMapFiles { svg, png, content: html::ClassMap { side, rows: rows.collect() } })
}
