//! What runs and programs leave: networks, checkpoints, answers, results of studies.

use std::sync::LazyLock;

use firstspike::chip::{Presented, parse_answer};
use firstspike::engine::SourceSpike;
use firstspike::network::{Layer, LayeredNetwork, file, layered};
use firstspike::neuron::NeuronParameters;
use firstspike::run::{RunIdentity, TrainingSummary, previous};
use firstspike::scenario::load;
use firstspike::study::merge;
use safetensors::tensor::{Dtype, TensorView, serialize};

use super::folder::{place, read, write};
use super::settings::TINY;

/// A network as JSON. What is read is written and read again to the byte. Networks of more than a hundred
/// thousand nodes are left out: they take the memory that they ask for.
pub fn network(data: &[u8]) {
    if let Ok(file) = serde_json::from_slice::<serde_json::Value>(data) {
        let populations = file["populations"].as_array().into_iter().flatten();
        let sizes = populations.filter_map(|population| population["size"].as_u64());
        if sizes.fold(0, u64::saturating_add) > 100_000 {
            return;
        }
    }
    let Ok((network, unit)) = file::read(&write("network.json", data)) else { return };
    let written = |network, unit: &str| {
        let mut bytes = Vec::new();
        file::write(network, unit, &mut bytes).expect("into memory");
        bytes
    };
    let first = written(&network, &unit);
    let (again, unit) = file::read(&write("network.json", &first))
        .unwrap_or_else(|error| panic!("what was written is refused: {error}"));
    assert!(written(&again, &unit) == first, "what was read is another network");
}

/// A checkpoint. The first byte says whether it is the file, or its part `run`, from which a file with the
/// right checksum is made: no search finds a checksum.
pub fn checkpoint(data: &[u8]) {
    static IDENTITY: LazyLock<RunIdentity> = LazyLock::new(|| {
        RunIdentity::of(&load(&write("tiny.toml", TINY), &[]).expect("a sound scenario"))
    });
    let bytes = match data.split_first() {
        Some((b'r', run)) => with_checksum(run, IDENTITY.text()),
        Some((_, file)) => file.to_vec(),
        None => Vec::new(),
    };
    write("checkpoint.safetensors", bytes);
    let _ = previous::<TrainingSummary>(&IDENTITY, &place(""));
}

/// A checkpoint with this part `run`, to which a scenario is added if it is a table.
fn with_checksum(run: &[u8], scenario: &str) -> Vec<u8> {
    let run = match serde_json::from_slice(run) {
        Ok(serde_json::Value::Object(mut table)) => {
            table.insert("scenario".to_owned(), scenario.into());
            serde_json::Value::Object(table).to_string().into_bytes()
        }
        _ => run.to_vec(),
    };
    let weights = [1.0_f64, -2.5].map(f64::to_le_bytes).concat();
    let parts = [("best/weights", &weights), ("run", &run), ("trainer/weights", &weights)];
    let mut hasher = crc32fast::Hasher::new();
    for (name, bytes) in parts {
        hasher.update(name.as_bytes());
        hasher.update(bytes);
    }
    let metadata = [
        ("firstspike_checkpoint".to_owned(), "1".to_owned()),
        ("crc32".to_owned(), format!("{:08x}", hasher.finalize())),
    ];
    let views = parts.map(|(name, bytes)| {
        let (dtype, count) =
            if name == "run" { (Dtype::U8, bytes.len()) } else { (Dtype::F64, bytes.len() / 8) };
        (name, TensorView::new(dtype, vec![count], bytes).expect("as many bytes as values"))
    });
    serialize(views, Some(metadata.into_iter().collect())).expect("into memory")
}

/// The answer of an external program to two samples of a 2–3–2 network.
pub fn answer(data: &[u8]) {
    static NETWORK: LazyLock<LayeredNetwork> = LazyLock::new(|| {
        let layer = |name: &str, size: usize, rows: usize| Layer {
            name: name.to_owned(),
            neurons: vec![NeuronParameters::default(); size],
            bias_sources: 0,
            weights: vec![1.0; rows * size],
            delays: None,
        };
        layered(2, &[layer("hidden", 3, 2), layer("label", 2, 3)]).expect("a sound network")
    });
    let stimulus = vec![SourceSpike { time: 0.25, source: 0 }];
    let samples = vec![Presented { stimulus, ..Presented::default() }; 2];
    if let Ok(spikes) = parse_answer(&NETWORK, "us", &samples, data) {
        assert_eq!(spikes.len(), 2);
        for spike in spikes.concat() {
            assert!((2..7).contains(&spike.node) && spike.time >= 0.0 && spike.time.is_finite());
        }
    }
}

/// The results of a study. Merging what was merged changes nothing.
pub fn study_results(data: &[u8]) {
    let (results, first, second) =
        (write("results.csv", data), place("merged.csv"), place("again.csv"));
    if let Ok(rows) = merge(&[results], &first) {
        let again = merge(std::slice::from_ref(&first), &second);
        assert_eq!(again.expect("what was written"), rows);
        assert!(read(&first) == read(&second), "merging what was merged changes it");
    }
}
