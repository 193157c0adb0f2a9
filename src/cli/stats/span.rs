//! From when to when a sample is, and how that is known.

use super::StatsArguments;
use crate::cli::traces::number;
use crate::run::RunMetadata;
use crate::settings::time_units;
use crate::trace::recording::Recording;

/// The window of a sample, in the time unit of the trace.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Span {
    pub from: f64,
    /// What begins there.
    pub from_is: &'static str,
    pub to: f64,
    /// What ends there.
    pub to_is: &'static str,
}

/// No sample begins this late in a trace that counts time from the start of the sample: in seconds, and
/// where the unit is not known. Time stamps do, which count from 1970.
const LATE: (f64, f64) = (86_400.0, 1e8);

/// Width of the usual bins, in seconds: that of Potjans and Diesmann (Cerebral Cortex 24, 2014).
const BIN: f64 = 3e-3;

impl Span {
    /// That of the samples of a trace.
    ///
    /// # Errors
    /// If it is given, and there are spikes after its end.
    pub fn of(
        recording: &Recording,
        arguments: &StatsArguments,
        metadata: &RunMetadata,
    ) -> Result<Self, String> {
        let times = || recording.times.iter().copied();
        let first = times().reduce(f64::min).unwrap_or(0.0);
        let last = times().reduce(f64::max).unwrap_or(0.0);
        let unit = recording.time_unit.as_deref();
        let ended = metadata.end_in(unit).filter(|&(end, _)| end >= last);
        let (to, to_is) = match (arguments.duration, ended) {
            (Some(duration), _) if duration < last => {
                return Err(format!("--duration {duration}: the last spike is at {last}"));
            }
            (Some(duration), _) => (duration, "--duration"),
            (None, Some((end, false))) => (end, "the end of the simulation"),
            (None, Some((end, true))) => (end, "where the simulation was interrupted"),
            (None, None) => (last.max(0.0), "the last spike"),
        };
        let late = unit.and_then(time_units::seconds).map_or(LATE.1, |seconds| LATE.0 / seconds);
        let is_stamp = to_is == "the last spike" && first > late && first > last - first;
        let (from, from_is) =
            if is_stamp || first < 0.0 { (first, "the first spike") } else { (0.0, "the start") };
        let mut span = Span { from, from_is, to, to_is };
        if let Some((from, to)) = arguments.selection.selection().window {
            if from.is_finite() {
                (span.from, span.from_is) = (from, "--window");
            }
            if to.is_finite() {
                (span.to, span.to_is) = (to, "--window");
            }
        }
        span.to = span.to.max(span.from);
        Ok(span)
    }

    /// The usual width of bins: 3 ms, but at most a hundredth of the span.
    pub fn usual_bin(&self, unit: Option<&str>) -> f64 {
        let hundredth = (self.to - self.from) / 100.0;
        // A span without extent has no bins, whatever their width.
        let hundredth = if hundredth > 0.0 { hundredth } else { 1.0 };
        unit.and_then(time_units::seconds).map_or(hundredth, |seconds| hundredth.min(BIN / seconds))
    }

    /// The span as a line.
    pub fn describe(&self, unit: &str) -> String {
        let Span { from, from_is, to, to_is } = self;
        if *from_is == "the first spike" && *from > 0.0 {
            let length = number(to - from);
            return format!("from {from_is}, at {from} {unit}, to {to_is}, {length} {unit} later");
        }
        format!("from {} to {} {unit} ({to_is})", number(*from), number(*to))
    }
}
