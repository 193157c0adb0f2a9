//! Sorting of times. No physics.
//!
//! Two ways, by what the lanes of a register are:
//!
//! * Of one list: [`Sorter`] deals its arrivals out into `buckets` and sorts these as they are asked for, so that
//!   a layer that has spiked never pays for the rest; a list that fits into the registers is sorted there
//!   (`bitonic`). [`ArrivalSorter`] sorts a list to its end.
//! * Of many lists of equal length side by side, one per lane: the sorting networks of `network`.

mod arrival;
mod bitonic;
mod buckets;
mod list;
mod network;

pub use self::arrival::Arrival;
pub(crate) use self::buckets::{Sorted, Sorter};
pub(crate) use self::list::ArrivalSorter;
pub(crate) use self::network::{BLOCK, Comparators, sort_blocks, sort_keys};

#[cfg(test)]
mod tests;
