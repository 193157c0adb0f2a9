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
    fn units_are_printed_with_greek_letters() {
        assert_eq!(["us", "ms", "tau_s", "tau_m"].map(symbol), ["µs", "ms", "τ_s", "τ_m"]);
    }
}
