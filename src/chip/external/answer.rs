//! What the program tells us: recorded spikes as CSV.
//!
//! What cannot be true is an error with its line: an unknown population, neuron or sample, a time that
//! is negative or no number, a row that is no row. What can happen on real hardware is let through and
//! counted.

use std::collections::HashMap;
use std::io::{self, Read};
use std::ops::Range;
use std::sync::Arc;

use crate::chip::{AnswerProblem, Presented};
use crate::engine::Spike;
use crate::network::{LayeredNetwork, Node};

/// More spikes than this per neuron and sample, on average, are a flood and not an answer.
const MOST_SPIKES: usize = 1000;

/// No row is as long as this, in bytes; nor are blank lines between two.
const LONGEST_ROW: u64 = 1 << 16;

/// What was odd about the answers of a program, but no error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Anomalies {
    /// Samples that were shown.
    pub samples: u64,
    /// Further spikes of neurons that had spiked in their sample before. Learning by first spikes uses
    /// the first.
    pub extra_spikes: u64,
    /// Rows that say the same as a row before. They count once.
    pub duplicated_rows: u64,
    /// Rows for spike sources. They are left out: we know them.
    pub rows_of_sources: u64,
    /// Spikes before the first input spike of their sample, of networks whose neurons do not spike by
    /// themselves: as if the clock did not start with the sample.
    pub spikes_before_stimulus: u64,
    /// Samples without a spike of any label neuron.
    pub samples_without_label: u64,
}

impl Anomalies {
    /// A sentence for everything that was odd.
    pub fn warnings(&self) -> Vec<String> {
        let samples = self.samples;
        [
            (self.extra_spikes, "spikes of neurons that had spiked before in their sample"),
            (self.duplicated_rows, "rows that came twice; they count once"),
            (self.rows_of_sources, "rows for spike sources, which were left out"),
            (
                self.spikes_before_stimulus,
                "spikes before the first input of their sample: do times count from its start?",
            ),
            (self.samples_without_label, "samples without a spike of a label neuron"),
        ]
        .into_iter()
        .filter(|&(count, _)| count > 0)
        .map(|(count, what)| format!("substrate: in {samples} samples, {count} {what}"))
        .collect()
    }
}

/// An answer on its way to the csv crate, which would wait for the end of a quoted field for ever.
struct Bounded<R> {
    input: R,
    /// Bytes that may still come before the end of the row.
    left: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = buffer.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        if most == 0 && !buffer.is_empty() {
            return Err(io::Error::other("the row has no end"));
        }
        let count = self.input.read(&mut buffer[..most])?;
        self.left -= count as u64;
        Ok(count)
    }
}

/// Reads the next row; whether there is one.
fn next_row<R: Read>(
    reader: &mut csv::Reader<Bounded<R>>,
    record: &mut csv::StringRecord,
) -> Result<bool, AnswerProblem> {
    reader.get_mut().left = LONGEST_ROW;
    reader.read_record(record).map_err(|error| {
        if reader.get_ref().left == 0 {
            let line = reader.position().line();
            AnswerProblem::LongRow { line, most: LONGEST_ROW }
        } else if error.is_io_error() {
            AnswerProblem::Unreadable(Arc::new(error.into()))
        } else {
            AnswerProblem::NotCsv(Arc::new(error))
        }
    })
}

/// Reads an answer from memory: the recorded spikes of each of the samples that were shown.
///
/// # Errors
/// If it is not what `docs/substrate_protocol.md` says.
#[doc(hidden)]
pub fn parse_answer(
    network: &LayeredNetwork,
    time_unit: &str,
    samples: &[Presented],
    answer: &[u8],
) -> Result<Vec<Vec<Spike>>, AnswerProblem> {
    let reader = AnswerReader::new(network, time_unit);
    reader.read(&mut &*answer, samples, &mut Anomalies::default())
}

/// Reads the answers for one network.
#[derive(Debug)]
pub(super) struct AnswerReader {
    /// Nodes of each population of neurons; none of one of sources.
    populations: HashMap<String, Option<Range<usize>>>,
    /// The names of those of neurons, for messages.
    known: String,
    time_column: String,
    neurons: usize,
    labels: Range<usize>,
    /// Whether a neuron may spike without input.
    spontaneous: bool,
}

impl AnswerReader {
    pub fn new(layered: &LayeredNetwork, time_unit: &str) -> Self {
        let network = &layered.network;
        let nodes = network.graph().raw_nodes();
        let is_neuron = |nodes_of: &Range<usize>| {
            matches!(nodes[nodes_of.start].weight, Node::Neuron(_)).then(|| nodes_of.clone())
        };
        let populations = network.populations();
        let neurons = nodes.iter().filter_map(|node| match node.weight {
            Node::Neuron(neuron) => Some(neuron),
            Node::Source => None,
        });
        let spontaneous = |neuron: crate::neuron::NeuronParameters| {
            neuron.bias_current > 0.0
                || neuron.leak_potential >= neuron.threshold
                || neuron.initial_potential != neuron.leak_potential
                || neuron.initial_current > 0.0
                || neuron.initial_inhibitory_current > 0.0
        };
        let names: Vec<&str> =
            layered.layers.iter().map(|id| populations[id.0].name.as_str()).collect();
        AnswerReader {
            populations: populations
                .iter()
                .map(|population| (population.name.clone(), is_neuron(&population.nodes)))
                .collect(),
            known: names.join(", "),
            time_column: format!("time_{time_unit}"),
            neurons: neurons.clone().count(),
            labels: layered.layers.last().map_or(0..0, |id| populations[id.0].nodes.clone()),
            spontaneous: neurons.clone().any(spontaneous),
        }
    }

    /// Reads the recorded spikes of each of the samples that were shown, by time.
    ///
    /// # Errors
    /// If it cannot be read, or a line is not what it should be. Nothing is counted then.
    pub fn read(
        &self,
        input: &mut impl Read,
        samples: &[Presented],
        anomalies: &mut Anomalies,
    ) -> Result<Vec<Vec<Spike>>, AnswerProblem> {
        let mut found = Anomalies { samples: samples.len() as u64, ..Anomalies::default() };
        let mut spikes = vec![Vec::new(); samples.len()];
        let mut reader = csv::ReaderBuilder::new()
            .trim(csv::Trim::All)
            .flexible(true)
            .has_headers(false)
            .from_reader(Bounded { input, left: LONGEST_ROW });
        let mut record = csv::StringRecord::new();
        if !next_row(&mut reader, &mut record)? {
            return Err(AnswerProblem::NoHeading { time_column: self.time_column.clone() });
        }
        let columns = self.columns(&record)?;
        let most = MOST_SPIKES * self.neurons * samples.len();
        let mut rows = 0;
        while next_row(&mut reader, &mut record)? {
            rows += 1;
            if rows > most {
                return Err(AnswerProblem::TooManySpikes { line: line_of(&record), most });
            }
            match self.spike(&record, &columns, samples.len())? {
                (sample, Some(spike)) => spikes[sample].push(spike),
                (_, None) => found.rows_of_sources += 1,
            }
        }
        for (spikes, presented) in spikes.iter_mut().zip(samples) {
            self.tidy(spikes, presented, &mut found);
        }
        anomalies.add(&found);
        Ok(spikes)
    }

    /// Where the heading has each column.
    fn columns(&self, heading: &csv::StringRecord) -> Result<Columns, AnswerProblem> {
        let find = |name: &str| {
            let mut places = (0..heading.len()).filter(|&place| &heading[place] == name);
            let (column, text) = (name.to_owned(), || text_of(heading));
            match (places.next(), places.next()) {
                (Some(place), None) => Ok(place),
                (None, _) => Err(AnswerProblem::NoColumn { column, heading: text() }),
                _ => Err(AnswerProblem::DoubledColumn { column, heading: text() }),
            }
        };
        Ok(Columns {
            sample: find("sample")?,
            population: find("population")?,
            neuron: find("neuron")?,
            time: find(&self.time_column)?,
            count: heading.len(),
        })
    }

    /// The spike of a row and its sample; no spike if it is one of a source.
    fn spike(
        &self,
        row: &csv::StringRecord,
        columns: &Columns,
        samples: usize,
    ) -> Result<(usize, Option<Spike>), AnswerProblem> {
        if row.len() != columns.count {
            return Err(AnswerProblem::FieldCount {
                line: line_of(row),
                row: text_of(row),
                found: row.len(),
                expected: columns.count,
            });
        }
        let field = |column: usize| row.get(column).unwrap_or("");
        let refuse = |name: &'static str, column: usize, accepted: String| {
            let (line, field) = (line_of(row), shortened(field(column)));
            Err(AnswerProblem::Field { line, column: name, field, accepted })
        };
        let below = |column: usize, count: usize| {
            field(column).parse::<usize>().ok().filter(|&index| index < count)
        };
        let Some(sample) = below(columns.sample, samples) else {
            return refuse("sample", columns.sample, format!("a number from 0 to {}", samples - 1));
        };
        let nodes = match self.populations.get(field(columns.population)) {
            Some(Some(nodes)) => nodes,
            Some(None) => return Ok((sample, None)),
            None => {
                let accepted = format!("the name of a layer: {}", self.known);
                return refuse("population", columns.population, accepted);
            }
        };
        let Some(neuron) = below(columns.neuron, nodes.len()) else {
            let name = field(columns.population);
            let accepted = format!("a number from 0 to {} in `{name}`", nodes.len() - 1);
            return refuse("neuron", columns.neuron, accepted);
        };
        match field(columns.time).parse::<f64>() {
            Ok(time) if (0.0..f64::INFINITY).contains(&time) => {
                // Not negative zero.
                let time = time + 0.0;
                Ok((sample, Some(Spike { node: (nodes.start + neuron) as u32, time })))
            }
            _ => refuse("time", columns.time, "a finite number, not negative".to_owned()),
        }
    }

    /// Brings the spikes of a sample into an order of their own, once each, and counts what is odd.
    fn tidy(&self, spikes: &mut Vec<Spike>, presented: &Presented, found: &mut Anomalies) {
        spikes.sort_by(|a, b| a.time.total_cmp(&b.time).then(a.node.cmp(&b.node)));
        let rows = spikes.len();
        spikes.dedup();
        found.duplicated_rows += (rows - spikes.len()) as u64;
        let mut nodes: Vec<u32> = spikes.iter().map(|spike| spike.node).collect();
        nodes.sort_unstable();
        nodes.dedup();
        found.extra_spikes += (spikes.len() - nodes.len()) as u64;
        if !nodes.iter().any(|&node| self.labels.contains(&(node as usize))) {
            found.samples_without_label += 1;
        }
        if !self.spontaneous {
            let inputs = presented.stimulus.iter().map(|spike| spike.time);
            let first = inputs.fold(f64::INFINITY, f64::min);
            found.spikes_before_stimulus +=
                spikes.iter().take_while(|spike| spike.time < first).count() as u64;
        }
    }
}

impl Anomalies {
    fn add(&mut self, more: &Anomalies) {
        self.samples += more.samples;
        self.extra_spikes += more.extra_spikes;
        self.duplicated_rows += more.duplicated_rows;
        self.rows_of_sources += more.rows_of_sources;
        self.spikes_before_stimulus += more.spikes_before_stimulus;
        self.samples_without_label += more.samples_without_label;
    }
}

/// Where an answer has its columns, and how many there are.
struct Columns {
    sample: usize,
    population: usize,
    neuron: usize,
    time: usize,
    count: usize,
}

/// Line of a row in the answer, from 1.
fn line_of(row: &csv::StringRecord) -> u64 {
    row.position().map_or(0, csv::Position::line)
}

/// A row as a message shows it.
fn text_of(row: &csv::StringRecord) -> String {
    shortened(&row.iter().collect::<Vec<_>>().join(","))
}

/// As much of a text as a message can bear.
pub(super) fn shortened(text: &str) -> String {
    const MOST: usize = 80;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests;
