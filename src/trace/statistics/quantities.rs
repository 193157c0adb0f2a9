//! The quantities of a group with their names and units, for tables, CSV and JSON alike.

use super::GroupStatistics;
use crate::settings::time_units;

/// A quantity of a group.
#[derive(Clone, Debug, PartialEq)]
pub struct Quantity {
    /// Its name in CSV and JSON, with the unit if it has one.
    pub name: String,
    /// Its name in a table, with the unit in brackets.
    pub label: String,
    /// Its value; none if it is not known or not defined.
    pub value: Option<f64>,
    /// Whether it is a number of things.
    pub is_count: bool,
}

/// The unit of rates and by what spikes per time unit are multiplied: per second if the time unit is
/// one of physical time, else per time unit.
pub fn rate_unit(time_unit: Option<&str>) -> (String, String, f64) {
    match time_unit {
        Some(unit) => match time_units::seconds(unit) {
            Some(seconds) => ("per_second".to_owned(), "1/s".to_owned(), 1.0 / seconds),
            None => (format!("per_{unit}"), format!("1/{unit}"), 1.0),
        },
        None => ("per_time_unit".to_owned(), "1/time unit".to_owned(), 1.0),
    }
}

impl GroupStatistics {
    /// All quantities, in the same order for every group; the unit of time is that of the trace, or
    /// none if it is not known.
    pub fn quantities(&self, time_unit: Option<&str>) -> Vec<Quantity> {
        let count = |name: &str, label: &str, value: Option<u64>| Quantity {
            name: name.to_owned(),
            label: label.to_owned(),
            value: value.map(|value| value as f64),
            is_count: true,
        };
        let pure = |name: &str, label: &str, value: Option<f64>| Quantity {
            name: name.to_owned(),
            label: label.to_owned(),
            value,
            is_count: false,
        };
        let time = |name: &str, label: &str, value: Option<f64>| match time_unit {
            Some(unit) => pure(&format!("{name}_{unit}"), &format!("{label} [{unit}]"), value),
            None => pure(name, &format!("{label} [time unit]"), value),
        };
        let (rate_name, rate_label, per_unit) = rate_unit(time_unit);
        let (latency, interval) = (self.latency.as_ref(), self.interval.as_ref());
        let silent = self.size.map(|size| size - self.spiking);
        vec![
            count("neurons", "neurons", self.size),
            count("spiking_neurons", "neurons that spike", Some(self.spiking)),
            count("silent_neurons", "silent neurons", silent),
            count("spikes", "spikes", Some(self.spikes)),
            pure("spikes_per_sample", "spikes per sample", Some(self.spikes_per_sample)),
            pure(
                &format!("rate_{rate_name}"),
                &format!("rate per neuron [{rate_label}]"),
                self.rate.map(|rate| rate * per_unit),
            ),
            time("first_spike_mean", "first spike, mean", latency.map(|found| found.mean)),
            time(
                "first_spike_lower_quartile",
                "first spike, lower quartile",
                latency.map(|found| found.lower_quartile),
            ),
            time("first_spike_median", "first spike, median", latency.map(|found| found.median)),
            time(
                "first_spike_upper_quartile",
                "first spike, upper quartile",
                latency.map(|found| found.upper_quartile),
            ),
            time("interval_mean", "interval, mean", interval.map(|found| found.mean)),
            time("interval_median", "interval, median", interval.map(|found| found.median)),
            pure(
                "coefficient_of_variation",
                "coefficient of variation",
                self.coefficient_of_variation,
            ),
            pure("cv2", "CV2", self.cv2),
            pure("local_variation", "local variation", self.local_variation),
            pure("fano_factor", "synchrony (Fano factor)", self.fano_factor),
        ]
    }
}
