//! The final interval: all registers of a layer from the last arrival to the end.
//!
//! Whether a neuron spikes, and when, are long chains of operations that each wait for the one before. So
//! every step is done for all registers before the next step. Then the processor works on several registers
//! at a time, and seldom has to guess a branch from a result that is not there yet.

use pulp::{Simd, WithSimd};

use super::LayerSpike;
use super::layer_state::LayerState;
use super::spike_search::SpikeSearch;
use crate::neuron::heterogeneous::{LayerLanes, PARAMS};

/// The registers that are being searched.
#[derive(Debug, Default)]
pub struct SearchLists {
    /// Those that may spike again.
    open: Vec<usize>,
    /// Those whose next crossing is not found yet.
    active: Vec<usize>,
}

/// All registers of a layer.
pub struct FinalInterval<'a, 'b, S: Simd, const SPLIT: bool> {
    pub simd: S,
    pub lanes: LayerLanes<'a>,
    pub layer_state: &'a mut LayerState<'b>,
    /// When it starts.
    pub now: f64,
    pub end: f64,
    pub lists: &'a mut SearchLists,
    pub spikes: &'a mut Vec<LayerSpike>,
}

impl<S: Simd, const SPLIT: bool> WithSimd for FinalInterval<'_, '_, S, SPLIT> {
    type Output = ();

    #[inline(always)]
    fn with_simd<Same: Simd>(self, _: Same) {
        let FinalInterval { simd, lanes, layer_state, now, end, lists, spikes } = self;
        let SearchLists { open, active } = lists;
        // Macros: functions with closures would be compiled without the vector instructions.
        macro_rules! search {
            ($register:expr) => {{
                let lanes = lanes.register::<S>(simd, $register);
                SpikeSearch { lanes, layer_state: &mut *layer_state, now, time: end }
            }};
        }
        /// Keeps the registers of a list for which something holds.
        macro_rules! retain {
            ($list:ident, $register:ident, $holds:expr) => {
                let mut kept = 0;
                for index in 0..$list.len() {
                    let $register = $list[index];
                    $list[kept] = $register;
                    kept += usize::from($holds);
                }
                $list.truncate(kept);
            };
        }
        open.clear();
        for register in 0..lanes.register_count::<S>() {
            if search!(register).begin::<SPLIT>() {
                open.push(register);
            }
        }
        while !open.is_empty() {
            active.clone_from(open);
            for steps in 0..PARAMS.max_steps {
                retain!(active, register, search!(register).step::<SPLIT>(steps == 0));
                if active.is_empty() {
                    break;
                }
            }
            for &register in &*active {
                search!(register).give_up();
            }
            retain!(open, register, search!(register).spike::<SPLIT>(spikes));
        }
        for register in 0..lanes.register_count::<S>() {
            search!(register).finish();
        }
    }
}
