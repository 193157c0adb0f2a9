use super::*;

fn dynamics(tau_m: f64) -> Dynamics {
    Dynamics::new(&NeuronParameters { tau_m, ..NeuronParameters::default() }).expect("valid")
}

#[test]
fn two_half_steps_make_a_whole_one() {
    for tau_m in [1.0, 2.0, 0.3, 1.0 + 1e-9, 7.0, f64::INFINITY] {
        let neuron = Dynamics::new(&NeuronParameters {
            tau_m,
            bias_current: 0.3,
            ..NeuronParameters::default()
        })
        .expect("valid");
        let start = State { potential: -0.4, current: 1.7, inhibitory_current: 0.0 };
        let (mut once, mut twice) = (start, start);
        neuron.advance(&mut once, 1.4);
        neuron.advance(&mut twice, 0.7);
        neuron.advance(&mut twice, 0.7);
        // A handful of roundings of terms of order one.
        assert!((once.potential - twice.potential).abs() < 4e-15, "tau_m {tau_m}");
        assert!((once.current - twice.current).abs() < 4e-15, "tau_m {tau_m}");
    }
}

#[test]
fn kernel_is_continuous_through_equal_time_constants() {
    let equal = dynamics(1.0).response(1.3).0;
    for distance in [1e-15, 1e-12, 1e-9, 1e-6] {
        for sign in [-1.0, 1.0] {
            let near = dynamics(1.0 + sign * distance).response(1.3).0;
            // dK/dτ_m is below one there.
            assert!((near - equal).abs() < distance + 1e-15, "{distance}: {near} {equal}");
        }
    }
}

#[test]
fn largest_response_bounds_the_kernel() {
    for tau_m in [0.1, 0.5, 1.0, 1.0 + 1e-12, 2.0, 5.0, 1e4, f64::INFINITY] {
        let neuron = dynamics(tau_m);
        let largest =
            (1..20_000).map(|step| neuron.response(f64::from(step) * 1e-3).0).fold(0.0, f64::max);
        assert!(largest <= neuron.largest_response, "tau_m {tau_m}");
        assert!(largest > 0.999 * neuron.largest_response, "tau_m {tau_m}");
    }
}
