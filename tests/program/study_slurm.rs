//! The job array of `docs/slurm.sh`, without Slurm: its variables are set here.

use std::path::Path;
use std::process::{Command, Output};

use crate::common::binary::{command, project, read, successful, text};
use crate::study::{STUDY, folder};

/// Runs the script as Slurm would, with these variables.
fn task(place: &Path, variables: &[(&str, &str)]) -> Output {
    let program = command();
    let folder = Path::new(program.get_program()).parent().expect("a folder").to_owned();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths([folder].into_iter().chain(std::env::split_paths(&path)));
    Command::new("sh")
        .arg(project().join("docs/slurm.sh"))
        .args(["study.toml", "array"])
        .current_dir(place)
        .env_remove("SLURM_ARRAY_TASK_ID")
        .env_remove("SHARDS")
        .env("PATH", path.expect("folders without colons"))
        .envs(variables.iter().copied())
        .output()
        .expect("there is a shell")
}

#[test]
fn the_tasks_of_a_job_array_do_the_whole_study() {
    let place = folder(STUDY);
    let place = place.path();
    successful(place, &["run", "study.toml", "--out", "whole"]);
    let cpus = ("SLURM_CPUS_PER_TASK", "2");
    for id in ["1", "2", "3"] {
        let mut variables = vec![("SLURM_ARRAY_TASK_ID", id), cpus];
        // The last is submitted again, by itself.
        variables.extend(match id {
            "3" => [("SLURM_ARRAY_TASK_COUNT", "1"), ("SHARDS", "3")].as_slice(),
            _ => &[("SLURM_ARRAY_TASK_COUNT", "3")],
        });
        let output = task(place, &variables);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{stderr}");
        assert_eq!(stderr.lines().filter(|line| line.starts_with('[')).count(), 4, "{stderr}");
    }
    let parts = ["1", "2", "3"].map(|id| place.join(format!("array/results_{id}_of_3.csv")));
    let parts = parts.each_ref().map(|part| text(part));
    let merge = [&["study", "merge"], &parts[..], &["--out", "array/results.csv"]].concat();
    successful(place, &merge);
    let last = successful(place, &["run", "study.toml", "--out", "array"]);
    assert!(!last.stderr.lines().any(|line| line.starts_with('[')), "{}", last.stderr);
    for file in ["results.csv", "study.svg", "tolerance.csv"] {
        let (array, whole) = (place.join("array").join(file), place.join("whole").join(file));
        assert!(read(&array) == read(&whole), "{file}");
    }
}

#[test]
fn a_task_without_an_array_is_told_so() {
    let place = folder(STUDY);
    let output = task(place.path(), &[]);
    assert!(!output.status.success());
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("this is a job array: sbatch --array=1-16"), "{stderr}");
}
