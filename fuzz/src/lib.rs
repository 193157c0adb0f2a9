//! Fuzz targets: what comes in from outside, one function per parser.
//!
//! A target takes any bytes. It must not panic, hang, or take memory because a number in the bytes says so.
//! What it accepts must hold what is promised: what is written is read back, what is resolved resolves to
//! itself. `fuzz_targets` makes a program of each for libFuzzer, `fuzz/run` runs them; `cargo test` replays
//! the files of `corpus/<target>` in each.
//!
//! Parsers read files, so targets write one, into a temporary folder. Where a target needs several, a NUL
//! byte is between them.

mod data;
mod edges;
mod folder;
mod formats;
mod networks;
mod results;
mod settings;
mod traces;

pub use data::{dataset_csv, dataset_npy, idx, scenario_tables, table};
pub use edges::{edge_list, sonata_edges};
pub use formats::{trace_hdf5, trace_nest};
pub use networks::nir;
pub use results::{answer, checkpoint, network, study_results};
pub use settings::{chip, scenario, study};
pub use traces::{trace, trace_npy};

/// What takes any bytes.
pub type Target = fn(&[u8]);

/// Every target, by the name of its program and of its corpus.
pub const TARGETS: [(&str, Target); 19] = [
    ("answer", answer),
    ("checkpoint", checkpoint),
    ("chip", chip),
    ("dataset_csv", dataset_csv),
    ("dataset_npy", dataset_npy),
    ("edge_list", edge_list),
    ("idx", idx),
    ("network", network),
    ("nir", nir),
    ("scenario", scenario),
    ("scenario_tables", scenario_tables),
    ("sonata_edges", sonata_edges),
    ("study", study),
    ("study_results", study_results),
    ("table", table),
    ("trace", trace),
    ("trace_hdf5", trace_hdf5),
    ("trace_nest", trace_nest),
    ("trace_npy", trace_npy),
];
