//! The report of a simulation: what happens, seen as it happens, and the network that it happens in.

use super::membranes::membrane;
use super::{count, engine_note, quantity};
use crate::engine::EngineOptions;
use crate::learning::SpikeTrainMetrics;
use crate::membrane::SpikeTrains;
use crate::network::{CompiledNetwork, Population};
use crate::report::html::{
    Content, Headline, Histogram, PopulationContent, PotentialContent, ProjectionContent, Raster,
    ReportData, Rows, SimulationContent, SpikeTrainingContent, StreamingHistogram, short,
};
use crate::run::{SimulationSummary, SpikeTrainingSummary};
use crate::scenario::{LoadedScenario, Recording};

/// Most spikes of a raster: as many as a browser draws without a pause.
const MOST_SPIKES: usize = 12_000;

/// Bins of time of a rate.
const BINS: usize = 150;

/// Recorded potentials that are shown, and points of each.
const MOST_POTENTIALS: usize = 12;
const POINTS: usize = 1200;

/// What happens in a simulation, seen spike by spike.
pub(in crate::run) struct Activity {
    populations: Vec<Population>,
    until: f64,
    /// Per population: spikes per bin of time.
    rates: Vec<[u64; BINS]>,
    /// Per node: when it last spiked.
    last: Vec<f64>,
    intervals: Vec<StreamingHistogram>,
    /// Per population: sum of the squares of the intervals.
    squares: Vec<f64>,
    /// Spikes of every `stride`th neuron of each population, in order.
    raster: Vec<(u32, u32, f64)>,
    stride: usize,
    /// Where the raster had to end.
    ended: Option<f64>,
}

impl Activity {
    /// Nothing so far, of these populations until a time.
    pub fn new(populations: &[Population], until: f64) -> Self {
        let nodes = populations.iter().map(|population| population.nodes.end).max().unwrap_or(0);
        Activity {
            populations: populations.to_vec(),
            until,
            rates: vec![[0; BINS]; populations.len()],
            last: vec![f64::NAN; nodes],
            intervals: vec![StreamingHistogram::default(); populations.len()],
            squares: vec![0.0; populations.len()],
            raster: Vec::new(),
            stride: 1,
            ended: None,
        }
    }

    /// A spike of a node that belongs to the population with this index.
    pub fn spike(&mut self, population: usize, node: usize, time: f64) {
        let bin = (time / self.until * BINS as f64) as usize;
        self.rates[population][bin.min(BINS - 1)] += 1;
        let interval = time - std::mem::replace(&mut self.last[node], time);
        if interval >= 0.0 {
            self.intervals[population].count(interval);
            self.squares[population] += interval * interval;
        }
        let neuron = node - self.populations[population].nodes.start;
        if self.ended.is_none() && neuron.is_multiple_of(self.stride) {
            self.raster.push((population as u32, neuron as u32, time));
            if self.raster.len() > MOST_SPIKES {
                self.thin_out();
            }
        }
    }

    /// Leaves out every other neuron that was shown so far; if there is none, whatever comes later.
    fn thin_out(&mut self) {
        let largest = self.populations.iter().map(|population| population.nodes.len()).max();
        if self.stride < largest.unwrap_or(0) {
            self.stride *= 2;
            let stride = self.stride;
            self.raster.retain(|(_, neuron, _)| (*neuron as usize).is_multiple_of(stride));
        } else {
            self.ended = self.raster.last().map(|(_, _, time)| *time);
        }
    }

    fn raster(&self) -> Raster {
        let mut populations = vec![Rows::default(); self.populations.len()];
        for &(population, neuron, time) in &self.raster {
            let rows = &mut populations[population as usize];
            rows.neuron.push(neuron);
            rows.time.push(short(time));
        }
        let mut note = Vec::new();
        if self.stride > 1 {
            note.push(format!("every {}th neuron of each population", self.stride));
        }
        if let Some(end) = self.ended {
            note.push(format!("spikes until {}", short(end)));
        }
        let note = match note.join(", ") {
            what if what.is_empty() => what,
            what => format!("There are too many spikes to show all of them: shown are {what}."),
        };
        Raster { populations, note: note.replace("every 2th", "every 2nd") }
    }

    fn population(&self, index: usize, network: &CompiledNetwork) -> PopulationContent {
        let Population { name, nodes } = &self.populations[index];
        let spikes: u64 = self.rates[index].iter().sum();
        let per_neuron = |count: u64, time: f64| short(count as f64 / (nodes.len() as f64 * time));
        let intervals = self.intervals[index].finish();
        let variation = intervals.as_ref().filter(|found| found.total > 1).map(|found| {
            let total = found.total as f64;
            short((self.squares[index] / total / (found.mean * found.mean) - 1.0).max(0.0).sqrt())
        });
        PopulationContent {
            name: name.clone(),
            size: nodes.len(),
            is_source: network.dynamics(nodes.start).is_none(),
            spikes,
            mean_rate: per_neuron(spikes, self.until),
            rate: self.rates[index]
                .iter()
                .map(|&count| per_neuron(count, self.until / BINS as f64))
                .collect(),
            intervals,
            variation,
        }
    }

    fn content(
        &self,
        network: &CompiledNetwork,
        potentials: Vec<PotentialContent>,
    ) -> SimulationContent {
        let occupied = |index: &usize| !self.populations[*index].nodes.is_empty();
        SimulationContent {
            until: self.until,
            populations: (0..self.populations.len())
                .filter(occupied)
                .map(|index| self.population(index, network))
                .collect(),
            bin: self.until / BINS as f64,
            raster: self.raster(),
            projections: projections(network),
            potentials,
        }
    }
}

/// The weights from each population to each.
fn projections(network: &CompiledNetwork) -> Vec<ProjectionContent> {
    let populations = network.populations();
    let mut found = Vec::new();
    for pre in populations {
        let Some(last) = pre.nodes.clone().last() else { continue };
        let synapses = network.outgoing(pre.nodes.start).start..network.outgoing(last).end;
        let ends = network.targets()[synapses.clone()].iter().zip(&network.weights()[synapses]);
        for post in populations {
            let own = ends.clone().filter(|(target, _)| post.nodes.contains(&(**target as usize)));
            if let Some(weights) = Histogram::of(own.map(|(_, weight)| *weight)) {
                found.push(ProjectionContent {
                    pre: pre.name.clone(),
                    post: post.name.clone(),
                    synapses: weights.total as usize,
                    weights,
                });
            }
        }
    }
    found
}

/// The report of a simulation that ended at `end`.
pub(in crate::run) fn simulation_report(
    loaded: &LoadedScenario,
    network: &CompiledNetwork,
    activity: &Activity,
    (recording, trains, options): (&Recording, &SpikeTrains, EngineOptions),
    end: f64,
    summary: &SimulationSummary,
) -> ReportData {
    let unit = loaded.scenario.time_unit.symbol();
    let mut notes: Vec<String> = engine_note(&summary.engine).into_iter().collect();
    let wanted = recording.potentials.iter().flat_map(|wanted| {
        wanted
            .neurons
            .iter()
            .map(move |&neuron| (&network.populations()[wanted.population], neuron))
    });
    let all = wanted.clone().count();
    if all > MOST_POTENTIALS {
        notes.push(format!(
            "Potentials of {all} neurons were recorded; the first {MOST_POTENTIALS} are shown here, all \
             of them are in potentials.csv."
        ));
    }
    let potentials = wanted.take(MOST_POTENTIALS).filter_map(|(population, neuron)| {
        let node = population.nodes.start + neuron;
        let name = format!("{} {neuron}", population.name);
        let membrane = membrane(network, trains, node, options, end, POINTS)?;
        Some(PotentialContent { name, membrane })
    });
    if summary.interrupted {
        notes.insert(0, format!("Interrupted at {} of {} {unit}.", short(end), summary.until));
    }
    let spikes: u64 = summary.populations.iter().map(|population| population.spikes).sum();
    let neurons: usize = network.populations().iter().map(|found| found.nodes.len()).sum();
    ReportData {
        title: summary.scenario.clone(),
        subtitle: format!(
            "Simulation of populations · seed {} · {} engine · firstspike {}",
            summary.seed, summary.engine.name, summary.version
        ),
        headline: vec![
            Headline::with_detail(
                "Neurons and sources",
                neurons.to_string(),
                count(network.populations().len(), "population"),
            ),
            Headline::new("Synapses", network.synapse_count().to_string()),
            Headline::new("Spikes", spikes.to_string()),
            Headline::new("Synaptic events", summary.synaptic_events.to_string()),
            Headline::new("Simulated time", format!("{} {unit}", summary.until)),
        ],
        notes,
        time_unit: unit.to_owned(),
        content: Content::Simulation(activity.content(network, potentials.collect())),
    }
}

/// The report of a training to emit spike trains: how it went, and what the trained network does.
pub(in crate::run) fn spike_training_report(
    loaded: &LoadedScenario,
    network: &CompiledNetwork,
    activity: &Activity,
    history: &[SpikeTrainMetrics],
    (nodes, targets): (std::ops::Range<usize>, &[Vec<f64>]),
    summary: &SpikeTrainingSummary,
) -> ReportData {
    let unit = loaded.scenario.time_unit.symbol();
    let mut rows = Rows::default();
    for (neuron, times) in targets.iter().enumerate() {
        rows.neuron.extend(times.iter().map(|_| neuron as u32));
        rows.time.extend(times.iter().copied().map(short));
    }
    let target_population =
        network.populations().iter().position(|found| found.nodes.start == nodes.start);
    let content = SpikeTrainingContent {
        epoch: history.iter().map(|epoch| epoch.epoch).collect(),
        loss: history.iter().map(|epoch| short(epoch.loss)).collect(),
        timing_error: history.iter().map(|epoch| short(epoch.timing_error())).collect(),
        missing: history.iter().map(|epoch| epoch.missing).collect(),
        extra: history.iter().map(|epoch| epoch.extra).collect(),
        target_population: target_population.unwrap_or(0),
        targets: rows,
        simulation: activity.content(network, Vec::new()),
    };
    let interrupted = format!("Interrupted after {}.", count(summary.epochs, "epoch"));
    let notes = summary.interrupted.then_some(interrupted).into_iter();
    let notes = notes.chain(engine_note(&summary.engine));
    ReportData {
        title: summary.scenario.clone(),
        subtitle: format!(
            "Training to emit given spike trains · seed {} · firstspike {}",
            summary.seed, summary.version
        ),
        headline: vec![
            Headline::with_detail(
                "Timing error",
                quantity(summary.timing_error, unit),
                format!("root mean square of {}", count(summary.paired, "spike")),
            ),
            Headline::new("Missing spikes", summary.missing.to_string()),
            Headline::new("Extra spikes", summary.extra.to_string()),
            Headline::new("Epochs", summary.epochs.to_string()),
        ],
        notes: notes.collect(),
        time_unit: unit.to_owned(),
        content: Content::SpikeTraining(content),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_raster_of_too_many_spikes_is_thinned_out_and_says_so() {
        let population = Population { name: "all".to_owned(), nodes: 0..10 };
        let mut activity = Activity::new(&[population], 3000.0);
        let spikes = (0..30_000).map(|spike| (spike % 10, 0.1 * spike as f64));
        spikes.for_each(|(node, time)| activity.spike(0, node, time));
        let raster = activity.raster();
        let rows = &raster.populations[0];
        assert!(rows.neuron.len() <= MOST_SPIKES && rows.neuron.len() > MOST_SPIKES / 3);
        // Every fourth of ten neurons: 9000 spikes.
        assert_eq!(rows.neuron.len(), 9000);
        assert!(rows.neuron.iter().all(|neuron| neuron % 4 == 0));
        assert!(raster.note.contains("every 4th neuron"), "{}", raster.note);
        // Rates and intervals are of all of them.
        assert_eq!(activity.rates[0].iter().sum::<u64>(), 30_000);
        let intervals = activity.intervals[0].finish().expect("intervals");
        assert_eq!((intervals.total, intervals.mean), (29_990, 1.0));

        // A single neuron cannot be left out: then its later spikes are.
        let one = Population { name: "one".to_owned(), nodes: 0..1 };
        let mut activity = Activity::new(&[one], 3000.0);
        (0..30_000).for_each(|spike| activity.spike(0, 0, 0.1 * f64::from(spike)));
        assert!(activity.raster().note.contains("spikes until 1200"), "{}", activity.raster().note);
    }
}
