//! Neurons, synapses and states of a layer in columns, padded so that they fill whole registers on
//! every machine.

use crate::neuron::{Dynamics, NeuronParameters, ParameterError, State};

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
    /// `C λ_m`
    pub(super) leak_conductance: Vec<f64>,
    /// `a_e` and `a_i` of `convexity`.
    pub(super) against_convexity: [Vec<f64>; 2],
    pub(super) threshold: Vec<f64>,
    pub(super) reset: Vec<f64>,
    pub(super) refractory_period: Vec<f64>,
    pub(super) leak: Vec<f64>,
    /// None while it is not known.
    rate_range: Option<RateRange>,
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
            leak_conductance: column(1.0),
            against_convexity: [column(0.0), column(0.0)],
            // Padding never spikes.
            threshold: column(f64::INFINITY),
            reset: column(0.0),
            refractory_period: column(0.0),
            leak: column(0.0),
            rate_range: None,
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
        self.set_potentials(index, neuron);
        let inhibitory = if self.is_split { neuron.tau_s_inhibitory } else { neuron.tau_s };
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
        self.leak_conductance[index] = neuron.capacitance / neuron.tau_m;
        [self.against_convexity[0][index], self.against_convexity[1][index]] =
            against_convexity(rates);
        // What was prepared holds no longer.
        self.rate_range = None;
        self.gaps.clear();
    }

    /// Gives a neuron the potentials and the refractory period of these parameters, which must be valid.
    #[inline]
    pub fn set_potentials(&mut self, index: usize, neuron: &NeuronParameters) {
        self.threshold[index] = neuron.threshold - neuron.leak_potential;
        self.reset[index] = neuron.reset_potential - neuron.leak_potential;
        self.refractory_period[index] = neuron.refractory_period;
        self.leak[index] = neuron.leak_potential;
    }

    /// Computes in advance what these stretches of time do, for as long as no neuron's time constants
    /// change.
    pub fn prepare(&mut self, lengths: &[f64], neurons: &[NeuronParameters]) {
        let lengths = lengths.iter().copied().filter(|&length| length > 0.0);
        let padded = self.threshold.len();
        let gap = |length| {
            let mut gap = Gap::new(length, padded);
            for (index, neuron) in neurons.iter().enumerate() {
                gap.set(index, neuron);
            }
            gap
        };
        self.gaps = lengths.map(gap).collect();
        self.rate_range = Some(self.find_rate_range());
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

    /// The longest of all membrane and synaptic time constants that are finite, in time units.
    pub fn longest_time_constant(&self) -> f64 {
        1.0 / self.rate_range().slowest
    }

    /// What is known of all rates.
    pub(super) fn rate_range(&self) -> RateRange {
        self.rate_range.unwrap_or_else(|| self.find_rate_range())
    }

    fn find_rate_range(&self) -> RateRange {
        let mut range = RateRange { fastest: 0.0, slowest: f64::INFINITY, largest_distance: 0.0 };
        let [excitatory, inhibitory] = &self.synaptic_rates;
        for neuron in 0..self.count {
            let membrane = self.membrane_rate[neuron];
            for rate in [membrane, excitatory[neuron], inhibitory[neuron]] {
                range.fastest = range.fastest.max(rate);
                range.largest_distance = range.largest_distance.max((rate - membrane).abs());
                if rate > 0.0 {
                    range.slowest = range.slowest.min(rate);
                }
            }
        }
        range
    }
}

/// What is known of all rates of a layer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct RateRange {
    pub fastest: f64,
    /// The slowest that is not zero.
    pub slowest: f64,
    /// Between a neuron's membrane and its synapses.
    pub largest_distance: f64,
}

/// See `convexity`: rates are those of the membrane, and of excitatory and inhibitory synapses. Infinite if
/// the membrane does not leak, where nothing is convex but for what no current is.
fn against_convexity([membrane, excitatory, inhibitory]: [f64; 3]) -> [f64; 2] {
    let slower = membrane - excitatory;
    let faster = (inhibitory - membrane).max(0.0);
    [slower.max(slower * slower / membrane), faster * (faster / membrane).powi(2).max(1.0)]
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
