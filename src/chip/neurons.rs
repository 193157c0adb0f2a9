//! Neurons as a chip has them: targets, and how far each neuron is from them.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use rand::Rng;

use super::datasheet::{NeuronDeviations, NeuronSheet};
use super::normal::NormalNumbers;
use super::{MeasuredProblem, SubstrateError};
use crate::neuron::NeuronParameters;
use crate::neuron::heterogeneous::{BLOCK_SIZE, Column, PotentialBlock};
use crate::random;

/// No threshold comes closer to leak or reset than this fraction of its target.
const SMALLEST_DISTANCE: f64 = 0.05;

/// One neuron's deviations from its targets.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Deviations {
    /// Factors.
    pub threshold: f64,
    pub tau_m: f64,
    pub tau_s: f64,
    pub tau_s_inhibitory: f64,
    pub refractory_period: f64,
    /// In units of the threshold above the leak.
    pub leak_potential: f64,
    pub reset_potential: f64,
}

impl Deviations {
    pub const NONE: Deviations = Deviations {
        threshold: 1.0,
        tau_m: 1.0,
        tau_s: 1.0,
        tau_s_inhibitory: 1.0,
        refractory_period: 1.0,
        leak_potential: 0.0,
        reset_potential: 0.0,
    };

    /// Draws those of one neuron, every parameter from what `random` gives for its name.
    fn draw<R: Rng>(sheet: &NeuronDeviations, mut random: impl FnMut(&'static str) -> R) -> Self {
        let tau_s = sheet.tau_s.factor(&mut random("chip tau_s"));
        Deviations {
            threshold: sheet.threshold.factor(&mut random("chip threshold")),
            tau_m: sheet.tau_m.factor(&mut random("chip tau_m")),
            tau_s,
            tau_s_inhibitory: sheet
                .tau_s_inhibitory
                .map_or(tau_s, |deviation| deviation.factor(&mut random("chip tau_s_inhibitory"))),
            refractory_period: sheet.refractory_period.factor(&mut random("chip refractory")),
            leak_potential: sheet.leak_potential.draw(&mut random("chip leak")),
            reset_potential: sheet.reset_potential.draw(&mut random("chip reset")),
        }
    }

    /// Those of many neurons in one trial, from one stream: one parameter after the other, so
    /// that each draws the same whether those after it do or not.
    pub fn trial(
        sheet: &NeuronDeviations,
        count: usize,
        random: &mut impl Rng,
        normal: &mut NormalNumbers,
    ) -> Vec<Self> {
        let mut column = vec![0.0; count];
        let mut neurons = vec![Deviations::NONE; count];
        macro_rules! draw {
            ($draw:ident, $parameter:ident, $deviation:expr) => {
                $deviation.$draw(random, normal, &mut column);
                let drawn = neurons.iter_mut().zip(&column);
                drawn.for_each(|(neuron, drawn)| neuron.$parameter = *drawn);
            };
        }
        draw!(factor_all, threshold, sheet.threshold);
        draw!(factor_all, tau_m, sheet.tau_m);
        draw!(factor_all, tau_s, sheet.tau_s);
        match sheet.tau_s_inhibitory {
            Some(own) => {
                draw!(factor_all, tau_s_inhibitory, own);
            }
            None => neurons.iter_mut().for_each(|neuron| neuron.tau_s_inhibitory = neuron.tau_s),
        }
        draw!(factor_all, refractory_period, sheet.refractory_period);
        draw!(draw_all, leak_potential, sheet.leak_potential);
        draw!(draw_all, reset_potential, sheet.reset_potential);
        neurons
    }

    /// One after the other.
    pub fn and(self, other: Deviations) -> Self {
        Deviations {
            threshold: self.threshold * other.threshold,
            tau_m: self.tau_m * other.tau_m,
            tau_s: self.tau_s * other.tau_s,
            tau_s_inhibitory: self.tau_s_inhibitory * other.tau_s_inhibitory,
            refractory_period: self.refractory_period * other.refractory_period,
            leak_potential: self.leak_potential + other.leak_potential,
            reset_potential: self.reset_potential + other.reset_potential,
        }
    }

    /// The neuron that a target becomes.
    pub fn apply(&self, target: &NeuronParameters) -> NeuronParameters {
        let distance = target.threshold - target.leak_potential;
        let threshold = target.leak_potential + distance * self.threshold;
        let highest = threshold - SMALLEST_DISTANCE * distance;
        let leak_potential = (target.leak_potential + distance * self.leak_potential).min(highest);
        NeuronParameters {
            tau_m: target.tau_m * self.tau_m,
            tau_s: target.tau_s * self.tau_s,
            tau_s_inhibitory: target.tau_s_inhibitory * self.tau_s_inhibitory,
            threshold,
            leak_potential,
            reset_potential: (target.reset_potential + distance * self.reset_potential)
                .min(highest),
            refractory_period: target.refractory_period * self.refractory_period,
            initial_potential: leak_potential,
            ..*target
        }
    }
}

/// What a trial that changes only thresholds starts from, for eight neurons: [`Deviations::apply`] without
/// what stays.
#[derive(Clone, Copy, Debug)]
pub(super) struct ThresholdTargets {
    /// Target.
    leak_potential: Column,
    distance: Column,
    /// Factor that stays.
    threshold: Column,
    /// What becomes of the leak and of the reset potential if no threshold comes too close.
    leak: Column,
    reset: Column,
}

impl ThresholdTargets {
    /// Those of eight neurons without any, which never spike.
    const NONE: ThresholdTargets = {
        let (zero, one) = ([0.0; BLOCK_SIZE], [1.0; BLOCK_SIZE]);
        ThresholdTargets {
            leak_potential: zero,
            distance: one,
            threshold: [f64::INFINITY; BLOCK_SIZE],
            leak: zero,
            reset: zero,
        }
    };

    /// Those of all neurons of a layer.
    pub fn blocks(fixed: &[Deviations], targets: &[NeuronParameters]) -> Vec<Self> {
        let mut blocks = vec![Self::NONE; targets.len().div_ceil(BLOCK_SIZE)];
        for (index, (fixed, target)) in fixed.iter().zip(targets).enumerate() {
            let (block, index) = (&mut blocks[index / BLOCK_SIZE], index % BLOCK_SIZE);
            let distance = target.threshold - target.leak_potential;
            block.leak_potential[index] = target.leak_potential;
            block.distance[index] = distance;
            block.threshold[index] = fixed.threshold;
            block.leak[index] = target.leak_potential + distance * fixed.leak_potential;
            block.reset[index] = target.reset_potential + distance * fixed.reset_potential;
        }
        blocks
    }

    /// The neurons' potentials with these factors of the trial.
    #[inline(always)]
    pub fn potentials(&self, factors: &Column) -> PotentialBlock {
        let zero = [0.0; BLOCK_SIZE];
        let mut potentials = PotentialBlock { threshold: zero, reset: zero, leak: zero };
        for (index, factor) in factors.iter().enumerate() {
            let distance = self.distance[index];
            let threshold =
                self.leak_potential[index] + distance * (self.threshold[index] * factor);
            let highest = threshold - SMALLEST_DISTANCE * distance;
            let leak = self.leak[index].min(highest);
            potentials.leak[index] = leak;
            potentials.threshold[index] = threshold - leak;
            potentials.reset[index] = self.reset[index].min(highest) - leak;
        }
        potentials
    }
}

/// The fixed pattern of an individual chip's neurons, in their order through all layers.
pub(super) fn fixed_pattern(
    sheet: &NeuronSheet,
    count: usize,
    individual: u64,
) -> Result<Vec<Deviations>, SubstrateError> {
    if let Some(file) = &sheet.measured {
        return measured(file, count);
    }
    let neuron = |neuron: usize| {
        Deviations::draw(&sheet.fixed_pattern, |parameter| {
            random::stream(individual, parameter, neuron as u64)
        })
    };
    Ok((0..count).map(neuron).collect())
}

/// Reads measured deviations.
fn measured(path: &Path, count: usize) -> Result<Vec<Deviations>, SubstrateError> {
    let refuse = |problem| SubstrateError::MeasuredNeurons {
        path: path.to_owned(),
        problem: Box::new(problem),
    };
    let not_csv = |source| refuse(MeasuredProblem::Csv(Arc::new(source)));
    let mut reader = csv::Reader::from_path(path).map_err(not_csv)?;
    let names = reader.headers().map_err(not_csv)?.clone();
    if !names.iter().any(|name| name == "neuron") {
        return Err(refuse(MeasuredProblem::NoNeuronColumn));
    }
    let mut seen = HashSet::new();
    if let Some(column) = names.iter().find(|name| !seen.insert(*name)) {
        return Err(refuse(MeasuredProblem::DoubledColumn { column: column.to_owned() }));
    }
    let mut found: Vec<Option<Deviations>> = vec![None; count];
    for record in reader.records() {
        let record = record.map_err(not_csv)?;
        let line = record.position().map_or(0, csv::Position::line);
        let mut deviations = Deviations::NONE;
        let mut neuron = None;
        let mut has_inhibitory = false;
        for (name, text) in names.iter().zip(&record) {
            let wrong = |accepted: String| {
                let (column, field) = (name.to_owned(), text.to_owned());
                refuse(MeasuredProblem::Field { line, column, field, accepted })
            };
            let value: f64 = text.trim().parse().map_err(|_| wrong("a number".to_owned()))?;
            let (place, is_factor) = match name {
                "neuron" => {
                    let index = value as usize;
                    if index as f64 != value || index >= count {
                        let most = count.saturating_sub(1);
                        return Err(wrong(format!("a whole number from 0 to {most}")));
                    }
                    neuron = Some(index);
                    continue;
                }
                "threshold" => (&mut deviations.threshold, true),
                "tau_m" => (&mut deviations.tau_m, true),
                "tau_s" => (&mut deviations.tau_s, true),
                "tau_s_inhibitory" => {
                    has_inhibitory = true;
                    (&mut deviations.tau_s_inhibitory, true)
                }
                "refractory_period" => (&mut deviations.refractory_period, true),
                "leak_potential" => (&mut deviations.leak_potential, false),
                "reset_potential" => (&mut deviations.reset_potential, false),
                other => {
                    return Err(refuse(MeasuredProblem::UnknownColumn {
                        column: other.to_owned(),
                        accepted: "threshold, leak_potential, reset_potential, tau_m, tau_s, \
                                   tau_s_inhibitory or refractory_period",
                    }));
                }
            };
            if !(value.is_finite() && (value > 0.0 || !is_factor)) {
                let range = if is_factor { "finite and above 0" } else { "finite" };
                return Err(wrong(range.to_owned()));
            }
            *place = value;
        }
        if !has_inhibitory {
            deviations.tau_s_inhibitory = deviations.tau_s;
        }
        if let Some(neuron) = neuron
            && found[neuron].replace(deviations).is_some()
        {
            return Err(refuse(MeasuredProblem::Twice { line, neuron }));
        }
    }
    let complete = found.iter().position(Option::is_none);
    match complete {
        Some(missing) => Err(refuse(MeasuredProblem::Missing { neurons: count, missing })),
        None => Ok(found.into_iter().flatten().collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Deviation;
    use super::*;

    #[test]
    fn a_fixed_pattern_belongs_to_neuron_and_individual() {
        let spread = Deviation { std: 0.1, ..Deviation::IDEAL };
        let sheet = NeuronSheet {
            fixed_pattern: NeuronDeviations {
                threshold: spread,
                tau_m: spread,
                leak_potential: spread,
                ..NeuronDeviations::default()
            },
            ..NeuronSheet::default()
        };
        let draw = |count, individual| fixed_pattern(&sheet, count, individual).expect("drawn");
        let many = draw(2000, 1);
        assert_eq!(draw(10, 1), many[..10], "more neurons change no other");
        assert!(draw(10, 2) != many[..10], "each chip its own");
        let column =
            |value: fn(&Deviations) -> f64| -> Vec<f64> { many.iter().map(value).collect() };
        let columns = [
            column(|d| d.threshold - 1.0),
            column(|d| d.tau_m - 1.0),
            column(|d| d.leak_potential),
        ];
        for (index, a) in columns.iter().enumerate() {
            for (other, b) in columns.iter().enumerate() {
                let product: f64 = a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>() / 2000.0;
                let expected = if index == other { 0.01 } else { 0.0 };
                // Standard errors: 0.01 × 1.4/√2000 and 0.01/√2000.
                assert!((product - expected).abs() < 0.0012, "{index} {other} {product}");
            }
        }
        let neighbours: f64 = columns[0].windows(2).map(|pair| pair[0] * pair[1]).sum();
        assert!((neighbours / 2000.0).abs() < 0.001, "neurons are independent");
        assert!(many.iter().all(|d| d.tau_s == 1.0 && d.tau_s_inhibitory == 1.0));
    }

    #[test]
    fn a_trial_of_thresholds_alone_draws_what_any_trial_does() {
        let sheet = NeuronDeviations {
            threshold: Deviation { mean: 0.1, std: 0.3, ..Deviation::IDEAL },
            ..NeuronDeviations::default()
        };
        assert!(sheet.only_thresholds());
        let target = NeuronParameters::default();
        let fixed = Deviations {
            threshold: 1.1,
            leak_potential: 0.2,
            reset_potential: -0.1,
            ..Deviations::NONE
        };
        const COUNT: usize = 100;
        let blocks = ThresholdTargets::blocks(&[fixed; COUNT], &[target; COUNT]);
        let mut normal = NormalNumbers::default();
        let stream = || random::stream(1, "trial test", 0);
        let all = Deviations::trial(&sheet, COUNT, &mut stream(), &mut normal);
        let mut factors = [1.0; COUNT.next_multiple_of(BLOCK_SIZE)];
        sheet.threshold.factor_all(&mut stream(), &mut normal, &mut factors[..COUNT]);
        let (factors, _) = factors.as_chunks();
        let potentials: Vec<_> =
            blocks.iter().zip(factors).map(|(block, factors)| block.potentials(factors)).collect();
        for (index, all) in all.iter().enumerate() {
            let (block, index) = (index / BLOCK_SIZE, index % BLOCK_SIZE);
            let factor = factors[block][index];
            assert_eq!(Deviations { threshold: factor, ..Deviations::NONE }, *all);
            let neuron = fixed.and(*all).apply(&target);
            let PotentialBlock { threshold, reset, leak } = potentials[block];
            assert_eq!(leak[index], neuron.leak_potential);
            assert_eq!(threshold[index], neuron.threshold - neuron.leak_potential);
            assert_eq!(reset[index], neuron.reset_potential - neuron.leak_potential);
        }
        assert_eq!(potentials[12].threshold[4..], [f64::INFINITY; 4], "no neurons never spike");
        let spread = Deviation { std: 0.1, ..Deviation::IDEAL };
        assert!(!NeuronDeviations { tau_s_inhibitory: Some(spread), ..sheet }.only_thresholds());
    }

    #[test]
    fn no_threshold_is_below_leak_or_reset() {
        let wild = Deviations {
            threshold: 0.2,
            leak_potential: 0.9,
            reset_potential: 3.0,
            ..Deviations::NONE
        };
        let neuron = wild.apply(&NeuronParameters::default());
        assert!(neuron.validate().is_ok(), "{neuron:?}");
        assert!(neuron.threshold - neuron.leak_potential >= 0.05 - 1e-12);
        assert!(neuron.reset_potential < neuron.threshold);
        let target = NeuronParameters::default();
        assert_eq!(Deviations::NONE.apply(&target), target);
    }

    #[test]
    fn measured_neurons_are_read_or_refused_with_their_line() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("measured.csv");
        let read = |text: &str| {
            std::fs::write(&path, text).expect("writable");
            measured(&path, 2)
        };
        let good = read("neuron,tau_m,leak_potential\n1,1.25,0.1\n0,0.5,-0.2\n").expect("good");
        assert_eq!((good[0].tau_m, good[0].leak_potential), (0.5, -0.2));
        assert_eq!((good[1].tau_m, good[1].threshold), (1.25, 1.0));
        for (text, expected) in [
            ("tau_m\n1\n", "no column `neuron`"),
            ("neuron,tau_m\n0,1\n", "neuron 1 is not there"),
            ("neuron,tau_m\n0,1\n0,1\n", "line 3: neuron 0 is there twice"),
            ("neuron,tau_m\n7,1\n", "line 2: neuron `7` must be a whole number from 0 to 1"),
            ("neuron,tau_m\n0,-1\n", "line 2: tau_m `-1` must be finite and above 0"),
            ("neuron,tau_x\n0,1\n", "unknown column `tau_x`"),
            ("neuron,tau_m,tau_m\n0,1,2\n", "column `tau_m` is there twice"),
        ] {
            let message = read(text).expect_err(text).to_string();
            assert!(message.contains("measured.csv") && message.contains(expected), "{message}");
        }
    }
}
