//! Round numbers for the marks of axes.

/// What a round number begins with; ten so that there is always one that is not less than a number.
const ROUND: [f64; 4] = [1.0, 2.0, 5.0, 10.0];

/// Marks that an axis with [`Ticks`] has about.
const COUNT: f64 = 5.0;

/// The power of ten of a number's first digit.
fn power_of_ten(number: f64) -> f64 {
    10_f64.powf(number.log10().floor())
}

/// The round number nearest to a number, by their ratio.
pub(super) fn nearest_round(wanted: f64) -> f64 {
    let power = power_of_ten(wanted);
    let distance = |round: f64| (round * power / wanted).ln().abs();
    let nearest = ROUND.into_iter().min_by(|&a, &b| distance(a).total_cmp(&distance(b)));
    nearest.unwrap_or(1.0) * power
}

/// The smallest round number that is not less than a number.
pub(super) fn round_up(least: f64) -> f64 {
    let power = power_of_ten(least);
    let steps = ROUND.map(|round| round * power);
    steps.into_iter().find(|&step| step >= least * (1.0 - 1e-9)).unwrap_or(10.0 * power)
}

/// Round numbers between two, a `step` apart, with as many digits as they need.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct RoundNumbers {
    pub step: f64,
    first: i64,
    last: i64,
    digits: usize,
}

impl RoundNumbers {
    /// About five.
    pub fn about_five((low, high): (f64, f64)) -> Self {
        Self::new((low, high), nearest_round((high - low) / COUNT))
    }

    /// As many as possible, but no more than `most`.
    pub fn at_most((low, high): (f64, f64), most: usize) -> Self {
        Self::new((low, high), round_up((high - low) / most.max(1) as f64))
    }

    fn new((low, high): (f64, f64), step: f64) -> Self {
        // A hair beyond the ends, lest rounding takes the marks there away.
        let hair = 1e-9 * (high - low) / step;
        let (first, last) = ((low / step - hair).ceil(), (high / step + hair).floor());
        let digits = (-(step.log10() + 1e-9).floor()).clamp(0.0, 15.0) as usize;
        RoundNumbers { step, first: first as i64, last: last as i64, digits }
    }

    /// How many intervals there are between them.
    pub fn intervals(&self) -> i64 {
        self.last - self.first
    }

    /// The numbers and how they are written.
    pub fn all(&self) -> Vec<(f64, String)> {
        (self.first..=self.last)
            .map(|index| {
                let value = index as f64 * self.step;
                let text = format!("{:.*}", self.digits, if index == 0 { 0.0 } else { value });
                (value, text.replace('-', "−"))
            })
            .collect()
    }

    /// How many letters the longest has.
    pub fn width(&self) -> usize {
        self.all().iter().map(|(_, text)| text.chars().count()).max().unwrap_or(1)
    }
}

/// A range of values with round marks on it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Ticks {
    /// The range, a little more than the values.
    pub low: f64,
    pub high: f64,
    /// The marks, and how they are written.
    pub marks: Vec<(f64, String)>,
}

impl Ticks {
    /// Marks for values between these, of which none is above `most`.
    pub fn new(low: f64, high: f64, most: Option<f64>) -> Self {
        let largest = low.abs().max(high.abs()).max(1e-12);
        // Values that are all the same still need an axis.
        let spread = (high - low).max(0.02 * largest);
        let middle = 0.5 * (low + high);
        let (low, high) = (middle - 0.5 * spread, middle + 0.5 * spread);
        let (low, high) = (low - 0.06 * spread, high + 0.06 * spread);
        let step = nearest_round((high - low) / COUNT);
        let low = if low < 0.0 && middle - 0.5 * spread >= 0.0 { 0.0 } else { low };
        let mut marks = RoundNumbers::new((low, high), step).all();
        marks.retain(|&(mark, _)| most.is_none_or(|most| mark <= most));
        Ticks { low, high, marks }
    }
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
            let texts: Vec<&str> = ticks.marks.iter().map(|(_, text)| text.as_str()).collect();
            assert_eq!(texts, expected);
            assert!(ticks.low <= low && ticks.high >= high);
        }
        let same = Ticks::new(98.0, 98.0, Some(100.0));
        let marks = &same.marks;
        assert!(marks.len() >= 3 && marks.iter().all(|(mark, _)| *mark <= 100.0), "{same:?}");
    }

    #[test]
    fn numbers_are_rounded_to_the_nearest_or_up() {
        assert_eq!(
            [0.9, 1.3, 1.5, 3.0, 4.0, 8.0].map(nearest_round),
            [1.0, 1.0, 2.0, 2.0, 5.0, 10.0]
        );
        assert_eq!([1.0, 1.5, 3.0, 7.0, 60.0].map(round_up), [1.0, 2.0, 5.0, 10.0, 100.0]);
    }
}
