//! From a file's unit of time to the network's.

/// By what times are multiplied or divided: a power of ten, so that a decimal stays the decimal that it was.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TimeFactor {
    /// The file's unit is the larger one, or the same.
    Times(f64),
    /// The file's unit is the smaller one.
    By(f64),
}

impl TimeFactor {
    /// No change.
    pub const ONE: TimeFactor = TimeFactor::Times(1.0);

    /// From a unit such as `ms` to another; none if one of them is no unit of physical time and they differ.
    pub fn between(from: &str, to: &str) -> Option<Self> {
        if from == to {
            return Some(Self::ONE);
        }
        let exponent = |unit: &str| {
            Some(match unit {
                "s" => 0,
                "ms" => -3,
                "us" | "µs" | "μs" => -6,
                "ns" => -9,
                _ => return None,
            })
        };
        let difference: i32 = exponent(from)? - exponent(to)?;
        let power = 10_f64.powi(difference.abs());
        Some(if difference >= 0 { TimeFactor::Times(power) } else { TimeFactor::By(power) })
    }

    /// A time in the other unit.
    #[inline]
    pub fn apply(self, time: f64) -> f64 {
        match self {
            TimeFactor::Times(factor) => time * factor,
            TimeFactor::By(divisor) => time / divisor,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_stay_decimals() {
        let convert = |time, from, to| TimeFactor::between(from, to).map(|it| it.apply(time));
        assert_eq!(convert(1.5, "ms", "ms"), Some(1.5));
        assert_eq!(convert(1.5, "ms", "s"), Some(0.0015));
        assert_eq!(convert(0.1, "ms", "us"), Some(100.0));
        assert_eq!(convert(2.0, "tau_s", "tau_s"), Some(2.0));
        assert_eq!(convert(2.0, "ms", "tau_s"), None);
    }
}
