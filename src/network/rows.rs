//! Compiled rows from synapses in any order, met twice: counted first, then put into their rows.
//!
//! ```text
//! synapses, any order ─→ SynapseCounts (per presynaptic node) ─→ SynapseRows ─ finish → CompiledNetwork
//!                    └──────────── the same again ────────────────↑
//! ```
//!
//! On the way a synapse takes 14 bytes: postsynaptic node (4), weight (8) and which of the network's delays it has
//! (2); if there are more than 65,536 delays, 20. So a network of 10^7 synapses from a file never takes the 40
//! bytes more per synapse that the graph does. Synapses of a row are sorted by delay, then by postsynaptic node;
//! those that are equal in both stay in the order in which they came: it is the network that
//! [`CompiledNetwork::new`] makes of a graph with these edges.

use rustc_hash::FxHashMap;

use super::{CompiledNetwork, Network, NetworkError, Receptor, Synapse};

/// The most synapses that are counted: some 2 GB of rows.
pub const MOST_SYNAPSES: u64 = 100_000_000;

/// What takes synapses between nodes, one by one.
pub trait SynapseSink {
    /// Takes a synapse from node `pre` to node `post`.
    ///
    /// # Errors
    /// If there cannot be such a synapse.
    fn take(
        &mut self,
        pre: u32,
        post: u32,
        synapse: Synapse,
        receptor: Receptor,
    ) -> Result<(), NetworkError>;
}

impl SynapseSink for Network {
    fn take(
        &mut self,
        pre: u32,
        post: u32,
        synapse: Synapse,
        receptor: Receptor,
    ) -> Result<(), NetworkError> {
        self.connect_nodes(pre as usize, post as usize, synapse, receptor)
    }
}

/// How many synapses start at each node.
#[derive(Clone, Debug)]
pub struct SynapseCounts {
    counts: Vec<u32>,
    total: u64,
}

impl SynapseCounts {
    /// None yet, for the nodes of a network.
    pub fn new(network: &Network) -> Self {
        SynapseCounts { counts: vec![0; network.graph().node_count()], total: 0 }
    }

    /// Counts a synapse that starts at a node of the network.
    ///
    /// # Errors
    /// If there are more than [`MOST_SYNAPSES`].
    #[inline]
    pub fn add(&mut self, pre: u32) -> Result<(), NetworkError> {
        if self.total == MOST_SYNAPSES {
            return Err(NetworkError::TooManySynapses);
        }
        self.total += 1;
        self.counts[pre as usize] += 1;
        Ok(())
    }
}

/// Synapses in the rows of their presynaptic nodes.
#[derive(Debug)]
pub struct SynapseRows {
    compiled: CompiledNetwork,
    /// Per node: where its row ends.
    ends: Vec<u32>,
    /// Per node: where its next synapse goes.
    next: Vec<u32>,
    targets: Vec<u32>,
    weights: Vec<f64>,
    delays: Delays,
    /// Empty as long as the sign of the weight chooses for all.
    receptors: Vec<Receptor>,
}

/// The delay of each synapse.
#[derive(Debug)]
enum Delays {
    /// Few distinct ones, and which of them each synapse has.
    Few {
        distinct: Vec<f64>,
        known: FxHashMap<u64, u16>,
        last: (u64, u16),
        each: Vec<u16>,
    },
    Each(Vec<f64>),
}

impl SynapseRows {
    /// Room for the synapses that were counted, between the nodes of `network`. Its own synapses are left out.
    pub fn new(network: &Network, counts: SynapseCounts) -> Self {
        let total = counts.total as usize;
        let mut next = counts.counts;
        let mut ends = Vec::with_capacity(next.len());
        let mut end = 0;
        for next in &mut next {
            let start = end;
            end += *next;
            *next = start;
            ends.push(end);
        }
        SynapseRows {
            compiled: CompiledNetwork::without_synapses(network, 0),
            ends,
            next,
            targets: vec![0; total],
            weights: vec![0.0; total],
            delays: Delays::Few {
                distinct: Vec::new(),
                known: FxHashMap::default(),
                last: (u64::MAX, 0),
                each: vec![0; total],
            },
            receptors: Vec::new(),
        }
    }

    /// The network with these synapses.
    ///
    /// # Errors
    /// If not all synapses came that were counted.
    pub fn finish(self) -> Result<CompiledNetwork, NetworkError> {
        if self.next != self.ends {
            return Err(NetworkError::OtherSynapses);
        }
        let SynapseRows {
            mut compiled, ends, mut targets, mut weights, delays, mut receptors, ..
        } = self;
        let sorted = SortedDelays::of(delays);
        let mut row = RowSorter::default();
        let mut start = 0;
        for (node, &end) in ends.iter().enumerate() {
            let range = start as usize..end as usize;
            row.sort(&targets[range.clone()], |place| sorted.key(start as usize + place));
            for &(_, place) in &row.order {
                compiled.push_bundled(node, sorted.value(start as usize + place as usize));
            }
            row.apply(&mut targets[range.clone()]);
            row.apply(&mut weights[range.clone()]);
            if !receptors.is_empty() {
                row.apply(&mut receptors[range]);
            }
            compiled.end_row();
            start = end;
        }
        compiled.take_synapses(targets, weights, receptors);
        Ok(compiled)
    }
}

impl SynapseSink for SynapseRows {
    #[inline]
    fn take(
        &mut self,
        pre: u32,
        post: u32,
        synapse: Synapse,
        receptor: Receptor,
    ) -> Result<(), NetworkError> {
        let next = &mut self.next[pre as usize];
        if *next == self.ends[pre as usize] {
            return Err(NetworkError::OtherSynapses);
        }
        let place = *next as usize;
        *next += 1;
        self.targets[place] = post;
        self.weights[place] = synapse.weight;
        self.delays.set(place, synapse.delay);
        if receptor != Receptor::BySign || !self.receptors.is_empty() {
            if self.receptors.is_empty() {
                self.receptors = vec![Receptor::BySign; self.targets.len()];
            }
            self.receptors[place] = receptor;
        }
        Ok(())
    }
}

impl Delays {
    #[inline]
    fn set(&mut self, place: usize, delay: f64) {
        match self {
            Delays::Each(each) => each[place] = delay,
            Delays::Few { distinct, known, last, each } => {
                let bits = delay.to_bits();
                if last.0 == bits && !distinct.is_empty() {
                    each[place] = last.1;
                    return;
                }
                let index = match known.get(&bits) {
                    Some(&index) => index,
                    None if distinct.len() <= usize::from(u16::MAX) => {
                        let index = distinct.len() as u16;
                        distinct.push(delay);
                        known.insert(bits, index);
                        index
                    }
                    None => {
                        // Places that nothing is in yet get any delay, until their own comes.
                        let mut all: Vec<f64> =
                            each.iter().map(|&index| distinct[usize::from(index)]).collect();
                        all[place] = delay;
                        *self = Delays::Each(all);
                        return;
                    }
                };
                *last = (bits, index);
                each[place] = index;
            }
        }
    }
}

/// Delays by which rows are sorted.
enum SortedDelays {
    /// Each synapse has the place of its delay among the distinct ones, which increase.
    Few {
        distinct: Vec<f64>,
        each: Vec<u16>,
    },
    Each(Vec<f64>),
}

impl SortedDelays {
    fn of(delays: Delays) -> Self {
        match delays {
            Delays::Each(each) => SortedDelays::Each(each),
            Delays::Few { distinct, mut each, .. } => {
                let mut order: Vec<u16> = (0..distinct.len()).map(|index| index as u16).collect();
                let value = |index: &u16| distinct[usize::from(*index)];
                order.sort_by(|a, b| value(a).total_cmp(&value(b)));
                let mut rank = vec![0; distinct.len()];
                for (place, &index) in order.iter().enumerate() {
                    rank[usize::from(index)] = place as u16;
                }
                if !rank.is_empty() {
                    each.iter_mut().for_each(|index| *index = rank[usize::from(*index)]);
                }
                SortedDelays::Few { distinct: order.iter().map(value).collect(), each }
            }
        }
    }

    fn value(&self, synapse: usize) -> f64 {
        match self {
            SortedDelays::Few { distinct, each } => distinct[usize::from(each[synapse])],
            SortedDelays::Each(each) => each[synapse],
        }
    }

    /// A number that is in the order of the delays.
    fn key(&self, synapse: usize) -> u64 {
        match self {
            SortedDelays::Few { each, .. } => u64::from(each[synapse]),
            SortedDelays::Each(each) => {
                // Negative zero is the only one with a sign; it is before zero, as in the graph's order.
                let bits = each[synapse].to_bits();
                if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
            }
        }
    }
}

/// The order of the synapses of one row.
#[derive(Default)]
struct RowSorter {
    /// Key and place before sorting, in the order after it.
    order: Vec<(u128, u32)>,
    numbers: Vec<u64>,
}

impl RowSorter {
    /// Sorts by delay, then postsynaptic node, then place.
    fn sort(&mut self, targets: &[u32], delay: impl Fn(usize) -> u64) {
        self.order.clear();
        self.order.extend(targets.iter().enumerate().map(|(place, &target)| {
            (u128::from(delay(place)) << 32 | u128::from(target), place as u32)
        }));
        if !self.order.is_sorted() {
            self.order.sort_unstable();
        }
    }

    fn apply<T: Packed>(&mut self, values: &mut [T]) {
        self.numbers.clear();
        self.numbers.extend(values.iter().map(|value| value.pack()));
        for (value, &(_, place)) in values.iter_mut().zip(&self.order) {
            *value = T::unpack(self.numbers[place as usize]);
        }
    }
}

/// What fits into 64 bits: one scratch list serves all columns of a row.
trait Packed {
    fn pack(&self) -> u64;
    fn unpack(bits: u64) -> Self;
}

impl Packed for u32 {
    fn pack(&self) -> u64 {
        u64::from(*self)
    }
    fn unpack(bits: u64) -> Self {
        bits as u32
    }
}

impl Packed for f64 {
    fn pack(&self) -> u64 {
        self.to_bits()
    }
    fn unpack(bits: u64) -> Self {
        f64::from_bits(bits)
    }
}

impl Packed for Receptor {
    fn pack(&self) -> u64 {
        match self {
            Receptor::BySign => 0,
            Receptor::Excitatory => 1,
            Receptor::Inhibitory => 2,
        }
    }
    fn unpack(bits: u64) -> Self {
        match bits {
            0 => Receptor::BySign,
            1 => Receptor::Excitatory,
            _ => Receptor::Inhibitory,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::neuron::NeuronParameters;

    /// Three sources and five neurons.
    fn nodes() -> Network {
        let mut network = Network::new();
        network.add_sources("input", 3).expect("new");
        network.add_neurons("neurons", vec![NeuronParameters::default(); 5]).expect("new");
        network
    }

    fn compiled(synapses: &[(u32, u32, Synapse, Receptor)]) -> CompiledNetwork {
        let nodes = nodes();
        let mut counts = SynapseCounts::new(&nodes);
        synapses.iter().for_each(|it| counts.add(it.0).expect("few"));
        let mut rows = SynapseRows::new(&nodes, counts);
        for &(pre, post, synapse, receptor) in synapses {
            rows.take(pre, post, synapse, receptor).expect("counted");
        }
        rows.finish().expect("all of them")
    }

    fn assert_same(synapses: &[(u32, u32, Synapse, Receptor)]) {
        let mut graph = nodes();
        for &(pre, post, synapse, receptor) in synapses {
            graph.take(pre, post, synapse, receptor).expect("valid");
        }
        let (expected, found) = (CompiledNetwork::new(&graph), compiled(synapses));
        let bits = |values: &[f64]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        assert_eq!(found.targets(), expected.targets());
        assert_eq!(bits(found.weights()), bits(expected.weights()));
        assert_eq!(bits(found.bundle_delays()), bits(expected.bundle_delays()));
        for node in 0..8 {
            assert_eq!(found.outgoing(node), expected.outgoing(node));
            assert_eq!(found.bundles(node), expected.bundles(node));
        }
        for synapse in 0..synapses.len() {
            assert_eq!(found.receptor(synapse), expected.receptor(synapse));
        }
    }

    proptest! {
        #[test]
        fn rows_are_those_of_the_graph(
            synapses in prop::collection::vec(
                (0_u32..8, 3_u32..8, -2..3_i32, 0_usize..5, 0..4_u64), 0..80),
        ) {
            let synapses: Vec<_> = synapses
                .into_iter()
                .map(|(pre, post, weight, delay, receptor)| {
                    let delay = [0.0, -0.0, 0.5, 1.0, 1e-300][delay];
                    let synapse = Synapse { weight: f64::from(weight) / 3.0, delay };
                    (pre, post, synapse, Receptor::unpack(receptor.saturating_sub(1)))
                })
                .collect();
            assert_same(&synapses);
        }
    }

    #[test]
    fn so_many_delays_that_each_synapse_keeps_its_own() {
        let synapses: Vec<_> = (0..70_000_u32)
            .map(|index| {
                let delay = f64::from(index.wrapping_mul(2_654_435_761) >> 4);
                let synapse = Synapse { weight: f64::from(index), delay };
                (index % 8, 3 + index % 5, synapse, Receptor::BySign)
            })
            .collect();
        assert_same(&synapses);
    }

    #[test]
    fn other_synapses_than_were_counted_are_refused() {
        let nodes = nodes();
        let synapse = Synapse { weight: 1.0, delay: 0.0 };
        let mut counts = SynapseCounts::new(&nodes);
        counts.add(1).expect("one");
        let mut rows = SynapseRows::new(&nodes, counts);
        let refused = rows.take(0, 3, synapse, Receptor::BySign).expect_err("none was counted");
        assert_eq!(refused, NetworkError::OtherSynapses);
        assert_eq!(rows.finish().expect_err("one is missing"), NetworkError::OtherSynapses);
    }
}
