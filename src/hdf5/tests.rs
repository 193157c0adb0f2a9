use std::path::PathBuf;

use super::*;

/// What `tests/files/hdf5.py` wrote with h5py.
fn file() -> Hdf5File {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/files/hdf5.h5");
    Hdf5File::open(&path).expect("a file of h5py")
}

#[test]
fn numbers_of_every_type_are_read() {
    let file = file();
    let names =
        ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "big_f4", "big_i2"];
    for name in names {
        let dataset = file.dataset(&format!("numbers/{name}")).expect(name);
        assert_eq!(dataset.shape(), [2, 3], "{name}");
        assert_eq!(dataset.numbers().expect(name), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0], "{name}");
        assert_eq!(dataset.integers_in(1..9).expect(name), [3, 4, 5], "{name}");
    }
    let numbers = |name: &str| file.dataset(name).and_then(|found| found.numbers()).expect(name);
    assert_eq!(numbers("numbers/scalar"), [2.5]);
    assert_eq!(numbers("numbers/bool"), [1.0, 0.0]);
    assert_eq!(numbers("numbers/negative"), [-3.0, 4.0]);
    assert_eq!(numbers("numbers/empty"), [0.0; 0]);
    assert_eq!(numbers("numbers/plane"), (0..60).map(f64::from).collect::<Vec<_>>());
    let packed = file.dataset("numbers/packed").expect("packed");
    assert_eq!(packed.numbers().expect("packed"), (0..5000).map(f64::from).collect::<Vec<_>>());
    assert_eq!(packed.numbers_in(510..514).expect("packed"), [510.0, 511.0, 512.0, 513.0]);
    assert_eq!(packed.numbers_in(6000..6001).expect("packed"), [0.0; 0]);
    let error = file.dataset("numbers/scalar").expect("there").integers().expect_err("2.5");
    assert!(error.to_string().contains("numbers/scalar: value 0 is 2.5"), "{error}");
}

#[test]
fn texts_rows_attributes_and_members_are_read() {
    let file = file();
    let texts = |name: &str| file.dataset(name).and_then(|found| found.texts()).expect(name);
    assert_eq!(texts("texts/any"), ["spike"]);
    assert_eq!(texts("texts/fixed"), ["one", "three"]);
    assert_eq!(texts("texts/pairs"), ["a", "b", "b", "c"]);
    let times = file.dataset("ragged/times").expect("there").ragged(0..3).expect("rows");
    assert_eq!(times.iter().map(Vec::len).collect::<Vec<_>>(), [2, 0, 1000]);
    assert_eq!(times[2][999], 999.0 / 1024.0);
    let units = file.dataset("ragged/units").expect("there").ragged(2..3).expect("rows");
    assert_eq!(units[0][999], 999.0);
    let attribute = |place, name| file.attribute(place, name).expect(name);
    assert_eq!(attribute("", "magic"), Some(Attribute::Numbers(vec![2682.0])));
    assert_eq!(attribute("", "version"), Some(Attribute::Numbers(vec![0.0, 1.0])));
    assert_eq!(attribute("", "name").as_ref().and_then(Attribute::text), Some("h5py"));
    assert_eq!(attribute("texts", "sorting").as_ref().and_then(Attribute::text), Some("by_time"));
    let units = attribute("numbers/scalar", "units");
    assert_eq!(units.as_ref().and_then(Attribute::text), Some("milliseconds"));
    assert_eq!(attribute("", "absent"), None);
    let members = file.members("texts").expect("a group");
    assert_eq!(members.datasets, ["any", "fixed", "pairs"]);
    assert_eq!(file.members("").expect("the root").groups, ["numbers", "ragged", "texts"]);
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    let file = file();
    let error = file.dataset("numbers/none").expect_err("not there").to_string();
    assert!(error.contains("hdf5.h5: numbers/none: there is none"), "{error}");
    let error = file.dataset("texts/any").expect("there").numbers().expect_err("text").to_string();
    assert!(
        error.contains("texts/any: it holds") && error.contains("numbers are expected"),
        "{error}"
    );
    let error =
        file.dataset("numbers/f8").expect("there").texts().expect_err("numbers").to_string();
    assert!(error.contains("texts are expected"), "{error}");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let other = folder.path().join("other.h5");
    std::fs::write(&other, "no HDF5").expect("writable");
    let error = Hdf5File::open(&other).expect_err("text").to_string();
    assert!(error.contains("this is no HDF5 file"), "{error}");
    assert!(Hdf5File::open(&folder.path().join("none")).is_err());
}

#[test]
fn ten_gigabytes_that_are_not_there_are_refused() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/files/claims.h5");
    let file = Hdf5File::open(&path).expect("a file of h5py");
    for name in ["contiguous", "chunked", "packed"] {
        let error = file.dataset(name).expect_err(name).to_string();
        let claim = format!("claims.h5: {name}: it claims 10000000000 bytes (shape [1250000000])");
        assert!(error.contains(&claim), "{error}");
    }
}

#[test]
fn ragged_rows_are_limited_by_what_they_take_in_memory() {
    let file = file();
    let times = file.dataset("ragged/times").expect("there");
    // 1002 values, of fewer bytes in the file.
    assert!(times.ragged_within(0..3, 8 * 1002).is_ok());
    let error = times.ragged_within(0..3, 8 * 1002 - 1).expect_err("more").to_string();
    assert!(error.contains("ragged/times: ") && error.contains("at most 8015"), "{error}");
}

#[test]
fn newer_forms_of_chunks_are_refused_with_a_remedy() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/files/newer.h5");
    let file = Hdf5File::open(&path).expect("a file of h5py");
    for name in ["long", "both"] {
        let error = file.dataset(name).expect_err(name).to_string();
        assert!(error.contains(&format!("newer.h5: {name}: its chunks cannot be read")), "{error}");
        assert!(error.contains("h5repack"), "{error}");
    }
}

#[test]
fn claims_beyond_the_file_are_refused() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("large.h5");
    // 1.25e9 doubles in one piece, of which the file has none: the shape is changed in the bytes.
    let mut root = Hdf5Group::default();
    root.doubles("values", &[77], vec![1.0; 77]);
    write(&path, root).expect("writable");
    let mut bytes = std::fs::read(&path).expect("readable");
    let found: Vec<usize> =
        (0..bytes.len() - 8).filter(|&at| bytes[at..at + 8] == 77u64.to_le_bytes()).collect();
    assert!(!found.is_empty());
    for at in found {
        bytes[at..at + 8].copy_from_slice(&1_250_000_000u64.to_le_bytes());
    }
    std::fs::write(&path, bytes).expect("writable");
    let read = Hdf5File::open(&path).and_then(|file| file.dataset("values").map(|_| ()));
    let error = read.expect_err("too large").to_string();
    // The checksum of the header, or the claim: nothing is read either way.
    assert!(error.contains("10000000000 bytes") || error.contains("hecksum"), "{error}");
}

#[test]
fn what_is_written_is_read_back() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("written.h5");
    let mut inner = Hdf5Group::default();
    inner.doubles("scalar", &[], vec![0.1]);
    inner.doubles("plane", &[2, 2], vec![1.0, f64::INFINITY, -3.0, 4.5]);
    inner.integers("ids", &[3], vec![-1, 0, 7]);
    inner.attributes.push(("unit".to_owned(), Attribute::Texts(vec!["ms".to_owned()])));
    let mut root = Hdf5Group::default();
    root.text("version", "1.0");
    let values = ["a", "b"].map(str::to_owned).to_vec();
    root.datasets.push(("edges".to_owned(), Hdf5Value::Texts { shape: vec![1, 2], values }));
    root.group("inner", inner);
    write(&path, root).expect("writable");
    let file = Hdf5File::open(&path).expect("written");
    assert_eq!(file.dataset("version").expect("there").texts().expect("text"), ["1.0"]);
    assert_eq!(file.dataset("edges").expect("there").shape(), [1, 2]);
    assert_eq!(file.dataset("edges").expect("there").texts().expect("text"), ["a", "b"]);
    assert_eq!(file.dataset("inner/scalar").expect("there").shape(), [0u64; 0]);
    let plane = file.dataset("inner/plane").expect("there");
    assert_eq!(plane.numbers().expect("numbers"), [1.0, f64::INFINITY, -3.0, 4.5]);
    assert_eq!(file.dataset("inner/ids").expect("there").integers().expect("ids"), [-1, 0, 7]);
    let unit = file.attribute("inner", "unit").expect("readable");
    assert_eq!(unit.as_ref().and_then(Attribute::text), Some("ms"));
}

#[test]
fn columns_grow() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("columns.h5");
    let kinds = [("time", ColumnType::Double), ("id", ColumnType::U64), ("short", ColumnType::U32)];
    let attributes = [("unit".to_owned(), Attribute::Texts(vec!["ms".to_owned()]))];
    let mut columns =
        Hdf5Columns::create(&path, ("spikes/all", &attributes), &kinds).expect("writable");
    for block in 0..30u64 {
        let ids: Vec<u64> = (block * 7000..block * 7000 + 7000).collect();
        let times: Vec<f64> = ids.iter().map(|&id| id as f64 / 8.0).collect();
        columns.push_doubles(0, &times).expect("written");
        columns.push_integers(1, &ids).expect("written");
        columns.push_integers(2, &ids).expect("written");
    }
    columns.finish().expect("complete");
    let file = Hdf5File::open(&path).expect("complete");
    let time = file.dataset("spikes/all/time").expect("there");
    assert_eq!(time.rows(), 210_000);
    assert_eq!(time.numbers_in(209_999..210_000).expect("read"), [209_999.0 / 8.0]);
    let ids = file.dataset("spikes/all/id").expect("there").integers().expect("read");
    assert!(ids.iter().enumerate().all(|(place, &id)| place as i64 == id));
    assert_eq!(file.dataset("spikes/all/short").expect("there").integers().expect("read"), ids);
    assert!(file.attribute("spikes/all", "unit").expect("readable").is_some());
    assert_eq!(std::fs::read_dir(folder.path()).expect("readable").count(), 1);
}
