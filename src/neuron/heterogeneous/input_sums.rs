//! Sums over all inputs of one neuron up to each of them, with the inputs in lanes.
//!
//! Multiplied by `e^(λ_m t)`, the potential does not leak, and the current of an input at `t_j` with weight
//! `w` is `w e^(λ_s t_j) e^(d t)` with `d = λ_m − λ_s`. With the entire function `ψ(t) = (e^(d t) − 1)/d` the
//! charge `C V` is
//!
//! ```text
//! C V(t) e^(λ_m t) = U(t) + c        U(t) = Σ_s (a_s ψ_s(t)) − b
//! a_s = Σ_j w_j e^(λ_s t_j)          b = Σ_s Σ_j w_j e^(λ_s t_j) ψ_s(t_j)
//! I_s(t) e^(λ_m t) = a_s (1 + d_s ψ_s(t))
//! ```
//!
//! summed over the inputs up to `t` at excitatory and at inhibitory synapses, because what an input adds
//! since is `(e^(d t) − e^(d t_j))/d = ψ(t) − ψ(t_j)`. Currents at time zero count as inputs at time zero. A
//! spike changes only the constant `c`, so the sums serve the whole sample. Time is counted from the middle
//! of the sample, which keeps all exponents small. With `z = d t`, `ψ(t) = t φ(z)` and
//!
//! ```text
//! e^(λ_s t) = e^(λ_m t) e^(−z) = e^(λ_m t) (1 − z φ(−z))
//! ```
//!
//! so that one exponential serves both currents. The series of `φ(z)` and `φ(−z)` have their even and odd
//! terms in common.
//!
//! *Slots.* Slot 0 is time zero, slot `j` the `j`-th input. Slots that remain are at the time of the last
//! input, without weight. Each lane has a run of consecutive slots, one in each row of the table. The sums
//! of a lane go on from row to row; those of the lanes before are added where the sums are used.
//!
//! ```text
//!          lane 0  lane 1  lane 2  …
//! row 0       0       3       6
//! row 1       1       4       7
//! row 2       2       5       8
//! ```

use pulp::{Simd, WithSimd};

use super::blocks::{BLOCK_SIZE, Column};
use super::neurons::HeterogeneousNeurons;
use super::params::PARAMS;
use super::propagation::{PHI_NEAR, PHI_WIDE};
use crate::simd::{F64s, registers, registers_mut};

/// The parameters of one neuron.
#[derive(Clone, Copy, Debug)]
pub struct NeuronConstants {
    /// `λ_m`
    pub membrane_rate: f64,
    /// `λ_m − λ_s` of both currents.
    pub rate_difference: [f64; 2],
    /// `C`
    pub capacitance: f64,
    /// `C ϑ`
    pub threshold_charge: f64,
}

impl NeuronConstants {
    /// A neuron that never spikes.
    pub const NONE: NeuronConstants = NeuronConstants {
        membrane_rate: 1.0,
        rate_difference: [0.0; 2],
        capacitance: 1.0,
        threshold_charge: f64::INFINITY,
    };

    #[inline(always)]
    pub fn new(neurons: &HeterogeneousNeurons, neuron: usize) -> Self {
        let (block, index) = (&neurons.blocks[neuron / BLOCK_SIZE], neuron % BLOCK_SIZE);
        let capacitance = 1.0 / block.inverse_capacitance[index];
        let [excitatory, inhibitory] = &block.rate_difference;
        NeuronConstants {
            membrane_rate: block.membrane_rate[index],
            rate_difference: [excitatory[index], inhibitory[index]],
            capacitance,
            threshold_charge: capacitance * block.threshold[index],
        }
    }

    /// `e^(d t)` from `ψ(t)`.
    #[inline(always)]
    fn current_growth(&self, current: usize, psi: f64) -> f64 {
        self.rate_difference[current].mul_add(psi, 1.0)
    }
}

/// The sums of a neuron at a slot, after its input.
#[derive(Clone, Copy, Debug)]
pub struct Slot {
    /// `e^(λ_m t)`
    growth: f64,
    /// `ψ` of both currents.
    psi: [f64; 2],
    /// `a` of both currents.
    a: [f64; 2],
    b: f64,
}

impl Slot {
    /// `U` at another slot, if there is no input before.
    #[inline(always)]
    fn charge_at(&self, later: &Slot) -> f64 {
        self.a[0] * later.psi[0] + (self.a[1] * later.psi[1] - self.b)
    }

    /// `c`, from the potential at another slot, if there is no input before.
    #[inline(always)]
    pub fn constant(&self, later: &Slot, potential: f64, neuron: &NeuronConstants) -> f64 {
        potential * neuron.capacitance * later.growth - self.charge_at(later)
    }

    /// The potential at another slot, from `c`, if there is no input before.
    #[inline(always)]
    pub fn potential(&self, later: &Slot, constant: f64, neuron: &NeuronConstants) -> f64 {
        (self.charge_at(later) + constant) / (neuron.capacitance * later.growth)
    }

    /// Both currents.
    #[inline(always)]
    pub fn currents(&self, neuron: &NeuronConstants) -> [f64; 2] {
        let current = |index: usize| {
            self.a[index] * neuron.current_growth(index, self.psi[index]) / self.growth
        };
        [current(0), current(1)]
    }
}

/// Registers of a row of the table: `e^(λ_m t)`, both `ψ`, and within the lane both `a`, and `b`.
pub(super) const ENTRIES: usize = 6;
pub(super) const PSI: usize = 1;
pub(super) const A: usize = 3;
pub(super) const B: usize = 5;

/// The sums of a register of neurons.
#[derive(Debug, Default)]
pub struct InputSums {
    /// Slots of a lane.
    pub(super) rows: usize,
    /// Where times are counted from.
    middle: f64,
    /// Of each slot, and of one row more.
    times: AlignedNumbers,
    /// Row by row, for `width` neurons one after the other.
    weights: AlignedNumbers,
    width: usize,
    /// Neuron by neuron.
    table: AlignedNumbers,
    /// Both `a`, and `b`, of all lanes before each, neuron by neuron.
    before: Vec<[Column; 3]>,
}

impl InputSums {
    /// Whether sums over inputs from time zero to a last one are exact to rounding.
    pub fn are_exact(neurons: &HeterogeneousNeurons, last: f64) -> bool {
        let (rates, half) = (neurons.rate_range(), 0.5 * last);
        rates.fastest * half <= PARAMS.largest_sum_exponent
            && rates.largest_difference * half <= PARAMS.wide_z
    }

    /// Gives inputs, sorted by time, their slots.
    #[inline(always)]
    pub fn arrange<S: Simd, I>(&mut self, inputs: &[I], time: impl Fn(&I) -> f64) {
        let lanes = S::F64_LANES;
        self.rows = (inputs.len() + 1).div_ceil(lanes);
        let last = inputs.last().map_or(0.0, &time);
        self.middle = 0.5 * last;
        self.times.resize((self.rows + 1) * lanes);
        let (rows, middle) = (self.rows, self.middle);
        let times = self.times.values_mut();
        for lane in 0..lanes {
            for row in 0..rows {
                let input = (lane * rows + row).checked_sub(1).map(|index| inputs.get(index));
                let time = input.map_or(0.0, |input| input.map_or(last, &time));
                times[row * lanes + lane] = time - middle;
            }
        }
        times[rows * lanes..].fill(last - middle);
    }

    /// Reads the weights of the inputs at `count` neurons of a register; `weights` has at least so many of
    /// each input as the power of two that holds the neurons.
    #[inline(always)]
    pub fn read<'a, S: Simd, I>(
        &mut self,
        inputs: &[I],
        count: usize,
        weights: impl Fn(&I) -> &'a [f64],
    ) {
        self.table.resize(count * self.rows * S::F64_LANES * ENTRIES);
        self.before.resize(count, [[0.0; BLOCK_SIZE]; 3]);
        // Reading more weights than needed costs less than counting them.
        match count {
            1 => self.fill::<S, I, 1>(inputs, weights),
            2 => self.fill::<S, I, 2>(inputs, weights),
            3 | 4 => self.fill::<S, I, 4>(inputs, weights),
            _ => self.fill::<S, I, BLOCK_SIZE>(inputs, weights),
        }
    }

    /// Fills the slots of `N` neurons.
    #[inline(always)]
    fn fill<'a, S: Simd, I, const N: usize>(
        &mut self,
        inputs: &[I],
        weights: impl Fn(&I) -> &'a [f64],
    ) {
        let (lanes, rows) = (S::F64_LANES, self.rows);
        self.width = N;
        self.weights.resize(N * rows * lanes);
        let table = self.weights.values_mut();
        for lane in 0..lanes {
            for (row, slots) in table.chunks_exact_mut(lanes * N).enumerate() {
                // Slot 0 and those that remain have no weights.
                let input = (lane * rows + row).checked_sub(1).and_then(|index| inputs.get(index));
                let weights = input.map_or(&[0.0; N][..], |input| &weights(input)[..N]);
                for (neuron, &weight) in weights.iter().enumerate() {
                    slots[neuron * lanes + lane] = weight;
                }
            }
        }
    }

    /// Sums for one of these neurons, with its currents at time zero.
    #[inline(always)]
    pub fn sum<S: Simd, const SPLIT: bool>(
        &mut self,
        simd: S,
        index: usize,
        neuron: &NeuronConstants,
        currents: [f64; 2],
    ) {
        let size = self.rows * S::F64_LANES;
        let times = &self.times.values()[..size];
        let weights = &self.weights.values()[index * S::F64_LANES..];
        let width = self.width;
        let table = &mut self.table.values_mut()[index * size * ENTRIES..][..size * ENTRIES];
        let [excitatory, inhibitory] = neuron.rate_difference;
        let largest_z = self.middle * excitatory.abs().max(inhibitory.abs());
        macro_rules! sum_rows {
            ($phi:expr) => {{
                let phi = $phi;
                let rows =
                    SumRows::<S, SPLIT, _> { simd, neuron, times, weights, width, table, phi };
                simd.vectorize(rows)
            }};
        }
        let is_near = largest_z <= PARAMS.near_z;
        let totals = if is_near { sum_rows!(&PHI_NEAR) } else { sum_rows!(&PHI_WIDE) };
        self.carry_over::<S>(index, neuron, currents, &totals);
    }

    /// Sums what is before each lane, currents at time zero included.
    #[inline(always)]
    fn carry_over<S: Simd>(
        &mut self,
        index: usize,
        neuron: &NeuronConstants,
        currents: [f64; 2],
        totals: &[Column; 3],
    ) {
        let first = self.entries::<S>(index, 0);
        let mut sums = [0.0; 3];
        for current in 0..2 {
            let psi = first[(PSI + current) * S::F64_LANES];
            let growth = neuron.current_growth(current, psi);
            sums[current] = currents[current] * first[0] / growth;
            sums[2] += sums[current] * psi;
        }
        let before = &mut self.before[index];
        for lane in 0..S::F64_LANES {
            for (quantity, sum) in sums.iter_mut().enumerate() {
                before[quantity][lane] = *sum;
                *sum += totals[quantity][lane];
            }
        }
    }

    /// The entries of a neuron from a row on.
    #[inline(always)]
    fn entries<S: Simd>(&self, index: usize, row: usize) -> &[f64] {
        &self.table.values()[(index * self.rows + row) * S::F64_LANES * ENTRIES..]
    }

    /// The sums of a neuron at a slot.
    #[inline(always)]
    pub fn slot<S: Simd>(&self, index: usize, slot: usize) -> Slot {
        let (row, lane) = (slot % self.rows, slot / self.rows);
        let entries = &self.entries::<S>(index, row)[..S::F64_LANES * ENTRIES];
        let entry = |which: usize| entries[which * S::F64_LANES + lane];
        let before = &self.before[index];
        Slot {
            growth: entry(0),
            psi: [entry(PSI), entry(PSI + 1)],
            a: [entry(A) + before[0][lane], entry(A + 1) + before[1][lane]],
            b: entry(B) + before[2][lane],
        }
    }

    /// The table of a neuron, and the sums before each lane.
    #[inline(always)]
    pub(super) fn of_neuron<S: Simd>(&self, index: usize) -> (&[f64], &[Column; 3]) {
        let size = self.rows * S::F64_LANES * ENTRIES;
        (&self.entries::<S>(index, 0)[..size], &self.before[index])
    }

    /// The times of all slots, and of one row more.
    #[inline(always)]
    pub(super) fn times(&self) -> &[f64] {
        self.times.values()
    }
}

/// All rows of a neuron.
struct SumRows<'a, S, const SPLIT: bool, const N: usize> {
    simd: S,
    neuron: &'a NeuronConstants,
    times: &'a [f64],
    /// From those of this neuron on.
    weights: &'a [f64],
    width: usize,
    table: &'a mut [f64],
    phi: &'a [f64; N],
}

impl<S: Simd, const SPLIT: bool, const N: usize> WithSimd for SumRows<'_, S, SPLIT, N> {
    /// Both `a`, and `b`, of each lane.
    type Output = [Column; 3];

    #[inline(always)]
    fn with_simd<Same: Simd>(self, _: Same) -> [Column; 3] {
        let SumRows { simd, neuron, times, weights, width, table, phi } = self;
        let all = |value| F64s::<S>::splat(simd, value);
        let (zero, one) = (all(0.0), all(1.0));
        let membrane_rate = all(neuron.membrane_rate);
        let [excitatory, inhibitory] = neuron.rate_difference;
        let (excitatory, inhibitory) = (all(excitatory), all(inhibitory));
        let (mut a_excitatory, mut a_inhibitory, mut b) = (zero, zero, zero);
        let rows = registers::<S>(times).iter().zip(registers::<S>(weights).iter().step_by(width));
        let table = registers_mut::<S>(table).as_chunks_mut::<ENTRIES>().0;
        for ((&time, &weight), entry) in rows.zip(table) {
            let (time, weight) = (F64s::new(simd, time), F64s::new(simd, weight));
            let growth = (membrane_rate * time).exp_within_range();
            let weight = weight * growth;
            let (psi, decay) = psi_and_decay(time, excitatory, one, phi);
            let mut psi_inhibitory = zero;
            if SPLIT {
                let (other_psi, other_decay) = psi_and_decay(time, inhibitory, one, phi);
                let exciting = weight.max_of_numbers(zero) * decay;
                let inhibiting = weight.min(zero) * other_decay;
                a_excitatory = a_excitatory + exciting;
                a_inhibitory = a_inhibitory + inhibiting;
                b = exciting.multiply_add(psi, b);
                b = inhibiting.multiply_add(other_psi, b);
                psi_inhibitory = other_psi;
            } else {
                let weight = weight * decay;
                a_excitatory = a_excitatory + weight;
                b = weight.multiply_add(psi, b);
            }
            *entry = [
                growth.value(),
                psi.value(),
                psi_inhibitory.value(),
                a_excitatory.value(),
                a_inhibitory.value(),
                b.value(),
            ];
        }
        let mut totals = [[0.0; BLOCK_SIZE]; 3];
        registers_mut::<S>(&mut totals[0])[0] = a_excitatory.value();
        registers_mut::<S>(&mut totals[1])[0] = a_inhibitory.value();
        registers_mut::<S>(&mut totals[2])[0] = b.value();
        totals
    }
}

/// `ψ(t)` and `e^(−d t)`.
#[inline(always)]
fn psi_and_decay<S: Simd, const N: usize>(
    time: F64s<S>,
    rate_difference: F64s<S>,
    one: F64s<S>,
    phi: &[f64; N],
) -> (F64s<S>, F64s<S>) {
    let z = rate_difference * time;
    let [even, odd] = z.halves(phi);
    let odd = z * odd;
    (time * (even + odd), one.minus_product(z, even - odd))
}

/// Numbers that begin where a register may, of which the first `len` are in use.
#[derive(Debug, Default)]
struct AlignedNumbers {
    values: Vec<f64>,
    start: usize,
    len: usize,
}

impl AlignedNumbers {
    /// Makes room; the numbers are then unspecified.
    fn resize(&mut self, len: usize) {
        if self.values.len() < len + BLOCK_SIZE {
            self.values.resize(len + BLOCK_SIZE, 0.0);
        }
        self.start = self.values.as_ptr().align_offset(size_of::<Column>()).min(BLOCK_SIZE);
        self.len = len;
    }

    #[inline(always)]
    fn values(&self) -> &[f64] {
        &self.values[self.start..self.start + self.len]
    }

    #[inline(always)]
    fn values_mut(&mut self) -> &mut [f64] {
        &mut self.values[self.start..self.start + self.len]
    }
}
