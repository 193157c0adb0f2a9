//! JSON Schema, as far as the schemas of this program use it.

use serde_json::Value;

/// What is wrong with a value by a part of a schema; empty if nothing is.
pub fn problems(root: &Value, schema: &Value, value: &Value, place: &str) -> Vec<String> {
    let mut found = Vec::new();
    if let Some(target) = schema["$ref"].as_str() {
        let name = target.strip_prefix("#/$defs/").expect("a definition");
        let target = &root["$defs"][name];
        assert!(target.is_object(), "{name}");
        found.extend(problems(root, target, value, place));
    }
    let mut refuse = |what: String| found.push(format!("{place}: {value} {what}"));
    let is = |kind: &Value| match kind.as_str().expect("a type") {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        other => panic!("type {other}"),
    };
    let fits = match &schema["type"] {
        Value::Null => true,
        Value::Array(kinds) => kinds.iter().any(is),
        kind => is(kind),
    };
    if !fits {
        refuse(format!("is not of type {}", schema["type"]));
        return found;
    }
    if schema.get("const").is_some_and(|only| only != value) {
        refuse(format!("is not {}", schema["const"]));
    }
    if schema["enum"].as_array().is_some_and(|words| !words.contains(value)) {
        refuse(format!("is none of {}", schema["enum"]));
    }
    if let Some(number) = value.as_f64() {
        let out = |word: &str, is_out: fn(f64, f64) -> bool| {
            schema[word].as_f64().is_some_and(|bound| is_out(number, bound))
        };
        if out("minimum", |number, bound| number < bound)
            || out("exclusiveMinimum", |number, bound| number <= bound)
            || out("maximum", |number, bound| number > bound)
            || out("exclusiveMaximum", |number, bound| number >= bound)
        {
            refuse("is out of range".to_owned());
        }
    }
    for (word, least, most) in [("anyOf", 1, usize::MAX), ("oneOf", 1, 1)] {
        let Some(forms) = schema[word].as_array() else { continue };
        let wrong: Vec<Vec<String>> =
            forms.iter().map(|form| problems(root, form, value, place)).collect();
        let fitting = wrong.iter().filter(|wrong| wrong.is_empty()).count();
        if !(least..=most).contains(&fitting) {
            refuse(format!("fits {fitting} forms: {wrong:?}"));
        }
    }
    if let (Some(items), Some(list)) = (schema.get("items"), value.as_array()) {
        for (index, item) in list.iter().enumerate() {
            found.extend(problems(root, items, item, &format!("{place}.{index}")));
        }
    }
    if let Some(object) = value.as_object() {
        for key in schema["required"].as_array().into_iter().flatten() {
            if !object.contains_key(key.as_str().expect("a key")) {
                found.push(format!("{place}: there is no {key}"));
            }
        }
        for (key, value) in object {
            match schema["properties"].get(key) {
                Some(part) => found.extend(problems(root, part, value, &format!("{place}.{key}"))),
                None if schema["additionalProperties"] == false => {
                    found.push(format!("{place}: no key {key}"));
                }
                None => {}
            }
        }
    }
    found
}
