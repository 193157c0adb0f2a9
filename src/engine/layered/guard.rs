//! The gradient guard.

/// Keeps a neuron from learning from a sample if one derivative by its weights is larger than a limit: near a
/// spike that only grazes its threshold the derivatives are large, and say little (Göltz, Kriener et al.
/// 2021, methods). Derivatives by times and delays are not affected.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GradientGuard {
    /// No derivative by a weight is larger than this. Above zero.
    pub limit: f64,
}

impl GradientGuard {
    /// Whether no derivative can be larger, if none is larger than a factor times the largest response of
    /// the membrane to a unit of weight.
    #[inline(always)]
    pub(crate) fn surely_keeps(self, factor: f64, largest_response: f64) -> bool {
        factor * largest_response <= self.limit
    }

    /// Whether one of a neuron's derivatives by its weights is larger.
    #[inline(always)]
    pub(crate) fn discards(self, mut gradients: impl Iterator<Item = f64>) -> bool {
        gradients.any(|gradient| gradient.abs() > self.limit)
    }
}
