//! Identification: the twin of a substrate from records alone, without training.
//!
//! The records are gone through a few times in small batches, so that the estimates follow when a first comparison was
//! with quite another neuron. Then come steps with all records at once, each from what is known beforehand, as a
//! record counts once.

use super::{FoundNeuron, SubstratePrior, Twin};
use crate::engine::SourceSpike;
use crate::engine::layered::{
    Arrival, Batch, DerivativesAt, LayeredEngine, Unsupported, Workspace,
};
use crate::learning::FirstSpikes;
use crate::network::{CompiledNetwork, LayeredNetwork};

/// Samples of a small batch.
const SAMPLES: usize = 64;
/// How often the records are gone through in small batches.
const PASSES: usize = 3;
/// Steps with all of them.
const STEPS: usize = 5;

/// What was found of a substrate.
#[derive(Clone, Debug, PartialEq)]
pub struct Identification {
    /// Of every neuron, layer after layer.
    pub neurons: Vec<FoundNeuron>,
    /// Per layer: standard deviation of recorded times, in time units, and of what disturbs the potential, in its units.
    pub noise: Vec<[f64; 2]>,
}

/// Finds thresholds and delays of a substrate's neurons from records of a network with known weights. Records have
/// the times of all nodes; `bias` are the spikes of bias sources, the same in all samples.
///
/// # Errors
/// If the network or its expected neurons need the event engine.
pub fn identify(
    network: &LayeredNetwork,
    prior: SubstratePrior,
    bias: &[SourceSpike],
    records: &[&FirstSpikes],
) -> Result<Identification, Unsupported> {
    let compiled = CompiledNetwork::new(&network.network);
    let engine = LayeredEngine::<f64>::new(network, &compiled)?.batched();
    let (mut engine, mut twin) = Twin::of(prior, network, engine)?;
    let bias: Vec<Vec<Arrival>> = (0..engine.layer_count())
        .map(|layer| {
            let spikes = bias.iter();
            let arrivals = spikes.filter_map(|spike| {
                let row = engine.row_of_source(layer, spike.source as usize)?;
                Some(Arrival { time: spike.time, row })
            });
            arrivals.collect()
        })
        .collect();
    let mut workspace = Workspace::default();
    let mut observe = |twin: &Twin, engine: &mut LayeredEngine<f64>, records: &[&FirstSpikes]| {
        twin.show_to(engine);
        let mut observations = twin.no_observations();
        for records in records.chunks(SAMPLES) {
            let batch = batch(engine, &bias, records, &mut workspace);
            for (layer, sums) in observations.iter_mut().enumerate() {
                twin.observe(layer, engine.compare(layer, &batch, &workspace), sums);
            }
        }
        observations
    };
    for records in std::iter::repeat_n(records, PASSES).flat_map(|records| records.chunks(SAMPLES))
    {
        let observations = observe(&twin, &mut engine, records);
        twin.learn(&observations);
    }
    for _ in 0..STEPS {
        let mut observations = observe(&twin, &mut engine, records);
        twin.pull_back(&mut observations);
        twin.forget();
        twin.learn(&observations);
    }
    let noise = twin.layers.iter().map(|layer| layer.variances.map(f64::sqrt)).collect();
    Ok(Identification { neurons: twin.found(), noise })
}

/// Takes records up.
fn batch(
    engine: &LayeredEngine<f64>,
    bias: &[Vec<Arrival>],
    records: &[&FirstSpikes],
    workspace: &mut Workspace<f64>,
) -> Batch<f64> {
    let mut batch = Batch::default();
    batch.begin(engine, records.len());
    for (sample, record) in records.iter().enumerate() {
        let inputs = record.in_order().filter_map(|(node, time)| {
            let row = engine.row_of_source(0, node)?;
            Some(Arrival { time, row })
        });
        *batch.stimulus_mut(sample) = inputs.collect();
        for layer in 0..engine.layer_count() {
            let times = &record.times()[engine.neurons(layer)];
            batch.record_spike_times(layer, sample, times);
        }
    }
    engine.load_record(bias, DerivativesAt::Crossings(&[]), &mut batch, workspace);
    batch
}
