//! Potentials of chosen neurons of a recorded run: as a figure, and as CSV.

use std::io::{self, Write};
use std::path::Path;

use super::{NeuronModel, OutputFolder, RecordedError, RecordedRun, RunError};
use crate::membrane::MembraneTrace;
use crate::neuron::NeuronParameters;
use crate::report::membranes::{Figure, Panel, Raster};

/// Panels that a default choice has at most.
const PANELS: usize = 4;

/// Rasters that a figure of a simulation has at most.
const RASTERS: usize = 4;

/// Membrane time constants that a default window of a simulation is long at most.
const LONGEST_WINDOW: f64 = 10.0;

/// One neuron of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChosenNeuron {
    /// Its population.
    pub population: String,
    /// Its index in it.
    pub neuron: u32,
}

/// The potentials of some neurons in one sample.
#[derive(Clone, Debug)]
pub struct Membranes {
    /// The sample.
    pub sample: u32,
    /// First and last time.
    pub window: (f64, f64),
    /// The neurons and their potentials.
    pub traces: Vec<(ChosenNeuron, MembraneTrace)>,
}

impl RecordedRun {
    /// The neurons that tell most about a sample: of the label layer those of the decision, of the true
    /// class and of the earliest spikes; of a simulation the first of each population of neurons.
    ///
    /// # Errors
    /// If there is no such sample.
    pub fn default_neurons(&self, sample: u32) -> Result<Vec<ChosenNeuron>, RecordedError> {
        let spikes = self.spikes(sample)?;
        if let Some(layer) = self.label_layer() {
            let wanted = self.decision(sample).into_iter().chain(self.label(sample));
            let early = spikes.iter().map(|spike| spike.node as usize);
            let early = early.filter(|node| layer.nodes.contains(node));
            let early = early.map(|node| node - layer.nodes.start);
            let mut chosen = Vec::new();
            for neuron in wanted.chain(early).chain(0..layer.nodes.len()) {
                if !chosen.contains(&neuron) && chosen.len() < PANELS {
                    chosen.push(neuron);
                }
            }
            chosen.sort_unstable();
            let population = &layer.name;
            let choose = |neuron| ChosenNeuron { population: population.clone(), neuron };
            return Ok(chosen.into_iter().map(|neuron| choose(neuron as u32)).collect());
        }
        let populations = self.network().populations().iter();
        let of_neurons: Vec<_> = populations
            .filter(|population| self.network().dynamics(population.nodes.start).is_some())
            .collect();
        let each = PANELS / of_neurons.len().max(1);
        let neurons = of_neurons.iter().take(PANELS).flat_map(|population| {
            (0..population.nodes.len().min(each.max(1)) as u32)
                .map(|neuron| ChosenNeuron { population: population.name.clone(), neuron })
        });
        Ok(neurons.collect())
    }

    /// All neurons of a population.
    ///
    /// # Errors
    /// If there is no such population; the message suggests one.
    pub fn neurons_of(&self, population: &str) -> Result<Vec<ChosenNeuron>, RecordedError> {
        let size = self.population(population)?.nodes.len() as u32;
        let choose = |neuron| ChosenNeuron { population: population.to_owned(), neuron };
        Ok((0..size).map(choose).collect())
    }

    /// The potentials of some neurons in a sample. Without a window: the whole sample, or as much of the
    /// beginning of a simulation as a picture can show.
    ///
    /// # Errors
    /// As [`Self::membrane`].
    pub fn membranes(
        &self,
        sample: u32,
        neurons: &[ChosenNeuron],
        window: Option<(f64, f64)>,
    ) -> Result<Membranes, RecordedError> {
        let window = match window {
            Some(window) => window,
            None => self.default_window(sample)?,
        };
        let traces = neurons.iter().map(|chosen| {
            let ChosenNeuron { population, neuron } = chosen;
            let trace = self.membrane(sample, population, *neuron, Some(window))?;
            Ok((chosen.clone(), trace))
        });
        Ok(Membranes { sample, window, traces: traces.collect::<Result<_, RecordedError>>()? })
    }

    fn default_window(&self, sample: u32) -> Result<(f64, f64), RecordedError> {
        let (from, to) = self.span(sample)?;
        if self.label_layer().is_some() {
            return Ok((from, to));
        }
        let time_constant = |neuron: &NeuronParameters| match neuron.tau_m.is_finite() {
            true => neuron.tau_m,
            false => neuron.tau_s,
        };
        let constants = self.network().distinct_parameters().iter().map(time_constant);
        let longest = constants.fold(0.0, f64::max);
        let most = LONGEST_WINDOW * longest;
        if !(longest > 0.0 && most < to) {
            return Ok((from, to));
        }
        // A round number.
        let digit = 10_f64.powf(most.log10().floor());
        Ok((from, (most / digit).floor() * digit))
    }

    /// The figure of some potentials.
    ///
    /// # Errors
    /// If there is no such sample.
    pub fn figure(&self, membranes: &Membranes) -> Result<Figure, RecordedError> {
        let Membranes { sample, window, traces } = membranes;
        let decided = self.decision(*sample);
        let decision = decided.and_then(|class| {
            let node = self.label_layer()?.nodes.start + class;
            let mut spikes = self.spikes(*sample).ok()?.iter();
            spikes.find(|spike| spike.node as usize == node).map(|spike| spike.time)
        });
        let labels = self.label_layer().map(|layer| layer.name.as_str());
        let panels = traces.iter().map(|(chosen, trace)| {
            let ChosenNeuron { population, neuron } = chosen;
            let class = (labels == Some(population)).then_some(*neuron as usize);
            let mut name = format!("{population}:{neuron}");
            if let Some(class) = class {
                let class_name = self.class_name(class);
                if class_name != class.to_string() {
                    name.push_str(&format!(", {class_name}"));
                }
                if self.label(*sample) == Some(class) {
                    name.push_str(", the true class");
                }
            }
            Panel { name, trace: trace.clone(), decides: class.is_some() && class == decided }
        });
        let time_unit = self.scenario().time_unit.symbol().to_owned();
        let note = match self.model() {
            NeuronModel::Exact => "",
            NeuronModel::Chip => {
                "the chip's neurons, without trial-to-trial noise, on recorded spikes"
            }
            NeuronModel::Ideal => "ideal neurons on the spikes that the substrate recorded",
        };
        Ok(Figure {
            title: self.title(*sample, decided, decision),
            note: note.to_owned(),
            time_unit,
            window: *window,
            rasters: self.rasters(*sample, *window, traces)?,
            panels: panels.collect(),
            decision,
        })
    }

    fn title(&self, sample: u32, decided: Option<usize>, at: Option<f64>) -> String {
        if self.label_layer().is_none() {
            return self.scenario().name.clone();
        }
        let unit = self.scenario().time_unit.symbol();
        let label = self.label(sample);
        let known =
            label.map_or_else(String::new, |label| format!(" ({})", self.class_name(label)));
        match (decided, at) {
            (Some(class), Some(time)) => {
                let name = self.class_name(class);
                let verdict = match label {
                    Some(label) if label == class => ", correctly",
                    Some(_) => ", wrongly",
                    None => "",
                };
                format!("sample {sample}{known}: decided for {name} at {time:.3} {unit}{verdict}")
            }
            _ => format!("sample {sample}{known}: no decision"),
        }
    }

    /// Sources and hidden layers, or the populations of a simulation, without those whose neurons all
    /// have panels.
    fn rasters(
        &self,
        sample: u32,
        (from, to): (f64, f64),
        traces: &[(ChosenNeuron, MembraneTrace)],
    ) -> Result<Vec<Raster>, RecordedError> {
        let spikes = self.spikes(sample)?;
        let mut groups: Vec<(String, Vec<std::ops::Range<usize>>)> = Vec::new();
        for population in self.network().populations() {
            let panels = traces.iter().filter(|(chosen, _)| chosen.population == population.name);
            let is_source = self.network().dynamics(population.nodes.start).is_none();
            let (name, nodes) = (population.name.clone(), population.nodes.clone());
            if let Some(labels) = self.label_layer() {
                match groups.first_mut() {
                    // Bias sources stand below the inputs.
                    Some((name, ranges)) if is_source => {
                        "input, bias".clone_into(name);
                        ranges.push(nodes);
                    }
                    _ if population.name != labels.name => groups.push((name, vec![nodes])),
                    _ => {}
                }
            } else if groups.len() < RASTERS && panels.count() < population.nodes.len() {
                groups.push((name, vec![nodes]));
            }
        }
        let rasters = groups.into_iter().map(|(name, ranges)| {
            let row_of = |node: usize| {
                let mut before = 0;
                for range in &ranges {
                    if range.contains(&node) {
                        return Some(before + node - range.start);
                    }
                    before += range.len();
                }
                None
            };
            let shown = spikes.iter().filter(|spike| from <= spike.time && spike.time <= to);
            let shown = shown.filter_map(|spike| Some((spike.time, row_of(spike.node as usize)?)));
            Raster {
                name,
                rows: ranges.iter().map(ExactSizeIterator::len).sum(),
                spikes: shown.collect(),
            }
        });
        Ok(rasters.collect())
    }
}

impl Membranes {
    /// Writes `time_<unit>,population,neuron,potential` rows, neuron by neuron. At a spike there are two
    /// of one time: before and after the reset.
    ///
    /// # Errors
    /// If writing fails.
    pub fn write(&self, time_unit: &str, output: &mut impl Write) -> io::Result<()> {
        let mut writer = csv::Writer::from_writer(output);
        let time_column = format!("time_{time_unit}");
        writer.write_record([&time_column, "population", "neuron", "potential"])?;
        for (ChosenNeuron { population, neuron }, trace) in &self.traces {
            for (time, potential) in trace.times.iter().zip(&trace.potential) {
                writer.serialize((time, population, neuron, potential))?;
            }
        }
        writer.flush()
    }
}

/// Writes a file of any name, beside its place, and renames it once it is complete.
///
/// # Errors
/// If writing fails; the file is then as it was before.
pub fn write_file(
    path: &Path,
    content: impl FnOnce(&mut io::BufWriter<std::fs::File>) -> io::Result<()>,
) -> Result<(), RunError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = OutputFolder::create(folder.unwrap_or(Path::new(".")))?;
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    folder.write(&name, content)
}
