//! What the program computes, against slow and obvious twins, other simulators and published networks.

#[path = "../common/mod.rs"]
mod common;

mod adjoint;
mod chip_distortions;
mod crossing_exactness;
mod engine_reference;
mod feed_forward;
mod flat_layer;
mod gold;
mod gradients;
mod membrane;
mod nest;
mod split_exactness;
