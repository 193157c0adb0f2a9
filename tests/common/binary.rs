//! Runs the real binary and looks at what it left.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use assert_cmd::cargo::{cargo_bin, cargo_bin_cmd};

/// How a run ended and what it said.
pub struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// Runs `firstspike` in a folder and waits for its end.
pub fn firstspike(folder: &Path, arguments: &[&str]) -> Ended {
    let output = cargo_bin_cmd!("firstspike")
        .current_dir(folder)
        .args(arguments)
        .output()
        .expect("the binary starts");
    Ended {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).expect("UTF-8 on stdout"),
        stderr: String::from_utf8(output.stderr).expect("UTF-8 on stderr"),
    }
}

/// Runs `firstspike`, which must succeed.
pub fn successful(folder: &Path, arguments: &[&str]) -> Ended {
    let ended = firstspike(folder, arguments);
    assert_eq!(ended.code, Some(0), "{arguments:?}: {}", ended.stderr);
    ended
}

/// `firstspike`, to be started and signalled.
pub fn command() -> std::process::Command {
    std::process::Command::new(cargo_bin!("firstspike"))
}

/// The folder of the project, where the scenarios are.
pub fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A path as an argument.
pub fn text(path: &Path) -> &str {
    path.to_str().expect("paths of tests are UTF-8")
}

/// Every file in a folder and below, with its bytes.
pub fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("a readable entry").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            let content = read(&path);
            found.insert(path, content);
        }
    }
    found
}

/// The bytes of a file that must exist.
pub fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A file of a run without the line that tells how long the run took, if it is its report.
pub fn timeless(path: &Path, bytes: Vec<u8>) -> Vec<u8> {
    if !path.ends_with("report.html") {
        return bytes;
    }
    let page = String::from_utf8(bytes).expect("UTF-8");
    let is_clock = |line: &&str| line.starts_with("<div><dt>Run time</dt>");
    assert_eq!(page.lines().filter(is_clock).count(), 1, "{}", path.display());
    page.lines().filter(|line| !is_clock(line)).collect::<Vec<_>>().join("\n").into_bytes()
}

/// A JSON file.
pub fn json(path: &Path) -> serde_json::Value {
    serde_json::from_slice(&read(path))
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The rows of a CSV file, without its heading.
pub fn rows(path: &Path) -> Vec<csv::StringRecord> {
    let mut reader = csv::Reader::from_path(path).expect("a CSV file");
    reader.records().collect::<Result<_, _>>().expect("as many fields as headings in every row")
}

/// An IDX file of bytes.
pub fn idx(dimensions: &[u32], bytes: &[u8]) -> Vec<u8> {
    let mut content = (0x0800 + dimensions.len() as u32).to_be_bytes().to_vec();
    content.extend(dimensions.iter().flat_map(|size| size.to_be_bytes()));
    content.extend(bytes);
    content
}

/// Writes files of the form of MNIST's into a folder: rings and bars that tell ten classes apart.
pub fn write_mnist(folder: &Path, training: u32, test: u32) {
    std::fs::create_dir_all(folder).expect("writable");
    for (prefix, count) in [("train", training), ("t10k", test)] {
        let labels: Vec<u8> = (0..count).map(|sample| (sample % 10) as u8).collect();
        let pixel = |class: u32, sample: u32, place: u32| {
            let (x, y) = (place % 28, place / 28);
            let bright =
                (4..24).contains(&x) && (4..24).contains(&y) && (x * (class + 1) + y) % 9 < 3;
            if bright { (100 + sample * 7 % 150) as u8 } else { 0 }
        };
        let images: Vec<u8> = (0..count)
            .flat_map(|sample| (0..784).map(move |place| pixel(sample % 10, sample, place)))
            .collect();
        let write = |name: String, content: Vec<u8>| {
            std::fs::write(folder.join(name), content).expect("writable");
        };
        write(format!("{prefix}-images-idx3-ubyte"), idx(&[count, 28, 28], &images));
        write(format!("{prefix}-labels-idx1-ubyte"), idx(&[count], &labels));
    }
}

/// A small Yin-Yang scenario: what stands before the rest, samples for training, validation and test,
/// and epochs.
pub fn tiny_training(
    head: &str,
    [training, validation, test]: [usize; 3],
    epochs: usize,
) -> String {
    format!(
        r#"{head}
[dataset.yin_yang]
training = {{ size = {training}, seed = 42 }}
validation = {{ size = {validation}, seed = 41 }}
test = {{ size = {test}, seed = 40 }}

[encoding]
earliest = 0.15
latest = 2.0

[[layers]]
name = "hidden"
size = 20
bias_times = [0.9]
weights.normal = {{ mean = 1.5, std = 0.8 }}

[[layers]]
name = "label"
size = 3
weights.normal = {{ mean = 1.0, std = 0.5 }}

[training]
epochs = {epochs}
batch_size = 30
loss.shift_invariant_mean_squared_error.margin = 0.2
optimiser.adam.learning_rate = 0.01
"#
    )
}

/// The subcommands of a command, as its help lists them; `help` itself is left out.
pub fn subcommands(of: &[&str]) -> Vec<String> {
    let help = successful(project(), &[of, &["--help"]].concat()).stdout;
    let list = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let lines = list.take_while(|line| !line.is_empty());
    let names = lines.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names = names.filter_map(|line| line.split_whitespace().next()).map(str::to_owned);
    names.filter(|name| name != "help").collect()
}
