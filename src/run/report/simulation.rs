//! The report of a simulation: what happened, and the network that it happened in.

use super::activity::Activity;
use super::membranes::membrane;
use super::{count, engine_note, facts, quantity, scenario};
use crate::engine::EngineOptions;
use crate::learning::SpikeTrainMetrics;
use crate::membrane::SpikeTrains;
use crate::network::CompiledNetwork;
use crate::report::html::{
    Content, Headline, Histogram, PotentialContent, ProjectionContent, ReportData, Rows,
    SimulationContent, SpikeTrainingContent, short,
};
use crate::run::{SimulationSummary, SpikeTrainingSummary};
use crate::scenario::{LoadedScenario, Recording};
use crate::settings::time_units::symbol;
use crate::trace::statistics::rate_unit;

/// Recorded potentials that are shown, and points of each.
const MOST_POTENTIALS: usize = 12;
const POINTS: usize = 1200;

/// The charts of a simulation that reached a time, with times in this unit (`ms`, `tau_s`).
fn content(
    network: &CompiledNetwork,
    activity: &Activity,
    potentials: Vec<PotentialContent>,
    reached: f64,
    time_unit: &str,
) -> SimulationContent {
    let (_, rate_unit, per_unit) = rate_unit(Some(time_unit));
    SimulationContent {
        until: reached,
        populations: activity.populations(network, reached, per_unit),
        bin: activity.bin(reached),
        rate_unit: symbol(&rate_unit),
        raster: activity.raster(),
        projections: projections(network),
        potentials,
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

/// The report of a simulation.
pub(in crate::run) fn simulation_report(
    loaded: &LoadedScenario,
    network: &CompiledNetwork,
    activity: &Activity,
    (recording, trains, options): (&Recording, &SpikeTrains, EngineOptions),
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
        let membrane = membrane(network, trains, node, options, summary.reached, POINTS)?;
        Some(PotentialContent { name, membrane })
    });
    if summary.interrupted {
        notes.insert(
            0,
            format!("Interrupted at {} of {} {unit}.", short(summary.reached), summary.until),
        );
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
            Headline::new("Simulated time", format!("{} {unit}", short(summary.reached))),
        ],
        notes,
        facts: facts(loaded, None, &summary.engine, (summary.seconds, None)),
        scenario: scenario(loaded),
        time_unit: unit.to_owned(),
        content: Content::Simulation(content(
            network,
            activity,
            potentials.collect(),
            summary.reached,
            summary.time_unit,
        )),
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
        simulation: content(network, activity, Vec::new(), summary.reached, &summary.time_unit),
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
        facts: facts(loaded, None, &summary.engine, (summary.seconds, None)),
        scenario: scenario(loaded),
        time_unit: unit.to_owned(),
        content: Content::SpikeTraining(content),
    }
}
