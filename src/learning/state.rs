//! The state of a training between two epochs, as named arrays and counters.
//!
//! [`Trainer::state`](super::Trainer::state) takes it and [`Trainer::restore`](super::Trainer::restore)
//! goes on from it, to the same bytes. Chance in training is a function of seed, purpose and epoch
//! ([`crate::random`]), so no state of a generator belongs to it. Each part of the trainer keeps
//! its part under its own prefix; whoever stores a state need not know what is in it.

use std::collections::BTreeMap;

/// Everything that the rest of a training depends on, beside its settings and its data.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TrainerState {
    arrays: BTreeMap<String, Vec<f64>>,
    counters: BTreeMap<String, u64>,
}

/// A state that is not of this trainer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// Something is missing.
    #[error("the state of training has no `{name}`")]
    Missing {
        /// Name of the array or counter.
        name: String,
    },
    /// An array of the wrong length.
    #[error("the state of training has {found} values of `{name}`, the network {expected}")]
    Length {
        /// Name of the array.
        name: String,
        /// Values in the state.
        found: usize,
        /// Values that the trainer has.
        expected: usize,
    },
    /// A counter beyond what it counts.
    #[error("the state of training has {found} for `{name}`: it must be at most {largest}")]
    Range {
        /// Name of the counter.
        name: String,
        /// Its value.
        found: u64,
        /// The largest it can be.
        largest: u64,
    },
}

impl TrainerState {
    /// All arrays, by name.
    pub fn arrays(&self) -> &BTreeMap<String, Vec<f64>> {
        &self.arrays
    }

    /// All counters, by name.
    pub fn counters(&self) -> &BTreeMap<String, u64> {
        &self.counters
    }

    /// Adds an array, or replaces the one of this name.
    pub fn set_array(&mut self, name: impl Into<String>, values: Vec<f64>) {
        self.arrays.insert(name.into(), values);
    }

    /// Adds a counter, or replaces the one of this name.
    pub fn set_counter(&mut self, name: impl Into<String>, value: u64) {
        self.counters.insert(name.into(), value);
    }

    /// An array that has to be there with this many values.
    ///
    /// # Errors
    /// If it is missing or has another length.
    pub fn array(&self, name: &str, length: usize) -> Result<&[f64], StateError> {
        let values =
            self.arrays.get(name).ok_or_else(|| StateError::Missing { name: name.to_owned() })?;
        if values.len() == length {
            return Ok(values);
        }
        let (name, found) = (name.to_owned(), values.len());
        Err(StateError::Length { name, found, expected: length })
    }

    /// A counter that has to be there and be no larger than this.
    ///
    /// # Errors
    /// If it is missing or larger.
    pub fn counter(&self, name: &str, largest: u64) -> Result<u64, StateError> {
        match self.counters.get(name) {
            Some(&found) if found <= largest => Ok(found),
            Some(&found) => Err(StateError::Range { name: name.to_owned(), found, largest }),
            None => Err(StateError::Missing { name: name.to_owned() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_or_does_not_fit_is_named() {
        let mut state = TrainerState::default();
        state.set_array("weights", vec![1.0, 2.0]);
        state.set_counter("steps", 1 << 40);
        assert_eq!(state.array("weights", 2), Ok(&[1.0, 2.0][..]));
        assert_eq!(state.counter("steps", u64::MAX), Ok(1 << 40));
        let messages = [
            state.array("delays", 2).expect_err("missing"),
            state.array("weights", 3).expect_err("too short"),
            state.counter("epoch", 9).expect_err("missing"),
            state.counter("steps", (1 << 31) - 1).expect_err("too large"),
        ];
        assert_eq!(
            messages.map(|error| error.to_string()),
            [
                "the state of training has no `delays`",
                "the state of training has 2 values of `weights`, the network 3",
                "the state of training has no `epoch`",
                "the state of training has 1099511627776 for `steps`: it must be at most 2147483647",
            ]
        );
    }
}
