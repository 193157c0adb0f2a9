//! Physical quantities with the SI prefix that suits them: one value, or a column or axis of values.

/// Prefixes of units and their sizes, the largest first.
const PREFIXES: [(f64, &str); 7] =
    [(1.0, ""), (1e-3, "m"), (1e-6, "µ"), (1e-9, "n"), (1e-12, "p"), (1e-15, "f"), (1e-18, "a")];

/// A quantity with three digits and the prefix that suits it: `8.40 µJ`.
pub fn with_prefix(value: f64, unit: &str) -> String {
    if !value.is_finite() {
        return "unknown".to_owned();
    }
    let found = PREFIXES.iter().find(|(size, _)| value.abs() >= 0.9995 * size);
    let &(size, prefix) = found.unwrap_or(&PREFIXES[0]);
    let scaled = value / size;
    let digits = if scaled >= 99.95 {
        0
    } else if scaled >= 9.995 {
        1
    } else {
        2
    };
    format!("{scaled:.digits$} {prefix}{unit}")
}

/// The prefix of values that stand in one column or at one axis with two decimals, and its size: the largest
/// in which the least of them is still at least 0.1. Zeros and what is not finite do not count.
pub fn common_prefix(values: impl IntoIterator<Item = f64>) -> (f64, &'static str) {
    let counts = |value: &f64| value.is_finite() && *value != 0.0;
    let least = values.into_iter().map(f64::abs).filter(counts).fold(f64::INFINITY, f64::min);
    let found = PREFIXES.iter().find(|(size, _)| least >= 0.0995 * size);
    *found.unwrap_or(&PREFIXES[PREFIXES.len() - 1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_have_three_digits() {
        for (value, expected) in [
            (8.4e-6, "8.40 µJ"),
            (48e-6, "48.0 µJ"),
            (0.9999e-3, "1.00 mJ"),
            (852e-6, "852 µJ"),
            (0.0, "0.00 J"),
            (15e-9, "15.0 nJ"),
            (1.11e-9, "1.11 nJ"),
            (12.0, "12.0 J"),
        ] {
            assert_eq!(with_prefix(value, "J"), expected);
        }
    }

    #[test]
    fn values_side_by_side_have_one_prefix() {
        for (values, expected) in [
            (vec![8.4e-6, 48e-6], "µ"),
            (vec![0.62e-6, 1.03e-6], "µ"),
            (vec![1.11e-9, 0.0, f64::NAN], "n"),
            (vec![1e-9, 20e-6], "n"),
            (vec![3.0], ""),
            (vec![], ""),
        ] {
            assert_eq!(common_prefix(values.iter().copied()).1, expected, "{values:?}");
        }
    }
}
