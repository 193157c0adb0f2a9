//! How spikes get from their sources to the synapses of a layer.
//!
//! ```text
//! spikes by time ─→ some lost ─→ one after the other ─→ delay, with jitter ─→ arrivals by time
//! ```

use rand::{Rng, RngExt};
use rand_distr::{Distribution, StandardNormal};

use super::datasheet::LinkSheet;
use crate::random;
use crate::sorting::{Arrival, ArrivalSorter};

/// The link that carries the inputs of one layer. Times are in the scenario's time unit.
#[derive(Clone, Debug)]
pub(super) struct Link {
    sheet: LinkSheet,
    /// Per source.
    delays: Vec<f64>,
}

impl Link {
    /// A link for so many sources; its fixed pattern is that of an individual chip. `first` is the
    /// first of its sources among those of all links.
    pub fn new(sheet: &LinkSheet, sources: usize, individual: u64, first: usize) -> Self {
        let delay = |source: usize| {
            if sheet.delay_fixed_pattern == 0.0 {
                return sheet.delay;
            }
            let mut random = random::stream(individual, "chip delay", (first + source) as u64);
            let normal: f64 = StandardNormal.sample(&mut random);
            (sheet.delay + sheet.delay_fixed_pattern * normal).max(0.0)
        };
        Link { sheet: *sheet, delays: (0..sources).map(delay).collect() }
    }

    /// The delay of a source's spikes, without jitter.
    pub fn delay(&self, source: usize) -> f64 {
        self.delays[source]
    }

    /// Turns spikes as they were sent into arrivals, sorted by time and row. `random` is called only if the
    /// link loses or jitters spikes.
    pub fn transmit<R: Rng>(
        &self,
        spikes: &mut Vec<Arrival>,
        sorter: &mut ArrivalSorter,
        random: impl FnOnce() -> R,
    ) {
        let is_random = self.sheet.loss > 0.0 || self.sheet.delay_jitter > 0.0;
        let mut random = is_random.then(random);
        sorter.sort(spikes);
        let LinkSheet { delay_jitter, interval, longest_wait, loss, .. } = self.sheet;
        if loss > 0.0
            && let Some(random) = &mut random
        {
            spikes.retain(|_| !random.random_bool(loss));
        }
        if interval > 0.0 {
            serialise(spikes, interval, longest_wait);
        }
        let random = random.filter(|_| delay_jitter > 0.0);
        if let Some(mut random) = random {
            for spike in &mut *spikes {
                let normal: f64 = StandardNormal.sample(&mut random);
                let delay = self.delays[spike.row as usize] + delay_jitter * normal;
                spike.time += delay.max(0.0);
            }
        } else {
            for spike in &mut *spikes {
                spike.time += self.delays[spike.row as usize];
            }
        }
        if delay_jitter > 0.0 || self.sheet.delay_fixed_pattern > 0.0 {
            sorter.sort(spikes);
        }
    }
}

/// Sends one spike per interval: a spike waits until the link is free, and is lost if it waits too long.
fn serialise(spikes: &mut Vec<Arrival>, interval: f64, longest_wait: f64) {
    let (mut free, mut kept) = (f64::NEG_INFINITY, 0);
    for index in 0..spikes.len() {
        let Arrival { mut time, row } = spikes[index];
        // A branch, not a maximum: most spikes find the link free, and the processor need not wait for
        // `free`.
        if time < free {
            if free - time > longest_wait {
                continue;
            }
            time = free;
        }
        free = time + interval;
        spikes[kept] = Arrival { time, row };
        kept += 1;
    }
    spikes.truncate(kept);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(times: &[f64]) -> Vec<Arrival> {
        (0..).zip(times).map(|(row, &time)| Arrival { time, row }).collect()
    }

    fn transmit(sheet: LinkSheet, times: &[f64]) -> Vec<(f64, u32)> {
        let mut spikes = sent(times);
        let link = Link::new(&sheet, times.len(), 1, 0);
        link.transmit(&mut spikes, &mut ArrivalSorter::default(), || {
            random::stream(1, "link test", 0)
        });
        spikes.iter().map(|spike| (spike.time, spike.row)).collect()
    }

    #[test]
    fn simultaneous_spikes_are_sent_one_after_the_other() {
        let sheet = LinkSheet { interval: 0.25, delay: 1.0, ..LinkSheet::default() };
        let arrivals = transmit(sheet, &[0.5, 0.5, 0.0, 0.5, 3.0]);
        assert_eq!(arrivals, [(1.0, 2), (1.5, 0), (1.75, 1), (2.0, 3), (4.0, 4)]);
        let impatient = LinkSheet { longest_wait: 0.3, ..sheet };
        let arrivals = transmit(impatient, &[0.5, 0.5, 0.0, 0.5, 3.0]);
        assert_eq!(arrivals, [(1.0, 2), (1.5, 0), (1.75, 1), (4.0, 4)], "one waited too long");
    }

    #[test]
    fn an_ideal_link_only_sorts() {
        let arrivals = transmit(LinkSheet::default(), &[0.5, 0.1, 0.5]);
        assert_eq!(arrivals, [(0.1, 1), (0.5, 0), (0.5, 2)]);
    }

    #[test]
    fn jitter_fixed_pattern_and_loss_have_their_distributions() {
        const SOURCES: usize = 4000;
        let sheet = LinkSheet {
            delay: 1.0,
            delay_fixed_pattern: 0.1,
            delay_jitter: 0.2,
            loss: 0.25,
            ..LinkSheet::default()
        };
        let link = Link::new(&sheet, SOURCES, 5, 0);
        let mut sums = vec![(0.0, 0.0, 0); SOURCES];
        for sample in 0..50 {
            let mut spikes = sent(&vec![0.0; SOURCES]);
            link.transmit(&mut spikes, &mut ArrivalSorter::default(), || {
                random::stream(1, "link test", sample)
            });
            for spike in &spikes {
                let (sum, squares, count) = &mut sums[spike.row as usize];
                *sum += spike.time;
                *squares += spike.time * spike.time;
                *count += 1;
            }
            assert!(spikes.is_sorted_by(|a, b| a.time <= b.time));
        }
        let total: i32 = sums.iter().map(|sums| sums.2).sum();
        let arrived = f64::from(total) / (50 * SOURCES) as f64;
        // Standard errors: 0.001, and below 0.002 for both spreads.
        assert!((arrived - 0.75).abs() < 0.004, "{arrived}");
        let within: f64 = sums
            .iter()
            .map(|&(sum, squares, count)| {
                let count = f64::from(count);
                (squares - sum * sum / count) / (count - 1.0)
            })
            .sum();
        let within = (within / SOURCES as f64).sqrt();
        assert!((within - 0.2).abs() < 0.004, "{within}");
        let means: Vec<f64> = sums.iter().map(|sums| sums.0 / f64::from(sums.2)).collect();
        let mean = means.iter().sum::<f64>() / SOURCES as f64;
        let square = means.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
        // What jitter leaves in the mean of some 37 spikes comes on top.
        let between = (square / SOURCES as f64 - 0.04 / 37.5).sqrt();
        assert!((mean - 1.0).abs() < 0.01 && (between - 0.1).abs() < 0.006, "{mean} {between}");
    }
}
