//! The published networks of the gold data: their files, and their networks built with the library.
//!
//! The gold data is other people's and lies beside the project, never in it.

use std::io::Write;
use std::ops::Range;
use std::path::{Path, PathBuf};

use firstspike::engine::{EngineOptions, EventEngine, SourceSpike};
use firstspike::learning::{FirstSpikes, Loss};
use firstspike::network::{CompiledNetwork, DelayKind, Layer, LayerDelays, PopulationId, layered};
use firstspike::neuron::NeuronParameters;

const GOLD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/gold/published");

/// What was published of a network, apart from its files.
pub struct Publication {
    /// Folder of the gold data.
    pub name: &'static str,
    /// `tau_m`; `tau_s` is the unit of time.
    pub tau_m: f64,
    /// Spike time of the one bias source of each layer.
    pub bias_time: Option<f64>,
    pub has_delays: bool,
    pub loss: Loss,
    /// How many of the 1000 test samples the published network gets right.
    pub correct: usize,
}

/// Writes a line to the terminal. Not by `eprintln!`: the test harness swallows what a passing test
/// prints with it, and a skipped test passes.
pub fn say(line: &str) {
    writeln!(std::io::stderr(), "{line}").expect("the standard error stream is open");
}

/// A table of numbers.
pub type Table = Vec<Vec<f64>>;

/// Reads a table without header; `inf` is a number.
fn table(folder: &Path, file: &str) -> Table {
    let path = folder.join(file);
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
    let number = |cell: &str| {
        cell.parse::<f64>().unwrap_or_else(|_| panic!("{}: no number: {cell}", path.display()))
    };
    text.lines().map(|line| line.split(',').map(number).collect()).collect()
}

/// A published network, ready to run, and its files.
pub struct Published {
    pub publication: Publication,
    pub network: CompiledNetwork,
    /// Nodes of the inputs.
    pub inputs: Range<usize>,
    /// Nodes of the hidden and of the label layer.
    pub layers: [Range<usize>; 2],
    /// Per layer, presynaptic node and postsynaptic node: index of the synapse.
    synapses: [Vec<Vec<usize>>; 2],
    bias: Vec<SourceSpike>,
    folder: PathBuf,
}

impl Published {
    /// None, and a line that cannot be overlooked, if there is no gold data.
    pub fn load(publication: Publication) -> Option<Self> {
        let folder = Path::new(GOLD).join(publication.name);
        if !folder.is_dir() {
            let (name, missing) = (publication.name, folder.display());
            say(&format!("SKIPPED: no {missing}: {name} was NOT compared with the gold data"));
            return None;
        }
        let built = layered(
            4,
            &[layer(&publication, &folder, 0, "hidden"), layer(&publication, &folder, 1, "label")],
        )
        .expect("the published matrices fit together");
        let nodes = |id: PopulationId| built.network.populations()[id.0].nodes.clone();
        let (inputs, layers) = (nodes(built.input), [0, 1].map(|index| nodes(built.layers[index])));
        let bias_nodes: [Vec<usize>; 2] =
            [0, 1].map(|index| built.bias[index].into_iter().flat_map(nodes).collect());

        let network = CompiledNetwork::new(&built.network);
        let synapses = [(0, &inputs), (1, &layers[0])].map(|(index, pre)| {
            let rows = pre.clone().chain(bias_nodes[index].iter().copied());
            rows.map(|node| row_of_synapses(&network, node, &layers[index])).collect()
        });
        let time = publication.bias_time.unwrap_or(f64::INFINITY);
        let bias_spike = |node| SourceSpike { time, source: node as u32 };
        let bias = bias_nodes.concat().into_iter().map(bias_spike).collect();
        Some(Published { publication, network, inputs, layers, synapses, bias, folder })
    }

    /// Reads a file of numbers.
    pub fn table(&self, file: &str) -> Table {
        table(&self.folder, file)
    }

    /// The class of each sample.
    pub fn labels(&self) -> Vec<usize> {
        self.table("labels.csv").iter().map(|row| row[0] as usize).collect()
    }

    /// The mean loss over test rows 0..19, without the authors' `eps`.
    pub fn loss(&self) -> f64 {
        let text = std::fs::read_to_string(self.folder.join("meta.json"));
        let meta: serde_json::Value =
            serde_json::from_str(&text.expect("meta.json can be read")).expect("meta.json is JSON");
        meta["gradient_gold"]["loss_value_eps0"].as_f64().expect("meta.json holds the loss")
    }

    /// The first spikes of every sample.
    pub fn run(&self, samples: &[Vec<f64>]) -> Vec<FirstSpikes> {
        let options = EngineOptions { at_most_one_spike: true };
        let mut engine = EventEngine::new(&self.network, options);
        let run_one = |sample: &Vec<f64>| {
            let mut record = FirstSpikes::new(self.network.node_count());
            engine
                .run(&self.network, &self.stimulus(sample), f64::INFINITY, &mut record)
                .expect("the published samples run");
            record
        };
        samples.iter().map(run_one).collect()
    }

    fn stimulus(&self, sample: &[f64]) -> Vec<SourceSpike> {
        let inputs = self
            .inputs
            .clone()
            .zip(sample)
            .map(|(node, &time)| SourceSpike { time, source: node as u32 });
        let mut stimulus: Vec<_> = inputs.chain(self.bias.iter().copied()).collect();
        stimulus.sort_by(|a, b| a.time.total_cmp(&b.time));
        stimulus
    }

    /// Values per synapse, in the form of the layer's matrix in the gold data.
    pub fn matrix(&self, layer: usize, per_synapse: &[f64]) -> Table {
        let rows = self.synapses[layer].iter();
        rows.map(|row| row.iter().map(|&synapse| per_synapse[synapse]).collect()).collect()
    }
}

fn layer(publication: &Publication, folder: &Path, index: usize, name: &str) -> Layer {
    let neuron = NeuronParameters { tau_m: publication.tau_m, ..NeuronParameters::default() };
    let weights = table(folder, &format!("weights_layer{index}.csv"));
    let delays = || LayerDelays {
        kind: DelayKind::Synaptic,
        values: table(folder, &format!("delays_layer{index}.csv")).concat(),
    };
    Layer {
        name: name.to_owned(),
        neurons: vec![neuron; weights[0].len()],
        bias_sources: usize::from(publication.bias_time.is_some()),
        weights: weights.concat(),
        delays: publication.has_delays.then(delays),
    }
}

/// The synapses from a node to each node of a layer.
fn row_of_synapses(network: &CompiledNetwork, pre: usize, layer: &Range<usize>) -> Vec<usize> {
    let to = |post: usize| {
        network
            .outgoing(pre)
            .find(|&synapse| network.targets()[synapse] as usize == post)
            .expect("layers are connected all to all")
    };
    layer.clone().map(to).collect()
}
