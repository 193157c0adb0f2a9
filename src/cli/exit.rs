//! Exit codes: how the program tells a script what became of a command.

use std::error::Error;
use std::process::ExitCode;

use super::console;
use crate::hdf5::{Hdf5Error, Hdf5Problem};
use crate::nir::NirError;
use crate::report::PictureError;
use crate::run::{LearnError, RunError};
use crate::study::StudyError;

/// The work began and failed; for `diff` and `check --gradients`: something differs.
pub(super) const FAILED: u8 = 1;

/// The input cannot be used, and nothing was touched.
pub(super) const BAD_INPUT: u8 = 2;

/// A result could not be written or printed: the disk is full, or nobody reads.
pub(super) const NO_OUTPUT: u8 = 3;

/// A signal ended the work early; what there is was written.
pub(super) const INTERRUPTED: u8 = 130;

/// Says what is wrong with the input, and returns the exit code for it.
pub(super) fn bad_input(error: &dyn std::fmt::Display) -> ExitCode {
    console::err!("error: {error}");
    ExitCode::from(BAD_INPUT)
}

/// Says why a command failed, and returns the exit code for it.
pub(super) fn failure(error: &(dyn Error + 'static)) -> ExitCode {
    console::err!("error: {error}");
    ExitCode::from(code(error))
}

/// What an error means. One without a type of its own is about the input.
pub(super) fn code(error: &(dyn Error + 'static)) -> u8 {
    if let Some(error) = error.downcast_ref::<RunError>() {
        return match error {
            RunError::Scenario(_)
            | RunError::Folder(_)
            | RunError::Checkpoint(_)
            | RunError::State(_) => BAD_INPUT,
            // What cannot be said in the format that was asked for.
            RunError::Output { source, .. }
                if source.kind() == std::io::ErrorKind::InvalidInput =>
            {
                BAD_INPUT
            }
            RunError::Output { .. } => NO_OUTPUT,
            _ => FAILED,
        };
    }
    if let Some(StudyError::Run(error)) = error.downcast_ref() {
        return code(error);
    }
    if let Some(LearnError::Run(error)) = error.downcast_ref() {
        return code(error);
    }
    let hdf5 = match error.downcast_ref() {
        Some(NirError::Hdf5(error)) => Some(error),
        _ => error.downcast_ref::<Hdf5Error>(),
    };
    if let Some(Hdf5Error { problem: Hdf5Problem::Unwritable(_), .. }) = hdf5 {
        return NO_OUTPUT;
    }
    let picture = match error.downcast_ref() {
        Some(StudyError::Figure(error)) => Some(error),
        _ => error.downcast_ref::<PictureError>(),
    };
    match picture {
        Some(PictureError::Empty | PictureError::NoNeurons | PictureError::Size { .. }) | None => {
            BAD_INPUT
        }
        Some(_) => FAILED,
    }
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;
    use std::path::PathBuf;

    use super::*;
    use crate::run::FolderError;

    #[test]
    fn a_full_disk_is_no_bad_input_wherever_it_is_met() {
        let full =
            || RunError::Output { path: PathBuf::from("x"), source: ErrorKind::StorageFull.into() };
        assert_eq!(code(&full()), NO_OUTPUT);
        assert_eq!(code(&StudyError::from(full())), NO_OUTPUT);
        assert_eq!(code(&LearnError::from(full())), NO_OUTPUT);
        let unwritable = || Hdf5Error {
            path: PathBuf::from("x"),
            place: String::new(),
            problem: Hdf5Problem::Unwritable("full".to_owned()),
        };
        assert_eq!(code(&unwritable()), NO_OUTPUT);
        assert_eq!(code(&NirError::from(unwritable())), NO_OUTPUT);
        let in_use = RunError::from(FolderError::InUse { path: PathBuf::from("x") });
        assert_eq!(code(&in_use), BAD_INPUT);
        let text: Box<dyn Error> = "no such neuron".into();
        assert_eq!(code(&*text), BAD_INPUT);
    }
}
