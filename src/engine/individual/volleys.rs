//! Arrivals that follow each other at an interval whose effect is known in advance: what a link sends
//! that has more than one event at a time.

use std::ops::Range;

use super::neurons::{Gap, IndividualNeurons};
use crate::engine::feed_forward::Arrival;

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

/// Divides the arrivals up to a time into volleys.
pub fn find_volleys(
    arrivals: &[Arrival],
    end: f64,
    neurons: &IndividualNeurons,
    volleys: &mut Vec<Volley>,
) {
    volleys.clear();
    let mut first = 0;
    while first < arrivals.len() && arrivals[first].time <= end {
        let mut volley = Volley { range: first..first + 1, gap: None };
        while let Some(arrival) = arrivals.get(volley.range.end)
            && arrival.time <= end
        {
            let gap = neurons.gap(arrivals[volley.range.end - 1].time, arrival.time);
            if gap.is_none() || (volley.gap.is_some() && gap != volley.gap) {
                break;
            }
            volley.gap = gap;
            volley.range.end += 1;
        }
        first = volley.range.end;
        volleys.push(volley);
    }
}
