//! Rules for silent neurons, which receive no gradient and so could stay silent for ever.

use serde::{Deserialize, Serialize};

use super::{LayerActivity, StateError, TrainerState};
use crate::network::CompiledNetwork;
use crate::settings::{Check, Settings};

/// What to do about neurons that do not spike in a batch.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum SilentNeuronRule {
    /// Nothing.
    #[default]
    Ignore,
    /// The paper's rule. If in some layer more than the allowed fraction of (sample, neuron) pairs
    /// is silent, no gradient step is taken for this batch; instead every neuron of the first such
    /// layer that was silent in at least one sample has all its incoming weights bumped up by
    /// `amount`, doubled for each batch in a row in which that layer offends.
    Bump {
        /// Per layer: largest fraction of silent (sample, neuron) pairs that is allowed, 0 to 1.
        allowed: Vec<f64>,
        /// First amount, in units of weight. Above zero.
        amount: f64,
    },
    /// A steadier rule: the gradient step is always taken, and beside it every neuron whose own
    /// fraction of silent samples in this batch exceeds what its layer allows has all its incoming
    /// weights bumped up by `amount` times that excess. Nothing else is disturbed, and the bumps
    /// end by themselves as the neuron begins to spike.
    Nudge {
        /// Per layer: largest fraction of samples in which a neuron may be silent, 0 to 1.
        allowed: Vec<f64>,
        /// Amount for a neuron that is always silent where it should never be, in units of weight.
        /// Above zero.
        amount: f64,
    },
}

impl SilentNeuronRule {
    /// Checks that there is a fraction for each of so many layers.
    pub fn check_layers(&self, layers: usize, check: &mut Check<'_>) {
        if let SilentNeuronRule::Bump { allowed, .. } | SilentNeuronRule::Nudge { allowed, .. } =
            self
        {
            check.require(allowed.len() == layers, format!("{}.allowed", self.name()), || {
                format!("{} fractions, but there are {layers} layers: one each", allowed.len())
            });
        }
    }

    fn name(&self) -> &'static str {
        match self {
            SilentNeuronRule::Ignore => "ignore",
            SilentNeuronRule::Bump { .. } => "bump",
            SilentNeuronRule::Nudge { .. } => "nudge",
        }
    }
}

impl Settings for SilentNeuronRule {
    fn check(&self, check: &mut Check<'_>) {
        let (allowed, amount) = match self {
            SilentNeuronRule::Ignore => return,
            SilentNeuronRule::Bump { allowed, amount }
            | SilentNeuronRule::Nudge { allowed, amount } => (allowed, *amount),
        };
        let mut check = check.section(self.name());
        check.positive("amount", amount);
        check.require(
            allowed.iter().all(|fraction| (0.0..=1.0).contains(fraction)),
            "allowed",
            || format!("{allowed:?} must all be from 0 to 1"),
        );
    }
}

/// The rule with its memory of the batches before.
#[derive(Clone, Debug)]
pub(super) struct RuleWithMemory {
    rule: SilentNeuronRule,
    /// The layer that was bumped in the last batch, and by how much.
    last_bump: Option<(usize, f64)>,
}

/// What a rule asks for after a batch.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct WeightBumps {
    /// Per layer and neuron: what is to be added to all incoming weights; empty for layers in which
    /// nothing is.
    pub amounts: Vec<Vec<f64>>,
    /// The gradient step is to be left out.
    pub skip_step: bool,
}

impl WeightBumps {
    /// Whether there are any.
    pub fn any(&self) -> bool {
        self.amounts.iter().any(|amounts| !amounts.is_empty())
    }
}

impl RuleWithMemory {
    pub fn new(rule: SilentNeuronRule) -> Self {
        RuleWithMemory { rule, last_bump: None }
    }

    /// Adds the memory of the last batch to a state: nothing, or the layer and the amount.
    pub fn save(&self, prefix: &str, state: &mut TrainerState) {
        if let Some((layer, amount)) = self.last_bump {
            state.set_counter(format!("{prefix}.last_layer"), layer as u64);
            state.set_array(format!("{prefix}.last_amount"), vec![amount]);
        }
    }

    /// This rule for a network of so many layers, as it was when it was saved.
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
        Ok(RuleWithMemory { rule: self.rule.clone(), last_bump })
    }

    /// The weight bumps after a batch with this activity.
    pub fn after(&mut self, activity: &[LayerActivity]) -> WeightBumps {
        let mut bumps = vec![Vec::new(); activity.len()];
        match &self.rule {
            SilentNeuronRule::Ignore => WeightBumps::default(),
            SilentNeuronRule::Bump { allowed, amount } => {
                let offends = |layer: &usize| activity[*layer].silent_fraction() > allowed[*layer];
                let Some(layer) = (0..activity.len()).find(offends) else {
                    self.last_bump = None;
                    return WeightBumps::default();
                };
                let amount = match self.last_bump {
                    Some((last, amount)) if last == layer => 2.0 * amount,
                    _ => *amount,
                };
                self.last_bump = Some((layer, amount));
                let LayerActivity { spikes, samples, .. } = &activity[layer];
                let of_spikes = |spikes| if spikes < samples { amount } else { 0.0 };
                bumps[layer].extend(spikes.iter().map(of_spikes));
                WeightBumps { amounts: bumps, skip_step: true }
            }
            SilentNeuronRule::Nudge { allowed, amount } => {
                for ((activity, allowed), bumps) in activity.iter().zip(allowed).zip(&mut bumps) {
                    let of_spikes = |&spikes: &u64| {
                        let silent = 1.0 - spikes as f64 / activity.samples as f64;
                        amount * (silent - allowed).max(0.0)
                    };
                    let amounts: Vec<f64> = activity.spikes.iter().map(of_spikes).collect();
                    if amounts.iter().any(|&amount| amount > 0.0) {
                        *bumps = amounts;
                    }
                }
                WeightBumps { amounts: bumps, skip_step: false }
            }
        }
    }
}

/// Adds to all incoming weights of each of some consecutive nodes that node's amount.
pub(super) fn bump_weights(network: &mut CompiledNetwork, first: usize, amounts: &[f64]) {
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
        rule: &mut RuleWithMemory,
        activity: &[LayerActivity],
        network: &mut CompiledNetwork,
    ) -> WeightBumps {
        let bumps = rule.after(activity);
        bumps
            .amounts
            .iter()
            .zip([1, 3])
            .for_each(|(amounts, first)| bump_weights(network, first, amounts));
        bumps
    }

    #[test]
    fn bump_takes_the_first_offending_layer_and_doubles() {
        let mut network = network();
        let rule = SilentNeuronRule::Bump { allowed: vec![0.3, 0.0], amount: 0.5 };
        let mut rule = RuleWithMemory::new(rule);
        // Half of the hidden pairs are silent, all from the second neuron.
        for expected in [0.5, 1.5, 3.5] {
            let bumps = apply(&mut rule, &activity([10, 0], 0), &mut network);
            assert!(bumps.any() && bumps.skip_step);
            assert_eq!(network.weights(), [0.0, expected, 0.0, 0.0]);
        }
        // Then the label layer, from the base amount again.
        apply(&mut rule, &activity([10, 8], 9), &mut network);
        assert_eq!(network.weights(), [0.0, 3.5, 0.5, 0.5]);
        let bumps = apply(&mut rule, &activity([10, 8], 10), &mut network);
        assert_eq!(bumps, WeightBumps::default());
    }

    #[test]
    fn nudge_bumps_each_neuron_by_its_own_excess() {
        let mut network = network();
        let rule = SilentNeuronRule::Nudge { allowed: vec![0.5, 0.0], amount: 1.0 };
        let bumps = apply(&mut RuleWithMemory::new(rule), &activity([0, 6], 8), &mut network);
        assert!(bumps.any() && !bumps.skip_step);
        let expected = [0.5, 0.0, 0.2, 0.2];
        for (weight, expected) in network.weights().iter().zip(expected) {
            assert!((weight - expected).abs() < 1e-15);
        }
    }
}
