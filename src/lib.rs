pub mod dataset;
pub mod engine;
pub mod network;
pub mod neuron;
pub mod report;
