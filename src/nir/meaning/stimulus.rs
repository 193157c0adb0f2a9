//! The spikes of sources that a file's metadata have.

use super::super::flat::FlatNode;
use super::Refusal;
use super::paths::refusal;

/// Spikes of sources: population, source, time. `scale` is what the file's times are multiplied by.
///
/// # Errors
/// If a spike is of no source or at no time: a spike that is left out would change the run without a word.
pub(super) fn stimulus(
    node: &FlatNode<'_>,
    size: usize,
    scale: f64,
) -> Result<Vec<(String, usize, f64)>, Refusal> {
    let refuse = |reason: String| {
        let help = "write the file anew, or remove the metadata of the node".to_owned();
        Err(refusal(node, (reason, help)))
    };
    let noted = ["firstspike_times", "firstspike_sources"].map(|name| node.node.noted(name));
    let (times, sources) = match noted {
        [None, None] => return Ok(Vec::new()),
        [Some(times), Some(sources)] if times.values.len() == sources.values.len() => {
            (times, sources)
        }
        [times, sources] => {
            let count = |found: Option<&super::super::model::Tensor>| {
                found.map_or(0, |found| found.values.len())
            };
            return refuse(format!(
                "its metadata have {} `firstspike_times` and {} `firstspike_sources`: as many are needed",
                count(times),
                count(sources)
            ));
        }
    };
    let mut spikes = Vec::with_capacity(times.values.len());
    for (place, (&time, &source)) in times.values.iter().zip(&sources.values).enumerate() {
        if !(time >= 0.0 && time.is_finite()) {
            return refuse(format!(
                "spike {place} of its metadata is at {time}: times are finite and not negative"
            ));
        }
        if !(source >= 0.0 && source < size as f64 && source.fract() == 0.0) {
            return refuse(format!(
                "spike {place} of its metadata is of source {source}: there are 0 to {}",
                size - 1
            ));
        }
        spikes.push((node.name.clone(), source as usize, time * scale));
    }
    Ok(spikes)
}
