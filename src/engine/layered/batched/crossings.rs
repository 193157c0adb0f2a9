//! Samples that ran elsewhere, with derivatives at the crossings of this network's neurons on the recorded
//! inputs.
//!
//! A recorded time `T` differs from the crossing `T*` that it should have been for two reasons. Jitter of the record
//! leaves the crossing where it was; a disturbance of the potential `δV` (noise of the threshold, a lost input, what
//! another sample left behind) moves it by `δV/V̇`. With the variances `σ²` and `σ_V²` of the two, the crossing is to
//! be expected at
//!
//! ```text
//! T' = T* + ρ (T − δ − T*)        ρ = (σ_V/V̇)²/(σ² + (σ_V/V̇)²)
//! ```
//!
//! where `δ` is the delay of the record. Derivatives are those of a spike recorded at `T'` ([`super::record`]), which
//! at `T' = T*` are those of the crossing itself. Where the neuron has no crossing, `T' = T − δ`.

use pulp::Simd;

use super::BatchedLayer;
use crate::engine::layered::RecordNoise;

/// What neurons would have done here: a value per neuron and sample.
#[derive(Clone, Debug, Default)]
pub struct Crossings {
    /// In time units; infinite without one.
    pub times: Vec<f64>,
    /// In time units per unit of potential; zero without one.
    pub inverse_slopes: Vec<f64>,
    /// When they are expected to have spiked there.
    expected: Vec<f64>,
}

/// Expected moves of a crossing below this, in synaptic time constants, are none.
const NO_MOVE: f64 = 1e-6;

/// Keeps the crossings of a layer that has just run, and moves its derivatives to the times when its neurons are
/// expected to have crossed their thresholds. Without `noise` they stay at the crossings.
#[inline(always)]
pub(super) fn take_up<S: Simd>(
    simd: S,
    mut layer: BatchedLayer<'_>,
    recorded: &[f64],
    noise: Option<&RecordNoise>,
) {
    let pass = &mut *layer.pass;
    let Crossings { times, inverse_slopes, expected } = &mut pass.crossings;
    std::mem::swap(times, &mut pass.spike_times);
    inverse_slopes.clone_from(&pass.inverse_slopes);
    let Some(noise) = noise else { return };
    let width = pass.arrivals.width;
    expected.clear();
    expected.resize(times.len(), f64::INFINITY);
    let mut furthest = 0.0_f64;
    let neurons = expected.chunks_exact_mut(width).zip(times.chunks_exact(width));
    let there = recorded.chunks_exact(width).zip(inverse_slopes.chunks_exact(width));
    for (((expected, times), (recorded, slopes)), delay) in neurons.zip(there).zip(&noise.delays) {
        for ((expected, &crossing), (&recorded, &slope)) in
            expected.iter_mut().zip(times).zip(recorded.iter().zip(slopes))
        {
            let there = recorded - delay;
            let by_potential = noise.potential_variance * slope * slope;
            let share = by_potential / (noise.time_variance + by_potential);
            let moved = share * (there - crossing);
            let has_both = (slope > 0.0) & (recorded < f64::INFINITY);
            *expected = if has_both { crossing + moved } else { there };
            let distance = if has_both { moved.abs() } else { 0.0 };
            furthest = furthest.max(distance);
            // A record without a crossing here needs derivatives of its own.
            let is_new = (slope <= 0.0) & (recorded < f64::INFINITY);
            furthest = if is_new { f64::INFINITY } else { furthest };
        }
    }
    if furthest * layer.layer.neurons.membrane.synaptic_rate > NO_MOVE {
        std::mem::swap(&mut layer.pass.spike_times, &mut layer.pass.crossings.expected);
        layer.record(simd);
        std::mem::swap(&mut layer.pass.spike_times, &mut layer.pass.crossings.expected);
    }
}
