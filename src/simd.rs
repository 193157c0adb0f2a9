//! Vector arithmetic on whatever instruction set the machine has.
//!
//! The widest one is chosen when the program runs (`pulp`), and every function here is inlined into code
//! that was compiled for it. [`F64s`] is a register of doubles with the operators, exponential and
//! logarithm; [`Mask`] holds a truth value for each of its lanes. [`Element`] has the few operations that a
//! kernel for both precisions needs. [`Lookup`] reads small tables, another row in every lane.
//!
//! Closures and the functions of the standard library that take them are avoided around these operations:
//! what is not inlined for certain is compiled without the vector instructions.

mod element;
mod f64s;
mod table;

pub use self::element::Element;
pub(crate) use self::element::grow;
pub(crate) use self::f64s::{F64s, Mask, reciprocal_factorials, registers, registers_mut, select};
#[cfg(target_arch = "x86_64")]
pub(crate) use self::table::ByPermutation;
pub(crate) use self::table::{ByLanes, LARGE_TABLE, Lookup, SMALL_TABLE, with_row};
