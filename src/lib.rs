//! Event-driven simulation and training of spiking neural networks that compute with first-spike
//! times, after Göltz, Kriener et al., "Fast and energy-efficient neuromorphic deep learning with
//! first-spike times" (Nature Machine Intelligence, 2021).
//!
//! The paper's story, in the order in which data flows through the crate:
//!
//! | module | what lives there |
//! |---|---|
//! | [`neuron`] | one neuron: exact propagation, first threshold crossing, its derivatives |
//! | [`network`] | neurons and synapses as a graph, and compiled for the engine |
//! | [`engine`] | the priority-queue scheduler in continuous time; faster engines for large and for layered networks |
//! | [`chip`] | substrates: the model of a chip, its time and energy, and external programs |
//! | [`membrane`] | potentials and currents after the fact, from recorded spikes |
//! | [`trace`] | recorded spike trains as CSV, of this program and of others; statistics, comparison |
//! | [`dataset`] | Yin-Yang, MNIST and tables; features as spike times, augmentation, downloads |
//! | [`learning`] | losses, backpropagation through recorded times, training |
//! | [`scenario`] | the TOML file that describes all of this |
//! | [`report`] | pictures |
//! | [`run`] | a whole run, from scenario to results |
//! | [`study`] | many runs: axes, seeds, statistics |
//! | [`cli`] | the command line |
//!
//! Imports run down this table's upper part and never up. [`random`] gives every use of chance its
//! own stream, and [`settings`] are how settings check themselves.
//!
//! # Example
//!
//! A neuron receives two spikes. When does it spike, and how does that time move with the weights?
//!
//! ```
//! use firstspike::engine::{EngineOptions, EventEngine, SourceSpike};
//! use firstspike::learning::{BackwardPass, FirstSpikes};
//! use firstspike::network::{CompiledNetwork, Network, Synapse};
//! use firstspike::neuron::NeuronParameters;
//!
//! let mut network = Network::new();
//! let input = network.add_sources("input", 2)?;
//! let neuron = network.add_neurons("neuron", [NeuronParameters::default()])?;
//! network.connect((input, 0), (neuron, 0), Synapse { weight: 2.0, delay: 0.0 })?;
//! network.connect((input, 1), (neuron, 0), Synapse { weight: 3.0, delay: 0.5 })?;
//! let network = CompiledNetwork::new(&network);
//!
//! // Both sources spike; the second spike arrives half a time unit later.
//! let stimulus = [SourceSpike { time: 0.1, source: 0 }, SourceSpike { time: 0.2, source: 1 }];
//! let mut engine = EventEngine::new(&network, EngineOptions { at_most_one_spike: true });
//! let mut record = FirstSpikes::new(network.node_count());
//! engine.run(&network, &stimulus, f64::INFINITY, &mut record)?;
//! let spike = record.times()[2];
//! assert!((spike - 0.812_337_400_895).abs() < 1e-12);
//!
//! // The derivative of that time by each weight: heavier synapses make it earlier.
//! let mut pass = BackwardPass::new(&network);
//! pass.time_gradients[2] = 1.0;
//! record.backpropagate(&network, None, &mut pass);
//! assert!(pass.weight_gradients.iter().all(|&gradient| gradient < 0.0));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What it does not do
//!
//! There is no time step, and so no grid to choose. Conductance-based synapses and plasticity during
//! a run are out of scope.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod chip;
pub mod cli;
pub mod dataset;
pub mod engine;
pub mod learning;
pub mod membrane;
pub mod network;
pub mod neuron;
pub mod random;
pub mod report;
pub mod run;
pub mod scenario;
pub mod settings;
mod simd;
pub mod study;
pub mod trace;
