//! What `firstspike diff` prints and writes.

use std::error::Error;
use std::path::Path;

use serde_json::{Value, json};

use super::super::console;
use super::super::files::write_file;
use super::super::traces::{number, table};
use super::{Comparison, DiffArguments};
use crate::report::differences::{Differences, Panel};
use crate::trace::alignment::{NeuronAlignment, Pair, PopulationAlignment, Single};

/// What a population, or all of them, comes to.
#[derive(Default)]
struct Sums {
    neurons: usize,
    pairs: usize,
    missing: usize,
    extra: usize,
    /// Pairs farther apart than the tolerance.
    apart: usize,
    difference: f64,
    absolute: f64,
    largest: f64,
}

impl Sums {
    fn of<'p>(
        populations: impl IntoIterator<Item = &'p PopulationAlignment>,
        tolerance: f64,
    ) -> Self {
        let mut sums = Sums::default();
        for neuron in populations.into_iter().flat_map(|population| &population.neurons) {
            sums.neurons += 1;
            sums.pairs += neuron.pairs.len();
            sums.missing += neuron.missing.len();
            sums.extra += neuron.extra.len();
            for Pair { difference, .. } in &neuron.pairs {
                sums.difference += difference;
                sums.absolute += difference.abs();
                sums.largest = sums.largest.max(difference.abs());
                sums.apart += usize::from(difference.abs() > tolerance);
            }
        }
        sums
    }

    fn is_equal(&self) -> bool {
        self.apart + self.missing + self.extra == 0
    }

    fn means(&self) -> Option<[f64; 2]> {
        let count = self.pairs as f64;
        (self.pairs > 0).then(|| [self.difference / count, self.absolute / count])
    }
}

fn name_of(population: &PopulationAlignment) -> &str {
    if population.name.is_empty() { "neurons" } else { &population.name }
}

/// Prints the comparison; whether the traces are equal within the tolerance.
pub(super) fn print(arguments: &DiffArguments, comparison: &Comparison) -> bool {
    for note in &comparison.notes {
        console::err!("note: {note}");
    }
    let all = Sums::of(&comparison.populations, arguments.tolerance);
    if arguments.json {
        let text = serde_json::to_string_pretty(&as_json(arguments, comparison, &all));
        console::out!("{}", text.unwrap_or_default());
        return all.is_equal();
    }
    let unit = comparison.time_unit.as_deref().unwrap_or("time unit");
    console::out!("A: {}\nB: {}\n", arguments.a.display(), arguments.b.display());
    print_summary(arguments, comparison, &all, unit);
    print_largest(arguments, comparison, unit);
    print_alone(arguments, comparison, unit);
    let tolerance = arguments.tolerance;
    if all.is_equal() {
        console::out!(
            "\nequal: no spike is missing, and no two differ by more than {tolerance:e} {unit}"
        );
    } else {
        console::out!(
            "\ndifferent: {} of {} pairs differ by more than {tolerance:e} {unit}; {} missing, {} extra",
            all.apart,
            all.pairs,
            all.missing,
            all.extra
        );
    }
    all.is_equal()
}

fn print_summary(arguments: &DiffArguments, comparison: &Comparison, all: &Sums, unit: &str) {
    let populations = &comparison.populations;
    let mut headings = vec![String::new()];
    let mut columns = Vec::new();
    let mut groups = Vec::new();
    if populations.len() > 1 {
        headings.push("all".to_owned());
        groups.push((None, Sums::of(populations, arguments.tolerance)));
    }
    for population in populations {
        headings.push(name_of(population).to_owned());
        groups.push((Some(population.reach), Sums::of([population], arguments.tolerance)));
    }
    if groups.is_empty() {
        groups.push((None, Sums::of([], all.largest)));
        headings.push("all".to_owned());
    }
    for (reach, sums) in &groups {
        let time = |value: Option<f64>| value.map_or("–".to_owned(), number);
        let means = sums.means();
        columns.push(vec![
            sums.neurons.to_string(),
            (sums.pairs + sums.missing).to_string(),
            (sums.pairs + sums.extra).to_string(),
            sums.pairs.to_string(),
            sums.apart.to_string(),
            sums.missing.to_string(),
            sums.extra.to_string(),
            time(means.map(|means| means[0])),
            time(means.map(|means| means[1])),
            time(means.map(|_| sums.largest)),
            match reach {
                Some(reach) if reach.is_infinite() => "no limit".to_owned(),
                reach => time(*reach),
            },
        ]);
    }
    let labels = [
        "neurons that spike".to_owned(),
        "spikes in A".to_owned(),
        "spikes in B".to_owned(),
        "spikes in both (pairs)".to_owned(),
        "  beyond the tolerance".to_owned(),
        "missing (only in A)".to_owned(),
        "extra (only in B)".to_owned(),
        format!("B − A, mean [{unit}]"),
        format!("|B − A|, mean [{unit}]"),
        format!("|B − A|, largest [{unit}]"),
        format!("reach of a pair [{unit}]"),
    ];
    let rows: Vec<Vec<String>> = labels
        .into_iter()
        .enumerate()
        .map(|(row, label)| {
            let cells = columns.iter().map(|column: &Vec<String>| column[row].clone());
            std::iter::once(label).chain(cells).collect()
        })
        .collect();
    console::out!("{}", table(&headings, &rows).trim_end());
}

/// A time with digits enough to find it in the file.
fn time(value: f64) -> String {
    let digits = (8 - value.abs().max(1e-9).log10().floor() as i32).clamp(0, 12) as usize;
    let text = format!("{value:.digits$}");
    let text = if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    };
    // What is rounded to zero has no sign.
    if text == "-0" { "0".to_owned() } else { text }
}

/// Every neuron with the name of its population.
fn neurons(comparison: &Comparison) -> impl Iterator<Item = (&str, &NeuronAlignment)> {
    comparison.populations.iter().flat_map(|population| {
        population.neurons.iter().map(move |neuron| (name_of(population), neuron))
    })
}

fn print_largest(arguments: &DiffArguments, comparison: &Comparison, unit: &str) {
    let mut pairs: Vec<(&str, u32, &Pair)> = neurons(comparison)
        .flat_map(|(name, neuron)| neuron.pairs.iter().map(move |pair| (name, neuron.neuron, pair)))
        .filter(|(_, _, pair)| pair.difference.abs() > arguments.tolerance)
        .collect();
    if pairs.is_empty() || arguments.worst == 0 {
        return;
    }
    pairs.sort_by(|one, other| {
        let by_size = other.2.difference.abs().total_cmp(&one.2.difference.abs());
        by_size.then(one.2.time.total_cmp(&other.2.time))
    });
    let count = pairs.len();
    pairs.truncate(arguments.worst);
    let rows: Vec<Vec<String>> = pairs
        .iter()
        .map(|(name, neuron, pair)| {
            row(
                comparison,
                name,
                *neuron,
                pair.sample,
                [time(pair.time), time(pair.time + pair.difference), number(pair.difference)],
            )
        })
        .collect();
    let headings = headings(
        comparison,
        [format!("A [{unit}]"), format!("B [{unit}]"), format!("B − A [{unit}]")],
    );
    console::out!("\nLargest differences{}:", of_how_many(pairs.len(), count));
    console::out!("{}", table(&headings, &rows).trim_end());
}

fn print_alone(arguments: &DiffArguments, comparison: &Comparison, unit: &str) {
    let mut alone: Vec<(&str, u32, &Single, &str)> = Vec::new();
    for (name, neuron) in neurons(comparison) {
        let missing = neuron.missing.iter().map(|single| (single, "missing"));
        let extra = neuron.extra.iter().map(|single| (single, "extra"));
        alone
            .extend(missing.chain(extra).map(|(single, what)| (name, neuron.neuron, single, what)));
    }
    if alone.is_empty() || arguments.worst == 0 {
        return;
    }
    alone.sort_by(|one, other| {
        one.2.sample.cmp(&other.2.sample).then(one.2.time.total_cmp(&other.2.time))
    });
    let count = alone.len();
    alone.truncate(arguments.worst);
    let rows: Vec<Vec<String>> = alone
        .iter()
        .map(|(name, neuron, single, what)| {
            row(comparison, name, *neuron, single.sample, [time(single.time), (*what).to_owned()])
        })
        .collect();
    let headings = headings(comparison, [format!("time [{unit}]"), "in B".to_owned()]);
    console::out!("\nFirst missing or extra spikes{}:", of_how_many(alone.len(), count));
    console::out!("{}", table(&headings, &rows).trim_end());
}

fn of_how_many(shown: usize, count: usize) -> String {
    if shown == count { String::new() } else { format!(" ({shown} of {count})") }
}

fn headings<const N: usize>(comparison: &Comparison, more: [String; N]) -> Vec<String> {
    let sample = comparison.has_samples.then(|| "sample".to_owned());
    let first = ["population".to_owned(), "neuron".to_owned()];
    first.into_iter().chain(sample).chain(more).collect()
}

fn row<const N: usize>(
    comparison: &Comparison,
    name: &str,
    neuron: u32,
    sample: u32,
    more: [String; N],
) -> Vec<String> {
    let sample = comparison.has_samples.then(|| sample.to_string());
    [name.to_owned(), neuron.to_string()].into_iter().chain(sample).chain(more).collect()
}

fn as_json(arguments: &DiffArguments, comparison: &Comparison, all: &Sums) -> Value {
    let sums = |sums: &Sums| {
        let means = sums.means();
        json!({
            "spikes_a": sums.pairs + sums.missing,
            "spikes_b": sums.pairs + sums.extra,
            "pairs": sums.pairs,
            "beyond_tolerance": sums.apart,
            "missing": sums.missing,
            "extra": sums.extra,
            "mean_difference": means.map(|means| means[0]),
            "mean_absolute_difference": means.map(|means| means[1]),
            "largest_absolute_difference": means.map(|_| sums.largest),
        })
    };
    let populations = comparison.populations.iter().map(|population| {
        let neurons = population.neurons.iter().map(|neuron| {
            let differences = neuron.differences();
            json!({
                "neuron": neuron.neuron,
                "pairs": neuron.pairs.len(),
                "missing": neuron.missing.len(),
                "extra": neuron.extra.len(),
                "mean_difference": differences.map(|found| found[0]),
                "mean_absolute_difference": differences.map(|found| found[1]),
                "largest_absolute_difference": differences.map(|found| found[2]),
            })
        });
        json!({
            "population": population.name,
            "reach": Some(population.reach).filter(|reach| reach.is_finite()),
            "all": sums(&Sums::of([population], arguments.tolerance)),
            "neurons": neurons.collect::<Vec<_>>(),
        })
    });
    json!({
        "a": arguments.a,
        "b": arguments.b,
        "time_unit": comparison.time_unit,
        "tolerance": arguments.tolerance,
        "equal": all.is_equal(),
        "all": sums(all),
        "populations": populations.collect::<Vec<_>>(),
        "notes": comparison.notes,
    })
}

/// Writes the files that were asked for.
pub(super) fn write_files(
    arguments: &DiffArguments,
    comparison: &Comparison,
) -> Result<(), Box<dyn Error>> {
    if let Some(path) = &arguments.csv {
        write_file(path, &neurons_csv(comparison))?;
    }
    if arguments.svg.is_some() || arguments.png.is_some() {
        let picture = picture(arguments, comparison);
        if let Some(path) = &arguments.svg {
            let svg = picture.to_svg().map_err(|error| format!("--svg: {error}"))?;
            write_file(path, svg.as_bytes())?;
        }
        if let Some(path) = &arguments.png {
            let png = picture.to_png().map_err(|error| format!("--png: {error}"))?;
            write_file(path, &png)?;
        }
    }
    Ok(())
}

/// A row per neuron.
fn neurons_csv(comparison: &Comparison) -> Vec<u8> {
    let unit = comparison.time_unit.as_deref().map(|unit| format!("_{unit}")).unwrap_or_default();
    let mut writer = csv::Writer::from_writer(Vec::new());
    let means = ["mean_difference", "mean_absolute_difference", "largest_absolute_difference"];
    let headings = ["population", "neuron", "spikes_a", "spikes_b", "pairs", "missing", "extra"]
        .map(str::to_owned)
        .into_iter()
        .chain(means.map(|name| format!("{name}{unit}")));
    // A Vec takes everything.
    let _ = writer.write_record(headings);
    for population in &comparison.populations {
        for neuron in &population.neurons {
            let (pairs, missing, extra) =
                (neuron.pairs.len(), neuron.missing.len(), neuron.extra.len());
            let counts =
                [neuron.neuron as usize, pairs + missing, pairs + extra, pairs, missing, extra]
                    .map(|count| count.to_string());
            let differences = match neuron.differences() {
                Some(found) => found.map(|value| format!("{value:?}")),
                None => Default::default(),
            };
            let name = std::iter::once(population.name.clone());
            let _ = writer.write_record(name.chain(counts).chain(differences));
        }
    }
    writer.into_inner().unwrap_or_default()
}

fn picture(arguments: &DiffArguments, comparison: &Comparison) -> Differences {
    let panel = |population: &PopulationAlignment| {
        let mut panel = Panel { name: population.name.clone(), ..Panel::default() };
        for neuron in &population.neurons {
            panel.pairs.extend(neuron.pairs.iter().map(|pair| (pair.time, pair.difference)));
            panel.missing.extend(neuron.missing.iter().map(|single| single.time));
            panel.extra.extend(neuron.extra.iter().map(|single| single.time));
        }
        panel
    };
    let mut panels: Vec<Panel> = comparison.populations.iter().map(panel).collect();
    if panels.is_empty() {
        panels.push(Panel::default());
    }
    Differences {
        title: format!("A: {}   B: {}", short(&arguments.a), short(&arguments.b)),
        names: ("A".to_owned(), "B".to_owned()),
        time_unit: comparison.time_unit.clone(),
        panels,
    }
}

/// A file and the folder it is in.
fn short(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    match path.parent().and_then(Path::file_name) {
        Some(folder) => format!("{}/{name}", folder.to_string_lossy()),
        None => name.into_owned(),
    }
}
