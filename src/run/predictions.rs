//! What a network decides, as a table with a row per sample.

use std::io::{self, Write};

use crate::learning::Verdict;

/// Name of the file with the decisions on a run's test set.
pub(super) const FILE: &str = "predictions.csv";

/// The decision for one sample.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// What was decided; none if no label neuron spiked.
    pub verdict: Option<Verdict>,
    /// The true class, if it is known.
    pub label: Option<usize>,
    /// First spike of each label neuron, in time units, infinite if it was silent; empty if not asked for.
    pub label_times: Vec<f64>,
}

/// Decisions for a number of samples, in their order.
#[derive(Clone, Debug, PartialEq)]
pub struct Predictions {
    /// Names of the classes.
    pub class_names: Vec<String>,
    /// The unit of times, as in the names of files' columns.
    pub time_unit: String,
    /// One per sample.
    pub rows: Vec<Prediction>,
}

impl Predictions {
    /// Writes a CSV file: `sample` (from 0), `class` (its name), `time_<unit>` of the decision,
    /// `margin_<unit>` to the next best class (`inf` if no other label neuron spiked), `label` if labels are known,
    /// and if they were asked for `time_<unit>_<class>` for each class (empty if its neuron was silent). Class, time and
    /// margin are empty if no label neuron spiked.
    ///
    /// # Errors
    /// If writing fails.
    pub fn write(&self, output: &mut impl Write) -> io::Result<()> {
        let unit = &self.time_unit;
        let mut writer = csv::Writer::from_writer(output);
        let mut heading = vec![
            "sample".to_owned(),
            "class".to_owned(),
            format!("time_{unit}"),
            format!("margin_{unit}"),
        ];
        let has = |test: fn(&Prediction) -> bool| self.rows.iter().any(test);
        let (labels, times) =
            (has(|row| row.label.is_some()), has(|row| !row.label_times.is_empty()));
        if labels {
            heading.push("label".to_owned());
        }
        if times {
            heading.extend(self.class_names.iter().map(|name| format!("time_{unit}_{name}")));
        }
        writer.write_record(&heading)?;
        let name =
            |class: Option<usize>| class.map_or("", |class| self.class_names[class].as_str());
        for (sample, Prediction { verdict, label, label_times }) in self.rows.iter().enumerate() {
            let number = |value: Option<f64>| value.map_or_else(String::new, |it| it.to_string());
            let mut row = vec![
                sample.to_string(),
                name(verdict.map(|verdict| verdict.class)).to_owned(),
                number(verdict.map(|verdict| verdict.time)),
                number(verdict.map(|verdict| verdict.margin)),
            ];
            if labels {
                row.push(name(*label).to_owned());
            }
            if times {
                row.extend(
                    label_times.iter().map(|time| number(Some(*time).filter(|it| it.is_finite()))),
                );
            }
            writer.write_record(&row)?;
        }
        writer.flush()
    }

    /// Per true class: how many samples were decided to be each class, and last how many were not decided. Samples
    /// without a label do not count.
    pub fn confusion(&self) -> Vec<Vec<u64>> {
        let classes = self.class_names.len();
        let mut confusion = vec![vec![0; classes + 1]; classes];
        for row in &self.rows {
            if let Some(label) = row.label {
                confusion[label][row.verdict.map_or(classes, |verdict| verdict.class)] += 1;
            }
        }
        confusion
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_empty_and_names_are_quoted() {
        let verdict = Some(Verdict { class: 1, time: 0.5, margin: f64::INFINITY });
        let row = |verdict, label, times: &[f64]| Prediction {
            verdict,
            label,
            label_times: times.to_vec(),
        };
        let mut predictions = Predictions {
            class_names: vec!["a".to_owned(), "b, c".to_owned()],
            time_unit: "ms".to_owned(),
            rows: vec![
                row(verdict, Some(0), &[f64::INFINITY, 0.5]),
                row(None, Some(1), &[f64::INFINITY; 2]),
            ],
        };
        let text = |predictions: &Predictions| {
            let mut bytes = Vec::new();
            predictions.write(&mut bytes).expect("memory");
            String::from_utf8(bytes).expect("UTF-8")
        };
        assert_eq!(
            text(&predictions),
            "sample,class,time_ms,margin_ms,label,time_ms_a,\"time_ms_b, c\"\n\
             0,\"b, c\",0.5,inf,a,,0.5\n1,,,,\"b, c\",,\n"
        );
        assert_eq!(predictions.confusion(), [[0, 1, 0], [0, 0, 1]]);
        for row in &mut predictions.rows {
            (row.label, row.label_times) = (None, Vec::new());
        }
        assert_eq!(
            text(&predictions),
            "sample,class,time_ms,margin_ms\n0,\"b, c\",0.5,inf\n1,,,\n"
        );
    }
}
