//! Options that say which columns of a trace are which.

use clap::Args;

use crate::trace::recording::ColumnNames;

/// Names or numbers of columns, where they are not recognised.
#[derive(Debug, Args)]
#[command(
    next_help_heading = "Columns of the trace (recognised from their names; else a name, or a number from 1)"
)]
pub(super) struct ColumnArguments {
    /// The column of the times.
    #[arg(long, value_name = "COLUMN")]
    time_column: Option<String>,
    /// The column of the neurons.
    #[arg(long, value_name = "COLUMN")]
    neuron_column: Option<String>,
    /// The column of the populations.
    #[arg(long, value_name = "COLUMN")]
    population_column: Option<String>,
    /// The column of the samples.
    #[arg(long, value_name = "COLUMN")]
    sample_column: Option<String>,
}

impl ColumnArguments {
    pub fn names(&self) -> ColumnNames {
        ColumnNames {
            time: self.time_column.clone(),
            neuron: self.neuron_column.clone(),
            population: self.population_column.clone(),
            sample: self.sample_column.clone(),
        }
    }
}
