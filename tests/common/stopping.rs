//! Stops the real binary in the middle of its work, and compares what it left.

use std::io::{BufRead, BufReader};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use nix::sys::signal::{Signal, kill};
use nix::sys::socket::{setsockopt, sockopt};
use nix::unistd::Pid;

use super::binary::{command, files, json, timeless};

/// Starts a run and sends it a signal once it has said a line that is the cue. Returns how it ended
/// and what it said.
///
/// However the processes are scheduled, the run is still near the cue when the signal comes: what it
/// says goes through a socket that holds hardly a line, and is read byte by byte, so it waits for its
/// reader.
pub fn signal(
    folder: &Path,
    arguments: &[String],
    mut is_cue: impl FnMut(&str) -> bool,
    signal: Signal,
) -> (Option<i32>, Vec<String>) {
    let (reader, writer) = UnixStream::pair().expect("a socket");
    // The system makes that its smallest size.
    setsockopt(&writer, sockopt::SndBuf, &1024).expect("a size");
    let mut child = command()
        .args(arguments)
        .current_dir(folder)
        .stdout(Stdio::null())
        .stderr(OwnedFd::from(writer))
        .spawn()
        .expect("the binary starts");
    let mut lines = BufReader::with_capacity(1, reader).lines().map(|line| line.expect("UTF-8"));
    let mut said = Vec::new();
    loop {
        let line = lines.next().unwrap_or_else(|| panic!("the cue never came: {said:?}"));
        let there = is_cue(&line);
        said.push(line);
        if there {
            break;
        }
    }
    kill(Pid::from_raw(child.id() as i32), signal).expect("it still runs");
    said.extend(lines);
    (child.wait().expect("a child").code(), said)
}

/// What a run left, without what tells the time.
pub fn results(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    files(folder)
        .into_iter()
        .map(|(path, bytes)| {
            let name = path.strip_prefix(folder).expect("in it").to_owned();
            if !name.ends_with("summary.json") {
                return (name, timeless(&path, bytes));
            }
            let mut summary = json(&path);
            let entries = summary.as_object_mut().expect("a table");
            entries.remove("seconds").expect("the time of the run");
            // Where there are epochs of their own time, and threads.
            entries.remove("seconds_per_epoch");
            entries.remove("threads");
            (name, summary.to_string().into_bytes())
        })
        .collect()
}

/// Two runs left the same bytes, but for what tells the time.
pub fn assert_same(one: &Path, other: &Path) {
    let (one, other) = (results(one), results(other));
    let names = |results: &[(PathBuf, Vec<u8>)]| -> Vec<PathBuf> {
        results.iter().map(|(name, _)| name.clone()).collect()
    };
    assert_eq!(names(&one), names(&other));
    for ((name, one), (_, other)) in one.iter().zip(&other) {
        assert!(one == other, "{} differs", name.display());
    }
}
