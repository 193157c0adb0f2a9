//! Neurons, synapses and states of a layer in columns, padded so that they fill whole registers on
//! every machine.

use crate::neuron::{Dynamics, NeuronParameters, ParameterError, State};

/// Longest stretch, times the fastest rate, that is looked at as a whole.
pub(super) const PIECE: f64 = 0.125;

/// Columns are padded to a multiple of this: the widest register there is.
pub const PADDING: usize = 8;

/// The neurons of a layer, each with parameters of its own. Potentials are relative to each neuron's
/// leak potential.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct IndividualNeurons {
    count: usize,
    is_split: bool,
    /// `1/τ_m`
    pub(super) membrane_rate: Vec<f64>,
    /// `1/τ_s` of excitatory and inhibitory synapses.
    pub(super) synaptic_rates: [Vec<f64>; 2],
    /// `1/C`
    pub(super) inverse_capacitance: Vec<f64>,
    /// Largest response of the potential to a unit of excitatory current.
    pub(super) largest_response: Vec<f64>,
    pub(super) threshold: Vec<f64>,
    pub(super) reset: Vec<f64>,
    pub(super) refractory_period: Vec<f64>,
    pub(super) leak: Vec<f64>,
    /// Stretches of time whose effect is known in advance.
    pub(super) gaps: Vec<Gap>,
}

/// What a stretch of time of one length does to each neuron, in columns.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Gap {
    pub length: f64,
    /// `e^(−λ_m t)`
    pub decay: Vec<f64>,
    /// `e^(−λ_s t)` of both currents.
    pub left: [Vec<f64>; 2],
    /// `K(t)/C` of both currents.
    pub response: [Vec<f64>; 2],
    /// What the excitatory current and a depth below zero add to the ceiling
    /// ([`super::motion::Rates::ceiling`]).
    pub bend: [Vec<f64>; 2],
}

impl Gap {
    fn new(length: f64, padded: usize) -> Self {
        let zero = || vec![0.0; padded];
        Gap {
            length,
            decay: zero(),
            left: [zero(), zero()],
            response: [zero(), zero()],
            bend: [zero(), zero()],
        }
    }

    fn set(&mut self, index: usize, neuron: &NeuronParameters) {
        let Ok(dynamics) = Dynamics::new(neuron) else { return };
        let propagator = dynamics.propagator(self.length);
        let after = |mut state: State| {
            propagator.apply(&mut state);
            state
        };
        let unit = |potential, current, inhibitory_current| {
            after(State { potential, current, inhibitory_current })
        };
        let still = unit(0.0, 0.0, 0.0).potential;
        self.decay[index] = unit(1.0, 0.0, 0.0).potential - still;
        let excitatory = unit(0.0, 1.0, 0.0);
        let inhibitory =
            if dynamics.has_split_currents() { unit(0.0, 0.0, 1.0) } else { excitatory };
        self.left[0][index] = excitatory.current;
        self.response[0][index] = excitatory.potential - still;
        self.response[1][index] = inhibitory.potential - still;
        self.left[1][index] = inhibitory.current + inhibitory.inhibitory_current;
        let (membrane, synaptic) = (1.0 / neuron.tau_m, 1.0 / neuron.tau_s);
        let eighth = 0.125 * self.length * self.length;
        self.bend[0][index] = (membrane + synaptic) / neuron.capacitance * eighth;
        self.bend[1][index] = membrane * membrane * eighth;
    }
}

impl IndividualNeurons {
    /// Puts neurons into columns. They have no bias currents and start at rest, whatever their
    /// parameters say of that.
    ///
    /// # Errors
    /// If a parameter is out of its range.
    pub fn new(neurons: &[NeuronParameters]) -> Result<Self, ParameterError> {
        let padded = neurons.len().next_multiple_of(PADDING);
        let column = |value: f64| vec![value; padded];
        let mut columns = IndividualNeurons {
            count: neurons.len(),
            is_split: neurons.iter().any(|neuron| neuron.tau_s_inhibitory != neuron.tau_s),
            membrane_rate: column(1.0),
            synaptic_rates: [column(1.0), column(1.0)],
            inverse_capacitance: column(1.0),
            largest_response: column(1.0),
            // Padding never spikes.
            threshold: column(f64::INFINITY),
            reset: column(0.0),
            refractory_period: column(0.0),
            leak: column(0.0),
            gaps: Vec::new(),
        };
        for (index, neuron) in neurons.iter().enumerate() {
            neuron.validate()?;
            columns.set(index, neuron);
        }
        Ok(columns)
    }

    /// Gives a neuron other parameters, which must be valid. A layer whose synaptic time constants are
    /// not split stays so.
    pub fn set(&mut self, index: usize, neuron: &NeuronParameters) {
        let inhibitory = if self.is_split { neuron.tau_s_inhibitory } else { neuron.tau_s };
        self.threshold[index] = neuron.threshold - neuron.leak_potential;
        self.reset[index] = neuron.reset_potential - neuron.leak_potential;
        self.refractory_period[index] = neuron.refractory_period;
        self.leak[index] = neuron.leak_potential;
        self.largest_response[index] = largest_response(neuron);
        let rates = [1.0 / neuron.tau_m, 1.0 / neuron.tau_s, 1.0 / inhibitory];
        let before = [
            self.membrane_rate[index],
            self.synaptic_rates[0][index],
            self.synaptic_rates[1][index],
        ];
        let inverse_capacitance = 1.0 / neuron.capacitance;
        if rates == before && inverse_capacitance == self.inverse_capacitance[index] {
            return;
        }
        [self.membrane_rate[index], self.synaptic_rates[0][index], self.synaptic_rates[1][index]] =
            rates;
        self.inverse_capacitance[index] = inverse_capacitance;
        // Stretches that were prepared hold no longer.
        self.gaps.clear();
    }

    /// Computes in advance what these stretches of time do, for as long as no neuron's time constants
    /// change, and the pieces in which long stretches are looked at.
    pub fn prepare(&mut self, lengths: &[f64], neurons: &[NeuronParameters]) {
        let piece = PIECE / self.fastest_rate();
        let lengths = lengths.iter().copied().filter(|&length| length > 0.0).chain([piece]);
        let padded = self.threshold.len();
        let gap = |length| {
            let mut gap = Gap::new(length, padded);
            for (index, neuron) in neurons.iter().enumerate() {
                gap.set(index, neuron);
            }
            gap
        };
        self.gaps = lengths.map(gap).collect();
    }

    /// Which of the prepared stretches is of this length up to the rounding of its end, if one is.
    #[inline(always)]
    pub(super) fn gap(&self, start: f64, end: f64) -> Option<usize> {
        let rounding = 4.0 * f64::EPSILON * end;
        self.gaps.iter().position(|gap| (end - start - gap.length).abs() <= rounding)
    }

    /// Thresholds above each neuron's leak potential, padding included.
    pub fn thresholds(&self) -> &[f64] {
        &self.threshold
    }

    /// Number of neurons.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Whether excitatory and inhibitory synaptic time constants differ.
    pub fn is_split(&self) -> bool {
        self.is_split
    }

    /// Has excitatory and inhibitory currents apart from now on, even if their time constants are equal.
    pub fn split(&mut self) {
        self.is_split = true;
    }

    /// The fastest of all rates, per time unit.
    pub(super) fn fastest_rate(&self) -> f64 {
        let [excitatory, inhibitory] = &self.synaptic_rates;
        let rates = [&self.membrane_rate, excitatory, inhibitory];
        rates.into_iter().flatten().fold(0.0, |fastest, &rate| fastest.max(rate))
    }

    /// The longest of all membrane and synaptic time constants that are finite, in time units.
    pub fn longest_time_constant(&self) -> f64 {
        let [excitatory, inhibitory] = &self.synaptic_rates;
        let rates = [&self.membrane_rate, excitatory, inhibitory];
        let rates = rates.into_iter().flat_map(|rates| &rates[..self.count]);
        let slowest = rates.filter(|&&rate| rate > 0.0).fold(f64::INFINITY, |a, &b| a.min(b));
        1.0 / slowest
    }
}

/// An upper bound of the potential's response to a unit of current, `max K(t)/C`: the peak of `K` is at
/// most that of the neuron whose two time constants both are the longer one, `τ/e` of it, and at most
/// the shorter one.
fn largest_response(neuron: &NeuronParameters) -> f64 {
    let (short, long) = (neuron.tau_m.min(neuron.tau_s), neuron.tau_m.max(neuron.tau_s));
    short.min(long / std::f64::consts::E) * (1.0 + 1e-12) / neuron.capacitance
}

/// What the neurons of a layer carry from one sample to the next.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NeuronStates {
    /// Relative to the leak potential.
    pub(super) potential: Vec<f64>,
    /// Excitatory and inhibitory current; the first is both if they share a time constant.
    pub(super) currents: [Vec<f64>; 2],
    /// What is left of the refractory period.
    pub(super) held: Vec<f64>,
    leak: Vec<f64>,
}

impl NeuronStates {
    /// All neurons at rest.
    pub fn at_rest(neurons: &IndividualNeurons) -> Self {
        let zero = vec![0.0; neurons.threshold.len()];
        NeuronStates {
            potential: zero.clone(),
            currents: [zero.clone(), zero.clone()],
            held: zero,
            leak: neurons.leak.clone(),
        }
    }

    /// Neurons whose leak potentials have changed keep their membrane potentials.
    pub fn adapt(&mut self, neurons: &IndividualNeurons) {
        for ((potential, before), &now) in
            self.potential.iter_mut().zip(&mut self.leak).zip(&neurons.leak)
        {
            *potential += *before - now;
            *before = now;
        }
    }
}

/// The weights of a layer: for each group of eight neurons all rows, one after the other.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SynapseColumns {
    rows: usize,
    columns: usize,
    values: Vec<f64>,
}

impl SynapseColumns {
    /// Room for a matrix of a row per presynaptic and a column per postsynaptic neuron, of zeros.
    pub fn new(rows: usize, columns: usize) -> Self {
        let values = vec![0.0; rows * columns.next_multiple_of(PADDING)];
        SynapseColumns { rows, columns, values }
    }

    /// Takes a matrix, row by row.
    pub fn set(&mut self, matrix: impl IntoIterator<Item = f64>) {
        let mut matrix = matrix.into_iter();
        for row in 0..self.rows {
            for column in 0..self.columns {
                let index = self.index(row, column);
                self.values[index] = matrix.next().unwrap_or(0.0);
            }
        }
    }

    fn index(&self, row: usize, column: usize) -> usize {
        (column / PADDING * self.rows + row) * PADDING + column % PADDING
    }

    /// The rows of one group of neurons.
    #[inline(always)]
    pub(super) fn group(&self, group: usize) -> &[f64] {
        &self.values[group * self.rows * PADDING..][..self.rows * PADDING]
    }
}
