//! Tuning constants of the kernel for heterogeneous neurons.

/// Up to which argument each series serves, and where searches end. A duration is measured in the
/// fastest time constant (`rate × duration`), and `z` is `(λ_m − λ_s) × duration`.
///
/// A range and the length of its series belong together: the first omitted term is below the rounding of
/// the sum. Whoever widens a range lengthens the series in `propagation`.
#[derive(Clone, Copy, Debug)]
pub struct KernelParams {
    /// Longest tiny interval: `e^x` takes 8 terms, the next is below 1e-19.
    pub tiny_interval: f64,
    /// Longest short interval: `e^x` takes 11 terms, the next is below 3e-18. Longer ones cost an
    /// exponential.
    pub short_interval: f64,
    /// Largest `|z|` of a tiny interval: `φ(z)` takes 6 terms, the next is below 5e-18.
    pub tiny_z: f64,
    /// `|z|` up to which `φ(z)` takes 9 terms, the next is below 1e-17.
    pub close_z: f64,
    /// `|z|` up to which `φ(z)` takes 12 terms, the next is below 1e-17: all that a short interval can have.
    pub near_z: f64,
    /// `|z|` up to which `φ(z)` takes 14 terms, the next is below 5e-17.
    pub middle_z: f64,
    /// `|z|` up to which `φ(z)` takes 24 terms, the next is below 2e-18. Beyond, nothing cancels in the
    /// textbook form.
    pub wide_z: f64,
    /// Rate × half a sample up to which the sums over all inputs are exact to rounding.
    pub largest_sum_exponent: f64,
    /// Neurons per block of eight up to which a layer is narrow. Measured with registers of eight: sums over
    /// all inputs take half the time of the event loop for three neurons, and as long for six.
    pub narrow_neurons: usize,
    /// Arrivals for each of these neurons from which on sums pay. Measured: they take as long as the event
    /// loop for three neurons and 16 arrivals, and for five and 40.
    pub narrow_arrivals: usize,
    /// Steps after which a search gives up: rounding keeps a peak that grazes the threshold from either side.
    pub max_steps: usize,
    /// A step along a line or parabola below this fraction of the synaptic time constant is the last: the next
    /// would be its square.
    pub last_parabola_step: f64,
    /// A step of the series is the last if its relative terms are below this: what is left out is below
    /// 1e-16.
    pub last_series_step: f64,
    /// Below any slope or current that is not rounding: keeps divisors positive.
    pub smallest_slope: f64,
}

/// The constants in use.
pub const PARAMS: KernelParams = KernelParams {
    tiny_interval: 1.0 / 64.0,
    short_interval: 1.0 / 8.0,
    tiny_z: 1.0 / 200.0,
    close_z: 1.0 / 16.0,
    near_z: 2.0 / 8.0,
    middle_z: 0.5,
    wide_z: 2.0,
    largest_sum_exponent: 20.0,
    narrow_neurons: 5,
    narrow_arrivals: 8,
    max_steps: 200,
    last_parabola_step: 1e-9,
    last_series_step: 1e-4,
    smallest_slope: 1e-60,
};
