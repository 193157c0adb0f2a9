//! Event-driven simulation and training of spiking neural networks that compute with first-spike
//! times, after Göltz, Kriener et al., "Fast and energy-efficient neuromorphic deep learning with
//! first-spike times" (Nature Machine Intelligence, 2021).
//!
//! There is no time step, and so no grid to choose: every threshold crossing is computed analytically,
//! in continuous time, and learning is exact backpropagation through the recorded spike times.
//! Conductance-based synapses and plasticity during a run are out of scope.
//!
//! # A neuron
//!
//! A neuron sums its input currents on a leaky membrane and spikes when its potential reaches the
//! threshold. [`neuron`] says when that is, to rounding:
//!
//! ```
//! use firstspike::neuron::{Dynamics, NeuronParameters, first_spike};
//!
//! // The default: time constants of 1, a threshold of 1, at rest at 0.
//! let neuron = Dynamics::new(&NeuronParameters::default())?;
//! // Two input spikes: when each arrives, and the weight of its synapse.
//! let spike = first_spike(&neuron, &[(0.1, 2.0), (0.7, 3.0)]).expect("it spikes");
//! assert!((spike.elapsed - 0.812_337_400_895).abs() < 1e-12);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # A network
//!
//! [`network`] builds any topology, an engine of [`engine`] runs it, and whatever looks at the run is an
//! [`Observer`](engine::Observer), such as a [`Recording`](engine::Recording) of all spikes:
//!
//! ```
//! use firstspike::engine::{EngineOptions, EventEngine, Recording, SourceSpike};
//! use firstspike::network::{CompiledNetwork, Network, Synapse};
//! use firstspike::neuron::NeuronParameters;
//!
//! // Two neurons that excite each other, and a source that sets them going.
//! let mut network = Network::new();
//! let source = network.add_sources("source", 1)?;
//! let neuron = NeuronParameters { refractory_period: 1.0, ..NeuronParameters::default() };
//! let pair = network.add_neurons("pair", [neuron; 2])?;
//! network.connect((source, 0), (pair, 0), Synapse { weight: 4.0, delay: 0.0 })?;
//! network.connect((pair, 0), (pair, 1), Synapse { weight: 4.0, delay: 0.5 })?;
//! network.connect((pair, 1), (pair, 0), Synapse { weight: 4.0, delay: 0.5 })?;
//!
//! let network = CompiledNetwork::new(&network);
//! let mut engine = EventEngine::new(&network, EngineOptions::default());
//! let mut recording = Recording::default();
//! let stimulus = [SourceSpike { time: 0.0, source: 0 }];
//! engine.run(&network, &stimulus, 10.0, &mut recording)?;
//!
//! // The source is node 0, the pair are nodes 1 and 2: they take turns.
//! let nodes: Vec<u32> = recording.spikes.iter().map(|spike| spike.node).collect();
//! assert_eq!(nodes[..5], [0, 1, 2, 1, 2]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # A trained network
//!
//! In a network of layers information is in the time of each neuron's first spike, and the label neuron
//! that spikes first names the class. How that time moves with every weight is known exactly, so
//! [`learning`] follows the gradient:
//!
//! ```
//! use std::ops::ControlFlow;
//!
//! use firstspike::dataset::yin_yang::YinYang;
//! use firstspike::dataset::{Dataset, Encoding, LatencyEncoding};
//! use firstspike::learning::{SampleEncoder, Trainer, TrainingSettings};
//! use firstspike::network::{Layer, layered};
//! use firstspike::neuron::NeuronParameters;
//! use rand_distr::Normal;
//!
//! // Four inputs, thirty hidden neurons, three labels; each layer has a bias source.
//! let neuron = NeuronParameters::default();
//! let random = &mut firstspike::random::stream(1, "weights", 0);
//! let network = layered(4, &[
//!     Layer::random("hidden", 4, 1, vec![neuron; 30], Normal::new(1.5, 0.8)?, random),
//!     Layer::random("label", 30, 1, vec![neuron; 3], Normal::new(0.5, 0.8)?, random),
//! ])?;
//!
//! // A feature from 0 to 1 becomes a spike from 0.15 to 2; the bias spikes at 0.9.
//! let encoding = LatencyEncoding { earliest: 0.15, latest: 2.0, ..LatencyEncoding::default() };
//! let encoder = SampleEncoder::new(&network, Encoding::Latency(encoding), &[0.9, 0.9])?;
//! let points = |seed, size| Dataset::from(YinYang::default().generate(seed, size));
//! let training = encoder.encode(&points(42, 1000))?;
//! let test = encoder.encode(&points(40, 500))?;
//!
//! let mut trainer = Trainer::new(&network, TrainingSettings::default())?;
//! for _ in 0..10 {
//!     trainer.train_epoch(&training, &mut |_| ControlFlow::Continue(()))?;
//! }
//! let score = trainer.evaluate(&test)?.score;
//! assert!(score.accuracy() > 0.7); // a third would be chance; 300 epochs reach 0.97
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`learning::Classifier`] puts such a network to use, [`network::file`](mod@network::file) keeps it
//! as JSON, and [`chip`] trains it in the loop on the model of a chip. The repository's `examples` show
//! each of these in a program.
//!
//! # Modules
//!
//! In the order in which data flows through the crate; imports run down this table and never up.
//!
//! | module | what lives there | feature |
//! |---|---|---|
//! | [`neuron`] | one neuron: exact propagation, first threshold crossing, its derivatives | |
//! | [`network`] | neurons and synapses as a graph, and compiled for the engines | |
//! | [`engine`] | simulation in continuous time: any network, large networks, layered networks | |
//! | [`chip`] | substrates: the model of a chip, its time and energy; external programs | `external` |
//! | [`membrane`] | potentials and currents after the fact, from recorded spikes | |
//! | [`trace`] | recorded spike trains, of this program and of others, in every format; statistics, comparison | `files` |
//! | [`dataset`] | Yin-Yang, MNIST and tables; features as spike times, augmentation, downloads | `files`, `download` |
//! | [`learning`] | losses, backpropagation through recorded times, training, classification | |
//! | [`scenario`] | the TOML file that describes all of this | `scenario` |
//! | [`nir`] | networks of other programs: NIR files read, meant, compared, written | `hdf5` |
//! | [`report`] | pictures and pages | `cli` |
//! | [`run`] | a whole run, from scenario to results | `cli` |
//! | [`study`] | many runs: axes, seeds, statistics | `cli` |
//! | [`reference`](mod@reference) | every key of scenario, chip and study files, as JSON Schemas and as pages | `cli` |
//! | [`cli`] | the command line | `cli` |
//!
//! [`hdf5`] reads and writes HDF5 files (feature `hdf5`). [`random`] gives every use of chance its own stream, and [`settings`] are how settings check
//! themselves.
//!
//! # Features
//!
//! The default, `cli`, is the whole program. Who needs simulation, chips and training only takes
//! `default-features = false`, and adds `files` (data sets and spike trains in files), `external`
//! (external programs as substrates), `scenario` (both, and scenarios) or `download` (public data sets).
//! `mpi` runs studies under mpirun.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod chip;
pub mod dataset;
pub mod engine;
pub mod learning;
pub mod membrane;
pub mod network;
pub mod neuron;
pub mod random;
pub mod settings;
mod simd;
mod sorting;

#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "hdf5")]
pub mod hdf5;
#[cfg(feature = "hdf5")]
pub mod nir;
#[cfg(feature = "cli")]
pub mod reference;
#[cfg(feature = "cli")]
pub mod report;
#[cfg(feature = "cli")]
pub mod run;
#[cfg(feature = "scenario")]
pub mod scenario;
#[cfg(feature = "cli")]
pub mod study;
#[cfg(feature = "files")]
pub mod table;
#[cfg(feature = "files")]
pub mod trace;
