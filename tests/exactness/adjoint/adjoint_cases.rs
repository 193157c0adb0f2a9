//! Random networks whose every parameter can be moved a little.

use firstspike::engine::{EngineOptions, EventEngine, Recording, SourceSpike, Spike};
use firstspike::learning::NeuronGradients;
use firstspike::network::{CompiledNetwork, Network, Synapse};
use firstspike::neuron::NeuronParameters;
use firstspike::random::stream;
use rand::RngExt;
use rand::rngs::ChaCha8Rng;

/// What is special about a network.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Family {
    /// Two layers.
    FeedForward,
    /// Any neuron may drive any, itself included.
    Recurrent,
    /// Strong inputs and bias currents: bursts, without refractory period.
    Bursting,
    /// Recurrent, with refractory periods in which inputs arrive.
    Refractory,
}

pub const FAMILIES: [Family; 4] =
    [Family::FeedForward, Family::Recurrent, Family::Bursting, Family::Refractory];

/// One parameter of all neurons.
#[derive(Clone, Copy)]
pub struct Field {
    pub name: &'static str,
    pub value: fn(&mut NeuronParameters) -> &mut f64,
    pub gradient: fn(&NeuronGradients) -> f64,
}

impl std::fmt::Debug for Field {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.name)
    }
}

macro_rules! fields {
    ($($name:ident),*) => {
        [$(Field {
            name: stringify!($name),
            value: |parameters| &mut parameters.$name,
            gradient: |gradients| gradients.$name,
        }),*]
    };
}

const FIELDS: [Field; 12] = fields!(
    tau_m,
    tau_s,
    tau_s_inhibitory,
    capacitance,
    leak_potential,
    reset_potential,
    threshold,
    refractory_period,
    bias_current,
    initial_potential,
    initial_current,
    initial_inhibitory_current
);

/// What a loss is differentiated by.
#[derive(Clone, Copy, Debug)]
pub enum Parameter {
    Weight(usize),
    Delay(usize),
    /// Time of an input spike.
    Input(usize),
    Neuron(usize, Field),
}

impl Parameter {
    pub fn kind(&self) -> &'static str {
        match self {
            Parameter::Weight(_) => "weight",
            Parameter::Delay(_) => "delay",
            Parameter::Input(_) => "input time",
            Parameter::Neuron(_, field) => field.name,
        }
    }
}

#[derive(Clone, Debug)]
struct Edge {
    /// Source, or neuron behind the sources.
    pre: usize,
    /// Neuron.
    post: usize,
    weight: f64,
    delay: f64,
}

/// A network with its input.
#[derive(Clone, Debug)]
pub struct Case {
    family: Family,
    index: u64,
    sources: usize,
    neurons: Vec<NeuronParameters>,
    edges: Vec<Edge>,
    inputs: Vec<SourceSpike>,
}

/// When the runs end. Spikes near it are as good as created and deleted, and excluded as such.
const UNTIL: f64 = 4.0;

impl Case {
    pub fn random(family: Family, index: u64) -> Self {
        let random = &mut stream(1, "test adjoint", 4 * index + family as u64);
        let sources = random.random_range(2..=4);
        let count = random.random_range(3..=6);
        let neurons = (0..count).map(|_| random_neuron(family, random)).collect();
        let mut edges = Vec::new();
        for post in 0..count {
            for pre in 0..sources + count {
                let from_source = pre < sources;
                let forward = from_source == (post < count / 2) && pre < sources + count / 2;
                let exists = match family {
                    Family::FeedForward => forward,
                    _ => random.random_bool(if from_source { 0.8 } else { 0.5 }),
                };
                if exists {
                    edges.push(random_edge(family, from_source, pre, post, random));
                }
            }
        }
        let mut inputs: Vec<_> = (0..sources as u32)
            .flat_map(|source| {
                let spikes = random.random_range(1..=3);
                (0..spikes).map(|_| (source, random.random_range(0.1..2.5))).collect::<Vec<_>>()
            })
            .map(|(source, time)| SourceSpike { time, source })
            .collect();
        inputs.sort_by(|a, b| a.time.total_cmp(&b.time));
        Case { family, index, sources, neurons, edges, inputs }
    }

    /// Each source spikes once.
    pub fn with_single_inputs(mut self) -> Self {
        let mut seen = vec![false; self.sources];
        self.inputs.retain(|input| !std::mem::replace(&mut seen[input.source as usize], true));
        self
    }

    /// All neurons start at rest and stay there without inputs.
    pub fn without_bias(&self) -> Self {
        let mut case = self.clone();
        for neuron in &mut case.neurons {
            neuron.bias_current = 0.0;
            neuron.initial_potential = neuron.leak_potential;
            neuron.initial_current = 0.0;
            neuron.initial_inhibitory_current = 0.0;
        }
        case
    }

    pub fn stream(&self, purpose: &'static str) -> ChaCha8Rng {
        stream(2, purpose, 4 * self.index + self.family as u64)
    }

    /// The parameters, by kind.
    pub fn parameters(&self) -> Vec<Vec<Parameter>> {
        let edges = 0..self.edges.len();
        let mut groups: Vec<Vec<Parameter>> = vec![
            edges.clone().map(Parameter::Weight).collect(),
            edges.map(Parameter::Delay).collect(),
            (0..self.inputs.len()).map(Parameter::Input).collect(),
        ];
        for field in FIELDS {
            let movable = |&neuron: &usize| {
                let mut parameters = self.neurons[neuron];
                let value = *(field.value)(&mut parameters);
                // Infinite time constants cannot be moved; a refractory period must not be negative.
                value.is_finite() && (field.name != "refractory_period" || value > 0.0)
            };
            let neurons = (0..self.neurons.len()).filter(movable);
            groups.push(neurons.map(|neuron| Parameter::Neuron(neuron, field)).collect());
        }
        groups
    }

    pub fn moved(&self, parameter: Parameter, by: f64) -> Self {
        let mut case = self.clone();
        match parameter {
            Parameter::Weight(edge) => case.edges[edge].weight += by,
            Parameter::Delay(edge) => case.edges[edge].delay += by,
            Parameter::Input(input) => case.inputs[input].time += by,
            Parameter::Neuron(neuron, field) => *(field.value)(&mut case.neurons[neuron]) += by,
        }
        case.inputs.sort_by(|a, b| a.time.total_cmp(&b.time));
        case
    }

    pub fn compile(&self) -> CompiledNetwork {
        let mut network = Network::new();
        let sources = network.add_sources("sources", self.sources).expect("new");
        let neurons = network.add_neurons("neurons", self.neurons.clone()).expect("valid");
        for &Edge { pre, post, weight, delay } in &self.edges {
            let from =
                if pre < self.sources { (sources, pre) } else { (neurons, pre - self.sources) };
            network.connect(from, (neurons, post), Synapse { weight, delay }).expect("valid");
        }
        CompiledNetwork::new(&network)
    }

    pub fn run(&self) -> Option<Vec<Spike>> {
        self.run_with(EngineOptions::default())
    }

    pub fn run_with(&self, options: EngineOptions) -> Option<Vec<Spike>> {
        let network = self.compile();
        let mut record = Recording::default();
        let mut engine = EventEngine::new(&network, options);
        engine.run(&network, &self.inputs, UNTIL, &mut record).ok()?;
        Some(record.spikes)
    }

    pub fn node(&self, neuron: usize) -> usize {
        self.sources + neuron
    }

    pub fn is_source(&self, node: u32) -> bool {
        (node as usize) < self.sources
    }

    pub fn spikes_per_neuron(&self, record: &[Spike]) -> Vec<usize> {
        let count = |node| record.iter().filter(|spike| spike.node as usize == node).count();
        (self.sources..self.sources + self.neurons.len()).map(count).collect()
    }

    /// There is at most one synapse between two nodes.
    pub fn compiled_synapse(&self, edge: usize) -> usize {
        let Edge { pre, post, .. } = self.edges[edge];
        let network = self.compile();
        let target = self.node(post) as u32;
        let found = network.outgoing(pre).find(|&synapse| network.targets()[synapse] == target);
        found.expect("the synapse exists")
    }

    pub fn recorded_input(&self, record: &[Spike], input: usize) -> usize {
        let SourceSpike { time, source } = self.inputs[input];
        let found = record.iter().position(|spike| spike.node == source && spike.time == time);
        found.expect("the input is in the record")
    }
}

/// One neuron with two inputs of one spike each.
pub fn two_inputs(first: f64, second: f64, refractory_period: f64) -> Case {
    let edge = |pre| Edge { pre, post: 0, weight: 6.0, delay: 0.0 };
    let times = [first, second];
    let inputs = (0..2).map(|source| SourceSpike { time: times[source as usize], source });
    Case {
        family: Family::FeedForward,
        index: 0,
        sources: 2,
        neurons: vec![NeuronParameters { refractory_period, ..NeuronParameters::default() }],
        edges: vec![edge(0), edge(1)],
        inputs: inputs.collect(),
    }
}

/// A neuron of any ratio of time constants; its other parameters of order one.
fn random_neuron(family: Family, random: &mut ChaCha8Rng) -> NeuronParameters {
    let tau_s = [0.7, 1.0, 0.4][random.random_range(0..3)];
    let ratio = [1.0, 2.0, 0.5, 4.0, 1.0 + 1e-7, f64::INFINITY][random.random_range(0..6)];
    let bias_range = if family == Family::Bursting { 0.2..1.4 } else { -0.3..0.4 };
    let tau_s_inhibitory =
        if random.random_bool(0.5) { tau_s } else { random.random_range(0.3..1.5) };
    NeuronParameters {
        tau_m: ratio * tau_s,
        tau_s,
        tau_s_inhibitory,
        capacitance: random.random_range(0.6..1.4),
        leak_potential: -0.3,
        reset_potential: random.random_range(-0.7..-0.1),
        threshold: random.random_range(0.3..0.8),
        refractory_period: match family {
            Family::Bursting => 0.0,
            Family::Refractory => random.random_range(0.3..0.8),
            _ => random.random_range(0.05..0.2),
        },
        bias_current: random.random_range(bias_range),
        initial_potential: random.random_range(-0.5..0.0),
        initial_current: random.random_range(0.0..0.5),
        initial_inhibitory_current: random.random_range(-0.3..0.0),
    }
}

fn random_edge(
    family: Family,
    from_source: bool,
    pre: usize,
    post: usize,
    random: &mut ChaCha8Rng,
) -> Edge {
    let strength = match (family, from_source) {
        (Family::FeedForward, _) => -1.5..4.5,
        (Family::Bursting, true) => -2.0..6.0,
        (_, true) => -1.0..4.0,
        (_, false) => -1.5..1.5,
    };
    Edge { pre, post, weight: random.random_range(strength), delay: random.random_range(0.05..0.8) }
}
