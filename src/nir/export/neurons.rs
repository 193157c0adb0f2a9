//! Parameters of neurons in the terms of a dialect: the inverse of reading them.

use super::super::convention::{Convention, Dialect, Jump, Reset, Resistance};
use super::super::model::{Field, Node, Tensor};
use super::ExportError;
use crate::neuron::NeuronParameters;
use crate::settings::TimeUnit;

/// How a dialect says things.
pub(super) struct Terms {
    pub(super) dialect: Dialect,
    pub(super) convention: Convention,
    /// What times of the network are multiplied by.
    pub(super) ratio: f64,
}

/// What becomes of the input of a neuron.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    /// What weights are multiplied by.
    pub(super) weight: f64,
    /// The bias that makes its constant current.
    pub(super) bias: f64,
}

impl Terms {
    pub(super) fn new(
        unit: TimeUnit,
        dialect: Dialect,
        step: Option<f64>,
        notes: &mut Vec<String>,
    ) -> Self {
        let convention = dialect.convention(step);
        if dialect == Dialect::Strict {
            if unit != TimeUnit::S {
                notes.push(format!(
                    "times are in {}, which the metadata say; programs that expect seconds do not read them",
                    unit.suffix()
                ));
            }
            return Terms { dialect, convention, ratio: 1.0 };
        }
        let seconds = unit.seconds().unwrap_or_else(|| {
            notes.push("times in tau_s have no unit: tau_s is written as 1 s".to_owned());
            1.0
        });
        let theirs = convention.unit.seconds().unwrap_or(1.0) * convention.scale;
        if convention.reset == Reset::Subtract {
            notes.push(format!(
                "{} resets by subtraction, and this network to a value: they differ after a neuron's first spike",
                dialect.name()
            ));
        }
        Terms { dialect, convention, ratio: if seconds == theirs { 1.0 } else { seconds / theirs } }
    }

    /// The node of a population, and what its input is multiplied by.
    pub(super) fn node(
        &self,
        population: &str,
        neurons: &[NeuronParameters],
        notes: &mut Vec<String>,
    ) -> Result<(Node, Vec<Scale>), ExportError> {
        let refuse = |reason: String, help: &str| {
            Err(ExportError { population: population.to_owned(), reason, help: help.to_owned() })
        };
        let step = match (self.convention.resistance, self.convention.jump) {
            (Resistance::PerStep(dt), _) | (_, Jump::Step(dt)) => Some(dt),
            (_, Jump::Weight(dt)) => dt,
            _ => None,
        };
        let mut columns: [Vec<f64>; 4] = Default::default();
        let mut scales = Vec::with_capacity(neurons.len());
        for (place, neuron) in neurons.iter().enumerate() {
            let (tau_m, tau_s) = (neuron.tau_m * self.ratio, neuron.tau_s * self.ratio);
            if !tau_m.is_finite() {
                return refuse(
                    format!("neuron {place} has no leak, and its synapses a time constant"),
                    "NIR has no such node; a large tau_m comes close",
                );
            }
            // The resistance that keeps currents as they are, and the one that the dialect has.
            let own = tau_m / (neuron.capacitance * self.ratio);
            let written = match (self.dialect, self.convention.resistance, step) {
                (_, Resistance::One, _) => 1.0,
                (Dialect::Snntorch | Dialect::Spyx, _, Some(dt)) if tau_m <= dt || tau_s <= dt => {
                    return refuse(
                        format!(
                            "neuron {place}: time constants of {tau_m} and {tau_s} in steps of {dt}"
                        ),
                        "they must be longer than a step: give a smaller --step",
                    );
                }
                (Dialect::Snntorch | Dialect::Spyx, _, Some(dt)) => tau_m / dt,
                _ => own,
            };
            let currents = own / written;
            let (w_in, mut scale) = match self.convention.jump {
                Jump::Delta => (tau_s, 1.0),
                Jump::Step(dt) => (tau_s / dt, 1.0),
                Jump::Weight(_) => (1.0, 1.0),
            };
            if currents != 1.0 {
                scale *= currents;
            }
            let current = neuron.bias_current * currents;
            let bias = match (self.convention.jump, current == 0.0) {
                (_, true) => 0.0,
                (Jump::Delta | Jump::Step(_), _) => current / w_in,
                (Jump::Weight(Some(dt)), _) => current * dt / tau_s,
                (Jump::Weight(None), _) => {
                    return refuse(
                        format!("neuron {place} has a constant current"),
                        "a bias of this dialect comes in steps: give their length, --step",
                    );
                }
            };
            if self.convention.leaky_synapse && neuron.leak_potential != 0.0 {
                return refuse(
                    format!("neuron {place} has the leak potential {}", neuron.leak_potential),
                    "norse lets the synaptic current decay to it, too: shift all potentials by it",
                );
            }
            for (column, value) in columns.iter_mut().zip([tau_m, tau_s, written, w_in]) {
                column.push(value);
            }
            scales.push(Scale { weight: scale, bias });
        }
        self.say(population, neurons, notes);
        let [tau_mem, tau_syn, r, w_in] = columns.map(Tensor::vector);
        let column = |parameter: fn(&NeuronParameters) -> f64| {
            Tensor::vector(neurons.iter().map(parameter).collect())
        };
        let mut node = Node::new(
            "CubaLIF",
            [
                ("tau_mem", tau_mem),
                ("tau_syn", tau_syn),
                ("r", r),
                ("w_in", w_in),
                ("v_leak", column(|neuron| neuron.leak_potential)),
                ("v_reset", column(|neuron| neuron.reset_potential)),
                ("v_threshold", column(|neuron| neuron.threshold)),
            ],
        );
        if self.dialect == Dialect::Strict {
            let values = neurons.iter().flat_map(|neuron| neuron.each_ref().map(|value| *value));
            let all =
                Tensor { shape: vec![neurons.len(), 12], values: values.collect(), whole: false };
            node.metadata.insert("firstspike_neurons".to_owned(), Field::Numbers(all));
        }
        Ok((node, scales))
    }

    /// Says what no field of the file has.
    fn say(&self, population: &str, neurons: &[NeuronParameters], notes: &mut Vec<String>) {
        let any = |differs: fn(&NeuronParameters) -> bool| neurons.iter().any(differs);
        let lost = [
            ("a refractory period", any(|neuron| neuron.refractory_period != 0.0)),
            (
                "a synaptic time constant of inhibition",
                any(|neuron| neuron.tau_s_inhibitory != neuron.tau_s),
            ),
            (
                "initial potentials or currents",
                any(|neuron| {
                    neuron.initial_potential != neuron.leak_potential
                        || (neuron.initial_current != 0.0
                            && neuron.initial_current != -neuron.bias_current)
                        || neuron.initial_inhibitory_current != 0.0
                }),
            ),
            (
                "constant currents from the beginning, where NIR filters them",
                any(|neuron| {
                    neuron.bias_current != 0.0 && neuron.initial_current != -neuron.bias_current
                }),
            ),
        ];
        let lost: Vec<&str> =
            lost.iter().filter(|(_, lost)| *lost).map(|(name, _)| *name).collect();
        if lost.is_empty() {
            return;
        }
        let where_to = match self.dialect {
            Dialect::Strict => "only the metadata, which firstspike reads, have it",
            _ => "it is lost",
        };
        notes.push(format!("`{population}` has {}: {where_to}", lost.join(", ")));
    }
}
