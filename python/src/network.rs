//! Networks of any topology, built from arrays and simulated.

use std::sync::atomic::Ordering;
use std::sync::{Mutex, PoisonError};

use firstspike::engine::{
    EngineError, EngineOptions, EventEngine, Observer, RunStatistics, SourceSpike, WindowEngine,
};
use firstspike::membrane::SpikeTrains;
use firstspike::network::{self, CompiledNetwork, PopulationId, Receptor, Synapse};
use firstspike::neuron::{NeuronParameters, PerParameter};
use pyo3::prelude::*;
use pyo3::sync::MutexExt;
use pyo3::types::{PyDict, PyList};

use crate::program::interruptibly;
use crate::{arrays, errors, threads};

/// A network of populations.
#[pyclass(frozen, module = "firstspike._core")]
pub struct Network(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    network: network::Network,
    /// Of the network as it is; none if it has changed.
    compiled: Option<CompiledNetwork>,
}

/// Spikes as columns.
#[derive(Default)]
struct Spikes {
    nodes: Vec<u32>,
    times: Vec<f64>,
    trains: Option<SpikeTrains>,
}

struct Watcher<'a> {
    spikes: Spikes,
    interrupt: &'a std::sync::atomic::AtomicBool,
}

impl Observer for Watcher<'_> {
    fn spike(&mut self, node: usize, time: f64) {
        self.spikes.nodes.push(node as u32);
        self.spikes.times.push(time);
        if let Some(trains) = &mut self.spikes.trains {
            trains.spike(node, time);
        }
    }

    fn wants_to_stop(&self) -> bool {
        self.interrupt.load(Ordering::Relaxed)
    }
}

fn named(network: &network::Network, name: &str) -> Result<(PopulationId, usize), String> {
    network.population(name).map(|(id, population)| (id, population.nodes.len())).ok_or_else(|| {
        let names: Vec<_> = network.populations().iter().map(|known| &known.name).collect();
        format!("there is no population {name:?}: there are {names:?}")
    })
}

#[pymethods]
impl Network {
    #[new]
    fn new() -> Self {
        Network(Mutex::default())
    }

    /// Adds spike sources.
    fn add_sources(&self, py: Python<'_>, name: &str, size: usize) -> PyResult<()> {
        let mut inner = self.lock(py);
        inner.compiled = None;
        inner.network.add_sources(name, size).map(drop).map_err(|error| errors::input(py, error))
    }

    /// Adds neurons: a number for all, or an array of one for each, per parameter.
    fn add_neurons(&self, name: &str, size: usize, parameters: &Bound<'_, PyDict>) -> PyResult<()> {
        let py = parameters.py();
        let mut neurons = vec![PerParameter::<Option<f64>>::default(); size];
        for (key, value) in parameters {
            let key: String = key.extract()?;
            let Some(index) = NeuronParameters::NAMES.iter().position(|known| *known == key) else {
                let known = NeuronParameters::NAMES.join(", ");
                let message = format!("neurons have no parameter {key:?}: they have {known}");
                return Err(errors::input(py, message));
            };
            let values = match value.extract::<f64>() {
                Ok(value) => vec![value; size],
                Err(_) => {
                    let values = arrays::array::<f64>(&value, &key, 1)?;
                    arrays::values(values.as_array()).into_owned()
                }
            };
            if values.len() != size {
                let found = values.len();
                let message =
                    format!("{key} has {found} values: population {name:?} has {size} neurons");
                return Err(errors::input(py, message));
            }
            for (neuron, value) in neurons.iter_mut().zip(values) {
                *neuron.each_mut()[index] = Some(value);
            }
        }
        let mut inner = self.lock(py);
        inner.compiled = None;
        let neurons: Vec<_> = neurons.iter().map(PerParameter::or_default).collect();
        inner.network.add_neurons(name, neurons).map(drop).map_err(|error| errors::input(py, error))
    }

    /// Connects neurons one by one: from `pre[i]` to `post[i]` with a weight and a delay.
    #[pyo3(signature = (pre, post, from, to, weights, delays, receptor))]
    fn connect(
        &self,
        py: Python<'_>,
        pre: &str,
        post: &str,
        from: &Bound<'_, PyAny>,
        to: &Bound<'_, PyAny>,
        weights: &Bound<'_, PyAny>,
        delays: &Bound<'_, PyAny>,
        receptor: Option<&str>,
    ) -> PyResult<()> {
        let receptor = match receptor {
            None => Receptor::BySign,
            Some("excitatory") => Receptor::Excitatory,
            Some("inhibitory") => Receptor::Inhibitory,
            Some(other) => {
                let message =
                    format!("receptor {other:?} is neither \"excitatory\" nor \"inhibitory\"");
                return Err(errors::input(py, message));
            }
        };
        let from = arrays::array::<i64>(from, "pre", 1)?;
        let to = arrays::array::<i64>(to, "post", 1)?;
        let weights = arrays::array::<f64>(weights, "weights", 1)?;
        let delays = arrays::array::<f64>(delays, "delays", 1)?;
        let (from, to) = (arrays::values(from.as_array()), arrays::values(to.as_array()));
        let (weights, delays) =
            (arrays::values(weights.as_array()), arrays::values(delays.as_array()));
        if [to.len(), weights.len(), delays.len()] != [from.len(); 3] {
            let message = "pre, post, weights and delays must have a value per synapse";
            return Err(errors::input(py, message));
        }
        let mut inner = self.lock(py);
        inner.compiled = None;
        let network = &mut inner.network;
        let connected = named(network, pre).and_then(|(pre, _)| {
            let (post, _) = named(network, post)?;
            for (index, (&from, &to)) in from.iter().zip(&*to).enumerate() {
                // A negative index is beyond any population, too.
                let [from, to] =
                    [from, to].map(|index| usize::try_from(index).unwrap_or(usize::MAX));
                let synapse = Synapse { weight: weights[index], delay: delays[index] };
                network
                    .connect_to_receptor((pre, from), (post, to), synapse, receptor)
                    .map_err(|error| error.to_string())?;
            }
            Ok(())
        });
        connected.map_err(|message| errors::input(py, message))
    }

    /// Populations: names, sizes, and whether they are sources.
    fn populations(&self, py: Python<'_>) -> Vec<(String, usize, bool)> {
        let inner = self.lock(py);
        let graph = inner.network.graph();
        let is_source = |node: usize| {
            let node = graph.node_weights().nth(node);
            matches!(node, Some(network::Node::Source))
        };
        let each = inner.network.populations().iter();
        each.map(|known| (known.name.clone(), known.nodes.len(), is_source(known.nodes.start)))
            .collect()
    }

    /// Number of synapses.
    fn synapses(&self, py: Python<'_>) -> usize {
        self.lock(py).network.graph().edge_count()
    }

    /// Simulates from time 0 to `until`. `stimulus` is a list of (population, neurons, times), `potentials` one of
    /// (population, neurons), whose potentials are computed at `at`.
    #[pyo3(signature = (stimulus, until, at_most_one_spike, engine, potentials, at))]
    fn simulate<'py>(
        &self,
        py: Python<'py>,
        stimulus: &Bound<'py, PyList>,
        until: f64,
        at_most_one_spike: bool,
        engine: &str,
        potentials: Vec<(String, Vec<usize>)>,
        at: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyDict>> {
        if !(until > 0.0 && until.is_finite()) {
            return Err(errors::input(py, format!("until is {until}: it must be a time above 0")));
        }
        let at = arrays::array::<f64>(at, "times of potentials", 1)?;
        let at = arrays::values(at.as_array());
        let in_order = at.windows(2).all(|pair| pair[0] <= pair[1]);
        if !in_order || !at.iter().all(|time| (0.0..=until).contains(time)) {
            let message = format!("times of potentials must be in order, from 0 to {until}");
            return Err(errors::input(py, message));
        }
        let mut inner = self.lock(py);
        let stimulus = self::stimulus(&inner.network, stimulus)?;
        let Inner { network, compiled } = &mut *inner;
        let mut wanted = Vec::new();
        for (name, neurons) in &potentials {
            let (id, size) = named(network, name).map_err(|message| errors::input(py, message))?;
            for &neuron in neurons {
                if neuron >= size {
                    let message =
                        format!("population {name:?} has {size} neurons: none is {neuron}");
                    return Err(errors::input(py, message));
                }
                wanted.push(network.populations()[id.0].nodes.start + neuron);
            }
        }
        let compiled = &*compiled.get_or_insert_with(|| CompiledNetwork::new(network));
        let options = EngineOptions { at_most_one_spike };
        let (name, window) = match engine {
            "event" => ("event", None),
            "window" => {
                let window = WindowEngine::new(compiled, options);
                ("window", Some(window.map_err(|error| errors::input(py, error))?))
            }
            "auto" if is_for_window(compiled) => match WindowEngine::new(compiled, options) {
                Ok(window) => ("window", Some(window)),
                Err(_) => ("event", None),
            },
            "auto" => ("event", None),
            other => {
                let message =
                    format!("engine {other:?} is none of \"auto\", \"event\" and \"window\"");
                return Err(errors::input(py, message));
            }
        };
        let pool = threads::pool_of(py)?;
        let (raised, ran) = interruptibly::<(), _>(
            py,
            |interrupt, _| {
                let trains =
                    (!wanted.is_empty()).then(|| SpikeTrains::new(compiled, wanted.clone()));
                let spikes = Spikes { trains, ..Spikes::default() };
                let mut watcher = Watcher { spikes, interrupt };
                pool.install(|| {
                    let statistics =
                        run(compiled, options, window, &stimulus, until, &mut watcher)?;
                    let potentials =
                        potentials_of(compiled, options, &watcher.spikes, &wanted, &at);
                    Ok((statistics, watcher.spikes, potentials))
                })
            },
            |()| Ok(()),
        );
        raised?;
        let Some(ran) = ran else { return Err(errors::failed(py, "the simulation broke off")) };
        let (statistics, spikes, potentials) =
            ran.map_err(|error: EngineError| errors::failed(py, explain(network, &error)))?;
        let (populations, neurons) = places(network, &spikes.nodes);
        let result = PyDict::new(py);
        result.set_item("times", arrays::vector(py, spikes.times))?;
        result.set_item("population", arrays::vector(py, populations))?;
        result.set_item("neurons", arrays::vector(py, neurons))?;
        result.set_item("engine", name)?;
        result.set_item("synaptic_events", statistics.synaptic_events)?;
        let shape = [wanted.len(), at.len()];
        result.set_item("potentials", arrays::matrix(py, shape, false, potentials)?)?;
        Ok(result)
    }
}

impl Network {
    fn lock(&self, py: Python<'_>) -> std::sync::MutexGuard<'_, Inner> {
        self.0.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the window engine is the faster one, and exact.
fn is_for_window(network: &CompiledNetwork) -> bool {
    network.synapse_count() >= WindowEngine::LARGE && WindowEngine::crowded(network).is_none()
}

/// Input spikes in order of time.
fn stimulus(network: &network::Network, given: &Bound<'_, PyList>) -> PyResult<Vec<SourceSpike>> {
    let py = given.py();
    let mut stimulus = Vec::new();
    for part in given {
        let (name, neurons, times): (String, Bound<'_, PyAny>, Bound<'_, PyAny>) =
            part.extract()?;
        let (id, size) = named(network, &name).map_err(|message| errors::input(py, message))?;
        let first = network.populations()[id.0].nodes.start;
        let neurons = arrays::array::<i64>(&neurons, "neurons of input spikes", 1)?;
        let times = arrays::array::<f64>(&times, "times of input spikes", 1)?;
        let (neurons, times) =
            (arrays::values(neurons.as_array()), arrays::values(times.as_array()));
        if neurons.len() != times.len() {
            let message = format!(
                "the input spikes of {name:?} have {} neurons and {} times: a spike has one of each",
                neurons.len(),
                times.len()
            );
            return Err(errors::input(py, message));
        }
        for (index, (&neuron, &time)) in neurons.iter().zip(&*times).enumerate() {
            let source = usize::try_from(neuron).ok().filter(|&neuron| neuron < size);
            let Some(source) = source else {
                let message = format!("population {name:?} has {size} sources: none is {neuron}");
                return Err(errors::input(py, message));
            };
            if !(time >= 0.0) {
                let message =
                    format!("input spike {index} of {name:?} is at {time}: times are 0 or later");
                return Err(errors::input(py, message));
            }
            stimulus.push(SourceSpike { time, source: (first + source) as u32 });
        }
    }
    stimulus.sort_by(|a, b| a.time.total_cmp(&b.time));
    Ok(stimulus)
}

fn run(
    network: &CompiledNetwork,
    options: EngineOptions,
    window: Option<WindowEngine>,
    stimulus: &[SourceSpike],
    until: f64,
    watcher: &mut Watcher<'_>,
) -> Result<RunStatistics, EngineError> {
    match window {
        Some(mut engine) => engine.run(network, stimulus, until, watcher),
        None => EventEngine::new(network, options).run(network, stimulus, until, watcher),
    }
}

/// Neuron × time.
fn potentials_of(
    network: &CompiledNetwork,
    options: EngineOptions,
    spikes: &Spikes,
    wanted: &[usize],
    at: &[f64],
) -> Vec<f64> {
    let potentials = |&node: &usize| {
        let states = spikes.trains.as_ref()?.states(network, node, options, at)?;
        let dynamics = network.dynamics(node)?;
        Some(states.iter().map(|state| dynamics.membrane_potential(state)).collect::<Vec<_>>())
    };
    let each = wanted.iter().map(potentials);
    each.flat_map(|found| found.unwrap_or_else(|| vec![f64::NAN; at.len()])).collect()
}

/// Population and index in it of each node.
fn places(network: &network::Network, nodes: &[u32]) -> (Vec<u32>, Vec<u32>) {
    let mut places = Vec::new();
    for (index, population) in network.populations().iter().enumerate() {
        places.extend((0..population.nodes.len()).map(|neuron| (index as u32, neuron as u32)));
    }
    nodes.iter().map(|&node| places[node as usize]).unzip()
}

/// The engine's error in terms of populations.
fn explain(network: &network::Network, error: &EngineError) -> String {
    match error {
        EngineError::EndlessSpikes { neuron, .. } => {
            let place = network.populations().iter().find(|known| known.nodes.contains(neuron));
            let name = place.map_or_else(String::new, |known| {
                format!("population {:?}, neuron {}: ", known.name, neuron - known.nodes.start)
            });
            format!("{name}{error}")
        }
        EngineError::NotASource { node, .. } => {
            let node = *node as usize;
            let place = network.populations().iter().find(|known| known.nodes.contains(&node));
            let name = place.map_or("", |known| known.name.as_str());
            format!("population {name:?} is none of spike sources: it takes no input spikes")
        }
        other => other.to_string(),
    }
}
