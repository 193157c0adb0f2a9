//! NEST's files of spikes: `sender<TAB>time_ms` with a heading since version 3, id and time in ms without one
//! before.

use std::path::Path;

use crate::trace::recording::{Anomaly, ColumnNames, Recording, TraceWarning, read_recording};
use crate::trace::{FormProblem, TraceError};

/// Reads a file. Without a heading the first of two columns has ids and the second times, unless only the
/// first has fractions. Times are in ms unless the heading says another unit.
///
/// # Errors
/// As [`read_recording`].
pub(super) fn read(
    path: &Path,
    names: &ColumnNames,
) -> Result<(Recording, Vec<TraceWarning>), TraceError> {
    let found = match read_recording(path, names) {
        // Spikes on whole milliseconds: nothing but the format tells which column is which.
        Err(TraceError::Form { problem: FormProblem::NoHeading { columns: 2 }, .. })
            if *names == ColumnNames::default() =>
        {
            let column = |number: &str| Some(number.to_owned());
            let names = ColumnNames { neuron: column("1"), time: column("2"), ..names.clone() };
            read_recording(path, &names)
        }
        // A thread without spikes leaves an empty file.
        Err(TraceError::Form { path, problem: FormProblem::Empty, .. }) => {
            let warning = TraceWarning { path, anomaly: Anomaly::Empty, count: 1, first_line: 1 };
            let populations = vec![String::new()];
            Ok((Recording { populations, ..Recording::default() }, vec![warning]))
        }
        found => found,
    };
    found.map(|(mut recording, warnings)| {
        recording.time_unit.get_or_insert_with(|| "ms".to_owned());
        (recording, warnings)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_versions_are_read() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for (name, text) in [
            (
                "3.dat",
                "# NEST version: 3.8\n# RecordingBackendASCII version: 2\nsender\ttime_ms\n4\t1.500\n2\t3.000\n",
            ),
            ("2.gdf", "4\t1.500\t\n2\t3.000\t\n"),
        ] {
            let path = folder.path().join(name);
            std::fs::write(&path, text).expect("writable");
            let (found, warnings) = read(&path, &ColumnNames::default()).expect(name);
            assert_eq!((found.neurons, found.times), (vec![4, 2], vec![1.5, 3.0]), "{name}");
            assert_eq!((found.time_unit.as_deref(), warnings.len()), (Some("ms"), 0));
        }
        let path = folder.path().join("whole.gdf");
        std::fs::write(&path, "4\t1\n2\t3\n").expect("writable");
        let (found, _) = read(&path, &ColumnNames::default()).expect("by the format");
        assert_eq!((found.neurons, found.times), (vec![4, 2], vec![1.0, 3.0]));
    }
}
