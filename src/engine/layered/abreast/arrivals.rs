//! The arrivals of a block of samples: collected, and read off the clock.

use pulp::{Simd, WithSimd};

use super::super::SamplePass;
use super::super::inputs::Arrival;
use super::{AbreastPass, NEVER};
use crate::simd::{F64s, registers_mut};

/// Takes the arrivals at the first layer out of the passes, in time units.
pub(super) fn collect_arrivals<T>(passes: &[SamplePass<T>], rows: usize, pass: &mut AbreastPass) {
    pass.times.clear();
    pass.times.resize(rows * pass.width, f64::INFINITY);
    for (sample, sample_pass) in passes.iter().enumerate() {
        for &Arrival { time, row } in &sample_pass.layers[0].inputs.arrivals {
            pass.times[row as usize * pass.width + sample] = time;
        }
    }
}

/// Takes the spikes of the layer before, and the bias.
pub(super) fn collect_layer(
    before: &AbreastPass,
    bias: &[Arrival],
    rows: usize,
    pass: &mut AbreastPass,
) {
    pass.times.clear();
    pass.times.extend_from_slice(&before.spike_times);
    pass.times.resize(rows * pass.width, f64::INFINITY);
    for &Arrival { time, row } in bias {
        pass.times[row as usize * pass.width..][..pass.width].fill(time);
    }
}

/// Replaces times by what the clock shows. The reference of each sample is its last arrival.
pub(super) struct ReadClock<'a> {
    /// `λ`, per time unit.
    pub rate: f64,
    pub rows: usize,
    pub pass: &'a mut AbreastPass,
}

impl WithSimd for ReadClock<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let ReadClock { rate, rows, pass } = self;
        let width = pass.width / S::F64_LANES;
        pass.references.resize(pass.width, 0.0);
        pass.powers.resize(rows * pass.width, 0.0);
        let references = registers_mut::<S>(&mut pass.references);
        let times = &mut registers_mut::<S>(&mut pass.times)[..rows * width];
        let powers = &mut registers_mut::<S>(&mut pass.powers)[..rows * width];
        let all = |value| F64s::splat(simd, value);
        let (infinity, zero, never, rate) = (all(f64::INFINITY), all(0.0), all(NEVER), all(rate));
        for (group, reference) in references.iter_mut().enumerate() {
            let mut last = -infinity;
            for row in 0..rows {
                let time = F64s::new(simd, times[row * width + group]);
                last = last.max(infinity.above(time).select(time, last));
            }
            // Without arrivals any will do.
            let last = last.above(-infinity).select(last, zero);
            *reference = last.value();
            for row in 0..rows {
                let index = row * width + group;
                let time = F64s::new(simd, times[index]);
                let comes = infinity.above(time);
                let elapsed = rate * (time - last);
                times[index] = comes.select(elapsed, never).value();
                powers[index] = comes.select(elapsed.exp_of_negative(), zero).value();
            }
        }
    }
}
