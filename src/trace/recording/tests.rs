use std::io::Write;

use proptest::prelude::*;

use super::*;
use crate::trace::TraceWriter;

/// What the reader makes of the content of a file.
fn read_bytes(content: &[u8], names: &ColumnNames) -> Result<(Recording, Vec<String>), String> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("a.csv");
    std::fs::write(&path, content).expect("writable");
    let place = format!("{}", path.display());
    match read_recording(&path, names) {
        Ok((recording, warnings)) => {
            let texts = warnings.iter().map(|found| found.to_string().replace(&place, "a.csv"));
            Ok((recording, texts.collect()))
        }
        Err(error) => Err(error.to_string().replace(&place, "a.csv")),
    }
}

fn read_text(content: &str) -> Result<(Recording, Vec<String>), String> {
    read_bytes(content.as_bytes(), &ColumnNames::default())
}

fn columns(recording: &Recording) -> (Vec<u32>, Vec<f64>) {
    (recording.neurons.clone(), recording.times.clone())
}

#[test]
fn traces_of_many_simulators_are_understood() {
    let expected = (vec![3, 1], vec![0.5, 12.25]);
    for (content, unit) in [
        ("neuron,time_ms\n3,0.5\n1,12.25\n", Some("ms")),
        ("time_us,neuron,hardware_time_ms\n0.5,3,7\n12.25,1,8\n", Some("us")),
        ("hardware_time_us,time_tau_s,neuron\n7,0.5,3\n8,12.25,1\n", Some("tau_s")),
        ("hardware_time_us,neuron\n0.5,3\n12.25,1\n", Some("us")),
        ("time (ms);Neuron ID\n0.5;3\n12.25;1", Some("ms")),
        ("t[s]\tsender\t\n0.5\t3\t\n12.25\t1\t\n", Some("s")),
        ("time (ms) neuron\n0.5 3\n  12.25   1\n", Some("ms")),
        ("timestamps population node_ids\n0.5 a 3\n12.25 a 1\n", None),
        (
            "# NEST version: 3\n# RecordingBackendASCII version: 2\nsender\ttime_ms\n3\t0.5\n1\t12.25\n",
            Some("ms"),
        ),
        ("3\t0.500\t\n1\t12.250\t\n", None),
        ("0.5 3\n12.25 1\n", None),
        ("# time_ms neuron\n5.0e-01 3.0e+00\n1.225e+01 1.0e+00\n", Some("ms")),
        ("\u{feff}i,t\r\n3,0.5\r\n\r\n1,12.25\r\n", None),
        ("\"neuron\",\"time_ms\"\n\"3\",\"0.5\"\n1,12.25\n", Some("ms")),
        ("label,times,senders\n\"a, b\",0.5,3\n\"a\"\"b\",12.25,1\n", None),
        ("neuron,time_in_µs\n3,0.5\n1,12.25\n", Some("µs")),
        ("neuron,time_İ\n3,0.5\n1,12.25\n", Some("İ")),
        ("neuron,Time_MS\n3,0.5\n1,12.25\n", Some("MS")),
        ("neuron,time_ms\r3,0.5\r1,12.25\r", Some("ms")),
    ] {
        let (recording, warnings) = read_text(content).expect(content);
        assert_eq!(columns(&recording), expected, "{content}");
        assert_eq!(recording.time_unit.as_deref(), unit, "{content}");
        assert_eq!(warnings, Vec::<String>::new(), "{content}");
    }
}

#[test]
fn populations_and_samples_are_columns_too() {
    let (recording, _) =
        read_text("trial,layer,neuron,time_ms\n0,a,0,1\n0,b,0,2\n0,b,1,3\n1,c,0,0\n1,a,5,1\n")
            .expect("sound");
    assert_eq!(recording.populations, ["a", "b", "c"]);
    assert_eq!(recording.population, [0, 1, 1, 2, 0]);
    assert_eq!(recording.samples, [0, 0, 0, 1, 1]);
    assert_eq!(recording.lines.of(3), Some(5));

    let (recording, _) = read_text("channel,time_ms\nin2,1\nin0,2\nout1,3\n").expect("sound");
    assert_eq!(recording.populations, ["in", "out"]);
    assert_eq!((recording.neurons, recording.population), (vec![2, 0, 1], vec![0, 0, 1]));
}

#[test]
fn times_without_neurons_are_those_of_one_neuron() {
    for content in [
        "time_ms\n1.5\n2.5\n7.25\n",
        "1.5\n2.5\n7.25\n",
        "# t\n1.5\n2.5\n7.25",
        "t\r1.5\r2.5\r7.25",
    ] {
        let (recording, warnings) = read_text(content).expect(content);
        assert_eq!(columns(&recording), (vec![0; 3], vec![1.5, 2.5, 7.25]), "{content}");
        assert_eq!(warnings, Vec::<String>::new(), "{content}");
    }
    let (recording, _) = read_text("trial,time\n0,1\n4,2\n").expect("sound");
    assert_eq!((recording.neurons, recording.samples), (vec![0, 0], vec![0, 4]));
}

/// Real files of these forms have NUL bytes at their start.
#[test]
fn other_forms_are_named_whatever_bytes_they_have() {
    for (content, expected) in [
        (
            &b"\x89HDF\r\n\x1a\n\0\0\0\0\0\x08\x08\0"[..],
            "a.csv: this is an HDF5 file: call it .h5, or",
        ),
        (b"\x93NUMPY\x01\0\x76\0{}", "a.csv: this is a NumPy file: call it .npy, or"),
        (b"PK\x03\x04\x2d\0\0\0", "a.csv: this is a ZIP archive: unpack"),
        (b"\xff\xfen\0e\0", "a.csv: this is in UTF-16: write it in UTF-8"),
        (b"\xfe\xff\0n\0e", "a.csv: this is in UTF-16: write it in UTF-8"),
        (b"neuron,time\n\0", "a.csv:2: there is a NUL byte"),
    ] {
        let message = read_bytes(content, &ColumnNames::default()).expect_err(expected);
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn names_have_a_sane_length() {
    let named = |length: usize| read_text(&format!("population,i,t\n{},1,2\n", "é".repeat(length)));
    assert_eq!(named(255).expect("short enough").0.len(), 1);
    let message = named(256).expect_err("too long");
    let expected = "a.csv:2: the name of a population has 256 characters: at most 255";
    assert!(message.contains(expected), "{message}");
}

#[test]
fn what_cannot_be_told_is_asked_for() {
    let names = |time: &str, neuron: &str| ColumnNames {
        time: Some(time.to_owned()),
        neuron: Some(neuron.to_owned()),
        ..ColumnNames::default()
    };
    for (content, names, expected) in [
        ("a,b\n1,2\n", names("b", "a"), (vec![1], vec![2.0])),
        ("a,b\n1,2\n", names("1", "2"), (vec![2], vec![1.0])),
        ("1,2\n", names("1", "2"), (vec![2], vec![1.0])),
        ("time,neuron\n1,2\n", names("neuron", "time"), (vec![1], vec![2.0])),
        ("7 1 2\n", names("2", "3"), (vec![2], vec![1.0])),
    ] {
        let (recording, _) = read_bytes(content.as_bytes(), &names).expect(content);
        assert_eq!(columns(&recording), expected, "{content}");
    }
    for (content, expected) in [
        (
            "a,neuron\n1,2\n",
            "a.csv:1: no column is recognised as the time; there are a, neuron: say",
        ),
        ("# hello\ntime_ms,time_s,id\n1,2,3\n", "a.csv:2: time_ms and time_s may each be the time"),
        (
            "sender time_step time_offset\n1 2 3\n",
            "recognised as the time; there are sender, time_st",
        ),
        ("sample,time,energy\n0,1,2\n", "recognised as the neuron; there are sample, time, ene"),
        ("1,2\n3,4\n", "a.csv:1: there is no heading, and nothing tells which of the 2 columns"),
        ("1.5,2.5\n", "--time-column and --neuron-column, numbers from 1"),
        ("# only\n", "a.csv: there are comments only"),
    ] {
        let message = read_text(content).expect_err(content);
        assert!(message.contains(expected), "{content}: {message}");
    }
    let message = read_bytes(b"a,neuron\n1,2\n", &names("c", "a")).expect_err("no c");
    assert!(message.contains("--time-column c: there is no such column; there are a, neuron"));
    let message = read_bytes(b"1,2\n", &names("t", "2")).expect_err("no t");
    assert!(message.contains("the file has no heading; give the number"), "{message}");
}

#[test]
fn what_is_wrong_is_refused_with_its_line() {
    for (content, expected) in [
        ("", "a.csv: the file is empty"),
        ("neuron,time_ms\n1,2\nx,3\n", "a.csv:3: neuron `x` must be a whole number"),
        ("neuron,time_ms\n\n-1,2\n", "a.csv:3: neuron `-1` must be a whole number"),
        ("neuron,time_ms\n1.5,2\n", "a.csv:2: neuron `1.5` must be"),
        ("neuron,time_ms\n4294967296,2\n", "a.csv:2: neuron `4294967296` must be"),
        ("neuron,time_ms\n1,soon\n", "a.csv:2: time_ms `soon` must be a number"),
        ("neuron;time_ms\n1;2,5\n", "`2,5` must be a number (with a decimal point, not a comma)"),
        ("neuron,time_ms\n1,2\n1\n", "a.csv:3: 1 field in this row, where the heading has 2"),
        ("neuron,time_ms\n1,2,5\n", "a.csv:2: 3 fields in this row, where the heading has 2"),
        ("neuron,time_ms\n1,\"2\n3,4\n", "a.csv:2: a quote is opened and not closed"),
        ("neuron,time_ms,sample\n1,2,a\n", "a.csv:2: sample `a` must be"),
        ("channel,time_ms\nin0,1\n5,2\n", "a.csv:3: channel `5` must be a name that ends in"),
        ("neuron,time_ms\n1,2\0\n", "a.csv:2: there is a NUL byte"),
        ("neuron,time_ms\n1,2\u{1}\n", "a.csv:2: this is binary data"),
        ("{\"neuron\": 1}", "a.csv: this is JSON: write"),
        ("PK\u{3}\u{4}", "a.csv: this is a ZIP archive"),
        ("layer,i,t\na\u{9b}2J,1,2\n", "a.csv:2: the name of a population has the control char"),
    ] {
        let message = read_text(content).expect_err(content);
        assert!(message.contains(expected), "{content}: {message}");
    }
}

#[test]
fn what_is_not_sound_is_left_out_with_a_warning() {
    for (content, spikes, expected) in [
        (
            "neuron,time_ms\n1,inf\n1,2\n1,nan\n1,\n",
            1,
            "a.csv:2: 3 rows without a finite time are left out (this is the first)",
        ),
        ("neuron,time_ms\n1,2\n1,1\n", 2, "a.csv:3: 1 row is earlier than the row before"),
        ("time_ms,neuron\n1,2\n1", 1, "a.csv:3: the last line is cut off and left out"),
        ("neuron,time_ms\n1,2\n1,1e", 1, "a.csv:3: the last line is cut off and left out"),
        (
            "i,t\n1,1700000000000000001\n",
            1,
            "a.csv:2: 1 row is beyond 2^53: such times are rounded",
        ),
        ("neuron,time_ms\n", 0, "a.csv:1: there is not a single spike in the file"),
    ] {
        let (recording, warnings) = read_text(content).expect(content);
        assert_eq!(recording.len(), spikes, "{content}");
        assert_eq!(warnings.len(), 1, "{content}: {warnings:?}");
        assert!(warnings[0].starts_with(expected), "{content}: {warnings:?}");
    }
    let (_, warnings) = read_text("sample,neuron,time_ms\n0,1,5\n1,1,2\n").expect("sound");
    assert!(warnings.is_empty(), "a sample begins anew: {warnings:?}");
}

/// A trace of many blocks.
fn long_trace(spikes: u32) -> Vec<u8> {
    let mut content = Vec::new();
    let mut writer = TraceWriter::new(&mut content, "ms").expect("heading");
    for spike in 0..spikes {
        let population = ["input", "hidden", "label"][(spike / 70_000 % 3) as usize];
        let time = f64::from(spike) / 7.0;
        writer.write(0, population, spike % 1000, time).expect("row");
    }
    writer.finish().expect("flushed");
    content
}

#[test]
fn long_traces_are_read_block_by_block_in_order() {
    let spikes = 150_000;
    let mut content = long_trace(spikes);
    let (plain, warnings) = read_bytes(&content, &ColumnNames::default()).expect("sound");
    assert_eq!((plain.len(), warnings.len()), (spikes as usize, 0));
    for spike in 0..spikes as usize {
        assert_eq!(plain.times[spike], spike as f64 / 7.0);
        assert_eq!(plain.population_of(spike), spike / 70_000);
        assert_eq!(plain.lines.of(spike), Some(spike as u64 + 2));
    }

    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(&content).expect("packed");
    let mut packed = packer.finish().expect("packed");
    let (unpacked, _) = read_bytes(&packed, &ColumnNames::default()).expect("sound");
    assert_eq!(unpacked, plain);
    // Two packed files, one after the other, are a packed file.
    packed.extend_from_slice(&packed.clone());
    let message = read_bytes(&packed, &ColumnNames::default()).expect_err("two headings");
    assert!(message.contains(&format!("a.csv:{}: time_ms `time_ms`", spikes + 2)), "{message}");

    packed.truncate(packed.len() / 4);
    let (part, warnings) = read_bytes(&packed, &ColumnNames::default()).expect("sound in part");
    assert!(part.len() > 10_000 && part.times[..] == plain.times[..part.len()]);
    let expected = format!("a.csv:{}: the gzip file is cut off after this line", part.len() + 1);
    assert!(warnings[0].starts_with(&expected), "{warnings:?}");
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(&content).expect("packed");
    let mut damaged = packer.finish().expect("packed");
    let checksum = damaged.len() - 8;
    damaged[checksum] ^= 1;
    let message = read_bytes(&damaged, &ColumnNames::default()).expect_err("damaged");
    assert!(message.contains("the gzip file is damaged here"), "{message}");

    let late = content.len() - 10;
    content[late] = b'x';
    let message = read_bytes(&content, &ColumnNames::default()).expect_err("text");
    assert!(message.starts_with(&format!("a.csv:{}: time_ms `", spikes + 1)), "{message}");
}

proptest! {
    /// No bytes whatever make the reader panic.
    #[test]
    fn any_bytes_are_read_or_refused(
        content in prop::collection::vec(prop::sample::select(&b"0123,;\t\n\r\". -+e#%timneuro(\xff"[..]), 0..80),
        heading in any::<bool>(),
    ) {
        let mut bytes = if heading { b"neuron,time_ms\n".to_vec() } else { Vec::new() };
        bytes.extend(content);
        if let Ok((recording, _)) = read_bytes(&bytes, &ColumnNames::default()) {
            prop_assert_eq!(recording.times.len(), recording.neurons.len());
            prop_assert!(recording.times.iter().all(|time| time.is_finite()));
        }
    }
}
