//! The synapses of a network for other simulators: as an edge list, or as SONATA edges and nodes.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde::de::IgnoredAny;

use super::network_file::{self, Saved};
use super::{OutputFolder, RunError, TrainedError};
use crate::network::CompiledNetwork;
use crate::network::edges::{SonataFiles, write_sonata, write_table};
use crate::scenario::ScenarioFile;

/// A network whose synapses are to be written.
#[derive(Debug)]
pub struct EdgeExport {
    network: CompiledNetwork,
    time_unit: String,
}

impl EdgeExport {
    /// The network of a scenario of populations, or of the folder of a run.
    ///
    /// # Errors
    /// If the scenario cannot be simulated, or the folder has no network.
    pub fn of(path: &Path) -> Result<Self, TrainedError> {
        if path.is_dir() {
            let file = path.join("network.json");
            if !file.is_file() {
                let (folder, file) = (path.to_owned(), "network.json");
                return Err(TrainedError::Missing { folder, file });
            }
            let Saved { network, time_unit, .. } = network_file::read_with::<IgnoredAny>(&file)?;
            return Ok(EdgeExport { network: CompiledNetwork::new(&network), time_unit });
        }
        let loaded = ScenarioFile::read(path)?.load(&[])?;
        let simulation = loaded.simulation()?;
        let time_unit = loaded.scenario.time_unit.suffix().to_owned();
        Ok(EdgeExport { network: simulation.network, time_unit })
    }

    /// Writes them into a file: SONATA if its name ends in `.h5` or `.hdf5`, with nodes and types beside it; else a
    /// table, packed with gzip if its name ends in `.gz`. Returns the files.
    ///
    /// # Errors
    /// If a file cannot be written, or delays in the network's unit of time cannot be said in SONATA.
    pub fn write(&self, path: &Path) -> Result<Vec<PathBuf>, RunError> {
        let folder = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let folder = OutputFolder::create(folder)?;
        let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
        if matches!(ending.as_deref(), Some("h5" | "hdf5")) {
            let files = SonataFiles::beside(path);
            write_sonata(&self.network, &self.time_unit, &files)
                .map_err(|source| RunError::Output { path: path.to_owned(), source })?;
            return Ok(files.all().into_iter().map(Path::to_owned).collect());
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        folder.write(&name, |file| {
            if ending.as_deref() == Some("gz") {
                let mut packed =
                    BufWriter::with_capacity(1 << 16, GzEncoder::new(file, Compression::default()));
                write_table(&self.network, &self.time_unit, &mut packed)?;
                let packed = packed.into_inner().map_err(|error| error.into_error())?;
                return packed.finish()?.flush();
            }
            write_table(&self.network, &self.time_unit, file)
        })?;
        Ok(vec![path.to_owned()])
    }
}
