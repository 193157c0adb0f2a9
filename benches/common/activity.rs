//! How a network fires: what makes sure that a benchmark measures irregular activity.

use std::ops::Range;

use firstspike::engine::Recording;

/// Mean rate per neuron and time unit of the neurons `nodes` up to `until`, and the mean coefficient
/// of variation of a neuron's intervals.
pub fn activity(recording: &Recording, nodes: Range<usize>, until: f64) -> (f64, f64) {
    let mut times = vec![Vec::new(); nodes.len()];
    for spike in recording.spikes.iter().filter(|spike| nodes.contains(&(spike.node as usize))) {
        times[spike.node as usize - nodes.start].push(spike.time);
    }
    let count: usize = times.iter().map(Vec::len).sum();
    let variations: Vec<f64> = times
        .iter()
        .filter(|times| times.len() > 3)
        .map(|times| {
            let intervals: Vec<f64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
            let number = intervals.len() as f64;
            let mean = intervals.iter().sum::<f64>() / number;
            let variance = intervals.iter().map(|interval| (interval - mean).powi(2)).sum::<f64>();
            (variance / number).sqrt() / mean
        })
        .collect();
    let variation = variations.iter().sum::<f64>() / variations.len() as f64;
    (count as f64 / (nodes.len() as f64 * until), variation)
}
