//! From a recording to a [`Raster`]: which neurons have a row, and the spikes in order.

use std::ops::Range;

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use super::{Band, Raster, Row, Selection, SelectionError, Sort};
use crate::trace::recording::Recording;

/// Neurons between those that spike are rows too, silent ones, unless the indices are so scattered
/// that hardly any other has a spike: at most this many rows for each neuron that spikes, and a few.
const ROWS_PER_NEURON: usize = 4;
const ROWS_MORE: usize = 8;

/// No row: the neuron is not shown.
const HIDDEN: u32 = u32::MAX;

/// Rows of a population's neurons, by index.
struct Rows {
    first: u32,
    by_index: Vec<u32>,
    scattered: FxHashMap<u32, u32>,
}

impl Rows {
    fn row(&self, neuron: u32) -> Option<u32> {
        let place = neuron.checked_sub(self.first).map(|place| place as usize);
        match place.and_then(|place| self.by_index.get(place)) {
            Some(&HIDDEN) => None,
            Some(&row) => Some(row),
            None => self.scattered.get(&neuron).copied(),
        }
    }
}

/// A spike on its way: strip, row, time.
type Placed = (u32, u32, f64);

impl Raster {
    /// Selects from a recording and puts in order.
    ///
    /// Populations, samples and neurons must exist, at least some of them; a time window may be empty
    /// of spikes. Neurons that are silent have a row if their index lies among those of neurons that
    /// spike.
    ///
    /// # Errors
    /// If the selection names what the recording does not have, with what it has.
    pub fn new(recording: &Recording, selection: &Selection) -> Result<Raster, SelectionError> {
        let chosen = populations(recording, selection)?;
        let all_samples = distinct(&recording.samples);
        let samples = samples(&all_samples, selection)?;
        let strip_of: FxHashMap<u32, u32> =
            samples.iter().zip(0..).map(|(&sample, strip)| (sample, strip)).collect();
        let has_samples = !recording.samples.is_empty();

        let neurons = neurons(recording, &chosen, selection)?;
        let (mut rows, mut bands) = stacked(recording, &chosen, &neurons, selection.sort);
        let lookup = lookup(&rows, recording.populations.len());

        let place = |spike: usize| -> Option<Placed> {
            let time = recording.times[spike];
            if !selection.window.contains(time) {
                return None;
            }
            let strip = if has_samples { *strip_of.get(&recording.samples[spike])? } else { 0 };
            let population = recording.population.get(spike).map_or(0, |&population| population);
            let row = lookup[usize::from(population)].row(recording.neurons[spike])?;
            Some((strip, row, time))
        };
        let mut placed: Vec<Placed> =
            (0..recording.times.len()).into_par_iter().filter_map(place).collect();
        let order = |one: &Placed, other: &Placed| {
            one.0.cmp(&other.0).then(one.2.total_cmp(&other.2)).then(one.1.cmp(&other.1))
        };
        if !placed.is_sorted_by(|one, other| order(one, other).is_le()) {
            placed.par_sort_unstable_by(order);
        }
        if selection.sort == Sort::FirstSpike {
            by_first_spike(&mut placed, &mut rows, &mut bands);
        }

        let strip_count = samples.len().max(1);
        let strips: Vec<Range<usize>> = (0..strip_count as u32)
            .map(|strip| {
                let start = placed.partition_point(|spike| spike.0 < strip);
                start..placed.partition_point(|spike| spike.0 <= strip)
            })
            .collect();
        let window = window(&placed, selection);
        let mut counts = vec![0; recording.populations.len().max(1)];
        for spike in &placed {
            counts[usize::from(rows[spike.1 as usize].population)] += 1;
        }
        Ok(Raster {
            time_unit: recording.time_unit.clone(),
            populations: chosen
                .iter()
                .map(|&population| (name(recording, population), counts[usize::from(population)]))
                .collect(),
            rows: rows
                .iter()
                .map(|row| Row { population: rank(&chosen, row.population), neuron: row.neuron })
                .collect(),
            bands: bands
                .into_iter()
                .map(|band| Band {
                    population: band.population.map(|population| rank(&chosen, population)),
                    ..band
                })
                .collect(),
            samples,
            samples_in_recording: all_samples.len(),
            spikes_in_recording: recording.times.len(),
            window,
            times: placed.iter().map(|spike| spike.2).collect(),
            row_of: placed.iter().map(|spike| spike.1).collect(),
            strips,
        })
    }
}

fn name(recording: &Recording, population: u16) -> String {
    recording.populations.get(usize::from(population)).cloned().unwrap_or_default()
}

/// Where a population is among the chosen ones.
fn rank(chosen: &[u16], population: u16) -> u16 {
    chosen.iter().position(|&one| one == population).unwrap_or(0) as u16
}

/// The populations that are shown, the lowest first.
fn populations(recording: &Recording, selection: &Selection) -> Result<Vec<u16>, SelectionError> {
    let names = &recording.populations;
    if selection.populations.is_empty() {
        return Ok((0..names.len().max(1) as u16).collect());
    }
    let mut chosen = Vec::new();
    for name in &selection.populations {
        let found = names.iter().position(|one| one == name).ok_or_else(|| {
            let named = names.iter().any(|name| !name.is_empty());
            let found = if named {
                format!("are {}", names.join(", "))
            } else {
                "is no column of populations".to_owned()
            };
            SelectionError::Population { name: name.clone(), found }
        })? as u16;
        if !chosen.contains(&found) {
            chosen.push(found);
        }
    }
    Ok(chosen)
}

/// The samples that are shown, in ascending order.
fn samples(all: &[u32], selection: &Selection) -> Result<Vec<u32>, SelectionError> {
    let Some(asked) = &selection.samples else {
        return Ok(all
            .iter()
            .copied()
            .take(selection.most_samples.unwrap_or(usize::MAX))
            .collect());
    };
    let chosen: Vec<u32> = all.iter().copied().filter(|&sample| asked.contains(sample)).collect();
    if chosen.is_empty() {
        let found = extent(all)
            .map_or("it has no samples".to_owned(), |extent| format!("its samples are {extent}"));
        return Err(SelectionError::Samples { asked: asked.to_string(), found });
    }
    Ok(chosen)
}

/// The lowest and the highest of some numbers in ascending order.
fn extent(numbers: &[u32]) -> Option<String> {
    let (first, last) = (numbers.first()?, numbers.last()?);
    Some(if first == last { first.to_string() } else { format!("{first} to {last}") })
}

/// The neurons with a row of each population, in ascending order; none of those not chosen.
fn neurons(
    recording: &Recording,
    chosen: &[u16],
    selection: &Selection,
) -> Result<Vec<Vec<u32>>, SelectionError> {
    let key = |spike: usize| {
        let population = recording.population.get(spike).copied().unwrap_or(0);
        (population, recording.neurons[spike])
    };
    let seen: FxHashSet<(u16, u32)> = (0..recording.neurons.len())
        .into_par_iter()
        .fold(FxHashSet::default, |mut seen, spike| {
            seen.insert(key(spike));
            seen
        })
        .reduce(FxHashSet::default, |mut one, other| {
            one.extend(other);
            one
        });
    let mut neurons = vec![Vec::new(); recording.populations.len().max(1)];
    for (population, neuron) in seen {
        if chosen.contains(&population) {
            neurons[usize::from(population)].push(neuron);
        }
    }
    let mut there = Vec::new();
    for own in &mut neurons {
        own.sort_unstable();
        *own = filled(std::mem::take(own));
        there.extend_from_slice(own);
        if let Some(asked) = &selection.neurons {
            own.retain(|&neuron| asked.contains(neuron));
        }
    }
    match &selection.neurons {
        Some(asked) if !there.is_empty() && neurons.iter().all(Vec::is_empty) => {
            there.sort_unstable();
            let found = format!("its neurons are {}", extent(&there).unwrap_or_default());
            Err(SelectionError::Neurons { asked: asked.to_string(), found })
        }
        _ => Ok(neurons),
    }
}

/// With the silent neurons in between, and before the first, unless they are too many.
fn filled(spiking: Vec<u32>) -> Vec<u32> {
    let (Some(&first), Some(&last)) = (spiking.first(), spiking.last()) else { return spiking };
    let most = ROWS_PER_NEURON * spiking.len() + ROWS_MORE;
    if (last as usize) < most {
        (0..=last).collect()
    } else if ((last - first) as usize) < most {
        (first..=last).collect()
    } else {
        spiking
    }
}

/// The numbers that occur, in ascending order.
fn distinct(numbers: &[u32]) -> Vec<u32> {
    let found: FxHashSet<u32> = numbers
        .par_chunks(1 << 16)
        .fold(FxHashSet::default, |mut found, chunk| {
            found.extend(chunk);
            found
        })
        .reduce(FxHashSet::default, |mut one, other| {
            one.extend(other);
            one
        });
    let mut found: Vec<u32> = found.into_iter().collect();
    found.sort_unstable();
    found
}

/// Rows and their bands; those of [`Sort::FirstSpike`] by index for the time being.
fn stacked(
    recording: &Recording,
    chosen: &[u16],
    neurons: &[Vec<u32>],
    sort: Sort,
) -> (Vec<Row>, Vec<Band>) {
    let mut rows = Vec::new();
    let mut bands = Vec::new();
    for &population in chosen {
        let first = rows.len() as u32;
        let own = &neurons[usize::from(population)];
        rows.extend(own.iter().map(|&neuron| Row { population, neuron }));
        if !own.is_empty() {
            bands.push(Band {
                name: name(recording, population),
                population: Some(population),
                rows: first..rows.len() as u32,
                ordered: sort != Sort::FirstSpike,
            });
        }
    }
    if sort == Sort::Index && bands.len() > 1 {
        rows.sort_by_key(|row| (row.neuron, rank(chosen, row.population)));
        let all = 0..rows.len() as u32;
        bands = vec![Band { name: String::new(), population: None, rows: all, ordered: true }];
    }
    (rows, bands)
}

/// Finds the row of a neuron of each population.
fn lookup(rows: &[Row], populations: usize) -> Vec<Rows> {
    let mut own: Vec<Vec<(u32, u32)>> = vec![Vec::new(); populations.max(1)];
    for (row, place) in rows.iter().zip(0..) {
        own[usize::from(row.population)].push((row.neuron, place));
    }
    own.into_iter()
        .map(|own| {
            let first = own.first().map_or(0, |neuron| neuron.0);
            let span = own.last().map_or(0, |neuron| (neuron.0 - first) as usize + 1);
            if span > ROWS_PER_NEURON * own.len() + ROWS_MORE {
                let scattered = own.into_iter().collect();
                return Rows { first: 0, by_index: Vec::new(), scattered };
            }
            let mut by_index = vec![HIDDEN; span];
            for (neuron, row) in own {
                by_index[(neuron - first) as usize] = row;
            }
            Rows { first, by_index, scattered: FxHashMap::default() }
        })
        .collect()
}

/// Puts the rows of each band in the order of their first spikes.
fn by_first_spike(placed: &mut [Placed], rows: &mut [Row], bands: &mut [Band]) {
    let mut first = vec![usize::MAX; rows.len()];
    for (place, spike) in placed.iter().enumerate().rev() {
        first[spike.1 as usize] = place;
    }
    let mut order: Vec<u32> = (0..rows.len() as u32).collect();
    for band in bands {
        let range = band.rows.start as usize..band.rows.end as usize;
        order[range].sort_by_key(|&row| first[row as usize]);
    }
    let mut moved = vec![0; rows.len()];
    for (to, &from) in order.iter().enumerate() {
        moved[from as usize] = to as u32;
    }
    let before = rows.to_vec();
    for (row, &from) in rows.iter_mut().zip(&order) {
        *row = before[from as usize];
    }
    placed.par_iter_mut().for_each(|spike| spike.1 = moved[spike.1 as usize]);
}

/// Beginning and end of the strips: the ends that were asked for, else those of the spikes, from
/// zero if that is near.
fn window(placed: &[Placed], selection: &Selection) -> (f64, f64) {
    let times = placed.par_iter().map(|spike| (spike.2, spike.2));
    let (first, last) =
        times.reduce(|| (f64::INFINITY, f64::NEG_INFINITY), |a, b| (a.0.min(b.0), a.1.max(b.1)));
    let near_zero = 0.0 <= first && first <= 0.5 * last;
    let first = if near_zero { 0.0 } else { first };
    let (from, to) = (selection.window.from.unwrap_or(first), selection.window.to.unwrap_or(last));
    match (from.is_finite(), to.is_finite()) {
        (true, true) if from < to => (from, to),
        // All at one time, or nothing at all.
        (true, true | false) => (from, from + 1.0_f64.max(1e-3 * from.abs())),
        (false, true) => (to - 1.0_f64.max(1e-3 * to.abs()), to),
        (false, false) => (0.0, 1.0),
    }
}
