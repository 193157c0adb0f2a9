//! Values that are in their range, and yet may be meant otherwise: percent for a fraction, nanojoules for joules.

use super::Scenario;
use crate::chip::{Datasheet, Deviation, EnergySheet};
use crate::dataset::TimeNoise;

/// No spike, and no synaptic event, takes as much, in joules.
const MUCH_ENERGY: f64 = 1e-6;

/// No chip takes as much, in watts.
const MUCH_POWER: f64 = 1e3;

/// Synaptic time constants after which a neuron has forgotten a spike, many times over.
const LONG: f64 = 50.0;

impl Scenario {
    /// What is odd about the values, a sentence each, with the key and the unit.
    pub fn doubts(&self) -> Vec<String> {
        let mut doubts = Vec::new();
        if let Some(sheet) = &self.chip {
            spreads(sheet, &mut doubts);
            energies(&sheet.energy, &mut doubts);
        }
        let Some(encoding) = &self.encoding else { return doubts };
        let range = encoding.latest - encoding.earliest;
        if let Some(augmentation) = self.augmentation()
            && let Some(TimeNoise::Fixed(noise)) = augmentation.time_noise
            && noise > range
        {
            doubts.push(format!(
                "training.augmentation.time_noise: {noise} is more than the range of the encoding, {range}, and leaves \
                 nothing of the features (both in time units)"
            ));
        }
        let neuron = self.layers.first().and_then(|layer| layer.neuron.constant());
        if let Some(tau_s) = neuron.map(|neuron| neuron.tau_s)
            && range > LONG * tau_s
        {
            doubts.push(format!(
                "encoding: from {} to {} are {:.0} synaptic time constants: a neuron has forgotten the first spikes when \
                 the last come (in time units)",
                encoding.earliest,
                encoding.latest,
                range / tau_s
            ));
        }
        doubts
    }
}

fn spreads(sheet: &Datasheet, doubts: &mut Vec<String>) {
    let mut spread = |key: String, deviation: Deviation| {
        let std = deviation.std;
        if std > 1.0 {
            doubts.push(format!(
                "chip.{key}: a spread of {std} is {:.0} % of the target: {} for {std} %",
                100.0 * std,
                std / 100.0
            ));
        }
    };
    spread("weights.gain".to_owned(), sheet.weights.gain);
    for (part, deviations) in [
        ("fixed_pattern", &sheet.neurons.fixed_pattern),
        ("trial_to_trial", &sheet.neurons.trial_to_trial),
    ] {
        for (name, deviation) in deviations.entries() {
            // Potentials are in units of the threshold.
            if !name.ends_with("potential") {
                spread(format!("neurons.{part}.{name}"), deviation);
            }
        }
    }
}

fn energies(energy: &EnergySheet, doubts: &mut Vec<String>) {
    let EnergySheet { static_power, synaptic_event, spike, .. } = *energy;
    for (key, joules) in [("spike", spike), ("synaptic_event", synaptic_event)] {
        if joules > MUCH_ENERGY {
            doubts.push(format!("chip.energy.{key}: {joules} is in joules: 1e-9 for a nanojoule"));
        }
    }
    if static_power > MUCH_POWER {
        doubts.push(format!("chip.energy.static_power: {static_power} is in watts"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_amounts_are_said_with_their_unit_and_usual_ones_are_not() {
        let doubts = |text: &str| {
            let scenario: Scenario = toml::from_str(text).expect(text);
            scenario.doubts()
        };
        let start = "layers = [{ size = 3, neuron = { tau_s = 1.0 } }]\n";
        for (text, expected) in [
            ("chip.neurons.fixed_pattern.threshold = 5", "0.05 for 5 %"),
            ("chip.weights.gain = 2", "chip.weights.gain"),
            ("chip.energy.spike = 10", "in joules"),
            ("chip.energy.static_power = 2000", "in watts"),
            ("encoding = { earliest = 0.1, latest = 300.0 }", "300 synaptic time constants"),
            (
                "encoding = { earliest = 0.1, latest = 2.0 }\ntraining.augmentation.time_noise = 50",
                "time_noise: 50",
            ),
        ] {
            let found = doubts(&format!("{start}{text}\n"));
            assert!(found.len() == 1 && found[0].contains(expected), "{text}: {found:?}");
        }
        let usual = "encoding = { earliest = 0.1, latest = 2.0 }\ntraining.augmentation.time_noise = 0.1\n\
                     chip = { neurons.fixed_pattern.threshold = 0.2, energy = { spike = 1e-9, static_power = 0.2 } }";
        assert!(doubts(&format!("{start}{usual}\n")).is_empty());
    }
}
