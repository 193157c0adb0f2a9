//! Programs that fail, or behave oddly, as shell scripts.

use std::path::Path;
use std::process::Command;

use firstspike::chip::{
    Anomalies, Exchange, ExternalSubstrate, Presented, Program, Substrate, SubstrateError,
};
use firstspike::engine::{SourceSpike, Spike};
use firstspike::network::{Layer, LayeredNetwork, layered};
use firstspike::neuron::NeuronParameters;

use super::{program, settings};
use crate::common::waiting::wait_for;

/// A time-out that no test sees the end of, in seconds.
pub(super) const NEVER: f64 = 1e6;

/// Reads up to and with the stimulus.
pub(super) const READ: &str = "while read -r line; do case $line in stimulus*) break;; esac; done\n\
                    while read -r line; do [ \"$line\" = end ] && break; done\n";
pub(super) const HEADING: &str = "echo sample,population,neuron,time_tau_s\n";

/// A layer of two label neurons with one input each.
pub(super) fn small() -> LayeredNetwork {
    let neurons = vec![NeuronParameters::default(); 2];
    let weights = vec![4.0; 2];
    let name = "label".to_owned();
    layered(1, &[Layer { name, neurons, bias_sources: 0, weights, delays: None }]).expect("valid")
}

/// Shows two samples to a script; returns what came of it, and the substrate.
pub(super) fn show(
    script: &str,
    exchange: Exchange,
    timeout: f64,
) -> (Result<Vec<Vec<Spike>>, String>, ExternalSubstrate) {
    let network = small();
    let settings = settings(&["sh", "-c", script, "sh"], exchange, timeout);
    let folder = std::env::temp_dir();
    let mut substrate = ExternalSubstrate::new(&network, settings, &folder).expect("sh starts");
    program(&mut substrate, &network);
    let stimulus = vec![SourceSpike { time: 0.5, source: 0 }];
    let samples = vec![Presented { stimulus, ..Presented::default() }; 2];
    let answer = substrate.present(&samples).map_err(|error| error.to_string());
    (answer, substrate)
}

/// The error of a script, which must be told without waiting for the time-out.
pub(super) fn error(script: &str) -> String {
    error_within(script, NEVER)
}

/// The error of a script whose time-out this is, in seconds.
fn error_within(script: &str, timeout: f64) -> String {
    let (answer, mut substrate) = show(script, Exchange::Streams, timeout);
    let message = answer.expect_err(script);
    assert_eq!(substrate.anomalies(), Anomalies::default());
    let again = substrate.present(&[Presented::default()]).expect_err("no program is left");
    assert!(again.ends_substrate());
    assert!(again.to_string().contains("was ended after an error"), "{again}");
    message
}

pub(super) fn assert_contains(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "`{part}` is not in: {message}");
    }
}

#[test]
fn a_crash_is_told_with_its_code_and_last_words() {
    let script = format!("{READ}{HEADING} echo 0,label,0,1; echo out of memory >&2; exit 3");
    let message = error(&script);
    let expected = ["batch 1: ended with exit code 3 after 2 lines", "output:\n  out of memory"];
    assert_contains(&message, &expected);
    assert_contains(&error("exit 7"), &["ended with exit code 7 without an answer"]);
    assert_contains(&error("kill -SEGV $$"), &["was ended (signal: 11"]);
    let message = error(&format!("{READ}{HEADING} exec >&-; sleep 600"));
    assert_contains(&message, &["closed its output after 1 line"]);
}

#[test]
fn a_request_that_is_refused_leaves_the_program_as_it_was() {
    let script = format!("{READ}{HEADING} echo end,1");
    let settings = settings(&["sh", "-c", &script], Exchange::Streams, 60.0);
    let network = small();
    let mut substrate =
        ExternalSubstrate::new(&network, settings, &std::env::temp_dir()).expect("sh starts");
    let early = substrate.present(&[Presented::default()]).expect_err("no weights");
    assert!(matches!(early, SubstrateError::NotProgrammed), "{early}");
    let few = Program { weights: &[1.0], delays: &[] };
    let few = substrate.program(&few).expect_err("too few weights");
    assert!(
        matches!(few, SubstrateError::ValueCount { synapses: 2, found: 1, values: "weights" }),
        "{few}"
    );
    assert!(!early.ends_substrate() && !few.ends_substrate());
    program(&mut substrate, &network);
    assert_eq!(substrate.present(&[Presented::default()]).expect("an answer"), [vec![]]);
}

#[test]
fn a_program_that_cannot_be_started_is_told() {
    let command = settings(&["./no-such-program"], Exchange::Streams, 1.0);
    let refused = ExternalSubstrate::new(&small(), command, &std::env::temp_dir());
    let message = refused.expect_err("no program").to_string();
    assert_contains(&message, &["`./no-such-program` cannot be started in"]);
    let refused =
        ExternalSubstrate::new(&small(), settings(&[], Exchange::Streams, 1.0), Path::new("."));
    assert_contains(&refused.expect_err("no command").to_string(), &["must name a program"]);
    for seconds in [0.0, 1e7] {
        let refused = settings(&["sh"], Exchange::Streams, seconds);
        let refused = ExternalSubstrate::new(&small(), refused, Path::new("."));
        let message = refused.expect_err("no time, or too much").to_string();
        assert_contains(&message, &["must be above 0 and at most 1000000 s"]);
    }
}

#[test]
fn a_hang_ends_with_the_time_out_and_leaves_no_process() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("number");
    // The number is that of a program which the script waits for.
    let script = format!("sleep 600 & echo $! > '{}'; {READ} wait", file.display());
    let network = small();
    let settings = settings(&["sh", "-c", &script], Exchange::Streams, 1.0);
    let mut substrate =
        ExternalSubstrate::new(&network, settings, &std::env::temp_dir()).expect("sh starts");
    let written = || std::fs::read_to_string(&file).ok().filter(|number| number.ends_with('\n'));
    let number = wait_for(written, || "the script does not begin".to_owned());
    program(&mut substrate, &network);
    let message = substrate.present(&[Presented::default()]).expect_err("no answer").to_string();
    assert_contains(&message, &["1 s (the time-out) have passed without an answer"]);
    wait_for(
        || (!runs(number.trim())).then_some(()),
        || format!("process {} still runs", number.trim()),
    );
}

/// Whether there is a process of this number, and it is not only waiting to be reaped.
pub(super) fn runs(number: &str) -> bool {
    let output = Command::new("ps").args(["-o", "stat=", "-p", number]).output().expect("ps");
    let state = String::from_utf8_lossy(&output.stdout);
    !state.trim().is_empty() && !state.trim().starts_with('Z')
}

#[test]
fn a_program_that_reads_nothing_blocks_nobody() {
    let network = small();
    let settings = settings(&["sleep", "600"], Exchange::Streams, 1.0);
    let mut substrate =
        ExternalSubstrate::new(&network, settings, Path::new(".")).expect("sleep starts");
    program(&mut substrate, &network);
    // More than a pipe holds.
    let stimulus = vec![SourceSpike { time: 0.5, source: 0 }; 100_000];
    let samples = [Presented { stimulus, ..Presented::default() }];
    let message = substrate.present(&samples).expect_err("no answer").to_string();
    assert_contains(&message, &["1 s (the time-out) have passed"]);
}

#[test]
fn a_flood_on_either_stream_blocks_nobody() {
    let noise = "head -c 1000000 /dev/zero | tr '\\0' x >&2";
    let (answer, substrate) = show(
        &format!("{READ}{noise}; {HEADING} echo 1,label,1,0.75; {noise}; echo end,1"),
        Exchange::Streams,
        NEVER,
    );
    assert_eq!(answer.expect("an answer"), [vec![], vec![Spike { node: 2, time: 0.75 }]]);
    assert_eq!(substrate.anomalies().samples_without_label, 1);
    let message = error(&format!("{READ}{HEADING} exec yes 0,label,0,1"));
    assert_contains(&message, &["line 4002: more than 4000 spikes are too many"]);
    assert_contains(
        &error(&format!("{READ} cat /dev/zero")),
        &["wrote a line of 65536 bytes or more without an answer"],
    );
    // Neither blank lines nor a quote that is not closed go on for ever.
    for flood in ["exec yes ''", "echo '0,\"label'; exec yes x"] {
        let message = error(&format!("{READ}{HEADING}{flood}"));
        assert_contains(&message, &["answer, line ", "a row of more than 65536 bytes has no end"]);
    }
}

#[test]
fn what_is_no_answer_is_refused_with_its_line() {
    let cases = [
        ("echo hello; echo end,1", "answer, line 1: there is no column `sample` in `hello`"),
        ("#; echo 0,label,2,1; echo end,1", "line 2: neuron `2` must be a number from 0 to 1"),
        ("#; echo 0,label,1,1; echo 2,label,0,1; echo end,1", "line 3: sample `2` must be"),
        (
            "#; echo 0,other,0,1; echo end,1",
            "population `other` must be the name of a layer: label",
        ),
        ("#; echo 0,label,0,NaN; echo end,1", "time `NaN` must be a finite number"),
        ("#; echo 0,label,0,-1; echo end,1", "time `-1` must be"),
        ("#; echo 0,label,0; echo end,1", "line 2: `0,label,0` has 3 of 4 fields"),
        (
            "echo sample,population,neuron,time_tau_s,neuron; echo 0,label,0,1,1; echo end,1",
            "line 1: column `neuron` is there twice in `sample,population,neuron,time_tau_s,neuron`",
        ),
        ("#; echo end", "`end` must be `end,1`"),
        ("#; echo end,2", "`end,2` must be `end,1`"),
        ("#; printf 0,label,0,1.2", "it is cut off: line `0,label,0,1.2` has no end"),
    ];
    for (script, expected) in cases {
        let script = script.replace('#', HEADING.trim_end());
        assert_contains(&error(&format!("{READ}{script}")), &["batch 1: answer", expected]);
    }
}

#[test]
fn an_answer_that_nobody_asked_for_is_refused() {
    let answer = format!("{HEADING} echo end,1\n");
    let (first, mut substrate) =
        show(&format!("{READ}{answer}{answer}{READ}"), Exchange::Streams, NEVER);
    first.expect("an answer");
    let second = substrate.present(&[Presented::default()]).expect_err("an answer too many");
    let message = second.to_string();
    let asked_late = message.contains("wrote `sample,population,neuron,time_tau_s` before");
    assert!(asked_late || message.contains("`end,1` must be `end,2`"), "{message}");
}

#[test]
fn what_is_odd_is_counted() {
    let rows = "for row in 0,label,0,2.5 0,label,0,1.5 0,label,0,1.5 1,input,0,0.5 1,label,1,0.25\n\
                do echo $row; done; echo end,1";
    let (answer, substrate) = show(&format!("{READ}{HEADING}{rows}"), Exchange::Streams, NEVER);
    let spike = |node, time| Spike { node, time };
    let expected = [vec![spike(1, 1.5), spike(1, 2.5)], vec![spike(2, 0.25)]];
    assert_eq!(answer.expect("an answer"), expected);
    let expected = Anomalies {
        samples: 2,
        extra_spikes: 1,
        duplicated_rows: 1,
        rows_of_sources: 1,
        spikes_before_stimulus: 1,
        samples_without_label: 0,
    };
    assert_eq!(substrate.anomalies(), expected);
}

#[test]
fn a_program_is_not_in_our_process_group() {
    let script = format!("{READ}{HEADING} echo end,1; ps -o pgid= -p $$ >&2; {READ} exit 1");
    let (answer, mut substrate) = show(&script, Exchange::Streams, NEVER);
    answer.expect("an answer");
    let error = substrate.present(&[Presented::default()]).expect_err("an exit");
    let SubstrateError::Program { last_words, .. } = &error else { panic!("{error}") };
    let group: i32 = last_words.trim().parse().expect("a number");
    assert_ne!(group, nix::unistd::getpgrp().as_raw(), "a signal from the terminal would reach it");
}

#[test]
fn a_program_that_does_not_end_is_ended_when_it_is_no_longer_needed() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("number");
    let script = format!(
        "echo $$ > '{}'; {READ}{HEADING} echo end,1; while :; do sleep 1; done",
        file.display()
    );
    let (answer, substrate) = show(&script, Exchange::Streams, NEVER);
    answer.expect("an answer");
    let number = std::fs::read_to_string(&file).expect("the script got that far");
    assert!(runs(number.trim()));
    drop(substrate);
    assert!(!runs(number.trim()));
}

#[test]
fn files_that_are_no_answer_are_refused() {
    let cases = [
        ("exit 0", "left no answer: "),
        ("echo broken >&2; exit 4", "ended with exit code 4; it last wrote"),
        ("sleep 600", "did not end within 1 s (the time-out)"),
        (": > $4", "spikes.csv: it is empty"),
        ("mkfifo $4", "spikes.csv is a pipe, a device or a folder: the answer must be a file"),
        ("mkdir $4", "spikes.csv is a pipe, a device or a folder"),
        ("ln -s /dev/zero $4", "spikes.csv is a pipe, a device or a folder"),
        ("ln -s no-such-file $4", "left no answer: "),
        ("(#; printf 0,label,0,1.2) > $4", "spikes.csv: it is cut off"),
        ("(#; echo 0,label,7,1.2) > $4", "spikes.csv, line 2: neuron `7` must be"),
    ];
    for (script, expected) in cases {
        let folder = tempfile::tempdir().expect("a temporary folder");
        // Not the answer to an earlier batch.
        let stale = "sample,population,neuron,time_tau_s\n0,label,0,1\n";
        std::fs::write(folder.path().join("spikes.csv"), stale).expect("writable");
        let exchange = Exchange::Files { folder: folder.path().to_owned() };
        let script = script.replace('#', HEADING.trim_end());
        let timeout = if script.starts_with("sleep") { 1.0 } else { NEVER };
        let (answer, _) = show(&script, exchange, timeout);
        assert_contains(&answer.expect_err(&script), &[expected]);
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let exchange = Exchange::Files { folder: folder.path().to_owned() };
    let script = format!("({HEADING} echo $(($5 - 1)),label,0,1.25) > $4; echo ignored");
    let (answer, _) = show(&script, exchange, NEVER);
    assert_eq!(answer.expect("an answer"), [vec![], vec![Spike { node: 1, time: 1.25 }]]);
}
