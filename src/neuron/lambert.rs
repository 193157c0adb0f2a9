//! The Lambert W function in the form that a threshold crossing needs.

/// Solves `u + ln(1 − u) = l` for the root `0 ≤ u ≤ 1`, given the margin `l ≤ 0`.
///
/// This is `u = 1 + W₀(−e^(l−1))`: with `W = u − 1` the equation reads `W + ln(−W) = l − 1`, whose
/// exponential is `W e^W = −e^(l−1)`. Near `l = 0` the detour over `−e^(l−1)` would throw away
/// the digits of `l` that `u ≈ √(−2 l)` depends on, so the branch-point series (in
/// `p = √(−2 expm1(l))`) is used there, and one Newton step on the equation itself restores the
/// digits in the range between. Relative error below `1e-14` at every margin.
pub(super) fn lead_before_peak(margin: f64) -> f64 {
    if margin > -5e-5 {
        let p = (-2.0 * margin.exp_m1()).sqrt();
        // 1 + W₀ around the branch point; the next term is below 1e-17 relative at p = 0.01.
        let series = [
            1.0,
            -1.0 / 3.0,
            11.0 / 72.0,
            -43.0 / 540.0,
            769.0 / 17_280.0,
            -221.0 / 8_505.0,
            680_863.0 / 43_545_600.0,
            -1_963.0 / 204_120.0,
        ];
        return p * series.iter().rev().fold(0.0, |sum, term| sum * p + term);
    }
    let lead = 1.0 + lambert_w::lambert_w0(-(margin - 1.0).exp());
    if margin > -0.02 {
        let residual = lead + (-lead).ln_1p() - margin;
        return lead + residual * (1.0 - lead) / lead;
    }
    lead
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inverts_its_equation_at_every_margin() {
        let mut lead: f64 = 1e-9;
        while lead < 0.999 {
            // The series of u + ln(1 − u) where the sum itself would cancel.
            let margin = if lead < 1e-2 {
                -(2..12).map(|k| lead.powi(k) / f64::from(k)).sum::<f64>()
            } else {
                lead + (-lead).ln_1p()
            };
            let found = lead_before_peak(margin);
            // Rounding of the margin moves u by eps·|l|·(1 − u)/u; the rest is the solver's.
            let tolerance = 2e-14 * lead + 4e-16 * margin.abs() / lead;
            assert!((found - lead).abs() < tolerance, "{lead} {found} at margin {margin}");
            lead *= 1.01;
        }
        assert_eq!(lead_before_peak(0.0), 0.0);
        assert_eq!(lead_before_peak(f64::NEG_INFINITY), 1.0);
    }
}
