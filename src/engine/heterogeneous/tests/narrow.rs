//! Narrow layers with many arrivals.

use super::*;
use crate::engine::heterogeneous::layer_state::StateBlock;
use crate::engine::heterogeneous::narrow::is_narrow;

/// Numbers of neurons of narrow layers, and those around them.
const NARROW: [usize; 7] = [1, 2, 3, 4, 5, 9, 10];
const ANY: [usize; 12] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];

/// A layer of one of these numbers of neurons with arrivals of its own, up to a time.
fn narrow(
    random: &mut ChaCha8Rng,
    split: bool,
    longest_refractory_period: f64,
    counts: &[usize],
) -> Twin {
    let mut twin = Twin::new(random, split, true);
    twin.neurons.truncate(counts[random.random_range(0..counts.len())]);
    let rows = random.random_range(40..100);
    let scale = [0.3, 1.0][random.random_range(0..2)] * (16.0 / rows as f64).sqrt();
    let weight = |_| scale * random.random_range(-2.5..3.0);
    twin.weights = (0..rows * twin.neurons.len()).map(weight).collect();
    let window = random.random_range(0.5..3.0);
    let time = |row| Arrival { time: random.random_range(0.0..window), row };
    twin.arrivals = (0..rows as u32).map(time).collect();
    if random.random_bool(0.3) {
        // Several at a time, some at time zero.
        let grid = |arrival: &mut Arrival| arrival.time = (8.0 * arrival.time).floor() / 8.0;
        twin.arrivals.iter_mut().for_each(grid);
    }
    twin.arrivals.sort_by(|a, b| a.time.total_cmp(&b.time));
    for neuron in &mut twin.neurons {
        neuron.refractory_period = longest_refractory_period * random.random_range(0.3..1.0);
    }
    twin
}

impl Twin {
    fn narrow_columns(&self) -> (HeterogeneousNeurons, SynapseMatrix) {
        let neurons = HeterogeneousNeurons::new(&self.neurons).expect("valid");
        let columns = self.neurons.len();
        let mut synapses = SynapseMatrix::new(self.weights.len() / columns, columns);
        synapses.set(&self.weights);
        (neurons, synapses)
    }
}

#[test]
fn narrow_layers_spike_as_in_the_event_engine() {
    const SAMPLES: usize = 3;
    let (mut worst, mut count, mut taken): (f64, usize, usize) = (0.0, 0, 0);
    for index in 0..600 {
        let mut random = random::stream(1, "few neurons", index);
        let refractory_period = [0.0, 0.05, 0.5, 4.0][index as usize / 2 % 4];
        let mut twin = narrow(&mut random, index % 2 == 1, refractory_period, &ANY);
        let last = twin.arrivals[twin.arrivals.len() - 1].time;
        let period = last + random.random_range(0.0..2.0);
        let (neurons, synapses) = twin.narrow_columns();
        let layer = HeterogeneousLayer { neurons: &neurons, synapses: &synapses, synchronous: &[] };
        taken += usize::from(is_narrow(&layer, &twin.arrivals));
        let mut arrivals = twin.arrivals.clone();
        if index % 3 == 0 {
            // Too late.
            arrivals.push(Arrival { time: period + 0.1, row: 0 });
        }
        let expected = twin.expected(false, SAMPLES, period);
        for arch in machines() {
            let (mut all, mut spikes) = (Vec::new(), Vec::new());
            let mut workspace = HeterogeneousWorkspace::default();
            let mut states = NeuronStates::at_rest(&neurons);
            for sample in 0..SAMPLES {
                let (states, workspace) = (&mut states, &mut workspace);
                layer.all_spikes(arch, &arrivals, period, states, workspace, &mut spikes);
                assert!(spikes.is_sorted_by(|a, b| (a.neuron, a.time) <= (b.neuron, b.time)));
                let start = sample as f64 * period;
                all.extend(spikes.iter().map(|s| LayerSpike { time: s.time + start, ..*s }));
            }
            worst = worst.max(compare(&all, &expected));
            count += all.len();
        }
        // From rest, once.
        twin.neurons.iter_mut().for_each(|neuron| neuron.refractory_period = 0.0);
        let expected = twin.expected(true, 1, 1e3);
        for arch in machines() {
            let (mut spikes, mut workspace) = (Vec::new(), HeterogeneousWorkspace::default());
            let end = [f64::INFINITY, 0.7 * last][index as usize % 2];
            layer.first_spikes(arch, &twin.arrivals, end, &mut workspace, &mut spikes);
            let early: Vec<_> = expected.iter().copied().filter(|s| s.time <= end).collect();
            worst = worst.max(compare(&spikes, &early));
        }
    }
    println!("{count} spikes, {taken} narrow layers, worst {worst:e}");
    assert!(count > 30_000 && taken > 300, "{count} {taken}");
    assert!(worst < 1e-9, "{worst}");
}

/// The states at the end, and peaks that all but touch the threshold. A layer with synchronous inputs takes
/// the event loop, even if they never spike together.
#[test]
fn narrow_layers_end_in_the_states_of_the_event_loop() {
    const SAMPLES: usize = 4;
    let (mut worst, mut count, mut held): (f64, usize, usize) = (0.0, 0, 0);
    for index in 0..400 {
        let mut random = random::stream(1, "few neurons' states", index);
        let refractory_period = [0.01, 0.3, 1.0, 3.0][index as usize / 2 % 4];
        let mut twin = narrow(&mut random, index % 2 == 1, refractory_period, &NARROW);
        twin.neurons.iter_mut().for_each(|neuron| {
            neuron.tau_m = neuron.tau_m.min(1.3 * neuron.tau_s);
        });
        if index % 8 > 5 {
            // As long as the sums are exact.
            twin.neurons.iter_mut().for_each(|neuron| {
                neuron.tau_m = 1.01 * neuron.tau_s;
                neuron.tau_s_inhibitory = neuron.tau_s * [1.0, 0.99][index as usize % 2];
            });
            let longest = 27.0 / twin.arrivals[twin.arrivals.len() - 1].time;
            twin.arrivals.iter_mut().for_each(|arrival| arrival.time *= longest);
            twin.weights.iter_mut().for_each(|weight| *weight *= 3.0);
        }
        let last = twin.arrivals[twin.arrivals.len() - 1].time;
        let (neurons, synapses) = twin.narrow_columns();
        let synchronous = SynchronousInputs::new(std::iter::once(0..2), 1e-3, &twin.neurons);
        let layer = HeterogeneousLayer { neurons: &neurons, synapses: &synapses, synchronous: &[] };
        let other = HeterogeneousLayer { synchronous: &synchronous, ..layer };
        assert!(is_narrow(&layer, &twin.arrivals) && !is_narrow(&other, &twin.arrivals));
        for arch in machines() {
            let mut workspace = HeterogeneousWorkspace::default();
            let [mut found, mut expected] = [(); 2].map(|()| NeuronStates::at_rest(&neurons));
            let [mut spikes, mut other_spikes] = [const { Vec::new() }; 2];
            for sample in 0..SAMPLES {
                // The end may be that of the last arrival, or before it.
                let end = last * [1.0, 1.2, 0.8, 2.0][(sample + index as usize) % 4];
                let arrivals = &twin.arrivals;
                layer.all_spikes(arch, arrivals, end, &mut found, &mut workspace, &mut spikes);
                let (spikes_of_other, states) = (&mut other_spikes, &mut expected);
                other.all_spikes(arch, arrivals, end, states, &mut workspace, spikes_of_other);
                worst = worst.max(compare(&spikes, &other_spikes));
                count += spikes.len();
                let states = found.blocks.iter().zip(&expected.blocks);
                for (found, expected) in states {
                    let columns = |block: &StateBlock| {
                        let [push, pull] = block.state.currents;
                        [block.state.potential, push, pull, block.release]
                    };
                    let pairs = columns(found).into_iter().zip(columns(expected));
                    for (found, expected) in pairs.flat_map(|(a, b)| a.into_iter().zip(b)) {
                        if found != expected {
                            worst = worst.max((found - expected).abs());
                        }
                    }
                    held += expected.release.iter().filter(|&&release| release > 0.0).count();
                }
            }
        }
    }
    println!("{count} spikes, {held} held at the end, worst {worst:e}");
    assert!(count > 30_000 && held > 2_000, "{count} {held}");
    assert!(worst < 1e-10, "{worst}");
}

/// For the threshold at which a spike appears, found by bisection, both engines' differ by rounding only.
#[test]
fn grazing_peaks_of_narrow_layers_are_found() {
    let (mut worst, mut found): (f64, usize) = (0.0, 0);
    for index in 0..100 {
        let mut random = random::stream(1, "few neurons' peaks", index);
        let mut twin = narrow(&mut random, index % 2 == 1, 10.0, &NARROW);
        let arrivals = twin.arrivals.clone();
        let end = arrivals[arrivals.len() - 1].time + 1.0;
        let (_, synapses) = twin.narrow_columns();
        twin.neurons.iter_mut().for_each(|neuron| {
            neuron.tau_m = neuron.tau_m.min(1.3 * neuron.tau_s);
        });
        let synchronous = SynchronousInputs::new(std::iter::once(0..2), 1e-3, &twin.neurons);
        let mut critical = |synchronous: &[SynchronousInputs], arch| {
            let [mut low, mut high] = [0.0, 20.0];
            while high - low > 1e-14 {
                let middle: f64 = 0.5 * (low + high);
                if middle == low || middle == high {
                    break;
                }
                let neuron = &mut twin.neurons[0];
                neuron.threshold = neuron.reset_potential.max(neuron.leak_potential) + middle;
                let neurons = HeterogeneousNeurons::new(&twin.neurons).expect("valid");
                let layer =
                    HeterogeneousLayer { neurons: &neurons, synapses: &synapses, synchronous };
                let (mut spikes, mut workspace) = (Vec::new(), HeterogeneousWorkspace::default());
                let mut states = NeuronStates::at_rest(&neurons);
                layer.all_spikes(arch, &arrivals, end, &mut states, &mut workspace, &mut spikes);
                let spiked = spikes.iter().any(|spike| spike.neuron == 0);
                *(if spiked { &mut low } else { &mut high }) = middle;
            }
            low
        };
        let expected = critical(&synchronous, Arch::new());
        for arch in machines() {
            worst = worst.max((critical(&[], arch) - expected).abs());
            found += usize::from(expected > 0.1);
        }
    }
    println!("{found} peaks, worst {worst:e}");
    assert!(found > 100 && worst < 1e-12, "{found} {worst}");
}
