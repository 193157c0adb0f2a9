//! Edge lists: tables of text with a row per synapse, blocks of which are read in parallel.

use rayon::prelude::*;

use super::{EdgeColumns, EdgeError, EdgePlace, EdgeProblem, EdgeSource, Pass};
use crate::network::{NetworkError, Receptor, Synapse};
use crate::settings::time_units::TimeFactor;
use crate::table::{Separator, TableError, TableProblem, TextBlock, TextBlocks};

/// Units that a column of delays may name, beside the scenario's own.
const UNITS: [&str; 6] = ["s", "ms", "us", "µs", "μs", "ns"];

/// What columns may be called; `delay` may have a unit behind it, as in `delay_ms`.
const PRE: &[&str] = &["pre", "source", "sources", "pre_id", "source_id", "source_node_id"];
const POST: &[&str] = &["post", "target", "targets", "post_id", "target_id", "target_node_id"];
const WEIGHT: &[&str] = &["weight", "weights", "syn_weight"];
const DELAY: &[&str] = &["delay", "delays"];
const RECEPTOR: &[&str] = &["receptor"];
const PRE_POPULATION: &[&str] = &["pre_population", "source_population"];
const POST_POPULATION: &[&str] = &["post_population", "target_population"];

const COLUMNS: &str = "columns are pre (or source), post (or target), weight and, if there are any, delay (or \
                       delay_ms), receptor, pre_population and post_population";

/// Which column holds what.
struct Layout {
    /// As many names as columns; one without name is read over.
    names: Vec<String>,
    separator: Separator,
    pre: usize,
    post: usize,
    weight: Option<usize>,
    delay: Option<(usize, TimeFactor)>,
    receptor: Option<usize>,
    pre_population: Option<usize>,
    post_population: Option<usize>,
}

pub(super) fn visit(
    source: &EdgeSource,
    pass: Pass,
    show: &mut dyn FnMut(&EdgeColumns) -> Result<(), NetworkError>,
) -> Result<(), EdgeError> {
    let in_file = |error: TableError| {
        let place = error.line.map_or(EdgePlace::File, EdgePlace::Line);
        source.error(place, EdgeProblem::Table(error.problem))
    };
    let mut blocks = TextBlocks::open(&source.file.path).map_err(in_file)?;
    let mut layout = None;
    let mut found = 0;
    let mut batch = blocks.take(1).map_err(in_file)?;
    while !batch.is_empty() {
        let mut skip_until = 0;
        if layout.is_none() {
            // Blocks before it have comments and blank lines only.
            match Layout::of(source, &batch[0])? {
                Some((line, read)) => (layout, skip_until) = (Some(read), line),
                None => {
                    batch = blocks.take(1).map_err(in_file)?;
                    continue;
                }
            }
        }
        let Some(layout) = &layout else { continue };
        let parse = || -> Vec<_> {
            batch.par_iter().map(|block| layout.read(source, block, pass, skip_until)).collect()
        };
        let (next, parsed) = rayon::join(|| blocks.take(2 * rayon::current_num_threads()), parse);
        for columns in parsed {
            let columns = columns?;
            found += columns.pre.len();
            show(&columns)
                .map_err(|error| source.error(EdgePlace::File, EdgeProblem::Network(error)))?;
        }
        batch = next.map_err(in_file)?;
    }
    let Some(layout) = layout else {
        return Err(source.error(EdgePlace::File, EdgeProblem::Table(TableProblem::Empty)));
    };
    let chosen = [
        (layout.pre_population, source.defaults.pre),
        (layout.post_population, source.defaults.post),
    ];
    if found == 0 && chosen.iter().any(|(column, chosen)| column.is_some() && chosen.is_some()) {
        let name =
            |index: Option<usize>| index.map_or("any", |index| &source.populations[index].name);
        let (pre, post) = (name(source.defaults.pre), name(source.defaults.post));
        let message = format!(
            "no row is of a synapse from `{pre}` to `{post}`: see its columns of populations"
        );
        return Err(source.error(EdgePlace::File, EdgeProblem::Form(message)));
    }
    Ok(())
}

impl Layout {
    /// The heading of the table and its line; none if there is no row in this block.
    fn of(source: &EdgeSource, block: &TextBlock) -> Result<Option<(u64, Self)>, EdgeError> {
        let mut found = None;
        block.rows(
            None,
            |line, problem| source.error(EdgePlace::Line(line), EdgeProblem::Table(problem)),
            |line, fields, separator| {
                let mut names: Vec<String> = fields.iter().map(|&name| name.to_owned()).collect();
                if names.len() > 1 && names.last().is_some_and(String::is_empty) {
                    names.pop();
                }
                let layout = Layout::recognise(source, names, separator).map_err(|message| {
                    source.error(EdgePlace::Line(line), EdgeProblem::Form(message))
                })?;
                found = Some((line, layout));
                Ok(false)
            },
        )?;
        Ok(found)
    }

    fn recognise(
        source: &EdgeSource,
        names: Vec<String>,
        separator: Separator,
    ) -> Result<Self, String> {
        let mut columns: [Option<usize>; 7] = [None; 7];
        let mut unit = None;
        let kinds = [PRE, POST, WEIGHT, DELAY, RECEPTOR, PRE_POPULATION, POST_POPULATION];
        for (column, name) in names.iter().enumerate() {
            if source.file.ignore.contains(name) || name.is_empty() {
                continue;
            }
            let lower = name.to_lowercase();
            let delay_unit = lower.strip_prefix("delay_");
            let kind = kinds.iter().position(|kind| kind.contains(&lower.as_str()));
            let kind = kind.or(delay_unit.map(|_| 3)).ok_or_else(|| {
                let there = format!("there are {} ({})", names.join(", "), separator.describe());
                format!(
                    "column `{name}` is not known: {COLUMNS}; {there}. If it means nothing here: ignore = [\"{name}\"]"
                )
            })?;
            if let Some(other) = columns[kind].replace(column) {
                return Err(format!(
                    "columns `{}` and `{name}` mean the same: ignore = [\"…\"] leaves one out",
                    names[other]
                ));
            }
            if kind == 3 {
                unit = delay_unit.map(str::to_owned);
            }
        }
        let [pre, post, weight, delay, receptor, pre_population, post_population] = columns;
        let needed = |column: Option<usize>, name: &str| {
            let there = format!("there are {} ({})", names.join(", "), separator.describe());
            column.ok_or_else(|| format!("missing column `{name}`: {COLUMNS}; {there}"))
        };
        let (pre, post) = (needed(pre, "pre")?, needed(post, "post")?);
        let default = &source.defaults;
        match (weight, default.weight) {
            (None, None) => {
                needed(None, "weight").map_err(|message| {
                    format!("{message}. If all are equal: weights.constant = …")
                })?;
            }
            (Some(_), Some(_)) => {
                return Err("the file has weights: leave out `weights`".to_owned());
            }
            _ => {}
        }
        if delay.is_some() && default.delay.is_some() {
            return Err("the file has delays: leave out `delays`".to_owned());
        }
        for (end, column, given) in
            [("pre", pre_population, default.pre), ("post", post_population, default.post)]
        {
            if column.is_none() && given.is_none() {
                return Err(format!(
                    "of which population is {end}? There is no column `{end}_population`: give {end} = \"…\""
                ));
            }
        }
        let factor = match unit.as_deref() {
            None => Some(TimeFactor::ONE),
            Some(unit) if UNITS.contains(&unit) || unit == source.time_unit => {
                TimeFactor::between(unit, &source.time_unit)
            }
            Some(_) => None,
        };
        let Some(factor) = factor else {
            let unit = &source.time_unit;
            return Err(format!(
                "column `{}` cannot be converted to the scenario's unit of time ({unit}): use one of delay_s, delay_ms, \
                 delay_us, delay_ns with time_unit = \"ms\" or the like, or a column `delay` in {unit}",
                delay.map_or("delay", |column| &names[column])
            ));
        };
        let delay = delay.map(|column| (column, factor));
        Ok(Layout {
            names,
            separator,
            pre,
            post,
            weight,
            delay,
            receptor,
            pre_population,
            post_population,
        })
    }

    /// The synapses of a block behind a line.
    fn read(
        &self,
        source: &EdgeSource,
        block: &TextBlock,
        pass: Pass,
        skip_until: u64,
    ) -> Result<EdgeColumns, EdgeError> {
        let mut columns = EdgeColumns::default();
        block.rows(
            Some(self.separator),
            |line, problem| source.error(EdgePlace::Line(line), EdgeProblem::Table(problem)),
            |line, fields, _| {
                if line > skip_until {
                    self.row(source, fields, pass, &mut columns)
                        .map_err(|problem| source.error(EdgePlace::Line(line), problem))?;
                }
                Ok(true)
            },
        )?;
        Ok(columns)
    }

    fn row(
        &self,
        source: &EdgeSource,
        fields: &[&str],
        pass: Pass,
        columns: &mut EdgeColumns,
    ) -> Result<(), EdgeProblem> {
        let expected = self.names.len();
        let found = fields.len();
        if found != expected && !(found == expected + 1 && fields[expected].is_empty()) {
            let separator = self.separator.describe();
            return Err(EdgeProblem::Table(TableProblem::FieldCount {
                found,
                expected,
                separator,
            }));
        }
        let default = &source.defaults;
        let pre = self.population(source, fields, self.pre_population, default.pre)?;
        let post = self.population(source, fields, self.post_population, default.post)?;
        let (Some(pre), Some(post)) = (pre, post) else { return Ok(()) };
        let from = self.node(source, fields, self.pre, pre)?;
        columns.pre.push(from);
        if pass == Pass::Count {
            return Ok(());
        }
        source.check_post(post)?;
        let to = self.node(source, fields, self.post, post)?;
        let weight = match (self.weight, default.weight) {
            (Some(column), _) => self.number(fields, column)? * source.file.weight_scale,
            (None, weight) => weight.unwrap_or(0.0),
        };
        let delay = match self.delay {
            Some((column, factor)) => factor.apply(self.number(fields, column)?),
            None => default.delay.unwrap_or(0.0),
        };
        EdgeSource::check_values(Synapse { weight, delay })?;
        if let Some(column) = self.receptor {
            columns.receptors.push(match fields[column] {
                "by_sign" => Receptor::BySign,
                "excitatory" => Receptor::Excitatory,
                "inhibitory" => Receptor::Inhibitory,
                _ => return Err(self.wrong(fields, column, "by_sign, excitatory or inhibitory")),
            });
        }
        columns.post.push(to);
        columns.weights.push(weight);
        columns.delays.push(delay);
        Ok(())
    }

    /// The population of one end; none if the row is of another than the one that is wanted.
    fn population(
        &self,
        source: &EdgeSource,
        fields: &[&str],
        column: Option<usize>,
        wanted: Option<usize>,
    ) -> Result<Option<usize>, EdgeProblem> {
        let Some(column) = column else { return Ok(wanted) };
        match (source.find(fields[column]), wanted) {
            (Some(found), Some(wanted)) => Ok((found == wanted).then_some(found)),
            (Some(found), None) => Ok(Some(found)),
            // Rows of other populations are other projections'; one of no population is misspelt.
            (None, _) => {
                let accepted = format!("one of {}", source.names());
                Err(self.wrong(fields, column, &accepted))
            }
        }
    }

    fn node(
        &self,
        source: &EdgeSource,
        fields: &[&str],
        column: usize,
        population: usize,
    ) -> Result<u32, EdgeProblem> {
        let found = whole(fields[column]).and_then(|id| source.node(population, id));
        found.ok_or_else(|| source.no_such(&self.names[column], population, fields[column]))
    }

    fn number(&self, fields: &[&str], column: usize) -> Result<f64, EdgeProblem> {
        fields[column].parse().map_err(|_| self.wrong(fields, column, "a number"))
    }

    fn wrong(&self, fields: &[&str], column: usize, accepted: &str) -> EdgeProblem {
        EdgeProblem::Field {
            column: self.names[column].clone(),
            found: format!("`{}`", fields[column]),
            accepted: accepted.to_owned(),
        }
    }
}

/// A whole number that is not negative, also as `3.0` or `3e0`.
fn whole(field: &str) -> Option<u64> {
    if let Ok(number) = field.parse() {
        return Some(number);
    }
    let number: f64 = field.parse().ok()?;
    (number.fract() == 0.0 && (0.0..9e15).contains(&number)).then_some(number as u64)
}
