//! Samples to learn from, and how their features become spikes.

mod encoding;
pub mod yin_yang;

pub use encoding::LatencyEncoding;

/// A data set in memory: one row of features and one class per sample.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    /// Features, row by row; each in the range 0 to 1.
    pub features: Vec<f64>,
    /// Class of each sample.
    pub labels: Vec<usize>,
    /// Features per sample.
    pub feature_count: usize,
    /// How many classes there are.
    pub class_count: usize,
}

impl Dataset {
    /// Number of samples.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are no samples.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The features of one sample.
    pub fn sample(&self, index: usize) -> &[f64] {
        &self.features[index * self.feature_count..(index + 1) * self.feature_count]
    }
}

impl From<yin_yang::Samples> for Dataset {
    fn from(samples: yin_yang::Samples) -> Self {
        Dataset {
            features: samples.features.into_flattened(),
            labels: samples.labels,
            feature_count: 4,
            class_count: yin_yang::CLASS_NAMES.len(),
        }
    }
}
