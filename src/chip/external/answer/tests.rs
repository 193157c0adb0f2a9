use super::*;
use crate::engine::SourceSpike;
use crate::network::{Layer, layered};
use crate::neuron::NeuronParameters;

fn layer(name: &str, size: usize, rows: usize) -> Layer {
    let neurons = vec![NeuronParameters::default(); size];
    let weights = vec![1.0; rows * size];
    Layer { name: name.to_owned(), neurons, bias_sources: 0, weights, delays: None }
}

/// Two samples of a 2–3–2 network, whose inputs start at 0.25.
fn read(answer: &str) -> (Result<Vec<Vec<Spike>>, AnswerProblem>, Anomalies) {
    let layers = [layer("hidden", 3, 2), layer("label", 2, 3)];
    let reader = AnswerReader::new(&layered(2, &layers).expect("valid"), "us");
    let stimulus =
        vec![SourceSpike { time: 0.5, source: 1 }, SourceSpike { time: 0.25, source: 0 }];
    let samples = vec![Presented { stimulus, ..Presented::default() }; 2];
    let mut anomalies = Anomalies::default();
    let spikes = reader.read(&mut answer.as_bytes(), &samples, &mut anomalies);
    (spikes, anomalies)
}

#[test]
fn columns_and_rows_may_come_in_any_order_and_odd_ones_are_counted() {
    let (spikes, anomalies) = read(
        "time_us, neuron,population ,voltage,sample\r\n2.5,1,label,7,0\n1e0,2,hidden,,0\n\
         1.5,2,hidden,,0\n2.5,1,label,8,0\n\n0.3,0,input,,1\n0.125,0,hidden,,1\n",
    );
    let spike = |node, time| Spike { node, time };
    let expected = [vec![spike(4, 1.0), spike(4, 1.5), spike(6, 2.5)], vec![spike(2, 0.125)]];
    assert_eq!(spikes.expect("an answer"), expected);
    let expected = Anomalies {
        samples: 2,
        extra_spikes: 1,
        duplicated_rows: 1,
        rows_of_sources: 1,
        spikes_before_stimulus: 1,
        samples_without_label: 1,
    };
    assert_eq!(anomalies, expected);
    assert_eq!(anomalies.warnings().len(), 5);
    assert_eq!(Anomalies { samples: 2, ..Anomalies::default() }.warnings(), [""; 0]);
    let (silent, anomalies) = read("sample,population,neuron,time_us\n");
    assert_eq!(silent.expect("an answer"), [vec![], vec![]]);
    assert_eq!(anomalies.samples_without_label, 2);
}

#[test]
fn what_cannot_be_is_refused_with_its_line() {
    let cases = [
        ("", "line 1: there is no heading: it must be sample,population,neuron,time_us"),
        ("hello, world", "line 1: there is no column `sample` in `hello,world`"),
        ("sample,population,neuron,time_ms\n", "line 1: there is no column `time_us`"),
        ("#,time_us\n", "line 1: column `time_us` is there twice in `sample,population,neuron"),
        ("neuron,#\n", "line 1: column `neuron` is there twice"),
        ("#\n0,label,0,1\n0,label,0\n", "line 3: `0,label,0` has 3 of 4 fields"),
        ("#\n0,label,0,1,1\n", "line 2: `0,label,0,1,1` has 5 of 4 fields"),
        ("#\n2,label,0,1\n", "line 2: sample `2` must be a number from 0 to 1"),
        ("#\n-1,label,0,1\n", "line 2: sample `-1` must be"),
        ("#\n0,labels,0,1\n", "population `labels` must be the name of a layer: hidden, label"),
        ("#\n0,label,2,1\n", "neuron `2` must be a number from 0 to 1 in `label`"),
        ("#\n0,label,x,1\n", "neuron `x` must be"),
        ("#\n0,label,0,nan\n", "line 2: time `nan` must be a finite number, not negative"),
        ("#\n0,label,0,inf\n", "time `inf` must be"),
        ("#\n0,label,0,-0.1\n", "time `-0.1` must be"),
        ("#\n0,label,0,\n", "time `` must be"),
    ];
    for (answer, expected) in cases {
        let answer = answer.replace('#', "sample,population,neuron,time_us");
        let (spikes, anomalies) = read(&answer);
        let message = spikes.expect_err(&answer).to_string();
        assert!(message.contains(expected), "{message}");
        assert_eq!(anomalies, Anomalies::default());
    }
    let flood = "0,label,0,1\n".repeat(10_001);
    let (spikes, _) = read(&format!("sample,population,neuron,time_us\n{flood}"));
    let message = spikes.expect_err("a flood").to_string();
    assert_eq!(message, "line 10002: more than 10000 spikes are too many");
}

#[test]
fn a_row_without_end_is_not_kept_in_memory() {
    let heading = "sample,population,neuron,time_us\n0,label,0,1\n";
    for row in ["0,\"label,".to_owned() + &"0,1\n".repeat(1 << 17), "\n".repeat(1 << 19)] {
        let mut read_so_far = 0;
        let mut answer = heading.as_bytes().chain(row.as_bytes());
        let layers = [layer("label", 2, 2)];
        let reader = AnswerReader::new(&layered(2, &layers).expect("valid"), "us");
        let mut counted = Counted { input: &mut answer, bytes: &mut read_so_far };
        let anomalies = &mut Anomalies::default();
        let message = reader.read(&mut counted, &[Presented::default()], anomalies);
        let message = message.expect_err("no end").to_string();
        assert!(message.ends_with("a row of more than 65536 bytes has no end"), "{message}");
        assert!(read_so_far < 2 * LONGEST_ROW, "{read_so_far}");
    }
}

/// Counts what is read.
struct Counted<'a, R> {
    input: &'a mut R,
    bytes: &'a mut u64,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(buffer)?;
        *self.bytes += count as u64;
        Ok(count)
    }
}
