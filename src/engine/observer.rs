//! What looks at a run while it happens.

/// Sees every spike of a run, of sources and neurons, in the engine's order of events.
pub trait Observer {
    /// `node` spikes at `time` (in time units). Times never decrease from call to call.
    fn spike(&mut self, node: usize, time: f64);

    /// Asked after every spike; the run ends there if the answer is yes.
    #[inline]
    fn wants_to_stop(&self) -> bool {
        false
    }
}

/// One recorded spike.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spike {
    /// Index of the source or neuron in the network.
    pub node: u32,
    /// When it spiked, in time units.
    pub time: f64,
}

/// Keeps every spike in memory, in the order in which they happened.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recording {
    /// The spikes, by time and then by the engine's order of ties.
    pub spikes: Vec<Spike>,
}

impl Observer for Recording {
    #[inline]
    fn spike(&mut self, node: usize, time: f64) {
        self.spikes.push(Spike { node: node as u32, time });
    }
}
