//! SONATA edges: HDF5 files with a row per synapse, read a range of rows at a time.
//!
//! ```text
//! /edges/<population>/source_node_id, target_node_id   ids, with the attribute `node_population`
//!                     edge_type_id                     rows of the table of edge types
//!                     edge_group_id, edge_group_index  which group has the attributes, and where in it
//!                     <group>/syn_weight, delay        attributes; delays in ms
//! ```
//!
//! What an edge has itself counts before what its type has.

mod groups;
mod types;

use std::collections::BTreeMap;

use super::{EdgeColumns, EdgeError, EdgePlace, EdgeProblem, EdgeSource, Pass};
use crate::hdf5::{Hdf5Dataset, Hdf5Error, Hdf5File};
use crate::network::{NetworkError, Receptor, Synapse};
use crate::settings::time_units::TimeFactor;
use groups::{Attributes, Group};
use types::{Types, edge_types};

/// Rows that are read at once.
const ROWS: u64 = 1 << 18;

pub(super) fn visit(
    source: &EdgeSource,
    pass: Pass,
    show: &mut dyn FnMut(&EdgeColumns) -> Result<(), NetworkError>,
) -> Result<(), EdgeError> {
    let file = Hdf5File::open(&source.file.path).map_err(|error| in_file(source, error))?;
    let types = edge_types(source)?;
    for name in chosen(source, &file)? {
        Edges::open(source, &file, &name, &types)?.visit(pass, show)?;
    }
    Ok(())
}

fn in_file(source: &EdgeSource, error: Hdf5Error) -> EdgeError {
    let Hdf5Error { place, problem, .. } = error;
    source.error(EdgePlace::File, EdgeProblem::Hdf5 { place, problem })
}

/// Refuses a column of pairs or matrices: its values would be taken for those of other rows.
fn one_dimensional(
    source: &EdgeSource,
    place: &str,
    column: &Hdf5Dataset<'_>,
) -> Result<(), EdgeError> {
    match column.shape() {
        [_] => Ok(()),
        shape => {
            let message = format!("/{place} has the shape {shape:?}: it must have one dimension");
            Err(form(source, message))
        }
    }
}

fn form(source: &EdgeSource, message: String) -> EdgeError {
    source.error(EdgePlace::File, EdgeProblem::Form(message))
}

/// The name of the population of neurons at one end, if the file has it.
fn node_population(
    source: &EdgeSource,
    file: &Hdf5File,
    edges: &str,
    column: &str,
) -> Result<Option<String>, EdgeError> {
    let place = format!("edges/{edges}/{column}");
    let found =
        file.attribute(&place, "node_population").map_err(|error| in_file(source, error))?;
    Ok(found.and_then(|value| value.text().map(str::to_owned)))
}

/// The populations of edges that are meant.
fn chosen(source: &EdgeSource, file: &Hdf5File) -> Result<Vec<String>, EdgeError> {
    let there = file.members("edges").map_err(|error| in_file(source, error))?.groups;
    if let Some(wanted) = &source.file.edges {
        if there.contains(wanted) {
            return Ok(vec![wanted.clone()]);
        }
        let there = there.join(", ");
        return Err(form(source, format!("there are no edges `{wanted}`; there are {there}")));
    }
    if there.len() < 2 {
        return match there.is_empty() {
            true => Err(form(source, "there is no population of edges in /edges".to_owned())),
            false => Ok(there),
        };
    }
    let mut fitting = Vec::new();
    for name in &there {
        let ends =
            [("source_node_id", source.defaults.pre), ("target_node_id", source.defaults.post)];
        let mut fits = true;
        for (column, wanted) in ends {
            let Some(wanted) = wanted else { continue };
            let found = node_population(source, file, name, column)?;
            fits &= found.as_ref() == Some(&source.populations[wanted].name);
        }
        if fits {
            fitting.push(name.clone());
        }
    }
    if fitting.is_empty() {
        let there = there.join(", ");
        return Err(form(
            source,
            format!(
                "none of its edges ({there}) is between these populations: say which with edges = \"…\""
            ),
        ));
    }
    Ok(fitting)
}

/// A population of edges.
struct Edges<'f> {
    source: &'f EdgeSource,
    name: String,
    rows: u64,
    pre: Hdf5Dataset<'f>,
    post: Hdf5Dataset<'f>,
    ends: (usize, usize),
    types: Option<Hdf5Dataset<'f>>,
    known_types: &'f Types,
    group_ids: Option<Hdf5Dataset<'f>>,
    group_places: Option<Hdf5Dataset<'f>>,
    groups: BTreeMap<i64, Group<'f>>,
    factor: Option<TimeFactor>,
}

impl<'f> Edges<'f> {
    fn open(
        source: &'f EdgeSource,
        file: &'f Hdf5File,
        name: &str,
        known_types: &'f Types,
    ) -> Result<Self, EdgeError> {
        let wrong = |error| in_file(source, error);
        let place = |part: &str| format!("edges/{name}/{part}");
        let members = file.members(&format!("edges/{name}")).map_err(wrong)?;
        let column = |part: &str| file.dataset(&place(part)).map_err(wrong);
        let optional = |part: &str| match members.datasets.iter().any(|it| it == part) {
            true => column(part).map(Some),
            false => Ok(None),
        };
        let (pre, post) = (column("source_node_id")?, column("target_node_id")?);
        let rows = pre.rows();
        let (types, group_ids, group_places) =
            (optional("edge_type_id")?, optional("edge_group_id")?, optional("edge_group_index")?);
        let all = [
            ("source_node_id", Some(&pre)),
            ("target_node_id", Some(&post)),
            ("edge_type_id", types.as_ref()),
            ("edge_group_id", group_ids.as_ref()),
            ("edge_group_index", group_places.as_ref()),
        ];
        for (part, column) in all {
            if let Some(column) = column {
                one_dimensional(source, &place(part), column)?;
            }
            let found = column.map_or(rows, Hdf5Dataset::rows);
            if found != rows {
                let message = format!(
                    "/edges/{name}/{part} has {found} rows, but source_node_id has {rows}: they must be equal"
                );
                return Err(form(source, message));
            }
        }
        let end = |part: &str, given: Option<usize>, key: &str| match given {
            Some(given) => Ok(given),
            None => {
                let found = node_population(source, file, name, part)?;
                let index = found.as_ref().and_then(|found| source.find(found));
                index.ok_or_else(|| {
                    let found = found.map_or("it has no `node_population`".to_owned(), |found| {
                        format!(
                            "its `node_population` is `{found}`, the scenario has {}",
                            source.names()
                        )
                    });
                    form(
                        source,
                        format!(
                            "/edges/{name}/{part}: which population? {found}: give {key} = \"…\""
                        ),
                    )
                })
            }
        };
        let ends = (
            end("source_node_id", source.defaults.pre, "pre")?,
            end("target_node_id", source.defaults.post, "post")?,
        );
        source.check_post(ends.1).map_err(|problem| source.error(EdgePlace::File, problem))?;
        let mut groups = BTreeMap::new();
        for group in &members.groups {
            let Ok(id) = group.parse::<i64>() else { continue };
            groups.insert(id, Group::open(source, file, &place(group))?);
        }
        let factor = TimeFactor::between("ms", &source.time_unit);
        let name = name.to_owned();
        Ok(Edges {
            source,
            name,
            rows,
            pre,
            post,
            ends,
            types,
            known_types,
            group_ids,
            group_places,
            groups,
            factor,
        })
    }

    fn visit(
        &self,
        pass: Pass,
        show: &mut dyn FnMut(&EdgeColumns) -> Result<(), NetworkError>,
    ) -> Result<(), EdgeError> {
        let mut start = 0;
        while start < self.rows {
            let end = (start + ROWS).min(self.rows);
            let columns = self.read(start..end, pass)?;
            show(&columns)
                .map_err(|error| self.source.error(EdgePlace::File, EdgeProblem::Network(error)))?;
            start = end;
        }
        Ok(())
    }

    fn read(&self, rows: std::ops::Range<u64>, pass: Pass) -> Result<EdgeColumns, EdgeError> {
        let source = self.source;
        let wrong = |error| in_file(source, error);
        let at = |place: usize, problem| {
            let row = rows.start + place as u64;
            source.error(EdgePlace::Row { edges: self.name.clone(), row }, problem)
        };
        let nodes = |column: &Hdf5Dataset<'_>, name: &str, population: usize| {
            let ids = column.integers_in(rows.clone()).map_err(wrong)?;
            let node = |(place, id): (usize, i64)| {
                let found = u64::try_from(id).ok().and_then(|id| source.node(population, id));
                found.ok_or_else(|| at(place, source.no_such(name, population, id)))
            };
            ids.into_iter().enumerate().map(node).collect::<Result<Vec<u32>, _>>()
        };
        let mut columns = EdgeColumns {
            pre: nodes(&self.pre, "source_node_id", self.ends.0)?,
            ..EdgeColumns::default()
        };
        if pass == Pass::Count {
            return Ok(columns);
        }
        columns.post = nodes(&self.post, "target_node_id", self.ends.1)?;
        let count = columns.pre.len();
        let own = self.attributes(rows.clone(), count)?;
        let types = match &self.types {
            Some(types) if !self.known_types.is_empty() => {
                Some(types.integers_in(rows.clone()).map_err(wrong)?)
            }
            _ => None,
        };
        let default = &source.defaults;
        for place in 0..count {
            let of_type = match &types {
                None => (None, None),
                Some(types) => *self.known_types.get(&types[place]).ok_or_else(|| {
                    at(
                        place,
                        EdgeProblem::Field {
                            column: "edge_type_id".to_owned(),
                            found: types[place].to_string(),
                            accepted: "a row of the table of edge types".to_owned(),
                        },
                    )
                })?,
            };
            let (weight, delay) =
                (own.value(0, place).or(of_type.0), own.value(1, place).or(of_type.1));
            for (found, given, key) in
                [(weight, default.weight, "weights"), (delay, default.delay, "delays")]
            {
                if found.is_some() && given.is_some() {
                    return Err(form(
                        source,
                        format!("/edges/{} has {key}: leave out `{key}`", self.name),
                    ));
                }
            }
            let weight = match (weight, default.weight) {
                (Some(weight), _) => weight * source.file.weight_scale,
                (None, Some(weight)) => weight,
                (None, None) => {
                    let message = "it has no syn_weight, and neither has its type: give edge_types = \"…\", or \
                                   weights.constant = …";
                    return Err(at(place, EdgeProblem::Form(message.to_owned())));
                }
            };
            let delay = match (delay, self.factor) {
                (None, _) => default.delay.unwrap_or(0.0),
                (Some(delay), Some(factor)) => factor.apply(delay),
                (Some(_), None) => {
                    let message = format!(
                        "delays of SONATA edges are in ms, which cannot be converted to the scenario's unit of time \
                         ({}): use time_unit = \"ms\" or the like, or ignore = [\"delay\"]",
                        source.time_unit
                    );
                    return Err(form(source, message));
                }
            };
            EdgeSource::check_values(Synapse { weight, delay })
                .map_err(|problem| at(place, problem))?;
            if own.columns[2].is_some() {
                columns.receptors.push(match own.value(2, place) {
                    Some(0.0) => Receptor::BySign,
                    Some(1.0) => Receptor::Excitatory,
                    Some(2.0) => Receptor::Inhibitory,
                    None => default.receptor,
                    Some(other) => {
                        return Err(at(
                            place,
                            EdgeProblem::Field {
                                column: "receptor".to_owned(),
                                found: other.to_string(),
                                accepted: "0 (by sign), 1 (excitatory) or 2 (inhibitory)"
                                    .to_owned(),
                            },
                        ));
                    }
                });
            }
            if let Some(several) = own.value(3, place).filter(|&several| several != 1.0) {
                return Err(at(
                    place,
                    EdgeProblem::Field {
                        column: "nsyns".to_owned(),
                        found: several.to_string(),
                        accepted: "1: write several synapses as several edges".to_owned(),
                    },
                ));
            }
            columns.weights.push(weight);
            columns.delays.push(delay);
        }
        Ok(columns)
    }

    /// The attributes of some edges, from the groups that have them.
    fn attributes(
        &self,
        rows: std::ops::Range<u64>,
        count: usize,
    ) -> Result<Attributes, EdgeError> {
        let source = self.source;
        let wrong = |error| in_file(source, error);
        let mut found = Attributes::default();
        if self.groups.values().all(|group| group.columns.iter().all(Option::is_none)) {
            return Ok(found);
        }
        let at = |place: usize, column: &str, value: i64, accepted: String| {
            let row = rows.start + place as u64;
            let problem = EdgeProblem::Field {
                column: column.to_owned(),
                found: value.to_string(),
                accepted,
            };
            source.error(EdgePlace::Row { edges: self.name.clone(), row }, problem)
        };
        let ids = match &self.group_ids {
            Some(ids) => ids.integers_in(rows.clone()).map_err(wrong)?,
            None => vec![0; count],
        };
        let places = match &self.group_places {
            Some(places) => places.integers_in(rows.clone()).map_err(wrong)?,
            None => (rows.start as i64..rows.end as i64).collect(),
        };
        let mut ranges = BTreeMap::<i64, (u64, u64)>::new();
        for (edge, (&id, &place)) in ids.iter().zip(&places).enumerate() {
            let Some(group) = self.groups.get(&id) else {
                let known: Vec<String> = self.groups.keys().map(ToString::to_string).collect();
                return Err(at(
                    edge,
                    "edge_group_id",
                    id,
                    format!("one of the groups {}", known.join(", ")),
                ));
            };
            let fits = u64::try_from(place).ok().filter(|&place| place < group.rows);
            let Some(place) = fits else {
                let last = group.rows.saturating_sub(1);
                return Err(at(
                    edge,
                    "edge_group_index",
                    place,
                    format!("from 0 to {last} (group {id})"),
                ));
            };
            let range = ranges.entry(id).or_insert((place, place));
            *range = (range.0.min(place), range.1.max(place));
        }
        for (id, (first, last)) in ranges {
            if last - first >= 64 * ROWS {
                return Err(form(
                    source,
                    format!(
                        "/edges/{}: edge_group_index jumps from {first} to {last} within {ROWS} edges: write the edges in \
                     the order of their groups",
                        self.name
                    ),
                ));
            }
            for (kind, column) in self.groups[&id].columns.iter().enumerate() {
                let Some(column) = column else { continue };
                let values = column.numbers_in(first..last + 1).map_err(wrong)?;
                let all = found.columns[kind].get_or_insert_with(|| vec![None; count]);
                for (value, (&own, &place)) in all.iter_mut().zip(ids.iter().zip(&places)) {
                    if own == id {
                        *value = Some(values[(place as u64 - first) as usize]);
                    }
                }
            }
        }
        Ok(found)
    }
}
