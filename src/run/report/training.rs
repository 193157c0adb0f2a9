//! The report of a training: what the test set shows, and which samples to look at.

use std::borrow::Cow;

use super::membranes::membrane;
use super::{count, engine_note, facts, percent, quantity, scenario};
use crate::engine::{EngineOptions, Observer};
use crate::learning::{EpochMetrics, FirstSpikes, Trainer};
use crate::membrane::SpikeTrains;
use crate::network::{CompiledNetwork, Network};
use crate::report::html::{
    ChipFound, ClassMap, Content, Curves, Headline, Histogram, LayerContent, Plane, ReportData,
    Sample, StreamingHistogram, TrainingContent, short,
};
use crate::report::with_prefix;
use crate::run::TrainingSummary;
use crate::scenario::{Learner, LoadedScenario};

/// First-spike times that the samples of a report have together, at most: about 350 kB.
const MOST_TIMES: usize = 50_000;

/// Most samples of a class that were decided rightly, and most that were decided wrongly.
const MOST_RIGHT: usize = 4;
const MOST_WRONG: usize = 40;

/// Points of a potential, beside those at the spike.
const POINTS: usize = 120;

/// The neurons whose potentials a report shows, and what to say about them.
pub(in crate::run) struct Neurons<'a> {
    network: Cow<'a, CompiledNetwork>,
    about: &'static str,
}

impl<'a> Neurons<'a> {
    /// Those of the chip, if there is one; else the trainer's, which an external substrate only resembles.
    pub fn new(trainer: &'a Trainer, on_chip: Option<&Network>) -> Self {
        if let Some(network) = on_chip {
            let network = Cow::Owned(CompiledNetwork::new(network));
            let about =
                "The potentials are those of the chip's neurons, without trial-to-trial noise.";
            return Neurons { network, about };
        }
        let about = if trainer.is_on_substrate() {
            "The spikes are those of the substrate; the potentials are those of ideal neurons that receive \
             them."
        } else {
            ""
        };
        Neurons { network: Cow::Borrowed(trainer.network()), about }
    }
}

/// What the samples of the test set came to, as they pass by.
pub(in crate::run) struct TestRecord<'a> {
    learner: &'a Learner,
    /// Nodes of sources and layers.
    parts: Vec<std::ops::Range<usize>>,
    first_spikes: Vec<StreamingHistogram>,
    confusion: Vec<Vec<u64>>,
    decided: Vec<Option<usize>>,
    /// Sum of the times of all decisions.
    times: f64,
    /// Of right and of wrong decisions.
    decision_times: [StreamingHistogram; 2],
    chosen: Vec<(usize, Option<usize>, FirstSpikes)>,
    /// Samples chosen so far, of each class rightly decided, and wrongly decided ones.
    right: Vec<usize>,
    wrong: usize,
    most_right: usize,
    most_wrong: usize,
}

impl<'a> TestRecord<'a> {
    pub fn new(learner: &'a Learner) -> Self {
        let network = &learner.network;
        let populations = network.network.populations();
        let places = std::iter::once(&network.input).chain(&network.layers);
        let parts: Vec<_> = places.map(|id| populations[id.0].nodes.clone()).collect();
        let classes = learner.data.class_names.len();
        let times: usize = parts.iter().map(ExactSizeIterator::len).sum();
        let samples = MOST_TIMES / times.max(1);
        let most_right = (samples / 3 / classes.max(1)).clamp(1, MOST_RIGHT);
        TestRecord {
            learner,
            first_spikes: vec![StreamingHistogram::default(); parts.len()],
            parts,
            confusion: vec![vec![0; classes + 1]; classes],
            decided: Vec::with_capacity(learner.data.test.len()),
            times: 0.0,
            decision_times: Default::default(),
            chosen: Vec::new(),
            right: vec![0; classes],
            wrong: 0,
            most_right,
            most_wrong: samples.saturating_sub(classes * most_right).clamp(1, MOST_WRONG),
        }
    }

    /// One sample more, with what it was decided to be.
    pub fn look(&mut self, sample: usize, record: &FirstSpikes, decided: Option<usize>) {
        let label = self.learner.data.test.labels[sample];
        let times = record.times();
        for (histogram, part) in self.first_spikes.iter_mut().zip(&self.parts) {
            times[part.clone()].iter().for_each(|&time| histogram.count(time));
        }
        self.confusion[label][decided.unwrap_or(self.right.len())] += 1;
        self.decided.push(decided);
        let is_right = decided == Some(label);
        if let Some(time) = self.decision_time(times, decided) {
            self.times += time;
            self.decision_times[usize::from(!is_right)].count(time);
        }
        let (so_far, most) = if is_right {
            (&mut self.right[label], self.most_right)
        } else {
            (&mut self.wrong, self.most_wrong)
        };
        if *so_far < most {
            *so_far += 1;
            self.chosen.push((sample, decided, record.clone()));
        }
    }

    fn decision_time(&self, times: &[f64], decided: Option<usize>) -> Option<f64> {
        let label_neurons = &times[self.parts.last()?.clone()];
        decided.map(|class| label_neurons[class])
    }

    /// The report.
    pub fn report(
        &self,
        loaded: &LoadedScenario,
        neurons: &Neurons<'_>,
        history: &[EpochMetrics],
        summary: &TrainingSummary,
        class_map: Option<ClassMap>,
        chip_found: Option<ChipFound>,
    ) -> ReportData {
        let data = &self.learner.data;
        let unit = loaded.scenario.time_unit.symbol();
        let content = TrainingContent {
            curves: (!history.is_empty()).then(|| curves(history, &self.learner.layer_names)),
            selected_epoch: summary.selected_epoch,
            class_map,
            hardware: summary.hardware.clone(),
            chip_found,
            ..self.content(neurons)
        };
        let mut notes = summary.warnings.clone();
        notes.extend(engine_note(&summary.engine));
        if summary.interrupted {
            let message = format!(
                "Interrupted after {} of {}: this is what there was by then.",
                count(summary.epochs, "epoch"),
                self.learner.settings.epochs
            );
            notes.insert(0, message);
        }
        ReportData {
            title: summary.scenario.clone(),
            subtitle: self.subtitle(summary),
            headline: headline(summary, data.test.len(), unit),
            notes,
            facts: facts(
                loaded,
                Some(self.samples()),
                &summary.engine,
                (summary.seconds, Some(summary.threads)),
            ),
            scenario: scenario(loaded),
            time_unit: unit.to_owned(),
            content: Content::Training(Box::new(content)),
        }
    }

    /// What the samples came to, without how the network was trained.
    pub(super) fn content(&self, neurons: &Neurons<'_>) -> TrainingContent {
        let data = &self.learner.data;
        let wrong = self.confusion.iter().enumerate().map(|(label, row)| {
            let all: u64 = row.iter().sum();
            (all - row[label]) as usize
        });
        TrainingContent {
            class_names: data.class_names.clone(),
            curves: None,
            selected_epoch: 0,
            confusion: self.confusion.clone(),
            class_map: None,
            plane: data.plane.map(|_| self.plane()),
            layers: self.layers(),
            decision_times: StreamingHistogram::finish_alike(self.decision_times.clone()),
            samples: self
                .chosen
                .iter()
                .map(|chosen| self.sample(&neurons.network, chosen))
                .collect(),
            wrong: wrong.sum(),
            image: data.test.image.map(|image| (image.width, image.height)),
            potentials: neurons.about,
            hardware: None,
            chip_found: None,
        }
    }

    /// Mean time of the decisions, in time units; not a number if there are none.
    pub(super) fn mean_decision_time(&self) -> f64 {
        self.times / self.decided.iter().flatten().count() as f64
    }

    /// How many samples there are.
    fn samples(&self) -> String {
        let data = &self.learner.data;
        let [training, validation, test] =
            [&data.training, &data.validation, &data.test].map(|set| set.len());
        let classes = data.class_names.len();
        format!("{training} training, {validation} validation, {test} test; {classes} classes")
    }

    fn subtitle(&self, summary: &TrainingSummary) -> String {
        let sizes: Vec<String> = self.parts.iter().map(|part| part.len().to_string()).collect();
        format!(
            "Training of a layered network of first spikes, {} · seed {} · {} engine · firstspike {}",
            sizes.join("–"),
            summary.seed,
            summary.engine.name,
            summary.version
        )
    }

    fn plane(&self) -> Plane {
        let test = &self.learner.data.test;
        let coordinates =
            |index| (0..test.len()).map(|sample| short(test.feature(sample, index))).collect();
        Plane {
            x: coordinates(0),
            y: coordinates(1),
            label: test.labels.to_vec(),
            decided: self.decided.clone(),
        }
    }

    fn layers(&self) -> Vec<LayerContent> {
        let network = &self.learner.network;
        let edges = network.network.graph().raw_edges();
        let populations = network.network.populations();
        let delays = network.layer_delays();
        let shapes = network.shapes();
        let ids = std::iter::once(&network.input).chain(&network.layers);
        ids.zip(&self.first_spikes)
            .enumerate()
            .map(|(index, (id, first_spikes))| {
                let population = &populations[id.0];
                let size = population.nodes.len();
                let first_spikes = first_spikes.finish();
                let pairs = (size * self.decided.len()) as f64;
                let spikes = first_spikes.as_ref().map_or(0, |found| found.total);
                let layer = index.checked_sub(1);
                let weights = layer.and_then(|layer| {
                    let shape = shapes[layer];
                    let own = &edges[shape.first..][..shape.rows * shape.columns];
                    Histogram::of(own.iter().map(|edge| edge.weight.weight))
                });
                let delays = layer.and_then(|layer| delays[layer].as_ref()).and_then(|delays| {
                    let values = Histogram::of(delays.values.iter().copied())?;
                    Some((delays.kind.name().to_owned(), values))
                });
                LayerContent {
                    name: population.name.clone(),
                    size,
                    silent: short(100.0 * (1.0 - spikes as f64 / pairs)),
                    first_spikes,
                    weights,
                    delays,
                }
            })
            .collect()
    }

    fn sample(
        &self,
        network: &CompiledNetwork,
        (index, decided, record): &(usize, Option<usize>, FirstSpikes),
    ) -> Sample {
        let test = &self.learner.data.test;
        let times = record.times();
        let label_neurons = self.parts.last().cloned().unwrap_or_default();
        let mut trains = SpikeTrains::new(network, label_neurons.clone());
        let mut last = 0.0;
        for (node, time) in record.in_order() {
            trains.spike(node, time);
            last = time;
        }
        let options = EngineOptions { at_most_one_spike: true };
        let spikes = |part: &std::ops::Range<usize>| {
            let part = times[part.clone()].iter();
            part.map(|&time| time.is_finite().then(|| short(time))).collect()
        };
        let mut pixels = Vec::new();
        if test.image.is_some() {
            test.read_sample(*index, &mut pixels);
            // Shades enough for an eye.
            pixels.iter_mut().for_each(|pixel| *pixel = (*pixel * 100.0).round() / 100.0);
        }
        Sample {
            index: *index,
            label: test.labels[*index],
            decided: *decided,
            decision_time: self.decision_time(times, *decided).map(short),
            pixels,
            spikes: self.parts.iter().map(spikes).collect(),
            membranes: label_neurons
                .filter_map(|node| {
                    // A little beyond the last spike, so that the last reset is to be seen.
                    membrane(network, &trains, node, options, 1.05 * last, POINTS)
                })
                .collect(),
        }
    }
}

fn curves(history: &[EpochMetrics], layer_names: &[String]) -> Curves {
    let column = |value: &dyn Fn(&EpochMetrics) -> f64| -> Vec<f64> {
        history.iter().map(|epoch| short(value(epoch))).collect()
    };
    let silent = layer_names.iter().enumerate().map(|(layer, name)| {
        (name.clone(), column(&|epoch| 100.0 * epoch.layers[layer].silent_fraction()))
    });
    Curves {
        epoch: history.iter().map(|epoch| epoch.epoch).collect(),
        training_loss: column(&|epoch| epoch.training.loss()),
        validation_loss: column(&|epoch| epoch.validation.map_or(f64::NAN, |score| score.loss())),
        training_accuracy: column(&|epoch| 100.0 * epoch.training.accuracy()),
        validation_accuracy: column(&|epoch| {
            epoch.validation.map_or(f64::NAN, |score| 100.0 * score.accuracy())
        }),
        decision_time: column(&|epoch| epoch.training.decision_time()),
        silent: silent.collect(),
    }
}

fn headline(summary: &TrainingSummary, samples: usize, unit: &str) -> Vec<Headline> {
    let correct = (summary.test_accuracy * samples as f64).round();
    let epochs = if summary.selected_epoch == summary.epochs {
        String::new()
    } else {
        format!("parameters of epoch {}", summary.selected_epoch)
    };
    let mut headline = vec![
        Headline::with_detail(
            "Test accuracy",
            percent(summary.test_accuracy, 2),
            format!("{correct} of {}", count(samples, "sample")),
        ),
        Headline::new("Validation accuracy", percent(summary.validation_accuracy, 2)),
        Headline::new("Training accuracy", percent(summary.train_accuracy, 2)),
        Headline::with_detail(
            "Time to decision",
            quantity(summary.mean_decision_time, unit),
            format!("{} undecided", percent(summary.test_undecided, 2)),
        ),
        Headline::with_detail("Epochs", summary.epochs.to_string(), epochs),
    ];
    if let Some(account) = &summary.hardware {
        let time = format!("{} per sample", with_prefix(account.time_per_sample, "s"));
        let energy = account
            .energy_per_sample
            .map_or_else(|| "unknown".to_owned(), |energy| with_prefix(energy, "J"));
        headline.push(Headline::with_detail("Energy on the chip", energy, time));
    }
    headline
}
