mod narrow;

use pulp::Arch;
use rand::RngExt;
use rand::rngs::ChaCha8Rng;

use super::*;
use crate::engine::layered::{HomogeneousLayer, HomogeneousWorkspace};
use crate::engine::{EngineOptions, EventEngine, Recording, SourceSpike};
use crate::network::{CompiledNetwork, Network, Synapse};
use crate::neuron::NeuronParameters;
use crate::random;

const NEURONS: usize = 21;
const ROWS: usize = 12;
/// Between arrivals of a burst.
const INTERVAL: f64 = 0.01;

/// A layer and its twin for the event engine.
struct Twin {
    neurons: Vec<NeuronParameters>,
    weights: Vec<f64>,
    arrivals: Vec<Arrival>,
}

impl Twin {
    fn new(random: &mut ChaCha8Rng, split: bool, refractory: bool) -> Self {
        let equal = random.random_bool(0.2);
        let neurons = (0..NEURONS).map(|_| {
            let tau_s = random.random_range(0.7..1.3);
            let spread = [1e-9, 0.05, 2.0][random.random_range(0..3)];
            let tau_m =
                if equal { tau_s } else { tau_s * (1.0 + random.random_range(0.0..spread)) };
            let leak_potential = random.random_range(-0.2..0.2);
            NeuronParameters {
                tau_m: if random.random_bool(0.05) { f64::INFINITY } else { tau_m },
                tau_s,
                tau_s_inhibitory: if split { random.random_range(0.5..1.5) } else { tau_s },
                leak_potential,
                initial_potential: leak_potential,
                reset_potential: leak_potential + random.random_range(-0.3..0.3),
                threshold: leak_potential + random.random_range(0.7..1.3),
                refractory_period: if refractory { random.random_range(0.05..1.5) } else { 0.0 },
                ..NeuronParameters::default()
            }
        });
        let neurons = neurons.collect();
        let weights = (0..ROWS * NEURONS).map(|_| random.random_range(-2.0..3.0)).collect();
        let mut arrivals: Vec<Arrival> = (0..ROWS as u32)
            .map(|row| Arrival { time: random.random_range(0.0..3.0), row })
            .collect();
        match random.random_range(0..4) {
            // Several at a time.
            0 | 1 => arrivals
                .iter_mut()
                .for_each(|arrival| arrival.time = (4.0 * arrival.time).round() / 4.0),
            // Volleys of four.
            2 => (0..ROWS).for_each(|row| {
                arrivals[row].time = arrivals[row / 4 * 4].time + (row % 4) as f64 * INTERVAL;
            }),
            _ => {}
        }
        arrivals.sort_by(|a, b| a.time.total_cmp(&b.time));
        Twin { neurons, weights, arrivals }
    }

    fn columns(&self) -> (HeterogeneousNeurons, SynapseMatrix) {
        let mut neurons = HeterogeneousNeurons::new(&self.neurons).expect("valid");
        if self.arrivals.len() > 1 && self.weights[0] > 0.0 {
            // Intervals between arrivals on a grid or in a burst are then prepared.
            neurons.prepare(&[0.25, INTERVAL], &self.neurons);
        }
        let mut synapses = SynapseMatrix::new(ROWS, NEURONS);
        synapses.set(&self.weights);
        (neurons, synapses)
    }

    /// Bursts whose effect is summed in advance, whether the arrivals have some or not.
    fn synchronous(
        &self,
        neurons: &HeterogeneousNeurons,
        synapses: &SynapseMatrix,
    ) -> Vec<SynchronousInputs> {
        let rows = (0..ROWS as u32).step_by(4).map(|first| first..first + 4);
        let mut synchronous = SynchronousInputs::new(rows, INTERVAL, &self.neurons);
        synchronous.iter_mut().for_each(|inputs| inputs.set(Arch::new(), neurons, synapses));
        synchronous
    }

    /// The event engine's spikes with these stimuli one after the other, `period` apart.
    fn expected(&self, once: bool, samples: usize, period: f64) -> Vec<LayerSpike> {
        let mut network = Network::new();
        let columns = self.neurons.len();
        let rows = self.weights.len() / columns;
        let input = network.add_sources("input", rows).expect("new");
        let layer = network.add_neurons("layer", self.neurons.iter().copied()).expect("valid");
        for (index, &weight) in self.weights.iter().enumerate() {
            let (pre, post) = ((input, index / columns), (layer, index % columns));
            network.connect(pre, post, Synapse { weight, delay: 0.0 }).expect("valid");
        }
        let network = CompiledNetwork::new(&network);
        let stimulus: Vec<SourceSpike> = (0..samples)
            .flat_map(|sample| {
                self.arrivals.iter().map(move |arrival| SourceSpike {
                    time: arrival.time + sample as f64 * period,
                    source: arrival.row,
                })
            })
            .collect();
        let options = EngineOptions { at_most_one_spike: once };
        let mut recording = Recording::default();
        EventEngine::new(&network, options)
            .run(&network, &stimulus, samples as f64 * period, &mut recording)
            .expect("runs");
        let spikes = recording.spikes.iter().filter(|spike| spike.node as usize >= rows);
        spikes
            .map(|spike| LayerSpike { time: spike.time, neuron: spike.node - rows as u32 })
            .collect()
    }
}

fn sorted(spikes: &[LayerSpike]) -> Vec<LayerSpike> {
    let mut spikes = spikes.to_vec();
    spikes.sort_by(|a, b| (a.neuron, a.time).partial_cmp(&(b.neuron, b.time)).expect("numbers"));
    spikes
}

/// The largest difference of two lists of spikes. Near a peak that grazes the threshold the time is as
/// ill-conditioned as a square root: nothing random comes closer than 1e-9.
fn compare(found: &[LayerSpike], expected: &[LayerSpike]) -> f64 {
    let (found, expected) = (sorted(found), sorted(expected));
    assert_eq!(found.len(), expected.len(), "{found:?}\n{expected:?}");
    let mut worst: f64 = 0.0;
    for (found, expected) in found.iter().zip(&expected) {
        assert_eq!(found.neuron, expected.neuron);
        worst = worst.max((found.time - expected.time).abs());
    }
    worst
}

fn machines() -> [Arch; 2] {
    [Arch::new(), Arch::Scalar]
}

#[test]
fn first_spikes_are_those_of_the_event_engine() {
    let (mut worst, mut count, mut known): (f64, usize, usize) = (0.0, 0, 0);
    for index in 0..400 {
        let mut random = random::stream(1, "individual once", index);
        let twin = Twin::new(&mut random, index % 2 == 1, false);
        let expected = twin.expected(true, 1, 1e3);
        let (neurons, synapses) = twin.columns();
        let synchronous = twin.synchronous(&neurons, &synapses);
        let propagator = neurons.propagators().iter().find(|known| known.length == INTERVAL);
        let is_known = |some: &&[Arrival]| {
            SynchronousInputs::of_burst(&synchronous, some, propagator).is_some()
        };
        known += twin.arrivals.windows(4).filter(is_known).count();
        let layer = HeterogeneousLayer {
            neurons: &neurons,
            synapses: &synapses,
            synchronous: &synchronous,
        };
        for arch in machines() {
            let (mut spikes, mut workspace) = (Vec::new(), HeterogeneousWorkspace::default());
            layer.first_spikes(arch, &twin.arrivals, f64::INFINITY, &mut workspace, &mut spikes);
            worst = worst.max(compare(&spikes, &expected));
            count += spikes.len();
            // A window ends the sample.
            layer.first_spikes(arch, &twin.arrivals, 1.5, &mut workspace, &mut spikes);
            let early: Vec<_> =
                expected.iter().copied().filter(|spike| spike.time <= 1.5).collect();
            worst = worst.max(compare(&spikes, &early));
        }
    }
    assert!(count > 8_000 && known > 100, "{count} {known}");
    println!("{count} spikes, {known} bursts known, worst {worst:e}");
    assert!(worst < 1e-9, "{worst}");
}

/// Strong currents that nearly cancel bend the potential much more than the leak does: a step of the search is
/// not the last because it is short for the membrane.
#[test]
fn balanced_currents_are_no_less_exact() {
    let mut worst: f64 = 0.0;
    let mut count = 0;
    for index in 0..200 {
        let mut random = random::stream(1, "individual balanced", index);
        let (mut neurons, mut weights) = (Vec::new(), vec![0.0; ROWS * NEURONS]);
        for neuron in 0..NEURONS {
            let excitation = 10.0_f64.powf(random.random_range(1.0..3.0));
            let surplus: f64 = random.random_range(1.0..3.0);
            // Inhibition decays half as fast as the membrane and as excitation, so that the potential peaks
            // at about this value.
            let peak = surplus * surplus / excitation;
            neurons.push(NeuronParameters {
                tau_m: random.random_range(0.95..1.0),
                tau_s: 1.0,
                tau_s_inhibitory: 2.0,
                threshold: peak * random.random_range(0.1..0.8),
                reset_potential: -1.0,
                ..NeuronParameters::default()
            });
            weights[neuron] = excitation;
            weights[NEURONS + neuron] = surplus - excitation;
        }
        let arrivals = vec![Arrival { time: 0.5, row: 0 }, Arrival { time: 0.5, row: 1 }];
        let twin = Twin { neurons, weights, arrivals };
        let expected = twin.expected(true, 1, 1e3);
        let (neurons, synapses) = twin.columns();
        let layer = HeterogeneousLayer { neurons: &neurons, synapses: &synapses, synchronous: &[] };
        for arch in machines() {
            let (mut spikes, mut workspace) = (Vec::new(), HeterogeneousWorkspace::default());
            layer.first_spikes(arch, &twin.arrivals, f64::INFINITY, &mut workspace, &mut spikes);
            worst = worst.max(compare(&spikes, &expected));
            count += spikes.len();
        }
    }
    assert!(count > 6_000, "{count}");
    println!("{count} spikes, worst {worst:e}");
    // Rounding of currents of 1000, over slopes of the order of one.
    assert!(worst < 2e-12, "{worst}");
}

#[test]
fn repeated_spikes_and_states_left_over_are_those_of_the_event_engine() {
    const SAMPLES: usize = 3;
    let (mut worst, mut count): (f64, usize) = (0.0, 0);
    for index in 0..300 {
        let mut random = random::stream(1, "individual repeated", index);
        let twin = Twin::new(&mut random, index % 2 == 1, index % 3 > 0);
        // So short that the next sample meets states and refractory periods of the last.
        let period = random.random_range(3.0..5.0);
        let expected = twin.expected(false, SAMPLES, period);
        let (neurons, synapses) = twin.columns();
        let synchronous =
            if index % 4 < 2 { twin.synchronous(&neurons, &synapses) } else { Vec::new() };
        let layer = HeterogeneousLayer {
            neurons: &neurons,
            synapses: &synapses,
            synchronous: &synchronous,
        };
        for arch in machines() {
            let (mut all, mut spikes) = (Vec::new(), Vec::new());
            let mut workspace = HeterogeneousWorkspace::default();
            let mut states = NeuronStates::at_rest(&neurons);
            for sample in 0..SAMPLES {
                layer.all_spikes(
                    arch,
                    &twin.arrivals,
                    period,
                    &mut states,
                    &mut workspace,
                    &mut spikes,
                );
                assert!(spikes.is_sorted_by(|a, b| (a.neuron, a.time) <= (b.neuron, b.time)));
                all.extend(spikes.iter().map(|spike| LayerSpike {
                    time: spike.time + sample as f64 * period,
                    ..*spike
                }));
            }
            worst = worst.max(compare(&all, &expected));
            count += all.len();
        }
    }
    assert!(count > 20_000, "{count}");
    println!("{count} spikes, worst {worst:e}");
    // Each spike starts the next from an error of its own; without refractory periods many follow.
    assert!(worst < 1e-9, "{worst}");
}

/// Neurons with common time constants and a closed form of their crossings can take the faster engine: the
/// spikes are the same.
#[test]
fn homogeneous_layers_spike_as_heterogeneous_ones_do() {
    let (mut worst, mut count): (f64, usize) = (0.0, 0);
    for index in 0..300 {
        let mut random = random::stream(1, "uniform layer", index);
        let mut twin = Twin::new(&mut random, false, false);
        assert!(HomogeneousLayer::new(&twin.neurons, ROWS).is_none(), "they differ");
        let tau_s = twin.neurons[0].tau_s;
        let tau_m = [tau_s, 2.0 * tau_s, f64::INFINITY, 1.7 * tau_s][index as usize % 4];
        for neuron in &mut twin.neurons {
            *neuron = NeuronParameters { tau_m, tau_s, tau_s_inhibitory: tau_s, ..*neuron };
        }
        let (neurons, synapses) = twin.columns();
        let layer = HeterogeneousLayer { neurons: &neurons, synapses: &synapses, synchronous: &[] };
        let Some(mut homogeneous) = HomogeneousLayer::new(&twin.neurons, ROWS) else {
            assert_eq!(index % 4, 3, "only the last ratio has no closed form");
            continue;
        };
        homogeneous.set_weights(&twin.weights);
        let mut workspace = HomogeneousWorkspace::default();
        for arch in machines() {
            let (mut expected, mut own) = (Vec::new(), HeterogeneousWorkspace::default());
            layer.first_spikes(arch, &twin.arrivals, f64::INFINITY, &mut own, &mut expected);
            let times = homogeneous.first_spikes(
                arch,
                &twin.arrivals,
                neurons.thresholds(),
                &mut workspace,
            );
            let spikes = times.iter().zip(0..).map(|(&time, neuron)| LayerSpike { time, neuron });
            let spikes: Vec<_> = spikes.filter(|spike| spike.time < f64::INFINITY).collect();
            worst = worst.max(compare(&spikes, &expected));
            count += spikes.len();
        }
    }
    assert!(count > 6_000, "{count}");
    assert!(worst < 1e-9, "{worst}");
}
