//! What a chip file says: a datasheet, every entry of which is ideal unless it says otherwise.
//!
//! Times are in the chip's own time, in `time_unit`, if the sheet says what synaptic time constant the
//! chip is operated at (`tau_s`); that is then what one synaptic time constant of the model takes. A
//! sheet without has times in those of the scenario. Weights are in units of the threshold: one that
//! holds for every scenario, whatever its potentials. Deviations are relative to their targets.

mod problems;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::Deviation;
use crate::settings::TimeUnit;

/// A chip, or another substrate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Datasheet {
    /// What it is called. Default: `ideal`.
    pub name: String,
    /// Where the figures are from. Default: none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub source: String,
    /// A chip file whose entries hold where this one has none. Default: none, what is left out is ideal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base: Option<PathBuf>,
    /// The unit of the times here, one of physical time; with `tau_s`. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_unit: Option<TimeUnit>,
    /// The synaptic time constant on the chip. In `time_unit`. Finite, above zero. Default: none, times are in
    /// those of the scenario.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tau_s: Option<f64>,
    /// Which of all chips of the kind this is: the seed of its fixed patterns. From 0. Default: the scenario's
    /// seed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub individual: Option<u64>,
    /// Scales everything that differs from the ideal by an amount: deviations, jitter, losses, the steps of weights
    /// and time stamps, intervals between events. Ranges, windows and refractory periods stay. Not negative.
    /// Default: 1.
    pub distortion: f64,
    /// Its synapses. Default: ideal.
    pub weights: WeightSheet,
    /// Its neurons. Default: ideal.
    pub neurons: NeuronSheet,
    /// How spikes get to synapses. Default: ideal.
    pub link: LinkSheet,
    /// How samples are shown and spikes recorded. Default: ideal.
    pub presentation: PresentationSheet,
    /// What it needs. Default: unknown.
    pub energy: EnergySheet,
    /// How much fits. Default: anything fits.
    pub size: SizeSheet,
}

/// Synaptic weights. The unit is the weight whose lone spike, at `tau_m = tau_s`, would lift the
/// potential to `1/e` of the threshold (both counted from the leak): the threshold itself, if the
/// capacitance is `tau_s`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct WeightSheet {
    /// Bits of the magnitude; the sign is apart. In bits. From 1 to 24. Default: continuous weights.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub magnitude_bits: Option<u32>,
    /// The largest magnitude; `inf` for any. In units of the threshold. Above zero. Default: `inf`.
    pub largest: f64,
    /// What a sign belongs to.
    pub sign: Sign,
    /// Fixed-pattern deviation of each synapse's strength. In parts of the target. Default: 0.
    pub gain: Deviation,
    /// Fixed-pattern offset of each synapse that is in use. In units of the threshold. Default: 0.
    pub offset: Deviation,
}

/// What the sign of a weight belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Sign {
    /// Each synapse has its own.
    #[default]
    Synapse,
    /// A row of synapses has one sign, and each source two rows: a synapse for each sign, with
    /// deviations of its own.
    RowPair,
    /// A row has one sign, and each source one row (Dale's law): that of the sum of its initial
    /// weights. Weights of the other sign are zero.
    Row,
}

/// Neurons.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct NeuronSheet {
    /// The membrane time constant that neurons are set to; `inf` for none. In times of the chip. Above zero.
    /// Default: the scenario's, which is what the rule `recorded` takes it for in any case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tau_m: Option<f64>,
    /// The refractory period. In times of the chip. Finite, not negative. Default: the scenario's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refractory_period: Option<f64>,
    /// Whether neurons spike again after their refractory period; learning sees their first spikes. Default: false.
    pub repeated_spikes: bool,
    /// Deviations that stay, different from neuron to neuron. Default: none.
    pub fixed_pattern: NeuronDeviations,
    /// Measured deviations that stay, instead of those that `fixed_pattern` draws: a CSV file with a column
    /// `neuron` (from zero, through all layers) and columns named as the parameters. Measured over target for
    /// threshold, time constants and refractory period; for leak and reset potentials the difference, in units of
    /// the threshold. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub measured: Option<PathBuf>,
    /// Deviations that are drawn anew, as often as `trial` says. Default: none.
    pub trial_to_trial: NeuronDeviations,
    /// How often `trial_to_trial` deviations are drawn.
    pub trial: Trial,
}

/// Deviations of a neuron's parameters from their targets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct NeuronDeviations {
    /// Of the threshold above the leak potential. In parts of the target. Default: 0.
    pub threshold: Deviation,
    /// Of the leak potential. In units of the threshold above it. Default: 0.
    pub leak_potential: Deviation,
    /// Of the reset potential. In units of the threshold above the leak potential. Default: 0.
    pub reset_potential: Deviation,
    /// Of the membrane time constant. In parts of the target. Default: 0.
    pub tau_m: Deviation,
    /// Of the synaptic time constant; of excitatory synapses only if `tau_s_inhibitory` is given. In parts of the
    /// target. Default: 0.
    pub tau_s: Deviation,
    /// Of the time constant of inhibitory synapses. In parts of the target. Default: that of the neuron's
    /// excitatory ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tau_s_inhibitory: Option<Deviation>,
    /// Of the refractory period. In parts of the target. Default: 0.
    pub refractory_period: Deviation,
}

/// How often trial-to-trial deviations are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Trial {
    /// For each sample.
    #[default]
    Sample,
    /// For each batch of samples that are shown without interruption.
    Batch,
}

/// How spikes get from sources to synapses. Every layer has a link of its own: that of its inputs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct LinkSheet {
    /// How long a spike is under way from its source to the synapses. In times of the chip. Finite, not negative. Default: 0.
    pub delay: f64,
    /// Standard deviation of the delay from source to source; it stays. In times of the chip. Finite, not negative.
    /// Default: 0.
    pub delay_fixed_pattern: f64,
    /// Standard deviation of the delay from spike to spike. No spike arrives before it was sent. In times of the
    /// chip. Finite, not negative. Default: 0.
    pub delay_jitter: f64,
    /// Standard deviation of the time at which a neuron spikes; its record and its effects move together. Input and
    /// bias spikes have none. In times of the chip. Finite, not negative. Default: 0.
    pub spike_jitter: f64,
    /// Shortest interval between two events: those that come at once are sent one after the other, the source with
    /// the lower number first. In times of the chip. Finite, not negative. Default: 0.
    pub interval: f64,
    /// An event that would have to wait longer is lost; `inf` for never. In times of the chip. Not negative.
    /// Default: `inf`.
    pub longest_wait: f64,
    /// Probability that an event is lost. From 0 to 1. Default: 0.
    pub loss: f64,
}

/// How samples are shown and spikes recorded.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct PresentationSheet {
    /// How long a sample lasts; what happens later is not seen. With `inf` spikes are seen whenever they come, and
    /// time and energy are counted until the decision, the first spike of a label neuron. In times of the chip.
    /// Above zero. Default: `inf`.
    pub window: f64,
    /// Whether neurons are put to rest before each sample. Without, they keep what the sample before left over,
    /// within a batch. Default: true.
    pub reset: bool,
    /// Resolution of recorded spike times: a spike has the time of the last tick before it. In times of the chip.
    /// Finite, not negative. Default: 0.
    pub time_stamp: f64,
    /// What a sample takes besides its window. In times of the chip. Finite, not negative. Default: 0.
    pub overhead_per_sample: f64,
    /// What a batch takes besides its samples. In times of the chip. Finite, not negative. Default: 0.
    pub overhead_per_batch: f64,
}

/// What it needs. If nothing is given, its energy is unknown. Spikes, synaptic events and time are counted
/// within the window; without a window, until each sample's decision (in undecided samples, all of them).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct EnergySheet {
    /// Power whatever happens. In watts. Finite, not negative. Default: 0.
    pub static_power: f64,
    /// Energy of a spike's arrival at one synapse. In joules. Finite, not negative. Default: 0.
    pub synaptic_event: f64,
    /// Energy of a neuron's spike. In joules. Finite, not negative. Default: 0.
    pub spike: f64,
    /// Energy of reading one sample's result. In joules. Finite, not negative. Default: 0.
    pub readout: f64,
}

/// How much fits. Default: anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct SizeSheet {
    /// Neurons on the chip. At least 1. Default: any number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub neurons: Option<usize>,
    /// Rows of synapses. The sources of a layer need one each, or two (`sign = "row_pair"`); layers use the same
    /// rows. At least 1. Default: any number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub synapse_rows: Option<usize>,
    /// Synapses of a neuron. At least 1. Default: any number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fan_in: Option<usize>,
}

impl Default for Datasheet {
    fn default() -> Self {
        Datasheet {
            name: "ideal".to_owned(),
            source: String::new(),
            base: None,
            time_unit: None,
            tau_s: None,
            individual: None,
            distortion: 1.0,
            weights: WeightSheet::default(),
            neurons: NeuronSheet::default(),
            link: LinkSheet::default(),
            presentation: PresentationSheet::default(),
            energy: EnergySheet::default(),
            size: SizeSheet::default(),
        }
    }
}

impl Default for WeightSheet {
    fn default() -> Self {
        WeightSheet {
            magnitude_bits: None,
            largest: f64::INFINITY,
            sign: Sign::Synapse,
            gain: Deviation::IDEAL,
            offset: Deviation::IDEAL,
        }
    }
}

impl Default for LinkSheet {
    fn default() -> Self {
        LinkSheet {
            delay: 0.0,
            delay_fixed_pattern: 0.0,
            delay_jitter: 0.0,
            spike_jitter: 0.0,
            interval: 0.0,
            longest_wait: f64::INFINITY,
            loss: 0.0,
        }
    }
}

impl Default for PresentationSheet {
    fn default() -> Self {
        PresentationSheet {
            window: f64::INFINITY,
            reset: true,
            time_stamp: 0.0,
            overhead_per_sample: 0.0,
            overhead_per_batch: 0.0,
        }
    }
}

impl NeuronDeviations {
    /// Every parameter by name.
    pub fn entries(&self) -> [(&'static str, Deviation); 7] {
        [
            ("threshold", self.threshold),
            ("leak_potential", self.leak_potential),
            ("reset_potential", self.reset_potential),
            ("tau_m", self.tau_m),
            ("tau_s", self.tau_s),
            ("tau_s_inhibitory", self.tau_s_inhibitory.unwrap_or_default()),
            ("refractory_period", self.refractory_period),
        ]
    }

    /// Whether there are none.
    pub fn is_ideal(&self) -> bool {
        self.entries().iter().all(|(_, deviation)| deviation.is_ideal())
    }

    /// Whether there are none but of thresholds.
    pub(super) fn only_thresholds(&self) -> bool {
        NeuronDeviations { threshold: Deviation::IDEAL, ..*self }.is_ideal()
    }

    fn scaled(self, by: f64) -> Self {
        NeuronDeviations {
            threshold: self.threshold.scaled(by),
            leak_potential: self.leak_potential.scaled(by),
            reset_potential: self.reset_potential.scaled(by),
            tau_m: self.tau_m.scaled(by),
            tau_s: self.tau_s.scaled(by),
            tau_s_inhibitory: self.tau_s_inhibitory.map(|deviation| deviation.scaled(by)),
            refractory_period: self.refractory_period.scaled(by),
        }
    }
}

impl Datasheet {
    /// Whether the chip changes nothing of what a network does. It may still take time and energy.
    pub fn is_ideal(&self) -> bool {
        let Datasheet { weights, neurons, link, presentation, .. } = self;
        let ideal = Datasheet::default();
        let shown = PresentationSheet { window: presentation.window, ..ideal.presentation };
        let here = PresentationSheet {
            overhead_per_sample: 0.0,
            overhead_per_batch: 0.0,
            ..*presentation
        };
        weights.magnitude_bits.is_none()
            && weights.largest == f64::INFINITY
            && weights.sign != Sign::Row
            && weights.gain.is_ideal()
            && weights.offset.is_ideal()
            && neurons.tau_m.is_none()
            && !neurons.repeated_spikes
            && neurons.measured.is_none()
            && neurons.fixed_pattern.is_ideal()
            && neurons.trial_to_trial.is_ideal()
            && *link == LinkSheet { longest_wait: link.longest_wait, ..ideal.link }
            && here == shown
            && presentation.window == f64::INFINITY
    }

    /// The sheet with its distortions scaled as it says, and its times multiplied by `per_time`: in the
    /// scenario's time unit. `distortion` is left for [`Self::weight_step`].
    pub fn in_model_time(&self, per_time: f64) -> Self {
        let mut sheet = self.clone();
        let by = self.distortion;
        let Datasheet { weights, neurons, link, presentation, .. } = &mut sheet;
        weights.gain = weights.gain.scaled(by);
        weights.offset = weights.offset.scaled(by);
        weights.magnitude_bits = weights.magnitude_bits.filter(|_| by > 0.0);
        neurons.fixed_pattern = neurons.fixed_pattern.scaled(by);
        neurons.trial_to_trial = neurons.trial_to_trial.scaled(by);
        neurons.tau_m = neurons.tau_m.map(|tau_m| tau_m * per_time);
        neurons.refractory_period = neurons.refractory_period.map(|period| period * per_time);
        link.loss = (link.loss * by).min(1.0);
        for time in [
            &mut link.delay,
            &mut link.delay_fixed_pattern,
            &mut link.delay_jitter,
            &mut link.spike_jitter,
            &mut link.interval,
            &mut presentation.time_stamp,
        ] {
            *time *= by * per_time;
        }
        for time in [
            &mut link.longest_wait,
            &mut presentation.window,
            &mut presentation.overhead_per_sample,
            &mut presentation.overhead_per_batch,
        ] {
            *time *= per_time;
        }
        sheet
    }

    /// Steps of the weights, in units of the threshold; zero for continuous weights.
    pub fn weight_step(&self) -> f64 {
        let WeightSheet { magnitude_bits, largest, .. } = self.weights;
        let step = |bits: u32| largest / (2_f64.powi(bits as i32) - 1.0);
        self.distortion * magnitude_bits.map_or(0.0, step)
    }
}
