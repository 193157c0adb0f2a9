//! The spikes of a trace as those of a network's nodes.

use std::path::PathBuf;

use super::nodes;
use crate::network::Population;
use crate::trace::format::TraceSource;
use crate::trace::{self, TraceError};

/// A spike of a trace in the network's terms.
#[derive(Clone, Copy, Debug)]
pub(super) struct NodeSpike {
    /// Line in the file, from 1.
    pub line: u64,
    pub sample: usize,
    pub node: usize,
    pub time: f64,
}

/// A trace that does not fit a network or its data.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{}:{line}: {misfit}", path.display())]
pub struct TraceMisfit {
    /// The trace.
    pub path: PathBuf,
    /// Line in it, from 1.
    pub line: u64,
    /// What does not fit.
    pub misfit: Misfit,
}

/// What does not fit.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Misfit {
    /// Times in another unit.
    #[error("times are in {found}, the scenario's in {expected}")]
    TimeUnit {
        /// The trace's.
        found: String,
        /// The scenario's.
        expected: String,
    },
    /// A population that the network lacks.
    #[error("there is no population `{name}`; there are {known}")]
    Population {
        /// Its name.
        name: String,
        /// The names of those that there are.
        known: String,
    },
    /// A neuron that the population lacks.
    #[error("{population}[{neuron}] does not exist: the neuron must be from 0 to {last}")]
    Neuron {
        /// The population.
        population: String,
        /// The neuron in the trace.
        neuron: usize,
        /// The population's last neuron.
        last: usize,
    },
    /// A sample that the data lack.
    #[error("sample {sample} does not exist: {}", accepted_samples(*count))]
    Sample {
        /// The sample in the trace.
        sample: usize,
        /// How many there are.
        count: usize,
    },
    /// A second spike of a neuron in one sample.
    #[error(
        "{neuron} spikes twice in sample {sample} (first in line {first_line}): learning is on first \
         spikes, one per neuron"
    )]
    SecondSpike {
        /// The neuron.
        neuron: String,
        /// The sample.
        sample: usize,
        /// Line of its other spike.
        first_line: u64,
    },
    /// An input of the data that the trace lacks.
    #[error(
        "sample {sample}, which begins here, has no spike of {input}: every input must be there"
    )]
    MissingInput {
        /// The source.
        input: String,
        /// The sample.
        sample: usize,
    },
    /// An input at another time than that of the data.
    #[error(
        "{input} spikes at {found} in sample {sample}, where the data set has {expected}: is this a \
         trace of another set (--data)?"
    )]
    InputTime {
        /// The source.
        input: String,
        /// The sample.
        sample: usize,
        /// Its time in the trace.
        found: f64,
        /// Its time by the data set.
        expected: f64,
    },
}

fn accepted_samples(count: usize) -> String {
    match count {
        0 => "there are none".to_owned(),
        1 => "there is only 0".to_owned(),
        _ => format!("it must be from 0 to {}", count - 1),
    }
}

/// A trace that cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReadError {
    #[error(transparent)]
    Trace(#[from] TraceError),
    #[error(transparent)]
    Misfit(#[from] TraceMisfit),
}

/// Reads a trace whose times are in a unit, and shows `take` its spikes in the order of the file. There
/// are so many samples.
pub(super) fn read(
    source: &TraceSource,
    unit: &str,
    populations: &[Population],
    samples: usize,
    mut take: impl FnMut(NodeSpike),
) -> Result<(), ReadError> {
    let misfit = |line, misfit| TraceMisfit { path: source.path.clone(), line, misfit };
    let mut first_misfit = None;
    let found = trace::for_each(source, Some(unit), |line, sample, population, neuron, time| {
        if first_misfit.is_some() {
            return;
        }
        let (sample, neuron) = (sample as usize, neuron as usize);
        match nodes::of_name(population, neuron, populations) {
            Err(problem) => first_misfit = Some(misfit(line, problem)),
            Ok(_) if sample >= samples => {
                first_misfit = Some(misfit(line, Misfit::Sample { sample, count: samples }));
            }
            Ok(node) => take(NodeSpike { line, sample, node, time }),
        }
    })?;
    if found != unit {
        let expected = unit.to_owned();
        return Err(misfit(1, Misfit::TimeUnit { found, expected }).into());
    }
    first_misfit.map_or(Ok(()), |misfit| Err(misfit.into()))
}
