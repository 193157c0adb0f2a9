//! Schemas of values that can be written in several ways, for types that read themselves by hand.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

/// The schema of a value in any of these forms.
pub(crate) fn any_of(description: &str, forms: &[Schema]) -> Schema {
    json_schema!({ "description": description, "anyOf": forms })
}

/// The schema of a number.
pub(crate) fn number() -> Schema {
    json_schema!({ "type": "number" })
}

/// The schema of one word.
pub(crate) fn word(word: &str, description: &str) -> Schema {
    json_schema!({ "const": word, "description": description })
}

/// A number, or `"auto"`, which means what `auto` says.
pub(crate) fn number_or_auto(description: &str, auto: &str) -> Schema {
    any_of(description, &[number(), word("auto", auto)])
}

/// A number, or what the type `Table` has.
pub(crate) fn number_or<Table: JsonSchema>(
    description: &str,
    generator: &mut SchemaGenerator,
) -> Schema {
    any_of(description, &[number(), generator.subschema_for::<Table>()])
}

/// A text, or what the type `Table` has.
pub(crate) fn text_or<Table: JsonSchema>(
    description: &str,
    generator: &mut SchemaGenerator,
) -> Schema {
    any_of(description, &[json_schema!({ "type": "string" }), generator.subschema_for::<Table>()])
}
