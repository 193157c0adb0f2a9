pub mod dataset;
pub mod engine;
pub mod learning;
pub mod network;
pub mod neuron;
pub mod random;
pub mod report;
