//! Whether training in the loop is worth it: a network that is trained as long without the chip and then put on it is
//! what it has to be better than.
//!
//! ```text
//! initial network ─┬─ epochs in the loop ───────────────────→ validation on the chip ─┐
//!                  └─ as many without the chip ─→ put on it ─→ validation on the chip ─┴─→ a warning
//! ```
//!
//! This is asked once, early, and only of the model of a chip: nobody wants a real one to be programmed anew for it.

use std::ops::ControlFlow;
use std::path::Path;

use super::RunError;
use crate::learning::{
    Diagnosis, EncodedSet, EngineChoice, Score, Trainer, diagnose_against_ideal,
};
use crate::scenario::{Hardware, Learner, LoadedScenario};

/// Epochs after which both networks are compared: the rule's faults show by then, and it costs a third of as many
/// epochs in the loop.
pub(super) const COMPARED_AFTER: usize = 5;

/// What was found, unless the run was interrupted.
type Compared = ControlFlow<(), Option<Diagnosis>>;

/// Trains without the chip for [`COMPARED_AFTER`] epochs, puts the network on the chip and compares it on the
/// validation set with `score`, that of the network which was trained in the loop with `trainer`. None if the loop
/// does as well; and without a model of a chip, or without a fast engine for the ideal network. `go_on` is asked after every
/// batch.
///
/// # Errors
/// If the chip refuses the network.
pub(super) fn compare(
    loaded: &LoadedScenario,
    learner: &Learner,
    hardware: Option<&Hardware>,
    trainer: &Trainer,
    [training, validation]: [&EncodedSet; 2],
    score: &Score,
    go_on: &dyn Fn() -> ControlFlow<()>,
) -> Result<Compared, RunError> {
    let nothing = Ok(ControlFlow::Continue(None));
    let Some(condition) = trainer.substrate_condition() else { return nothing };
    // The event engine, which runs any ideal network, would take longer than the run in the loop.
    let Ok(mut ideal) = loaded.ideal_trainer(learner) else { return nothing };
    if loaded.scenario.substrate.is_some() || !ideal.engine().name.starts_with(EngineChoice::FASTER)
    {
        return nothing;
    }
    for _ in 0..COMPARED_AFTER {
        match ideal.train_epoch(training, &mut |_| go_on()) {
            Ok(Some(_)) => {}
            Ok(None) => return Ok(ControlFlow::Break(())),
            // An ideal training that fails is no better.
            Err(_) => return nothing,
        }
    }
    // A chip of its own, with the same deviations: what the run's has recorded does not change.
    let mut on_chip = loaded.trainer(learner, hardware, Path::new(""))?;
    on_chip.set_parameters(&ideal.parameters())?;
    let then_chip = on_chip.evaluate(validation)?.score;
    let found = diagnose_against_ideal(COMPARED_AFTER, score, &then_chip, &condition);
    Ok(ControlFlow::Continue(found))
}
