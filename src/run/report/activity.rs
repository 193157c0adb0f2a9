//! What happens in a simulation, counted as it happens: for the charts of its report.

mod time_bins;

use crate::network::{CompiledNetwork, Population};
use crate::report::html::{PopulationContent, Raster, Rows, StreamingHistogram, short};
use crate::trace::statistics::RunningVariation;
use time_bins::TimeBins;

/// Most spikes of a raster: as many as a browser draws without a pause.
const MOST_SPIKES: usize = 12_000;

/// What happens in a simulation, seen spike by spike.
pub(in crate::run) struct Activity {
    populations: Vec<Population>,
    /// Per population: spikes over time.
    rates: Vec<TimeBins>,
    /// Per node: when it last spiked.
    last: Vec<f64>,
    intervals: Vec<StreamingHistogram>,
    /// Per node: mean and spread of its intervals.
    variations: Vec<RunningVariation>,
    /// Spikes of every `stride`th neuron of each population, in order.
    raster: Vec<(u32, u32, f64)>,
    stride: usize,
    /// Where the raster had to end.
    ended: Option<f64>,
}

impl Activity {
    /// Nothing so far, of these populations, in a simulation that is to end at `until`.
    pub fn new(populations: &[Population], until: f64) -> Self {
        let nodes = populations.iter().map(|population| population.nodes.end).max().unwrap_or(0);
        Activity {
            populations: populations.to_vec(),
            rates: vec![TimeBins::new(until); populations.len()],
            last: vec![f64::NAN; nodes],
            intervals: vec![StreamingHistogram::default(); populations.len()],
            variations: vec![RunningVariation::default(); nodes],
            raster: Vec::new(),
            stride: 1,
            ended: None,
        }
    }

    /// A spike of a node that belongs to the population with this index.
    pub fn spike(&mut self, population: usize, node: usize, time: f64) {
        self.rates[population].count(time);
        let interval = time - std::mem::replace(&mut self.last[node], time);
        if interval >= 0.0 {
            self.intervals[population].count(interval);
            self.variations[node].add(interval);
        }
        let neuron = node - self.populations[population].nodes.start;
        if self.ended.is_none() && neuron.is_multiple_of(self.stride) {
            self.raster.push((population as u32, neuron as u32, time));
            if self.raster.len() > MOST_SPIKES {
                self.thin_out();
            }
        }
    }

    /// Leaves out every other neuron that was shown so far; if there is none, whatever comes later.
    fn thin_out(&mut self) {
        let largest = self.populations.iter().map(|population| population.nodes.len()).max();
        if self.stride < largest.unwrap_or(0) {
            self.stride *= 2;
            let stride = self.stride;
            self.raster.retain(|(_, neuron, _)| (*neuron as usize).is_multiple_of(stride));
        } else {
            self.ended = self.raster.last().map(|(_, _, time)| *time);
        }
    }

    /// Spikes for a raster, and what is left out.
    pub fn raster(&self) -> Raster {
        let mut populations = vec![Rows::default(); self.populations.len()];
        for &(population, neuron, time) in &self.raster {
            let rows = &mut populations[population as usize];
            rows.neuron.push(neuron);
            rows.time.push(short(time));
        }
        let mut note = Vec::new();
        if self.stride > 1 {
            note.push(format!("every {}th neuron of each population", self.stride));
        }
        if let Some(end) = self.ended {
            note.push(format!("spikes until {}", short(end)));
        }
        let note = match note.join(", ") {
            what if what.is_empty() => what,
            what => format!("There are too many spikes to show all of them: shown are {what}."),
        };
        Raster { populations, note: note.replace("every 2th", "every 2nd") }
    }

    /// Width of the bins of rates, after a simulation that reached a time.
    pub fn bin(&self, reached: f64) -> f64 {
        self.rates.first().map_or(reached, |rates| rates.clone().finish(reached).width)
    }

    /// Every population that has neurons, after a simulation that reached a time; rates are in spikes per
    /// neuron and time unit, times `per_unit`.
    pub fn populations(
        &self,
        network: &CompiledNetwork,
        reached: f64,
        per_unit: f64,
    ) -> Vec<PopulationContent> {
        let mut contents = Vec::new();
        for (index, Population { name, nodes }) in self.populations.iter().enumerate() {
            if nodes.is_empty() {
                continue;
            }
            let rates = self.rates[index].clone().finish(reached);
            let spikes: u64 = rates.counts.iter().sum();
            let size = nodes.len() as f64;
            let rate = |count: u64, time: f64| short(count as f64 / (size * time) * per_unit);
            let variation = mean(self.variations[nodes.clone()].iter());
            contents.push(PopulationContent {
                name: name.clone(),
                size: nodes.len(),
                is_source: network.dynamics(nodes.start).is_none(),
                spikes,
                mean_rate: rate(spikes, reached),
                rate: rates.parts(reached).map(|(count, time)| rate(count, time)).collect(),
                intervals: self.intervals[index].finish(),
                variation: variation.map(short),
            });
        }
        contents
    }
}

/// The coefficient of variation of a population: the mean over its neurons that have one.
fn mean<'a>(neurons: impl Iterator<Item = &'a RunningVariation>) -> Option<f64> {
    let of_neurons = neurons.filter_map(RunningVariation::coefficient_of_variation);
    let (sum, count) = of_neurons.fold((0.0, 0), |(sum, count), one| (sum + one, count + 1));
    (count > 0).then(|| sum / f64::from(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_raster_of_too_many_spikes_is_thinned_out_and_says_so() {
        let population = Population { name: "all".to_owned(), nodes: 0..10 };
        let mut activity = Activity::new(&[population], 3000.0);
        let spikes = (0..30_000).map(|spike| (spike % 10, 0.1 * spike as f64));
        spikes.for_each(|(node, time)| activity.spike(0, node, time));
        let raster = activity.raster();
        let rows = &raster.populations[0];
        assert!(rows.neuron.len() <= MOST_SPIKES && rows.neuron.len() > MOST_SPIKES / 3);
        // Every fourth of ten neurons: 9000 spikes.
        assert_eq!(rows.neuron.len(), 9000);
        assert!(rows.neuron.iter().all(|neuron| neuron % 4 == 0));
        assert!(raster.note.contains("every 4th neuron"), "{}", raster.note);
        // Rates and intervals are of all of them.
        assert_eq!(activity.rates[0].clone().finish(3000.0).counts.iter().sum::<u64>(), 30_000);
        let intervals = activity.intervals[0].finish().expect("intervals");
        assert_eq!((intervals.total, intervals.mean), (29_990, 1.0));

        // A single neuron cannot be left out: then its later spikes are.
        let one = Population { name: "one".to_owned(), nodes: 0..1 };
        let mut activity = Activity::new(&[one], 3000.0);
        (0..30_000).for_each(|spike| activity.spike(0, 0, 0.1 * f64::from(spike)));
        assert!(activity.raster().note.contains("spikes until 1200"), "{}", activity.raster().note);
    }
}
