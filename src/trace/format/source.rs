//! Where a trace is, and what must be said of it because the file does not say it.

use std::path::{Path, PathBuf};

use super::{FormatProblem, IdRanges, TraceFormat, files, merge, nest, npy, refuse};
use crate::settings::time_units;
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
            (None, None) => {
                let files = files::files(&self.path)?;
                // A thread without spikes may leave an empty file, which tells nothing.
                let tells = |path: &&PathBuf| path.metadata().is_ok_and(|found| found.len() > 0);
                TraceFormat::of_file(files.iter().find(tells).unwrap_or(&files[0]))
            }
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
        if let [first, _, ..] = &files[..]
            && !format.is_text()
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
            if self.ids.is_none() {
                apply_tables(&mut parts)?;
            }
            merge::merge(parts)?
        };
        if recording.populations.is_empty() {
            recording.populations.push(String::new());
        }
        if let (Some(given), Some(found)) = (&self.time_unit, &recording.time_unit)
            && time_units::short(given).unwrap_or(given)
                != time_units::short(found).unwrap_or(found)
        {
            let (given, found) = (given.clone(), found.clone());
            return Err(refuse(&self.path, FormatProblem::GivenUnit { given, found }));
        }
        recording.time_unit = recording.time_unit.or_else(|| self.time_unit.clone());
        if let Some(ids) = self.known_ids(&recording)? {
            ids.apply(&mut recording).map_err(|problem| refuse(&self.path, problem))?;
        }
        // A table of no ranges, of a file without spikes.
        if recording.populations.is_empty() {
            recording.populations.push(String::new());
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

/// Makes populations of the files of one trace that have tables of ids beside them: either all have, or none.
fn apply_tables(parts: &mut [(&Path, Recording)]) -> Result<(), TraceError> {
    let has_table = |(path, recording): &(&Path, Recording)| {
        recording.populations.iter().all(String::is_empty) && IdRanges::beside(path).is_file()
    };
    let Some(first) = parts.iter().position(has_table) else { return Ok(()) };
    let other = IdRanges::beside(parts[first].0);
    for (path, recording) in parts {
        let table = IdRanges::beside(path);
        if recording.populations.iter().any(|name| !name.is_empty()) {
            continue;
        }
        // Without spikes, nothing is left open.
        if !table.is_file() && recording.is_empty() {
            continue;
        }
        if !table.is_file() {
            return Err(refuse(path, FormatProblem::SomeTables { table, other }));
        }
        let ids = IdRanges::read(&table).map_err(|problem| refuse(path, problem))?;
        ids.apply(recording).map_err(|problem| refuse(path, problem))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
        let path = folder.join(name);
        std::fs::write(&path, text).expect("writable");
        path
    }

    #[test]
    fn each_file_of_a_list_has_its_own_table_of_ids() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let folder = folder.path();
        write(folder, "e-0.gdf", "1\t1.5\n3\t4.5\n");
        write(folder, "e-0.gdf.ids.csv", "population,first_id,last_id\nexc,1,3\n");
        write(folder, "e-1.gdf", "2\t2.5\n11\t3.5\n");
        let table = "population,first_id,last_id\nexc,1,10\ninh,11,11\n";
        let second = write(folder, "e-1.gdf.ids.csv", table);
        let source = TraceSource::new(&folder.join("e-*.gdf"));
        let (found, _) = source.read().expect("two files");
        assert_eq!(found.populations, ["exc", "inh"]);
        assert_eq!(found.times, [1.5, 2.5, 3.5, 4.5]);
        assert_eq!((found.neurons, found.population), (vec![0, 1, 0, 2], vec![0, 0, 1, 0]));
        // What is given is for all of them.
        let given =
            TraceSource { ids: Some("all=1-20".parse().expect("a range")), ..source.clone() };
        let (found, _) = given.read().expect("by the option");
        assert_eq!((found.populations, found.neurons), (vec!["all".to_owned()], vec![0, 1, 10, 2]));
        // All of one population.
        std::fs::write(&second, "population,first_id,last_id\nexc,1,11\n").expect("writable");
        let (found, _) = source.read().expect("two files");
        assert_eq!((found.populations, found.neurons), (vec!["exc".to_owned()], vec![0, 1, 10, 2]));
        std::fs::remove_file(&second).expect("there");
        let message = source.read().expect_err("one table").to_string();
        assert!(message.contains("e-1.gdf") && message.contains("--ids"), "{message}");
    }

    #[test]
    fn an_empty_file_of_nest_is_no_spikes() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let folder = folder.path();
        let empty = write(folder, "e-0.gdf", "");
        let (found, warnings) = TraceSource::new(&empty).read().expect("no spikes");
        assert_eq!((found.len(), found.time_unit.as_deref()), (0, Some("ms")));
        assert_eq!((found.populations.as_slice(), warnings.len()), (&[String::new()][..], 1));
        write(folder, "e-1.gdf", "4\t1.5\n");
        let (found, _) = TraceSource::new(&folder.join("e-*.gdf")).read().expect("one spike");
        assert_eq!((found.neurons, found.times), (vec![4], vec![1.5]));
        // The first file that is not empty tells the format.
        write(folder, "t-0.dat", "");
        write(folder, "t-1.dat", "# NEST version: 3.8\nsender\ttime_ms\n4\t1.5\n");
        let (found, _) = TraceSource::new(&folder.join("t-*.dat")).read().expect("one spike");
        assert_eq!((found.neurons, found.times), (vec![4], vec![1.5]));
        // What is written of no spikes of populations.
        write(folder, "e-0.gdf.ids.csv", "population,first_id,last_id\n");
        let (found, _) = TraceSource::new(&empty).read().expect("no spikes");
        assert_eq!(found.populations, [""]);
    }

    #[test]
    fn ids_and_whole_milliseconds_without_heading_need_the_format() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = write(folder.path(), "whole.dat", "4\t1\n2\t3\n");
        let message = TraceSource::new(&path).read().expect_err("either may be").to_string();
        assert!(message.contains("--format nest"), "{message}");
        let format = Some(TraceFormat::Nest);
        assert!(TraceSource { format, ..TraceSource::new(&path) }.read().is_ok());
    }

    #[test]
    fn a_unit_may_be_said_in_another_word() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = write(folder.path(), "a.csv", "neuron,time_ms\n0,1.5\n");
        let with = |unit: &str| TraceSource {
            time_unit: Some(unit.to_owned()),
            ..TraceSource::new(&path)
        };
        let (found, _) = with("milliseconds").read().expect("the same unit");
        assert_eq!(found.time_unit.as_deref(), Some("ms"));
        assert!(with("s").read().is_err());
    }
}
