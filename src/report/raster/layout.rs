//! Where rows and strips are, in the coordinates that a view is a window of.

use super::{Band, Raster};

/// Blank space between two strips, as a fraction of a strip.
const GAP: f64 = 0.06;

/// The part of a raster that is looked at: a range along the strips, in the unit of the times from
/// the beginning of the first strip, and a range of heights of the [`Stack`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct View {
    /// Left and right end.
    pub x: (f64, f64),
    /// Lower and upper end.
    pub y: (f64, f64),
}

/// How high each band of rows is.
#[derive(Clone, Debug, PartialEq)]
pub struct Stack {
    /// Lower and upper end of each band, from the lowest.
    spans: Vec<(f64, f64)>,
    /// What of the upper end of a band is blank.
    inset: f64,
    /// Height of all.
    pub height: f64,
}

impl Stack {
    /// Shares `height` lines among bands by their rows, in whole lines, but none gets less than a
    /// third of an even share unless `lines_per_row` for each of its rows are enough: three label
    /// neurons can still be seen beside a thousand hidden ones. The uppermost `inset` of a band, in
    /// lines, stays blank.
    pub fn new(bands: &[Band], height: usize, lines_per_row: usize, inset: f64) -> Stack {
        let rows: Vec<usize> = bands.iter().map(|band| band.rows.len()).collect();
        let total: usize = rows.iter().sum::<usize>().max(1);
        let even = height / (3 * rows.len().max(1));
        let least = |rows: usize| even.min(rows * lines_per_row).max(1);
        let rest = height.saturating_sub(rows.iter().map(|&rows| least(rows)).sum());
        // Of the rest, everyone's share with the rounding of all before.
        let mut before = 0;
        let mut low = 0.0;
        let mut spans = Vec::new();
        for &own in &rows {
            let share = (before + own) * rest / total - before * rest / total;
            before += own;
            let high = low + (least(own) + share) as f64;
            spans.push((low, high));
            low = high;
        }
        // More bands than lines: they are squeezed.
        let squeeze = if low > height as f64 { height as f64 / low } else { 1.0 };
        for span in &mut spans {
            *span = (span.0 * squeeze, span.1 * squeeze);
        }
        Stack { spans, inset: inset * squeeze, height: height as f64 }
    }

    /// Lower and upper end of a band.
    pub fn band(&self, band: usize) -> (f64, f64) {
        self.spans[band]
    }

    /// Lower end and height of the rows of a band.
    pub(super) fn rows(&self, bands: &[Band], band: usize) -> (f64, f64) {
        let (low, high) = self.spans[band];
        (low, (high - low - self.inset) / bands[band].rows.len().max(1) as f64)
    }

    /// Height of the middle of a row of a band.
    pub(super) fn middle(&self, bands: &[Band], band: usize, row: u32) -> f64 {
        let (low, height) = self.rows(bands, band);
        low + (f64::from(row - bands[band].rows.start) + 0.5) * height
    }

    /// The row at a height.
    pub fn row_at(&self, bands: &[Band], y: f64) -> Option<u32> {
        let band = self.spans.iter().position(|span| span.0 <= y && y < span.1)?;
        let (low, height) = self.rows(bands, band);
        let rows = &bands[band].rows;
        let place = ((y - low) / height) as u32;
        Some((rows.start + place).min(rows.end - 1))
    }

    /// Lower and upper end of a row.
    pub fn row(&self, bands: &[Band], row: u32) -> (f64, f64) {
        let band = bands.partition_point(|band| band.rows.end <= row);
        let (low, height) = self.rows(bands, band);
        let low = low + f64::from(row - bands[band].rows.start) * height;
        (low, low + height)
    }
}

impl Raster {
    /// Length of a strip.
    pub fn span(&self) -> f64 {
        self.window.1 - self.window.0
    }

    /// From the beginning of a strip to that of the next one.
    pub fn pitch(&self) -> f64 {
        if self.strip_count() > 1 { self.span() * (1.0 + GAP) } else { self.span() }
    }

    /// All of the strips and heights.
    pub fn whole(&self, stack: &Stack) -> View {
        let x = (0.0, (self.strip_count() - 1) as f64 * self.pitch() + self.span());
        View { x, y: (0.0, stack.height) }
    }

    /// The time that a strip has at a place along the strips, be it before its beginning.
    pub fn time_at(&self, strip: usize, x: f64) -> f64 {
        self.window.0 + (x - strip as f64 * self.pitch())
    }

    /// The strips that a range reaches.
    pub(super) fn strips_within(&self, (left, right): (f64, f64)) -> std::ops::Range<usize> {
        let last = self.strip_count() - 1;
        let at = |x: f64| (x / self.pitch()).floor().clamp(0.0, last as f64) as usize;
        at(left)..at(right) + 1
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bands(sizes: &[u32]) -> Vec<Band> {
        let mut start = 0;
        sizes
            .iter()
            .map(|&size| {
                start += size;
                let rows = start - size..start;
                Band { name: String::new(), population: None, rows, ordered: true }
            })
            .collect()
    }

    #[test]
    fn small_populations_can_be_seen_beside_large_ones() {
        let stack = Stack::new(&bands(&[5, 120, 3]), 17, 1, 0.25);
        assert_eq!(stack.spans, [(0.0, 1.0), (1.0, 15.0), (15.0, 17.0)]);
        let stack = Stack::new(&bands(&[10, 1000, 3]), 60, 1, 0.25);
        assert_eq!(stack.spans, [(0.0, 6.0), (6.0, 56.0), (56.0, 60.0)]);
    }

    proptest! {
        #[test]
        fn bands_fill_the_height_in_order_and_rows_are_found_where_they_are(
            sizes in prop::collection::vec(1_u32..300, 1..9), height in 1_usize..80
        ) {
            let bands = bands(&sizes);
            let stack = Stack::new(&bands, height, 1, 0.25);
            let mut low = 0.0;
            for span in &stack.spans {
                prop_assert_eq!(span.0, low);
                prop_assert!(span.1 > span.0);
                low = span.1;
            }
            prop_assert!((low - height as f64).abs() < 1e-9);
            for row in 0..sizes.iter().sum() {
                let (low, high) = stack.row(&bands, row);
                prop_assert_eq!(stack.row_at(&bands, 0.5 * (low + high)), Some(row));
            }
        }
    }
}
