//! Several files of one trace, as every thread and process of a simulator writes its own.

use std::path::Path;

use super::{FormatProblem, refuse};
use crate::trace::recording::Recording;
use crate::trace::{FormProblem, TraceError};

/// The spikes of several files in order of sample and time; those at one time as the files stand. Their lines
/// are not known any more.
///
/// # Errors
/// If units differ, only some have samples, or there are more than 2³² − 1 spikes or 65,535 populations.
pub(super) fn merge(parts: Vec<(&Path, Recording)>) -> Result<Recording, TraceError> {
    let mut parts = parts.into_iter();
    let Some((first, mut all)) = parts.next() else { return Ok(Recording::default()) };
    all.lines = Default::default();
    for (path, part) in parts {
        if part.time_unit != all.time_unit && !part.is_empty() {
            let unit = |unit: &Option<String>| unit.clone().unwrap_or_else(|| "no unit".to_owned());
            let (found, expected) = (unit(&part.time_unit), unit(&all.time_unit));
            let other = first.to_owned();
            return Err(refuse(path, FormatProblem::OtherUnit { found, expected, other }));
        }
        if part.samples.is_empty() != all.samples.is_empty() && !part.is_empty() && !all.is_empty()
        {
            return Err(refuse(path, FormatProblem::SomeSamples { other: first.to_owned() }));
        }
        append(&mut all, part).map_err(|problem| TraceError::Form {
            path: path.to_owned(),
            line: None,
            problem,
        })?;
    }
    // An index of a spike has four bytes: `append` has made sure.
    let mut order: Vec<u32> = (0..all.len() as u32).collect();
    order.sort_by(|&a, &b| {
        let (a, b) = (a as usize, b as usize);
        let samples = all.sample_of(a).cmp(&all.sample_of(b));
        samples.then(all.times[a].total_cmp(&all.times[b]))
    });
    all.times = permuted(&all.times, &order);
    all.neurons = permuted(&all.neurons, &order);
    all.population = permuted(&all.population, &order);
    all.samples = permuted(&all.samples, &order);
    Ok(all)
}

fn append(all: &mut Recording, part: Recording) -> Result<(), FormProblem> {
    let (before, after) = (all.len(), all.len() + part.len());
    if u32::try_from(after).is_err() {
        return Err(FormProblem::TooManySpikes);
    }
    let mut indices = Vec::new();
    for name in &part.populations {
        let known = all.populations.iter().position(|known| known == name);
        indices.push(known.unwrap_or_else(|| {
            all.populations.push(name.clone());
            all.populations.len() - 1
        }));
    }
    if all.populations.len() > usize::from(u16::MAX) {
        return Err(FormProblem::TooManyPopulations);
    }
    // Parts of one population may have the column, too.
    if all.populations.len() > 1 || !all.population.is_empty() {
        all.population.resize(before, 0);
        let indices = (0..part.len()).map(|spike| indices[part.population_of(spike)] as u16);
        all.population.extend(indices);
    }
    if all.is_empty() {
        all.time_unit = part.time_unit;
    }
    all.times.extend(part.times);
    all.neurons.extend(part.neurons);
    all.samples.extend(part.samples);
    Ok(())
}

/// A column in another order; one that is empty stays so.
fn permuted<T: Copy>(column: &[T], order: &[u32]) -> Vec<T> {
    if column.is_empty() {
        return Vec::new();
    }
    order.iter().map(|&at| column[at as usize]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_threads_are_one_trace_in_order_of_time() {
        let part = |name: &str, times: &[f64], neurons: &[u32]| Recording {
            time_unit: Some("ms".to_owned()),
            populations: vec![name.to_owned()],
            times: times.to_vec(),
            neurons: neurons.to_vec(),
            ..Recording::default()
        };
        let (a, b) = (Path::new("a"), Path::new("b"));
        let merged =
            merge(vec![(a, part("", &[1.0, 3.0], &[1, 3])), (b, part("", &[1.0, 2.0], &[2, 4]))])
                .expect("of one kind");
        assert_eq!(merged.times, [1.0, 1.0, 2.0, 3.0]);
        assert_eq!(merged.neurons, [1, 2, 4, 3]);
        assert!(merged.population.is_empty());

        let named = vec![(a, part("x", &[2.0], &[0])), (b, part("y", &[1.0], &[0]))];
        let merged = merge(named).expect("of one kind");
        assert_eq!(
            (merged.populations, merged.population),
            (vec!["x".into(), "y".into()], vec![1, 0])
        );

        let seconds = Recording { time_unit: Some("s".to_owned()), ..part("", &[1.0], &[1]) };
        let error = merge(vec![(a, part("", &[1.0], &[1])), (b, seconds)]).expect_err("two units");
        assert_eq!(error.to_string(), "b: times are in s, those of a in ms");
    }
}
