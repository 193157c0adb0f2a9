//! The cases of `tests/gold/nest`: their files, and their networks built with the library.

use std::collections::HashMap;
use std::path::Path;

use firstspike::engine::{EngineOptions, EventEngine, Recording, SourceSpike};
use firstspike::network::{CompiledNetwork, Network, Synapse};
use firstspike::neuron::NeuronParameters;
use serde::Deserialize;
use serde::de::DeserializeOwned;

const GOLD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/gold/nest");

/// The spike times of each neuron.
pub type Trains = Vec<Vec<f64>>;

/// A neuron as `network.json` has it, in NEST's names.
#[derive(Deserialize)]
pub struct GoldNeuron {
    id: u32,
    #[serde(rename = "C_m")]
    capacitance: f64,
    tau_m: f64,
    tau_syn_ex: f64,
    tau_syn_in: f64,
    #[serde(rename = "E_L")]
    leak_potential: f64,
    #[serde(rename = "V_th")]
    threshold: f64,
    #[serde(rename = "V_reset")]
    reset_potential: f64,
    t_ref: f64,
    #[serde(rename = "I_e")]
    bias_current: f64,
    #[serde(rename = "V_m_init")]
    initial_potential: Option<f64>,
    #[serde(rename = "I_syn_ex_init", default)]
    initial_current: f64,
    #[serde(rename = "I_syn_in_init", default)]
    initial_inhibitory_current: f64,
}

/// Where a synapse starts.
#[derive(Deserialize)]
#[serde(untagged)]
enum Pre {
    Neuron(u32),
    Input(String),
}

#[derive(Deserialize)]
struct GoldSynapse {
    pre: Pre,
    post: u32,
    weight: f64,
    delay: f64,
}

#[derive(Deserialize)]
struct GoldNetwork {
    t_end: f64,
    inputs: Vec<String>,
    neurons: Vec<GoldNeuron>,
    synapses: Vec<GoldSynapse>,
}

/// One folder of the gold data.
pub struct Case {
    pub name: String,
    pub neurons: Vec<GoldNeuron>,
    /// Ends with this time, inclusive.
    t_end: f64,
    inputs: Vec<String>,
    synapses: Vec<GoldSynapse>,
    /// Channel and time of emission, by time.
    input_spikes: Vec<(usize, f64)>,
    pub exact: Trains,
    pub exact_without_refractory_period: Option<Trains>,
}

impl Case {
    /// Every case, by name.
    pub fn all() -> Vec<Case> {
        let entries = std::fs::read_dir(GOLD).expect("the gold data is there");
        let mut folders: Vec<_> = entries.map(|entry| entry.expect("readable").path()).collect();
        folders.retain(|path| path.is_dir());
        folders.sort();
        folders.iter().map(|folder| Case::load(folder)).collect()
    }

    fn load(folder: &Path) -> Case {
        let text = std::fs::read_to_string(folder.join("network.json")).expect("network.json");
        let network: GoldNetwork = serde_json::from_str(&text)
            .unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let trains = |file: &str| {
            let path = folder.join(file);
            let index: HashMap<u32, usize> = network
                .neurons
                .iter()
                .enumerate()
                .map(|(index, neuron)| (neuron.id, index))
                .collect();
            path.is_file().then(|| {
                let mut trains = vec![Vec::new(); network.neurons.len()];
                for (neuron, time) in rows::<u32>(&path) {
                    trains[index[&neuron]].push(time);
                }
                trains
            })
        };
        let channel = |name: String| {
            let known = network.inputs.iter().position(|input| *input == name);
            known.unwrap_or_else(|| panic!("{}: no channel {name}", folder.display()))
        };
        let mut input_spikes: Vec<(usize, f64)> = rows::<String>(&folder.join("input_spikes.csv"))
            .into_iter()
            .map(|(name, time)| (channel(name), time))
            .collect();
        input_spikes.sort_by(|a, b| a.1.total_cmp(&b.1));
        Case {
            name: folder.file_name().expect("a folder").to_string_lossy().into_owned(),
            exact: trains("exact_spikes.csv").expect("exact_spikes.csv"),
            exact_without_refractory_period: trains("exact_spikes_tref0.csv"),
            input_spikes,
            t_end: network.t_end,
            inputs: network.inputs,
            neurons: network.neurons,
            synapses: network.synapses,
        }
    }

    /// A neuron in the library's terms; `refractory_period` replaces its own.
    pub fn parameters(&self, index: usize, refractory_period: Option<f64>) -> NeuronParameters {
        let neuron = &self.neurons[index];
        NeuronParameters {
            tau_m: neuron.tau_m,
            tau_s: neuron.tau_syn_ex,
            tau_s_inhibitory: neuron.tau_syn_in,
            capacitance: neuron.capacitance,
            leak_potential: neuron.leak_potential,
            reset_potential: neuron.reset_potential,
            threshold: neuron.threshold,
            refractory_period: refractory_period.unwrap_or(neuron.t_ref),
            bias_current: neuron.bias_current,
            initial_potential: neuron.initial_potential.unwrap_or(neuron.leak_potential),
            initial_current: neuron.initial_current,
            initial_inhibitory_current: neuron.initial_inhibitory_current,
        }
    }

    /// Index of a channel among the inputs.
    fn channel(&self, name: &str) -> usize {
        self.inputs.iter().position(|input| input == name).expect("synapses start at known inputs")
    }

    /// What arrives from outside at all (time, weight), by time.
    pub fn arrivals(&self) -> Vec<(f64, f64)> {
        let mut arrivals = Vec::new();
        for synapse in &self.synapses {
            let Pre::Input(name) = &synapse.pre else { continue };
            let channel = self.channel(name);
            let spikes = self.input_spikes.iter().filter(|spike| spike.0 == channel);
            arrivals.extend(spikes.map(|spike| (spike.1 + synapse.delay, synapse.weight)));
        }
        arrivals.sort_by(|a, b| a.0.total_cmp(&b.0));
        arrivals
    }

    /// Runs the case with the event engine.
    pub fn run(&self, refractory_period: Option<f64>) -> Trains {
        let mut network = Network::new();
        let all = (0..self.neurons.len()).map(|index| self.parameters(index, refractory_period));
        let neurons = network.add_neurons("neurons", all).expect("valid");
        let first_source = self.neurons.len();
        // A population without nodes is refused.
        let inputs = (!self.inputs.is_empty())
            .then(|| network.add_sources("inputs", self.inputs.len()).expect("new"));
        let index: HashMap<u32, usize> =
            self.neurons.iter().enumerate().map(|(index, neuron)| (neuron.id, index)).collect();
        for GoldSynapse { pre, post, weight, delay } in &self.synapses {
            let pre = match pre {
                Pre::Neuron(id) => (neurons, index[id]),
                Pre::Input(name) => (inputs.expect("there are inputs"), self.channel(name)),
            };
            let synapse = Synapse { weight: *weight, delay: *delay };
            network.connect(pre, (neurons, index[post]), synapse).expect("valid");
        }
        let network = CompiledNetwork::new(&network);
        let stimulus: Vec<SourceSpike> = self
            .input_spikes
            .iter()
            .map(|&(channel, time)| SourceSpike { time, source: (first_source + channel) as u32 })
            .collect();
        let mut recording = Recording::default();
        EventEngine::new(&network, EngineOptions::default())
            .run(&network, &stimulus, self.t_end, &mut recording)
            .unwrap_or_else(|error| panic!("{}: {error}", self.name));
        let mut trains = vec![Vec::new(); self.neurons.len()];
        for spike in recording.spikes {
            if (spike.node as usize) < first_source {
                trains[spike.node as usize].push(spike.time);
            }
        }
        trains
    }
}

/// The rows of a file of two columns with a header.
fn rows<Name: DeserializeOwned>(path: &Path) -> Vec<(Name, f64)> {
    let mut reader =
        csv::Reader::from_path(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let rows: Result<Vec<(Name, f64)>, _> = reader.deserialize().collect();
    rows.unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
