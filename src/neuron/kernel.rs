//! The membrane's response to a synaptic current, and the one owner of its singularity at equal rates.

/// `e^(−λ_m t)`, `e^(−λ_s t)` and `K(t)` for any two rates, without cancellation.
#[inline]
pub(super) fn general_decays_and_kernel(
    membrane_rate: f64,
    synaptic_rate: f64,
    elapsed: f64,
) -> (f64, f64, f64) {
    let distance = synaptic_rate - membrane_rate;
    let slow = (-synaptic_rate.min(membrane_rate) * elapsed).exp();
    let (shift, complement) = decay_and_complement(-distance.abs() * elapsed);
    // For equal rates to within rounding of their distance, K is its limit.
    let kernel = if distance == 0.0 { slow * elapsed } else { slow * complement / distance.abs() };
    let fast = slow * shift;
    if distance >= 0.0 { (slow, fast, kernel) } else { (fast, slow, kernel) }
}

/// `e^x` and `1 − e^x` for `x ≤ 0`, both to rounding.
#[inline]
pub(super) fn decay_and_complement(exponent: f64) -> (f64, f64) {
    // Below ln(1/2) the subtraction 1 − e^x loses no bit; above it e^x = 1 + expm1(x) loses none.
    if exponent < -std::f64::consts::LN_2 {
        let decay = exponent.exp();
        (decay, 1.0 - decay)
    } else {
        let negative = exponent.exp_m1();
        (1.0 + negative, -negative)
    }
}
