//! Tables and arrays of data sets, and tables that scenarios name.

use std::sync::LazyLock;

use firstspike::dataset::mnist::{self, Resolution, Sizes};
use firstspike::dataset::table::{Classes, Columns, Kind, Table};
use firstspike::scenario::load;
use firstspike::table::TextTable;

use super::folder::{halves, place, write};

const KINDS: [Kind; 3] = [Kind::Fractions, Kind::Numbers, Kind::SpikeTimes];

/// A table of text.
pub fn table(data: &[u8]) {
    let Ok(table) = TextTable::read(&write("table.csv", data)) else { return };
    table.rows().take_while(Result::is_ok).for_each(drop);
    let mut width = None;
    for row in table.even_rows() {
        let Ok(row) = row else { break };
        assert_eq!(row.fields.len(), *width.get_or_insert(row.fields.len()), "line {}", row.line);
    }
}

/// A data set as a table.
pub fn dataset_csv(data: &[u8]) {
    let path = write("data.csv", data);
    for kind in KINDS {
        if let Ok(table) = Table::read_csv(&path, kind, Columns::default()) {
            use_table(table);
        }
    }
}

/// A data set as two NPY files, of features and of labels.
pub fn dataset_npy(data: &[u8]) {
    let (features, labels) = halves(data);
    let (features, labels) = (write("features.npy", features), write("labels.npy", labels));
    for kind in KINDS {
        if let Ok(table) = Table::read_npy(&features, Some(&labels), kind) {
            use_table(table);
        }
    }
}

fn use_table(mut table: Table) {
    let classes = Classes::of(&[&table]);
    assert!(table.check_columns(&table).is_ok());
    if let Ok(last) = table.split_last(1) {
        assert!(last.check_columns(&table).is_ok());
        let dataset = last.into_dataset(&classes, None).expect("its own classes");
        assert_eq!(dataset.len(), 1);
        let mut features = Vec::new();
        dataset.read_sample(0, &mut features);
    }
}

/// IDX files: the first byte says which of the four that a set has, the others are sound.
pub fn idx(data: &[u8]) {
    let (which, content) = data.split_first().map_or((0, data), |(&which, rest)| (which, rest));
    let names = ["train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"];
    let files = names.map(|name| format!("{name}-ubyte"));
    let which = usize::from(which) % files.len();
    for (index, (name, sound)) in files.iter().zip(&*SOUND).enumerate() {
        if index == which {
            write(name, content);
        } else if !place(name).exists() {
            write(name, sound);
        }
    }
    let folder = place("");
    for (resolution, side) in [(Resolution::Full, 28), (Resolution::Reduced, 16)] {
        if let Ok(sets) = mnist::load(&folder, resolution, Sizes::default()) {
            for set in [sets.training, sets.validation, sets.test] {
                assert_eq!(set.feature_count, side * side);
                assert!(!set.is_empty());
            }
        }
    }
    write(&files[which], &SOUND[which]);
}

/// Six images of 28 × 28 with labels, in files of training and of test.
static SOUND: LazyLock<[Vec<u8>; 4]> = LazyLock::new(|| {
    let file = |sizes: &[u32], bytes: &[u8]| -> Vec<u8> {
        let words = [0x0800 + sizes.len() as u32].into_iter().chain(sizes.iter().copied());
        words.flat_map(u32::to_be_bytes).chain(bytes.iter().copied()).collect()
    };
    let pixels: Vec<u8> = (0..6 * 28 * 28).map(|pixel| (pixel % 251) as u8).collect();
    let (images, labels) = (file(&[6, 28, 28], &pixels), file(&[6], &[0, 1, 2, 3, 4, 9]));
    [images.clone(), labels.clone(), images, labels]
});

/// The tables that a simulation names: parameters of its neurons, synapses, weights, spikes of a source.
pub fn scenario_tables(data: &[u8]) {
    const SCENARIO: &str = "
simulation.until = 1.0
populations = [
    { name = 'exc', size = 2, source.file = 'table_3.csv' },
    { name = 'out', size = 2, neuron.tau_m.file = 'table_0.csv' },
]
projections = [
    { pre = 'exc', post = 'out', connect.file = 'table_1.csv' },
    { pre = 'out', post = 'out', connect.all_to_all = {}, weights.file = 'table_2.csv' },
]
";
    let mut parts = data.split(|&byte| byte == 0);
    for table in 0..4 {
        write(&format!("table_{table}.csv"), parts.next().unwrap_or_default());
    }
    let loaded = load(&write("tables.toml", SCENARIO), &[]).expect("a sound scenario");
    if let Ok(simulation) = loaded.simulation() {
        assert_eq!(simulation.network.node_count(), 4);
        let is_sorted = simulation.stimulus.is_sorted_by(|one, other| one.time <= other.time);
        assert!(is_sorted, "the stimulus is not in order of time");
    }
}
