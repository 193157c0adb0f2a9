//! Remedies for silent neurons, which receive no gradient and so could stay silent for ever.

use super::{LayerActivity, StateError, TrainerState};
use crate::network::CompiledNetwork;

/// What to do about neurons that do not spike in a batch.
#[derive(Clone, Debug, PartialEq)]
pub enum SilentNeurons {
    /// Nothing.
    Ignore,
    /// The paper's rule. If in some layer more than the allowed fraction of (sample, neuron) pairs
    /// is silent, no gradient step is taken for this batch; instead every neuron of the first such
    /// layer that was silent in at least one sample has all its incoming weights raised by `amount`,
    /// doubled for each batch in a row in which that layer offends.
    Bump {
        /// Per layer: largest fraction of silent (sample, neuron) pairs that is allowed, 0 to 1.
        allowed: Vec<f64>,
        /// First amount, in units of weight.
        amount: f64,
    },
    /// A steadier rule: the gradient step is always taken, and beside it every neuron whose own
    /// fraction of silent samples in this batch exceeds what its layer allows has all its incoming
    /// weights raised by `amount` times that excess. Nothing else is disturbed, and the push ends
    /// by itself as the neuron begins to spike.
    Nudge {
        /// Per layer: largest fraction of samples in which a neuron may be silent, 0 to 1.
        allowed: Vec<f64>,
        /// Amount for a neuron that is always silent where it should never be, in units of weight.
        amount: f64,
    },
}

/// The remedy with its memory of the batches before.
#[derive(Clone, Debug)]
pub(super) struct Remedy {
    rule: SilentNeurons,
    /// The layer that was bumped in the last batch, and by how much.
    last_bump: Option<(usize, f64)>,
}

/// What a remedy does to a batch.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Outcome {
    /// Per layer and neuron: what all incoming weights are to be raised by; empty for layers in which none
    /// are.
    pub raises: Vec<Vec<f64>>,
    /// The gradient step is to be left out.
    pub skip_step: bool,
}

impl Outcome {
    /// Whether any weights are raised.
    pub fn raises_any(&self) -> bool {
        self.raises.iter().any(|amounts| !amounts.is_empty())
    }
}

impl Remedy {
    pub fn new(rule: SilentNeurons) -> Self {
        Remedy { rule, last_bump: None }
    }

    /// Adds the memory of the last batch to a state: nothing, or the layer and the amount.
    pub fn save(&self, prefix: &str, state: &mut TrainerState) {
        if let Some((layer, amount)) = self.last_bump {
            state.set_counter(format!("{prefix}.last_layer"), layer as u64);
            state.set_array(format!("{prefix}.last_amount"), vec![amount]);
        }
    }

    /// This remedy for a network of so many layers, as it was when it was saved.
    pub fn restored(
        &self,
        prefix: &str,
        layers: usize,
        state: &TrainerState,
    ) -> Result<Self, StateError> {
        let (layer, amount) = (format!("{prefix}.last_layer"), format!("{prefix}.last_amount"));
        let mut last_bump = None;
        if state.counters().contains_key(&layer) {
            let layer = state.counter(&layer, layers as u64 - 1)? as usize;
            last_bump = Some((layer, state.array(&amount, 1)?[0]));
        }
        Ok(Remedy { rule: self.rule.clone(), last_bump })
    }

    /// What is to be done after a batch with this activity.
    pub fn after(&mut self, activity: &[LayerActivity]) -> Outcome {
        let mut raises = vec![Vec::new(); activity.len()];
        match &self.rule {
            SilentNeurons::Ignore => Outcome::default(),
            SilentNeurons::Bump { allowed, amount } => {
                let offends = |layer: &usize| activity[*layer].silent_fraction() > allowed[*layer];
                let Some(layer) = (0..activity.len()).find(offends) else {
                    self.last_bump = None;
                    return Outcome::default();
                };
                let amount = match self.last_bump {
                    Some((last, amount)) if last == layer => 2.0 * amount,
                    _ => *amount,
                };
                self.last_bump = Some((layer, amount));
                let LayerActivity { spikes, samples, .. } = &activity[layer];
                let of_spikes = |spikes| if spikes < samples { amount } else { 0.0 };
                raises[layer].extend(spikes.iter().map(of_spikes));
                Outcome { raises, skip_step: true }
            }
            SilentNeurons::Nudge { allowed, amount } => {
                for ((activity, allowed), raises) in activity.iter().zip(allowed).zip(&mut raises) {
                    let of_spikes = |&spikes: &u64| {
                        let silent = 1.0 - spikes as f64 / activity.samples as f64;
                        amount * (silent - allowed).max(0.0)
                    };
                    let amounts: Vec<f64> = activity.spikes.iter().map(of_spikes).collect();
                    if amounts.iter().any(|&amount| amount > 0.0) {
                        *raises = amounts;
                    }
                }
                Outcome { raises, skip_step: false }
            }
        }
    }
}

/// Adds to all incoming weights of each of some consecutive nodes that node's amount.
pub(super) fn raise(network: &mut CompiledNetwork, first: usize, amounts: &[f64]) {
    for (node, &amount) in (first..).zip(amounts) {
        let synapses: Vec<u32> = network.incoming(node).iter().map(|input| input.synapse).collect();
        for synapse in synapses {
            network.weights_mut()[synapse as usize] += amount;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{Layer, layered};
    use crate::neuron::NeuronParameters;

    fn network() -> CompiledNetwork {
        let layer = |name: &str, size, inputs| Layer {
            name: name.to_owned(),
            neurons: vec![NeuronParameters::default(); size],
            bias_sources: 0,
            weights: vec![0.0; size * inputs],
            delays: None,
        };
        let built = layered(1, &[layer("hidden", 2, 1), layer("label", 1, 2)]).expect("valid");
        CompiledNetwork::new(&built.network)
    }

    fn activity(hidden: [u64; 2], label: u64) -> [LayerActivity; 2] {
        [hidden.to_vec(), vec![label]].map(|spikes| LayerActivity { spikes, late: 0, samples: 10 })
    }

    /// The hidden neurons are nodes 1 and 2, the label neuron is node 3.
    fn apply(
        remedy: &mut Remedy,
        activity: &[LayerActivity],
        network: &mut CompiledNetwork,
    ) -> Outcome {
        let outcome = remedy.after(activity);
        outcome
            .raises
            .iter()
            .zip([1, 3])
            .for_each(|(amounts, first)| raise(network, first, amounts));
        outcome
    }

    #[test]
    fn bump_takes_the_first_offending_layer_and_doubles() {
        let mut network = network();
        let rule = SilentNeurons::Bump { allowed: vec![0.3, 0.0], amount: 0.5 };
        let mut remedy = Remedy::new(rule);
        // Half of the hidden pairs are silent, all from the second neuron.
        for expected in [0.5, 1.5, 3.5] {
            let outcome = apply(&mut remedy, &activity([10, 0], 0), &mut network);
            assert!(outcome.raises_any() && outcome.skip_step);
            assert_eq!(network.weights(), [0.0, expected, 0.0, 0.0]);
        }
        // Then the label layer, from the base amount again.
        apply(&mut remedy, &activity([10, 8], 9), &mut network);
        assert_eq!(network.weights(), [0.0, 3.5, 0.5, 0.5]);
        let outcome = apply(&mut remedy, &activity([10, 8], 10), &mut network);
        assert_eq!(outcome, Outcome::default());
    }

    #[test]
    fn nudge_raises_each_neuron_by_its_own_excess() {
        let mut network = network();
        let rule = SilentNeurons::Nudge { allowed: vec![0.5, 0.0], amount: 1.0 };
        let outcome = apply(&mut Remedy::new(rule), &activity([0, 6], 8), &mut network);
        assert!(outcome.raises_any() && !outcome.skip_step);
        let expected = [0.5, 0.0, 0.2, 0.2];
        for (weight, expected) in network.weights().iter().zip(expected) {
            assert!((weight - expected).abs() < 1e-15);
        }
    }
}
