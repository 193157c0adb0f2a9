//! Where the marks of an axis are.

/// A range of values with round marks on it.
#[derive(Clone, Debug, PartialEq)]
pub struct Ticks {
    /// The range, a little more than the values.
    pub low: f64,
    pub high: f64,
    /// The marks.
    pub at: Vec<f64>,
    /// Digits after the point.
    digits: usize,
}

/// Marks that an axis has about.
const COUNT: f64 = 5.0;

impl Ticks {
    /// Marks for values between these, of which none is above `most`.
    pub fn new(low: f64, high: f64, most: Option<f64>) -> Self {
        let largest = low.abs().max(high.abs()).max(1e-12);
        // Values that are all the same still need an axis.
        let spread = (high - low).max(0.02 * largest);
        let middle = 0.5 * (low + high);
        let (low, high) = (middle - 0.5 * spread, middle + 0.5 * spread);
        let (low, high) = (low - 0.06 * spread, high + 0.06 * spread);
        let step = step(high - low);
        let low = if low < 0.0 && middle - 0.5 * spread >= 0.0 { 0.0 } else { low };
        let first = (low / step).ceil() as i64;
        let last = (high / step).floor() as i64;
        let marks = (first..=last).map(|index| index as f64 * step);
        let at = marks.filter(|&mark| most.is_none_or(|most| mark <= most)).collect();
        Ticks { low, high, at, digits: (-step.log10().floor()).clamp(0.0, 12.0) as usize }
    }

    /// How a mark is written.
    pub fn text(&self, mark: f64) -> String {
        // A mark at zero may be a rounded negative number.
        let text = format!("{mark:.*}", self.digits);
        if mark.abs() < 1e-9 * (self.high - self.low) {
            text.trim_start_matches('-').to_owned()
        } else {
            text.replace('-', "−")
        }
    }
}

/// The round number nearest to a `COUNT`th of a span.
pub fn step(span: f64) -> f64 {
    let wanted = span / COUNT;
    let power = 10_f64.powf(wanted.log10().floor());
    let round = [1.0, 2.0, 5.0, 10.0];
    let nearest = round.into_iter().min_by(|one, two| {
        let distance = |round: f64| (round * power / wanted).ln().abs();
        distance(*one).total_cmp(&distance(*two))
    });
    nearest.unwrap_or(1.0) * power
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_round_and_within() {
        for (low, high, expected) in [
            (91.0, 99.0, vec!["92", "94", "96", "98"]),
            (0.0, 0.31, vec!["0.00", "0.05", "0.10", "0.15", "0.20", "0.25", "0.30"]),
            (-1.0, 1.0, vec!["−1.0", "−0.5", "0.0", "0.5", "1.0"]),
        ] {
            let ticks = Ticks::new(low, high, None);
            let texts: Vec<String> = ticks.at.iter().map(|&mark| ticks.text(mark)).collect();
            assert_eq!(texts, expected);
            assert!(ticks.low <= low && ticks.high >= high);
        }
        let same = Ticks::new(98.0, 98.0, Some(100.0));
        assert!(same.at.len() >= 3 && same.at.iter().all(|mark| *mark <= 100.0), "{same:?}");
    }
}
