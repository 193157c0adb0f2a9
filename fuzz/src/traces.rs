//! Spike trains of any simulator.

use firstspike::trace::alignment::{PopulationPair, align};
use firstspike::trace::recording::{ColumnNames, Recording, read_npy, read_recording};
use firstspike::trace::statistics::{Setting, Statistics};
use firstspike::trace::trains::Trains;
use firstspike::trace::{read, read_spikes_of};

use super::folder::{halves, write};

/// A trace as text, packed with gzip or not.
pub fn trace(data: &[u8]) {
    let path = write("trace.csv", data);
    if let Ok((recording, warnings)) = read_recording(&path, &ColumnNames::default()) {
        warnings.iter().for_each(|warning| drop(warning.to_string()));
        use_recording(&recording);
    }
    let _ = read(&path);
    let _ = read_spikes_of(&path, "ms", "exc", None);
}

/// A trace as two NPY files, of times and of neurons.
pub fn trace_npy(data: &[u8]) {
    let (times, neurons) = halves(data);
    let (times, neurons) = (write("times.npy", times), write("neurons.npy", neurons));
    if let Ok(recording) = read_npy(&times, &neurons) {
        use_recording(&recording);
    }
}

/// Counts in a trace, and compares it with itself.
pub fn use_recording(recording: &Recording) {
    assert_eq!(recording.times.len(), recording.neurons.len());
    assert!(recording.times.iter().all(|time| time.is_finite()));
    let trains = Trains::new(recording);
    assert_eq!(trains.times.len(), recording.len(), "every row is a spike");
    let ends = |window: (f64, f64), &time: &f64| (window.0.min(time), window.1.max(time));
    let window = recording.times.iter().fold((0.0, 1.0), ends);
    let sizes = vec![None; recording.populations.len()];
    let setting = Setting { window, sizes, ..Setting::default() };
    let statistics =
        Statistics::new(&trains, &setting).expect("without bins there are not too many");
    assert_eq!(statistics.all.spikes, recording.len() as u64);
    let pair = |(index, name): (usize, &String)| {
        let index = u16::try_from(index).ok();
        PopulationPair { name: name.clone(), a: index, b: index }
    };
    let pairs: Vec<PopulationPair> = recording.populations.iter().enumerate().map(pair).collect();
    let aligned = align(&trains, &trains, &pairs, None).expect("equal trains need no matching");
    assert!(
        aligned.iter().all(|population| population.is_equal(0.0)),
        "a trace differs from itself"
    );
}
