//! `firstspike reproduce` trains what its table says, shows it beside the published figures, and
//! can be stopped and started again at any moment.

use crate::common;

use std::path::{Path, PathBuf};

use common::binary::{
    files, firstspike, json, project, read, rows, successful, text, tiny_training,
};
use common::stopping::{assert_same, signal};
use firstspike::run::reproduce::Table;
use nix::sys::signal::Signal;

/// The slower engine: an interrupt takes a while to be heard, and a fast training would be through.
const HEAD: &str = "engine = \"event\"";

const TABLE: &str = r#"
[[rows]]
name = "plain"
title = "As it is"
scenario = "scenarios/tiny.toml"
seeds = [3, 1]
published = ["95.9 ± 0.7 (the paper)", "97 (another)"]
reach = 0.0

[[rows]]
name = "short"
title = "One epoch"
scenario = "scenarios/tiny.toml"
set = ["training.epochs=1", "layers.0.size=5"]
seeds = [2]
reach = 100.0
"#;

/// A folder with the table and its scenario.
fn folder(table: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::create_dir(folder.path().join("scenarios")).expect("writable");
    std::fs::write(
        folder.path().join("scenarios/tiny.toml"),
        tiny_training(HEAD, [300, 50, 50], 50),
    )
    .expect("writable");
    std::fs::write(folder.path().join("table.toml"), table).expect("writable");
    folder
}

/// The cells of each row of the table.
fn cells(markdown: &str) -> Vec<Vec<&str>> {
    let lines = markdown.lines().skip(2).take_while(|line| line.starts_with('|'));
    lines.map(|line| line.trim_matches('|').split('|').map(str::trim).collect()).collect()
}

#[test]
fn trains_each_row_with_each_seed_as_run_would() {
    let place = folder(TABLE);
    let ended = successful(place.path(), &["reproduce", "table.toml", "--out", "out"]);
    let out = place.path().join("out");
    let page = String::from_utf8(read(&out.join("table.md"))).expect("UTF-8");
    let reports = page.strip_prefix(&ended.stdout).expect("the table that was printed");
    let links: Vec<&str> =
        reports.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0)).collect();
    assert_eq!(links.len(), 3, "{reports}");
    assert!(links.iter().all(|link| out.join(link).is_file()), "{reports}");
    let said: Vec<&str> = ended.stderr.lines().take(3).collect();
    assert_eq!(said[0], "[1/3] plain, seed 3: training (2 left after this)");
    assert!(said[1].starts_with("engine: ") && said[2].starts_with("epoch "), "{said:?}");

    let run = ["run", "scenarios/tiny.toml", "--out", "run", "--overwrite", "--seed"];
    successful(place.path(), &[&run[..], &["1"]].concat());
    assert_same(&place.path().join("run"), &out.join("plain/seed_1"));
    let changed = ["2", "--set", "training.epochs=1", "--set", "layers.0.size=5"];
    successful(place.path(), &[&run[..], &changed].concat());
    assert_same(&place.path().join("run"), &out.join("short/seed_2"));

    let summary = |job: &str| json(&out.join(job).join("summary.json"));
    let number = |job: &str, key: &str| summary(job)[key].as_f64().expect("a number");
    let accuracy = |job: &str| 100.0 * number(job, "test_accuracy");
    let (one, three) = (accuracy("plain/seed_1"), accuracy("plain/seed_3"));
    let cells = cells(&ended.stdout);
    assert_eq!(cells.len(), 2, "{}", ended.stdout);
    assert_eq!(cells[0][..2], ["As it is", "95.9 ± 0.7 (the paper); 97 (another)"]);
    let (mean, low, high) = ((one + three) / 2.0, one.min(three), one.max(three));
    assert_eq!(cells[0][2], format!("{mean:.2} ({low:.2}–{high:.2}), 2 seeds"));
    assert_eq!(cells[0][3], "0, reached");
    let time = |job| number(job, "mean_decision_time");
    let decision = (time("plain/seed_1") + time("plain/seed_3")) / 2.0;
    assert_eq!(cells[0][5], format!("{decision:.3} τ_s"));
    let short = accuracy("short/seed_2");
    assert_eq!(cells[1][2], format!("{short:.2} ({short:.2}–{short:.2}), 1 seed"));
    assert_eq!(cells[1][3], format!("100, {:.2} short", 100.0 - short));

    let csv = rows(&out.join("table.csv"));
    let jobs: Vec<_> = csv.iter().map(|row| (row[0].to_owned(), row[1].to_owned())).collect();
    let expected = [("plain", "3"), ("plain", "1"), ("short", "2")];
    assert_eq!(jobs, expected.map(|(name, seed)| (name.to_owned(), seed.to_owned())));
    for (row, (name, seed)) in csv.iter().zip(expected) {
        let job = format!("{name}/seed_{seed}");
        for (field, key) in [
            (2, "test_accuracy"),
            (3, "validation_accuracy"),
            (4, "train_accuracy"),
            (5, "epochs"),
            (6, "selected_epoch"),
            (7, "seconds"),
            (8, "seconds_per_epoch"),
            (9, "mean_decision_time"),
        ] {
            assert_eq!(row[field].parse(), Ok(number(&job, key)), "{job}: {key}");
        }
    }

    // Once more: everything is there.
    let before = files(&out);
    let again = successful(place.path(), &["reproduce", "table.toml", "--out", "out"]);
    assert_eq!(again.stdout, ended.stdout);
    assert_eq!(again.stderr.matches("complete already").count(), 3, "{}", again.stderr);
    assert_eq!(files(&out), before);
}

#[test]
fn rows_and_seeds_can_be_chosen_and_a_changed_row_starts_anew() {
    let place = folder(TABLE);
    let chosen =
        ["reproduce", "table.toml", "--out", "out", "--rows", "short", "--seeds", "4-5,1", "-q"];
    let ended = successful(place.path(), &chosen);
    assert_eq!(ended.stderr, "");
    assert_eq!(cells(&ended.stdout).len(), 1);
    assert!(ended.stdout.contains("3 seeds"), "{}", ended.stdout);
    for seed in ["4", "5", "1"] {
        let summary = json(&place.path().join(format!("out/short/seed_{seed}/summary.json")));
        assert_eq!(summary["seed"].to_string(), seed);
    }
    assert!(!place.path().join("out/plain").exists());

    let changed = TABLE.replace("training.epochs=1\"", "training.epochs=2\"");
    std::fs::write(place.path().join("table.toml"), changed).expect("writable");
    successful(place.path(), &chosen);
    let epochs = &json(&place.path().join("out/short/seed_5/summary.json"))["epochs"];
    assert_eq!(*epochs, 2);
}

#[test]
fn a_row_that_fails_is_reported_and_the_others_go_on() {
    let broken = "\
        [[rows]]\nname = 'lost'\ntitle = 'Lost'\nscenario = 'lost.toml'\n\
        [[rows]]\nname = 'file'\ntitle = 'File'\nscenario = 'scenarios/tiny.toml'\n\
        set = ['layers.0.weights.file=\"weights.csv\"']\n\
        [[rows]]\nname = 'simulation'\ntitle = 'Simulation'\nscenario = 'simulation.toml'\n";
    let place = folder(&format!("{broken}{TABLE}"));
    let simulation = "[[populations]]\nname = 'n'\nsize = 1\n[simulation]\nuntil = 1.0\n";
    std::fs::write(place.path().join("simulation.toml"), simulation).expect("writable");
    let ended =
        firstspike(place.path(), &["reproduce", "table.toml", "--out", "out", "--seeds", "1"]);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let cells = cells(&ended.stdout);
    let here: Vec<&str> = cells.iter().map(|row| row[2]).collect();
    assert_eq!(here[..3], ["failed"; 3]);
    assert!(here[3].ends_with("1 seed") && here[4].ends_with("1 seed"), "{here:?}");
    for (name, message) in [
        ("lost", "cannot read scenario lost.toml"),
        ("file", "weights.csv"),
        ("simulation", "the scenario must have [[layers]]"),
    ] {
        let said = |text: &str, start: &str| {
            text.lines().any(|line| line.starts_with(start) && line.contains(message))
        };
        assert!(said(&ended.stdout, &format!("- `{name}` failed: ")), "{}", ended.stdout);
        let place = format!("{name}, seed 1: error: ");
        let errors: String = ended.stderr.lines().filter(|line| line.contains(&place)).collect();
        assert!(errors.contains(message), "{}", ended.stderr);
    }
}

#[cfg(unix)]
#[test]
fn stopped_and_started_again_it_ends_with_the_same_results() {
    let (whole, stopped) = (folder(TABLE), folder(TABLE));
    let arguments: Vec<String> =
        ["reproduce", "table.toml", "--out", "out", "--checkpoint-every", "0"]
            .map(str::to_owned)
            .to_vec();
    let strings: Vec<&str> = arguments.iter().map(String::as_str).collect();
    successful(whole.path(), &strings);

    let third = |line: &str| line.starts_with("epoch    3/");
    let (code, said) = signal(stopped.path(), &arguments, third, Signal::SIGKILL);
    assert_eq!(code, None, "{said:?}");
    let mut second_job = false;
    let next = |line: &str| {
        second_job |= line.starts_with("[2/3] plain, seed 1: training");
        second_job && line.starts_with("epoch    2/")
    };
    let (code, said) = signal(stopped.path(), &arguments, next, Signal::SIGINT);
    assert_eq!(code, Some(130), "{said:?}");
    assert!(said[1].starts_with("engine: "), "{said:?}");
    let epoch: u32 = said[2][5..11].trim_end_matches('/').trim().parse().expect(&said[2]);
    assert!(epoch > 2, "goes on where it was killed: {said:?}");
    let last = &said[said.len() - 2..];
    assert!(last[0].contains("the same command again"), "{said:?}");
    assert!(last[1].starts_with("results so far: ") && last[1].ends_with("table.md"), "{said:?}");
    let table = String::from_utf8(read(&stopped.path().join("out/table.md"))).expect("UTF-8");
    assert!(cells(&table)[0][2].ends_with("1 of 2 seeds so far"), "{table}");
    assert_eq!(cells(&table)[1][2], "not yet");

    let ended = successful(stopped.path(), &strings);
    assert!(ended.stderr.contains("[1/3] plain, seed 3: complete already"), "{}", ended.stderr);
    for job in ["plain/seed_1", "plain/seed_3", "short/seed_2"] {
        let out = |place: &Path| place.join("out").join(job);
        assert_same(&out(whole.path()), &out(stopped.path()));
    }
}

#[test]
fn bad_tables_and_arguments_are_refused_and_nothing_is_touched() {
    let row = |from: &str, to: &str| {
        assert_eq!(TABLE.matches(from).count(), 1, "{from}");
        TABLE.replace(from, to)
    };
    let table = TABLE.to_owned();
    type Case<'a> = (String, &'a [&'a str], &'a [&'a str]);
    let cases: [Case<'_>; 17] = [
        (
            row("reach = 0.0", "raech = 0.0"),
            &[],
            &["table.toml: ", "line 8,", "unknown field `raech`", "Did you mean `reach`?"],
        ),
        (row("[3, 1]", "[3, -1]"), &[], &["line 6,", "expected a whole number, not negative"]),
        (row("[3, 1]", "\"all\""), &[], &["line 6,", "expected a list"]),
        (row("title = \"As it is\"\n", ""), &[], &["line 2,", "missing field `title`"]),
        (row("[3, 1]", "[3, 3]"), &[], &["table.toml:6: rows.0.seeds: 3 is there twice"]),
        (row("[3, 1]", "[]"), &[], &["table.toml:6: rows.0.seeds: must not be empty"]),
        (
            row("\"short\"", "\"plain\""),
            &[],
            &["table.toml:11: rows.1.name: `plain` is the name of two rows"],
        ),
        (row("\"short\"", "\"../up\""), &[], &["table.toml:11: rows.1.name: `../up` must be"]),
        (row("\"One epoch\"", "\" \""), &[], &["table.toml:12: rows.1.title: must not be empty"]),
        (
            row("100.0", "101.0"),
            &[],
            &["table.toml:16: rows.1.reach: 101 must be from 0 to 100 (percent)"],
        ),
        (row("100.0", "nan"), &[], &["table.toml:16: rows.1.reach: NaN must be from 0 to 100"]),
        ("rows = []\n".to_owned(), &[], &["table.toml:1: rows: there must be at least one row"]),
        ("not toml".to_owned(), &[], &["table.toml: ", "line 1,"]),
        (
            table.clone(),
            &["--rows", "plain,shirt"],
            &["--rows: table.toml: there is no row `shirt`; there are plain, short"],
        ),
        (table.clone(), &["--seeds", "5-1"], &["--seeds", "`5-1` must go up"]),
        (table.clone(), &["--seeds", "one"], &["--seeds", "`one` is not a seed: write 1-5"]),
        (table, &["--out", "table.toml"], &["cannot write table.toml: "]),
    ];
    for (table, more, messages) in cases {
        let place = folder(&table);
        let before = files(place.path());
        let ended = firstspike(place.path(), &[&["reproduce", "table.toml"], more].concat());
        let context = format!("{messages:?}: {}", ended.stderr);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{context}");
        for message in messages {
            assert!(ended.stderr.contains(message), "{context}");
        }
        assert_eq!(files(place.path()), before, "{context}");
    }
    let missing = firstspike(project(), &["reproduce", "nowhere.toml"]);
    assert_eq!(missing.code, Some(2));
    assert!(missing.stderr.contains("cannot read table nowhere.toml"), "{}", missing.stderr);
}

#[test]
fn the_scenarios_of_the_own_table_are_good() {
    let path = project().join("scenarios/table.toml");
    let table = Table::load(&path).expect("a good table");
    assert!(table.rows.len() >= 2);
    for row in &table.rows {
        let scenario: PathBuf = table.folder().join(&row.scenario);
        let set = row.set.iter().flat_map(|set| ["--set", set]);
        let arguments: Vec<&str> = ["check", text(&scenario)].into_iter().chain(set).collect();
        let ended = firstspike(project(), &arguments);
        if ended.stderr.contains("get it with `firstspike data fetch") {
            eprintln!("{}: its data set is not here, so it is not checked any further", row.name);
            continue;
        }
        assert_eq!(ended.code, Some(0), "{}: {}", row.name, ended.stderr);
        assert!(ended.stdout.contains("[training]"), "{}: it does not train", row.name);
    }
}
