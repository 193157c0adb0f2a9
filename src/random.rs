//! Random numbers as a function of (seed, purpose, index).
//!
//! Every use of chance draws from its own stream, so a result depends neither on the number of
//! threads nor on the order of evaluation, and adding a draw in one place moves no other.

use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;

/// The stream of random numbers for one purpose and index (a layer, an epoch, a neuron).
///
/// The generator is ChaCha8, keyed by the seed and the purpose; `index` selects one of its 2^64
/// independent streams.
///
/// # Panics
/// If the purpose is longer than 24 bytes: it is a literal of the program, never user input.
pub fn stream(seed: u64, purpose: &'static str, index: u64) -> ChaCha8Rng {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..8 + purpose.len()].copy_from_slice(purpose.as_bytes());
    let mut generator = ChaCha8Rng::from_seed(key);
    generator.set_stream(index);
    generator
}

#[cfg(test)]
mod tests {
    use rand::Rng;

    use super::*;

    #[test]
    fn streams_are_pinned_and_differ() {
        let first = |seed, purpose, index| stream(seed, purpose, index).next_u64();
        // Pinned: a published result must come out of later versions unchanged.
        assert_eq!(first(1, "initial weights", 0), PINNED);
        let others = [
            first(2, "initial weights", 0),
            first(1, "sample order", 0),
            first(1, "initial weights", 1),
        ];
        assert!(others.iter().all(|&other| other != PINNED));
    }

    const PINNED: u64 = 6_649_964_526_392_907_592;
}
