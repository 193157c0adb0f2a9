//! A part of a recording: some populations, some samples, a window of time.

use rustc_hash::FxHashSet;

use super::SelectionError;
use super::recording::Recording;

/// More samples than this are not named one by one.
const MOST_SAMPLES: u64 = 1 << 24;

/// Which spikes are kept; all by default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Selection {
    /// Names of populations; all if empty.
    pub populations: Vec<String>,
    /// First and last of each range of samples; all if empty.
    pub samples: Vec<(u32, u32)>,
    /// From and to, in the time unit of the recording; the end is not part of it.
    pub window: Option<(f64, f64)>,
}

impl Selection {
    /// Leaves in a recording only the spikes that were chosen, and only the populations.
    ///
    /// # Errors
    /// If it has no population or no samples of that name.
    pub fn apply(&self, recording: &mut Recording) -> Result<(), SelectionError> {
        let named = |name: &String| recording.populations.contains(name);
        if let Some(missing) = self.populations.iter().find(|name| !named(name)) {
            let population = missing.clone();
            return Err(if recording.populations == [""] {
                SelectionError::NoPopulations { population }
            } else {
                let found = recording.populations.clone();
                SelectionError::UnknownPopulation { population, found }
            });
        }
        if !self.samples.is_empty() && recording.samples.is_empty() && !recording.is_empty() {
            return Err(SelectionError::NoSamples);
        }
        if *self == Selection::default() {
            return Ok(());
        }
        let chosen: Vec<bool> = recording
            .populations
            .iter()
            .map(|name| self.populations.is_empty() || self.populations.contains(name))
            .collect();
        let is_kept = |recording: &Recording, spike: usize| {
            let (time, sample) = (recording.times[spike], recording.sample_of(spike));
            chosen[recording.population_of(spike)]
                && self.window.is_none_or(|(from, to)| from <= time && time < to)
                && (self.samples.is_empty()
                    || self.samples.iter().any(|&(first, last)| (first..=last).contains(&sample)))
        };
        let mut lines = Default::default();
        std::mem::swap(&mut lines, &mut recording.lines);
        let mut kept = 0;
        for spike in 0..recording.len() {
            if is_kept(recording, spike) {
                recording.times[kept] = recording.times[spike];
                recording.neurons[kept] = recording.neurons[spike];
                if !recording.population.is_empty() {
                    recording.population[kept] = recording.population[spike];
                }
                if !recording.samples.is_empty() {
                    recording.samples[kept] = recording.samples[spike];
                }
                if let Some(line) = lines.of(spike) {
                    recording.lines.push(kept, line);
                }
                kept += 1;
            }
        }
        recording.times.truncate(kept);
        recording.neurons.truncate(kept);
        recording.population.truncate(kept);
        recording.samples.truncate(kept);
        self.drop_populations(recording, &chosen);
        Ok(())
    }

    /// The samples that are chosen, ascending: of all that have a spike of any neuron at any time, and of
    /// those that are named, up to the last in the recording. So a sample in which nothing that was chosen
    /// spikes is not forgotten. None if the recording has no samples.
    ///
    /// # Errors
    /// If more than 16,777,216 samples are named.
    pub fn chosen_samples(&self, recording: &Recording) -> Result<Vec<u32>, SelectionError> {
        let mut samples: FxHashSet<u32> = recording.samples.iter().copied().collect();
        let last = samples.iter().copied().max().unwrap_or(0);
        if !self.samples.is_empty() && !samples.is_empty() {
            let named = self.samples.iter().map(|&(first, to)| (first, to.min(last)));
            let count: u64 = named
                .clone()
                .map(|(first, to)| (u64::from(to) + 1).saturating_sub(first.into()))
                .sum();
            if count > MOST_SAMPLES {
                return Err(SelectionError::TooManySamples { count });
            }
            samples = named.flat_map(|(first, to)| first..=to).collect();
        }
        let mut samples: Vec<u32> = samples.into_iter().collect();
        samples.sort_unstable();
        Ok(samples)
    }

    fn drop_populations(&self, recording: &mut Recording, chosen: &[bool]) {
        let mut count = 0;
        let mut indices = vec![0; chosen.len()];
        for (index, &is_chosen) in chosen.iter().enumerate() {
            indices[index] = count;
            count += u16::from(is_chosen);
        }
        let mut is_chosen = chosen.iter();
        recording.populations.retain(|_| is_chosen.next().is_some_and(|&chosen| chosen));
        if count == 1 {
            recording.population = Vec::new();
        }
        for population in &mut recording.population {
            *population = indices[usize::from(*population)];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_chosen_is_left() {
        let whole = Recording {
            populations: vec!["a".to_owned(), "b".to_owned(), "c".to_owned()],
            times: vec![1.0, 2.0, 3.0, 4.0],
            neurons: vec![5, 6, 7, 8],
            population: vec![0, 1, 2, 1],
            samples: vec![0, 0, 1, 1],
            ..Recording::default()
        };
        let part = |selection: Selection| {
            let mut part = whole.clone();
            selection.apply(&mut part).map(|()| part)
        };
        let all = Selection::default();
        assert_eq!(part(all.clone()).as_ref(), Ok(&whole));
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let two =
            part(Selection { populations: names(&["b", "c"]), ..all.clone() }).expect("there");
        assert_eq!((two.neurons, two.population), (vec![6, 7, 8], vec![0, 1, 0]));
        let one = part(Selection { populations: names(&["b"]), ..all.clone() }).expect("there");
        assert_eq!((one.neurons, one.population), (vec![6, 8], vec![]));
        let late = part(Selection { window: Some((2.0, 4.0)), ..all.clone() }).expect("there");
        assert_eq!(late.times, [2.0, 3.0]);
        let second = part(Selection { samples: vec![(1, 7)], ..all.clone() }).expect("there");
        assert_eq!(second.neurons, [7, 8]);
        let samples = |samples: Vec<(u32, u32)>| {
            Selection { samples, populations: names(&["b"]), ..all.clone() }.chosen_samples(&whole)
        };
        assert_eq!(samples(vec![]), Ok(vec![0, 1]), "those of all populations");
        assert_eq!(samples(vec![(1, 7)]), Ok(vec![1]), "up to the last");
        let missing = part(Selection { populations: names(&["d"]), ..all }).expect_err("no d");
        assert_eq!(missing.to_string(), "there is no population `d`; there are a, b, c");
    }
}
