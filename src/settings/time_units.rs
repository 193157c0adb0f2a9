//! Units of time that can be told apart by their names.

/// How many seconds a unit is; none for one that is no unit of physical time, such as `tau_s`.
pub fn seconds(unit: &str) -> Option<f64> {
    Some(match unit.trim() {
        "s" | "sec" | "second" | "seconds" => 1.0,
        "ms" | "msec" | "millisecond" | "milliseconds" => 1e-3,
        // Micro and the Greek letter look the same.
        "us" | "µs" | "μs" | "usec" | "microsecond" | "microseconds" => 1e-6,
        "ns" | "nanosecond" | "nanoseconds" => 1e-9,
        "ps" => 1e-12,
        "min" | "minutes" => 60.0,
        "h" | "hours" => 3600.0,
        _ => return None,
    })
}

/// The usual short name of a physical unit: `ms` for `milliseconds`; none for a unit that is not known.
pub fn short(unit: &str) -> Option<&'static str> {
    let seconds = seconds(unit)?;
    let units = ["s", "ms", "us", "ns", "ps", "min", "h"];
    units.into_iter().find(|short| self::seconds(short) == Some(seconds))
}

/// By what a time in one unit is multiplied to be one in another; none if that is not known.
pub fn factor(from: &str, to: &str) -> Option<f64> {
    if from == to {
        return Some(1.0);
    }
    let ratio = seconds(from)? / seconds(to)?;
    // A power of ten that is not exact would shift every time by a rounding error more.
    let rounded = ratio.round();
    let is_whole = rounded >= 1.0 && (ratio / rounded - 1.0).abs() < 1e-12;
    Some(if is_whole { rounded } else { ratio })
}

/// By what times are multiplied or divided to be in another unit. A whole number either way where there is
/// one, so that a time is rounded once: 0.9 ms are 0.0009 s, but 0.9 · 0.001 is not.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TimeFactor {
    /// The unit of the times is the larger one, or the same.
    Times(f64),
    /// The unit of the times is the smaller one.
    By(f64),
}

impl TimeFactor {
    /// No change.
    pub const ONE: TimeFactor = TimeFactor::Times(1.0);

    /// From a unit to another; none if that is not known.
    pub fn between(from: &str, to: &str) -> Option<Self> {
        let forward = factor(from, to)?;
        let back = factor(to, from).filter(|back| forward < 1.0 && back.fract() == 0.0);
        Some(back.map_or(TimeFactor::Times(forward), TimeFactor::By))
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

impl std::fmt::Display for TimeFactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            TimeFactor::Times(factor) => write!(f, "multiplied by {factor}"),
            TimeFactor::By(divisor) => write!(f, "divided by {divisor}"),
        }
    }
}

/// A unit as it is printed: `µs` for `us`, `τ_s` for `tau_s`.
pub fn symbol(unit: &str) -> String {
    match unit {
        "us" => "µs".to_owned(),
        _ => unit.replace("tau_", "τ_"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_converted_if_both_are_known() {
        assert_eq!(factor("s", "ms"), Some(1e3));
        assert_eq!(factor("ms", "µs"), Some(1e3));
        assert_eq!(factor("us", "s"), Some(1e-6));
        assert_eq!(factor("tau_s", "tau_s"), Some(1.0));
        assert_eq!(factor("tau_s", "ms"), None);
        assert_eq!(
            [short("milliseconds"), short("µs"), short("tau_s")],
            [Some("ms"), Some("us"), None]
        );
    }

    #[test]
    fn a_time_is_rounded_once() {
        let convert = |time, from, to| TimeFactor::between(from, to).map(|it| it.apply(time));
        assert_eq!(convert(0.9, "ms", "s"), Some(0.0009));
        assert_eq!(convert(1.5, "ms", "ms"), Some(1.5));
        assert_eq!(convert(1.5, "ms", "s"), Some(0.0015));
        assert_eq!(convert(0.1, "ms", "us"), Some(100.0));
        assert_eq!(convert(0.1, "milliseconds", "µs"), Some(100.0));
        assert_eq!(convert(90.0, "s", "min"), Some(1.5));
        assert_eq!(convert(2.0, "tau_s", "tau_s"), Some(2.0));
        assert_eq!(convert(2.0, "ms", "tau_s"), None);
        let said = TimeFactor::between("ms", "s").map(|factor| factor.to_string());
        assert_eq!(said.as_deref(), Some("divided by 1000"));
    }

    #[test]
    fn units_are_printed_with_greek_letters() {
        assert_eq!(["us", "ms", "tau_s", "tau_m"].map(symbol), ["µs", "ms", "τ_s", "τ_m"]);
    }
}
