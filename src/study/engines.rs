//! Which engines run the trainings of a study, and why not faster ones.

use super::{Study, StudyError};
use crate::run::EngineSummary;
use crate::scenario::{LoadedScenario, ScenarioError};

impl Study {
    /// What runs the trainings at the first and the last point, each engine once: an axis may lead from an
    /// ideal network to one on a chip.
    ///
    /// # Errors
    /// If a point's scenario or its data cannot be used.
    pub fn engines(&self) -> Result<Vec<EngineSummary>, StudyError> {
        let seed = self.seeds.first().copied().unwrap_or(1);
        let points = self.points();
        let mut engines = Vec::new();
        for &variant in &self.variants {
            for point in points.iter().take(1).chain(points.iter().skip(1).last()) {
                let loaded = variant.trained(self.load(point, seed)?);
                let engine = engine(&loaded).map_err(|source| {
                    let point = format!("{}, {}", self.path().display(), self.describe(point));
                    StudyError::Point { point, source }
                })?;
                if !engines.contains(&engine) {
                    engines.push(engine);
                }
            }
        }
        Ok(engines)
    }
}

fn engine(loaded: &LoadedScenario) -> Result<EngineSummary, ScenarioError> {
    let learner = loaded.learner()?;
    let hardware = loaded.hardware(&learner)?;
    Ok(loaded.engine(&learner, hardware.as_ref())?.into())
}
