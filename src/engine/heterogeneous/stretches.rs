//! The stretches between the arrivals of one neuron, in lanes: which may it cross its threshold on?
//!
//! As in `convexity`, the distance to the threshold is looked at without the leak, `G = C (ϑ − V) e^(λ_m t)`,
//! with the sums of `sums`:
//!
//! ```text
//! G = θ(t) − U(t) − c      θ(t) = C ϑ e^(λ_m t)
//! Ġ = λ_m θ − Σ_s I_s e^(λ_m t)        G̈ = λ_m² θ − Σ_s d_s I_s e^(λ_m t)
//! ```
//!
//! Only `d_e E > 0` and `d_i J > 0` bend `G` downwards, if the threshold is not below rest. Times `e^(λ_m t)` the
//! first grows, and so is largest at the end of a stretch; the second decays and is largest at its start. So
//! `G̈ ≥ −N` on a stretch from `t₀` to `t₁ = t₀ + T`, with
//!
//! ```text
//! N = d_e⁺ E e^(λ_m t) (at t₁) + d_i⁻ J e^(λ_m t) (at t₀) − λ_m² θ(t₀)
//! ```
//!
//! where `d⁺` is `d` or, if that is larger, zero, and `d⁻` if that is smaller (without split currents the larger
//! value of `d I e^(λ_m t)` at both ends stands for the first two terms). Then `H = G + N⁺ (t − t₀)(t − t₁)/2` is
//! convex, is not above `G`, and meets it at both ends, where its slopes are `Ġ₀ − n` and `Ġ₁ + n` with
//! `n = N⁺ T/2`. It lies above its tangents there: with `p = (n − Ġ₀)⁺` and `f = (Ġ₁ + n)⁺` no zero of `G` is between
//! two ends with `G > 0` if
//!
//! ```text
//! T p f ≤ G₁ p + G₀ f
//! ```
//!
//! This asks less than `convexity`, which speaks of all time to come.

use pulp::{Simd, WithSimd};

use super::sums::{CURRENTS, ENTRIES, PAST, REACH, Single, Sums};
use crate::simd::{F64s, registers};

/// What is looked for: the first stretch from a slot on.
pub struct Stretches<'a, S, const SPLIT: bool> {
    pub simd: S,
    pub sums: &'a Sums,
    /// Which of the neurons.
    pub index: usize,
    pub single: &'a Single,
    /// `c`
    pub constant: f64,
    pub from: usize,
}

/// The neuron at one end of a stretch.
#[derive(Clone, Copy)]
struct End<S: Simd> {
    /// `e^(λ_m t)`, and of both currents `ψ` and `e^(d t)`.
    growth: F64s<S>,
    reach: [F64s<S>; 2],
    current_growth: [F64s<S>; 2],
}

/// Below any product of slopes that there can be but by rounding.
const TINY: f64 = 1e-60;

impl<S: Simd, const SPLIT: bool> WithSimd for Stretches<'_, S, SPLIT> {
    /// The slot that the first stretch on which a crossing is not excluded begins at; infinite if there is
    /// none.
    type Output = f64;

    #[inline(always)]
    fn with_simd<Same: Simd>(self, _: Same) -> f64 {
        let Stretches { simd, sums, index, single, constant, from } = self;
        let all = |value| F64s::<S>::splat(simd, value);
        let (zero, one, tiny) = (all(0.0), all(1.0), all(TINY));
        let Single { membrane, distance: [near, far], threshold, .. } = *single;
        // What θ, Ġ and G̈/2 have of e^(λ_m t).
        let rheobase = all(membrane * threshold);
        let curve = all(0.5 * membrane * membrane * threshold);
        let threshold = all(threshold);
        let distance = [all(near), all(far)];
        let bends = if SPLIT { [near.max(0.0), far.min(0.0)] } else { [near; 2] };
        let bends = [all(0.5 * bends[0]), all(0.5 * bends[1])];
        let (table, before) = sums.of::<S>(index);
        let (lengths, names) = sums.stretches();
        let lanes = S::F64_LANES;
        macro_rules! load {
            ($values:expr, $at:expr) => {
                F64s::<S>::new(simd, registers::<S>(&$values[$at..$at + lanes])[0])
            };
        }
        macro_rules! end {
            ($at:expr) => {{
                let mut end = End {
                    growth: load!(table, $at),
                    reach: [load!(table, $at + REACH * lanes), zero],
                    current_growth: [one; 2],
                };
                end.current_growth[0] = distance[0].multiply_add(end.reach[0], one);
                if SPLIT {
                    end.reach[1] = load!(table, $at + (REACH + 1) * lanes);
                    end.current_growth[1] = distance[1].multiply_add(end.reach[1], one);
                }
                end
            }};
        }
        let [push_before, pull_before] = [load!(before[0], 0), load!(before[1], 0)];
        let past_before = load!(before[2], 0) - all(constant);
        let (from, never) = (all(from as f64), all(f64::INFINITY));
        let (mut start, mut missing, mut first) = (end!(0), zero, never);
        for row in 0..sums.rows {
            let at = row * lanes * ENTRIES;
            let push = load!(table, at + CURRENTS * lanes) + push_before;
            let past = load!(table, at + PAST * lanes) + past_before;
            let mut pull = zero;
            if SPLIT {
                pull = load!(table, at + (CURRENTS + 1) * lanes) + pull_before;
            }
            macro_rules! missing {
                ($end:expr) => {{
                    let mut missing = threshold.multiply_add($end.growth, past);
                    if SPLIT {
                        missing = missing.minus_product(pull, $end.reach[1]);
                    }
                    missing.minus_product(push, $end.reach[0])
                }};
            }
            if row == 0 {
                missing = missing!(start);
            }
            // The last row of a lane is followed by the first of the next lane: one number further.
            let is_last = row + 1 == sums.rows;
            let next = if is_last { end!(1) } else { end!(at + lanes * ENTRIES) };
            let later = missing!(next);
            // Currents, times e^(λ_m t), at the start and at the end.
            let (before, after, bend);
            let pushed = push * next.current_growth[0];
            if SPLIT {
                let pulled = pull * start.current_growth[1];
                before = push.multiply_add(start.current_growth[0], pulled);
                after = pull.multiply_add(next.current_growth[1], pushed);
                bend = bends[1].multiply_add(pulled, bends[0] * pushed);
            } else {
                before = push * start.current_growth[0];
                after = pushed;
                bend = (bends[0] * before).max_of_numbers(bends[0] * after);
            }
            let length = load!(lengths, row * lanes);
            let bend = length * bend.minus_product(curve, start.growth);
            let bend = bend.max_of_numbers(zero);
            let falling =
                (before.minus_product(rheobase, start.growth) + bend).max_of_numbers(tiny);
            let rising = (rheobase.multiply_add(next.growth, bend) - after).max_of_numbers(tiny);
            let above = later.multiply_add(falling, missing * rising);
            let margin = above.minus_product(length * falling, rising);
            let is_clear = missing.min(later).min(margin).above(zero);
            let name = load!(names, row * lanes);
            let is_open = name.at_least(from).and_not(is_clear);
            first = is_open.select(name, never).min(first);
            start = next;
            missing = later;
        }
        first.smallest()
    }
}
