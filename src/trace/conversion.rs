//! What becomes of a trace on its way into another format: samples, units and populations as that format has
//! them.
//!
//! ```text
//! Recording ─→ samples laid out in a row, or one chosen ─→ times in the format's unit ─→ ids by population
//! ```
//!
//! What would be lost is refused with the option that decides; what is changed is said.

use super::format::{IdRanges, IdRangesError, TraceFormat};
use super::recording::Recording;
use crate::settings::time_units::TimeFactor;

/// What a format holds and what a user decides.
#[derive(Clone, Debug, Default)]
pub struct Conversion {
    /// The unit of the times that are written, where the format leaves the choice. Default: as they are.
    pub unit: Option<String>,
    /// How long a synaptic time constant is: a number, and its unit.
    pub tau_s: Option<(f64, String)>,
    /// From the start of one sample to that of the next, in the unit of the trace that is read.
    pub sample_offset: Option<f64>,
    /// Name of the population, for spikes that have none or are of one.
    pub population: Option<String>,
    /// Ids of the populations. Default: in a row, from the format's first id.
    pub ids: Option<Ids>,
    /// Sizes of populations that are known; others are as large as their last neuron that spikes says.
    pub sizes: Vec<(String, u64)>,
    /// Samples in a second, to write times as numbers of samples. In Hz. Above 0.
    pub sampling_rate: Option<f64>,
}

/// Which ids neurons get in a format that numbers all of them in a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ids {
    /// Populations one after the other, from this id on.
    From(u32),
    /// As these ranges say.
    Ranges(IdRanges),
}

/// A trace as it will be written.
#[derive(Clone, Debug)]
pub struct Converted {
    /// The spikes. In a format of ids without populations, neurons are ids.
    pub recording: Recording,
    /// How many neurons each population has.
    pub sizes: Vec<u64>,
    /// Which ids are whose, if that should stand beside the file.
    pub ids: Option<IdRanges>,
    /// What was changed, in sentences.
    pub notes: Vec<String>,
}

/// A trace that a format cannot hold without a decision.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ConversionError {
    /// The format is only read.
    #[error(
        "the format {0} is read only: its times are half-precision floats, which lose most of a spike time"
    )]
    ReadOnly(TraceFormat),
    /// Several samples, in a format of one.
    #[error(
        "there are {count} samples, and the format {format} has none: choose one with --samples N, or lay \
         them out one after the other with --sample-offset TIME"
    )]
    Samples {
        /// How many.
        count: usize,
        /// The format.
        format: TraceFormat,
    },
    /// A sample is longer than the offset.
    #[error(
        "--sample-offset {offset}: sample {sample} has a spike at {time}, beyond it or before 0: give a \
         larger offset"
    )]
    Offset {
        /// The offset.
        offset: f64,
        /// The sample.
        sample: u32,
        /// The time of the spike.
        time: f64,
    },
    /// The unit of the times is not known.
    #[error("the unit of the times is not known, and {0}: say it with --time-unit UNIT")]
    NoUnit(String),
    /// Time constants are no physical time.
    #[error("times are in tau_s, and {0}: say how long that is with --tau-s, such as --tau-s 10ms")]
    NoTauS(String),
    /// Two units cannot be converted.
    #[error("times are in {from}, which cannot be converted to {to}")]
    Unit {
        /// The unit of the trace.
        from: String,
        /// The unit to be written.
        to: String,
    },
    /// A time overflows in the new unit.
    #[error("a time of {0} is too large in the new unit")]
    TooLarge(f64),
    /// The populations need names.
    #[error(
        "the spikes have no population, and in the format {0} they need one: --population NAME"
    )]
    NoName(TraceFormat),
    /// A name is no name of a group in an HDF5 file.
    #[error(
        "population `{name}` cannot be called so in the format {format}: a name must not be empty, `.` or with \
         a `/`; choose it with --populations and rename it with --population NAME"
    )]
    BadName {
        /// The name.
        name: String,
        /// The format.
        format: TraceFormat,
    },
    /// A name is given for several populations.
    #[error(
        "--population {name}: the spikes are of {found}; choose one of them with --populations"
    )]
    Named {
        /// The name that is given.
        name: String,
        /// The populations.
        found: String,
    },
    /// An option for another format.
    #[error("{option} is not for the format {format}")]
    NotFor {
        /// The option.
        option: &'static str,
        /// The format.
        format: TraceFormat,
    },
    /// Numbers of samples have no unit.
    #[error("--output-sampling-rate writes times as numbers of samples: leave out --unit")]
    UnitOfSamples,
    /// Ids cannot be given.
    #[error("--ids: {0}")]
    Ids(#[from] IdRangesError),
    /// A population has no range.
    #[error("--ids: there is no range for population `{0}`")]
    NoRange(String),
    /// A range is too small.
    #[error("--ids: {range} is too small for neuron {neuron} of the population")]
    SmallRange {
        /// The range.
        range: String,
        /// The neuron.
        neuron: u32,
    },
}

impl TraceFormat {
    /// Whether spikes have samples (trials) in this format.
    fn has_samples(self) -> bool {
        matches!(self, TraceFormat::Csv | TraceFormat::Shd | TraceFormat::NirData)
    }

    /// Whether spikes have populations, with names.
    fn has_populations(self) -> bool {
        matches!(self, TraceFormat::Csv | TraceFormat::Sonata | TraceFormat::NirData)
    }

    /// The unit of the times, if the format leaves no choice.
    fn unit(self) -> Option<&'static str> {
        match self {
            TraceFormat::Nest | TraceFormat::Sonata => Some("ms"),
            TraceFormat::NirData | TraceFormat::Shd => Some("s"),
            TraceFormat::Csv | TraceFormat::Npy => None,
        }
    }
}

impl Conversion {
    /// Makes of a trace what a format can hold.
    ///
    /// # Errors
    /// If something would be lost and nothing is decided about it.
    pub fn apply(
        &self,
        mut recording: Recording,
        to: TraceFormat,
    ) -> Result<Converted, ConversionError> {
        if to == TraceFormat::Shd {
            return Err(ConversionError::ReadOnly(to));
        }
        let not_for = |option| Err(ConversionError::NotFor { option, format: to });
        if self.sampling_rate.is_some() && to != TraceFormat::Npy {
            return not_for("--output-sampling-rate");
        }
        if self.sampling_rate.is_some() && self.unit.is_some() {
            return Err(ConversionError::UnitOfSamples);
        }
        if self.ids.is_some() && to.has_populations() {
            return not_for("--output-ids");
        }
        let mut notes = Vec::new();
        self.lay_out(&mut recording, to, &mut notes)?;
        self.convert_unit(&mut recording, to, &mut notes)?;
        let old = recording.populations.first().cloned().unwrap_or_default();
        self.name_population(&mut recording, to)?;
        let known = self.known_sizes(&old);
        let sizes = sizes_of(&recording, &known);
        let ids = self.number(&mut recording, to, &sizes, &known)?;
        Ok(Converted { recording, sizes, ids, notes })
    }

    /// Samples one after the other, where the format has none.
    fn lay_out(
        &self,
        recording: &mut Recording,
        to: TraceFormat,
        notes: &mut Vec<String>,
    ) -> Result<(), ConversionError> {
        let Some(offset) = self.sample_offset else {
            if to.has_samples() || recording.samples.is_empty() {
                return Ok(());
            }
            let first = recording.samples[0];
            if recording.samples.iter().any(|&sample| sample != first) {
                let mut samples = std::mem::take(&mut recording.samples);
                samples.sort_unstable();
                samples.dedup();
                return Err(ConversionError::Samples { count: samples.len(), format: to });
            }
            if first != 0 {
                notes.push(format!(
                    "the format {to} has no samples: that it is sample {first} is lost"
                ));
            }
            recording.samples = Vec::new();
            return Ok(());
        };
        for (time, &sample) in recording.times.iter_mut().zip(&recording.samples) {
            if !(0.0..offset).contains(time) {
                return Err(ConversionError::Offset { offset, sample, time: *time });
            }
            *time += f64::from(sample) * offset;
        }
        if !recording.samples.is_empty() {
            notes.push(format!("samples are laid out one after the other, every {offset}"));
        }
        recording.samples = Vec::new();
        Ok(())
    }

    fn convert_unit(
        &self,
        recording: &mut Recording,
        to: TraceFormat,
        notes: &mut Vec<String>,
    ) -> Result<(), ConversionError> {
        let wanted = match (to.unit(), self.sampling_rate) {
            (Some(unit), _) => {
                if self.unit.as_deref().is_some_and(|given| given != unit) {
                    return Err(ConversionError::NotFor { option: "--unit", format: to });
                }
                unit.to_owned()
            }
            (None, Some(_)) => "s".to_owned(),
            (None, None) => match &self.unit {
                Some(unit) => unit.clone(),
                None => return Ok(()),
            },
        };
        let why = || format!("they are written in {wanted}");
        let Some(from) = recording.time_unit.clone() else {
            return Err(ConversionError::NoUnit(why()));
        };
        let factor = match (TimeFactor::between(&from, &wanted), &self.tau_s) {
            (Some(factor), _) => factor,
            (None, Some((length, unit))) if from == "tau_s" => {
                let factor = TimeFactor::between(unit, &wanted);
                let factor = factor.map(|factor| TimeFactor::Times(factor.apply(*length)));
                let from = from.clone();
                factor.ok_or_else(|| ConversionError::Unit { from, to: wanted.clone() })?
            }
            (None, None) if from == "tau_s" => return Err(ConversionError::NoTauS(why())),
            (None, _) => return Err(ConversionError::Unit { from, to: wanted }),
        };
        if factor != TimeFactor::ONE {
            for time in &mut recording.times {
                let converted = factor.apply(*time);
                if !converted.is_finite() {
                    return Err(ConversionError::TooLarge(*time));
                }
                *time = converted;
            }
            notes.push(format!("times are {factor}: from {from} to {wanted}"));
        }
        recording.time_unit = Some(wanted);
        Ok(())
    }

    fn name_population(
        &self,
        recording: &mut Recording,
        to: TraceFormat,
    ) -> Result<(), ConversionError> {
        let has_none = recording.populations.iter().all(String::is_empty);
        match &self.population {
            Some(name) if has_none || recording.populations.len() == 1 => {
                recording.populations = vec![name.clone()];
                recording.population = Vec::new();
            }
            Some(name) => {
                let found = recording.populations.join(", ");
                return Err(ConversionError::Named { name: name.clone(), found });
            }
            None if has_none && to.has_populations() && to != TraceFormat::Csv => {
                return Err(ConversionError::NoName(to));
            }
            _ => {}
        }
        let is_bad = |name: &&String| name.is_empty() || name.contains('/') || *name == ".";
        match recording.populations.iter().find(is_bad) {
            Some(name) if matches!(to, TraceFormat::Sonata | TraceFormat::NirData) => {
                Err(ConversionError::BadName { name: name.clone(), format: to })
            }
            _ => Ok(()),
        }
    }

    /// The sizes that are known, by the names that are written: a population that is called otherwise keeps its
    /// size and its place, and one that had that name is not written.
    fn known_sizes(&self, old: &str) -> Vec<(String, u64)> {
        let mut sizes = self.sizes.clone();
        if let Some(name) = self.population.as_ref().filter(|name| *name != old) {
            if sizes.iter().any(|size| size.0 == old) {
                sizes.retain(|size| size.0 != *name);
            }
            for size in sizes.iter_mut().filter(|size| size.0 == old) {
                size.0.clone_from(name);
            }
        }
        sizes
    }

    /// Numbers all neurons in a row, where the format has no populations; returns which ids are whose.
    /// Neurons of no population keep their numbers.
    fn number(
        &self,
        recording: &mut Recording,
        to: TraceFormat,
        sizes: &[u64],
        known: &[(String, u64)],
    ) -> Result<Option<IdRanges>, ConversionError> {
        let has_none = recording.populations.iter().all(String::is_empty);
        if to.has_populations() || (has_none && self.ids.is_none()) {
            return Ok(None);
        }
        // NEST has no neuron 0.
        let first = u32::from(to == TraceFormat::Nest);
        let ranges = match &self.ids {
            Some(Ids::Ranges(ranges)) => ranges.clone(),
            Some(Ids::From(first)) => in_a_row(recording, sizes, known, *first)?,
            None => in_a_row(recording, sizes, known, first)?,
        };
        let mut firsts = Vec::new();
        for (name, &size) in recording.populations.iter().zip(sizes) {
            let range = ranges.of(name);
            if size > 0 {
                let range = range.ok_or_else(|| ConversionError::NoRange(name.clone()))?;
                let last = u64::from(range.last - range.first);
                let neuron = recording.neurons.iter().enumerate().find(|&(spike, &neuron)| {
                    u64::from(neuron) > last
                        && recording.populations[recording.population_of(spike)] == *name
                });
                if let Some((_, &neuron)) = neuron {
                    return Err(ConversionError::SmallRange { range: range.to_string(), neuron });
                }
            }
            firsts.push(range.map_or(0, |range| range.first));
        }
        for spike in 0..recording.len() {
            recording.neurons[spike] += firsts[recording.population_of(spike)];
        }
        recording.population = Vec::new();
        recording.populations = vec![String::new()];
        Ok(Some(ranges))
    }
}

/// How many neurons each population has: what is known, but no less than spike.
fn sizes_of(recording: &Recording, known: &[(String, u64)]) -> Vec<u64> {
    let of = |name: &String| known.iter().find(|size| size.0 == *name);
    let mut sizes: Vec<u64> =
        recording.populations.iter().map(|name| of(name).map_or(0, |size| size.1)).collect();
    for (spike, &neuron) in recording.neurons.iter().enumerate() {
        let size = &mut sizes[recording.population_of(spike)];
        *size = (*size).max(u64::from(neuron) + 1);
    }
    sizes
}

/// Ranges of all populations that are known, those of the network first.
fn in_a_row(
    recording: &Recording,
    sizes: &[u64],
    known: &[(String, u64)],
    first: u32,
) -> Result<IdRanges, ConversionError> {
    let found = recording.populations.iter().cloned().zip(sizes.iter().copied());
    let of_network = known.iter().map(|(name, size)| {
        let at = recording.populations.iter().position(|written| written == name);
        (name.clone(), at.map_or(*size, |at| sizes[at]))
    });
    let others = found.filter(|(name, _)| !known.iter().any(|size| size.0 == *name));
    Ok(IdRanges::in_a_row(of_network.chain(others), first)?)
}

#[cfg(test)]
mod tests;
