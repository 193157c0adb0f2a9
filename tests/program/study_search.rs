//! Random search within a budget of trainings, and the best point of a study.

use crate::common;

use common::binary::{firstspike, read, rows, successful};

use crate::study::folder;

const SEARCH: &str = r#"
[study]
base = "tiny.toml"
set = ["training.batch_size=50", "training.epochs=2"]
seeds = 2
budget = 11

[[axes]]
name = "rate"
key = "training.optimiser.adam.learning_rate"
random = { from = 1e-4, to = 1e-1, logarithmic = true }

[[axes]]
name = "hidden"
key = "layers.0.size"
random = { from = 5, to = 20, whole = true }

[[axes]]
name = "silent"
key = "training.silent_neurons"
values = ["auto", false]
"#;

#[test]
fn a_search_trains_as_many_points_as_its_budget_allows_and_names_the_best() {
    let place = folder(SEARCH);
    let path = place.path();
    let plan = successful(path, &["run", "study.toml", "--dry-run"]).stdout;
    let points: Vec<&str> = plan.lines().filter(|line| line.starts_with("rate = ")).collect();
    assert_eq!(points.len(), 5, "{plan}");
    assert!(plan.contains("5 points, 2 seeds, 1 variant: 10 trainings"), "{plan}");
    assert_eq!(plan.lines().take(5).collect::<Vec<_>>(), points);
    let check = successful(path, &["check", "study.toml"]);
    assert!(check.stderr.contains("5 points, 2 seeds"), "{}", check.stderr);

    successful(path, &["run", "study.toml", "--quiet"]);
    let found = rows(&path.join("traces/study/results.csv"));
    assert_eq!(found.len(), 10);
    let number = |row: &csv::StringRecord, column: usize| -> f64 {
        row[column].parse().unwrap_or_else(|_| panic!("{row:?}"))
    };
    for row in &found {
        assert!((1e-4..=1e-1).contains(&number(row, 2)), "{row:?}");
        let size = number(row, 3);
        assert!((5.0..=20.0).contains(&size) && size.fract() == 0.0, "{row:?}");
        assert!(["auto", "false"].contains(&&row[4]), "{row:?}");
    }

    // The best by the mean validation accuracy of its two seeds, recomputed from the table.
    let mean =
        |rows: &[csv::StringRecord]| rows.iter().map(|row| number(row, 8)).sum::<f64>() / 2.0;
    let best = found.chunks(2).map(mean).fold(0.0, f64::max);
    let ended = successful(path, &["study", "best", "study.toml"]);
    let first = ended.stdout.lines().next().expect("a line");
    assert!(first.starts_with(&format!("  1. validation {:.2} ± ", 100.0 * best)), "{first}");
    assert!(first.contains("test ") && first.contains("rate = "), "{first}");
    assert!(ended.stdout.contains("of 5 points with all seeds"), "{}", ended.stdout);
    let point = found.chunks(2).find(|rows| mean(rows) == best).expect("one of them");
    let text = String::from_utf8(read(&path.join("traces/study/best.toml"))).expect("UTF-8");
    assert!(text.contains(&format!("learning_rate = {}", &point[0][2])), "{text}");
    assert!(text.contains(&format!("size = {}\n", &point[0][3])), "{text}");

    // Its scenario trains what the study trained.
    let run = ["run", "traces/study/best.toml", "--out", "best", "--quiet"];
    successful(path, &run);
    let summary = common::binary::json(&path.join("best/summary.json"));
    assert_eq!(summary["validation_accuracy"].as_f64(), Some(number(&point[0], 8)));

    // Again it is the same; what is someone else's is not replaced.
    successful(path, &["study", "best", "study.toml"]);
    let mine = firstspike(path, &["study", "best", "study.toml", "--out", "tiny.toml"]);
    assert_eq!(mine.code, Some(3), "{}", mine.stderr);
    assert!(mine.stderr.contains("another --out"), "{}", mine.stderr);
}

#[test]
fn a_larger_budget_goes_on_with_the_same_points() {
    let plan = |study: &str| {
        let place = folder(study);
        let printed = successful(place.path(), &["run", "study.toml", "--dry-run"]).stdout;
        let points = printed.lines().filter(|line| line.starts_with("rate = "));
        points.map(str::to_owned).collect::<Vec<_>>()
    };
    let (few, many) = (plan(SEARCH), plan(&SEARCH.replace("budget = 11", "budget = 40")));
    assert_eq!(many.len(), 20);
    assert_eq!(few[..], many[..5]);
    let other = plan(&SEARCH.replace("budget = 11", "budget = 11\ndraw_seed = 2"));
    assert_ne!(few, other);
}

#[test]
fn what_a_search_cannot_be_is_refused_with_its_line() {
    for (from, to, message) in [
        ("budget = 11\n", "", "study.toml:10: axes.0.random: how many values? Give study.budget"),
        ("budget = 11", "budget = 1", "study.toml:6: study.budget: 1 must be from 2"),
        ("from = 1e-4", "from = 0", "axes.0.random.from: 0 must be above 0 if logarithmic"),
        ("from = 5", "from = 5.5", "axes.1.random.whole: from 5.5 to 20: must be whole numbers"),
        ("budget = 11", "budget = 11\ncombine = \"paired\"", "study.combine: a search"),
        ("values = [\"auto\", false]", "values = [false]\nideal = false", "axes.2.ideal: a search"),
    ] {
        assert!(SEARCH.contains(from), "{from}");
        let place = folder(&SEARCH.replacen(from, to, 1));
        let ended = firstspike(place.path(), &["run", "study.toml"]);
        assert_eq!(ended.code, Some(2), "{to}: {}", ended.stderr);
        assert!(ended.stderr.contains(message), "{message}: {}", ended.stderr);
    }
    let place = folder(SEARCH);
    let early = firstspike(place.path(), &["study", "best", "study.toml"]);
    assert_eq!(early.code, Some(2));
    assert!(early.stderr.contains("traces/study/results.csv"), "{}", early.stderr);
}
