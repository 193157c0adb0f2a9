//! Run metadata: what the folder of a run tells about the trace in it.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::settings::time_units;

/// The network behind a trace, and how far its simulation went.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunMetadata {
    /// `network.json`, if the populations are from there.
    pub network: Option<PathBuf>,
    /// Each population and its number of neurons.
    pub sizes: Vec<(String, u64)>,
    /// The time that the simulation reached, its unit, and whether it was interrupted there; none for
    /// samples of a data set.
    pub end: Option<(f64, String, bool)>,
}

#[derive(Deserialize)]
struct NetworkSizes {
    populations: Vec<PopulationSize>,
}

#[derive(Deserialize)]
struct PopulationSize {
    name: String,
    size: u64,
}

/// `summary.json` of a simulation. It is written last: it is of the same run as the trace, where the
/// scenario may be of one that was killed.
#[derive(Deserialize)]
struct Ending {
    /// When it was to end.
    until: Option<f64>,
    reached: f64,
    time_unit: String,
}

impl RunMetadata {
    /// Looks for the files of a run beside its trace. Other programs call their files
    /// `network.json`, too: what is not as a run writes it is no error, but tells nothing.
    pub fn of(trace: &Path) -> Self {
        let folder = match trace.parent() {
            Some(folder) if trace != Path::new("-") => folder,
            _ => return RunMetadata::default(),
        };
        let network = folder.join("network.json");
        let sizes: Option<NetworkSizes> = read(&network);
        let ending: Option<Ending> = read(&folder.join("summary.json"));
        let sizes = sizes.map(|file| file.populations).unwrap_or_default();
        RunMetadata {
            network: (!sizes.is_empty()).then_some(network),
            sizes: sizes.into_iter().map(|population| (population.name, population.size)).collect(),
            end: ending.map(|Ending { until, reached, time_unit }| {
                (reached, time_unit, until.is_some_and(|until| reached < until))
            }),
        }
    }

    /// The time that the simulation reached in another unit, and whether it was interrupted there; none if
    /// that is not known. A trace that does not say its unit has that of the simulation.
    pub fn end_in(&self, unit: Option<&str>) -> Option<(f64, bool)> {
        let (end, own, interrupted) = self.end.as_ref()?;
        let factor = time_units::factor(own, unit.unwrap_or(own))?;
        Some((end * factor, *interrupted))
    }
}

fn read<T: DeserializeOwned>(path: &Path) -> Option<T> {
    let file = File::open(path).ok()?;
    serde_json::from_reader(BufReader::new(file)).ok()
}
