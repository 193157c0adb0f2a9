//! Where a trace is, and what must be said of it because the file does not say it.

use std::path::{Path, PathBuf};

use super::{FormatProblem, IdRanges, TraceFormat, files, merge, nest, npy, refuse};
use crate::trace::TraceError;
use crate::trace::recording::{ColumnNames, Recording, TraceWarning, read_recording};

/// Where a trace is: the file and what it does not say itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TraceSource {
    /// The file; `-` is standard input. Several files of text are one trace: as `a.dat,b.dat`, or as a
    /// pattern such as `spikes-7-*.dat`.
    pub path: PathBuf,
    /// Its format. Default: what its name says, or its first bytes.
    pub format: Option<TraceFormat>,
    /// Names of columns that are not recognised, in a file of text.
    pub columns: ColumnNames,
    /// The unit of the times, where the file does not say it.
    pub time_unit: Option<String>,
    /// The file of the neurons, if this is an NPY file of times. Default: the one beside it.
    pub neuron_file: Option<PathBuf>,
    /// Samples in a second, if times are numbers of samples in an NPY file. In Hz. Above 0.
    pub sampling_rate: Option<f64>,
    /// Which ids are whose, if the file numbers all neurons in a row. Default: the table beside the file.
    pub ids: Option<IdRanges>,
}

impl TraceSource {
    /// A trace that says everything itself.
    pub fn new(path: &Path) -> Self {
        TraceSource { path: path.to_owned(), ..TraceSource::default() }
    }

    /// The format, by what is known or by looking at the file.
    ///
    /// # Errors
    /// If the files of a pattern are not there, or an HDF5 file has no spikes.
    pub fn format(&self) -> Result<TraceFormat, TraceError> {
        match (self.format, &self.neuron_file) {
            (Some(format), _) => Ok(format),
            (None, Some(_)) => Ok(TraceFormat::Npy),
            (None, None) => TraceFormat::of_file(&files::files(&self.path)?[0]),
        }
    }

    /// The spikes, and what was not as it should be in the file.
    ///
    /// # Errors
    /// If a file cannot be read or is no trace of its format; with the place in it. If a unit or ids are
    /// given for a trace that has them.
    pub fn read(&self) -> Result<(Recording, Vec<TraceWarning>), TraceError> {
        let files = files::files(&self.path)?;
        let format = self.format()?;
        let is_text = matches!(format, TraceFormat::Csv | TraceFormat::Nest);
        if let [first, _, ..] = &files[..]
            && !is_text
        {
            let (count, format) = (files.len(), format.name());
            return Err(refuse(first, FormatProblem::SeveralFiles { count, format }));
        }
        if self.sampling_rate.is_some() && format != TraceFormat::Npy {
            return Err(refuse(&self.path, FormatProblem::RateOfOther { format: format.name() }));
        }
        let mut warnings = Vec::new();
        let mut recording = if let [only] = &files[..] {
            self.read_file(only, format, &mut warnings)?
        } else {
            let mut parts = Vec::new();
            for file in &files {
                parts.push((file.as_path(), self.read_file(file, format, &mut warnings)?));
            }
            merge::merge(parts)?
        };
        if recording.populations.is_empty() {
            recording.populations.push(String::new());
        }
        if let (Some(given), Some(found)) = (&self.time_unit, &recording.time_unit)
            && given != found
        {
            let (given, found) = (given.clone(), found.clone());
            return Err(refuse(&self.path, FormatProblem::GivenUnit { given, found }));
        }
        recording.time_unit = self.time_unit.clone().or(recording.time_unit);
        if let Some(ids) = self.known_ids(&recording)? {
            ids.apply(&mut recording).map_err(|problem| refuse(&self.path, problem))?;
        }
        Ok((recording, warnings))
    }

    /// The ranges of ids that are given, or that stand beside a trace without populations.
    fn known_ids(&self, recording: &Recording) -> Result<Option<IdRanges>, TraceError> {
        let table = IdRanges::beside(&self.path);
        if self.ids.is_some() || recording.populations != [""] || !table.is_file() {
            return Ok(self.ids.clone());
        }
        IdRanges::read(&table).map(Some).map_err(|problem| refuse(&self.path, problem))
    }

    fn read_file(
        &self,
        path: &Path,
        format: TraceFormat,
        warnings: &mut Vec<TraceWarning>,
    ) -> Result<Recording, TraceError> {
        let of_text = |(recording, found): (Recording, Vec<TraceWarning>)| {
            warnings.extend(found);
            recording
        };
        match format {
            TraceFormat::Csv => read_recording(path, &self.columns).map(of_text),
            TraceFormat::Nest => nest::read(path, &self.columns).map(of_text),
            TraceFormat::Npy => {
                let neurons = self.neuron_file.as_deref();
                npy::read(path, neurons, self.sampling_rate, self.time_unit.is_some())
            }
            #[cfg(feature = "hdf5")]
            TraceFormat::Sonata => super::sonata::read(path),
            #[cfg(feature = "hdf5")]
            TraceFormat::Shd => super::shd::read(path),
            #[cfg(feature = "hdf5")]
            TraceFormat::NirData => super::nir_data::read(path),
            #[cfg(not(feature = "hdf5"))]
            _ => Err(refuse(path, FormatProblem::WithoutHdf5)),
        }
    }
}
