//! The first interval between inputs of one neuron on which a crossing is not excluded, with the intervals
//! in lanes.
//!
//! As in `convexity`, the distance to the threshold is taken without the leak,
//! `G = C (ϑ − V) e^(λ_m t)`, with the sums of `input_sums`:
//!
//! ```text
//! G = θ(t) − U(t) − c      θ(t) = C ϑ e^(λ_m t)
//! Ġ = λ_m θ − Σ_s I_s e^(λ_m t)        G̈ = λ_m² θ − Σ_s d_s I_s e^(λ_m t)
//! ```
//!
//! If the threshold is not below rest, only `d_e E > 0` and `d_i J > 0` bend `G` downwards. Times `e^(λ_m t)`,
//! the first grows and is largest at the end of an interval; the second decays and is largest at its start.
//! So `G̈ ≥ −N` on an interval from `t₀` to `t₁ = t₀ + T`, with
//!
//! ```text
//! N = d_e⁺ E e^(λ_m t) (at t₁) + d_i⁻ J e^(λ_m t) (at t₀) − λ_m² θ(t₀)
//! ```
//!
//! where `d⁺` is `d` or, if that is larger, zero, and `d⁻` if that is smaller. (Without split currents the
//! larger value of `d I e^(λ_m t)` at both ends stands for the first two terms.) Then
//! `H = G + N⁺ (t − t₀)(t − t₁)/2` is convex, is not above `G`, and meets it at both ends, where its slopes are
//! `Ġ₀ − n` and `Ġ₁ + n` with `n = N⁺ T/2`. It lies above its tangents there. With `p = (n − Ġ₀)⁺` and
//! `f = (Ġ₁ + n)⁺`, no zero of `G` is between two ends with `G > 0` if
//!
//! ```text
//! T p f ≤ G₁ p + G₀ f
//! ```
//!
//! This asks less than `convexity`, which holds for all time to come.

use pulp::{Simd, WithSimd};

use super::input_sums::{A, B, ENTRIES, InputSums, NeuronConstants, PSI};
use super::params::PARAMS;
use crate::simd::{F64s, registers};

/// The search for the first open interval from a slot on.
pub struct OpenIntervals<'a, S, const SPLIT: bool> {
    pub simd: S,
    pub sums: &'a InputSums,
    /// Which of the neurons of `sums`.
    pub index: usize,
    pub neuron: &'a NeuronConstants,
    /// `c`
    pub constant: f64,
    pub from: usize,
}

/// A neuron at one end of an interval.
#[derive(Clone, Copy)]
struct End<S: Simd> {
    /// `e^(λ_m t)`
    growth: F64s<S>,
    /// `ψ` and `e^(d t)` of both currents.
    psi: [F64s<S>; 2],
    current_growth: [F64s<S>; 2],
}

impl<S: Simd, const SPLIT: bool> WithSimd for OpenIntervals<'_, S, SPLIT> {
    /// The slot that the interval begins at; infinite if there is none.
    type Output = f64;

    #[inline(always)]
    fn with_simd<Same: Simd>(self, _: Same) -> f64 {
        let OpenIntervals { simd, sums, index, neuron, constant, from } = self;
        let all = |value| F64s::<S>::splat(simd, value);
        let (zero, one, smallest) = (all(0.0), all(1.0), all(PARAMS.smallest_slope));
        let &NeuronConstants { membrane_rate, rate_difference, threshold_charge, .. } = neuron;
        let [d_excitatory, d_inhibitory] = rate_difference;
        // What θ, Ġ and G̈/2 have of e^(λ_m t).
        let rheobase = all(membrane_rate * threshold_charge);
        let curve = all(0.5 * membrane_rate * membrane_rate * threshold_charge);
        let threshold = all(threshold_charge);
        let differences = [all(d_excitatory), all(d_inhibitory)];
        let bending =
            if SPLIT { [d_excitatory.max(0.0), d_inhibitory.min(0.0)] } else { [d_excitatory; 2] };
        let bending = [all(0.5 * bending[0]), all(0.5 * bending[1])];
        let (table, before) = sums.of_neuron::<S>(index);
        let (times, rows, lanes) = (sums.times(), sums.rows, S::F64_LANES);
        macro_rules! load {
            ($values:expr, $at:expr) => {
                F64s::<S>::new(simd, registers::<S>(&$values[$at..$at + lanes])[0])
            };
        }
        macro_rules! end {
            ($at:expr) => {{
                let mut end = End {
                    growth: load!(table, $at),
                    psi: [load!(table, $at + PSI * lanes), zero],
                    current_growth: [one; 2],
                };
                end.current_growth[0] = differences[0].multiply_add(end.psi[0], one);
                if SPLIT {
                    end.psi[1] = load!(table, $at + (PSI + 1) * lanes);
                    end.current_growth[1] = differences[1].multiply_add(end.psi[1], one);
                }
                end
            }};
        }
        let [a_before, a_inhibitory_before] = [load!(before[0], 0), load!(before[1], 0)];
        let b_before = load!(before[2], 0) - all(constant);
        let (from, never) = (all(from as f64), all(f64::INFINITY));
        let (mut start, mut distance, mut first) = (end!(0), zero, never);
        // Of the slots that the intervals begin at.
        let mut number = zero.map(|lane, _| (lane * rows) as f64);
        for row in 0..rows {
            let at = row * lanes * ENTRIES;
            let a = load!(table, at + A * lanes) + a_before;
            let b = load!(table, at + B * lanes) + b_before;
            let mut a_inhibitory = zero;
            if SPLIT {
                a_inhibitory = load!(table, at + (A + 1) * lanes) + a_inhibitory_before;
            }
            // G
            macro_rules! distance {
                ($end:expr) => {{
                    let mut distance = threshold.multiply_add($end.growth, b);
                    if SPLIT {
                        distance = distance.minus_product(a_inhibitory, $end.psi[1]);
                    }
                    distance.minus_product(a, $end.psi[0])
                }};
            }
            if row == 0 {
                distance = distance!(start);
            }
            // The last row of a lane is followed by the first of the next lane: one number further.
            let is_last = row + 1 == rows;
            let end = if is_last { end!(1) } else { end!(at + lanes * ENTRIES) };
            let end_time = if is_last { load!(times, 1) } else { load!(times, (row + 1) * lanes) };
            let end_distance = distance!(end);
            // Currents, times e^(λ_m t), at the start and at the end.
            let (start_current, end_current, bend);
            let excitation = a * end.current_growth[0];
            if SPLIT {
                let inhibition = a_inhibitory * start.current_growth[1];
                start_current = a.multiply_add(start.current_growth[0], inhibition);
                end_current = a_inhibitory.multiply_add(end.current_growth[1], excitation);
                bend = bending[1].multiply_add(inhibition, bending[0] * excitation);
            } else {
                start_current = a * start.current_growth[0];
                end_current = excitation;
                bend = (bending[0] * start_current).max_of_numbers(bending[0] * end_current);
            }
            let length = end_time - load!(times, row * lanes);
            let bend = length * bend.minus_product(curve, start.growth);
            let bend = bend.max_of_numbers(zero);
            let falling = start_current.minus_product(rheobase, start.growth) + bend;
            let falling = falling.max_of_numbers(smallest);
            let rising = rheobase.multiply_add(end.growth, bend) - end_current;
            let rising = rising.max_of_numbers(smallest);
            let above = end_distance.multiply_add(falling, distance * rising);
            let margin = above.minus_product(length * falling, rising);
            let is_clear = distance.min(end_distance).min(margin).above(zero);
            let is_open = number.at_least(from).and(length.above(zero)).and_not(is_clear);
            first = is_open.select(number, never).min(first);
            number = number + one;
            start = end;
            distance = end_distance;
        }
        first.smallest()
    }
}
