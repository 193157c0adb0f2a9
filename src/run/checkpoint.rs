//! What a training needs to go on after it was stopped, in one file of its folder.
//!
//! The file is in the safetensors format, which Python reads too: the arrays of the trainer's state
//! (`trainer/…`) and of the best parameters so far (`best/…`) as doubles, everything else as JSON in
//! the bytes of `run`. Its metadata has the version of this layout and a checksum. A complete training
//! keeps its last checkpoint, to go on from with more epochs; it tells no wall-clock times, so that equal
//! runs leave equal bytes ([`super::resumption`] takes them from the summary).

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use safetensors::tensor::{Dtype, SafeTensors, TensorView, serialize};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::identity::Relation;
use super::{OutputFolder, RunError, RunIdentity};
use crate::learning::{Diagnosis, EpochMetrics, TrainerState};

/// Name of the file.
pub(super) const FILE: &str = "checkpoint.safetensors";

/// Version of the layout described above.
const FORMAT: &str = "1";

const FORMAT_KEY: &str = "firstspike_checkpoint";
const CHECKSUM_KEY: &str = "crc32";
const RUN: &str = "run";

/// A training between two epochs, of each of which it has the metrics.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint<E = EpochMetrics> {
    pub(super) trainer: TrainerState,
    pub(super) best: Option<Best>,
    pub(super) history: Vec<E>,
    pub(super) troubles: Vec<Diagnosis>,
    /// Wall-clock time so far.
    pub(super) seconds: f64,
}

/// The parameters that are best on the validation set so far.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Best {
    pub epoch: usize,
    pub accuracy: f64,
    pub parameters: TrainerState,
}

/// A checkpoint that cannot be gone on from. Nothing has been written when it is returned.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The file cannot be read.
    #[error("cannot read checkpoint {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not what was written.
    #[error("checkpoint {} is damaged: {message}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// How it shows.
        message: String,
    },
    /// Another version of the program wrote the file.
    #[error("checkpoint {} has layout {found}, but only layout {FORMAT} can be read", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// The version in it.
        found: String,
    },
    /// The checkpoint is of another scenario, or of other data.
    #[error("checkpoint {} is of another scenario: {difference}", path.display())]
    OtherScenario {
        /// The file.
        path: PathBuf,
        /// The first key that differs, with both values, or the first file.
        difference: String,
    },
}

/// What of a checkpoint is not an array.
#[derive(Serialize, Deserialize)]
struct Side<'a, E: Clone> {
    scenario: Cow<'a, str>,
    counters: Cow<'a, BTreeMap<String, u64>>,
    /// Epoch and validation accuracy.
    best: Option<(usize, f64)>,
    history: Cow<'a, [E]>,
    troubles: Cow<'a, [Diagnosis]>,
    seconds: f64,
}

/// A training that has just begun.
impl<E> Default for Checkpoint<E> {
    fn default() -> Self {
        let (trainer, history) = (TrainerState::default(), Vec::new());
        Checkpoint { trainer, best: None, history, troubles: Vec::new(), seconds: 0.0 }
    }
}

impl<E> Checkpoint<E> {
    /// How many epochs are complete.
    pub fn epochs(&self) -> usize {
        self.history.len()
    }
}

impl<E: Clone + DeserializeOwned> Checkpoint<E> {
    /// The checkpoint in a folder, which need not exist, if there is one; and how its run relates to the
    /// one that is wanted, which is never [`Relation::Different`].
    pub(super) fn read(
        identity: &RunIdentity,
        folder: &Path,
    ) -> Result<Option<(Self, Relation)>, CheckpointError> {
        let path = folder.join(FILE);
        match fs::read(&path) {
            Ok(bytes) => Checkpoint::from_bytes(&bytes, identity, &path).map(Some),
            // A path that is no folder is for whoever writes into it to report.
            Err(error)
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
            {
                Ok(None)
            }
            Err(source) => Err(CheckpointError::Read { path, source }),
        }
    }

    fn from_bytes(
        bytes: &[u8],
        identity: &RunIdentity,
        path: &Path,
    ) -> Result<(Self, Relation), CheckpointError> {
        let damaged = |message: String| CheckpointError::Damaged { path: path.to_owned(), message };
        let broken = |error: &dyn std::fmt::Display| damaged(error.to_string());

        let (_, header) = SafeTensors::read_metadata(bytes).map_err(|error| broken(&error))?;
        let entry = |key: &str| header.metadata().as_ref().and_then(|entries| entries.get(key));
        match entry(FORMAT_KEY) {
            Some(format) if format == FORMAT => {}
            Some(format) => {
                let (path, found) = (path.to_owned(), format.clone());
                return Err(CheckpointError::Format { path, found });
            }
            None => return Err(damaged(format!("it has no `{FORMAT_KEY}` in its metadata"))),
        }
        let tensors = SafeTensors::deserialize(bytes).map_err(|error| broken(&error))?;
        let tensors: BTreeMap<String, TensorView<'_>> = tensors.tensors().into_iter().collect();
        let checksum = checksum(tensors.iter().map(|(name, view)| (name.as_str(), view.data())));
        if entry(CHECKSUM_KEY) != Some(&checksum) {
            return Err(damaged("its content does not agree with its checksum".to_owned()));
        }

        let run = tensors.get(RUN).ok_or_else(|| damaged(format!("it has no `{RUN}`")))?;
        let side: Side<'_, E> =
            serde_json::from_slice(run.data()).map_err(|error| broken(&error))?;
        let other =
            |difference| Err(CheckpointError::OtherScenario { path: path.to_owned(), difference });
        let relation = match identity.relation(&side.scenario) {
            Relation::Different(difference) => return other(difference),
            Relation::OtherEpochs { key, wanted, .. } if wanted < side.history.len() => {
                let epochs = side.history.len();
                return other(format!(
                    "it has {epochs} epochs already, but {key} is {wanted} here"
                ));
            }
            relation => relation,
        };
        let mut trainer = arrays(&tensors, "trainer/");
        for (name, value) in side.counters.iter() {
            trainer.set_counter(name, *value);
        }
        let checkpoint = Checkpoint {
            trainer,
            best: side.best.map(|(epoch, accuracy)| {
                let parameters = arrays(&tensors, "best/");
                Best { epoch, accuracy, parameters }
            }),
            history: side.history.into_owned(),
            troubles: side.troubles.into_owned(),
            seconds: side.seconds,
        };
        Ok((checkpoint, relation))
    }
}

impl<E: Clone + Serialize> Checkpoint<E> {
    /// Writes the file, so that it also survives a loss of power.
    pub(super) fn write(
        &self,
        folder: &OutputFolder,
        identity: &RunIdentity,
    ) -> Result<(), RunError> {
        folder.write(FILE, |file| {
            file.write_all(&self.to_bytes(identity.text())?)?;
            file.flush()?;
            file.get_ref().sync_all()
        })
    }

    fn to_bytes(&self, scenario: &str) -> std::io::Result<Vec<u8>> {
        let side = Side {
            scenario: scenario.into(),
            counters: Cow::Borrowed(self.trainer.counters()),
            best: self.best.as_ref().map(|best| (best.epoch, best.accuracy)),
            history: self.history.as_slice().into(),
            troubles: self.troubles.as_slice().into(),
            seconds: self.seconds,
        };
        let mut parts = BTreeMap::from([(RUN.to_owned(), (Dtype::U8, serde_json::to_vec(&side)?))]);
        let best = self.best.as_ref().map(|best| ("best", &best.parameters));
        for (prefix, state) in [("trainer", &self.trainer)].into_iter().chain(best) {
            for (name, values) in state.arrays() {
                let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
                parts.insert(format!("{prefix}/{name}"), (Dtype::F64, bytes));
            }
        }
        let checksum = checksum(parts.iter().map(|(name, (_, bytes))| (name.as_str(), &bytes[..])));
        let entries = [(FORMAT_KEY, FORMAT), (CHECKSUM_KEY, checksum.as_str())];
        let metadata = entries.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let views = parts.iter().map(|(name, (dtype, bytes))| {
            let count = 8 * bytes.len() / dtype.bitsize();
            TensorView::new(*dtype, vec![count], bytes).map(|view| (name, view))
        });
        views
            .collect::<Result<Vec<_>, _>>()
            .and_then(|views| serialize(views, Some(metadata.into_iter().collect())))
            .map(|bytes| in_order(bytes, entries))
            .map_err(std::io::Error::other)
    }
}

/// A file with its metadata in this order. They come out of a hash map, and equal checkpoints are to be equal
/// bytes.
fn in_order(mut bytes: Vec<u8>, entries: [(&str, &str); 2]) -> Vec<u8> {
    let [one, two] = entries.map(|(key, value)| format!("\"{key}\":\"{value}\""));
    let swapped = format!("{two},{one}");
    // The header begins with its length.
    let length = bytes.first_chunk().map_or(0, |length| u64::from_le_bytes(*length) as usize);
    let header = &bytes[..bytes.len().min(8 + length)];
    let place = header.windows(swapped.len()).position(|part| part == swapped.as_bytes());
    if let Some(place) = place {
        bytes[place..place + swapped.len()].copy_from_slice(format!("{one},{two}").as_bytes());
    }
    bytes
}

/// The arrays whose names begin with a prefix, without it.
fn arrays(tensors: &BTreeMap<String, TensorView<'_>>, prefix: &str) -> TrainerState {
    let mut state = TrainerState::default();
    for (name, view) in tensors {
        if let Some(name) = name.strip_prefix(prefix) {
            let (values, _) = view.data().as_chunks();
            state.set_array(name, values.iter().map(|value| f64::from_le_bytes(*value)).collect());
        }
    }
    state
}

/// Over names and contents, in the order of the names.
fn checksum<'a>(parts: impl Iterator<Item = (&'a str, &'a [u8])>) -> String {
    let mut hasher = crc32fast::Hasher::new();
    for (name, bytes) in parts {
        hasher.update(name.as_bytes());
        hasher.update(bytes);
    }
    format!("{:08x}", hasher.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learning::Schedule;

    fn state(counters: &[(&str, u64)], arrays: &[(&str, &[f64])]) -> TrainerState {
        let mut state = TrainerState::default();
        counters.iter().for_each(|(name, value)| state.set_counter(*name, *value));
        arrays.iter().for_each(|(name, values)| state.set_array(*name, values.to_vec()));
        state
    }

    fn checkpoint() -> Checkpoint {
        let epoch = EpochMetrics {
            epoch: 1,
            learning_rate: 0.1 + 0.2,
            training: crate::learning::Score { loss_sum: f64::INFINITY, ..Default::default() },
            validation: None,
            layers: vec![crate::learning::LayerActivity::default()],
            guarded_fraction: 1.0 / 3.0,
            bumped_batches: 2,
            batches: 3,
            seconds: 0.7,
        };
        let best = Best {
            epoch: 1,
            accuracy: 2.0 / 3.0,
            parameters: state(&[], &[("weights", &[0.1, 0.7])]),
        };
        Checkpoint {
            trainer: state(&[("epoch", 1)], &[("weights", &[1.0 / 3.0, -0.0]), ("none", &[])]),
            best: Some(best),
            history: vec![epoch],
            troubles: vec![Diagnosis { finding: "quoted \"".to_owned(), advice: "µ".to_owned() }],
            seconds: 1.1,
        }
    }

    fn read(bytes: &[u8], scenario: &str) -> Result<Checkpoint, CheckpointError> {
        let identity = RunIdentity::from_text(scenario);
        Checkpoint::from_bytes(bytes, &identity, Path::new("x")).map(|(checkpoint, _)| checkpoint)
    }

    #[test]
    fn comes_back_bit_for_bit() {
        let bytes = checkpoint().to_bytes("seed = 1").expect("bytes");
        assert_eq!(read(&bytes, "seed = 1").expect("readable"), checkpoint());
        let without = Checkpoint { best: None, ..checkpoint() };
        let bytes = without.to_bytes("seed = 1").expect("bytes");
        assert_eq!(read(&bytes, "seed = 1").expect("readable"), without);
    }

    #[test]
    fn equal_checkpoints_are_equal_bytes() {
        let bytes = checkpoint().to_bytes("seed = 1").expect("bytes");
        for _ in 0..20 {
            assert!(checkpoint().to_bytes("seed = 1").expect("bytes") == bytes);
        }
    }

    #[test]
    fn no_byte_can_be_lost_or_changed_unnoticed() {
        let bytes = checkpoint().to_bytes("seed = 1").expect("bytes");
        for length in 0..bytes.len() {
            assert!(read(&bytes[..length], "seed = 1").is_err(), "cut to {length}");
        }
        for index in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[index] ^= 0x10;
            // Padding of the header may change; content may not.
            let same = read(&changed, "seed = 1").is_ok_and(|found| found != checkpoint());
            assert!(!same, "byte {index}");
        }
    }

    #[test]
    fn a_run_of_other_length_can_have_it_unless_it_would_be_shorter() {
        let text = |epochs: usize| format!("[training]\nepochs = {epochs}\n");
        let first = checkpoint();
        let second = EpochMetrics { epoch: 2, ..first.history[0].clone() };
        let two = Checkpoint { history: vec![first.history[0].clone(), second], ..first };
        let bytes = two.to_bytes(&text(3)).expect("bytes");
        let read = |epochs: usize| -> Result<(Checkpoint, Relation), CheckpointError> {
            let identity = RunIdentity::of_training(&text(epochs), epochs, Schedule::Constant);
            Checkpoint::from_bytes(&bytes, &identity, Path::new("x"))
        };
        assert_eq!(read(3).expect("the same").1, Relation::Same);
        for epochs in [2, 4] {
            let (found, relation) = read(epochs).expect("of other length");
            assert!(matches!(relation, Relation::OtherEpochs { .. }), "{relation:?}");
            assert_eq!(found, two);
        }
        let refused = read(1).expect_err("shorter").to_string();
        assert!(refused.ends_with("it has 2 epochs already, but training.epochs is 1 here"));
    }

    #[test]
    fn another_scenario_or_layout_is_refused_and_the_difference_named() {
        let bytes = checkpoint().to_bytes("b = 1\n[[layers]]\nsize = 3\n").expect("bytes");
        let refused = read(&bytes, "b = 1\nc = 2\n[[layers]]\nsize = 3\n").expect_err("other");
        assert_eq!(
            refused.to_string(),
            "checkpoint x is of another scenario: c is not given there, but 2 here"
        );
        let refused = read(&bytes, "b = 1\n[[layers]]\nsize = 4\n").expect_err("other");
        assert!(refused.to_string().ends_with("layers.0.size is 3 there, but 4 here"), "{refused}");

        let place = bytes.windows(FORMAT_KEY.len()).position(|part| part == FORMAT_KEY.as_bytes());
        let mut newer = bytes.clone();
        newer[place.expect("in the header") + FORMAT_KEY.len() + 3] = b'2';
        let refused = read(&newer, "b = 1").expect_err("newer").to_string();
        assert_eq!(refused, "checkpoint x has layout 2, but only layout 1 can be read");
    }
}
