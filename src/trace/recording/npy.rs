//! A trace as two NumPy arrays of the same length, as `numpy.save` writes them: a time and a neuron for each
//! spike.

use std::path::Path;

use npyz::Deserialize;

use super::super::{FormProblem, TraceError};
use super::Recording;
use crate::table::{NpyColumn, NpyProblem};

/// Reads the spikes of a file of times and a file of neurons, both NPY arrays with one dimension: times of any
/// type of numbers, neurons of whole numbers. Nothing in them tells the unit of the times.
///
/// # Errors
/// If a file cannot be read or is no such array, they are of different lengths, a time is not finite or a
/// neuron is no whole number from 0 to 2³² − 1.
pub fn read_npy(times: &Path, neurons: &Path) -> Result<Recording, TraceError> {
    read_npy_spikes(times, neurons).map(|found| found.recording)
}

/// Spikes of two NPY files, and of what type their times are.
pub(in crate::trace) struct NpySpikes {
    pub recording: Recording,
    /// Type of the times, as NumPy writes it.
    pub kind: String,
    /// Whether the times are of a type of whole numbers.
    pub are_whole: bool,
}

/// As [`read_npy`], with the type of the times.
pub(in crate::trace) fn read_npy_spikes(
    times: &Path,
    neurons: &Path,
) -> Result<NpySpikes, TraceError> {
    let (times_path, of_times) = (times, Array::open(times)?);
    let kind = of_times.file.kind();
    let are_whole = !kind.contains('f');
    let times = of_times.times()?;
    drop(of_times);
    let of_neurons = Array::open(neurons)?;
    if of_neurons.length != times.len() as u64 {
        let (found, expected) = (of_neurons.length as usize, times.len());
        let other = times_path.to_owned();
        return Err(refuse(neurons, FormProblem::NpyLength { found, expected, other }));
    }
    let neurons = of_neurons.neurons()?;
    let populations = vec![String::new()];
    let recording = Recording { populations, times, neurons, ..Recording::default() };
    Ok(NpySpikes { recording, kind, are_whole })
}

fn refuse(path: &Path, problem: FormProblem) -> TraceError {
    TraceError::Form { path: path.to_owned(), line: None, problem }
}

/// An array with one dimension.
struct Array<'p> {
    path: &'p Path,
    file: NpyColumn,
    length: u64,
}

impl<'p> Array<'p> {
    fn open(path: &'p Path) -> Result<Self, TraceError> {
        let file = NpyColumn::open(path).map_err(|problem| match problem {
            NpyProblem::Unreadable(source) => TraceError::Read { path: path.to_owned(), source },
            problem => refuse(path, problem.into()),
        })?;
        match file.header.shape()[..] {
            // Kilosort writes a column.
            [length] | [length, 1] if u32::try_from(length).is_err() => {
                Err(refuse(path, FormProblem::TooManySpikes))
            }
            [length] | [length, 1] => Ok(Array { path, file, length }),
            ref shape => Err(refuse(path, FormProblem::NpyShape { shape: shape.to_vec() })),
        }
    }

    /// The values, if they are of this type; the first that is not accepted is refused.
    fn values<T: Deserialize + Copy + std::fmt::Display, V>(
        &self,
        accepted: &'static str,
        accept: impl Fn(T) -> Option<V>,
    ) -> Result<Option<Vec<V>>, TraceError> {
        let wrap = |source| TraceError::Read { path: self.path.to_owned(), source };
        let Some(values) = self.file.values::<T>().map_err(wrap)? else { return Ok(None) };
        // The file is as long as it says.
        let mut found = Vec::with_capacity(self.length as usize);
        for (index, value) in values.enumerate() {
            let value = value.map_err(wrap)?;
            found.push(accept(value).ok_or_else(|| {
                let value = value.to_string();
                refuse(self.path, FormProblem::NpyValue { index, value, accepted })
            })?);
        }
        Ok(Some(found))
    }

    fn times(&self) -> Result<Vec<f64>, TraceError> {
        const ACCEPTED: &str = "a finite number";
        let finite = |time: f64| Some(time).filter(|time| time.is_finite());
        if let Some(times) = self.values(ACCEPTED, finite)? {
            return Ok(times);
        }
        if let Some(times) = self.values(ACCEPTED, |time: f32| finite(time.into()))? {
            return Ok(times);
        }
        self.whole("numbers", ACCEPTED, |time| Some(time as f64))
    }

    fn neurons(&self) -> Result<Vec<u32>, TraceError> {
        let index = |neuron: i128| u32::try_from(neuron).ok();
        self.whole("whole numbers", "a whole number from 0 to 4294967295", index)
    }

    /// The values, which are of any type of whole numbers.
    fn whole<V>(
        &self,
        kind: &'static str,
        accepted: &'static str,
        accept: impl Fn(i128) -> Option<V>,
    ) -> Result<Vec<V>, TraceError> {
        macro_rules! of_type {
            ($($kind:ty)*) => {$(
                if let Some(values) = self.values(accepted, |value: $kind| accept(value.into()))? {
                    return Ok(values);
                }
            )*};
        }
        of_type!(i64 i32 u32 u64 i16 u16 i8 u8);
        let found = self.file.kind();
        Err(refuse(self.path, FormProblem::NpyType { found, accepted: kind }))
    }
}

#[cfg(test)]
mod tests {
    use npyz::WriterBuilder;

    use super::*;

    fn write<T: npyz::AutoSerialize + Clone>(path: &Path, values: &[T]) {
        let file = std::fs::File::create(path).expect("writable");
        let options = npyz::WriteOptions::new().default_dtype().shape(&[values.len() as u64]);
        let mut writer = options.writer(file).begin_nd().expect("a header");
        writer.extend(values.iter().cloned()).expect("values");
        writer.finish().expect("written");
    }

    #[test]
    fn two_arrays_are_a_trace() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = |name: &str| folder.path().join(name);
        write(&path("f8.npy"), &[0.5, 12.25]);
        write(&path("f4.npy"), &[0.5_f32, 12.25]);
        write(&path("i8.npy"), &[3_i64, 1]);
        write(&path("u2.npy"), &[3_u16, 1]);
        for (times, neurons) in [("f8.npy", "i8.npy"), ("f4.npy", "u2.npy")] {
            let found = read_npy(&path(times), &path(neurons)).expect("sound");
            assert_eq!((found.times, found.neurons), (vec![0.5, 12.25], vec![3, 1]));
        }
        assert_eq!(read_npy(&path("i8.npy"), &path("u2.npy")).expect("sound").times, [3.0, 1.0]);

        write(&path("one.npy"), &[1_i64]);
        write(&path("negative.npy"), &[1_i64, -1]);
        write(&path("nan.npy"), &[1.0, f64::NAN]);
        std::fs::write(path("text.npy"), "0.5\n").expect("writable");
        let mut bytes = std::fs::read(path("f8.npy")).expect("there");
        bytes.pop();
        std::fs::write(path("cut.npy"), bytes).expect("writable");
        for (times, neurons, expected) in [
            ("f8.npy", "one.npy", "one.npy: 1 neurons, where"),
            ("f8.npy", "f8.npy", "f8.npy: its values must be whole numbers, not <f8"),
            (
                "f8.npy",
                "negative.npy",
                "negative.npy: value 2 is -1: it must be a whole number from 0",
            ),
            ("nan.npy", "i8.npy", "nan.npy: value 2 is NaN: it must be a finite number"),
            ("text.npy", "i8.npy", "text.npy: this is no NPY file"),
            (
                "cut.npy",
                "i8.npy",
                "cut.npy: 15 bytes follow a header that announces shape [2] of '<f8'",
            ),
        ] {
            let message = read_npy(&path(times), &path(neurons)).expect_err(expected).to_string();
            assert!(message.contains(expected), "{message}");
        }
    }
}
