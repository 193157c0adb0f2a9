//! Public data sets: fetching them from a server that may be unkind, and what MNIST's files hold.

use crate::common;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use common::binary::{firstspike, idx, project, read, successful, text};
use firstspike::dataset::catalogue::{CatalogueFile, Checksum, Collection};
use firstspike::dataset::fetch::{FetchError, FetchProgress, State, fetch, verify};
use firstspike::dataset::mnist::{self, Resolution, Sizes};
use firstspike::dataset::{Dataset, Encoding, Features, LatencyEncoding};
use firstspike::learning::{EncodedSet, EncodingScratch, Presentation};
use sha2::{Digest, Sha256};

/// How a server treats its visitors.
#[derive(Clone, Copy, Default)]
struct Manners {
    /// It sends the rest of a file when asked to.
    ranges: bool,
    /// It hangs up after so many bytes of a file.
    hangs_up_after: Option<usize>,
}

/// A path, and the first byte of a range.
type Request = (String, Option<usize>);

/// A server of files in memory, for as long as the test runs.
struct Server {
    url: String,
    /// What was asked for.
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    fn new(files: BTreeMap<String, Vec<u8>>, manners: Manners) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}/files/", listener.local_addr().expect("bound"));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&requests);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.expect("a visitor");
                let mut lines = BufReader::new(stream.try_clone().expect("a second handle"))
                    .lines()
                    .map_while(Result::ok)
                    .take_while(|line| !line.is_empty());
                let first = lines.next().unwrap_or_default();
                let path = first.split(' ').nth(1).unwrap_or("").replace("/files/", "");
                let start = lines
                    .filter_map(|line| {
                        let (name, value) = line.split_once(": ")?;
                        let value = value.strip_prefix("bytes=")?.strip_suffix('-')?;
                        name.eq_ignore_ascii_case("range").then(|| value.parse().ok())?
                    })
                    .last();
                noted.lock().expect("unpoisoned").push((path.clone(), start));
                let (head, body) = answer(files.get(&path), start.filter(|_| manners.ranges));
                let sent = manners.hangs_up_after.unwrap_or(body.len()).min(body.len());
                // The visitor may have left.
                let _ = write!(
                    stream,
                    "HTTP/1.1 {head}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                    body.len()
                )
                .and_then(|()| stream.write_all(&body[..sent]));
            }
        });
        Server { url, requests }
    }

    fn asked(&self) -> Vec<Request> {
        self.requests.lock().expect("unpoisoned").clone()
    }
}

/// Status with further headers, and body.
fn answer(file: Option<&Vec<u8>>, start: Option<usize>) -> (String, &[u8]) {
    match (file, start) {
        (None, _) => ("404 Not Found".to_owned(), b"no such file"),
        (Some(file), None) => ("200 OK".to_owned(), file),
        (Some(file), Some(start)) if start >= file.len() => {
            ("416 Range Not Satisfiable".to_owned(), b"")
        }
        (Some(file), Some(start)) => {
            let (last, size) = (file.len() - 1, file.len());
            let head = format!("206 Partial Content\r\nContent-Range: bytes {start}-{last}/{size}");
            (head, &file[start..])
        }
    }
}

fn compressed(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    encoder.write_all(content).expect("in memory");
    encoder.finish().expect("in memory")
}

fn sha256(content: &[u8]) -> String {
    Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A data set of two files, one known by its content and one by its packed form.
fn small() -> (Collection, BTreeMap<String, Vec<u8>>) {
    let images = idx(&[20, 3, 3], &[7; 180]);
    let labels = idx(&[20], &[1; 20]);
    let files = BTreeMap::from([
        ("images.gz".to_owned(), compressed(&images)),
        ("labels.gz".to_owned(), compressed(&labels)),
    ]);
    let file = |name: &str, checksum, dimensions: &[usize]| CatalogueFile {
        name: name.to_owned(),
        checksum,
        dimensions: dimensions.to_vec(),
    };
    let collection = Collection {
        name: "small".to_owned(),
        folder: PathBuf::from("unused"),
        url: "http://127.0.0.1:1/nobody".to_owned(),
        files: vec![
            file("images.gz", Checksum::Content(sha256(&images)), &[20, 3, 3]),
            file("labels.gz", Checksum::Compressed(sha256(&files["labels.gz"])), &[20]),
        ],
    };
    (collection, files)
}

struct Nobody;

impl FetchProgress for Nobody {}

fn get(collection: &Collection, folder: &Path, server: &Server) -> Result<(), FetchError> {
    fetch(collection, folder, Some(&server.url), &mut Nobody)
}

/// The names in a folder.
fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("a readable folder");
    let mut names: Vec<String> = entries
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8"))
        .collect();
    names.sort();
    names
}

fn assert_complete(folder: &Path, files: &BTreeMap<String, Vec<u8>>) {
    assert_eq!(names(folder), files.keys().cloned().collect::<Vec<_>>());
    for (name, content) in files {
        assert!(read(&folder.join(name)) == *content, "{name} differs");
    }
}

fn asked(name: &str, start: Option<usize>) -> Request {
    (name.to_owned(), start)
}

#[test]
fn files_are_fetched_once_from_their_own_address_or_a_mirror() {
    let (mut collection, files) = small();
    let server = Server::new(files.clone(), Manners::default());
    let place = tempfile::tempdir().expect("a temporary folder");
    let folder = place.path().join("a/b");
    get(&collection, &folder, &server).expect("fetched");
    assert_complete(&folder, &files);
    assert_eq!(server.asked(), [asked("images.gz", None), asked("labels.gz", None)]);
    // Both are there, so nobody is asked.
    get(&collection, &folder, &server).expect("there");
    assert_eq!(server.asked().len(), 2);
    // One is damaged, and only that one is fetched again, this time from its own address.
    std::fs::write(folder.join("labels.gz"), "damaged").expect("writable");
    collection.url = server.url.clone();
    fetch(&collection, &folder, None, &mut Nobody).expect("fetched");
    assert_complete(&folder, &files);
    assert_eq!(server.asked()[2..], [asked("labels.gz", None)]);
}

#[test]
fn what_broke_off_is_gone_on_with() {
    let (collection, files) = small();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let hasty = Server::new(files.clone(), Manners { hangs_up_after: Some(100), ranges: true });
    let error = get(&collection, folder.path(), &hasty).expect_err("broken off");
    assert!(matches!(error, FetchError::BrokenOff { received: 100, .. }), "{error}");
    assert!(error.to_string().contains("goes on from it"), "{error}");
    assert_eq!(names(folder.path()), ["images.gz.partial"]);

    let kind = Server::new(files.clone(), Manners { ranges: true, ..Manners::default() });
    get(&collection, folder.path(), &kind).expect("fetched");
    assert_complete(folder.path(), &files);
    assert_eq!(kind.asked(), [asked("images.gz", Some(100)), asked("labels.gz", None)]);
}

#[test]
fn a_server_without_ranges_or_a_beginning_that_is_none_means_starting_again() {
    let (collection, files) = small();
    for (ranges, left, requests) in [
        (false, files["images.gz"][..100].to_vec(), vec![Some(100)]),
        (true, vec![0; 5000], vec![Some(5000), None]),
        // From a mirror that packs files in another way.
        (true, vec![0; 50], vec![Some(50), None]),
    ] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(folder.path().join("images.gz.partial"), left).expect("writable");
        let server = Server::new(files.clone(), Manners { ranges, ..Manners::default() });
        get(&collection, folder.path(), &server).expect("fetched");
        assert_complete(folder.path(), &files);
        let mut expected: Vec<_> =
            requests.into_iter().map(|start| asked("images.gz", start)).collect();
        expected.push(asked("labels.gz", None));
        assert_eq!(server.asked(), expected);
    }
    // Everything had come, only the name was missing.
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("images.gz.partial"), &files["images.gz"]).expect("writable");
    let server = Server::new(files.clone(), Manners::default());
    get(&collection, folder.path(), &server).expect("fetched");
    assert_complete(folder.path(), &files);
    assert_eq!(server.asked(), [asked("labels.gz", None)]);
}

#[test]
fn a_wrong_file_is_deleted_and_a_missing_one_is_said_to_be() {
    let (collection, files) = small();
    let other = compressed(&idx(&[20, 3, 3], &[8; 180]));
    let packed_otherwise = {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(&idx(&[20], &[1; 20])).expect("in memory");
        encoder.finish().expect("in memory")
    };
    for (name, content, message) in [
        ("images.gz", other, "its SHA-256 is"),
        ("images.gz", files["labels.gz"].clone(), "begins with 0x00000801"),
        ("images.gz", b"<html>".to_vec(), "begins with"),
        ("labels.gz", packed_otherwise, "its SHA-256 is"),
    ] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut served = files.clone();
        served.insert(name.to_owned(), content);
        let error = get(&collection, folder.path(), &Server::new(served, Manners::default()))
            .expect_err("wrong");
        assert!(matches!(error, FetchError::Wrong { .. }), "{error}");
        let said = error.to_string();
        assert!(said.contains(name) && said.contains(message), "{said}");
        assert!(said.contains("deleted"), "{said}");
        let left: &[&str] = if name == "images.gz" { &[] } else { &["images.gz"] };
        assert_eq!(names(folder.path()), left);
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let empty = Server::new(BTreeMap::new(), Manners::default());
    let error = get(&collection, folder.path(), &empty).expect_err("not there").to_string();
    assert!(error.contains("/files/images.gz: the server says 404 Not Found"), "{error}");
    assert!(names(folder.path()).is_empty());
    let error = fetch(&collection, folder.path(), None, &mut Nobody).expect_err("nobody there");
    assert!(matches!(error, FetchError::Server { .. }), "{error}");
}

#[test]
fn unpacked_files_are_judged_too() {
    let (collection, _) = small();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let states = || -> Vec<State> {
        verify(&collection, folder.path()).into_iter().map(|(_, state)| state).collect()
    };
    assert!(matches!(states()[..], [State::Missing, State::Missing]));
    let write = |name: &str, content: &[u8]| {
        std::fs::write(folder.path().join(name), content).expect("writable");
    };
    write("images", &idx(&[20, 3, 3], &[7; 180]));
    write("labels", &idx(&[20], &[1; 20]));
    assert!(matches!(states()[..], [State::Verified, State::Plausible]));
    write("labels", &idx(&[19], &[1; 19]));
    assert!(matches!(&states()[1], State::Wrong(wrong) if wrong.to_string().contains("[19]")));
}

#[test]
fn the_binary_fetches_from_a_mirror_and_refuses_what_is_wrong() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let name = "train-images-idx3-ubyte.gz";
    let wrong = compressed(&idx(&[60_000, 28, 28], &vec![0; 60_000 * 28 * 28]));
    let server = Server::new(BTreeMap::from([(name.to_owned(), wrong)]), Manners::default());
    let fetch = ["data", "fetch", "mnist", "--url", &server.url];
    let ended = firstspike(folder.path(), &fetch);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""), "{}", ended.stderr);
    assert!(ended.stderr.contains(name) && ended.stderr.contains("its SHA-256 is"));
    assert!(names(&folder.path().join("data/mnist")).is_empty());

    let verified = firstspike(folder.path(), &["data", "verify", "mnist"]);
    assert_eq!(verified.code, Some(1));
    assert_eq!(verified.stdout.matches("missing").count(), 4, "{}", verified.stdout);
    let listed = successful(folder.path(), &["data", "list"]).stdout;
    assert!(listed.contains("mnist") && listed.contains("fashion-mnist"), "{listed}");
    assert_eq!(listed.matches("missing").count(), 8, "{listed}");
    let refused = firstspike(folder.path(), &["data", "fetch", "mnist", "--url", "ftp://x"]);
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
}

/// Where MNIST is beside the project, if it is.
fn mnist_folder() -> Option<PathBuf> {
    let folder = project().join("../shared/data/mnist");
    if folder.join("train-images-idx3-ubyte.gz").exists() {
        return Some(folder);
    }
    eprintln!("SKIPPED: there is no MNIST in {}", folder.display());
    None
}

#[test]
fn mnist_itself_is_fetched_and_verified() {
    let Some(source) = mnist_folder() else { return };
    let files: BTreeMap<String, Vec<u8>> =
        names(&source).into_iter().map(|name| (name.clone(), read(&source.join(name)))).collect();
    let server = Server::new(files.clone(), Manners::default());
    let place = tempfile::tempdir().expect("a temporary folder");
    let out = place.path().join("here");
    let fetch = ["data", "fetch", "mnist", "--folder", text(&out), "--url", &server.url];
    let ended = successful(place.path(), &fetch);
    assert_eq!(ended.stderr.matches("fetched and verified").count(), 4, "{}", ended.stderr);
    assert_complete(&out, &files);
    let verified = successful(place.path(), &["data", "verify", "mnist", "--folder", text(&out)]);
    assert_eq!(verified.stdout.matches("verified").count(), 4, "{}", verified.stdout);
}

/// Mean and standard deviation of the number of spikes, and the largest number, of all samples if
/// dark pixels are silent.
fn spike_counts(dataset: &Dataset) -> (f64, f64, usize) {
    let encoding = Encoding::Latency(LatencyEncoding {
        earliest: 0.15,
        latest: 2.0,
        inverted: true,
        silent_zero: true,
        copies: 1,
    });
    let set = EncodedSet::new(dataset, encoding, 0, &[]);
    let (mut scratch, mut spikes) = (EncodingScratch::default(), Vec::new());
    let counts: Vec<f64> = (0..set.len())
        .map(|sample| {
            set.inputs(sample, Presentation::Plain, &mut scratch, &mut spikes);
            spikes.len() as f64
        })
        .collect();
    let count = counts.len() as f64;
    let mean = counts.iter().sum::<f64>() / count;
    let variance = counts.iter().map(|count| (count - mean).powi(2)).sum::<f64>() / count;
    (mean, variance.sqrt(), counts.iter().fold(0.0_f64, |most, &count| most.max(count)) as usize)
}

#[test]
fn mnist_holds_what_is_known_of_it() {
    let Some(folder) = mnist_folder() else { return };
    let full = mnist::load(&folder, Resolution::Full, Sizes::default()).expect("valid");
    let sizes = [&full.training, &full.validation, &full.test].map(Dataset::len);
    assert_eq!(sizes, [50_000, 10_000, 10_000]);
    assert_eq!(full.training.labels[..10], [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]);
    assert_eq!(full.test.labels[..5], [7, 2, 1, 0, 4]);
    let Features::Bytes { values, divisor } = &full.training.features else { panic!("bytes") };
    assert_eq!((values.len(), *divisor), (50_000 * 784, 256.0));
    let (mean, _, _) = spike_counts(&full.test);
    assert!((mean - 151.1219).abs() < 1e-9, "{mean}");

    let few = Sizes { training: Some(10), validation: Some(10), test: Some(2000) };
    let reduced = mnist::load(&folder, Resolution::Reduced, few).expect("valid");
    assert_eq!((reduced.training.len(), reduced.validation.len()), (10, 10));
    let (mean, deviation, most) = spike_counts(&reduced.test);
    assert!((mean - 102.3795).abs() < 1e-9, "{mean}");
    assert!((deviation - 24.817).abs() < 1e-3, "{deviation}");
    assert_eq!(most, 173);
}

#[test]
fn mnist_like_files_train_with_augmentation_the_same_on_any_number_of_threads() {
    let place = tempfile::tempdir().expect("a temporary folder");
    common::binary::write_mnist(&place.path().join("data/mnist"), 120, 20);
    let scenario = project().join("scenarios/mnist_16x16_paper.toml");
    let run = |out: &str, threads: &str| {
        let sets = [
            "training.epochs=1",
            "training.batch_size=25",
            "training.augmentation={time_noise=0.3,shift=1.5,rotation=10,scale=0.1,dropout=0.1}",
            "layers.0.size=20",
            "dataset.mnist.training=75",
        ];
        let mut arguments = vec!["run", text(&scenario), "--out", out, "--threads", threads];
        for set in &sets {
            arguments.extend(["--set", set]);
        }
        let ended = successful(place.path(), &arguments);
        assert!(!ended.stdout.contains("class_map"), "{}", ended.stdout);
        ["network.json", "metrics.csv", "spikes.csv"]
            .map(|name| read(&place.path().join(out).join(name)))
    };
    assert!(run("one", "1") == run("two", "2"), "results depend on the number of threads");
    assert!(!place.path().join("one/class_map.png").exists());
}

#[test]
fn spike_times_of_a_table_are_used_as_they_are() {
    let place = tempfile::tempdir().expect("a temporary folder");
    let write = |name: &str, content: &str| {
        std::fs::write(place.path().join(name), content).expect("writable");
    };
    let test_set = "label,a,b,c\n0,0.25,1.5,\n1,inf,0.125,2.75\n";
    write("train.csv", &format!("{test_set}1,1,,0\n0,0.5,1,1\n"));
    write("test.csv", test_set);
    write(
        "scenario.toml",
        "[dataset.file]\ntraining.csv = 'train.csv'\nvalidation.last = 2\ntest.csv = 'test.csv'\n\
         spike_times = true\n\
         [[layers]]\nname = 'label'\nsize = 2\nweights.normal = { mean = 2.0, std = 0.5 }\n\
         [training]\nepochs = 1\nbatch_size = 2\n\
         loss.shift_invariant_mean_squared_error.margin = 0.2\n",
    );
    let checked = successful(place.path(), &["check", "scenario.toml"]);
    assert!(
        checked.stderr.contains("2 training, 2 validation and 2 test samples"),
        "{}",
        checked.stderr
    );
    let ended = successful(place.path(), &["run", "scenario.toml", "--out", "out"]);
    assert!(ended.stdout.contains("everything in "), "{}", ended.stdout);
    let spikes = common::binary::rows(&place.path().join("out/spikes.csv"));
    let mut inputs: Vec<[&str; 3]> = spikes
        .iter()
        .filter(|row| &row[1] == "input")
        .map(|row| [&row[0], &row[2], &row[3]])
        .collect();
    inputs.sort_unstable();
    let expected = [["0", "0", "0.25"], ["0", "1", "1.5"], ["1", "1", "0.125"], ["1", "2", "2.75"]];
    assert_eq!(inputs, expected);
    let learn = ["learn", "scenario.toml", "--trace", "out/spikes.csv", "--data", "test"];
    successful(place.path(), &learn);
}

#[test]
fn spikes_spread_over_hundreds_of_time_constants_are_left_to_the_event_engine() {
    let place = tempfile::tempdir().expect("a temporary folder");
    let write = |name: &str, content: &str| {
        std::fs::write(place.path().join(name), content).expect("writable");
    };
    write("wide.csv", "label,a,b\n0,1,900\n1,900,1\n0,2,800\n");
    write("narrow.csv", "label,a,b\n0,1,9\n1,9,1\n0,2,8\n");
    let scenario = |name: &str| {
        format!(
            "[dataset.file]\ntraining.csv = '{name}'\nvalidation.last = 1\ntest.csv = '{name}'\n\
             spike_times = true\n\
             [[layers]]\nname = 'label'\nsize = 2\nweights.constant = 3.0\n\
             [training]\nepochs = 1\nloss.shift_invariant_mean_squared_error.margin = 0.2\n"
        )
    };
    write("wide.toml", &scenario("wide.csv"));
    write("narrow.toml", &scenario("narrow.csv"));
    for (name, engine) in [("wide", "event"), ("narrow", "feed_forward")] {
        successful(place.path(), &["run", &format!("{name}.toml"), "--out", name]);
        let summary = common::binary::json(&place.path().join(name).join("summary.json"));
        assert_eq!(summary["engine"]["name"], engine);
        let why = summary["engine"]["why_not_faster"].as_str();
        let is_why =
            |why: &str| why.starts_with("spikes are spread over 899, and must be within 500");
        assert!(why.map_or(engine == "feed_forward", is_why), "{why:?}");
    }
    let forced = ["run", "wide.toml", "--set", "engine='feed_forward'"];
    let refused = firstspike(place.path(), &forced);
    assert_eq!(refused.code, Some(2));
    assert!(refused.stderr.contains("spread over 899"), "{}", refused.stderr);
}
