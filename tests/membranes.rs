//! Potentials of recorded runs.

use std::path::Path;

use firstspike::run::RecordedRun;

#[test]
fn probe() {
    for name in [
        "single_neuron",
        "recurrent",
        "heterogeneous",
        "recurrent_learning",
        "yin_yang",
        "delays",
        "chip",
        "mnist",
    ] {
        let start = std::time::Instant::now();
        let run = match RecordedRun::open(&Path::new("/tmp/h3/runs").join(name)) {
            Ok(run) => run,
            Err(error) => {
                println!("{name}: {error}");
                continue;
            }
        };
        println!("{name}: {:?} samples {} in {:?}", run.model(), run.samples(), start.elapsed());
        let mut worst: f64 = 0.0;
        let (mut spikes, mut crossings, mut cross_diff) = (0, 0, 0.0_f64);
        for population in run.network().populations() {
            if run.network().dynamics(population.nodes.start).is_none() {
                continue;
            }
            for neuron in 0..population.nodes.len().min(30) as u32 {
                for sample in 0..run.samples().min(5) as u32 {
                    match run.membrane(sample, &population.name, neuron, None) {
                        Err(error) => println!("{error}"),
                        Ok(trace) => {
                            spikes += trace.spikes.len();
                            crossings += trace.crossings.len();
                            for pair in trace.times.windows(2).zip(trace.potential.windows(2)) {
                                if pair.0[0] == pair.0[1] {
                                    worst = worst.max((pair.1[0] - trace.threshold).abs());
                                }
                            }
                            if trace.spikes.len() == trace.crossings.len() {
                                for (a, b) in trace.spikes.iter().zip(&trace.crossings) {
                                    cross_diff = cross_diff.max((a - b).abs());
                                }
                            } else if spikes < 100 {
                                println!(
                                    "{} {} {:?} {:?}",
                                    population.name, neuron, trace.spikes, trace.crossings
                                );
                            }
                        }
                    }
                }
            }
        }
        println!(
            "  spikes {spikes} crossings {crossings} off threshold {worst:e} crossing-spike {cross_diff:e}"
        );
    }
}
