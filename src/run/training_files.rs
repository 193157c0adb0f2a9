//! The tables that a training writes: an epoch per row, and the spikes of the test set.

use std::io::{self, Write};
use std::ops::Range;

use super::{OutputFolder, Prediction, RunError, nodes};
use crate::chip::{Activity, HardwareClock};
use crate::learning::{EncodedSet, EpochMetrics, Evaluation, FirstSpikes, Trainer};
use crate::network::LayeredNetwork;
use crate::scenario::Learner;
use crate::trace::TraceWriter;

/// One row per epoch. Wall-clock times are left out (they are in the summary), so that equal runs
/// give equal bytes.
pub(super) fn write_metrics(
    file: &mut impl Write,
    history: &[EpochMetrics],
    layer_names: &[String],
    unit: &str,
    clock: Option<HardwareClock>,
) -> io::Result<()> {
    let mut writer = csv::Writer::from_writer(file);
    let mut heading: Vec<String> = [
        "epoch",
        "learning_rate",
        "training_loss",
        "training_accuracy",
        "validation_loss",
        "validation_accuracy",
        "undecided_fraction",
    ]
    .map(str::to_owned)
    .to_vec();
    heading.push(format!("mean_decision_time_{unit}"));
    heading
        .extend(clock.map(|clock| format!("mean_decision_hardware_time_{}", clock.unit.suffix())));
    heading.extend(["guarded_fraction", "raised_batches"].map(str::to_owned));
    for name in layer_names {
        heading.extend(["silent", "late", "dead"].map(|what| format!("{what}_{name}")));
    }
    writer.write_record(&heading)?;
    for epoch in history {
        let training = &epoch.training;
        let mut row = vec![
            epoch.epoch as f64,
            epoch.learning_rate,
            training.loss(),
            training.accuracy(),
            epoch.validation.map_or(f64::NAN, |score| score.loss()),
            epoch.validation.map_or(f64::NAN, |score| score.accuracy()),
            training.undecided as f64 / training.samples as f64,
            training.decision_time(),
        ];
        row.extend(clock.map(|clock| clock.per_model_time * training.decision_time()));
        row.extend([epoch.guarded_fraction, epoch.bumped_batches as f64]);
        for layer in &epoch.layers {
            row.extend([
                layer.silent_fraction(),
                layer.late_fraction(),
                layer.dead_neurons() as f64,
            ]);
        }
        writer.write_record(row.iter().map(f64::to_string))?;
    }
    writer.flush()
}

/// What the test set came to, in the one presentation that its trace shows too.
pub(super) struct Tested {
    pub evaluation: Evaluation,
    /// Per sample.
    pub predictions: Vec<Prediction>,
    /// What happened, as far as first spikes tell.
    pub activity: Activity,
}

/// Shows the test set to the network, once: scores it, writes its trace, and shows `look` the record of
/// each sample with the decision it stands for.
pub(super) fn test(
    learner: &Learner,
    trainer: &Trainer,
    test: &EncodedSet,
    folder: &OutputFolder,
    unit: &str,
    clock: Option<HardwareClock>,
    mut look: impl FnMut(usize, &FirstSpikes, Option<usize>),
) -> Result<Tested, RunError> {
    let populations = trainer.network().populations();
    let places = nodes::places(populations);
    let mut counter = SpikeCounter::new(&learner.network);
    let mut predictions = Vec::with_capacity(test.len());
    let label_layer = learner.network.layers.last();
    let labels = label_layer.map_or(0..0, |id| populations[id.0].nodes.clone());
    let mut failed = None;
    let evaluation = folder.write("spikes.csv", |file| {
        let mut writer = match clock {
            None => TraceWriter::new(file, unit)?,
            Some(HardwareClock { unit: hardware, per_model_time, .. }) => {
                TraceWriter::with_hardware_time(file, unit, hardware.suffix(), per_model_time)?
            }
        };
        let mut written = Ok(());
        let evaluated = trainer.evaluate_records(test, |sample, record, decided| {
            predictions.push(Prediction {
                verdict: learner.settings.loss.verdict(&record.times()[labels.clone()]),
                label: Some(test.label(sample)),
                label_times: Vec::new(),
            });
            look(sample, record, decided);
            counter.count(record);
            for (node, time) in record.in_order() {
                if written.is_ok() {
                    let (population, neuron) = places[node];
                    let name = &populations[population as usize].name;
                    written = writer.write(sample as u32, name, neuron, time);
                }
            }
        });
        let evaluation = evaluated.map_err(|error| {
            failed = Some(error);
            io::Error::other("the run failed")
        })?;
        written?;
        writer.finish()?;
        Ok(evaluation)
    });
    let evaluation = evaluation.map_err(|error| failed.map_or(error, RunError::Learning))?;
    Ok(Tested { evaluation, predictions, activity: counter.activity })
}

/// Counts what happens in samples as far as first spikes tell.
pub(super) struct SpikeCounter {
    fan_out: Vec<(bool, u64)>,
    labels: Range<usize>,
    pub activity: Activity,
}

impl SpikeCounter {
    pub fn new(network: &LayeredNetwork) -> Self {
        let populations = network.network.populations();
        let labels = network.layers.last().map_or(0..0, |id| populations[id.0].nodes.clone());
        SpikeCounter { fan_out: fan_out(network), labels, activity: Activity::default() }
    }

    /// One sample more.
    pub fn count(&mut self, record: &FirstSpikes) {
        self.activity.samples += 1;
        let mut decision = f64::INFINITY;
        for (node, time) in record.in_order() {
            let (is_neuron, synapses) = self.fan_out[node];
            if self.labels.contains(&node) {
                decision = decision.min(time);
            }
            if time <= decision {
                self.activity.until_decision.spikes += u64::from(is_neuron);
                self.activity.until_decision.synaptic_events += synapses;
            }
            self.activity.spikes += u64::from(is_neuron);
            self.activity.events += u64::from(synapses > 0);
            self.activity.synaptic_events += synapses;
        }
    }
}

/// Per node: whether it is a neuron, and how many synapses its spikes reach.
fn fan_out(network: &LayeredNetwork) -> Vec<(bool, u64)> {
    let populations = network.network.populations();
    let mut nodes = vec![(false, 0); network.network.graph().node_count()];
    let mut sources = network.input;
    for (&layer, &bias) in network.layers.iter().zip(&network.bias) {
        let neurons = populations[layer.0].nodes.clone();
        for population in [Some(sources), bias].into_iter().flatten() {
            for node in populations[population.0].nodes.clone() {
                nodes[node].1 = neurons.len() as u64;
            }
        }
        neurons.for_each(|node| nodes[node].0 = true);
        sources = layer;
    }
    nodes
}
