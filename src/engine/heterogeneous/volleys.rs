//! Arrivals that follow each other at an interval whose effect is known in advance: what a link sends
//! that has more than one event at a time.

use std::ops::Range;

use super::neurons::{Gap, IndividualNeurons};
use crate::engine::layered::Arrival;

/// One arrival, or several at the same interval.
#[derive(Clone, Debug)]
pub struct Volley {
    pub range: Range<usize>,
    /// Which of the neurons' gaps lies between them.
    gap: Option<usize>,
}

impl Volley {
    /// The stretch of time between its arrivals; none if there is one arrival only.
    #[inline(always)]
    pub fn gap<'a>(&self, neurons: &'a IndividualNeurons) -> Option<&'a Gap> {
        neurons.gaps.get(self.gap?)
    }
}

/// Divides arrivals into volleys.
pub fn find_volleys(arrivals: &[Arrival], neurons: &IndividualNeurons, volleys: &mut Vec<Volley>) {
    volleys.clear();
    let mut before = f64::NEG_INFINITY;
    for (index, arrival) in arrivals.iter().enumerate() {
        let gap = neurons.gap(before, arrival.time);
        before = arrival.time;
        match volleys.last_mut() {
            Some(volley) if gap.is_some() && (volley.gap.is_none() || volley.gap == gap) => {
                volley.gap = gap;
                volley.range.end = index + 1;
            }
            _ => volleys.push(Volley { range: index..index + 1, gap: None }),
        }
    }
}
