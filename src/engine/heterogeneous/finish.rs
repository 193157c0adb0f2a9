//! The way of all neurons of a layer from the last arrival to the end.
//!
//! Whether a neuron spikes, and when, are long chains of operations that each wait for the last. What is to
//! be done is therefore done for one register after the other before the next thing is: then hardly
//! anything that the processor has to guess depends on the end of a chain, and it works on several
//! registers at a time.

use pulp::{Simd, WithSimd};

use super::LayerSpike;
use super::blocks::PADDING;
use super::cells::{Cells, Limits};
use super::neurons::IndividualNeurons;
use super::places::Places;
use super::search::STEPS;
use super::way::Way;

/// All registers of a layer.
pub struct Finish<'a, 'b, S: Simd, const SPLIT: bool> {
    pub simd: S,
    pub neurons: &'a IndividualNeurons,
    pub limits: Limits,
    pub places: &'a mut Places<'b>,
    /// When the neurons are at their places.
    pub now: f64,
    pub end: f64,
    /// Room for the registers that may spike, and for those whose spikes are looked for.
    pub lists: &'a mut [Vec<usize>; 2],
    pub spikes: &'a mut Vec<LayerSpike>,
}

impl<S: Simd, const SPLIT: bool> WithSimd for Finish<'_, '_, S, SPLIT> {
    type Output = ();

    #[inline(always)]
    fn with_simd<Same: Simd>(self, _: Same) {
        let Finish { simd, neurons, limits, places, now, end, lists, spikes } = self;
        let [open, active] = lists;
        // Macros, not functions with closures, which would be compiled without the vector instructions.
        let registers = neurons.blocks.len() * PADDING / S::F64_LANES;
        macro_rules! way {
            ($register:expr) => {{
                let cells = Cells::<S>::new(simd, neurons, $register, limits);
                Way { cells, places: &mut *places, now, time: end }
            }};
        }
        /// Keeps the registers of a list for which something holds.
        macro_rules! retain {
            ($list:ident, $register:ident, $holds:expr) => {
                let mut kept = 0;
                for place in 0..$list.len() {
                    let $register = $list[place];
                    $list[kept] = $register;
                    kept += usize::from($holds);
                }
                $list.truncate(kept);
            };
        }
        open.clear();
        for register in 0..registers {
            if way!(register).set_out::<SPLIT>() {
                open.push(register);
            }
        }
        while !open.is_empty() {
            active.clone_from(open);
            for index in 0..STEPS {
                retain!(active, register, way!(register).step::<SPLIT>(index == 0));
                if active.is_empty() {
                    break;
                }
            }
            for &register in &*active {
                way!(register).give_up();
            }
            retain!(open, register, way!(register).spike::<SPLIT>(spikes));
        }
        for register in 0..registers {
            way!(register).arrive();
        }
    }
}
