//! Bins of equal width: the one place that decides which bin a value is in.
//!
//! Times and widths are decimals in files and doubles in memory: 0.3 / 0.1 is 2.9999999999999996. A value
//! that is at an edge as far as the rounding of the numbers tells is therefore at that edge, and in the
//! bin above. So times that are written as decimals are in the bin that one would name, in seconds as in
//! milliseconds.

/// How many bins of a width are between `from` and `value`: the number of the bin that `value` is in, from
/// 0, or below 0 if it comes before `from`. At an edge it is the bin above.
pub fn bin_of(value: f64, from: f64, width: f64) -> f64 {
    let place = (value - from) / width;
    let nearest = place.round();
    // Each of the three numbers is off by half a unit in its last place, as are difference and quotient.
    let rounding = f64::EPSILON * ((value.abs() + from.abs()) / width + 2.0 * nearest.abs());
    if (place - nearest).abs() <= rounding { nearest } else { place.floor() }
}

/// Bins of equal width from the begin of a window on, as many as fit.
///
/// A bin has its begin and not its end. Only if the last one ends where the window does, it has its end,
/// too: then everything in the window is in a bin.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bins {
    from: f64,
    to: f64,
    width: f64,
    count: usize,
    /// Whether the last bin ends where the window does.
    is_whole: bool,
}

impl Bins {
    /// Bins of this width (above zero) in a window; none if there would be more than `most`.
    ///
    /// # Errors
    /// If there would be more than `most`; with how many there would be.
    pub fn new((from, to): (f64, f64), width: f64, most: usize) -> Result<Self, f64> {
        let count = bin_of(to, from, width).max(0.0);
        if !(count <= most as f64) {
            return Err(count);
        }
        let end = from + count * width;
        let is_whole =
            count > 0.0 && bin_of(to, end, width) == 0.0 && bin_of(end, to, width) == 0.0;
        Ok(Bins { from, to, width, count: count as usize, is_whole })
    }

    /// How many bins there are.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The bin that a value is in; none outside of all.
    pub fn bin(&self, value: f64) -> Option<usize> {
        let bin = bin_of(value, self.from, self.width);
        if bin >= 0.0 && bin < self.count as f64 {
            return Some(bin as usize);
        }
        let is_end = self.is_whole && bin == self.count as f64 && value <= self.to;
        is_end.then(|| self.count - 1)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Whatever the unit, from nanoseconds to hours: a time that is a whole number of widths, as decimals,
        /// begins a bin, and one that is a little earlier does not.
        #[test]
        fn decimal_times_are_in_the_bin_that_one_would_name(
            step in 1_u32..1000, count in 0_u32..1_000_000, digits in 0_i32..13, later in 1_u32..1000,
        ) {
            let decimal = |whole: u64| format!("{whole}e-{digits}").parse::<f64>().expect("a number");
            let (step, count, later) = (u64::from(step), u64::from(count), u64::from(later));
            let (width, from) = (decimal(1000 * step), decimal(1000 * later));
            let time = |thousandths: u64| decimal(1000 * later + thousandths);
            prop_assert_eq!(bin_of(time(1000 * step * count), from, width), count as f64);
            prop_assert_eq!(bin_of(time(1000 * step * count + 1), from, width), count as f64);
            let before = time(1000 * step * (count + 1) - 1);
            prop_assert_eq!(bin_of(before, from, width), count as f64);
        }
    }

    #[test]
    fn the_last_bin_has_the_end_of_the_window() {
        let bins = Bins::new((0.0, 0.3), 0.1, 10).expect("few bins");
        assert_eq!(bins.count(), 3);
        let found = [0.0, 0.1, 0.2, 0.299_999, 0.3].map(|time| bins.bin(time));
        assert_eq!(found, [0, 1, 2, 2, 2].map(Some));
        assert_eq!([-1e-9, 0.300_001].map(|time| bins.bin(time)), [None; 2]);
        // The window ends within a fourth bin, which is not used.
        let bins = Bins::new((0.0, 0.35), 0.1, 10).expect("few bins");
        assert_eq!((bins.count(), bins.bin(0.3), bins.bin(0.35)), (3, None, None));
        assert_eq!(Bins::new((0.0, 1.0), 0.1, 9), Err(10.0));
        assert_eq!(Bins::new((1.0, 1.0), 0.1, 9).expect("no bins").bin(1.0), None);
    }
}
