//! A spike that reaches a layer.

/// A spike that reaches a layer.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Arrival {
    /// When, in time units.
    pub time: f64,
    /// Row of the layer's weight matrix.
    pub row: u32,
}
