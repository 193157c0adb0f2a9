#![allow(dead_code)]

pub mod binary;
pub mod cases;
pub mod double_double;
pub mod gold;
pub mod nest;
pub mod reference;
pub mod schema;
pub mod stopping;
pub mod twin;
pub mod waiting;
