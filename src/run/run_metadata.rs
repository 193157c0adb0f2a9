//! Run metadata: what the folder of a run tells about the trace in it.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// The network and the duration behind a trace.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunMetadata {
    /// `network.json`, if the populations are from there.
    pub network: Option<PathBuf>,
    /// Each population and its number of neurons.
    pub sizes: Vec<(String, u64)>,
    /// When the simulation ended, in the time unit of the scenario.
    pub until: Option<f64>,
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

#[derive(Deserialize)]
struct ScenarioDuration {
    simulation: Duration,
}

#[derive(Deserialize)]
struct Duration {
    until: f64,
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
        let sizes: Option<NetworkSizes> = File::open(&network)
            .ok()
            .and_then(|file| serde_json::from_reader(BufReader::new(file)).ok());
        let scenario = std::fs::read_to_string(folder.join("scenario.toml")).ok();
        let duration: Option<ScenarioDuration> =
            scenario.and_then(|text| toml::from_str(&text).ok());
        let sizes = sizes.map(|file| file.populations).unwrap_or_default();
        RunMetadata {
            network: (!sizes.is_empty()).then_some(network),
            sizes: sizes.into_iter().map(|population| (population.name, population.size)).collect(),
            until: duration.map(|file| file.simulation.until),
        }
    }
}
