//! A guard that outlives us: if this process is killed, what it has started is ended all the same.
//!
//! Nothing of ours runs after a `kill -9`, but the system closes our pipes. A shell waits for that, and ends
//! its process group, to which the program belongs. A program that reads its input has noticed by itself and
//! has two seconds.
//!
//! The guard also keeps the group's number: as long as we have not reaped it, no other group gets that.

use std::io;
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

/// Reads until the end of the input, which is ours.
const SCRIPT: &str = "while read -r line; do :; done; sleep 2; kill -s KILL 0";

/// A shell that waits for our end, the first of a process group.
#[derive(Debug)]
pub(super) struct Guard {
    shell: Child,
    has_ended: bool,
}

impl Guard {
    /// Starts a guard.
    ///
    /// # Errors
    /// If there is no shell.
    pub fn start() -> io::Result<Self> {
        let mut command = Command::new("sh");
        command.args(["-c", SCRIPT]).current_dir("/");
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let shell = command.spawn().map_err(|error| {
            let message = format!("`sh`, which ends it if this process is killed: {error}");
            io::Error::new(error.kind(), message)
        })?;
        Ok(Guard { shell, has_ended: false })
    }

    /// The number of its process group.
    pub fn group(&self) -> i32 {
        self.shell.id().cast_signed()
    }

    /// Ends every process of the group.
    pub fn end_group(&mut self) {
        if !self.has_ended {
            let _ = killpg(Pid::from_raw(self.group()), Signal::SIGKILL);
            // It closes the pipe first, so that this takes no time even if the signal was not sent.
            let _ = self.shell.wait();
            self.has_ended = true;
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.end_group();
    }
}
