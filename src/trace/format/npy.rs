//! Two NPY files as one trace: which file belongs to which, and what their times mean.

use std::path::{Path, PathBuf};

use super::{FormatProblem, refuse};
use crate::trace::TraceError;
use crate::trace::recording::{NpySpikes, Recording, read_npy_spikes};

/// What files of times are called, and what the file of the neurons beside each may be called.
const PAIRS: [(&str, &[&str]); 3] = [
    ("spike_times", &["spike_clusters", "spike_templates"]),
    ("times", &["neurons", "ids", "units"]),
    ("spike_trains", &["spike_clusters"]),
];

/// The names that the file of the neurons may have beside one of times, the usual one first.
fn candidates(times: &Path) -> Vec<String> {
    let stem = times.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    for (of_times, of_neurons) in PAIRS {
        // Also with something before, as `run3_times.npy`.
        let before = stem.strip_suffix(of_times);
        if let Some(before) =
            before.filter(|before| before.is_empty() || before.ends_with(['_', '-', '.']))
        {
            return of_neurons.iter().map(|name| format!("{before}{name}.npy")).collect();
        }
    }
    vec![format!("{stem}_neurons.npy")]
}

/// The file of the neurons that is beside a file of times: `spike_clusters.npy` beside `spike_times.npy`,
/// `neurons.npy` beside `times.npy`, `a_neurons.npy` beside `a.npy`.
pub fn companion(times: &Path) -> Option<PathBuf> {
    candidates(times).iter().map(|name| times.with_file_name(name)).find(|path| path.is_file())
}

/// What the file of the neurons is called when it is written beside one of times.
pub fn companion_to_write(times: &Path) -> PathBuf {
    times.with_file_name(&candidates(times)[0])
}

/// Whether the name is that of times in samples, as kilosort and phy write them.
fn is_of_samples(times: &Path) -> bool {
    times.file_stem().is_some_and(|stem| stem == "spike_times")
}

/// Reads a trace of two files. Whole numbers are samples if there is a sampling rate: times are then in s.
///
/// # Errors
/// As [`read_npy_spikes`]; if the file of the neurons is not known; if times are numbers of samples and there
/// is neither a rate nor a unit; or if there is a rate, and they are not.
pub(super) fn read(
    times: &Path,
    neurons: Option<&Path>,
    sampling_rate: Option<f64>,
    has_unit: bool,
) -> Result<Recording, TraceError> {
    let neurons = match neurons.map(Path::to_owned).or_else(|| companion(times)) {
        Some(neurons) => neurons,
        None => {
            let candidates = candidates(times);
            return Err(refuse(times, FormatProblem::NoNeuronFile { candidates }));
        }
    };
    let NpySpikes { mut recording, kind, are_whole } = read_npy_spikes(times, &neurons)?;
    match sampling_rate {
        Some(_) if !are_whole => {
            return Err(refuse(times, FormatProblem::NoSampleNumbers { found: kind }));
        }
        Some(rate) => {
            recording.times.iter_mut().for_each(|time| *time /= rate);
            recording.time_unit = Some("s".to_owned());
        }
        None if are_whole && !has_unit && is_of_samples(times) => {
            return Err(refuse(times, FormatProblem::NoSamplingRate));
        }
        None => {}
    }
    Ok(recording)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_beside_each_other_belong_together() {
        for (times, neurons) in [
            ("a/spike_times.npy", "a/spike_clusters.npy"),
            ("times.npy", "neurons.npy"),
            ("run3_times.npy", "run3_neurons.npy"),
            ("sometimes.npy", "sometimes_neurons.npy"),
        ] {
            assert_eq!(companion_to_write(Path::new(times)), Path::new(neurons));
        }
        let message = read(Path::new("spike_times.npy"), None, None, false).expect_err("not there");
        let message = message.to_string();
        assert!(message.contains("spike_clusters.npy or spike_templates.npy"), "{message}");
    }
}
