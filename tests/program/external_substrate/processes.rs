//! What programs start and leave behind, several programs at once, and programs that we leave behind.

use std::path::Path;

use firstspike::chip::{Exchange, ExternalSubstrate, Presented, Substrate};
use firstspike::engine::{SourceSpike, Spike};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::failing_programs::{HEADING, NEVER, READ, assert_contains, error, runs, show, small};
use super::{program, settings};
use crate::common::binary::{command, tiny_training};
use crate::common::waiting::wait_for;

/// Starts something that would run on, and notes its number.
fn leave_running(file: &Path) -> String {
    format!("sleep 600 & echo $! > '{}'", file.display())
}

/// The number that a script has noted.
fn noted(file: &Path) -> Option<String> {
    let text = std::fs::read_to_string(file).ok()?;
    text.ends_with('\n').then(|| text.trim().to_owned())
}

fn wait_for_end(number: &str) {
    wait_for(|| (!runs(number)).then_some(()), || format!("process {number} still runs"));
}

#[test]
fn what_a_program_leaves_running_ends_with_it() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("number");
    let exchange = Exchange::Files { folder: folder.path().to_owned() };
    let script = format!("{}; ({HEADING} echo 1,label,1,0.75) > $4", leave_running(&file));
    let (answer, _substrate) = show(&script, exchange, NEVER);
    assert_eq!(answer.expect("an answer"), [vec![], vec![Spike { node: 2, time: 0.75 }]]);
    wait_for_end(&noted(&file).expect("the script got that far"));
}

#[test]
fn streams_that_outlive_their_program_hold_up_nobody() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("number");
    // Before it is asked, and in the midst of an answer. What it left has its output open.
    for (script, expected) in [
        (format!("{}; exit 5", leave_running(&file)), "ended with exit code 5 without an answer"),
        (
            format!("{READ}{}; {HEADING} exit 6", leave_running(&file)),
            "ended with exit code 6 after 1 line of its answer",
        ),
    ] {
        assert_contains(&error(&script), &[expected]);
        wait_for_end(&noted(&file).expect("the script got that far"));
    }
}

#[test]
fn substrates_side_by_side_have_folders_of_their_own() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let place = folder.path().join("exchange");
    // Answers with the time of the first input spike, and so with what it was shown.
    let script =
        format!("time=$(sed -n 2p $3 | cut -d, -f4); ({HEADING} echo 0,label,0,$time) > $4");
    let network = small();
    let start = || {
        let exchange = Exchange::Files { folder: place.clone() };
        let settings = settings(&["sh", "-c", &script, "sh"], exchange, NEVER);
        let substrate = ExternalSubstrate::new(&network, settings, &std::env::temp_dir());
        let mut substrate = substrate.expect("a folder");
        program(&mut substrate, &network);
        substrate
    };
    let show = |substrate: &mut ExternalSubstrate, time: f64| {
        let stimulus = vec![SourceSpike { time, source: 0 }];
        let answer = substrate.present(&[Presented { stimulus, ..Presented::default() }]);
        assert_eq!(answer.expect("an answer"), [vec![Spike { node: 1, time }]]);
    };
    let (mut one, mut other) = (start(), start());
    std::thread::scope(|scope| {
        scope.spawn(|| (1..20).for_each(|time| show(&mut one, f64::from(time))));
        scope.spawn(|| (21..40).for_each(|time| show(&mut other, f64::from(time))));
    });
    assert!(folder.path().join("exchange_2/spikes.csv").is_file());
    drop(one);
    show(&mut start(), 0.5);
    assert!(!folder.path().join("exchange_3").exists(), "the first is free again");
}

#[test]
fn a_folder_that_is_a_link_is_not_followed() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (aim, link) = (folder.path().join("aim"), folder.path().join("link"));
    std::fs::create_dir(&aim).expect("writable");
    std::fs::write(aim.join("weights.csv"), "mine").expect("writable");
    std::os::unix::fs::symlink(&aim, &link).expect("a link");
    let settings = settings(&["true"], Exchange::Files { folder: link }, NEVER);
    let refused = ExternalSubstrate::new(&small(), settings, Path::new("/"));
    assert_contains(&refused.expect_err("a link").to_string(), &["link: it is a symbolic link"]);
    assert_eq!(std::fs::read_dir(&aim).expect("there").count(), 1);
}

#[test]
fn a_run_that_is_killed_leaves_no_program_behind() {
    for exchange in ["streams", "files"] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("number");
        // It does not notice that its input is closed, nor answers.
        let script = format!("echo $$ > '{}'; while :; do sleep 1; done", file.display());
        let substrate = format!(
            "[substrate]\ncommand = ['sh', '-c', {script:?}]\nexchange = '{exchange}'\ntimeout = 1e6\n"
        );
        let scenario = tiny_training("", [60, 30, 30], 1) + &substrate;
        std::fs::write(folder.path().join("hanging.toml"), scenario).expect("writable");
        let mut run = command()
            .args(["run", "hanging.toml", "--out", "out", "--quiet"])
            .current_dir(folder.path())
            .spawn()
            .expect("the binary starts");
        let number = wait_for(|| noted(&file), || "the program does not begin".to_owned());
        assert!(runs(&number));
        kill(Pid::from_raw(run.id().cast_signed()), Signal::SIGKILL).expect("it still runs");
        run.wait().expect("a child");
        wait_for_end(&number);
    }
}
