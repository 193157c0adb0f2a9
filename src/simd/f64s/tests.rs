use pulp::{Arch, Scalar, WithSimd};

use super::*;

/// Exponentials of the arguments, of minus their magnitudes and of both signs at once, and logarithm
/// of their magnitudes.
struct Both<'a>(&'a [f64]);

impl WithSimd for Both<'_> {
    type Output = Vec<(f64, f64, f64, [f64; 2])>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
        let mut results = Vec::new();
        for &x in self.0 {
            let first = |value| bytemuck::cast_slice::<S::f64s, f64>(&[value])[0];
            let exp = F64s::splat(simd, x).exp();
            let ln = F64s::splat(simd, x.abs()).ln();
            let decay = F64s::splat(simd, -x.abs()).exp_of_negative();
            let (up, down) = F64s::splat(simd, x).exp_both();
            let both = [up, down].map(|register| first(register.value()));
            results.push((first(exp.value()), first(decay.value()), first(ln.value()), both));
        }
        results
    }
}

#[test]
fn both_agree_with_the_library_with_and_without_vector_instructions() {
    let mut arguments: Vec<f64> = (-70_800..70_900).map(|i| f64::from(i) * 0.01).collect();
    arguments.extend((-2000..2000).map(|i| 1.0 + f64::from(i) * 1e-7));
    arguments.extend((-300..300).map(|i| 10f64.powi(i)));
    arguments.extend([1e-300, -1e-17, 0.5, 2.0, std::f64::consts::SQRT_2, 1e15]);
    arguments.retain(|&x| x != 0.0);
    let vectors = Arch::new().dispatch(Both(&arguments));
    let scalars = Both(&arguments).with_simd(Scalar);
    for results in [vectors, scalars] {
        for (&x, (exponential, decay, logarithm, both)) in arguments.iter().zip(results) {
            let exact = (-x.abs()).exp();
            assert!((decay - exact).abs() <= 4e-16 * exact + 1e-307, "exp(-|{x}|): {decay}");
            if x.abs() < 708.0 {
                let exact = x.exp();
                assert!((exponential - exact).abs() <= 4e-16 * exact, "exp({x})");
            }
            if x.abs() < 708.0 {
                for (found, exact) in both.into_iter().zip([x.exp(), (-x).exp()]) {
                    assert!((found - exact).abs() <= 4e-16 * exact, "exp(±{x})");
                }
            }
            let (x, exact) = (x.abs(), x.abs().ln());
            let scale = exact.abs().max((x - 1.0).abs().min(1e-3));
            assert!((logarithm - exact).abs() <= 4e-16 * scale, "ln({x}): {logarithm} {exact}");
        }
    }
    for end in [708.0, 1e9, f64::INFINITY] {
        let results = Arch::new().dispatch(Both(&[end, -end]));
        for ((found, ..), exact) in results.iter().zip([708f64.exp(), (-708f64).exp()]) {
            assert!((found - exact).abs() <= 4e-16 * exact, "exp({end}): {found}");
        }
    }
}
