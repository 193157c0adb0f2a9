//! What can stand in scenario, chip and study files: JSON Schemas and a reference page of every key.
//!
//! ```text
//! types that read the files ─ schemars ─→ schema ─ refine ─→ schemas/*.json   (for editors)
//!   with their comments                                 └─ page ─→ docs/reference/*.md   (for people)
//! ```
//!
//! The comments of the types are the only place where units, ranges and defaults are written. A sentence
//! that begins with `Above`, `At least`, `Finite`, `From`, `Not negative` or the like is a range
//! (`description.rs`); the schema has it as bounds, the page as a column of its own.

mod description;
mod page;
mod refine;

use serde_json::Value;

use crate::chip::Datasheet;
use crate::scenario::Scenario;
use crate::study::StudyFile;

use description::Description;

/// A kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A scenario.
    Scenario,
    /// A chip file.
    Chip,
    /// A study.
    Study,
}

impl FileKind {
    /// All kinds.
    pub const ALL: [FileKind; 3] = [FileKind::Scenario, FileKind::Chip, FileKind::Study];

    /// A text that every schema of this program has.
    pub const MARK: &str = "as firstspike reads it";

    /// What its schema and its page are called.
    pub fn name(self) -> &'static str {
        match self {
            FileKind::Scenario => "scenario",
            FileKind::Chip => "chip",
            FileKind::Study => "study",
        }
    }

    /// Its JSON Schema (draft 2020-12).
    pub fn schema(self) -> Value {
        let schema = match self {
            FileKind::Scenario => schemars::schema_for!(Scenario),
            FileKind::Chip => schemars::schema_for!(Datasheet),
            FileKind::Study => schemars::schema_for!(StudyFile),
        };
        let mut schema = schema.to_value();
        refine::refine(&mut schema);
        schema["title"] = format!("A {} file, {}", self.name(), FileKind::MARK).into();
        schema
    }

    /// Its JSON Schema as a file.
    pub fn schema_file(self) -> String {
        format!("{:#}\n", self.schema())
    }

    /// The reference of its keys, as Markdown.
    pub fn page(self) -> String {
        page::page(self, &self.schema())
    }
}

#[cfg(test)]
mod tests;
