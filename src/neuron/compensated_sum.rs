//! Sums of any number of values that are as exact as sums of two.

/// Adds a value to a sum, and to `lost` what rounding takes from it (Knuth's exact sum of two numbers, as in the
/// summation of Neumaier 1974): `sum + lost` has lost one rounding in the end, whatever the number of values.
#[inline]
pub(crate) fn add_compensated(sum: &mut f64, lost: &mut f64, value: f64) {
    let before = *sum;
    *sum = before + value;
    let added = *sum - before;
    *lost += (before - (*sum - added)) + (value - added);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_million_equal_values_sum_up_to_their_product() {
        let (mut sum, mut lost) = (0.0, 0.0);
        for _ in 0..1_000_000 {
            add_compensated(&mut sum, &mut lost, 2.9e-6);
        }
        // One rounding of the sum, one of the product.
        assert!((sum + lost - 2.9).abs() <= 2.0 * f64::EPSILON * 2.9);
        assert!((sum - 2.9).abs() > 1e-11, "plain sums are not enough");
    }

    #[test]
    fn values_that_cancel_leave_the_small_one() {
        let (mut sum, mut lost) = (0.0, 0.0);
        for value in [1e16, 1.0, -1e16] {
            add_compensated(&mut sum, &mut lost, value);
        }
        assert_eq!(sum + lost, 1.0);
    }
}
