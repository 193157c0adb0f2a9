//! The report of an evaluation: how a trained network does on samples that have labels.

use super::training::{Neurons, TestRecord};
use super::{count, engine_note, facts, percent, quantity};
use crate::report::html::{Content, Headline, ReportData};
use crate::run::EngineSummary;
use crate::scenario::LoadedScenario;

impl TestRecord<'_> {
    /// The report on samples that are called so.
    pub fn evaluation(
        &self,
        loaded: &LoadedScenario,
        neurons: &Neurons<'_>,
        samples: &str,
        engine: &EngineSummary,
        seconds: f64,
    ) -> ReportData {
        let content = self.content(neurons);
        let unit = loaded.scenario.time_unit.symbol();
        let sum = |of: &dyn Fn(usize, &[u64]) -> u64| -> u64 {
            content.confusion.iter().enumerate().map(|(class, row)| of(class, row)).sum()
        };
        let all = sum(&|_, row| row.iter().sum());
        let correct = sum(&|class, row| row[class]);
        let undecided = sum(&|_, row| row.last().copied().unwrap_or(0));
        let share = |part: u64| part as f64 / all as f64;
        let shown = count(all as usize, "sample");
        ReportData {
            title: loaded.scenario.name.clone(),
            subtitle: format!(
                "Evaluation of a trained network on {samples} · firstspike {}",
                env!("CARGO_PKG_VERSION")
            ),
            headline: vec![
                Headline::with_detail(
                    "Accuracy",
                    percent(share(correct), 2),
                    format!("{correct} of {shown}"),
                ),
                Headline::with_detail(
                    "Time to decision",
                    quantity(self.mean_decision_time(), unit),
                    format!("{} undecided", percent(share(undecided), 2)),
                ),
            ],
            notes: engine_note(engine).into_iter().collect(),
            facts: facts(loaded, Some(format!("{samples}: {shown}")), engine, (seconds, None)),
            scenario: super::scenario(loaded),
            time_unit: unit.to_owned(),
            content: Content::Training(Box::new(content)),
        }
    }
}
