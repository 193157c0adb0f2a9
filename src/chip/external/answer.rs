//! What the program tells us: recorded spikes as CSV.
//!
//! What cannot be true is an error with its line: an unknown population, neuron or sample, a time that
//! is negative or no number, a row that is no row. What can happen on real hardware is let through and
//! counted.

use std::collections::HashMap;
use std::io::Read;
use std::ops::Range;
use std::sync::Arc;

use crate::chip::{AnswerProblem, Presented};
use crate::engine::Spike;
use crate::network::{LayeredNetwork, Node};

/// More spikes than this per neuron and sample, on average, are a flood and not an answer.
const MOST_SPIKES: usize = 1000;

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

/// The problem of an answer that the csv crate cannot read on.
fn unreadable(error: csv::Error) -> AnswerProblem {
    if !error.is_io_error() {
        return AnswerProblem::NotCsv(Arc::new(error));
    }
    AnswerProblem::Unreadable(Arc::new(error.into()))
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
            .from_reader(input);
        let mut record = csv::StringRecord::new();
        if !reader.read_record(&mut record).map_err(unreadable)? {
            return Err(AnswerProblem::NoHeading { time_column: self.time_column.clone() });
        }
        let columns = self.columns(&record)?;
        let most = MOST_SPIKES * self.neurons * samples.len();
        let mut rows = 0;
        while reader.read_record(&mut record).map_err(unreadable)? {
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
            heading.iter().position(|column| column == name).ok_or_else(|| {
                AnswerProblem::NoColumn { column: name.to_owned(), heading: text_of(heading) }
            })
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
mod tests {
    use super::*;
    use crate::engine::SourceSpike;
    use crate::network::{Layer, layered};
    use crate::neuron::NeuronParameters;

    fn layer(name: &str, size: usize, rows: usize) -> Layer {
        let neurons = vec![NeuronParameters::default(); size];
        let weights = vec![1.0; rows * size];
        Layer { name: name.to_owned(), neurons, bias_sources: 0, weights, delays: None }
    }

    /// Two samples of a 2–3–2 network, whose inputs start at 0.25.
    fn read(answer: &str) -> (Result<Vec<Vec<Spike>>, AnswerProblem>, Anomalies) {
        let layers = [layer("hidden", 3, 2), layer("label", 2, 3)];
        let reader = AnswerReader::new(&layered(2, &layers).expect("valid"), "us");
        let stimulus =
            vec![SourceSpike { time: 0.5, source: 1 }, SourceSpike { time: 0.25, source: 0 }];
        let samples = vec![Presented { stimulus, ..Presented::default() }; 2];
        let mut anomalies = Anomalies::default();
        let spikes = reader.read(&mut answer.as_bytes(), &samples, &mut anomalies);
        (spikes, anomalies)
    }

    #[test]
    fn columns_and_rows_may_come_in_any_order_and_odd_ones_are_counted() {
        let (spikes, anomalies) = read(
            "time_us, neuron,population ,voltage,sample\r\n2.5,1,label,7,0\n1e0,2,hidden,,0\n\
             1.5,2,hidden,,0\n2.5,1,label,8,0\n\n0.3,0,input,,1\n0.125,0,hidden,,1\n",
        );
        let spike = |node, time| Spike { node, time };
        let expected = [vec![spike(4, 1.0), spike(4, 1.5), spike(6, 2.5)], vec![spike(2, 0.125)]];
        assert_eq!(spikes.expect("an answer"), expected);
        let expected = Anomalies {
            samples: 2,
            extra_spikes: 1,
            duplicated_rows: 1,
            rows_of_sources: 1,
            spikes_before_stimulus: 1,
            samples_without_label: 1,
        };
        assert_eq!(anomalies, expected);
        assert_eq!(anomalies.warnings().len(), 5);
        assert_eq!(Anomalies { samples: 2, ..Anomalies::default() }.warnings(), [""; 0]);
        let (silent, anomalies) = read("sample,population,neuron,time_us\n");
        assert_eq!(silent.expect("an answer"), [vec![], vec![]]);
        assert_eq!(anomalies.samples_without_label, 2);
    }

    #[test]
    fn what_cannot_be_is_refused_with_its_line() {
        let cases = [
            ("", "line 1: there is no heading: it must be sample,population,neuron,time_us"),
            ("hello, world", "line 1: there is no column `sample` in `hello,world`"),
            ("sample,population,neuron,time_ms\n", "line 1: there is no column `time_us`"),
            ("#\n0,label,0,1\n0,label,0\n", "line 3: `0,label,0` has 3 of 4 fields"),
            ("#\n0,label,0,1,1\n", "line 2: `0,label,0,1,1` has 5 of 4 fields"),
            ("#\n2,label,0,1\n", "line 2: sample `2` must be a number from 0 to 1"),
            ("#\n-1,label,0,1\n", "line 2: sample `-1` must be"),
            ("#\n0,labels,0,1\n", "population `labels` must be the name of a layer: hidden, label"),
            ("#\n0,label,2,1\n", "neuron `2` must be a number from 0 to 1 in `label`"),
            ("#\n0,label,x,1\n", "neuron `x` must be"),
            ("#\n0,label,0,nan\n", "line 2: time `nan` must be a finite number, not negative"),
            ("#\n0,label,0,inf\n", "time `inf` must be"),
            ("#\n0,label,0,-0.1\n", "time `-0.1` must be"),
            ("#\n0,label,0,\n", "time `` must be"),
        ];
        for (answer, expected) in cases {
            let answer = answer.replace('#', "sample,population,neuron,time_us");
            let (spikes, anomalies) = read(&answer);
            let message = spikes.expect_err(&answer).to_string();
            assert!(message.contains(expected), "{message}");
            assert_eq!(anomalies, Anomalies::default());
        }
        let flood = "0,label,0,1\n".repeat(10_001);
        let (spikes, _) = read(&format!("sample,population,neuron,time_us\n{flood}"));
        let message = spikes.expect_err("a flood").to_string();
        assert_eq!(message, "line 10002: more than 10000 spikes are too many");
    }
}
