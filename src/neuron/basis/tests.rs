use pulp::Scalar;

use super::*;
use crate::neuron::{Dynamics, NeuronParameters, State};

fn all(value: f64) -> F64s<Scalar> {
    F64s::splat(Scalar, value)
}

fn membrane(tau_m: f64) -> Membrane {
    let parameters = NeuronParameters {
        tau_m: 1.7 * tau_m,
        tau_s: 1.7,
        tau_s_inhibitory: 1.7,
        capacitance: 1.3,
        ..NeuronParameters::default()
    };
    Membrane::new(&Dynamics::new(&parameters).expect("valid"))
}

/// A neuron with one arrival, or two, at these times from the reference: its first spike after the last, and
/// the spike that is recorded at `recorded`.
fn spikes<B: TimeBasis<Scalar>>(
    membrane: &Membrane,
    arrivals: &[(f64, f64)],
    threshold: f64,
    recorded: f64,
) -> [SpikeState<Scalar>; 2] {
    let basis = B::new(Scalar, membrane);
    let everywhere = all(0.0).at_least(all(0.0));
    let never = basis.instant(all(f64::INFINITY));
    let (mut sums, mut waits) = (basis.rest(), everywhere);
    let mut last_power = all(0.0);
    for (index, &(time, weight)) in arrivals.iter().enumerate() {
        let next = arrivals.get(index + 1).map_or(never, |next| basis.instant(all(next.0)));
        let arrival = basis.instant(all(time));
        let step = basis.step(arrival, next);
        let weight = weight * basis.weight_scale() / threshold;
        basis.add(&mut sums, &step, all(weight), waits);
        waits = waits.and_not(basis.crosses(&sums, &step, waits));
        last_power = arrival.power;
    }
    let possible = waits.and(basis.may_cross_after(&sums, last_power));
    let located = basis.locate(&sums, everywhere.and_not(waits), possible);
    let at = basis.instant(all(recorded));
    [basis.spike(located, threshold), basis.recorded_spike(&sums, at, all(recorded), threshold)]
}

/// How a spike of a basis sees arrivals, in units of the neuron: response and slope, over the slope of the
/// potential.
fn seen<B: TimeBasis<Scalar>>(
    membrane: &Membrane,
    spike: &SpikeState<Scalar>,
    arrival: f64,
) -> [f64; 2] {
    let basis = B::new(Scalar, membrane);
    let [response, slope] = basis.response(basis.instant(all(arrival)), spike.response_factors);
    [
        response.value() * basis.response_scale() * spike.inverse_slope.value(),
        slope.value() * basis.slope_scale() * spike.inverse_slope.value(),
    ]
}

fn compare<B: TimeBasis<Scalar>>(tau_m: f64) {
    let membrane = membrane(tau_m);
    let threshold = 0.8;
    let dynamics = membrane.dynamics.with_threshold(threshold);
    let (mut crossed, mut silent) = (0, 0);
    for step in 0..400 {
        let weight = 0.05 * f64::from(step);
        for (gap, second) in [(0.6, 0.9), (0.3, -0.4), (2.5, 0.0)] {
            let arrivals = [(-gap, weight), (0.0, second * weight)];
            let recorded = 0.3 + 0.01 * f64::from(step % 50);
            let [found, record] = spikes::<B>(&membrane, &arrivals, threshold, recorded);
            let mut state = State { current: weight, ..State::default() };
            let before = dynamics.first_crossing(&state).filter(|first| first.elapsed < gap);
            dynamics.advance(&mut state, gap);
            dynamics.receive(&mut state, second * weight);
            let expected = match before {
                Some(crossing) => Some((crossing.elapsed - gap, crossing.slope)),
                None => dynamics.first_crossing(&state).map(|first| (first.elapsed, first.slope)),
            };
            let Some((elapsed, slope)) = expected else {
                silent += 1;
                assert_eq!(found.elapsed.value(), f64::INFINITY, "{tau_m} {weight} {gap}");
                assert_eq!(found.inverse_slope.value(), 0.0);
                continue;
            };
            crossed += 1;
            // A time errs by the rounding of the potential over its slope.
            let error = (found.elapsed.value() - elapsed).abs() * slope.min(1.0);
            assert!(error < 1e-13, "{tau_m} {weight} {gap}: {error:e}");
            let error = (found.inverse_slope.value() * slope - 1.0).abs() * slope.min(1.0).powi(2);
            assert!(error < 1e-12, "{tau_m} {weight} {gap}: {error:e}");
            let (response, by_time) = dynamics.response(elapsed + gap);
            let [by_weight, by_arrival] = seen::<B>(&membrane, &found, -gap);
            let scale = 1e-12 / slope.min(1.0).powi(3);
            assert!((by_weight - response / slope).abs() < scale, "{tau_m} {weight} {gap}");
            assert!((by_arrival - by_time / slope).abs() < scale, "{tau_m} {weight} {gap}");
            if before.is_some() {
                continue;
            }
            // The recorded spike sees arrivals from its own time, with the slope carried there.
            let carried = slope * (-membrane.membrane_rate * (recorded - elapsed)).exp();
            let (response, by_time) = dynamics.response(recorded + gap);
            let [by_weight, by_arrival] = seen::<B>(&membrane, &record, -gap);
            assert!(
                (by_weight - response / carried).abs() < scale * 10.0,
                "{tau_m} {weight} {gap}"
            );
            assert!((by_arrival - by_time / carried).abs() < scale * 10.0);
        }
    }
    assert!(crossed > 300 && silent > 20, "{crossed} {silent}");
}

#[test]
fn every_basis_has_the_spikes_and_derivatives_of_the_scalar_neuron() {
    compare::<Equal<Scalar>>(1.0);
    compare::<Double<Scalar>>(2.0);
    for tau_m in [0.4, 0.97, 1.0 + 1e-9, 3.0, 20.0, f64::INFINITY] {
        compare::<AnyRatio<Scalar>>(tau_m);
    }
}

#[test]
fn the_basis_of_any_ratio_serves_the_others_too() {
    for tau_m in [1.0 + 1e-13, 2.0 + 1e-13] {
        compare::<AnyRatio<Scalar>>(tau_m);
    }
}
