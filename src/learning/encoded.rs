//! A data set as the stimuli of a network.
//!
//! Samples are encoded whenever they are shown, on the thread that shows them: features, perhaps as
//! a distorted image, become spike times, perhaps with noise; these are sorted, and some are perhaps
//! left out. For bytes, of which there are only 256, the times are looked up and sorted by counting.
//! Small sets of other features are encoded once, and copied when they are shown without noise.

use crate::dataset::{Augmentation, Canvas, Dataset, Encoding, Features};
use crate::engine::SourceSpike;

/// How a sample is shown to the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presentation {
    /// As it is in the data set: for evaluation.
    Plain,
    /// As the training of this epoch (from 1) shows it: with the trial noise that the set adds.
    Training {
        /// Number of the epoch.
        epoch: u64,
    },
}

/// Samples that are encoded as spikes whenever they are shown; kept as features, which take a
/// fraction of the memory of spikes.
#[derive(Clone, Debug, PartialEq)]
pub struct EncodedSet {
    dataset: Dataset,
    encoding: Encoding,
    first_input: usize,
    copies: usize,
    bias: Vec<SourceSpike>,
    augmentation: Option<Augmentation>,
    /// For features that are bytes.
    bytes: Option<ByteTimes>,
    /// For features that are numbers, in a small set.
    cached: Option<CachedSpikes>,
}

/// Memory to encode samples in; one per thread.
#[derive(Clone, Debug, Default)]
pub struct EncodingScratch {
    canvas: Canvas,
    spikes: Vec<SourceSpike>,
    buckets: Vec<u32>,
    active: Vec<ActiveByte>,
}

impl EncodedSet {
    /// Every feature becomes a spike of the source with the same index after `first_input`, or with
    /// several copies of each of its sources; `bias` are the spikes that come with every sample.
    pub fn new(
        dataset: &Dataset,
        encoding: Encoding,
        first_input: usize,
        bias: &[SourceSpike],
    ) -> Self {
        let mut in_order = bias.to_vec();
        in_order.sort_by(order);
        let bytes = match dataset.features {
            Features::Real(_) => None,
            Features::Bytes { divisor, .. } => Some(ByteTimes::new(encoding, divisor)),
        };
        let cached = match &dataset.features {
            Features::Real(values) if values.len() <= CachedSpikes::MOST_FEATURES => {
                Some(CachedSpikes::new(values, dataset.feature_count, encoding, first_input as u32))
            }
            _ => None,
        };
        EncodedSet {
            dataset: dataset.clone(),
            encoding,
            first_input,
            copies: encoding.copies(),
            bias: in_order,
            augmentation: None,
            bytes,
            cached,
        }
    }

    /// The same set, varied whenever it is shown in training. Images are distorted only if the
    /// features are bytes of known shape.
    pub fn augmented(self, augmentation: Augmentation) -> Self {
        EncodedSet { augmentation: Some(augmentation), ..self }
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.dataset.len()
    }

    /// Whether there are no samples.
    pub fn is_empty(&self) -> bool {
        self.dataset.is_empty()
    }

    /// Class of one sample.
    pub fn label(&self, sample: usize) -> usize {
        self.dataset.labels[sample]
    }

    /// The spikes that come with every sample, sorted by time and source.
    pub fn bias(&self) -> &[SourceSpike] {
        &self.bias
    }

    /// How far apart the times of the features' spikes can be, in time units.
    pub fn time_range(&self) -> f64 {
        time_range(&self.dataset, self.encoding)
    }

    /// Writes the spikes of one sample's features to `spikes`, sorted by time and source. Features
    /// that do not spike are left out.
    pub fn inputs(
        &self,
        sample: usize,
        presentation: Presentation,
        scratch: &mut EncodingScratch,
        spikes: &mut Vec<SourceSpike>,
    ) {
        spikes.clear();
        let varied = match (presentation, &self.augmentation) {
            (Presentation::Training { epoch }, Some(augmentation)) => Some((augmentation, epoch)),
            _ => None,
        };
        let mut noise = varied.and_then(|(augmentation, epoch)| augmentation.noise(epoch, sample));
        let first = self.first_input as u32;
        let count = self.dataset.feature_count;
        let range = sample * count..(sample + 1) * count;
        match (&self.dataset.features, &self.bytes) {
            (Features::Bytes { values, .. }, Some(times)) => {
                let mut features = &values[range];
                if let (Some((augmentation, epoch)), Some(shape)) = (varied, self.dataset.image)
                    && augmentation.distorts_images()
                {
                    let distortion = augmentation.distortion(epoch, sample);
                    features = scratch.canvas.distort(features, shape, &distortion);
                }
                match &mut noise {
                    Some(noise) => {
                        let byte = |&byte: &u8| times.times[usize::from(byte)];
                        collect(features.iter().map(byte), first, noise, spikes);
                        sort(spikes, &mut scratch.spikes, &mut scratch.buckets);
                    }
                    None => times.collect_sorted(features, first, &mut scratch.active, spikes),
                }
            }
            (Features::Real(values), _) => match (&mut noise, &self.cached) {
                (None, Some(cached)) => spikes.extend_from_slice(cached.of(sample)),
                (None, None) => {
                    let keep = |time| time;
                    collect_real(&values[range], self.encoding, first, keep, scratch, spikes);
                }
                (Some(noise), _) => {
                    collect_real(&values[range], self.encoding, first, noise, scratch, spikes);
                }
            },
            // `new` makes the times of bytes for bytes.
            (Features::Bytes { .. }, None) => {}
        }
        let survival =
            varied.and_then(|(augmentation, epoch)| augmentation.survival(epoch, sample));
        if let Some(mut survives) = survival {
            spikes.retain(|_| survives());
        }
        if self.copies > 1 {
            self.copy(spikes);
        }
    }

    /// Gives every source of a feature its spike. Sorted spikes stay sorted.
    fn copy(&self, spikes: &mut Vec<SourceSpike>) {
        let (count, copies) = (spikes.len(), self.copies);
        spikes.resize(count * copies, SourceSpike { time: 0.0, source: 0 });
        let first = self.first_input as u32;
        for index in (0..count).rev() {
            let SourceSpike { time, source } = spikes[index];
            for copy in (0..copies).rev() {
                let source = first + (source - first) * copies as u32 + copy as u32;
                spikes[index * copies + copy] = SourceSpike { time, source };
            }
        }
    }

    /// Writes all spikes of the sources in one sample to `spikes`, those of the bias sources
    /// included, sorted by time and source.
    pub fn stimulus(
        &self,
        sample: usize,
        presentation: Presentation,
        scratch: &mut EncodingScratch,
        spikes: &mut Vec<SourceSpike>,
    ) {
        self.inputs(sample, presentation, scratch, spikes);
        // From the last to the first, so that each input is moved once.
        let mut inputs = spikes.len();
        spikes.extend_from_slice(&self.bias);
        let mut end = spikes.len();
        for bias in self.bias.iter().rev() {
            while inputs > 0 && order(&spikes[inputs - 1], bias).is_gt() {
                (end, inputs) = (end - 1, inputs - 1);
                spikes[end] = spikes[inputs];
            }
            end -= 1;
            spikes[end] = *bias;
        }
    }
}

/// How far apart the spike times of a set's features can be, in time units; nothing is encoded for it.
pub fn time_range(dataset: &Dataset, encoding: Encoding) -> f64 {
    match (encoding, &dataset.features) {
        (Encoding::Latency(encoding), _) => encoding.latest - encoding.earliest,
        (Encoding::SpikeTimes, Features::Bytes { divisor, .. }) => 255.0 / divisor,
        (Encoding::SpikeTimes, Features::Real(times)) => {
            let finite = times.iter().filter(|time| time.is_finite());
            let (first, last) = finite.fold((f64::INFINITY, 0.0_f64), |(first, last), &time| {
                (first.min(time), last.max(time))
            });
            (last - first).max(0.0)
        }
    }
}

/// The spike times of all bytes.
#[derive(Clone, Debug, PartialEq)]
struct ByteTimes {
    times: [f64; 256],
    /// For each byte, its rank among the different times.
    rank: [u8; 256],
    /// How many of the different times are finite.
    ranks: usize,
}

impl ByteTimes {
    fn new(encoding: Encoding, divisor: f64) -> Self {
        let times = std::array::from_fn(|byte| encoding.spike_time(byte as f64 / divisor));
        let mut order: [u8; 256] = std::array::from_fn(|byte| byte as u8);
        order.sort_by(|&a, &b| times[usize::from(a)].total_cmp(&times[usize::from(b)]));
        let time = |byte: u8| times[usize::from(byte)];
        let mut rank = [0; 256];
        let mut last = 0;
        for (index, &byte) in order.iter().enumerate() {
            if index > 0 && time(byte) > time(order[index - 1]) {
                last += 1;
            }
            rank[usize::from(byte)] = last as u8;
        }
        let silent = times.iter().any(|time| time.is_infinite());
        ByteTimes { times, rank, ranks: last + 1 - usize::from(silent) }
    }

    /// The spikes of features in the order of time and source: sorted by counting.
    fn collect_sorted(
        &self,
        features: &[u8],
        first: u32,
        active: &mut Vec<ActiveByte>,
        spikes: &mut Vec<SourceSpike>,
    ) {
        // Where most of an image is dark, counting the dark would be a chain of additions to one number.
        active.resize(features.len(), ActiveByte::default());
        let mut count = 0;
        for (&byte, source) in features.iter().zip(first..) {
            let rank = self.rank[usize::from(byte)];
            active[count] = ActiveByte { rank, byte, source };
            count += usize::from(usize::from(rank) < self.ranks);
        }
        let active = &active[..count];
        let mut next_of_rank = [0_u32; 256];
        for active in active {
            next_of_rank[usize::from(active.rank)] += 1;
        }
        let mut next = 0;
        for count in &mut next_of_rank[..self.ranks] {
            (*count, next) = (next, next + *count);
        }
        spikes.resize(count, SourceSpike { time: 0.0, source: 0 });
        for &ActiveByte { rank, byte, source } in active {
            let index = &mut next_of_rank[usize::from(rank)];
            spikes[*index as usize] = SourceSpike { time: self.times[usize::from(byte)], source };
            *index += 1;
        }
    }
}

/// A feature that spikes.
#[derive(Clone, Copy, Debug, Default)]
struct ActiveByte {
    /// Its byte's rank among the different times.
    rank: u8,
    byte: u8,
    source: u32,
}

/// The spikes of all samples, each sample's sorted by time and source.
#[derive(Clone, Debug, PartialEq)]
struct CachedSpikes {
    spikes: Vec<SourceSpike>,
    /// Where each sample's end.
    ends: Vec<usize>,
}

impl CachedSpikes {
    /// Most features of a set that are kept as spikes, 16 bytes each.
    const MOST_FEATURES: usize = 1 << 20;

    fn new(features: &[f64], feature_count: usize, encoding: Encoding, first: u32) -> Self {
        let mut cached = CachedSpikes { spikes: Vec::new(), ends: Vec::new() };
        let (mut sample, mut scratch) = (Vec::new(), EncodingScratch::default());
        for features in features.chunks(feature_count.max(1)) {
            sample.clear();
            collect_real(features, encoding, first, |time| time, &mut scratch, &mut sample);
            cached.spikes.extend_from_slice(&sample);
            cached.ends.push(cached.spikes.len());
        }
        cached
    }

    fn of(&self, sample: usize) -> &[SourceSpike] {
        let start = if sample == 0 { 0 } else { self.ends[sample - 1] };
        &self.spikes[start..self.ends[sample]]
    }
}

/// The spikes of finite times, in the order of their sources.
fn collect(
    times: impl Iterator<Item = f64>,
    first: u32,
    mut noise: impl FnMut(f64) -> f64,
    spikes: &mut Vec<SourceSpike>,
) {
    spikes.extend(
        (first..)
            .zip(times)
            .filter(|(_, time)| time.is_finite())
            .map(|(source, time)| SourceSpike { time: noise(time), source }),
    );
}

/// The spikes of features that are numbers, in the order of time and source.
fn collect_real(
    features: &[f64],
    encoding: Encoding,
    first: u32,
    noise: impl FnMut(f64) -> f64,
    scratch: &mut EncodingScratch,
    spikes: &mut Vec<SourceSpike>,
) {
    let times = features.iter().map(|&feature| encoding.spike_time(feature));
    collect(times, first, noise, spikes);
    sort(spikes, &mut scratch.spikes, &mut scratch.buckets);
}

fn order(a: &SourceSpike, b: &SourceSpike) -> std::cmp::Ordering {
    a.time.total_cmp(&b.time).then(a.source.cmp(&b.source))
}

/// Spikes that are sorted by comparing them: below this many, buckets cost more than they save.
const SORTED_DIRECTLY: usize = 64;

/// Sorts spikes by time and source: into buckets of equal width in time first, which leaves little
/// to compare.
fn sort(spikes: &mut Vec<SourceSpike>, sorted: &mut Vec<SourceSpike>, buckets: &mut Vec<u32>) {
    let (earliest, latest) =
        spikes.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), spike| {
            (low.min(spike.time), high.max(spike.time))
        });
    let count = spikes.len();
    let width = (latest - earliest) / count as f64;
    if count < SORTED_DIRECTLY || !(width > 0.0 && width.is_normal() && (1.0 / width).is_finite()) {
        spikes.sort_unstable_by(order);
        return;
    }
    let bucket = |spike: &SourceSpike| (((spike.time - earliest) / width) as usize).min(count - 1);
    buckets.clear();
    buckets.resize(count, 0);
    for spike in &*spikes {
        buckets[bucket(spike)] += 1;
    }
    let mut next = 0;
    for count in &mut *buckets {
        (*count, next) = (next, next + *count);
    }
    sorted.resize(count, SourceSpike { time: 0.0, source: 0 });
    for spike in &*spikes {
        let index = &mut buckets[bucket(spike)];
        sorted[*index as usize] = *spike;
        *index += 1;
    }
    // Each entry is now where its bucket ends.
    let mut start = 0;
    for &end in &*buckets {
        sorted[start..end as usize].sort_unstable_by(order);
        start = end as usize;
    }
    std::mem::swap(spikes, sorted);
}

#[cfg(test)]
mod tests;
