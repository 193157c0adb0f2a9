//! Pictures of what was learned.

pub mod class_map;
