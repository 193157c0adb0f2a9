//! The types of edges: a table with weights and delays for edges that have none of their own.

use std::collections::BTreeMap;

use super::super::{EdgeError, EdgePlace, EdgeProblem, EdgeSource};
use crate::table::TextTable;

/// What the edge types say where edges say nothing.
pub(super) type Types = BTreeMap<i64, (Option<f64>, Option<f64>)>;

/// Reads the table of edge types.
pub(super) fn edge_types(source: &EdgeSource) -> Result<Types, EdgeError> {
    let Some(path) = &source.file.edge_types else { return Ok(Types::new()) };
    let wrong = |line: Option<u64>, problem| EdgeError {
        path: path.clone(),
        place: line.map_or(EdgePlace::File, EdgePlace::Line),
        problem: Box::new(problem),
    };
    let of_table =
        |error: crate::table::TableError| wrong(error.line, EdgeProblem::Table(error.problem));
    let table = TextTable::read(path).map_err(of_table)?;
    let mut rows = table.even_rows();
    let heading = rows.next().transpose().map_err(of_table)?;
    let names: Vec<String> =
        heading.iter().flat_map(|row| row.fields.iter().map(ToString::to_string)).collect();
    let column = |name: &str| names.iter().position(|found| found == name);
    let Some(id) = column("edge_type_id") else {
        let names = names.join(", ");
        let message =
            format!("missing column `edge_type_id`; there are {names} ({})", table.separator());
        return Err(wrong(heading.map(|row| row.line), EdgeProblem::Form(message)));
    };
    let (weight, delay) = (column("syn_weight"), column("delay"));
    let mut types = Types::new();
    for row in rows {
        let row = row.map_err(of_table)?;
        let field = |column: usize, accepted: &str| {
            wrong(
                Some(row.line),
                EdgeProblem::Field {
                    column: names[column].clone(),
                    found: format!("`{}`", row.fields[column]),
                    accepted: accepted.to_owned(),
                },
            )
        };
        let number = |column: Option<usize>| {
            let Some(column) = column else { return Ok(None) };
            match row.fields[column].as_ref() {
                "" | "NULL" | "nan" | "NaN" => Ok(None),
                text => text.parse().map(Some).map_err(|_| field(column, "a number, or NULL")),
            }
        };
        let key = row.fields[id].parse().map_err(|_| field(id, "a whole number"))?;
        if types.insert(key, (number(weight)?, number(delay)?)).is_some() {
            return Err(field(id, "of one row only"));
        }
    }
    Ok(types)
}
