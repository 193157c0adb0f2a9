//! The adjoint's gradients of whole traces against finite differences of the event engine, on
//! random networks of four kinds: every kind of parameter, several spikes per neuron, loops.

mod adjoint_cases;

use adjoint_cases::{Case, FAMILIES, Family, Parameter};
use firstspike::engine::{EngineOptions, Spike};
use firstspike::learning::{BackwardPass, FirstSpikes, TraceGradients, trace_gradients};
use rand::RngExt;
use rand::seq::IndexedRandom;

/// Of each family.
const NETWORKS: u64 = 200;

/// Parameters of each kind that are moved, per network.
const PER_KIND: usize = 3;

/// Largest step of a difference quotient, relative to the scale of one of all parameters. Quotients
/// at this step, its half and its quarter extrapolate to an error of order `STEP⁴`.
const STEP: f64 = 4e-5;

/// Relative to the difference quotient.
const TOLERANCE: f64 = 1e-6;

/// Times the size of the loss: what a quotient cannot resolve. Two losses, good to a few units in
/// the last place times the condition of the crossings behind them, are divided by half a step:
/// 1e-16/1e-5 = 1e-11, and a tenfold allowance for the condition.
const ROUNDING: f64 = 1e-10;

/// Largest accepted fraction of derivatives that cannot be compared. Bursting networks have fifty
/// spikes each, and now and then a step makes two neighbours change places or meets a kink; the
/// other families stay below one hundredth.
const EXCLUDED: f64 = 0.04;

#[derive(Debug, Default)]
struct Seen {
    networks: usize,
    /// Networks in which some neuron spikes more than once.
    multiple: usize,
    neuron_spikes: usize,
    /// Per kind of parameter: derivatives compared that are not zero.
    compared: std::collections::BTreeMap<&'static str, usize>,
    /// Both are zero.
    zero: usize,
    /// Not compared: a step changes which neurons spike, how often, or in which order.
    other_spikes: usize,
    /// Not compared: the quotients of wide and narrow steps disagree by a third of the tolerance.
    inaccurate: usize,
    /// Compared, but further than [`TOLERANCE`] apart: agreement is owed to [`ROUNDING`].
    within_rounding_only: usize,
    /// Largest deviation in units of its tolerance.
    worst: f64,
    /// Largest relative deviation of derivatives large enough for rounding not to matter.
    worst_relative: f64,
}

#[test]
fn gradients_of_feed_forward_networks_agree_with_differences() {
    check_family(FAMILIES[0]);
}

#[test]
fn gradients_of_recurrent_networks_agree_with_differences() {
    check_family(FAMILIES[1]);
}

#[test]
fn gradients_of_bursting_neurons_agree_with_differences() {
    check_family(FAMILIES[2]);
}

#[test]
fn gradients_of_refractory_neurons_agree_with_differences() {
    check_family(FAMILIES[3]);
}

fn check_family(family: Family) {
    let mut seen = Seen::default();
    for index in 0..NETWORKS {
        let case = Case::random(family, index);
        check(&case, &mut seen, &format!("{family:?} network {index}"));
    }
    println!("{family:?}: {seen:#?}");
    let compared: usize = seen.compared.values().sum();
    let excluded = seen.other_spikes + seen.inaccurate;
    assert_eq!(seen.networks as u64, NETWORKS);
    assert!(seen.multiple > seen.networks / 2, "several spikes per neuron are the rule");
    assert!(seen.compared.values().all(|&count| count > 100), "every kind of parameter matters");
    let all = (compared + excluded) as f64;
    assert!((excluded as f64) < EXCLUDED * all, "{excluded} of {all} not compared");
    assert!((seen.within_rounding_only as f64) < 0.02 * all, "rounding decides too often");
}

fn check(case: &Case, seen: &mut Seen, context: &str) {
    let record = case.run().expect("the random network runs");
    let coefficients = coefficients(case, &record);
    let gradients =
        trace_gradients(&case.compile(), EngineOptions::default(), &record, &coefficients);
    assert_eq!(gradients.immovable, 0, "{context}");
    seen.networks += 1;
    let spikes = case.spikes_per_neuron(&record);
    seen.multiple += usize::from(spikes.iter().any(|&count| count > 1));
    seen.neuron_spikes += spikes.iter().sum::<usize>();
    let scale =
        1.0 + record.iter().zip(&coefficients).map(|(s, c)| (s.time * c).abs()).sum::<f64>();

    let random = &mut case.stream("test adjoint choice");
    for group in case.parameters() {
        for &parameter in group.sample(random, PER_KIND) {
            let gradient = look_up(case, &gradients, &record, parameter);
            let Some([wide, narrow]) = quotients(case, &record, &coefficients, parameter) else {
                seen.other_spikes += 1;
                continue;
            };
            if gradient == 0.0 && narrow == 0.0 {
                seen.zero += 1;
                continue;
            }
            let tolerance = TOLERANCE * narrow.abs() + ROUNDING * scale;
            // Judged by the engine's differences alone, never by the gradient.
            if (wide - narrow).abs() > 0.3 * tolerance {
                seen.inaccurate += 1;
                continue;
            }
            let deviation = (gradient - narrow).abs();
            assert!(deviation <= tolerance, "{gradient} is not {narrow}: {context}, {parameter:?}");
            seen.worst = seen.worst.max(deviation / tolerance);
            if ROUNDING * scale < 0.1 * TOLERANCE * narrow.abs() {
                seen.worst_relative = seen.worst_relative.max(deviation / narrow.abs());
            }
            seen.within_rounding_only += usize::from(deviation > TOLERANCE * narrow.abs());
            *seen.compared.entry(parameter.kind()).or_default() += 1;
        }
    }
}

/// The loss is linear in all times of neurons, with coefficients of its own for each spike.
fn coefficients(case: &Case, record: &[Spike]) -> Vec<f64> {
    let random = &mut case.stream("test adjoint loss");
    record
        .iter()
        .map(|spike| if case.is_source(spike.node) { 0.0 } else { random.random_range(-1.0..1.0) })
        .collect()
}

fn look_up(case: &Case, by: &TraceGradients, record: &[Spike], parameter: Parameter) -> f64 {
    match parameter {
        Parameter::Weight(synapse) => by.weights[case.compiled_synapse(synapse)],
        Parameter::Delay(synapse) => by.delays[case.compiled_synapse(synapse)],
        Parameter::Input(input) => by.spike_times[case.recorded_input(record, input)],
        Parameter::Neuron(neuron, field) => (field.gradient)(&by.neurons[case.node(neuron)]),
    }
}

/// The loss's derivative by the parameter, extrapolated from quotients at [`STEP`] and its half,
/// and at its half and quarter. None if a step changes which spikes there are, or their order.
fn quotients(
    case: &Case,
    record: &[Spike],
    coefficients: &[f64],
    parameter: Parameter,
) -> Option<[f64; 2]> {
    // Changes of the loss, so that its size costs no digits.
    let change = |step: f64| -> Option<f64> {
        let moved = case.moved(parameter, step).run()?;
        let same = moved.len() == record.len()
            && moved.iter().zip(record).all(|(moved, spike)| moved.node == spike.node);
        let pairs = moved.iter().zip(record).zip(coefficients);
        same.then(|| pairs.map(|((moved, spike), by)| by * (moved.time - spike.time)).sum())
    };
    let quotient = |step: f64| Some((change(step)? - change(-step)?) / (2.0 * step));
    let (full, half, quarter) = (quotient(STEP)?, quotient(STEP / 2.0)?, quotient(STEP / 4.0)?);
    // Richardson: the error of a central quotient is even in the step.
    let extrapolate = |wide: f64, narrow: f64| narrow + (narrow - wide) / 3.0;
    Some([extrapolate(full, half), extrapolate(half, quarter)])
}

#[test]
fn at_most_one_spike_gives_the_gradients_of_first_spike_learning_on_any_record() {
    let options = EngineOptions { at_most_one_spike: true };
    let mut compared = 0;
    for index in 0..4 * NETWORKS {
        let case = Case::random(FAMILIES[(index % 4) as usize], index).with_single_inputs();
        let network = case.compile();
        let mut record = case.run_with(options).expect("the random network runs");
        // Half of the records as from elsewhere: their times are not those of the ideal network.
        if index >= 2 * NETWORKS {
            let random = &mut case.stream("test adjoint jitter");
            for spike in &mut record {
                spike.time += random.random_range(0.0..0.02);
            }
            record.sort_by(|a, b| a.time.total_cmp(&b.time));
        }
        let coefficients = coefficients(&case, &record);

        let mut first = FirstSpikes::new(network.node_count());
        let mut pass = BackwardPass::new(&network);
        for (spike, by_time) in record.iter().zip(&coefficients) {
            firstspike::engine::Observer::spike(&mut first, spike.node as usize, spike.time);
            pass.time_gradients[spike.node as usize] = *by_time;
        }
        first.backpropagate(&network, None, &mut pass);
        let gradients = trace_gradients(&network, options, &record, &coefficients);

        let weights = gradients.weights.iter().zip(&pass.weight_gradients);
        let times = record.iter().map(|spike| &pass.time_gradients[spike.node as usize]);
        let times = gradients.spike_times.iter().zip(times);
        // Sums of both signs: rounding is relative to the largest derivative, not to each.
        let largest = pass
            .weight_gradients
            .iter()
            .chain(&pass.time_gradients)
            .fold(0.0, |largest: f64, by| largest.max(by.abs()));
        for (adjoint, learning) in weights.chain(times) {
            compared += usize::from(*learning != 0.0);
            let deviation = (adjoint - learning).abs();
            assert!(
                deviation <= 1e-12 * largest,
                "{adjoint} is not {learning} (largest {largest}): network {index}"
            );
        }
    }
    assert!(compared > 5000, "only {compared} derivatives");
}

#[test]
fn shifting_every_input_shifts_every_spike() {
    for index in 0..NETWORKS {
        let case = Case::random(FAMILIES[1], index).without_bias();
        let record = case.run().expect("the random network runs");
        let Some(chosen) = record.iter().rposition(|spike| !case.is_source(spike.node)) else {
            continue;
        };
        let mut by_time = vec![0.0; record.len()];
        by_time[chosen] = 1.0;
        let gradients =
            trace_gradients(&case.compile(), EngineOptions::default(), &record, &by_time);
        let inputs = record.iter().zip(&gradients.spike_times);
        let inputs = inputs.filter(|(spike, _)| case.is_source(spike.node)).map(|(_, &by)| by);
        let (sum, size) = inputs.fold((0.0, 1.0), |(sum, size), by| (sum + by, size + by.abs()));
        // As many roundings as there are events on the longest chain of causes, below a thousand.
        assert!((sum - 1.0).abs() < 1e-12 * size, "{sum}, network {index}");
    }
}

#[test]
fn a_spike_that_could_not_have_happened_moves_with_nothing_and_is_counted() {
    let case = Case::random(FAMILIES[0], 3);
    let mut record = case.run().expect("the random network runs");
    let neuron = case.node(0) as u32;
    // Before any input: the potential rests.
    record.retain(|spike| spike.node != neuron);
    record.insert(0, Spike { node: neuron, time: 1e-9 });
    let mut by_time = vec![0.0; record.len()];
    by_time[0] = 1.0;
    let case_at_rest = case.without_bias();
    let gradients =
        trace_gradients(&case_at_rest.compile(), EngineOptions::default(), &record, &by_time);
    assert_eq!(gradients.immovable, 1);
    assert_eq!(gradients.spike_times[0], 1.0);
    assert!(gradients.weights.iter().all(|&by| by == 0.0));
}

#[test]
fn ties_have_the_derivative_of_the_side_that_the_engine_takes() {
    // A neuron crosses its threshold at `crossing`, and a second input arrives at that moment.
    let lone = adjoint_cases::two_inputs(0.1, f64::INFINITY, 0.0);
    let crossing =
        lone.run().expect("runs").iter().find(|spike| spike.node == 2).expect("a spike").time;
    let tied = adjoint_cases::two_inputs(0.1, crossing, 0.0);
    let record = tied.run().expect("runs");
    let first = record.iter().position(|spike| spike.node == 2).expect("a spike");
    let mut by_time = vec![0.0; record.len()];
    by_time[first] = 1.0;
    let gradients = trace_gradients(&tied.compile(), EngineOptions::default(), &record, &by_time);
    let [takes_part, too_late] =
        [0, 1].map(|synapse| gradients.weights[tied.compiled_synapse(synapse)]);
    assert!(takes_part < 0.0);
    assert_eq!(too_late, 0.0, "it had no part in the crossing");

    // An input at the very end of the refractory period acts as one just after it.
    let by_input = |input: f64| {
        let case = adjoint_cases::two_inputs(0.1, input, 0.5);
        let record = case.run().expect("runs");
        let mut by_time = vec![0.0; record.len()];
        let second = record.iter().rposition(|spike| spike.node == 2).expect("a spike");
        assert!(record[second].time > input);
        by_time[second] = 1.0;
        let by = trace_gradients(&case.compile(), EngineOptions::default(), &record, &by_time);
        by.spike_times[case.recorded_input(&record, 1)]
    };
    let end = crossing + 0.5;
    // The derivative changes by less than its size within 1e-9, and by a jump across the tie.
    assert!((by_input(end) - by_input(end + 1e-9)).abs() < 1e-7);
    assert!((by_input(end) - by_input(end - 1e-9)).abs() > 1e-3);
}
