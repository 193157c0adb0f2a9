//! Results read back and put together: for each variant and point the values of all seeds.

use std::collections::HashMap;
use std::path::Path;

use super::{AxisValue, ResultsProblem, Statistics, Study, StudyError, Variant, reader};
use crate::chip::HardwareClock;
use crate::report::common_prefix;
use crate::report::html::Fact;
use crate::run::{EngineSummary, Measurement};

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Quantity {
    /// Fraction of test samples decided correctly.
    Accuracy,
    /// Neurons' spikes per classification.
    Spikes,
    /// Time to decision.
    DecisionTime,
    /// Energy per classification.
    Energy,
}

/// A study with its results.
#[derive(Clone, Debug)]
pub struct Summary {
    /// The study.
    pub study: Study,
    /// For each variant, and each value of the axes but the first: what happens along the first axis.
    pub series: Vec<Series>,
    /// Symbol of the scenario's time unit.
    pub time_unit: &'static str,
    /// Times as they are shown: in the scenario's unit, or in seconds on the chip if it has a clock.
    pub time: Scale,
    /// Energies as they are shown.
    pub energy: Scale,
    /// What the base scenario is, in lines.
    pub base: Vec<Fact>,
    /// What ran the trainings; none if the data are not here any more.
    pub engines: Vec<EngineSummary>,
}

/// The unit that values are shown in, one for the whole study, and what they are multiplied by.
#[derive(Clone, Debug, PartialEq)]
pub struct Scale {
    /// The unit.
    pub unit: String,
    /// What one unit of the results is in it.
    pub factor: f64,
}

impl Scale {
    /// The scale whose prefix suits these values, each so many of an SI unit.
    fn of(values: impl Iterator<Item = f64>, in_si: f64, unit: &str) -> Self {
        let (size, prefix) = common_prefix(values.map(|value| value * in_si));
        // A product, so that values keep their last digit whatever the prefix.
        Scale { unit: format!("{prefix}{unit}"), factor: in_si * (1.0 / size).round() }
    }
}

/// What happens along the first axis.
#[derive(Clone, Debug)]
pub struct Series {
    /// How networks are trained.
    pub variant: Variant,
    /// The values of the other axes.
    pub others: Vec<AxisValue>,
    /// For each value of the first axis.
    pub groups: Vec<Group>,
}

/// The seeds of one point.
#[derive(Clone, Debug)]
pub struct Group {
    /// The value of the first axis.
    pub value: AxisValue,
    /// What was measured, by seed.
    pub measured: Vec<Measurement>,
    /// How many trainings failed.
    pub failed: usize,
}

impl Group {
    /// The values of all seeds, in the units of [`Summary::unit`].
    pub fn values(&self, summary: &Summary, quantity: Quantity) -> Vec<f64> {
        let value = |measured: &Measurement| match quantity {
            Quantity::Accuracy => 100.0 * measured.test_accuracy,
            Quantity::Spikes => measured.spikes_per_sample,
            Quantity::DecisionTime => measured.mean_decision_time * summary.time.factor,
            Quantity::Energy => {
                measured.energy_per_sample.map_or(f64::NAN, |energy| summary.energy.factor * energy)
            }
        };
        self.measured.iter().map(value).collect()
    }

    /// Their statistics.
    pub fn statistics(&self, summary: &Summary, quantity: Quantity) -> Option<Statistics> {
        Statistics::of(self.values(summary, quantity))
    }
}

impl Summary {
    /// Reads the results of a study. Rows of points that the study does not have are left out.
    ///
    /// # Errors
    /// If they cannot be read, or are of another study; or the base scenario cannot be used.
    pub fn read(study: &Study, path: &Path) -> Result<Self, StudyError> {
        let table = reader::read(path)?;
        let axes: Vec<&str> = study.axes.iter().map(|axis| axis.name.as_str()).collect();
        if table.axes() != axes {
            let (found, expected) = (table.axes().join(", "), axes.join(", "));
            let problem = ResultsProblem::OtherAxes { found, expected };
            return Err(StudyError::results(path, problem));
        }
        let mut by_point: HashMap<(String, Vec<String>), Vec<_>> = HashMap::new();
        for row in table.rows.into_iter().filter(|row| row.study == study.name) {
            by_point.entry((row.variant, row.values)).or_default().push((row.seed, row.outcome));
        }
        let mut series: Vec<Series> = Vec::new();
        for &variant in &study.variants {
            for point in study.points() {
                let text = point.0.iter().map(ToString::to_string).collect();
                let mut found =
                    by_point.remove(&(variant.name().to_owned(), text)).unwrap_or_default();
                found.sort_by_key(|(seed, _)| *seed);
                let failed = found.iter().filter(|(_, outcome)| outcome.is_err()).count();
                let measured = found.into_iter().filter_map(|(_, outcome)| outcome.ok()).collect();
                let whole = study.is_search.then(|| AxisValue::Text(study.describe(&point)));
                let mut values = point.0.into_iter();
                let Some(value) = whole.or_else(|| values.next()) else { continue };
                // Paired axes move together: the first stands for all, and in a search the whole point.
                let others: Vec<AxisValue> = match study.combine {
                    super::Combine::Grid => values.collect(),
                    super::Combine::Paired => Vec::new(),
                };
                let group = Group { value, measured, failed };
                let place = series
                    .iter_mut()
                    .find(|series| series.variant == variant && series.others == others);
                match place {
                    Some(series) => series.groups.push(group),
                    None => series.push(Series { variant, others, groups: vec![group] }),
                }
            }
        }
        let base = study.load_base()?.scenario;
        let clock = base.chip.as_ref().and_then(|chip| {
            let tau_s = base.layers.first()?.neuron.tau_s.as_ref()?.constant()?;
            HardwareClock::new(chip, tau_s)
        });
        let measured = || {
            let groups = series.iter().flat_map(|series| &series.groups);
            groups.flat_map(|group| &group.measured)
        };
        let times = measured().map(|measured| measured.mean_decision_time);
        let time = match clock {
            Some(clock) => Scale::of(times, clock.per_model_time * clock.unit_seconds, "s"),
            None => Scale { unit: base.time_unit.symbol().to_owned(), factor: 1.0 },
        };
        let energies = measured().filter_map(|measured| measured.energy_per_sample);
        let energy = Scale::of(energies, 1.0, "J");
        Ok(Summary {
            study: study.clone(),
            series,
            time_unit: base.time_unit.symbol(),
            time,
            energy,
            // Seeds are those of the study.
            base: base.facts().into_iter().filter(|(label, _)| *label != "Seed").collect(),
            engines: study.engines().unwrap_or_default(),
        })
    }

    /// The unit of a quantity; empty for a mere number.
    pub fn unit(&self, quantity: Quantity) -> &str {
        match quantity {
            Quantity::Accuracy => "%",
            Quantity::Spikes => "",
            Quantity::DecisionTime => &self.time.unit,
            Quantity::Energy => &self.energy.unit,
        }
    }

    /// The quantities that there are.
    pub fn quantities(&self) -> Vec<Quantity> {
        let all = [Quantity::Accuracy, Quantity::Spikes, Quantity::DecisionTime, Quantity::Energy];
        all.into_iter().filter(|&quantity| self.has(quantity)).collect()
    }

    fn has(&self, quantity: Quantity) -> bool {
        quantity != Quantity::Energy
            || self.series.iter().flat_map(|series| &series.groups).any(|group| {
                group.measured.iter().any(|measured| measured.energy_per_sample.is_some())
            })
    }

    /// What a series is called among the others; empty if it is the only one.
    pub fn name_of(&self, series: &Series) -> String {
        let mut parts = Vec::new();
        if self.study.variants.len() > 1 {
            parts.push(series.variant.label().to_owned());
        }
        for (axis, value) in self.study.axes.iter().skip(1).zip(&series.others) {
            let unit = if axis.unit.is_empty() { String::new() } else { format!(" {}", axis.unit) };
            parts.push(format!("{} {}{unit}", axis.label, axis.name_of(value)));
        }
        parts.join(", ")
    }
}

impl Quantity {
    /// What it is.
    pub fn label(self) -> &'static str {
        match self {
            Quantity::Accuracy => "Test accuracy",
            Quantity::Spikes => "Spikes per classification",
            Quantity::DecisionTime => "Time to decision",
            Quantity::Energy => "Energy per classification",
        }
    }

    /// Name in files.
    pub fn name(self) -> &'static str {
        match self {
            Quantity::Accuracy => "test_accuracy",
            Quantity::Spikes => "spikes",
            Quantity::DecisionTime => "decision_time",
            Quantity::Energy => "energy",
        }
    }
}
