//! Bounds of the potential over an interval: cheap proofs that a neuron does not reach its threshold.

use pulp::Simd;

use super::lanes::NeuronLanes;
use super::propagation::MembraneState;
use crate::simd::{F64s, Mask};

impl<S: Simd> NeuronLanes<'_, S> {
    /// What the potential cannot exceed on an interval, from its values at both ends: a function with
    /// `V̈ ≥ −B` stays below the higher end by at most `B Δ²/8`.
    #[inline(always)]
    pub(super) fn potential_bound<const SPLIT: bool>(
        &self,
        start: &MembraneState<S>,
        end: F64s<S>,
        time: F64s<S>,
    ) -> F64s<S> {
        let curvature = self.curvature_bound::<SPLIT>(start, time);
        (curvature * time * time).multiply_add(self.splat(0.125), start.potential.max(end))
    }

    /// How strongly the potential can bend downwards on an interval: `B` with `V̈ ≥ −B`.
    ///
    /// `−V̈ = ((λ_m + λ_e) E + (λ_m + λ_i) J)/C − λ_m² V`. Here `J ≤ 0` only lowers it, the excitatory
    /// current `E` only decays, and `V` falls below zero no further than it is, or than inhibition pulls
    /// it within the interval.
    #[inline(always)]
    fn curvature_bound<const SPLIT: bool>(
        &self,
        start: &MembraneState<S>,
        time: F64s<S>,
    ) -> F64s<S> {
        let zero = self.splat(0.0);
        let [excitation, inhibition] = start.excitation_and_inhibition::<SPLIT>(self.simd);
        let depth = (-start.potential).max(zero) - inhibition * self.inverse_capacitance() * time;
        (self.membrane_rate() + self.synaptic_rate(0)) * self.inverse_capacitance() * excitation
            + self.membrane_rate() * self.membrane_rate() * depth
    }

    /// What the potential cannot exceed within a time, whatever of `excitation` arrives in it. Without leak
    /// and decay it would rise by the charge, from where it is or, if it is below, from zero.
    #[inline(always)]
    pub fn charging_bound(
        &self,
        potential: F64s<S>,
        excitation: F64s<S>,
        time: F64s<S>,
    ) -> F64s<S> {
        (excitation * self.inverse_capacitance())
            .multiply_add(time, potential.max_of_numbers(self.splat(0.0)))
    }

    /// Whether the excitatory currents are below the rheobase a time later. From there on the potential
    /// only approaches the threshold, because `V̇ ≤ λ_m (ϑ − V)`. The bound is `e^(−x) ≤ 1/(1 + x + x²/2)`.
    #[inline(always)]
    pub fn stays_subthreshold<const SPLIT: bool>(
        &self,
        state: &MembraneState<S>,
        time: F64s<S>,
    ) -> Mask<S> {
        let [excitation, _] = state.excitation_and_inhibition::<SPLIT>(self.simd);
        let x = self.synaptic_rate(0) * time;
        let growth = (x * x).multiply_add(self.splat(0.5), self.splat(1.0) + x);
        (self.rheobase() * growth).at_least(excitation)
    }
}
