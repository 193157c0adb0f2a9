#![allow(dead_code)]

pub mod double_double;
pub mod gold;
pub mod twin;
