//! What a classification takes on the hardware: time and energy.

use serde::{Deserialize, Deserializer, Serialize};

use super::datasheet::{Datasheet, EnergySheet};
use super::substrate::{Activity, UntilDecision};
use crate::settings::TimeUnit;

/// The clock of a chip beside that of the model.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HardwareClock {
    /// Its unit.
    pub unit: TimeUnit,
    /// Hardware time, in that unit, of one time unit of the model.
    pub per_model_time: f64,
    /// That unit in seconds.
    pub unit_seconds: f64,
}

impl HardwareClock {
    /// The clock of a chip for neurons with this synaptic time constant, in the model's time unit; none
    /// if the sheet is in model time.
    pub fn new(sheet: &Datasheet, tau_s: f64) -> Option<Self> {
        let (unit, on_chip) = (sheet.time_unit?, sheet.tau_s?);
        let unit_seconds = unit.seconds()?;
        Some(HardwareClock { unit, per_model_time: on_chip / tau_s, unit_seconds })
    }

    /// A time of the model, in seconds on the hardware.
    fn seconds(&self, model_time: f64) -> f64 {
        model_time * self.per_model_time * self.unit_seconds
    }
}

/// Time and energy of a classification, in the mean over a set of samples. In seconds and joules.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HardwareAccount {
    /// The chip.
    pub chip: String,
    /// Seconds on the hardware that one synaptic time constant of the model takes.
    pub synaptic_time_constant: f64,
    /// How much faster the hardware is than the model, if the model's time has a physical unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speedup_factor: Option<f64>,
    /// From the start of a sample to its decision: the first spike of a label neuron.
    #[serde(deserialize_with = "number_or_nan")]
    pub decision_time: f64,
    /// What a sample takes: its window, and the overhead. Without a window, to the decision.
    #[serde(deserialize_with = "number_or_nan")]
    pub time_per_sample: f64,
    /// What a batch takes.
    #[serde(deserialize_with = "number_or_nan")]
    pub time_per_batch: f64,
    /// Samples per batch.
    pub batch_size: usize,
    /// Samples per second, batch after batch.
    #[serde(deserialize_with = "number_or_nan")]
    pub samples_per_second: f64,
    /// Neurons' spikes per sample, while it lasts: within its window, or until its decision.
    pub spikes_per_sample: f64,
    /// Arrivals at synapses per sample, while it lasts.
    pub synaptic_events_per_sample: f64,
    /// Fraction of the spikes sent to a layer that were lost.
    pub lost_fraction: f64,
    /// Energy per sample; unknown if the sheet has no entries for energy.
    pub energy_per_sample: Option<f64>,
    /// Its part for the static power.
    pub static_energy: Option<f64>,
    /// Its part for synaptic events.
    pub synaptic_energy: Option<f64>,
    /// Its part for spikes.
    pub spike_energy: Option<f64>,
    /// Its part for the readout.
    pub readout_energy: Option<f64>,
}

/// JSON has no number that is none: it is written as null.
fn number_or_nan<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or(f64::NAN))
}

impl HardwareAccount {
    /// The account of what happened in a number of samples; none without any. The sheet is in model time
    /// ([`Datasheet::in_model_time`]); `tau_s` and `decision_time` are, too.
    pub fn new(
        sheet: &Datasheet,
        clock: HardwareClock,
        tau_s: f64,
        activity: &Activity,
        decision_time: f64,
        batch_size: usize,
    ) -> Option<Self> {
        if activity.samples == 0 {
            return None;
        }
        let per_sample = |count: u64| count as f64 / activity.samples as f64;
        let shown = &sheet.presentation;
        // Time and events are counted over the same span.
        let (lasts, spikes, synaptic_events) = if shown.window.is_finite() {
            (shown.window, activity.spikes, activity.synaptic_events)
        } else {
            let UntilDecision { spikes, synaptic_events } = activity.until_decision;
            (decision_time, spikes, synaptic_events)
        };
        let (spikes, synaptic_events) = (per_sample(spikes), per_sample(synaptic_events));
        let time_per_sample = clock.seconds(lasts + shown.overhead_per_sample);
        let time_per_batch =
            batch_size as f64 * time_per_sample + clock.seconds(shown.overhead_per_batch);
        // A sheet of zeros says nothing: no chip works without energy.
        let energy = (sheet.energy != EnergySheet::default()).then_some(sheet.energy);
        let part = |of: &dyn Fn(EnergySheet) -> f64| energy.map(of);
        let static_energy = part(&|it| it.static_power * time_per_batch / batch_size as f64);
        let synaptic_energy = part(&|it| it.synaptic_event * synaptic_events);
        let spike_energy = part(&|it| it.spike * spikes);
        let readout_energy = part(&|it| it.readout);
        let parts = [static_energy, synaptic_energy, spike_energy, readout_energy];
        Some(HardwareAccount {
            chip: sheet.name.clone(),
            synaptic_time_constant: clock.seconds(tau_s),
            speedup_factor: None,
            decision_time: clock.seconds(decision_time),
            time_per_sample,
            time_per_batch,
            batch_size,
            samples_per_second: batch_size as f64 / time_per_batch,
            spikes_per_sample: spikes,
            synaptic_events_per_sample: synaptic_events,
            lost_fraction: activity.lost as f64 / activity.events.max(1) as f64,
            energy_per_sample: parts.into_iter().sum(),
            static_energy,
            synaptic_energy,
            spike_energy,
            readout_energy,
        })
    }

    /// The same with the speedup factor of a model whose time unit is so many seconds.
    pub fn for_time_unit(self, seconds: Option<f64>, tau_s: f64) -> Self {
        let speedup_factor = seconds.map(|unit| unit * tau_s / self.synaptic_time_constant);
        HardwareAccount { speedup_factor, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_and_energy_add_up() {
        let sheet = Datasheet {
            time_unit: Some(TimeUnit::Us),
            tau_s: Some(6.0),
            presentation: super::super::PresentationSheet {
                window: 48.0,
                overhead_per_batch: 480.0,
                ..Default::default()
            },
            energy: super::super::EnergySheet {
                static_power: 0.175,
                synaptic_event: 1e-12,
                spike: 1e-9,
                readout: 1e-7,
            },
            ..Datasheet::default()
        };
        // One time unit of the model is a tenth of a synaptic time constant.
        let clock = HardwareClock::new(&sheet, 10.0).expect("a clock");
        let in_model_time = sheet.in_model_time(1.0 / clock.per_model_time);
        assert_eq!(in_model_time.presentation.window, 80.0);
        let activity = Activity {
            samples: 2,
            spikes: 200,
            events: 40,
            lost: 10,
            synaptic_events: 20_000,
            until_decision: UntilDecision { spikes: 120, synaptic_events: 4_000 },
        };
        let account = HardwareAccount::new(&in_model_time, clock, 10.0, &activity, 15.0, 100)
            .expect("there are samples");
        let close = |found: f64, expected: f64| {
            assert!((found / expected - 1.0).abs() < 1e-12, "{found} {expected}");
        };
        close(account.synaptic_time_constant, 6e-6);
        close(account.decision_time, 9e-6);
        close(account.time_per_sample, 48e-6);
        close(account.time_per_batch, 48e-4 + 48e-5);
        close(account.samples_per_second, 100.0 / 5.28e-3);
        let known = |energy: Option<f64>| energy.expect("the sheet has entries");
        close(known(account.static_energy), 0.175 * 52.8e-6);
        close(known(account.synaptic_energy), 1e-8);
        close(known(account.spike_energy), 1e-7);
        close(known(account.energy_per_sample), 0.175 * 52.8e-6 + 1e-8 + 1e-7 + 1e-7);
        close(account.lost_fraction, 0.25);
        assert_eq!(account.speedup_factor, None);
        let silent = Datasheet { energy: EnergySheet::default(), ..in_model_time.clone() };
        let unknown = HardwareAccount::new(&silent, clock, 10.0, &activity, 15.0, 100);
        let unknown = unknown.expect("there are samples");
        assert_eq!((unknown.energy_per_sample, unknown.readout_energy), (None, None));
        assert_eq!(unknown.time_per_batch, account.time_per_batch);
        // Without a window a sample lasts until its decision: what comes later takes neither time nor energy.
        let mut endless = in_model_time.clone();
        endless.presentation.window = f64::INFINITY;
        let until = HardwareAccount::new(&endless, clock, 10.0, &activity, 15.0, 100);
        let until = until.expect("there are samples");
        close(until.time_per_sample, 9e-6);
        assert_eq!((until.spikes_per_sample, until.synaptic_events_per_sample), (60.0, 2_000.0));
        close(known(until.spike_energy), 60e-9);
        close(known(until.synaptic_energy), 2e-9);
        // In milliseconds, a synaptic time constant of the model is 10 ms.
        let speedup = account.for_time_unit(Some(1e-3), 10.0).speedup_factor;
        close(speedup.expect("a unit"), 10e-3 / 6e-6);
    }
}
