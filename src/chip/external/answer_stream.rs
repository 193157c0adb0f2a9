//! The lines of one answer on a stream, up to the line that ends it.

use std::io::{self, Read};
use std::time::{Duration, Instant};

use super::answer::shortened;
use super::process::{GRACE, LONGEST_LINE, NoLine, Process};
use crate::chip::{AnswerProblem, ProgramFailure};

/// An answer, as far as it has come.
pub(super) struct AnswerStream<'p> {
    process: &'p mut Process,
    deadline: Instant,
    /// Number of the batch, which the last line repeats.
    batch: u64,
    line: Vec<u8>,
    /// How much of the line has been read.
    taken: usize,
    /// Lines until now.
    lines: usize,
    state: State,
}

enum State {
    Open,
    /// The last line has come.
    Complete,
    NoLine(NoLine),
    /// The last line is for another batch.
    OtherBatch(String),
    /// A line without an end, behind which the output was closed.
    CutOff(String),
    /// A line that is too long to be one of an answer.
    TooLong,
}

impl<'p> AnswerStream<'p> {
    pub fn new(process: &'p mut Process, deadline: Instant, batch: u64) -> Self {
        let line = Vec::new();
        AnswerStream { process, deadline, batch, line, taken: 0, lines: 0, state: State::Open }
    }

    /// Takes the next line of the answer.
    fn advance(&mut self) {
        let line = match self.process.line(self.deadline) {
            Ok(line) => line,
            Err(reason) => {
                self.state = State::NoLine(reason);
                return;
            }
        };
        let text = line.trim_ascii();
        if text == b"end" || text.starts_with(b"end,") {
            let text = String::from_utf8_lossy(text);
            let number = text.split_once(',').map(|(_, number)| number.trim());
            self.state = match number {
                Some(number) if number == self.batch.to_string() => State::Complete,
                _ => State::OtherBatch(shortened(&text)),
            };
        } else if line.len() as u64 == LONGEST_LINE {
            self.state = State::TooLong;
        } else if !line.ends_with(b"\n") {
            self.state = State::CutOff(shortened(&String::from_utf8_lossy(&line)));
        } else {
            self.lines += 1;
            (self.line, self.taken) = (line, 0);
        }
    }

    /// Why the answer has no end.
    pub fn failure(self, timeout: Duration) -> ProgramFailure {
        let lines = self.lines;
        match self.state {
            State::NoLine(NoLine::TimedOut) => {
                ProgramFailure::TimedOut { seconds: timeout.as_secs_f64(), lines }
            }
            State::OtherBatch(line) => {
                let problem = AnswerProblem::OtherBatch { line, batch: self.batch };
                ProgramFailure::Answer { problem }
            }
            State::CutOff(line) => {
                ProgramFailure::Answer { problem: AnswerProblem::CutOff { line } }
            }
            State::TooLong => ProgramFailure::LongLine { bytes: LONGEST_LINE, lines },
            State::Open | State::Complete | State::NoLine(NoLine::Closed) => {
                match self.process.wait_until(Instant::now() + GRACE) {
                    Some(status) => ProgramFailure::EndedEarly { status, lines },
                    None => ProgramFailure::ClosedOutput { lines },
                }
            }
        }
    }
}

impl Read for AnswerStream<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.taken == self.line.len() && matches!(self.state, State::Open) {
            self.advance();
        }
        match self.state {
            State::Open => {
                let count = buffer.len().min(self.line.len() - self.taken);
                buffer[..count].copy_from_slice(&self.line[self.taken..self.taken + count]);
                self.taken += count;
                Ok(count)
            }
            State::Complete => Ok(0),
            // The state tells more than this error does.
            _ => Err(io::Error::other("the answer has no end")),
        }
    }
}
