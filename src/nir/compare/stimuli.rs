//! Input spikes that bring out what a network does.

use rand_distr::{Distribution, Exp};

use super::super::meaning::Meaning;
use super::run;
use crate::engine::EngineError;
use crate::network::Node;
use crate::random;

/// Sources that get a stimulus of their own, at most.
const MOST_ALONE: usize = 64;
/// Random stimuli.
const SEEDS: u64 = 4;
/// Rates that are tried, in spikes per membrane time constant and source.
const RATES: [f64; 4] = [5.0, 50.0, 500.0, 5000.0];
/// How long a stimulus is, in membrane time constants.
const LENGTH: f64 = 8.0;

pub(super) struct Stimulus {
    pub(super) name: String,
    /// Place among the inputs, source, time; by time.
    pub(super) spikes: Vec<(usize, u32, f64)>,
    pub(super) until: f64,
}

impl Stimulus {
    pub(super) fn scaled(mut self, ratio: f64) -> Self {
        self.spikes.iter_mut().for_each(|spike| spike.2 *= ratio);
        self.until *= ratio;
        self
    }
}

/// The stimuli of a network, as strong as its neurons need to spike; the last rate if they never do.
pub(super) fn of(
    meaning: &Meaning,
    inputs: &[(String, usize)],
) -> Result<Result<Vec<Stimulus>, f64>, EngineError> {
    let neurons = meaning.network.graph().raw_nodes().iter().filter_map(|node| match node.weight {
        Node::Neuron(neuron) => Some(neuron),
        Node::Source => None,
    });
    let unit = neurons
        .map(|neuron| if neuron.tau_m.is_finite() { neuron.tau_m } else { 1e9 * neuron.tau_s })
        .fold(0.0, f64::max);
    for rate in RATES {
        let all = with_rate(inputs, unit, rate);
        for stimulus in all.iter().rev() {
            let spikes = run(
                &meaning.network,
                &meaning.inputs,
                stimulus.spikes.iter().copied(),
                stimulus.until,
            )?;
            let populations = meaning.network.populations().iter().zip(&spikes.0);
            if populations.into_iter().any(|(population, spikes)| {
                !spikes.is_empty() && !meaning.inputs.contains(&population.name)
            }) {
                return Ok(Ok(all));
            }
        }
    }
    Ok(Err(RATES[RATES.len() - 1]))
}

fn with_rate(inputs: &[(String, usize)], unit: f64, rate: f64) -> Vec<Stimulus> {
    let sources: Vec<(usize, u32)> = inputs
        .iter()
        .enumerate()
        .flat_map(|(input, (_, size))| (0..*size as u32).map(move |source| (input, source)))
        .collect();
    let until = LENGTH * unit;
    let interval = unit / rate;
    let train = |phase: f64| -> Vec<f64> {
        let count = (0.6 * LENGTH * rate) as usize;
        (0..count).map(|spike| (spike as f64 + phase) * interval).collect()
    };
    let mut stimuli = Vec::new();
    let apart = sources.len().div_ceil(MOST_ALONE).max(1);
    for &(input, source) in sources.iter().step_by(apart) {
        let spikes = train(0.5).into_iter().map(|time| (input, source, time)).collect();
        let name = format!("{}:{source} alone", inputs[input].0);
        stimuli.push(Stimulus { name, spikes, until });
    }
    let at_once = |name: &str, times: &[f64]| {
        let spikes = times
            .iter()
            .flat_map(|&time| sources.iter().map(move |&(input, source)| (input, source, time)));
        Stimulus { name: name.to_owned(), spikes: spikes.collect(), until }
    };
    stimuli.push(at_once("all inputs once", &[0.5 * interval]));
    stimuli.push(at_once("all inputs at once", &train(0.5)));
    for seed in 0..SEEDS {
        let mut spikes = Vec::new();
        if let Ok(intervals) = Exp::new(1.0 / interval) {
            for (index, &(input, source)) in sources.iter().enumerate() {
                let mut random = random::stream(seed, "nir comparison", index as u64);
                let mut time = intervals.sample(&mut random);
                while time < 0.6 * until {
                    spikes.push((input, source, time));
                    time += intervals.sample(&mut random);
                }
            }
        }
        spikes.sort_by(|a, b| a.2.total_cmp(&b.2));
        stimuli.push(Stimulus { name: format!("random inputs, seed {seed}"), spikes, until });
    }
    stimuli
}
