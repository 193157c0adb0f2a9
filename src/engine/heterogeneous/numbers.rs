//! Lists of numbers that whole registers are loaded from.

use super::blocks::{Column, PADDING};

/// Numbers that begin where a register may, of which the first `len` are in use.
#[derive(Debug, Default)]
pub struct Numbers {
    values: Vec<f64>,
    start: usize,
    len: usize,
}

impl Numbers {
    /// Makes room. What the numbers are is not said.
    pub fn resize(&mut self, len: usize) {
        if self.values.len() < len + PADDING {
            self.values.resize(len + PADDING, 0.0);
        }
        self.start = self.values.as_ptr().align_offset(size_of::<Column>()).min(PADDING);
        self.len = len;
    }

    #[inline(always)]
    pub fn values(&self) -> &[f64] {
        &self.values[self.start..self.start + self.len]
    }

    #[inline(always)]
    pub fn values_mut(&mut self) -> &mut [f64] {
        &mut self.values[self.start..self.start + self.len]
    }
}
