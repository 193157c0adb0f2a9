//! What the records of one neuron say of its threshold and delay: an extended Kalman filter in information form.
//!
//! With the estimate `x = (ϑ, δ)`, an observation is the residual `y = T − T*(ϑ) − δ` with the row
//! `h = (1/V̇, 1)` and the variance
//!
//! ```text
//! r = σ² + (σ_V/V̇)² + ½ (P_ϑ ϑ/(τ_s² V̇³))²
//! ```
//!
//! of jitter, of what disturbs the potential, and of what the line through `T*` leaves out: near a grazing spike,
//! where the slope vanishes, the second derivative of the crossing by the threshold is of the order of
//! `ϑ/(τ_s² V̇³)`.
//! All observations of a batch are taken at the same estimate, so they add up whatever their order:
//!
//! ```text
//! Λ ← Λ₀ + (1 − 1/t)² (Λ − Λ₀) + Σ w h hᵀ/r        x ← x + Λ⁻¹ Σ w h y/r
//! ```
//!
//! in the `t`-th batch, with `Λ₀` of the prior. The factor forgets: batch `k` counts as `(k/t)²`, since the first ones
//! were compared with the wrong neuron, and believed too much. The covariance of the estimate is then
//! `Λ⁻¹ (Λ₀ + s (Λ − Λ₀)) Λ⁻¹` with `s = Σ k⁴/(t² Σ k²) = (3 t² + 3 t − 1)/(5 t²)`.
//!
//! The weights `w = 1/(1 + z²/25)` with `z² = y²/(r + hᵀ Λ⁻¹ h)` keep outliers from counting: spikes with another
//! cause than the twin thinks.

use super::moments::Moments;
use crate::engine::layered::Comparison;

/// Numbers of an estimate in a saved state.
pub(super) const NUMBERS: usize = 9;

/// Residuals of more standard deviations than this, squared, say little.
const OUTLIER: f64 = 25.0;
/// How much of the standard deviation of a threshold one batch moves it by if record and twin disagree about every
/// spike.
const NUDGE: f64 = 0.2;
/// Batches that are remembered: neurons may drift.
const MEMORY: f64 = 2000.0;
/// Most standard deviations that one batch moves an estimate by.
const LONGEST_STEP: f64 = 3.0;

/// The variance of a record.
#[derive(Clone, Copy, Debug)]
pub(super) struct Variance {
    /// Of its time, in time units squared.
    pub of_time: f64,
    /// Of the potential, in its units squared.
    pub of_potential: f64,
    /// Synaptic time constant, in time units.
    pub tau_s: f64,
}
/// What some samples say of a neuron.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct NeuronObservations {
    /// `Σ w h hᵀ/r`: of threshold and threshold, threshold and delay, delay and delay.
    information: [f64; 3],
    /// `Σ w h y/r`.
    pull: [f64; 2],
    /// `Σ w`.
    pub weight: f64,
    /// `Σ w y²`, in time units squared.
    pub squares: f64,
    /// What the squares of residuals say of the two variances.
    pub moments: Moments,
    /// Spikes that both have; that only the record has; that only the twin has.
    spikes: [u64; 3],
}

impl NeuronObservations {
    /// Adds those of other samples.
    pub fn add(&mut self, other: &NeuronObservations) {
        for (sum, more) in self.information.iter_mut().zip(other.information) {
            *sum += more;
        }
        for (sum, more) in self.pull.iter_mut().zip(other.pull) {
            *sum += more;
        }
        self.weight += other.weight;
        self.squares += other.squares;
        self.moments.add(&other.moments, 1.0);
        for (sum, more) in self.spikes.iter_mut().zip(other.spikes) {
            *sum += more;
        }
    }
}

/// What is known of a neuron.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct NeuronEstimate {
    /// Threshold relative to the leak potential, and delay in time units.
    mean: [f64; 2],
    /// `Λ`, the inverse of their covariance, as in [`NeuronObservations`].
    information: [f64; 3],
    /// Batches with spikes that were compared.
    batches: f64,
    /// As in [`NeuronObservations`], of all batches.
    spikes: [u64; 3],
}

impl NeuronEstimate {
    /// With these standard deviations, which are above zero.
    pub fn new(mean: [f64; 2], spread: [f64; 2]) -> Self {
        let [threshold, delay] = spread.map(|spread| 1.0 / (spread * spread));
        let information = [threshold, 0.0, delay];
        NeuronEstimate { mean, information, batches: 0.0, spikes: [0; 3] }
    }
    /// The same estimate, as uncertain as this prior, and of nothing that was compared.
    pub fn forget(&mut self, prior: &NeuronEstimate) {
        *self = NeuronEstimate { mean: self.mean, ..*prior };
    }

    pub fn threshold(&self) -> f64 {
        self.mean[0]
    }

    pub fn delay(&self) -> f64 {
        self.mean[1]
    }
    /// Variances of threshold and delay, with their covariance between them.
    fn covariance(&self) -> [f64; 3] {
        let [threshold, both, delay] = self.information;
        let determinant = threshold * delay - both * both;
        [delay / determinant, -both / determinant, threshold / determinant]
    }

    /// Adds what samples say.
    #[inline]
    pub fn observe(&self, of: &Comparison<'_>, noise: &Variance, sums: &mut NeuronObservations) {
        let covariance = self.covariance();
        let [threshold, delay] = self.mean;
        let bend = covariance[0] * threshold / (noise.tau_s * noise.tau_s);
        let samples = of.recorded.iter().zip(of.computed).zip(of.inverse_slopes);
        for ((&recorded, &computed), &slope) in samples {
            let (was_recorded, was_computed) =
                (recorded < f64::INFINITY, computed < f64::INFINITY && slope > 0.0);
            if !(was_recorded && was_computed) {
                sums.spikes[1] += u64::from(was_recorded);
                sums.spikes[2] += u64::from(was_computed);
                continue;
            }
            sums.spikes[0] += 1;
            let residual = recorded - computed - delay;
            let square = slope * slope;
            let left_out = bend * slope * square;
            let variance = noise.of_time + noise.of_potential * square + 0.5 * left_out * left_out;
            let of_estimate = covariance[0] * square + 2.0 * covariance[1] * slope + covariance[2];
            let ratio = residual * residual / (variance + of_estimate);
            let weight = 1.0 / (1.0 + ratio / OUTLIER);
            let share = weight / variance;
            sums.information[0] += share * square;
            sums.information[1] += share * slope;
            sums.information[2] += share;
            sums.pull[0] += share * slope * residual;
            sums.pull[1] += share * residual;
            sums.weight += weight;
            sums.squares += weight * residual * residual;
            let excess = residual * residual - of_estimate;
            sums.moments.observe(weight / (variance * variance), square, excess);
        }
    }
    /// Learns from a batch, of a neuron with this prior. The threshold stays above a tenth of what it was, and
    /// the delay above `-earliest`.
    pub fn learn(&mut self, batch: &NeuronObservations, prior: &NeuronEstimate, earliest: f64) {
        let before = self.covariance();
        if batch.spikes[0] > 0 {
            self.batches = (self.batches + 1.0).min(MEMORY);
            let share = (1.0 - 1.0 / self.batches).powi(2);
            let sums = self.information.iter_mut().zip(prior.information);
            for ((sum, prior), more) in sums.zip(batch.information) {
                *sum = prior + share * (*sum - prior) + more;
            }
        }
        let [threshold, both, delay] = self.covariance();
        let mut step = [
            threshold * batch.pull[0] + both * batch.pull[1],
            both * batch.pull[0] + delay * batch.pull[1],
        ];
        // A spike that only the record has asks for a lower threshold, one that only the twin has for a higher.
        let [agreed, recorded, computed] = batch.spikes.map(|spikes| spikes as f64);
        let spikes = agreed + recorded + computed;
        if spikes > 0.0 {
            step[0] += NUDGE * threshold.sqrt() * (computed - recorded) / spikes;
        }
        for (step, variance) in step.iter_mut().zip([before[0], before[2]]) {
            let most = LONGEST_STEP * variance.sqrt();
            *step = step.clamp(-most, most);
        }
        self.mean[0] = (self.mean[0] + step[0]).max(0.1 * self.mean[0]);
        self.mean[1] = (self.mean[1] + step[1]).max(-earliest);
        for (sum, more) in self.spikes.iter_mut().zip(batch.spikes) {
            *sum += more;
        }
    }

    pub fn numbers(&self) -> [f64; NUMBERS] {
        let NeuronEstimate { mean, information, batches, spikes } = self;
        let spikes = spikes.map(|count| count as f64);
        [
            mean[0],
            mean[1],
            information[0],
            information[1],
            information[2],
            *batches,
            spikes[0],
            spikes[1],
            spikes[2],
        ]
    }

    pub fn from_numbers(numbers: [f64; NUMBERS]) -> Self {
        let [threshold, delay, tt, td, dd, batches, agreed, recorded, computed] = numbers;
        NeuronEstimate {
            mean: [threshold, delay],
            information: [tt, td, dd],
            batches,
            spikes: [agreed, recorded, computed].map(|count| count as u64),
        }
    }

    /// Adds to a batch what the prior says of the estimate.
    pub fn pull_back(&self, prior: &NeuronEstimate, batch: &mut NeuronObservations) {
        let [threshold, both, delay] = prior.information;
        let away = [prior.mean[0] - self.mean[0], prior.mean[1] - self.mean[1]];
        batch.pull[0] += threshold * away[0] + both * away[1];
        batch.pull[1] += both * away[0] + delay * away[1];
    }

    /// Estimates and counts, of a neuron that had this prior: means with their standard deviations, and how many spikes
    /// were compared, only recorded, only computed.
    pub fn found(&self, prior: &NeuronEstimate) -> ([[f64; 2]; 2], [u64; 3]) {
        let batches = self.batches.max(1.0);
        let share = (3.0 * batches * batches + 3.0 * batches - 1.0) / (5.0 * batches * batches);
        let part = |place: usize| {
            let [prior, all] = [prior.information[place], self.information[place]];
            prior + share * (all - prior)
        };
        let [threshold, both, delay] = [part(0), part(1), part(2)];
        let [a, b, c] = self.covariance();
        let threshold_variance = a * a * threshold + 2.0 * a * b * both + b * b * delay;
        let delay_variance = b * b * threshold + 2.0 * b * c * both + c * c * delay;
        let [threshold, delay] = self.mean;
        ([[threshold, threshold_variance.sqrt()], [delay, delay_variance.sqrt()]], self.spikes)
    }
}
