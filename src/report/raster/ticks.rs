//! Marks of the axes.

use super::{Band, Raster, Stack};
use crate::report::ticks::{RoundNumbers, round_up};

/// Marks of time in a range, as many as fit beside each other: `letters` fit into the whole range.
pub(super) fn times(range: (f64, f64), letters: usize) -> Vec<(f64, String)> {
    for most in (1..=(letters / 4).clamp(1, 12)).rev() {
        let numbers = RoundNumbers::at_most(range, most);
        let room = numbers.step / (range.1 - range.0) * letters as f64;
        if numbers.intervals() < 1 || numbers.width() as f64 + 2.0 <= room {
            return numbers.all();
        }
    }
    Vec::new()
}

/// Rows whose neurons are named at the axis, of those between two heights: `most` of a whole
/// stack's height, at most. The lowest of a band first.
pub(super) fn rows(
    raster: &Raster,
    stack: &Stack,
    (low, high): (f64, f64),
    most: usize,
) -> Vec<(u32, f64)> {
    let apart = (high - low) / most.max(1) as f64;
    let mut named = Vec::new();
    for (index, band) in raster.bands.iter().enumerate() {
        let (start, height) = stack.rows(&raster.bands, index);
        let middle = |row: u32| start + (f64::from(row - band.rows.start) + 0.5) * height;
        let visible = band.rows.clone().filter(|&row| (low..=high).contains(&middle(row)));
        let visible: Vec<u32> = visible.collect();
        let every = step_of_rows(apart / height);
        if !band.ordered && every > 1 {
            continue;
        }
        let neuron = |row: u32| raster.rows[row as usize].neuron;
        named.extend(round_rows(band, &visible, every, neuron).map(|row| (row, middle(row))));
    }
    named
}

/// A round number of rows, at least so many.
fn step_of_rows(least: f64) -> u32 {
    round_up(least.clamp(1.0, 2e9)) as u32
}

/// The rows of neurons with round indices.
fn round_rows<'r>(
    band: &'r Band,
    visible: &'r [u32],
    every: u32,
    neuron: impl Fn(u32) -> u32 + 'r,
) -> impl Iterator<Item = u32> + 'r {
    let mut last = None;
    visible.iter().copied().filter(move |&row| {
        // Of neurons of several populations that share an index, the first is named.
        let index = neuron(row);
        let new = last.replace(index) != Some(index) || band.population.is_some();
        new && index.is_multiple_of(every)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_round_and_fit() {
        let texts = |range, letters| -> Vec<String> {
            times(range, letters).into_iter().map(|(_, text)| text).collect()
        };
        assert_eq!(
            texts((0.0, 10.0), 60),
            ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10"]
        );
        assert_eq!(texts((0.0, 10.0), 20), ["0", "2", "4", "6", "8", "10"]);
        assert_eq!(texts((-1.0, 1.0), 30), ["−1.0", "−0.5", "0.0", "0.5", "1.0"]);
        assert_eq!(texts((1234.5, 1234.6), 24), ["1234.50", "1234.55", "1234.60"]);
        assert!(texts((0.0, 10.0), 3).len() <= 2);
        for (time, text) in times((0.3, 0.30001), 80) {
            assert!((0.3..=0.30001).contains(&time));
            let read: f64 = text.parse().expect("a number");
            assert!((read - time).abs() < 1e-9, "{text} is written for {time}");
        }
    }

    #[test]
    fn steps_of_rows_are_round() {
        let steps = [0.2, 1.0, 1.5, 3.0, 7.0, 60.0, 1e9].map(step_of_rows);
        assert_eq!(steps[..6], [1, 1, 2, 5, 10, 100]);
        assert!(steps[6] > 1 << 28);
    }
}
