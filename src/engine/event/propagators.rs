//! The latest propagators, kept because neurons of a layer are mostly updated at the same times.

use crate::network::CompiledNetwork;
use crate::neuron::Propagator;

/// What a propagator is used for; each use has its own interval at any time.
#[derive(Clone, Copy, Debug)]
pub(super) enum Use {
    /// Bringing a neuron up to now.
    Advance = 0,
    /// Looking ahead to the next spike of a source.
    LookToSource = 1,
    /// Looking ahead to the next event.
    LookToEvent = 2,
}

/// Per distinct neuron and use: the latest propagator, and the interval it is for.
#[derive(Clone, Debug)]
pub(super) struct PropagatorCache {
    latest: Vec<[(f64, Propagator); 3]>,
}

impl PropagatorCache {
    pub fn new(network: &CompiledNetwork) -> Self {
        let latest = network
            .distinct_dynamics()
            .iter()
            .map(|dynamics| [(0.0, dynamics.propagator(0.0)); 3])
            .collect();
        PropagatorCache { latest }
    }

    /// The propagator of a distinct neuron for an interval.
    #[inline]
    pub fn get(
        &mut self,
        purpose: Use,
        network: &CompiledNetwork,
        dynamics: u32,
        elapsed: f64,
    ) -> &Propagator {
        let (known, propagator) = &mut self.latest[dynamics as usize][purpose as usize];
        if *known != elapsed {
            *known = elapsed;
            *propagator = network.distinct_dynamics()[dynamics as usize].propagator(elapsed);
        }
        propagator
    }
}
