//! The schemas and the types that read the files know the same keys, and every key is explained.

use std::collections::{BTreeSet, HashSet};

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::*;

/// Calls `look` with every part of a schema that has keys, and the path to it in a file.
struct Walk<'s> {
    schema: &'s Value,
    seen: HashSet<String>,
}

impl Walk<'_> {
    fn walk(&mut self, part: &Value, path: &[String], look: &mut impl FnMut(&Value, &[String])) {
        if let Some(target) = part["$ref"].as_str() {
            let name = target.strip_prefix("#/$defs/").expect("a definition");
            if self.seen.insert(name.to_owned()) {
                let definition = self.schema["$defs"][name].clone();
                assert!(!definition.is_null(), "{name}");
                self.walk(&definition, path, look);
            }
        }
        if let Some(keys) = part["properties"].as_object() {
            look(part, path);
            for (key, value) in keys {
                self.walk(value, &[path, std::slice::from_ref(key)].concat(), look);
            }
        }
        if part["items"].is_object() {
            let mut path = path.to_vec();
            if let Some(last) = path.last_mut() {
                last.push_str("[]");
            }
            self.walk(&part["items"], &path, look);
        }
        for forms in [&part["oneOf"], &part["anyOf"]].into_iter().filter_map(Value::as_array) {
            if forms.iter().all(|form| form["properties"].is_object() || form["const"].is_string())
            {
                look(part, path);
            }
            for form in forms {
                for (key, value) in form["properties"].as_object().into_iter().flatten() {
                    self.walk(value, &[path, std::slice::from_ref(key)].concat(), look);
                }
                if form["properties"].is_null() {
                    self.walk(form, path, look);
                }
            }
        }
    }
}

/// The keys that a part of a schema has; those of its kinds, if it has kinds.
fn keys(part: &Value) -> BTreeSet<String> {
    let of = |part: &Value| -> Vec<String> {
        let keys = part["properties"].as_object().into_iter().flatten().map(|(key, _)| key.clone());
        keys.chain(part["const"].as_str().map(str::to_owned)).collect()
    };
    let forms = [&part["oneOf"], &part["anyOf"]].into_iter().filter_map(Value::as_array).flatten();
    of(part).into_iter().chain(forms.flat_map(of)).collect()
}

/// The keys that a type reads at a path: those that it names when it meets another.
fn keys_read<T: DeserializeOwned>(path: &[String]) -> BTreeSet<String> {
    let mut text = "{ no_such_key = 1 }".to_owned();
    for step in path.iter().rev() {
        text = match step.strip_suffix("[]") {
            Some(step) => format!("{{ {step} = [{text}] }}"),
            None => format!("{{ {step} = {text} }}"),
        };
    }
    #[derive(Debug, serde::Deserialize)]
    struct File<T> {
        #[expect(dead_code, reason = "it is never read to its end")]
        file: T,
    }
    let error = toml::from_str::<File<T>>(&format!("file = {text}"));
    let error = error.err().unwrap_or_else(|| panic!("{path:?} takes any key"));
    let message = error.message();
    // Tables of a kind are read by the TOML parser itself.
    if let Some((_, keys)) = message.split_once("available keys: ") {
        return keys.split(", ").map(str::to_owned).collect();
    }
    let (before, expected) =
        message.split_once("expected").unwrap_or_else(|| panic!("{path:?}: {message}"));
    assert!(before.contains("no_such_key"), "{path:?}: {message}");
    expected.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn compare<T: DeserializeOwned>(kind: FileKind) {
    let schema = kind.schema();
    let mut compared = 0;
    Walk { schema: &schema, seen: HashSet::new() }.walk(&schema, &[], &mut |part, path| {
        assert_eq!(keys(part), keys_read::<T>(path), "{kind:?} {path:?}");
        compared += 1;
    });
    assert!(compared > 3, "{kind:?}: {compared}");
}

#[test]
fn the_schema_has_the_keys_that_are_read() {
    compare::<Scenario>(FileKind::Scenario);
    compare::<Datasheet>(FileKind::Chip);
    compare::<StudyFile>(FileKind::Study);
}

fn is_number(part: &Value) -> bool {
    let of = |kind: &Value| kind == "number" || kind == "integer";
    match &part["type"] {
        Value::Array(kinds) => kinds.len() == 2 && kinds.iter().any(of),
        kind if kind == "array" => is_number(&part["items"]),
        kind => of(kind),
    }
}

#[test]
fn every_key_says_what_it_is_its_range_and_its_default() {
    let mut missing = Vec::new();
    for kind in FileKind::ALL {
        let schema = kind.schema();
        let look = &mut |part: &Value, path: &[String]| {
            let required = part["required"].as_array().cloned().unwrap_or_default();
            for (key, value) in part["properties"].as_object().into_iter().flatten() {
                let mut text = value["description"].as_str().unwrap_or_default();
                let target = value["$ref"].as_str().and_then(|name| name.strip_prefix("#/$defs/"));
                let target = target.map_or(&Value::Null, |name| &schema["$defs"][name]);
                if text.is_empty() {
                    text = target["description"].as_str().unwrap_or_default();
                }
                let description = Description::of(text);
                let mut lacks =
                    |what| missing.push(format!("{kind:?} {path:?} {key}: {what}: {text}"));
                if description.meaning.is_empty() {
                    lacks("meaning");
                }
                if is_number(value) && description.range.is_empty() {
                    lacks("range");
                }
                // A table in which nothing is required is what its keys are by default.
                let has_default = !value["default"].is_null() || value["properties"].is_object();
                if !has_default
                    && description.default.is_empty()
                    && !required.contains(&key.as_str().into())
                {
                    lacks("default");
                }
            }
        };
        Walk { schema: &schema, seen: HashSet::new() }.walk(&schema, &[], look);
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn what_can_be_left_out_has_no_empty_type() {
    for kind in FileKind::ALL {
        let (schema, page) = (kind.schema().to_string(), kind.page());
        assert!(!schema.contains("\"type\":[]"), "{kind:?}: a type that nothing has");
        assert!(
            !page.contains(" or |") && !page.contains(" or  |"),
            "{kind:?}: a cell ends in `or`"
        );
    }
}

#[test]
fn every_key_is_on_the_page() {
    for kind in FileKind::ALL {
        let (schema, page) = (kind.schema(), kind.page());
        Walk { schema: &schema, seen: HashSet::new() }.walk(&schema, &[], &mut |part, path| {
            for key in keys(part) {
                let shown = format!("`{key}`");
                let within = format!(".{key}`");
                let found = page.contains(&shown)
                    || page.contains(&within)
                    || page.contains(&format!("\"{key}\""));
                assert!(found, "{kind:?} {path:?} {key}");
            }
        });
    }
}
