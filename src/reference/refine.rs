//! From what schemars makes of the types to what editors and people read.

use serde_json::{Map, Value, json};

use super::Description;

/// Names of definitions that say more than those of the types.
const NAMES: [(&str, &str); 2] = [
    ("ValuesArray_of_Array_of_double", "ValuesOfSynapses"),
    ("ValuesArray_of_double", "ValuesOfNeurons"),
];

fn renamed(name: &str) -> &str {
    NAMES.iter().find(|(old, _)| *old == name).map_or(name, |(_, new)| new)
}

/// Puts comments on one line without links into the code, adds the bounds that they state, and leaves out what
/// only serde knows.
pub(super) fn refine(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            // The keys of `properties` are names, not words of JSON Schema.
            for (word, value) in object.iter_mut() {
                match (word.as_str(), &mut *value) {
                    ("properties" | "$defs", Value::Object(named)) => {
                        named.values_mut().for_each(refine)
                    }
                    ("default" | "enum" | "const" | "required", _) => {}
                    _ => refine(value),
                }
            }
            refine_object(object);
        }
        Value::Array(list) => list.iter_mut().for_each(refine),
        _ => {}
    }
}

fn refine_object(schema: &mut Map<String, Value>) {
    if let Some(Value::Object(definitions)) = schema.get_mut("$defs") {
        let old = std::mem::take(definitions);
        definitions.extend(old.into_iter().map(|(name, value)| (renamed(&name).to_owned(), value)));
    }
    if let Some(Value::String(target)) = schema.get_mut("$ref")
        && let Some(name) = target.strip_prefix("#/$defs/")
    {
        *target = format!("#/$defs/{}", renamed(name));
    }
    let text = schema.get("description").and_then(Value::as_str).map(plain);
    let description = text.as_deref().map(Description::of).unwrap_or_default();
    match text {
        Some(text) if !text.is_empty() => {
            schema.insert("description".to_owned(), text.into());
        }
        _ => {
            schema.remove("description");
        }
    }
    // How many bits a number has is no matter of the file; their bounds would be odd there.
    if schema.remove("format").is_some() {
        schema.remove("maximum");
    }
    // JSON has no infinity, so defaults of infinity are null; the comment has them.
    if schema.get("default").is_some_and(|default| default.is_null() || holds_null(default)) {
        schema.remove("default");
    }
    let takes_infinity = description_text(schema).contains("`inf`");
    optional(schema, takes_infinity);
    if let Some(target) = numbers(schema) {
        let bounds = description.bounds();
        for (word, bound) in [
            ("minimum", bounds.minimum),
            ("exclusiveMinimum", bounds.above),
            ("maximum", bounds.maximum),
            ("exclusiveMaximum", bounds.below),
        ] {
            if let Some(bound) = bound {
                let whole = bound.fract() == 0.0 && bound.abs() < 1e15;
                target.insert(
                    word.to_owned(),
                    if whole { json!(bound as i64) } else { json!(bound) },
                );
            }
        }
    }
}

/// The numbers of which a comment states the bounds: the value itself, those of a list, or the value of a kind.
fn numbers(schema: &mut Map<String, Value>) -> Option<&mut Map<String, Value>> {
    // Bounds are of numbers only, so they do not harm where a value has other forms, too.
    if is_number(schema) || schema.contains_key("$ref") || schema.contains_key("anyOf") {
        return Some(schema);
    }
    let within = match schema.get("properties").and_then(Value::as_object) {
        Some(keys) if keys.len() == 1 => {
            let value = schema.get_mut("properties")?.as_object_mut()?.values_mut().next()?;
            value.as_object_mut().filter(|value| !value.contains_key("description"))?
        }
        _ => schema.get_mut("items")?.as_object_mut()?,
    };
    numbers(within)
}

/// An optional value can be left out, which is all: TOML has no null. Validators of TOML take infinity
/// for null, though.
fn optional(schema: &mut Map<String, Value>, takes_infinity: bool) {
    if let Some(kinds) = schema.get_mut("type") {
        let mut list = match &*kinds {
            Value::Array(list) => list.clone(),
            only => vec![only.clone()],
        };
        // A form that is null and nothing else goes as a whole, below.
        if list.iter().any(|kind| kind != "null") {
            list.retain(|kind| kind != "null");
        }
        if takes_infinity && list.contains(&json!("number")) {
            list.push(json!("null"));
        }
        *kinds = match &list[..] {
            [only] => only.clone(),
            _ => Value::Array(list),
        };
    }
    if let Some(Value::Array(forms)) = schema.get_mut("anyOf") {
        forms.retain(|form| form["type"] != "null");
        if let [only] = &forms[..] {
            let only = only.as_object().cloned().unwrap_or_default();
            schema.remove("anyOf");
            schema.extend(only.into_iter().filter(|(word, _)| word != "description"));
        }
    }
}

fn description_text(schema: &Map<String, Value>) -> &str {
    schema.get("description").and_then(Value::as_str).unwrap_or_default()
}

fn is_number(schema: &Map<String, Value>) -> bool {
    let is = |kind: &Value| kind == "number" || kind == "integer";
    match schema.get("type") {
        Some(Value::Array(kinds)) => kinds.iter().any(is),
        Some(kind) => is(kind),
        None => false,
    }
}

fn holds_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(list) => list.iter().any(holds_null),
        Value::Object(object) => object.values().any(holds_null),
        _ => false,
    }
}

/// A comment on one line. Links into the code become what they name.
fn plain(comment: &str) -> String {
    let line = comment.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut text = String::new();
    let mut rest = line.as_str();
    while let Some(begin) = rest.find("[`") {
        let Some(end) = rest[begin..].find("`]").map(|end| begin + end + 2) else { break };
        text += &rest[..begin];
        text += &rest[begin + 1..end - 1];
        rest = &rest[end..];
        if let Some(target) = rest.strip_prefix('(') {
            rest = target.split_once(')').map_or(rest, |(_, after)| after);
        }
    }
    text + rest
}
