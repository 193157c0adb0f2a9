//! Quantiles of unsorted values.

/// The value below which a fraction of the values lies, interpolated linearly between the two that
/// are nearest (as R's type 7, and NumPy): with n values in order x₀ … x₍ₙ₋₁₎ and p = fraction × (n − 1),
/// it is x at ⌊p⌋ plus (p − ⌊p⌋) times the distance to the next. The values lose their order; it takes
/// time proportional to their number.
///
/// # Panics
/// If there is no value.
pub fn quantile(values: &mut [f64], fraction: f64) -> f64 {
    let place = fraction * (values.len() - 1) as f64;
    let (below, share) = (place.floor() as usize, place.fract());
    let (_, &mut lower, above) = values.select_nth_unstable_by(below, f64::total_cmp);
    if share == 0.0 {
        return lower;
    }
    let upper = above.iter().copied().fold(f64::INFINITY, f64::min);
    lower + share * (upper - lower)
}
