//! The two variances of the records of a layer, from the squares of its residuals.
//!
//! Jitter of a record has the same variance `a` whatever the neuron does; a disturbance of the potential of variance
//! `b` moves a crossing by its share `s = 1/V̇` of it. So the square of a residual has the mean `a + b s²`, and `a` and
//! `b` follow from a regression of the squares on `s²`. Its weights are `1/r²`, as the variance of a square is
//! `2 r²`.

/// Sums of a weighted regression of `e` on `s²`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Moments {
    /// `Σ g`, `Σ g s²`, `Σ g s⁴`, `Σ g e`, `Σ g s² e` with the weights `g`.
    sums: [f64; 5],
}

/// Numbers of saved moments.
pub(super) const NUMBERS: usize = 5;

impl Moments {
    /// Adds an observation.
    #[inline(always)]
    pub fn observe(&mut self, weight: f64, square: f64, excess: f64) {
        let [one, first, second, zeroth_excess, first_excess] = &mut self.sums;
        *one += weight;
        *first += weight * square;
        *second += weight * square * square;
        *zeroth_excess += weight * excess;
        *first_excess += weight * square * excess;
    }

    /// Keeps a share of the sums, and adds others.
    pub fn add(&mut self, other: &Moments, share: f64) {
        for (sum, more) in self.sums.iter_mut().zip(other.sums) {
            *sum = share * *sum + more;
        }
    }

    /// The variances `a` and `b`, which are not negative, with `a` at least `least`.
    pub fn variances(&self, least: f64) -> [f64; 2] {
        let [one, first, second, zeroth_excess, first_excess] = self.sums;
        let determinant = one * second - first * first;
        if determinant > 1e-9 * one * second {
            let a = (zeroth_excess * second - first_excess * first) / determinant;
            let b = (first_excess * one - zeroth_excess * first) / determinant;
            if a >= least && b >= 0.0 {
                return [a, b];
            }
            if a >= least {
                return [(zeroth_excess / one).max(least), 0.0];
            }
        }
        [least, ((first_excess - least * first) / second).max(0.0)]
    }

    pub fn numbers(&self) -> [f64; NUMBERS] {
        self.sums
    }

    pub fn from_numbers(sums: [f64; NUMBERS]) -> Self {
        Moments { sums }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn squares_on_a_line_have_its_variances() {
        let mut moments = Moments::default();
        for square in [0.5, 1.0, 2.0, 7.0] {
            moments.observe(1.0 / (1.0 + square), square, 0.3 + 0.2 * square);
        }
        let [a, b] = moments.variances(1e-6);
        assert!((a - 0.3).abs() < 1e-12 && (b - 0.2).abs() < 1e-12, "{a} {b}");
    }

    #[test]
    fn no_variance_is_negative() {
        for (a, b) in [(-0.1, 0.2), (0.1, -0.2), (-0.1, -0.2)] {
            let mut moments = Moments::default();
            for square in [0.5, 1.0, 2.0] {
                moments.observe(1.0, square, a + b * square);
            }
            let [time, potential] = moments.variances(1e-6);
            assert!(time >= 1e-6 && potential >= 0.0, "{time} {potential}");
        }
    }
}
