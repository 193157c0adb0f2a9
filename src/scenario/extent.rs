//! How large a scenario makes its network and its input: counted before anything of that size is made.
//!
//! A slip of the pen, such as a rate in hertz where it is per millisecond, must not take the machine's
//! memory.

use super::{Connect, PopulationSection, Scenario, Source};
use crate::network::LARGEST_SIZE;
use crate::settings::Check;

/// The most input spikes of a simulation: 1.6 GB.
pub(super) const MOST_SPIKES: f64 = 1e8;

/// The most synapses of a network: some 10 GB.
pub(super) const MOST_SYNAPSES: f64 = 1e8;

/// The most pairs of neurons among which synapses are drawn with some probability: minutes.
const MOST_PAIRS: f64 = 1e11;

/// Checks the sizes of a scenario of populations.
pub(super) fn check(check: &mut Check<'_>, scenario: &Scenario) {
    neurons(check, scenario);
    input(check, scenario);
    synapses(check, scenario);
}

/// A large number in a few digits.
pub(super) fn short(count: f64) -> String {
    let rounded: f64 = format!("{count:.2e}").parse().unwrap_or(count);
    if rounded < 1e6 { rounded.to_string() } else { format!("{rounded:e}") }
}

fn neurons(check: &mut Check<'_>, scenario: &Scenario) {
    let mut total = 0_usize;
    for (index, population) in scenario.populations.iter().enumerate() {
        let size = population.given_size().unwrap_or(0);
        total = total.saturating_add(size);
        if total > LARGEST_SIZE {
            // One that is too large by itself is refused for that.
            check.require(size > LARGEST_SIZE, format!("populations.{index}.size"), || {
                format!("{total} neurons and sources with this population: at most {LARGEST_SIZE}")
            });
            return;
        }
    }
}

fn input(check: &mut Check<'_>, scenario: &Scenario) {
    let Some(simulation) = &scenario.simulation else { return };
    let unit = scenario.time_unit.symbol();
    let mut total = 0.0;
    for (index, population) in scenario.populations.iter().enumerate() {
        let (Some(source), Some(size)) = (&population.source, population.given_size()) else {
            continue;
        };
        let size = size as f64;
        let lasts = |start: f64, stop: Option<f64>| {
            (stop.map_or(simulation.until, |stop| stop.min(simulation.until)) - start).max(0.0)
        };
        let (key, expected, why) = match *source {
            Source::Poisson { rate, start, stop } => {
                let lasts = lasts(start, stop);
                let hint = match scenario.time_unit.seconds() {
                    Some(seconds) if seconds != 1.0 => {
                        format!(" ({} per second)", short(rate / seconds))
                    }
                    _ => String::new(),
                };
                let why = format!("rate is per {unit}: {rate}{hint} for {lasts} {unit}");
                ("poisson.rate", size * rate * lasts, why)
            }
            Source::Regular { interval, start, stop } => {
                let lasts = lasts(start, stop);
                let why = format!("one every {interval} {unit} for {lasts} {unit}");
                ("regular.interval", size * (1.0 + (lasts / interval).floor()), why)
            }
            Source::SpikeTimes(_) | Source::File(_) => continue,
        };
        total += expected;
        if total > MOST_SPIKES {
            let (total, most) = (short(total), short(MOST_SPIKES));
            let key = format!("populations.{index}.source.{key}");
            check.refuse(
                key,
                format!("{total} input spikes, at most {most}: {why}, {size} sources"),
            );
            return;
        }
    }
}

fn synapses(check: &mut Check<'_>, scenario: &Scenario) {
    let size = |name: &str| {
        let mut populations = scenario.populations.iter();
        let found = populations.find(|population| population.name == name);
        found.and_then(PopulationSection::given_size).unwrap_or(0) as f64
    };
    let mut total = 0.0;
    for (index, projection) in scenario.projections.iter().enumerate() {
        let (pre, post) = (size(&projection.pre), size(&projection.post));
        let pairs = pre * post;
        let expected = match &projection.connect {
            Connect::AllToAll { .. } => pairs,
            Connect::Probability(probability) => probability * pairs,
            Connect::InDegree(degree) => *degree as f64 * post,
            Connect::OneToOne {} => pre,
            Connect::Edges(edges) => edges.len() as f64,
            Connect::File(_) => 0.0,
        };
        total += expected;
        let key = format!("projections.{index}.connect");
        if total > MOST_SYNAPSES {
            let (total, most) = (short(total), short(MOST_SYNAPSES));
            check.refuse(key, format!("{total} synapses, at most {most}: {pre} × {post} neurons"));
            return;
        }
        if matches!(projection.connect, Connect::Probability(_)) && pairs > MOST_PAIRS {
            let (pairs, most) = (short(pairs), short(MOST_PAIRS));
            check.refuse(key, format!("{pairs} pairs of neurons, at most {most}: use in_degree"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_short() {
        for (count, expected) in [(8e8, "8e8"), (123_456.7, "123000"), (1.5e12, "1.5e12")] {
            assert_eq!(short(count), expected);
        }
    }

    #[test]
    fn what_is_too_large_is_counted_and_named() {
        let scenario = |source: &str, size: usize, connect: &str| -> Scenario {
            toml::from_str(&format!(
                "time_unit = 'ms'\n[[populations]]\nname = 'p'\nsize = 100\nsource.{source}\n\
                 [[populations]]\nname = 'n'\nsize = {size}\n[[projections]]\npre = 'n'\n\
                 post = 'n'\nconnect.{connect}\nweights.constant = 1.0\n\
                 [simulation]\nuntil = 1000.0\n"
            ))
            .expect("a scenario")
        };
        let found = |scenario: &Scenario| {
            let mut problems = Vec::new();
            check(&mut Check::new(&mut problems), scenario);
            problems.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(found(&scenario("poisson.rate = 8.0", 10, "in_degree = 3")), [""; 0]);
        for (bad, expected) in [
            (
                scenario("poisson.rate = 8000.0", 10, "in_degree = 3"),
                "populations.0.source.poisson.rate: 8e8 input spikes, at most 1e8: rate is per ms: \
                 8000 (8e6 per second) for 1000 ms, 100 sources",
            ),
            (
                scenario("regular.interval = 1e-5", 10, "in_degree = 3"),
                "populations.0.source.regular.interval: 1e10 input spikes, at most 1e8: one every \
                 0.00001 ms for 1000 ms, 100 sources",
            ),
            (
                scenario("poisson.rate = 8.0", 20_000, "all_to_all = {}"),
                "projections.0.connect: 4e8 synapses, at most 1e8: 20000 × 20000 neurons",
            ),
            (
                scenario("poisson.rate = 8.0", 1_000_000, "probability = 1e-9"),
                "projections.0.connect: 1e12 pairs of neurons, at most 1e11: use in_degree",
            ),
            (
                scenario("poisson.rate = 8.0", 10_000_000, "in_degree = 1"),
                "populations.1.size: 10000100 neurons and sources with this population: at most \
                 10000000",
            ),
        ] {
            assert_eq!(found(&bad), [expected]);
        }
    }
}
