//! Where the spikes of a recording stand in its file.

/// Line of each spike, as runs: nearly all traces have one spike per line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LineNumbers {
    /// First spike of each run and its line.
    runs: Vec<(usize, u64)>,
}

impl LineNumbers {
    /// Line of a spike, from 1; none if the recording is not from a file.
    pub fn of(&self, spike: usize) -> Option<u64> {
        let run = self.runs.partition_point(|&(first, _)| first <= spike).checked_sub(1)?;
        let (first, line) = self.runs[run];
        Some(line + (spike - first) as u64)
    }

    /// Adds the spike after the last.
    pub(in crate::trace) fn push(&mut self, spike: usize, line: u64) {
        let follows = self.runs.last().map(|&(first, from)| from + (spike - first) as u64);
        if follows != Some(line) {
            self.runs.push((spike, line));
        }
    }

    /// Adds the lines of spikes that come after `before` others.
    pub(super) fn append(&mut self, before: usize, more: &LineNumbers) {
        for &(spike, line) in &more.runs {
            self.push(before + spike, line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_those_that_were_added() {
        let expected = [2, 3, 4, 7, 9, 10];
        let (mut one, mut other) = (LineNumbers::default(), LineNumbers::default());
        expected[..2].iter().enumerate().for_each(|(spike, &line)| one.push(spike, line));
        expected[2..].iter().enumerate().for_each(|(spike, &line)| other.push(spike, line));
        one.append(2, &other);
        assert_eq!(one.runs.len(), 3);
        let found = (0..expected.len()).map(|spike| one.of(spike).expect("known"));
        assert_eq!(found.collect::<Vec<_>>(), expected);
        assert_eq!(LineNumbers::default().of(0), None);
    }
}
