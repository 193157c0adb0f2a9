//! What columns of spikes are called by the programs that write them.

/// Names of a column with the times, best first; before the unit.
pub(super) const TIMES: [&[&str]; 5] = [
    &["time", "times"],
    &["spike_time", "spike_times", "spiketime", "spiketimes", "firing_time"],
    &["timestamp", "timestamps", "time_stamp"],
    &["t", "ts"],
    &["hardware_time"],
];

/// Names of a column with the neurons, best first.
pub(super) const NEURONS: [&[&str]; 8] = [
    &["neuron", "neurons", "neuron_id", "neuron_ids", "neuron_index", "neuron_idx", "neuronid"],
    &["sender", "senders", "sender_id"],
    &["cell", "cells", "cell_id", "cell_ids", "cell_index"],
    &["unit", "units", "unit_id", "unit_ids"],
    &["gid", "gids", "node", "nodes", "node_id", "node_ids"],
    &["channel", "channels", "source", "source_id", "source_index"],
    &["id", "ids", "index", "idx", "indices"],
    &["i", "n"],
];

/// Names of a column with the populations, best first.
pub(super) const POPULATIONS: [&[&str]; 2] =
    [&["population", "populations", "population_name", "pop"], &["group", "layer", "area"]];

/// Names of a column with the samples, best first.
pub(super) const SAMPLES: [&[&str]; 2] = [
    &["sample", "samples", "sample_id", "sample_index"],
    &["trial", "trials", "trial_id", "presentation", "repetition", "stimulus"],
];

/// Endings of `time_…` that are no units.
const NO_UNITS: [&str; 10] =
    ["step", "steps", "offset", "bin", "bins", "index", "start", "stop", "end", "difference"];

/// The base of a time column's name and its unit: `time (ms)`, `time[ms]`, `time_ms`, `time in ms`.
pub(super) fn base_and_unit(heading: &str) -> (String, Option<String>) {
    let plain = |name: &str| name.trim().to_ascii_lowercase().replace([' ', '-', '.'], "_");
    let bracketed = heading.strip_suffix([')', ']']).and_then(|text| text.split_once(['(', '[']));
    if let Some((base, unit)) = bracketed {
        return (plain(base), Some(unit.trim().to_owned()).filter(|unit| !unit.is_empty()));
    }
    for between in ["/", " in "] {
        if let Some((base, unit)) = heading.split_once(between) {
            return (plain(base), Some(unit.trim().to_owned()));
        }
    }
    let name = plain(heading);
    let mut bases: Vec<&str> = TIMES.iter().flat_map(|names| names.iter().copied()).collect();
    bases.sort_by_key(|base| std::cmp::Reverse(base.len()));
    for base in bases {
        let unit = name.strip_prefix(base).and_then(|rest| rest.strip_prefix('_'));
        if let Some(unit) = unit.filter(|unit| !unit.is_empty() && !NO_UNITS.contains(unit)) {
            let unit = unit.strip_prefix("in_").unwrap_or(unit);
            // As it is written: megaseconds are no milliseconds. ASCII letters are as long in both.
            let unit = &heading.trim()[heading.trim().len() - unit.len()..];
            return (base.to_owned(), Some(unit.to_owned()));
        }
    }
    (name, None)
}

/// The base of the name of a column that is no time: `Neuron (index)` is `neuron`.
pub(super) fn base(heading: &str) -> String {
    let name = heading.split(['(', '[']).next().unwrap_or(heading);
    name.trim().to_lowercase().replace([' ', '-', '.'], "_")
}

/// The columns for a message, cut where they are too long or too many.
pub(super) fn list(headings: &[String]) -> String {
    const MOST: usize = 12;
    let cut = |heading: &String| -> String {
        let short: String = heading.escape_debug().take(40).collect();
        if short.len() < heading.len() { format!("{short}…") } else { short }
    };
    let names: Vec<String> = headings.iter().take(MOST).map(cut).collect();
    let more = headings.len().saturating_sub(MOST);
    let more = if more == 0 { String::new() } else { format!(", and {more} more") };
    format!("{}{more}", names.join(", "))
}

/// The column of a name, exactly, then in whatever case, then by its number from 1.
pub(super) fn column_named(headings: &[String], name: &str) -> Option<usize> {
    let exactly = headings.iter().position(|heading| heading == name);
    let loosely = || headings.iter().position(|heading| heading.eq_ignore_ascii_case(name));
    let number = || name.parse::<usize>().ok()?.checked_sub(1).filter(|&at| at < headings.len());
    exactly.or_else(loosely).or_else(number)
}

pub(super) fn find<'a>(
    headings: &'a [String],
    groups: &[&[&str]],
    name: fn(&str) -> String,
) -> Result<usize, Vec<&'a str>> {
    find_among(headings, groups, name, |_| true)
}

/// The only column with a name of the first group that has any; or all of them.
pub(super) fn find_among<'a>(
    headings: &'a [String],
    groups: &[&[&str]],
    name: fn(&str) -> String,
    may: impl Fn(usize) -> bool,
) -> Result<usize, Vec<&'a str>> {
    let names: Vec<String> = headings.iter().map(|heading| name(heading)).collect();
    for group in groups {
        let is_one = |column: &usize| may(*column) && group.contains(&names[*column].as_str());
        let found: Vec<usize> = (0..names.len()).filter(is_one).collect();
        match found[..] {
            [] => {}
            [one] => return Ok(one),
            _ => return Err(found.iter().map(|&column| headings[column].as_str()).collect()),
        }
    }
    Err(Vec::new())
}
