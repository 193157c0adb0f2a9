//! The gold spike trains of single neurons and small networks in `gold/nest`, solved event by event
//! with 50 digits in NEST's conventions (`gold/nest/README.md`).
//!
//! Every folder found there is run; a new case needs no line of code.

use crate::common;

use common::gold::say;
use common::nest::{Case, Trains};
use firstspike::neuron::{Dynamics, first_spike};

/// In ms. The 30 digits of the gold are good beyond a double. Ours pass through some hundred
/// roundings of times up to 500 ms (1e-13) and of potentials of some 100 mV (2e-14), the latter
/// divided by the slope of a crossing of at least 1e-4 mV/ms: together below 1e-9.
const TIME_TOLERANCE: f64 = 1e-9;

/// In ms, for networks. Recurrence may magnify rounding from spike to spike (a factor of e per some
/// 7 ms turns 1e-13 into 1e-7 in 100 ms; the cases at hand stay below 1e-12). An error of substance,
/// such as a receptor mistaken or a spike missed, moves later spikes by far more.
const NETWORK_TOLERANCE: f64 = 1e-6;

/// In ms: how long a network is held to [`NETWORK_TOLERANCE`]; afterwards only to its spike counts.
const NETWORK_TIME: f64 = 100.0;

#[test]
fn every_gold_network_spikes_when_the_exact_solution_says() {
    let cases = Case::all();
    assert!(cases.len() >= 39, "gold data is missing: {} cases", cases.len());
    for case in &cases {
        compare(case, &case.name, &case.run(None), &case.exact);
        if let Some(exact) = &case.exact_without_refractory_period {
            let name = format!("{} (t_ref 0)", case.name);
            compare(case, &name, &case.run(Some(0.0)), exact);
        }
    }
}

fn compare(case: &Case, name: &str, found: &Trains, exact: &Trains) {
    let mut deviations: Vec<(f64, f64)> = Vec::new();
    let single = case.neurons.len() == 1;
    let one_ulp = if single { shift_by_one_ulp(case) } else { 0.0 };
    for (neuron, (found, exact)) in found.iter().zip(exact).enumerate() {
        assert_eq!(found.len(), exact.len(), "{name}: spikes of neuron {neuron}");
        for (index, (found, exact)) in found.iter().zip(exact).enumerate() {
            let deviation = (found - exact).abs();
            deviations.push((*exact, deviation));
            let tolerance = if !single {
                if *exact > NETWORK_TIME { f64::INFINITY } else { NETWORK_TOLERANCE }
            } else {
                // Each interval adds the shift of its own crossing.
                TIME_TOLERANCE.max((index + 1) as f64 * one_ulp)
            };
            assert!(
                deviation <= tolerance,
                "{name}: neuron {neuron}, spike {index} at {found:.17}, exact {exact:.17}"
            );
        }
    }
    let worst = deviations.iter().map(|deviation| deviation.1).fold(0.0, f64::max);
    let mut line = format!("{name}: {} spikes, worst deviation {worst:.1e} ms", deviations.len());
    if one_ulp > TIME_TOLERANCE {
        line += &format!(" (one ulp of the parameters: {one_ulp:.1e} ms per spike)");
    }
    if !single {
        line += &growth(&mut deviations);
    }
    say(&line);
}

/// When the deviations first exceed some bounds, in words.
fn growth(deviations: &mut [(f64, f64)]) -> String {
    deviations.sort_by(|a, b| a.0.total_cmp(&b.0));
    let first_above = |bound: f64| match deviations.iter().find(|deviation| deviation.1 > bound) {
        Some((time, _)) => format!("; above {bound:.0e} from {time:.1} ms"),
        None => format!("; never above {bound:.0e}"),
    };
    [1e-12, 1e-10, 1e-9].map(first_above).concat()
}

/// How far one unit in the last place of the parameters moves the first spike, in ms.
///
/// The threshold and the leak move the potential's distance to the threshold by `ε` times
/// themselves. Weight, both time constants, capacitance and bias current scale the potential at the
/// crossing, `V_th − E_L`, to powers of order one: five relative changes of `ε`. The crossing moves
/// by the sum over the slope there, which a graze or a hairline makes tiny.
fn shift_by_one_ulp(case: &Case) -> f64 {
    let parameters = case.parameters(0, None);
    let dynamics = Dynamics::new(&parameters).expect("valid");
    let Some(crossing) = first_spike(&dynamics, &case.arrivals()) else { return 0.0 };
    let lift = (parameters.threshold - parameters.leak_potential).abs();
    let potentials = parameters.threshold.abs() + parameters.leak_potential.abs() + 5.0 * lift;
    f64::EPSILON * potentials / crossing.slope
}
