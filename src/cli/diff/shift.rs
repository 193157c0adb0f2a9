//! Traces whose neurons are numbered from different numbers on, such as NEST's, which begin with 1.

use crate::trace::alignment::PopulationPair;
use crate::trace::trains::{NeuronSpikes, Trains};

/// What must be added to the numbers of all neurons of B so that both traces have the same neurons with the
/// same numbers of spikes; none if there is no such number, or it is 0.
pub(super) fn likely(a: &Trains, b: &Trains, pairs: &[PopulationPair]) -> Option<i64> {
    let counts = |trains: &Trains, population: Option<u16>| -> Vec<(i64, usize)> {
        let is_in = |neuron: &&NeuronSpikes| Some(neuron.population) == population;
        let count = |neuron: &NeuronSpikes| (i64::from(neuron.neuron), neuron.spikes.len());
        trains.neurons.iter().filter(is_in).map(count).collect()
    };
    let mut shift = None;
    for pair in pairs {
        let (of_a, of_b) = (counts(a, pair.a), counts(b, pair.b));
        if of_a.len() != of_b.len() {
            return None;
        }
        for ((neuron_a, count_a), (neuron_b, count_b)) in of_a.into_iter().zip(of_b) {
            let own = neuron_a - neuron_b;
            if count_a != count_b || *shift.get_or_insert(own) != own {
                return None;
            }
        }
    }
    shift.filter(|&shift| shift != 0)
}

/// Adds it.
pub(super) fn apply(b: &mut Trains, shift: i64) {
    for neuron in &mut b.neurons {
        neuron.neuron = u32::try_from(i64::from(neuron.neuron) + shift).unwrap_or(neuron.neuron);
    }
}

/// Says that it makes the traces equal, and which option does so.
pub(super) fn describe(shift: i64) -> String {
    let (what, size) = (if shift < 0 { "higher" } else { "lower" }, shift.unsigned_abs());
    let option = if shift < 0 { format!("0,{size}") } else { format!("{size},0") };
    format!(
        "the numbers of all neurons of B are {size} {what} than those of A: with --first-neuron {option} the \
         traces are equal"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::recording::Recording;

    #[test]
    fn only_a_shift_of_all_neurons_is_one() {
        let trains = |neurons: &[u32]| {
            Trains::new(&Recording {
                populations: vec!["n".to_owned()],
                times: (0..neurons.len()).map(|time| time as f64).collect(),
                neurons: neurons.to_vec(),
                ..Recording::default()
            })
        };
        let pairs = [PopulationPair { name: "n".to_owned(), a: Some(0), b: Some(0) }];
        let found = |a: &[u32], b: &[u32]| likely(&trains(a), &trains(b), &pairs);
        assert_eq!(found(&[0, 1, 0, 3], &[1, 2, 1, 4]), Some(-1));
        assert_eq!(found(&[7, 8], &[0, 1]), Some(7));
        assert_eq!(found(&[0, 1], &[0, 1]), None);
        assert_eq!(found(&[0, 1], &[1, 3]), None);
        assert_eq!(found(&[0, 1, 1], &[1, 2]), None);
        let mut shifted = trains(&[101, 103]);
        apply(&mut shifted, -101);
        assert_eq!(shifted, trains(&[0, 2]));
        assert!(
            describe(-101).contains("101 higher than those of A: with --first-neuron 0,101 the")
        );
    }
}
