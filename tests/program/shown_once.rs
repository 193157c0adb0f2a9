//! The test set is shown once: accuracy and recorded spikes are of the same presentation, also on a
//! substrate that never does the same thing twice.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use firstspike::trace;

use crate::common::binary::{json, project, successful, text, tiny_training};

/// The class of each sample's first spike in the label layer, by the trace of the test set.
fn decisions(folder: &Path, samples: usize) -> Vec<Option<u32>> {
    let mut first = vec![(f64::INFINITY, None); samples];
    for spike in trace::read(&folder.join("spikes.csv")).expect("readable").spikes {
        let so_far = &mut first[spike.sample as usize];
        if spike.population == "label" && spike.time < so_far.0 {
            *so_far = (spike.time, Some(spike.neuron));
        }
    }
    first.into_iter().map(|(_, class)| class).collect()
}

/// The fraction of samples that a trace decides correctly, as a run computes it.
fn accuracy(folder: &Path, labels: &[u32]) -> f64 {
    let decisions = decisions(folder, labels.len());
    let correct = decisions.iter().zip(labels).filter(|(found, label)| **found == Some(**label));
    correct.count() as f64 / labels.len() as f64
}

/// A program that notes every row of its stimulus and answers at random, differently each time.
#[cfg(unix)]
const NOTING: &str = r#"#!/bin/sh
cat "$3" >> presented.csv
awk -F, -v samples="$5" -v seed="$(wc -l < presented.csv)" 'BEGIN {
    srand(seed)
    print "sample,population,neuron,time_tau_s"
    for (sample = 0; sample < samples; sample++) {
        for (neuron = 0; neuron < 2; neuron++) {
            if (rand() < 0.7) print sample ",label," neuron "," 2 + rand()
        }
    }
}' > "$4"
"#;

#[cfg(unix)]
#[test]
fn a_program_sees_each_test_sample_once_and_its_spikes_are_those_that_are_scored() {
    use std::os::unix::fs::PermissionsExt;

    let place = tempfile::tempdir().expect("a temporary folder");
    let file = |name: &str| place.path().join(name);
    let write = |name: &str, content: &str| std::fs::write(file(name), content).expect("writable");
    write("noting.sh", NOTING);
    std::fs::set_permissions(file("noting.sh"), std::fs::Permissions::from_mode(0o755))
        .expect("a file of its own");
    // The first feature tells every sample from every other one.
    let (training, validation, test, epochs) = (30, 10, 230, 2);
    let labels: Vec<u32> = (0..test).map(|sample| sample % 2).collect();
    let table = |samples: std::ops::Range<u32>| {
        let mut table = "label,a,b\n".to_owned();
        for sample in samples {
            let _ = writeln!(table, "{},{},0.5", sample % 2, f64::from(sample) / 1024.0);
        }
        table
    };
    let learned = training + validation;
    write("training.csv", &table(test..test + learned));
    write("test.csv", &table(0..test));
    write(
        "noting.toml",
        &format!(
            "[dataset.file]\ntraining.csv = 'training.csv'\nvalidation.last = {validation}\n\
             test.csv = 'test.csv'\nspike_times = true\n\
             [[layers]]\nname = 'label'\nsize = 2\nweights.constant = 2.0\n\
             [training]\nepochs = {epochs}\nbatch_size = 10\n\
             loss.shift_invariant_mean_squared_error.margin = 0.2\n\
             [substrate]\ncommand = ['./noting.sh']\nexchange = 'files'\n"
        ),
    );
    successful(place.path(), &["run", "noting.toml", "--out", "out", "--quiet"]);

    let mut presented: BTreeMap<u32, usize> = BTreeMap::new();
    for row in std::fs::read_to_string(file("presented.csv")).expect("it was called").lines() {
        let fields: Vec<&str> = row.split(',').collect();
        if fields[1] == "input" && fields[2] == "0" {
            let time: f64 = fields[3].parse().expect("a time");
            *presented.entry((time * 1024.0).round() as u32).or_default() += 1;
        }
    }
    for sample in 0..test {
        assert_eq!(presented.get(&sample), Some(&1), "test sample {sample}");
    }
    // Training and validation set in every epoch, and with the final weights.
    for sample in test..test + learned {
        assert_eq!(presented.get(&sample), Some(&(epochs + 1)), "sample {sample}");
    }

    let summary = json(&file("out/summary.json"));
    let recorded = accuracy(&file("out"), &labels);
    assert_eq!(summary["test_accuracy"].as_f64(), Some(recorded));
    let undecided =
        decisions(&file("out"), labels.len()).iter().filter(|class| class.is_none()).count();
    assert!(undecided > 0);
    assert_eq!(summary["test_undecided"].as_f64(), Some(undecided as f64 / f64::from(test)));
    assert!((0.2..0.8).contains(&recorded), "{recorded}: chance decides");
}

#[test]
fn the_trace_of_a_noisy_chip_has_the_accuracy_of_its_summary() {
    let place = tempfile::tempdir().expect("a temporary folder");
    let samples = 330;
    let chip = project().join("chips/brainscales2.toml");
    let head = format!("chip = '{}'", text(&chip));
    let scenario = tiny_training(&head, [60, 30, samples], 2);
    std::fs::write(place.path().join("noisy.toml"), scenario).expect("writable");
    successful(place.path(), &["run", "noisy.toml", "--out", "out", "--quiet"]);
    let loaded = firstspike::scenario::load(&place.path().join("noisy.toml"), &[]).expect("valid");
    let test = loaded.learner().expect("valid").data.test;
    let labels: Vec<u32> = test.labels.iter().map(|&label| label as u32).collect();
    assert_eq!(labels.len(), samples);
    let summary = json(&place.path().join("out/summary.json"));
    assert_eq!(
        summary["test_accuracy"].as_f64(),
        Some(accuracy(&place.path().join("out"), &labels))
    );
}
