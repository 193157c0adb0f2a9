//! From a scenario of populations to a network and its stimulus.

use rand::RngExt;
use rand::rngs::ChaCha8Rng;
use rand_distr::{Distribution, Exp};

use super::load::LoadedScenario;
use super::values::ValuesError;
use super::{
    Connect, Edge, ProjectionSection, Recording, ScenarioError, SimulationEngine, Source, Values,
};
use crate::engine::{EngineOptions, SourceSpike};
use crate::network::edges::{EdgeDefaults, EdgeSource};
use crate::network::{
    CompiledNetwork, Network, NetworkError, Population, PopulationId, Synapse, SynapseCounts,
    SynapseRows, SynapseSink,
};
use crate::random;
use crate::settings::Problem;

/// A network, its stimulus and how long to run it. The network is compiled for the engines, or a graph.
pub struct Simulation<N = CompiledNetwork> {
    /// The network.
    pub network: N,
    /// Spikes of its sources, sorted by time.
    pub stimulus: Vec<SourceSpike>,
    /// When the simulation ends, in time units.
    pub until: f64,
    /// How neurons are treated.
    pub options: EngineOptions,
    /// What runs it.
    pub engine: SimulationEngine,
    /// What is recorded.
    pub recording: Recording,
}

/// A simulation without its synapses.
struct Parts {
    nodes: Network,
    stimulus: Vec<SourceSpike>,
    until: f64,
    options: EngineOptions,
    engine: SimulationEngine,
    recording: Recording,
}

impl Parts {
    fn with<N>(self, network: N) -> Simulation<N> {
        let Parts { stimulus, until, options, engine, recording, .. } = self;
        Simulation { network, stimulus, until, options, engine, recording }
    }
}

/// The synapses of a projection before they are made. Pairs are drawn once, and kept.
enum Plan<'s> {
    Pairs {
        pairs: Vec<(u32, u32)>,
        /// The first nodes of both populations.
        first: (usize, usize),
        sizes: (usize, usize),
    },
    Edges {
        edges: &'s [Edge],
        pre: usize,
        post: usize,
    },
    File(EdgeSource),
}

impl Plan<'_> {
    /// Counts the synapses; the error has the part of the projection, and what is wrong.
    fn count(&self, counts: &mut SynapseCounts) -> Result<(), (&'static str, String)> {
        let wrong = |error: NetworkError| ("connect", error.to_string());
        match self {
            Plan::Pairs { pairs, first, .. } => {
                pairs.iter().try_for_each(|pair| counts.add(first.0 as u32 + pair.0)).map_err(wrong)
            }
            Plan::Edges { edges, pre, .. } => {
                edges.iter().try_for_each(|edge| counts.add((pre + edge.pre) as u32)).map_err(wrong)
            }
            Plan::File(source) => {
                source.count(counts).map_err(|error| ("connect.file", error.to_string()))
            }
        }
    }
}

impl LoadedScenario {
    /// Builds network and stimulus of a scenario of populations, the network compiled for the engines. No graph is
    /// made on the way.
    ///
    /// # Errors
    /// If a file that the scenario names cannot be read or does not fit, or a synapse cannot be.
    pub fn simulation(&self) -> Result<Simulation, ScenarioError> {
        let parts = self.parts()?;
        let network = self.compile(&parts.nodes)?;
        Ok(parts.with(network))
    }

    /// The same with the network as a graph, for training.
    ///
    /// # Errors
    /// As [`Self::simulation`].
    pub fn simulation_graph(&self) -> Result<Simulation<Network>, ScenarioError> {
        let parts = self.parts()?;
        let nodes = &parts.nodes;
        let mut graph = nodes.clone();
        for (index, projection) in self.scenario.projections.iter().enumerate() {
            self.plan(nodes, projection, index)
                .and_then(|plan| self.project(nodes, &mut graph, (projection, index), plan))
                .map_err(|Problem { key, message }| self.problem(&key, message))?;
        }
        Ok(parts.with(graph))
    }

    /// The spikes of the sources of a scenario of populations, sorted by time, and the populations.
    ///
    /// # Errors
    /// If a file of spikes or neurons that the scenario names cannot be read or does not fit.
    pub fn stimulus(&self) -> Result<(Vec<Population>, Vec<SourceSpike>), ScenarioError> {
        let Parts { nodes, stimulus, .. } = self.parts()?;
        Ok((nodes.populations().to_vec(), stimulus))
    }

    /// The synapses of all projections between these nodes, counted first and then put into their rows.
    fn compile(&self, nodes: &Network) -> Result<CompiledNetwork, ScenarioError> {
        let failed = |Problem { key, message }| self.problem(&key, message);
        let mut counts = SynapseCounts::new(nodes);
        let mut plans = Vec::new();
        for (index, projection) in self.scenario.projections.iter().enumerate() {
            let plan = self.plan(nodes, projection, index).map_err(failed)?;
            plan.count(&mut counts).map_err(|(part, message)| {
                self.problem(&format!("projections.{index}.{part}"), message)
            })?;
            plans.push(plan);
        }
        let mut rows = SynapseRows::new(nodes, counts);
        for ((index, projection), plan) in self.scenario.projections.iter().enumerate().zip(plans) {
            self.project(nodes, &mut rows, (projection, index), plan).map_err(failed)?;
        }
        rows.finish().map_err(|error| self.problem("projections", error))
    }

    /// Everything but the synapses.
    fn parts(&self) -> Result<Parts, ScenarioError> {
        let Some(simulation) = &self.scenario.simulation else {
            return Err(self.problem("simulation", "missing: [[populations]] need `until`"));
        };
        let mut network = Network::new();
        let mut stimulus = Vec::new();
        for (index, population) in self.scenario.populations.iter().enumerate() {
            let key = format!("populations.{index}");
            let size = population.given_size().unwrap_or(0);
            let added = match &population.source {
                None => {
                    let neurons =
                        self.neurons(&key, &population.name, &population.neuron, size, index)?;
                    network.add_neurons(&population.name, neurons)
                }
                Some(_) => network.add_sources(&population.name, size),
            };
            let id = added.map_err(|error| self.problem(&key, error))?;
            if let Some(source) = &population.source {
                let first = network.populations()[id.0].nodes.start;
                let trains = self
                    .spike_trains(source, size, index, simulation.until)
                    .map_err(|message| self.problem(&format!("{key}.source"), message))?;
                stimulus.extend(
                    trains.into_iter().map(|(neuron, time)| SourceSpike {
                        time,
                        source: (first + neuron) as u32,
                    }),
                );
            }
        }
        stimulus.sort_by(|a, b| a.time.total_cmp(&b.time).then(a.source.cmp(&b.source)));
        let recording = self.scenario.recording.clone().unwrap_or_default();
        Ok(Parts {
            recording: recording.resolve(&network, simulation.until),
            nodes: network,
            stimulus,
            until: simulation.until,
            options: EngineOptions { at_most_one_spike: simulation.at_most_one_spike },
            engine: simulation.engine,
        })
    }

    /// Spikes (source, time) of a population of sources, in any order.
    fn spike_trains(
        &self,
        source: &Source,
        size: usize,
        population: usize,
        until: f64,
    ) -> Result<Vec<(usize, f64)>, String> {
        match source {
            Source::SpikeTimes(trains) => Ok(trains
                .iter()
                .enumerate()
                .flat_map(|(neuron, times)| times.iter().map(move |&time| (neuron, time)))
                .collect()),
            Source::File(file) => {
                let unit = self.scenario.time_unit.suffix();
                let name = &self.scenario.populations[population].name;
                let spikes =
                    file.read(self.folder(), unit, name).map_err(|error| error.to_string())?;
                if !spikes.is_empty() && spikes.iter().all(|(_, time)| *time > until) {
                    return Err(format!(
                        "{}: all {} spikes are later than simulation.until ({until} {unit}): are they in \
                         another unit of time?",
                        self.folder().join(&file.path).display(),
                        spikes.len()
                    ));
                }
                match spikes.iter().find(|(neuron, _)| *neuron >= size) {
                    Some((neuron, _)) => Err(format!(
                        "{}: neuron {neuron} does not exist: it must be from 0 to {}",
                        self.folder().join(&file.path).display(),
                        size.saturating_sub(1)
                    )),
                    None => Ok(spikes),
                }
            }
            Source::Regular { interval, start, stop } => {
                let times = evenly(*start, *interval, stop.map_or(until, |stop| stop.min(until)));
                Ok((0..size)
                    .flat_map(|neuron| times.iter().map(move |&time| (neuron, time)))
                    .collect())
            }
            Source::Poisson { rate, start, stop } => {
                let until = stop.map_or(until, |stop| stop.min(until));
                if *rate == 0.0 {
                    return Ok(Vec::new());
                }
                let interval = Exp::new(*rate).map_err(|error| error.to_string())?;
                let mut spikes = Vec::new();
                for neuron in 0..size {
                    let index = ((population as u64) << 32) | neuron as u64;
                    let mut random = random::stream(self.scenario.seed, "poisson source", index);
                    let mut time = start + interval.sample(&mut random);
                    while time <= until {
                        spikes.push((neuron, time));
                        time += interval.sample(&mut random);
                    }
                }
                Ok(spikes)
            }
        }
    }

    /// What synapses a projection has, before any is made.
    fn plan<'s>(
        &self,
        network: &Network,
        projection: &'s ProjectionSection,
        index: usize,
    ) -> Result<Plan<'s>, Problem> {
        let refuse = |part: &str, message: String| Problem {
            key: format!("projections.{index}.{part}"),
            message,
        };
        let find = |end: &str, name: &str| {
            network
                .population(name)
                .map(|(id, population)| (id, population.nodes.clone()))
                .ok_or_else(|| refuse(end, format!("there is no population `{name}`")))
        };
        if let Connect::File(file) = &projection.connect {
            let end = |end: &str, name: &str| match name {
                "" => Ok(None),
                name => find(end, name).map(|(id, _)| Some(id.0)),
            };
            let constant = |values: &Option<Values>| match values {
                Some(Values::Constant(value)) => Some(*value),
                _ => None,
            };
            let defaults = EdgeDefaults {
                pre: end("pre", &projection.pre)?,
                post: end("post", &projection.post)?,
                weight: constant(&projection.weights),
                delay: constant(&projection.delays),
                receptor: projection.receptor,
            };
            let mut file = file.clone();
            file.path = self.folder().join(file.path);
            file.edge_types = file.edge_types.map(|path| self.folder().join(path));
            let unit = self.scenario.time_unit.suffix();
            return Ok(Plan::File(EdgeSource::new(file, defaults, network, unit)));
        }
        let (pre, post) = (find("pre", &projection.pre)?, find("post", &projection.post)?);
        if let Connect::Edges(edges) = &projection.connect {
            let ends = (pre.0, post.0);
            for (place, edge) in edges.iter().enumerate() {
                let synapse = Synapse { weight: edge.weight, delay: edge.delay };
                let fits = network.check_ends((ends.0, edge.pre), (ends.1, edge.post), &synapse);
                fits.map_err(|error| refuse(&format!("connect.edges.{place}"), error.to_string()))?;
            }
            return Ok(Plan::Edges { edges, pre: pre.1.start, post: post.1.start });
        }
        let stream = |purpose| random::stream(self.scenario.seed, purpose, index as u64);
        let (first, sizes) = ((pre.1.start, post.1.start), (pre.1.len(), post.1.len()));
        let ends = ((pre.0, sizes.0), (post.0, sizes.1));
        let pairs = pairs(&projection.connect, ends.0, ends.1, &mut stream("connectivity"))
            .map_err(|message| refuse("connect", message))?;
        Ok(Plan::Pairs { pairs, first, sizes })
    }

    /// Gives the synapses of a projection to a sink.
    fn project(
        &self,
        network: &Network,
        sink: &mut impl SynapseSink,
        (projection, index): (&ProjectionSection, usize),
        plan: Plan<'_>,
    ) -> Result<(), Problem> {
        let refuse = |part: &str, message: String| Problem {
            key: format!("projections.{index}.{part}"),
            message,
        };
        let (pairs, first, sizes) = match plan {
            Plan::File(source) => {
                return source
                    .read(sink)
                    .map_err(|error| refuse("connect.file", error.to_string()));
            }
            Plan::Edges { edges, pre, post } => {
                for (place, edge) in edges.iter().enumerate() {
                    let synapse = Synapse { weight: edge.weight, delay: edge.delay };
                    let (from, to) = ((pre + edge.pre) as u32, (post + edge.post) as u32);
                    sink.take(from, to, synapse, projection.receptor).map_err(|error| {
                        refuse(&format!("connect.edges.{place}"), error.to_string())
                    })?;
                }
                return Ok(());
            }
            Plan::Pairs { pairs, first, sizes } => (pairs, first, sizes),
        };
        let stream = |purpose| random::stream(self.scenario.seed, purpose, index as u64);
        let no_delay = Values::Constant(0.0);
        let values = |part: &'static str, values: &Option<Values>| {
            let values = values.as_ref().unwrap_or(&no_delay);
            self.synapse_values(values, &pairs, sizes, stream(part))
                .map_err(|error| refuse(part, error.to_string()))
        };
        let weights = values("weights", &projection.weights)?;
        let delays = values("delays", &projection.delays)?;
        for (&(from, to), (weight, delay)) in pairs.iter().zip(weights.into_iter().zip(delays)) {
            let (pre, post) = (first.0 + from as usize, first.1 + to as usize);
            let synapse = Synapse { weight, delay };
            network
                .check_synapse(pre, post, &synapse)
                .and_then(|()| sink.take(pre as u32, post as u32, synapse, projection.receptor))
                .map_err(|error| {
                    let late = matches!(error, NetworkError::Synapse { what: "delay", .. });
                    refuse(if late { "delays" } else { "weights" }, error.to_string())
                })?;
        }
        Ok(())
    }

    /// One value per pair: drawn in the order of the pairs, or looked up in a table of all pairs.
    fn synapse_values(
        &self,
        values: &Values,
        pairs: &[(u32, u32)],
        (rows, columns): (usize, usize),
        mut random: ChaCha8Rng,
    ) -> Result<Vec<f64>, ValuesError> {
        if !values.is_table() {
            return Ok(pairs.iter().map(|_| values.draw(&mut random)).collect());
        }
        let table = values.table(rows, columns, self.folder(), &mut random)?;
        Ok(pairs.iter().map(|&(from, to)| table[from as usize * columns + to as usize]).collect())
    }
}

/// The times from `start` to `stop`, both included, one every `interval`.
pub(super) fn evenly(start: f64, interval: f64, stop: f64) -> Vec<f64> {
    // By multiplication: adding up the interval would drift.
    let times = (0_u32..).map(|count| start + f64::from(count) * interval);
    times.take_while(|&time| time <= stop).collect()
}

/// The pairs of neurons that have a synapse, by presynaptic or postsynaptic neuron.
fn pairs(
    connect: &Connect,
    (pre, pre_size): (PopulationId, usize),
    (post, post_size): (PopulationId, usize),
    random: &mut ChaCha8Rng,
) -> Result<Vec<(u32, u32)>, String> {
    let same = pre == post;
    let sizes = (pre_size as u32, post_size as u32);
    let all = (0..sizes.0).flat_map(|from| (0..sizes.1).map(move |to| (from, to)));
    match *connect {
        Connect::AllToAll { autapses } => {
            Ok(all.filter(|(from, to)| autapses || !same || from != to).collect())
        }
        Connect::OneToOne {} if pre_size != post_size => Err(format!(
            "one_to_one needs populations of equal size, but they have {pre_size} and {post_size}"
        )),
        Connect::OneToOne {} => Ok((0..sizes.0).map(|index| (index, index)).collect()),
        Connect::Probability(probability) => Ok(all
            .filter(|(from, to)| !same || from != to)
            .filter(|_| random.random::<f64>() < probability)
            .collect()),
        Connect::InDegree(_) if same && pre_size == 1 => {
            Err("in_degree needs another neuron to connect from, but there is only one".to_owned())
        }
        Connect::InDegree(degree) => Ok((0..sizes.1)
            .flat_map(|to| (0..degree).map(move |_| to))
            .map(|to| {
                loop {
                    let from = random.random_range(0..pre_size) as u32;
                    if !same || from != to {
                        break (from, to);
                    }
                }
            })
            .collect()),
        Connect::Edges(_) | Connect::File(_) => Ok(Vec::new()),
    }
}
