//! What can be wrong with the entries of a datasheet.

use super::{Datasheet, NeuronDeviations};

impl Datasheet {
    /// What is wrong with its entries: keys and messages.
    pub fn problems(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        let mut require = |holds: bool, key: &str, message: String| {
            if !holds {
                found.push((key.to_owned(), message));
            }
        };
        let Datasheet { weights, neurons, link, presentation, energy, size, .. } = self;
        let pair = self.tau_s.is_some() == self.time_unit.is_some();
        require(pair, "tau_s", "tau_s and time_unit go together: both or none".to_owned());
        let positive = |value: f64| value > 0.0 && value.is_finite();
        let not_negative = |value: f64| value >= 0.0 && value.is_finite();
        if let Some(tau_s) = self.tau_s {
            require(positive(tau_s), "tau_s", format!("{tau_s} must be above 0 and finite"));
        }
        if let Some(tau_m) = neurons.tau_m {
            require(tau_m > 0.0, "neurons.tau_m", format!("{tau_m} must be above 0"));
        }
        if let Some(bits) = weights.magnitude_bits {
            let holds = (1..=24).contains(&bits);
            require(holds, "weights.magnitude_bits", format!("{bits} must be from 1 to 24"));
            let message = "bits need a range: give the largest magnitude".to_owned();
            require(weights.largest.is_finite(), "weights.largest", message);
        }
        let message = format!("{} must be above 0", weights.largest);
        require(weights.largest > 0.0, "weights.largest", message);
        for (key, value) in [
            ("distortion", self.distortion),
            ("link.delay", link.delay),
            ("link.delay_fixed_pattern", link.delay_fixed_pattern),
            ("link.delay_jitter", link.delay_jitter),
            ("link.spike_jitter", link.spike_jitter),
            ("link.interval", link.interval),
            ("presentation.time_stamp", presentation.time_stamp),
            ("presentation.overhead_per_sample", presentation.overhead_per_sample),
            ("presentation.overhead_per_batch", presentation.overhead_per_batch),
            ("energy.static_power", energy.static_power),
            ("energy.synaptic_event", energy.synaptic_event),
            ("energy.spike", energy.spike),
            ("energy.readout", energy.readout),
            ("neurons.refractory_period", neurons.refractory_period.unwrap_or(0.0)),
        ] {
            require(not_negative(value), key, format!("{value} must be finite and not negative"));
        }
        let message = format!("{} must be from 0 to 1", link.loss);
        require((0.0..=1.0).contains(&link.loss), "link.loss", message);
        let message = format!("{} must not be negative", link.longest_wait);
        require(link.longest_wait >= 0.0, "link.longest_wait", message);
        let message = format!("{} must be above 0", presentation.window);
        require(presentation.window > 0.0, "presentation.window", message);
        let message = "without a reset between samples they need a window".to_owned();
        require(
            presentation.reset || presentation.window.is_finite(),
            "presentation.window",
            message,
        );
        for (key, count) in [
            ("size.neurons", size.neurons),
            ("size.synapse_rows", size.synapse_rows),
            ("size.fan_in", size.fan_in),
        ] {
            require(count != Some(0), key, "0 must be at least 1".to_owned());
        }
        let of_weights = [("weights.gain", weights.gain), ("weights.offset", weights.offset)];
        let named = |part: &str, deviations: &NeuronDeviations| {
            deviations
                .entries()
                .map(|(name, deviation)| (format!("neurons.{part}.{name}"), deviation))
        };
        let deviations = of_weights
            .map(|(key, deviation)| (key.to_owned(), deviation))
            .into_iter()
            .chain(named("fixed_pattern", &neurons.fixed_pattern))
            .chain(named("trial_to_trial", &neurons.trial_to_trial));
        for (key, deviation) in deviations {
            if let Some(problem) = deviation.problem() {
                require(false, &key, problem);
            }
        }
        let both = neurons.measured.is_none() || neurons.fixed_pattern.is_ideal();
        let message = "either measured or drawn (fixed_pattern), not both".to_owned();
        require(both, "neurons.measured", message);
        found
    }
}
