//! From a scenario of populations to a network and its stimulus.

use std::path::Path;

use rand::RngExt;
use rand::rngs::ChaCha8Rng;
use rand_distr::{Distribution, Exp};

use super::load::LoadedScenario;
use super::values::ValuesError;
use super::{
    Connect, Edge, ProjectionSection, Recording, ScenarioError, SimulationEngine, Source, Values,
};
use crate::engine::{EngineOptions, SourceSpike};
use crate::network::{Network, NetworkError, PopulationId, Synapse};
use crate::random;
use crate::settings::Problem;
use crate::table::{TextRow, TextTable};

/// A network, its stimulus and how long to run it.
pub struct Simulation {
    /// The network.
    pub network: Network,
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

impl LoadedScenario {
    /// Builds network and stimulus of a scenario of populations.
    ///
    /// # Errors
    /// If a file that the scenario names cannot be read or does not fit, or a synapse cannot be.
    pub fn simulation(&self) -> Result<Simulation, ScenarioError> {
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
        for (index, projection) in self.scenario.projections.iter().enumerate() {
            self.project(&mut network, projection, index)
                .map_err(|Problem { key, message }| self.problem(&key, message))?;
        }
        let recording = self.scenario.recording.clone().unwrap_or_default();
        Ok(Simulation {
            recording: recording.resolve(&network, simulation.until),
            network,
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

    fn project(
        &self,
        network: &mut Network,
        projection: &ProjectionSection,
        index: usize,
    ) -> Result<(), Problem> {
        let refuse = |part: &str, message: String| Problem {
            key: format!("projections.{index}.{part}"),
            message,
        };
        let find = |end: &str, name: &str| {
            network
                .population(name)
                .map(|(id, population)| (id, population.nodes.len()))
                .ok_or_else(|| refuse(end, format!("there is no population `{name}`")))
        };
        let (pre, post) = (find("pre", &projection.pre)?, find("post", &projection.post)?);
        let mut connect = |edge: Edge| {
            let synapse = Synapse { weight: edge.weight, delay: edge.delay };
            let (from, to) = ((pre.0, edge.pre), (post.0, edge.post));
            network.connect_to_receptor(from, to, synapse, projection.receptor)
        };
        match &projection.connect {
            Connect::Edges(edges) => {
                for (place, edge) in edges.iter().enumerate() {
                    connect(*edge).map_err(|error| {
                        refuse(&format!("connect.edges.{place}"), error.to_string())
                    })?;
                }
                return Ok(());
            }
            Connect::File(path) => {
                let path = self.folder().join(path);
                let edges = read_edges(&path).map_err(|message| refuse("connect.file", message))?;
                for (line, edge) in edges {
                    connect(edge).map_err(|error| {
                        refuse("connect.file", format!("{}:{line}: {error}", path.display()))
                    })?;
                }
                return Ok(());
            }
            _ => {}
        }
        let stream = |purpose| random::stream(self.scenario.seed, purpose, index as u64);
        let pairs = pairs(&projection.connect, pre, post, &mut stream("connectivity"))
            .map_err(|message| refuse("connect", message))?;
        let no_delay = Values::Constant(0.0);
        let values = |part: &'static str, values: &Option<Values>| {
            let values = values.as_ref().unwrap_or(&no_delay);
            self.synapse_values(values, &pairs, pre.1, post.1, stream(part))
                .map_err(|error| refuse(part, error.to_string()))
        };
        let weights = values("weights", &projection.weights)?;
        let delays = values("delays", &projection.delays)?;
        for (&(from, to), (weight, delay)) in pairs.iter().zip(weights.into_iter().zip(delays)) {
            connect(Edge { pre: from, post: to, weight, delay }).map_err(|error| {
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
        pairs: &[(usize, usize)],
        rows: usize,
        columns: usize,
        mut random: ChaCha8Rng,
    ) -> Result<Vec<f64>, ValuesError> {
        if !values.is_table() {
            return Ok(pairs.iter().map(|_| values.draw(&mut random)).collect());
        }
        let table = values.table(rows, columns, self.folder(), &mut random)?;
        Ok(pairs.iter().map(|&(from, to)| table[from * columns + to]).collect())
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
) -> Result<Vec<(usize, usize)>, String> {
    let same = pre == post;
    let all = (0..pre_size).flat_map(|from| (0..post_size).map(move |to| (from, to)));
    match *connect {
        Connect::AllToAll { autapses } => {
            Ok(all.filter(|(from, to)| autapses || !same || from != to).collect())
        }
        Connect::OneToOne {} if pre_size != post_size => Err(format!(
            "one_to_one needs populations of equal size, but they have {pre_size} and {post_size}"
        )),
        Connect::OneToOne {} => Ok((0..pre_size).map(|index| (index, index)).collect()),
        Connect::Probability(probability) => Ok(all
            .filter(|(from, to)| !same || from != to)
            .filter(|_| random.random::<f64>() < probability)
            .collect()),
        Connect::InDegree(_) if same && pre_size == 1 => {
            Err("in_degree needs another neuron to connect from, but there is only one".to_owned())
        }
        Connect::InDegree(degree) => Ok((0..post_size)
            .flat_map(|to| (0..degree).map(move |_| to))
            .map(|to| {
                loop {
                    let from = random.random_range(0..pre_size);
                    if !same || from != to {
                        break (from, to);
                    }
                }
            })
            .collect()),
        Connect::Edges(_) | Connect::File(_) => Ok(Vec::new()),
    }
}

/// Reads a table with columns `pre,post,weight` and, if there are any, `delay`: each synapse with its
/// line.
fn read_edges(path: &Path) -> Result<Vec<(u64, Edge)>, String> {
    let table = TextTable::read(path).map_err(|error| error.to_string())?;
    let record = |row: &TextRow<'_>| row.fields.iter().map(AsRef::<str>::as_ref).collect();
    let mut rows = table.even_rows();
    let heading = rows.next().transpose().map_err(|error| error.to_string())?;
    let headings: csv::StringRecord = heading.as_ref().map(record).unwrap_or_default();
    rows.map(|row| {
        let row = row.map_err(|error| error.to_string())?;
        let (line, record): (u64, csv::StringRecord) = (row.line, record(&row));
        let edge = record.deserialize(Some(&headings)).map_err(|error| {
            format!("{}:{line}: {}", path.display(), explain(&error, &headings, &record))
        })?;
        Ok((line, edge))
    })
    .collect()
}

/// What is wrong with a row of synapses, and what is accepted.
fn explain(error: &csv::Error, headings: &csv::StringRecord, row: &csv::StringRecord) -> String {
    let csv::ErrorKind::Deserialize { err, .. } = error.kind() else { return error.to_string() };
    let place = err.field().map(|field| field as usize).map_or_else(String::new, |field| {
        let text = |record: &csv::StringRecord| record.get(field).unwrap_or("").to_owned();
        format!("{} `{}`: ", text(headings), text(row))
    });
    format!(
        "{place}{}; a row holds pre and post (whole numbers), weight and, if there are any, delay \
         (numbers)",
        err.kind()
    )
}
