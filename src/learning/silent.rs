//! Rules for silent neurons, which receive no gradient and so could stay silent for ever.

use serde::{Deserialize, Serialize};

use super::{LayerActivity, StateError, TrainerState};
use crate::network::{CompiledNetwork, LayerShape, LayeredNetwork, Node, PopulationId};
use crate::settings::{Check, Settings};

/// What a neuron that is always silent gets in a batch by [`SilentNeuronRule::Auto`], all inputs together, as a part of
/// its threshold.
const AMOUNT: f64 = 0.1;

/// What to do about neurons that do not spike in a batch.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
        /// Per layer: largest fraction of silent (sample, neuron) pairs that is allowed. From 0 to 1.
        allowed: Vec<f64>,
        /// First amount. In units of weight. Finite, above zero.
        amount: f64,
    },
    /// A steadier rule: the gradient step is always taken, and beside it every neuron whose own
    /// fraction of silent samples in this batch exceeds what its layer allows has all its incoming
    /// weights bumped up by `amount` times that excess. Nothing else is disturbed, and the bumps
    /// end by themselves as the neuron begins to spike.
    Nudge {
        /// Per layer: largest fraction of samples in which a neuron may be silent. From 0 to 1.
        allowed: Vec<f64>,
        /// Amount for a neuron that is always silent where it should never be. In units of weight. Finite, above
        /// zero.
        amount: f64,
    },
    /// `nudge` with fractions and amounts that follow from the network: a hidden neuron may be silent in 80 % of
    /// the samples, a label neuron in 50 %; one that always is gets a tenth of its threshold more weight per
    /// batch, all inputs together.
    Auto,
    /// `nudge` with an amount for each layer: what `auto` becomes.
    #[serde(skip)]
    NudgeEach {
        /// Per layer: largest fraction of samples in which a neuron may be silent, 0 to 1.
        allowed: Vec<f64>,
        /// Per layer: amount for a neuron that is always silent where it should never be.
        amounts: Vec<f64>,
    },
}

impl SilentNeuronRule {
    /// The rule for this network: [`Self::Auto`] with its numbers, any other as it is.
    pub fn for_network(&self, network: &LayeredNetwork) -> Self {
        const HIDDEN: f64 = 0.8;
        const LABEL: f64 = 0.5;
        if *self != SilentNeuronRule::Auto {
            return self.clone();
        }
        let nodes = network.network.graph();
        let populations = network.network.populations();
        let amount = |(shape, id): (LayerShape, &PopulationId)| {
            let first = populations[id.0].nodes.start;
            let Some(Node::Neuron(neuron)) = nodes.node_weights().nth(first) else { return 0.0 };
            let distance = (neuron.threshold - neuron.leak_potential).abs();
            // What one of weight 1 adds to the potential at its peak, but for the shape of the response.
            let response = neuron.tau_s / neuron.capacitance;
            AMOUNT * distance / (response * shape.rows.max(1) as f64)
        };
        let amounts: Vec<f64> =
            network.shapes().into_iter().zip(&network.layers).map(amount).collect();
        let mut allowed = vec![HIDDEN; amounts.len()];
        allowed.iter_mut().next_back().into_iter().for_each(|label| *label = LABEL);
        SilentNeuronRule::NudgeEach { allowed, amounts }
    }

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
            SilentNeuronRule::Nudge { .. } | SilentNeuronRule::NudgeEach { .. } => "nudge",
            SilentNeuronRule::Auto => "auto",
        }
    }
}

impl Settings for SilentNeuronRule {
    fn check(&self, check: &mut Check<'_>) {
        let (allowed, amount) = match self {
            SilentNeuronRule::Ignore
            | SilentNeuronRule::Auto
            | SilentNeuronRule::NudgeEach { .. } => return,
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
            // The trainer is given the rule of its network.
            SilentNeuronRule::Ignore | SilentNeuronRule::Auto => WeightBumps::default(),
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
                nudge(activity, allowed, &vec![*amount; allowed.len()], &mut bumps)
            }
            SilentNeuronRule::NudgeEach { allowed, amounts } => {
                nudge(activity, allowed, amounts, &mut bumps)
            }
        }
    }
}

/// What each neuron gets that is silent more often than its layer allows.
fn nudge(
    activity: &[LayerActivity],
    allowed: &[f64],
    amounts: &[f64],
    bumps: &mut [Vec<f64>],
) -> WeightBumps {
    let layers = activity.iter().zip(allowed).zip(amounts).zip(bumps.iter_mut());
    for (((activity, allowed), amount), bumps) in layers {
        let of_spikes = |&spikes: &u64| {
            let silent = 1.0 - spikes as f64 / activity.samples as f64;
            amount * (silent - allowed).max(0.0)
        };
        let amounts: Vec<f64> = activity.spikes.iter().map(of_spikes).collect();
        if amounts.iter().any(|&amount| amount > 0.0) {
            *bumps = amounts;
        }
    }
    WeightBumps { amounts: bumps.to_vec(), skip_step: false }
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
    fn auto_asks_of_each_layer_for_a_part_of_its_threshold() {
        let layer = |name: &str, size, inputs, threshold| Layer {
            name: name.to_owned(),
            neurons: vec![NeuronParameters { threshold, ..NeuronParameters::default() }; size],
            bias_sources: 0,
            weights: vec![0.0; size * inputs],
            delays: None,
        };
        let layers = [layer("hidden", 2, 4, 1.0), layer("label", 1, 2, 3.0)];
        let built = layered(4, &layers).expect("valid");
        let rule = SilentNeuronRule::Auto.for_network(&built);
        let amounts = vec![AMOUNT / 4.0, 3.0 * AMOUNT / 2.0];
        assert_eq!(rule, SilentNeuronRule::NudgeEach { allowed: vec![0.8, 0.5], amounts });
        let bumps = RuleWithMemory::new(rule).after(&activity([10, 1], 0));
        let expected = [vec![0.0, 0.1 * AMOUNT / 4.0], vec![0.5 * 3.0 * AMOUNT / 2.0]];
        for (found, expected) in bumps.amounts.iter().flatten().zip(expected.iter().flatten()) {
            assert!((found - expected).abs() < 1e-15, "{found} {expected}");
        }
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
