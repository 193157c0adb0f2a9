//! What can be wrong with the entries of a datasheet.

use super::{
    Datasheet, EnergySheet, LinkSheet, NeuronDeviations, NeuronSheet, PresentationSheet, SizeSheet,
    WeightSheet,
};
use crate::settings::{Check, Settings};

impl Settings for Datasheet {
    fn check(&self, check: &mut Check<'_>) {
        check.require(self.tau_s.is_some() == self.time_unit.is_some(), "tau_s", || {
            "tau_s and time_unit go together: both or none".to_owned()
        });
        let physical = self.time_unit.is_none_or(|unit| unit.seconds().is_some());
        check.require(physical, "time_unit", || {
            "`tau_s` is no unit of the chip's own time: it must be s, ms, us or ns".to_owned()
        });
        if let Some(tau_s) = self.tau_s {
            let holds = tau_s > 0.0 && tau_s.is_finite();
            check.require(holds, "tau_s", || format!("{tau_s} must be above 0 and finite"));
        }
        check.not_negative("distortion", self.distortion);
        check.settings("weights", &self.weights);
        check.settings("neurons", &self.neurons);
        check.settings("link", &self.link);
        check.settings("presentation", &self.presentation);
        check.settings("energy", &self.energy);
        check.settings("size", &self.size);
    }
}

impl Settings for WeightSheet {
    fn check(&self, check: &mut Check<'_>) {
        if let Some(bits) = self.magnitude_bits {
            check.range("magnitude_bits", bits, 1..=24, "from 1 to 24");
            check.require(self.largest.is_finite(), "largest", || {
                "bits need a range: give the largest magnitude".to_owned()
            });
        }
        let largest = self.largest;
        check.require(largest > 0.0, "largest", || format!("{largest} must be above 0"));
        for (key, deviation) in [("gain", self.gain), ("offset", self.offset)] {
            if let Some(problem) = deviation.problem() {
                check.refuse(key, problem);
            }
        }
    }
}

impl Settings for NeuronSheet {
    fn check(&self, check: &mut Check<'_>) {
        if let Some(tau_m) = self.tau_m {
            check.require(tau_m > 0.0, "tau_m", || format!("{tau_m} must be above 0"));
        }
        if let Some(period) = self.refractory_period {
            check.not_negative("refractory_period", period);
        }
        check.settings("fixed_pattern", &self.fixed_pattern);
        check.settings("trial_to_trial", &self.trial_to_trial);
        let both = self.measured.is_some() && !self.fixed_pattern.is_ideal();
        check.require(!both, "measured", || {
            "either measured or drawn (fixed_pattern), not both".to_owned()
        });
    }
}

impl Settings for NeuronDeviations {
    fn check(&self, check: &mut Check<'_>) {
        for (name, deviation) in self.entries() {
            if let Some(problem) = deviation.problem() {
                check.refuse(name, problem);
            }
        }
    }
}

impl Settings for LinkSheet {
    fn check(&self, check: &mut Check<'_>) {
        for (key, value) in [
            ("delay", self.delay),
            ("delay_fixed_pattern", self.delay_fixed_pattern),
            ("delay_jitter", self.delay_jitter),
            ("spike_jitter", self.spike_jitter),
            ("interval", self.interval),
        ] {
            check.not_negative(key, value);
        }
        let wait = self.longest_wait;
        check.require(wait >= 0.0, "longest_wait", || format!("{wait} must not be negative"));
        check.range("loss", self.loss, 0.0..=1.0, "from 0 to 1");
    }
}

impl Settings for PresentationSheet {
    fn check(&self, check: &mut Check<'_>) {
        let window = self.window;
        check.require(window > 0.0, "window", || format!("{window} must be above 0"));
        check.require(self.reset || window.is_finite(), "window", || {
            "without a reset between samples they need a window".to_owned()
        });
        check.not_negative("time_stamp", self.time_stamp);
        check.not_negative("overhead_per_sample", self.overhead_per_sample);
        check.not_negative("overhead_per_batch", self.overhead_per_batch);
    }
}

impl Settings for EnergySheet {
    fn check(&self, check: &mut Check<'_>) {
        check.not_negative("static_power", self.static_power);
        check.not_negative("synaptic_event", self.synaptic_event);
        check.not_negative("spike", self.spike);
        check.not_negative("readout", self.readout);
    }
}

impl Settings for SizeSheet {
    fn check(&self, check: &mut Check<'_>) {
        for (key, count) in [
            ("neurons", self.neurons),
            ("synapse_rows", self.synapse_rows),
            ("fan_in", self.fan_in),
        ] {
            check.at_least_one(key, count.unwrap_or(1));
        }
    }
}
