//! What we tell the program: tables as CSV.

use std::fmt::Write;

use crate::chip::{Presented, Program, SubstrateError};
use crate::network::{LayeredNetwork, Node};

/// Writes the tables of one network.
#[derive(Debug)]
pub(super) struct Tables {
    time_unit: String,
    network: String,
    /// Per node: its population and its index there, as two fields.
    nodes: Vec<String>,
    /// Per synapse in the order of the matrices: the nodes it joins.
    synapses: Vec<(u32, u32)>,
}

impl Tables {
    /// # Errors
    /// If a name has no place in a CSV field without quotes.
    pub fn new(layered: &LayeredNetwork, time_unit: &str) -> Result<Self, SubstrateError> {
        let network = &layered.network;
        let names = network.populations().iter().map(|population| population.name.as_str());
        for name in names.chain([time_unit]) {
            if name.is_empty() || name.contains([',', '"']) || name.contains(char::is_whitespace) {
                return Err(SubstrateError::Name { name: name.to_owned() });
            }
        }
        let nodes = network.populations().iter().flat_map(|population| {
            (0..population.nodes.len()).map(|neuron| format!("{},{neuron}", population.name))
        });
        let edges = network.graph().raw_edges().iter();
        let nodes: Vec<String> = nodes.collect();
        Ok(Tables {
            time_unit: time_unit.to_owned(),
            network: network_table(layered, &nodes),
            nodes,
            synapses: edges
                .map(|edge| (edge.source().index() as u32, edge.target().index() as u32))
                .collect(),
        })
    }

    /// A row per source and neuron.
    pub fn network(&self) -> &str {
        &self.network
    }

    /// A row per synapse.
    ///
    /// # Errors
    /// If there are more or fewer values than synapses.
    pub fn weights(&self, program: &Program<'_>) -> Result<String, SubstrateError> {
        let Program { weights, delays } = *program;
        for (values, found, fits) in [
            ("weights", weights.len(), weights.len() == self.synapses.len()),
            ("delays", delays.len(), [0, self.synapses.len()].contains(&delays.len())),
        ] {
            if !fits {
                let synapses = self.synapses.len();
                return Err(SubstrateError::ValueCount { synapses, found, values });
            }
        }
        let unit = &self.time_unit;
        let mut table =
            format!("pre_population,pre_neuron,post_population,post_neuron,weight,delay_{unit}\n");
        for (index, (&(pre, post), weight)) in self.synapses.iter().zip(weights).enumerate() {
            let (pre, post) = (&self.nodes[pre as usize], &self.nodes[post as usize]);
            let delay = delays.get(index).unwrap_or(&0.0);
            let _ = writeln!(table, "{pre},{post},{weight},{delay}");
        }
        Ok(table)
    }

    /// A row per spike of a source, by sample and then by time.
    pub fn stimulus(&self, samples: &[Presented]) -> String {
        let mut table = format!("sample,population,neuron,time_{}\n", self.time_unit);
        for (sample, presented) in samples.iter().enumerate() {
            let mut spikes = presented.stimulus.clone();
            // Infinity stands for "never".
            spikes.retain(|spike| spike.time.is_finite());
            spikes.sort_by(|a, b| a.time.total_cmp(&b.time).then(a.source.cmp(&b.source)));
            for spike in spikes {
                let node = &self.nodes[spike.source as usize];
                let _ = writeln!(table, "{sample},{node},{}", spike.time);
            }
        }
        table
    }

    /// A table on a stream: its name before, `end` behind it.
    pub fn framed(&self, head: &str, table: &str) -> String {
        format!("{head}\n{table}end\n")
    }
}

fn network_table(layered: &LayeredNetwork, names: &[String]) -> String {
    let mut table = "population,neuron,kind,layer,threshold,tau_m,tau_s,tau_s_inhibitory,\
                     capacitance,leak_potential,reset_potential,refractory_period,bias_current,\
                     initial_potential,initial_current,initial_inhibitory_current\n"
        .to_owned();
    let populations = layered.network.populations();
    let layer_of = |population: usize| {
        let drives = |bias: &Option<_>| *bias == Some(crate::network::PopulationId(population));
        let is_layer = layered.layers.iter().position(|id| id.0 == population);
        is_layer.or_else(|| layered.bias.iter().position(drives)).map_or(0, |layer| layer + 1)
    };
    for (index, population) in populations.iter().enumerate() {
        let layer = layer_of(index);
        for node in population.nodes.clone() {
            let name = &names[node];
            let _ = match layered.network.graph().raw_nodes()[node].weight {
                Node::Source if layer == 0 => writeln!(table, "{name},input,0,,,,,,,,,,,,"),
                Node::Source => writeln!(table, "{name},bias,{layer},,,,,,,,,,,,"),
                Node::Neuron(neuron) => writeln!(
                    table,
                    "{name},neuron,{layer},{},{},{},{},{},{},{},{},{},{},{},{}",
                    neuron.threshold,
                    neuron.tau_m,
                    neuron.tau_s,
                    neuron.tau_s_inhibitory,
                    neuron.capacitance,
                    neuron.leak_potential,
                    neuron.reset_potential,
                    neuron.refractory_period,
                    neuron.bias_current,
                    neuron.initial_potential,
                    neuron.initial_current,
                    neuron.initial_inhibitory_current,
                ),
            };
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::SourceSpike;
    use crate::network::{Layer, layered};
    use crate::neuron::NeuronParameters;

    fn network(name: &str) -> LayeredNetwork {
        let layer = Layer {
            name: name.to_owned(),
            neurons: vec![NeuronParameters { tau_m: f64::INFINITY, ..Default::default() }; 2],
            bias_sources: 1,
            weights: vec![0.5; 4],
            delays: None,
        };
        layered(1, &[layer]).expect("valid")
    }

    #[test]
    fn every_table_names_its_columns() {
        let tables = Tables::new(&network("label"), "us").expect("names that fit");
        let lines: Vec<&str> = tables.network().lines().collect();
        assert_eq!(lines[1..3], ["input,0,input,0,,,,,,,,,,,,", "label_bias,0,bias,1,,,,,,,,,,,,"]);
        assert_eq!(lines[4], "label,1,neuron,1,1,inf,1,1,1,0,0,0,0,0,0,0");
        let columns: Vec<usize> = lines.iter().map(|line| line.split(',').count()).collect();
        assert_eq!(columns, [16; 5]);

        let program = Program { weights: &[1.0, -2.5, 0.125, 1e-9], delays: &[0.0, 0.5, 0.0, 0.0] };
        let weights = tables.weights(&program).expect("as many as synapses");
        let expected = "pre_population,pre_neuron,post_population,post_neuron,weight,delay_us\n\
                        input,0,label,0,1,0\ninput,0,label,1,-2.5,0.5\n\
                        label_bias,0,label,0,0.125,0\nlabel_bias,0,label,1,0.000000001,0\n";
        assert_eq!(weights, expected);
        let wrong = tables.weights(&Program { weights: &[1.0], delays: &[] }).expect_err("too few");
        assert_eq!(wrong.to_string(), "the network has 4 synapses, not 1 weights");

        let spike = |time, source| SourceSpike { time, source };
        let stimulus = vec![spike(0.9, 1), spike(f64::INFINITY, 0), spike(0.3, 0)];
        let samples = [Presented::default(), Presented { stimulus, ..Presented::default() }];
        let expected = "sample,population,neuron,time_us\n1,input,0,0.3\n1,label_bias,0,0.9\n";
        assert_eq!(tables.stimulus(&samples), expected);
    }

    #[test]
    fn a_name_that_would_need_quotes_is_refused() {
        let refused = Tables::new(&network("la,bel"), "us").expect_err("a comma");
        assert!(refused.to_string().starts_with("`la,bel_bias` must not"), "{refused}");
        assert!(Tables::new(&network("label"), "").is_err());
    }
}
