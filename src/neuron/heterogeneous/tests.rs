//! The equations in lanes against the scalar ones.

use pulp::{Arch, Simd, WithSimd};
use rand::RngExt;

use super::*;
use crate::neuron::{Dynamics, NeuronParameters, State};
use crate::random;
use crate::simd::F64s;

/// Neurons that differ a little, in any state, and how long they are left alone.
struct Alone {
    neurons: Vec<NeuronParameters>,
    states: Vec<State>,
    time: f64,
}

/// For each neuron of the first registers, whether it may cross, and the first step of the search if the
/// distance is convex.
struct Judge<'a>(&'a Alone, &'a HeterogeneousNeurons);

impl WithSimd for Judge<'_> {
    type Output = Vec<(bool, Option<f64>)>;

    fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
        let Judge(alone, neurons) = self;
        let mut judged = Vec::new();
        for register in 0..neurons.thresholds().len() / S::F64_LANES {
            let lanes = LayerLanes::new(neurons, false).register(simd, register);
            let first = register * S::F64_LANES;
            let threshold = lanes.threshold();
            let zero = F64s::splat(simd, 0.0);
            let column = |value: fn(&State) -> f64| {
                zero.map(|lane, _| alone.states.get(first + lane).map_or(0.0, value))
            };
            let start = MembraneState {
                potential: column(|state| state.potential),
                currents: [column(|s| s.current), column(|s| s.inhibitory_current)],
            };
            let time = F64s::splat(simd, alone.time);
            let end = lanes.after::<true>(&start, time);
            let open = lanes.may_cross::<true>([&start, &end], time, threshold);
            let distance = threshold - start.potential;
            let step = lanes.series_step::<true>(&start, distance);
            let is_convex = lanes.is_convex::<true>(&start);
            let step = step.is_ahead.select(step.length, F64s::splat(simd, f64::INFINITY));
            let one = F64s::splat(simd, 1.0);
            let (open, is_convex) = (open.select(one, zero), is_convex.select(one, zero));
            for lane in 0..S::F64_LANES {
                let convex = is_convex.lane(lane) > 0.0;
                judged.push((open.lane(lane) > 0.0, convex.then(|| step.lane(lane))));
            }
        }
        judged
    }
}

/// The slow way is to look at the potential at a thousand times.
#[test]
fn no_crossing_is_judged_away_or_stepped_over() {
    const TIMES: usize = 1000;
    let (mut crossed, mut clear, mut convex, mut closest): (_, _, _, f64) = (0, 0, 0, 1.0);
    for index in 0..300 {
        let mut random = random::stream(1, "individual convexity", index);
        let spread = [1e-9, 0.05, 0.3, 1.0][index as usize % 4];
        let mut rate = || 1.0 + spread * random.random_range(-0.7..0.7);
        let rates: [f64; 3] = [rate(), rate(), rate()];
        let mut neurons = vec![NeuronParameters::default(); 16];
        for neuron in &mut neurons {
            let mut tau =
                |center: f64| center * (1.0 + 0.1 * spread * random.random_range(-1.0..1.0));
            *neuron = NeuronParameters {
                tau_m: tau(rates[0]),
                tau_s: tau(rates[1]),
                tau_s_inhibitory: tau(rates[2]) + 1e-12,
                ..*neuron
            };
        }
        let states = (0..neurons.len()).map(|_| State {
            potential: random.random_range(-1.0..0.99),
            current: random.random_range(0.0..6.0),
            inhibitory_current: -random.random_range(0.0..4.0),
        });
        let alone =
            Alone { states: states.collect(), time: random.random_range(0.01..6.0), neurons };
        let columns = HeterogeneousNeurons::new(&alone.neurons).expect("valid");
        for arch in [Arch::new(), Arch::Scalar] {
            let judged = arch.dispatch(Judge(&alone, &columns));
            for ((neuron, &state), &(open, step)) in
                alone.neurons.iter().zip(&alone.states).zip(&judged)
            {
                let dynamics = Dynamics::new(neuron).expect("valid");
                let first =
                    (1..=TIMES).map(|k| alone.time * k as f64 / TIMES as f64).find(|&time| {
                        let mut state = state;
                        dynamics.propagator(time).apply(&mut state);
                        state.potential >= neuron.threshold
                    });
                crossed += usize::from(first.is_some());
                clear += usize::from(!open);
                assert!(open || first.is_none(), "{neuron:?} {state:?} {}", alone.time);
                if let (Some(step), Some(first)) = (step, first) {
                    convex += 1;
                    assert!(step <= first, "{neuron:?} {state:?} {step} {first}");
                    let mut state = state;
                    dynamics.propagator(step).apply(&mut state);
                    assert!(state.potential <= neuron.threshold + 1e-14, "{state:?}");
                    closest = closest.min(step / first);
                }
            }
        }
    }
    println!("{crossed} crossed, {clear} clear, {convex} convex, {closest}");
    assert!(crossed > 1500 && clear > 2000 && convex > 1000, "{crossed} {clear} {convex}");
    assert!(closest > 0.5, "{closest}");
}
