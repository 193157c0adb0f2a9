//! A program that runs beside us, with threads that keep its streams from blocking.
//!
//! Three threads wait in our place: one writes what the program should read, one takes the lines that it
//! writes, one takes its error output and remembers the end. We only ever wait for a line, with a
//! deadline. The program has a process group of its own: Ctrl-C in the terminal reaches us alone, so that
//! a run ends in its own time, and when the program has ended or must go, so does whatever it started. What
//! holds its streams open beyond its end has [`GRACE`] to write the rest of an answer.

use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::answer::shortened;
#[cfg(unix)]
use super::guard::Guard;

/// No line of an answer is as long as this, in bytes. Longer ones come in pieces.
pub(super) const LONGEST_LINE: u64 = 1 << 16;

/// How many lines may wait for us. A program that writes faster than that has to wait itself.
const WAITING_LINES: usize = 4096;

/// How much of the error output is remembered, in bytes, and how many lines of it are shown.
const REMEMBERED: usize = 4096;
const SHOWN_LINES: usize = 12;

/// How long a program may take to end once its input is closed, or its output is; and how long what it
/// started may write on once it has ended.
pub(super) const GRACE: Duration = Duration::from_secs(2);

/// How often we look whether the program still runs while we wait for a line.
const LOOK: Duration = Duration::from_millis(50);

/// A program that runs.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    /// To the thread that writes to the program. None once nothing more will be written.
    input: Option<Sender<Vec<u8>>>,
    /// The lines that the program writes, with their ends.
    lines: Option<Receiver<Vec<u8>>>,
    /// What it wrote last to its error output, and the thread that reads on.
    last_words: Arc<Mutex<Vec<u8>>>,
    listener: Option<JoinHandle<()>>,
    /// How it ended.
    status: Option<ExitStatus>,
    /// When it was first seen to have ended.
    seen_ended: Option<Instant>,
    #[cfg(unix)]
    guard: Guard,
}

/// Why no line comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoLine {
    TimedOut,
    /// The program has closed its output: it has ended or is about to.
    Closed,
}

impl Process {
    /// Starts a program that is told and answers over its standard streams.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn streaming(command: &[String], folder: &Path) -> io::Result<Self> {
        let mut process = Self::start(command, &[], folder, Stdio::piped)?;
        if let Some(stdin) = process.child.stdin.take() {
            let (sender, receiver) = channel();
            thread::spawn(move || write_all(stdin, &receiver));
            process.input = Some(sender);
        }
        if let Some(stdout) = process.child.stdout.take() {
            let (sender, receiver) = sync_channel(WAITING_LINES);
            thread::spawn(move || take_lines(stdout, &sender));
            process.lines = Some(receiver);
        }
        Ok(process)
    }

    /// Starts a program that reads and writes files. Its standard output goes nowhere.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn with_files(
        command: &[String],
        arguments: &[OsString],
        folder: &Path,
    ) -> io::Result<Self> {
        Self::start(command, arguments, folder, Stdio::null)
    }

    fn start(
        command: &[String],
        arguments: &[OsString],
        folder: &Path,
        streams: fn() -> Stdio,
    ) -> io::Result<Self> {
        let mut builder = Command::new(program(&command[0], folder));
        builder.args(&command[1..]).args(arguments).current_dir(folder);
        builder.stdin(streams()).stdout(streams()).stderr(Stdio::piped());
        #[cfg(unix)]
        let guard = Guard::start()?;
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut builder, guard.group());
        let mut child = builder.spawn()?;
        let last_words = Arc::new(Mutex::new(Vec::new()));
        let listener = child.stderr.take().map(|stderr| {
            let last_words = Arc::clone(&last_words);
            thread::spawn(move || listen(stderr, &last_words))
        });
        Ok(Process {
            child,
            input: None,
            lines: None,
            last_words,
            listener,
            status: None,
            seen_ended: None,
            #[cfg(unix)]
            guard,
        })
    }

    /// Has a text written to the program, whenever it reads. One that has ended shows when it is
    /// asked for an answer.
    pub fn send(&self, text: String) {
        if let Some(input) = &self.input {
            // The thread has gone if the program takes no more.
            let _ = input.send(text.into_bytes());
        }
    }

    /// A line that came without being asked for.
    pub fn unasked(&self) -> Option<String> {
        let line = self.lines.as_ref()?.try_recv().ok()?;
        Some(shortened(String::from_utf8_lossy(&line).trim_end()))
    }

    /// The next line that the program writes.
    pub fn line(&mut self, deadline: Instant) -> Result<Vec<u8>, NoLine> {
        loop {
            let Some(lines) = &self.lines else { return Err(NoLine::Closed) };
            let now = Instant::now();
            // A program that writes without pause would otherwise never be late.
            if now >= deadline {
                return Err(NoLine::TimedOut);
            }
            match lines.recv_timeout(LOOK.min(deadline - now)) {
                Ok(line) => return Ok(line),
                Err(RecvTimeoutError::Disconnected) => return Err(NoLine::Closed),
                Err(RecvTimeoutError::Timeout) => {}
            }
            // Something that it started holds its output open.
            if self.has_ended() && *self.seen_ended.get_or_insert(now) + GRACE <= now {
                return Err(NoLine::Closed);
            }
        }
    }

    /// Waits for the program's end, if it comes in time. What it leaves running is ended.
    pub fn wait_until(&mut self, deadline: Instant) -> Option<ExitStatus> {
        let mut pause = Duration::from_micros(200);
        loop {
            if self.has_ended() {
                self.kill_group();
                return self.status;
            }
            let remaining = deadline.saturating_duration_since(Instant::now());
            if remaining.is_zero() {
                return None;
            }
            thread::sleep(pause.min(remaining));
            pause = (pause * 2).min(Duration::from_millis(20));
        }
    }

    /// Ends the program, at once if it has not ended, and returns the last lines of its error output.
    pub fn kill(mut self) -> String {
        self.end(Duration::ZERO);
        // What it wrote may still be on its way to us.
        let deadline = Instant::now() + Duration::from_millis(500);
        while self.listener.as_ref().is_some_and(|listener| !listener.is_finished())
            && Instant::now() < deadline
        {
            thread::sleep(Duration::from_millis(1));
        }
        let last_words = self.last_words.lock().unwrap_or_else(PoisonError::into_inner);
        let text = String::from_utf8_lossy(&last_words);
        let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        lines[lines.len().saturating_sub(SHOWN_LINES)..].join("\n")
    }

    /// Closes the program's input, and ends it if it goes on for longer.
    fn end(&mut self, grace: Duration) {
        self.input = None;
        self.lines = None;
        if self.wait_until(Instant::now() + grace).is_none() {
            self.kill_group();
            // Reaps it. That takes no time, unless a driver of the system holds it.
            let _ = self.wait_until(Instant::now() + GRACE);
        }
    }

    /// Whether the program has ended; what it started may still run.
    pub fn has_ended(&mut self) -> bool {
        if self.status.is_none() {
            self.status = self.child.try_wait().ok().flatten();
        }
        self.status.is_some()
    }

    /// Ends the program and whatever it started.
    fn kill_group(&mut self) {
        #[cfg(unix)]
        self.guard.end_group();
        let _ = self.child.kill();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end(GRACE);
    }
}

/// Where the program is: one with a folder in its name is meant from the working directory.
fn program(name: &str, folder: &Path) -> PathBuf {
    let path = Path::new(name);
    if path.components().count() > 1 { folder.join(path) } else { path.to_owned() }
}

fn write_all(mut stdin: ChildStdin, texts: &Receiver<Vec<u8>>) {
    for text in texts {
        if stdin.write_all(&text).and_then(|()| stdin.flush()).is_err() {
            return;
        }
    }
}

fn take_lines(stdout: ChildStdout, lines: &SyncSender<Vec<u8>>) {
    let mut reader = BufReader::new(stdout);
    loop {
        let mut line = Vec::new();
        match (&mut reader).take(LONGEST_LINE).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) => {
                if lines.send(line).is_err() {
                    return;
                }
            }
        }
    }
}

fn listen(mut stderr: ChildStderr, last_words: &Mutex<Vec<u8>>) {
    let mut buffer = [0; 4096];
    loop {
        match stderr.read(&mut buffer) {
            Ok(0) => return,
            Ok(count) => {
                let mut last_words = last_words.lock().unwrap_or_else(PoisonError::into_inner);
                last_words.extend_from_slice(&buffer[..count]);
                let excess = last_words.len().saturating_sub(REMEMBERED);
                last_words.drain(..excess);
            }
            Err(problem) if problem.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}
