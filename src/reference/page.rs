//! The reference of every key of a kind of file, in Markdown, from its schema.
//!
//! A table of the file is a section of the page, and so is what has kinds. A section is called by the path at
//! which it stands first.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::{Description, FileKind};

type Object = Map<String, Value>;

/// The page of a schema.
pub(super) fn page(kind: FileKind, schema: &Value) -> String {
    let mut page = Page { schema, sections: Vec::new() };
    let mut text = heading(kind);
    let root = schema.as_object().cloned().unwrap_or_default();
    page.section(&mut text, "", &root);
    // A section may add others behind it.
    let (mut next, mut texts) = (0, Vec::new());
    while let Some(Section { name, paths }) = page.sections.get(next).cloned() {
        let section = page.definition(&name).cloned().unwrap_or_default();
        let mut text = String::new();
        page.section(&mut text, paths[0].trim_matches(['[', ']']), &section);
        texts.push(text);
        next += 1;
    }
    for (Section { name, paths }, section) in page.sections.iter().zip(texts) {
        let _ = write!(text, "\n<a id=\"{name}\"></a>\n## `{}`\n\n", paths[0]);
        if let [_, others @ ..] = &paths[..]
            && !others.is_empty()
        {
            let more = if others.len() > MOST_PATHS { ", …" } else { "" };
            let shown: Vec<String> =
                others.iter().take(MOST_PATHS).map(|path| format!("`{path}`")).collect();
            let _ = writeln!(text, "Also: {}{more}\n", shown.join(", "));
        }
        text += &section;
    }
    text
}

/// Paths of a section that are named beside its first.
const MOST_PATHS: usize = 6;

fn heading(kind: FileKind) -> String {
    let (what, about) = match kind {
        FileKind::Scenario => (
            "a scenario",
            "A scenario has `[[layers]]` and a `[dataset]` (a network of first spikes, trained and evaluated), or \
             `[[populations]]` and a `[simulation]` (any network). Times are in its `time_unit`, paths begin at its \
             folder.",
        ),
        FileKind::Chip => (
            "a chip file",
            "Every entry is ideal unless it says otherwise. Times are in the chip's own time, in `time_unit`, if \
             there is `tau_s`, else in that of the scenario. Weights and potentials are in units of the threshold \
             above the leak. The same entries stand in `[chip]` of a scenario.",
        ),
        FileKind::Study => ("a study", "Paths begin at its folder."),
    };
    format!(
        "# Keys of {what}\n\n{about}\n\nThis page is made from the program's own types (`firstspike schema {} \
         --markdown`), and so is the JSON Schema for editors, `schemas/{}.json`.\n\n",
        kind.name(),
        kind.name()
    )
}

struct Page<'s> {
    schema: &'s Value,
    /// In the order of the page.
    sections: Vec<Section>,
}

/// A definition with the paths at which it stands in a file.
#[derive(Clone)]
struct Section {
    name: String,
    paths: Vec<String>,
}

/// A column of a section's table: its heading, and what it has of a row.
type Column = (&'static str, fn(&Row) -> &str);

/// A row of a section's table.
struct Row {
    key: String,
    kind: String,
    description: Description,
}

impl<'s> Page<'s> {
    fn definition(&self, name: &str) -> Option<&'s Object> {
        self.schema["$defs"][name].as_object()
    }

    fn section(&mut self, text: &mut String, path: &str, section: &Object) {
        if let Some(about) =
            section.get("description").and_then(Value::as_str).filter(|_| !path.is_empty())
        {
            let _ = writeln!(text, "{about}\n");
        }
        let mut rows = Vec::new();
        let kinds = section.get("oneOf").or_else(|| section.get("anyOf")).and_then(Value::as_array);
        for kind in kinds.into_iter().flatten().filter_map(Value::as_object) {
            self.form(&mut rows, path, kind);
        }
        self.rows(&mut rows, path, "", section);
        let column = |column: fn(&Row) -> &str| rows.iter().any(|row| !column(row).is_empty());
        let columns: [Column; 6] = [
            (if kinds.is_some() { "value" } else { "key" }, |row| &row.key),
            ("type", |row| &row.kind),
            ("unit", |row| &row.description.unit),
            ("range", |row| &row.description.range),
            ("default", |row| &row.description.default),
            ("meaning", |row| &row.description.meaning),
        ];
        let columns: Vec<_> = columns.into_iter().filter(|(_, of)| column(*of)).collect();
        if rows.is_empty() {
            return;
        }
        let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
        let _ = writeln!(text, "| {} |\n|{}", names.join(" | "), "---|".repeat(names.len()));
        for row in &rows {
            let cells: Vec<String> =
                columns.iter().map(|(_, of)| of(row).replace('|', "\\|")).collect();
            let _ = writeln!(text, "| {} |", cells.join(" | "));
        }
    }

    /// One of several forms of a value.
    fn form(&mut self, rows: &mut Vec<Row>, path: &str, form: &Object) {
        let description = Description::of(text_of(form));
        let words = form.get("enum").and_then(Value::as_array).cloned().unwrap_or_default();
        let words: Vec<Value> = form.get("const").cloned().into_iter().chain(words).collect();
        for word in &words {
            let meaning = text_of(form).to_owned();
            let description = Description { meaning, ..Description::default() };
            rows.push(Row { key: code(word), kind: "word".to_owned(), description });
        }
        // A kind: a table with its name as the only key.
        let kinds = form.get("properties").and_then(Value::as_object);
        for (name, value) in kinds.into_iter().flatten() {
            let Some(value) = value.as_object() else { continue };
            let kind = self.kind(value, &join(path, name));
            rows.push(Row { key: format!("`{name}`"), kind, description: description.clone() });
            self.rows(rows, path, name, value);
        }
        if words.is_empty() && kinds.is_none() {
            rows.push(Row { key: self.kind(form, path), kind: String::new(), description });
        }
    }

    /// The keys of a table. Those of a table without a section of its own follow it.
    fn rows(&mut self, rows: &mut Vec<Row>, path: &str, within: &str, table: &Object) {
        let required = table.get("required").and_then(Value::as_array);
        let required = |key: &str| required.is_some_and(|list| list.iter().any(|name| name == key));
        for (key, value) in table.get("properties").and_then(Value::as_object).into_iter().flatten()
        {
            let Some(value) = value.as_object() else { continue };
            let name = join(within, key);
            let own = text_of(value);
            let text = if own.is_empty() { self.referred(value).map_or("", text_of) } else { own };
            let mut description = Description::of(text);
            if description.default.is_empty() {
                description.default = match value.get("default") {
                    _ if required(key) => "required".to_owned(),
                    // Those of a table's keys are with them.
                    Some(Value::Object(_)) | None => String::new(),
                    Some(default) => code(default),
                };
            }
            let kind = self.kind(value, &join(path, &name));
            rows.push(Row { key: format!("`{name}`"), kind, description });
            self.rows(rows, path, &name, value);
        }
    }

    /// The definition that a value refers to, if it is one.
    fn referred(&self, value: &Object) -> Option<&'s Object> {
        self.definition(reference(value)?)
    }

    /// The type of a value, with links to the sections of what it refers to.
    fn kind(&mut self, value: &Object, path: &str) -> String {
        if let Some(name) = reference(value).map(str::to_owned) {
            return self.link(&name, path);
        }
        if let Some(word) = value.get("const") {
            return code(word);
        }
        if let Some(words) = value.get("enum").and_then(Value::as_array) {
            let words: Vec<String> = words.iter().map(code).collect();
            return words.join(", ");
        }
        if let Some(forms) = value.get("anyOf").and_then(Value::as_array) {
            let forms = forms.iter().filter_map(Value::as_object);
            let forms: Vec<String> = forms.map(|form| self.kind(form, path)).collect();
            return forms.join(" or ");
        }
        let names: Vec<&str> = match value.get("type") {
            Some(Value::String(name)) => vec![name],
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        let names = names.into_iter().map(|name| match name {
            "integer" => "whole number".to_owned(),
            "string" => "text".to_owned(),
            "boolean" => "`true` or `false`".to_owned(),
            "object" => "table".to_owned(),
            "null" => "`inf`".to_owned(),
            "array" => {
                let items = value.get("items").and_then(Value::as_object);
                let items = items.map(|items| self.kind(items, &format!("[{path}]")));
                format!("list: {}", items.unwrap_or_default())
            }
            name => name.to_owned(),
        });
        names.collect::<Vec<_>>().join(" or ")
    }

    /// A link to the section of a definition.
    fn link(&mut self, name: &str, path: &str) -> String {
        let is_table = self.definition(name).is_some_and(|found| found.contains_key("properties"));
        let path = match is_table {
            true => format!("[{path}]"),
            false => path.trim_matches(['[', ']']).to_owned(),
        };
        match self.sections.iter_mut().find(|section| section.name == name) {
            Some(section) if section.paths.contains(&path) => {}
            Some(section) => section.paths.push(path),
            None => self.sections.push(Section { name: name.to_owned(), paths: vec![path] }),
        }
        let what = match self.definition(name) {
            Some(found) if found.contains_key("properties") => "table",
            Some(found) if is_words(found) => "word",
            _ => "value",
        };
        format!("[{what}](#{name})")
    }
}

fn is_words(definition: &Object) -> bool {
    definition.contains_key("enum")
        || definition
            .get("oneOf")
            .and_then(Value::as_array)
            .is_some_and(|kinds| kinds.iter().all(|kind| kind.get("properties").is_none()))
}

/// The name of the definition that a value refers to.
fn reference(value: &Object) -> Option<&str> {
    value.get("$ref")?.as_str()?.strip_prefix("#/$defs/")
}

fn text_of(value: &Object) -> &str {
    value.get("description").and_then(Value::as_str).unwrap_or_default()
}

/// A dotted key.
fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// A value as TOML, as code.
fn code(value: &Value) -> String {
    let text =
        toml::Value::try_from(value).map_or_else(|_| value.to_string(), |value| value.to_string());
    format!("`{text}`")
}
