//! A network for other tools: its arrays in one NPZ file for NumPy, and as tables (CSV) that scenarios read, too.
//!
//! A trained network of layers has matrices, a row per presynaptic neuron and a column per neuron of the layer, the
//! rows of bias sources last; any other network has lists of synapses. `docs/export.md` has the names.

use std::collections::BTreeMap;
use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};

use npyz::WriterBuilder;
use petgraph::visit::EdgeRef;
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use super::network_file::{self, Saved};
use super::{OutputFolder, RunError, TrainedError, TrainedRun};
use crate::learning::Inference;
use crate::network::{DelayKind, LayeredNetwork, Network, Node, Population, Receptor};
use crate::neuron::NeuronParameters;
use crate::scenario::ScenarioFile;

/// Name of the file of all arrays.
const NPZ: &str = "network.npz";

/// A network as arrays and tables.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Export {
    arrays: Vec<Array>,
    tables: Vec<Table>,
}

/// Numbers with a shape.
#[derive(Clone, Debug, PartialEq)]
struct Array {
    name: String,
    shape: Vec<usize>,
    values: Numbers,
}

#[derive(Clone, Debug, PartialEq)]
enum Numbers {
    Real(Vec<f64>),
    Whole(Vec<i64>),
}

/// A table of text; matrices have no heading.
#[derive(Clone, Debug, PartialEq)]
struct Table {
    name: String,
    heading: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Export {
    /// The network of a run: of a training, or of a simulation.
    ///
    /// # Errors
    /// If a file is missing or damaged, or the files are not of one run.
    pub fn of_run(folder: &Path) -> Result<Self, TrainedError> {
        for file in ["scenario.toml", "network.json"] {
            if !folder.join(file).is_file() {
                return Err(TrainedError::Missing { folder: folder.to_owned(), file });
            }
        }
        let scenario = ScenarioFile::read(&folder.join("scenario.toml"))?.load(&[])?.scenario;
        if scenario.is_simulation() {
            let Saved { network, .. } =
                network_file::read_with::<Inference>(&folder.join("network.json"))?;
            return Ok(Export::of_network(&network));
        }
        let run = TrainedRun::open(folder, None)?;
        Ok(Export::of_layers(run.network(), run.inference()))
    }

    /// A trained network of layers.
    pub fn of_layers(network: &LayeredNetwork, inference: &Inference) -> Self {
        let mut export = Export::default();
        let populations = network.network.populations();
        let names = names(populations);
        let edges = network.network.graph().raw_edges();
        let delays = network.layer_delays();
        for (layer, shape) in network.shapes().into_iter().enumerate() {
            let id = network.layers[layer].0;
            let name = &names[id];
            let synapses = &edges[shape.first..shape.first + shape.rows * shape.columns];
            let weights = synapses.iter().map(|edge| edge.weight.weight).collect();
            export.matrix(format!("{name}.weights"), shape.columns, weights);
            if let Some(delays) = &delays[layer] {
                let name = format!("{name}.delays");
                match delays.kind {
                    DelayKind::Synaptic => {
                        export.matrix(name, shape.columns, delays.values.clone())
                    }
                    _ => export.columns(name, vec![("delay".to_owned(), delays.values.clone())]),
                }
            }
            if let Some(times) = inference.bias_times.get(layer).filter(|times| !times.is_empty()) {
                let name = format!("{name}.bias_times");
                export.columns(name, vec![("time".to_owned(), times.clone())]);
            }
            export.neurons(&network.network, &populations[id], name);
        }
        if let Some(scaling) = &inference.scaling {
            let columns = [("low", &scaling.low), ("high", &scaling.high)];
            let columns = columns.map(|(name, values)| (name.to_owned(), values.clone()));
            export.columns("scaling".to_owned(), columns.to_vec());
            let steps = scaling.between.iter().map(Vec::len).max().unwrap_or(0);
            if steps > 0 {
                let rows = (0..scaling.low.len()).flat_map(|feature| scaling.steps(feature, steps));
                export.matrix("scaling.between".to_owned(), steps, rows.collect());
            }
        }
        for (name, texts) in [
            ("classes", Some(&inference.class_names)),
            ("features", inference.feature_names.as_ref()),
        ] {
            let Some(texts) = texts else { continue };
            let rows = texts.iter().map(|text| vec![text.clone()]).collect();
            export.tables.push(Table {
                name: name.to_owned(),
                heading: vec!["name".to_owned()],
                rows,
            });
        }
        export
    }

    /// Any network.
    pub fn of_network(network: &Network) -> Self {
        let mut export = Export::default();
        let (populations, graph) = (network.populations(), network.graph());
        let names = names(populations);
        let place = |node: usize| {
            let found = populations.iter().position(|population| population.nodes.contains(&node));
            found.map_or((0, node), |index| (index, node - populations[index].nodes.start))
        };
        let mut pairs = BTreeMap::<_, Vec<(usize, [f64; 4])>>::new();
        for edge in graph.edge_references() {
            let (from, to) = (place(edge.source().index()), place(edge.target().index()));
            let synapse = edge.weight();
            let numbers = [from.1 as f64, to.1 as f64, synapse.weight, synapse.delay];
            pairs.entry((from.0, to.0)).or_default().push((edge.id().index(), numbers));
        }
        for ((pre, post), synapses) in pairs {
            let name = format!("{}-{}", names[pre], names[post]);
            let column = |place: usize| synapses.iter().map(|(_, row)| row[place]).collect();
            let whole = |place: usize| synapses.iter().map(|(_, row)| row[place] as i64).collect();
            let count = vec![synapses.len()];
            for (part, values) in [
                ("pre", Numbers::Whole(whole(0))),
                ("post", Numbers::Whole(whole(1))),
                ("weight", Numbers::Real(column(2))),
                ("delay", Numbers::Real(column(3))),
            ] {
                let name = format!("{name}.{part}");
                export.arrays.push(Array { name, shape: count.clone(), values });
            }
            if network.has_explicit_receptors() {
                let receptor = |(edge, _): &(usize, _)| match network.receptor(*edge) {
                    Receptor::BySign => 0,
                    Receptor::Excitatory => 1,
                    Receptor::Inhibitory => 2,
                };
                let values = Numbers::Whole(synapses.iter().map(receptor).collect());
                export.arrays.push(Array {
                    name: format!("{name}.receptor"),
                    shape: count,
                    values,
                });
            }
            export.tables.push(Table {
                name: format!("{name}.synapses"),
                heading: ["pre", "post", "weight", "delay"].map(str::to_owned).to_vec(),
                rows: synapses
                    .iter()
                    .map(|(_, row)| row.iter().map(f64::to_string).collect())
                    .collect(),
            });
        }
        for (population, name) in populations.iter().zip(&names) {
            export.neurons(network, population, name);
        }
        export
    }

    /// The parameters of a population's neurons; nothing for spike sources.
    fn neurons(&mut self, network: &Network, population: &Population, name: &str) {
        let nodes = network.graph().node_weights().skip(population.nodes.start);
        let neurons: Vec<&NeuronParameters> = nodes
            .take(population.nodes.len())
            .filter_map(|node| match node {
                Node::Neuron(parameters) => Some(parameters),
                Node::Source => None,
            })
            .collect();
        if neurons.is_empty() {
            return;
        }
        let column = |(place, parameter): (usize, &str)| {
            let values = neurons.iter().map(|neuron| *neuron.each_ref()[place]).collect();
            (parameter.to_owned(), values)
        };
        let columns: Vec<(String, Vec<f64>)> =
            NeuronParameters::NAMES.into_iter().enumerate().map(column).collect();
        for (parameter, values) in &columns {
            let shape = vec![values.len()];
            let values = Numbers::Real(values.clone());
            self.arrays.push(Array { name: format!("{name}.{parameter}"), shape, values });
        }
        self.table(format!("{name}.neurons"), &columns);
    }

    /// A matrix, row by row.
    fn matrix(&mut self, name: String, columns: usize, values: Vec<f64>) {
        let rows = values.chunks(columns.max(1));
        let rows = rows.map(|row| row.iter().map(f64::to_string).collect()).collect();
        self.tables.push(Table { name: name.clone(), heading: Vec::new(), rows });
        let shape = vec![values.len() / columns.max(1), columns];
        self.arrays.push(Array { name, shape, values: Numbers::Real(values) });
    }

    /// Columns of a table; an array for each, which has the table's name if it is the only one.
    fn columns(&mut self, name: String, columns: Vec<(String, Vec<f64>)>) {
        self.table(name.clone(), &columns);
        let only = columns.len() == 1;
        for (column, values) in columns {
            let name = if only { name.clone() } else { format!("{name}.{column}") };
            let shape = vec![values.len()];
            self.arrays.push(Array { name, shape, values: Numbers::Real(values) });
        }
    }

    fn table(&mut self, name: String, columns: &[(String, Vec<f64>)]) {
        let count = columns.first().map_or(0, |(_, values)| values.len());
        let row = |row: usize| columns.iter().map(|(_, values)| values[row].to_string()).collect();
        self.tables.push(Table {
            name,
            heading: columns.iter().map(|(heading, _)| heading.clone()).collect(),
            rows: (0..count).map(row).collect(),
        });
    }

    /// Names of the files that [`write`](Self::write) writes.
    pub fn files(&self) -> Vec<String> {
        let tables = self.tables.iter().map(|table| format!("{}.csv", table.name));
        std::iter::once(NPZ.to_owned()).chain(tables).collect()
    }

    /// Writes all arrays into `network.npz` and each table into a file of its own. The same network gives the same
    /// bytes.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn write(&self, folder: &Path) -> Result<Vec<PathBuf>, RunError> {
        let folder = OutputFolder::create(folder)?;
        folder.write(NPZ, |file| self.write_npz(file))?;
        for table in &self.tables {
            folder.write(&format!("{}.csv", table.name), |file| {
                let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(file);
                if !table.heading.is_empty() {
                    writer.write_record(&table.heading)?;
                }
                table.rows.iter().try_for_each(|row| writer.write_record(row))?;
                writer.flush()
            })?;
        }
        Ok(self.files().iter().map(|name| folder.file(name)).collect())
    }

    fn write_npz(&self, output: &mut (impl Write + Seek)) -> io::Result<()> {
        let mut archive = ZipWriter::new(output);
        // Without compression NumPy can map the arrays, and the date is that of no day.
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        for array in &self.arrays {
            archive.start_file(format!("{}.npy", array.name), options)?;
            match &array.values {
                Numbers::Real(values) => write_npy(&mut archive, &array.shape, values)?,
                Numbers::Whole(values) => write_npy(&mut archive, &array.shape, values)?,
            }
        }
        archive.finish()?.flush()
    }
}

fn write_npy<T: npyz::AutoSerialize + Copy>(
    output: &mut impl Write,
    shape: &[usize],
    values: &[T],
) -> io::Result<()> {
    let shape: Vec<u64> = shape.iter().map(|&size| size as u64).collect();
    let options = npyz::WriteOptions::new().default_dtype().shape(&shape);
    let mut writer = options.writer(output).begin_nd()?;
    writer.extend(values.iter().copied())?;
    writer.finish()
}

/// Names of populations that can be names of files, each another.
pub(crate) fn names(populations: &[Population]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for (index, population) in populations.iter().enumerate() {
        let fits = |letter: char| letter.is_alphanumeric() || "_-".contains(letter);
        let letters = population.name.chars().map(|letter| if fits(letter) { letter } else { '_' });
        let name: String = letters.collect();
        let taken = |name: &String| names.iter().any(|other| other.eq_ignore_ascii_case(name));
        names.push(if taken(&name) { format!("{name}_{index}") } else { name });
    }
    names
}
