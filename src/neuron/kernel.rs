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

/// The kernel `K = ∫₀ᵗ e^(−λ_m (t−x)) e^(−λ_s x) dx` with its derivatives by the rates.
///
/// With the slower rate `λ`, the distance `d ≥ 0` of the rates, and the means `h` and `g` of
/// `e^(−d t y)` and `y e^(−d t y)` over `0 < y < 1`,
///
/// ```text
/// K = t e^(−λ t) h        ∂K/∂fast = −t² e^(−λ t) g        ∂K/∂slow = −t² e^(−λ t) (h − g)
/// ```
///
/// Nothing is singular at equal rates, nor at a rate of zero.
pub(super) struct KernelByRates {
    pub value: f64,
    pub by_membrane_rate: f64,
    pub by_synaptic_rate: f64,
}

impl KernelByRates {
    pub fn new(membrane_rate: f64, synaptic_rate: f64, elapsed: f64) -> Self {
        let slow = membrane_rate.min(synaptic_rate);
        let (h, g) = means((synaptic_rate - membrane_rate).abs() * elapsed);
        let scale = elapsed * (-slow * elapsed).exp();
        let by_fast = -elapsed * scale * g;
        let by_slow = -elapsed * scale * (h - g);
        let membrane_is_slow = membrane_rate <= synaptic_rate;
        KernelByRates {
            value: scale * h,
            by_membrane_rate: if membrane_is_slow { by_slow } else { by_fast },
            by_synaptic_rate: if membrane_is_slow { by_fast } else { by_slow },
        }
    }
}

/// Means of `e^(−z y)` and of `y e^(−z y)` over `0 < y < 1`: `(1 − e^(−z))/z` and
/// `(1 − (1 + z) e^(−z))/z²`. The second is summed as its series `Σ (−z)ⁿ/(n! (n + 2))` where the
/// difference would cancel.
fn means(z: f64) -> (f64, f64) {
    if z == 0.0 {
        return (1.0, 0.5);
    }
    let h = -(-z).exp_m1() / z;
    if z > 1.0 {
        return (h, (h - (-z).exp()) / z);
    }
    let mut term = 1.0;
    let mut g = 0.5;
    // 1/17! is below the rounding of the sum.
    for n in 1..17 {
        term *= -z / f64::from(n);
        g += term / f64::from(n + 2);
    }
    (h, g)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_agree_with_a_fine_sum_and_meet_where_their_formulas_do() {
        for z in [0.0, 1e-12, 1e-3, 0.5, 1.0, 1.0 + 1e-12, 3.0, 40.0] {
            let points = 20_000;
            let (mut h, mut g) = (0.0, 0.0);
            for point in 0..points {
                let y = (f64::from(point) + 0.5) / f64::from(points);
                h += (-z * y).exp() / f64::from(points);
                g += y * (-z * y).exp() / f64::from(points);
            }
            let found = means(z);
            // The midpoint rule's error is z² h/(24 · points²), and that of g a few times larger.
            let tolerance = 1e-10 * (1.0 + z * z);
            assert!((found.0 - h).abs() < tolerance && (found.1 - g).abs() < tolerance, "{z}");
        }
        // Both formulas of g are good to a few roundings of terms of order one at their border.
        assert!((means(1.0).1 - means(1.0 + f64::EPSILON).1).abs() < 1e-15);
    }

    #[test]
    fn the_kernel_with_its_derivatives_is_the_kernel() {
        for (membrane_rate, synaptic_rate) in
            [(0.0, 1.0), (0.3, 1.0), (1.0, 1.0), (1.0, 1.0 - 1e-9), (2.5, 1.0), (1.0, 0.0)]
        {
            for elapsed in [0.0, 1e-6, 0.3, 2.0, 30.0] {
                let expected = general_decays_and_kernel(membrane_rate, synaptic_rate, elapsed).2;
                let found = KernelByRates::new(membrane_rate, synaptic_rate, elapsed).value;
                assert!((found - expected).abs() <= 8.0 * f64::EPSILON * expected);
            }
        }
    }
}
