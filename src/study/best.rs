//! The best point of a study: the one with the highest validation accuracy over its seeds. The test set has no
//! say, so that its accuracy at that point is an honest one.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::path::Path;

use super::{Point, ResultsProblem, Study, StudyError, Variant, reader};
use crate::run::Measurement;
use crate::scenario::LoadedScenario;

/// A mean over seeds, and how far they are apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// The mean.
    pub mean: f64,
    /// Standard deviation of the seeds; none for a single one.
    pub std: Option<f64>,
    /// The lowest.
    pub lowest: f64,
    /// The highest.
    pub highest: f64,
}

/// A point with what its seeds reached.
#[derive(Clone, Debug)]
pub struct Ranked {
    /// How the networks were trained.
    pub variant: Variant,
    /// The point.
    pub point: Point,
    /// Number of seeds.
    pub seeds: usize,
    /// Their validation accuracy, from 0 to 1.
    pub validation: Spread,
    /// Their test accuracy, from 0 to 1.
    pub test: Spread,
}

/// The points of a study in the order of their validation accuracy.
#[derive(Clone, Debug)]
pub struct Ranking {
    /// Those with all seeds, the best first; among equal ones the one that the study has first.
    pub ranked: Vec<Ranked>,
    /// Points with a seed that is missing or failed, which are not ranked.
    pub incomplete: usize,
}

impl Spread {
    /// Of values, at least one.
    fn of(values: &[f64]) -> Self {
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let square: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        Spread {
            mean,
            std: (values.len() > 1).then(|| (square / (count - 1.0)).sqrt()),
            lowest: values.iter().copied().fold(f64::INFINITY, f64::min),
            highest: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        }
    }
}

impl Ranking {
    /// Ranks the points of a study by a file of its results.
    ///
    /// # Errors
    /// If the results cannot be read, are of another study, or no point has all of its seeds.
    pub fn read(study: &Study, results: &Path) -> Result<Self, StudyError> {
        let table = reader::read(results)?;
        let axes: Vec<&str> = study.axes.iter().map(|axis| axis.name.as_str()).collect();
        if table.axes() != axes {
            let (found, expected) = (table.axes().join(", "), axes.join(", "));
            let problem = ResultsProblem::OtherAxes { found, expected };
            return Err(StudyError::results(results, problem));
        }
        let rows = table.rows.into_iter().filter(|row| row.study == study.name);
        let found: HashMap<_, _> = rows.map(|row| (row.key(), row.outcome)).collect();
        let mut ranking = Ranking { ranked: Vec::new(), incomplete: 0 };
        let jobs = study.jobs();
        for seeds in jobs.chunks(study.seeds.len().max(1)) {
            let measured: Option<Vec<&Measurement>> = seeds
                .iter()
                .map(|job| found.get(&job.key()).and_then(|outcome| outcome.as_ref().ok()))
                .collect();
            let of = |value: fn(&Measurement) -> f64| {
                let measured = measured.as_deref()?;
                Some(Spread::of(&measured.iter().map(|one| value(one)).collect::<Vec<_>>()))
            };
            let validation = of(|one| one.validation_accuracy).filter(|found| !found.mean.is_nan());
            match (validation, of(|one| one.test_accuracy)) {
                (Some(validation), Some(test)) => ranking.ranked.push(Ranked {
                    variant: seeds[0].variant,
                    point: seeds[0].point.clone(),
                    seeds: seeds.len(),
                    validation,
                    test,
                }),
                _ => ranking.incomplete += 1,
            }
        }
        if ranking.ranked.is_empty() {
            return Err(StudyError::results(results, ResultsProblem::NoCompletePoint));
        }
        let mean = |ranked: &Ranked| ranked.validation.mean;
        ranking
            .ranked
            .sort_by(|one, two| mean(two).partial_cmp(&mean(one)).unwrap_or(Ordering::Equal));
        Ok(ranking)
    }
}

impl Ranked {
    /// The scenario that is trained at this point, with the first seed of the study.
    ///
    /// # Errors
    /// If it cannot be used.
    pub fn scenario(&self, study: &Study) -> Result<LoadedScenario, StudyError> {
        let seed = study.seeds.first().copied().unwrap_or(1);
        Ok(self.variant.trained(study.load(&self.point, seed)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_has_mean_deviation_and_ends() {
        let expected = Spread { mean: 0.5, std: Some(0.1), lowest: 0.4, highest: 0.6 };
        let found = Spread::of(&[0.4, 0.6, 0.5]);
        assert!((found.mean - expected.mean).abs() < 1e-15);
        assert!((found.std.expect("three") - 0.1).abs() < 1e-15);
        assert_eq!((found.lowest, found.highest), (0.4, 0.6));
        assert_eq!(Spread::of(&[0.3]).std, None);
    }
}
