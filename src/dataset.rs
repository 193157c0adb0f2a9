//! Samples to learn from, and how their features become spikes.
//!
//! A [`Dataset`] holds features and labels in memory: generated ([`yin_yang`]), read from the files
//! of MNIST and those made like them ([`mnist`]), or from any table ([`table`]). [`Encoding`] turns
//! features into spike times; [`Augmentation`] varies what training shows. [`fetch`] gets the
//! public data sets of a [`catalogue`] from the network.

mod augmentation;
#[cfg(feature = "files")]
pub mod catalogue;
mod encoding;
#[cfg(feature = "files")]
mod error;
#[cfg(feature = "download")]
pub mod fetch;
#[cfg(feature = "files")]
mod idx;
#[cfg(feature = "files")]
mod look;
#[cfg(feature = "files")]
pub mod mnist;
mod neighbours;
#[cfg(feature = "files")]
mod new_samples;
#[cfg(feature = "files")]
mod resize;
mod scaling;
#[cfg(feature = "files")]
mod source;
#[cfg(feature = "files")]
pub mod table;
#[cfg(feature = "files")]
mod table_source;
pub mod yin_yang;

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub(crate) use augmentation::Canvas;
pub use augmentation::{Augmentation, TimeNoise};
pub use encoding::{Encoding, LatencyEncoding};
#[cfg(feature = "files")]
pub use error::{DataError, DataProblem, SampleKind};
#[cfg(feature = "files")]
pub use look::TableLook;
#[cfg(feature = "files")]
pub use new_samples::{FileForm, NewSamples};
pub use scaling::{Scaling, ScalingRule};
#[cfg(feature = "files")]
pub use source::{DataSets, DataSource, GeneratedSet, Known, MnistSource, YinYangSource};
#[cfg(feature = "files")]
pub use table_source::{HeldOutFiles, TableFiles, TableSource};

/// A data set in memory: one row of features and one class per sample. Clones share the memory.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    /// Features, row by row.
    pub features: Features,
    /// Class of each sample.
    pub labels: Arc<[usize]>,
    /// Features per sample.
    pub feature_count: usize,
    /// How many classes there are.
    pub class_count: usize,
    /// How the features of a sample lie in an image, if they are its pixels.
    pub image: Option<ImageShape>,
}

/// Features of all samples, row by row; each in the range 0 to 1, unless they are spike times.
#[derive(Clone, Debug, PartialEq)]
pub enum Features {
    /// Real numbers.
    Real(Arc<[f64]>),
    /// Bytes that stand for themselves divided by `divisor`.
    Bytes {
        /// The bytes.
        values: Arc<[u8]>,
        /// What they are divided by.
        divisor: f64,
    },
}

/// Pixels of an image, row by row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ImageShape {
    /// Pixels in a row. At least 1.
    pub width: usize,
    /// Rows. At least 1.
    pub height: usize,
}

impl Dataset {
    /// How many samples are, to the last bit and with their label, also in another set.
    pub fn shared_with(&self, other: &Dataset) -> usize {
        if self.feature_count != other.feature_count {
            return 0;
        }
        // Rows are long: that two have one of 2^64 hashes by chance does not happen.
        let hash = |set: &Dataset, sample: usize| {
            let row = sample * set.feature_count..(sample + 1) * set.feature_count;
            let mut hasher = DefaultHasher::new();
            match &set.features {
                Features::Real(values) => {
                    values[row].iter().for_each(|value| value.to_bits().hash(&mut hasher));
                }
                Features::Bytes { values, .. } => values[row].hash(&mut hasher),
            }
            set.labels[sample].hash(&mut hasher);
            hasher.finish()
        };
        let known: HashSet<u64> = (0..other.len()).map(|sample| hash(other, sample)).collect();
        (0..self.len()).filter(|&sample| known.contains(&hash(self, sample))).count()
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are no samples.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// One feature of one sample.
    pub fn feature(&self, sample: usize, index: usize) -> f64 {
        let place = sample * self.feature_count + index;
        match &self.features {
            Features::Real(values) => values[place],
            Features::Bytes { values, divisor } => f64::from(values[place]) / divisor,
        }
    }

    /// Writes the features of one sample to `features`, in place of what is there.
    pub fn read_sample(&self, sample: usize, features: &mut Vec<f64>) {
        features.clear();
        features.extend((0..self.feature_count).map(|index| self.feature(sample, index)));
    }
}

impl From<yin_yang::Samples> for Dataset {
    fn from(samples: yin_yang::Samples) -> Self {
        Dataset {
            features: Features::Real(samples.features.into_flattened().into()),
            labels: samples.labels.into(),
            feature_count: 4,
            class_count: yin_yang::CLASS_NAMES.len(),
            image: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_of_features_are_read_alike_and_clones_share_them() {
        let bytes: Arc<[u8]> = [0, 64, 128, 192].into();
        let images = Dataset {
            features: Features::Bytes { values: Arc::clone(&bytes), divisor: 256.0 },
            labels: [0, 1].into(),
            feature_count: 2,
            class_count: 2,
            image: None,
        };
        let numbers =
            Dataset { features: Features::Real([0.0, 0.25, 0.5, 0.75].into()), ..images.clone() };
        let mut features = vec![7.0];
        for dataset in [&images, &numbers] {
            dataset.read_sample(1, &mut features);
            assert_eq!(features, [0.5, 0.75]);
            assert_eq!(dataset.feature(0, 1), 0.25);
        }
        // One here, one in the first data set; the rest are clones of the pointer.
        let _clones = [images.clone(), images.clone()];
        assert_eq!(Arc::strong_count(&bytes), 4);
    }
}
