//! How irregular the intervals between the spikes of a neuron are.

/// Coefficient of variation: the standard deviation of the intervals over their mean, √(⟨I²⟩ − ⟨I⟩²) / ⟨I⟩,
/// where ⟨⟩ is the mean over all intervals of the neuron, in all samples. 0 for a clock, 1 for a
/// Poisson process; none for fewer than two intervals.
pub fn coefficient_of_variation(intervals: &[f64]) -> Option<f64> {
    if intervals.len() < 2 {
        return None;
    }
    let count = intervals.len() as f64;
    let mean = intervals.iter().sum::<f64>() / count;
    let variance = intervals.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
    Some(variance.sqrt() / mean)
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
            let contrast = (pair[1] - pair[0]) / (pair[1] + pair[0]);
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
