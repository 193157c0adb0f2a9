//! How irregular the intervals between the spikes of a neuron are.

/// Coefficient of variation: the standard deviation of the intervals over their mean, √(⟨I²⟩ − ⟨I⟩²) / ⟨I⟩,
/// where ⟨⟩ is the mean over all intervals of the neuron, in all samples. 0 for a clock, 1 for a
/// Poisson process; none for fewer than two intervals, or if all are 0.
pub fn coefficient_of_variation(intervals: &[f64]) -> Option<f64> {
    if intervals.len() < 2 {
        return None;
    }
    let count = intervals.len() as f64;
    let mean = intervals.iter().sum::<f64>() / count;
    if mean == 0.0 {
        return None;
    }
    let variance = intervals.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
    Some(variance.sqrt() / mean)
}

/// [`coefficient_of_variation`] of intervals that pass by: the same, but for rounding.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RunningVariation {
    count: u64,
    mean: f64,
    /// Sum of the squares of the distances to the mean.
    squares: f64,
}

impl RunningVariation {
    /// Adds an interval (Welford, Technometrics 4, 1962).
    pub fn add(&mut self, interval: f64) {
        self.count += 1;
        let distance = interval - self.mean;
        self.mean += distance / self.count as f64;
        self.squares += distance * (interval - self.mean);
    }

    /// That of the intervals so far.
    pub fn coefficient_of_variation(&self) -> Option<f64> {
        let variance = self.squares / self.count as f64;
        (self.count >= 2 && self.mean > 0.0).then(|| variance.sqrt() / self.mean)
    }
}

/// CV₂ of Holt et al. (J. Neurophysiol. 75, 1996): the mean of 2 |Iₖ₊₁ − Iₖ| / (Iₖ₊₁ + Iₖ) over successive
/// intervals. As the coefficient of variation, but slow changes of the rate do not count; none for
/// fewer than two intervals.
pub fn cv2(intervals: &[f64]) -> Option<f64> {
    let mut successive = Successive::default();
    successive.add(intervals);
    successive.cv2()
}

/// Local variation of Shinomoto et al. (Neural Computation 15, 2003): 3 times the mean of
/// ((Iₖ₊₁ − Iₖ) / (Iₖ₊₁ + Iₖ))² over successive intervals. 0 for a clock, 1 for a Poisson process; none
/// for fewer than two intervals.
pub fn local_variation(intervals: &[f64]) -> Option<f64> {
    let mut successive = Successive::default();
    successive.add(intervals);
    successive.local_variation()
}

/// Sums over pairs of successive intervals, which are of one sample.
#[derive(Default)]
pub(super) struct Successive {
    pairs: u64,
    absolute: f64,
    square: f64,
}

impl Successive {
    /// Adds the intervals of one sample.
    pub fn add(&mut self, intervals: &[f64]) {
        for pair in intervals.windows(2) {
            let sum = pair[1] + pair[0];
            // Coincident spikes have intervals of 0, which are equal.
            let contrast = if sum == 0.0 { 0.0 } else { (pair[1] - pair[0]) / sum };
            self.pairs += 1;
            self.absolute += contrast.abs();
            self.square += contrast * contrast;
        }
    }

    pub fn cv2(&self) -> Option<f64> {
        (self.pairs > 0).then(|| 2.0 * self.absolute / self.pairs as f64)
    }

    pub fn local_variation(&self) -> Option<f64> {
        (self.pairs > 0).then(|| 3.0 * self.square / self.pairs as f64)
    }
}
