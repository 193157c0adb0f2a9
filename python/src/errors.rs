//! The library's errors as Python exceptions: the classes are in `firstspike/errors.py`.

use std::error::Error;

use firstspike::cli;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

/// An exception of the package, by the name of its class.
fn exception(py: Python<'_>, name: &str, text: String) -> PyErr {
    static MODULE: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    let found = MODULE
        .get_or_try_init(py, || PyModule::import(py, "firstspike.errors").map(Bound::unbind))
        .and_then(|module| module.bind(py).getattr(name))
        .and_then(|class| Ok(class.cast_into::<PyType>()?));
    match found {
        Ok(class) => PyErr::from_type(class, text),
        Err(error) => error,
    }
}

/// Input that cannot be used: nothing was done.
pub fn input(py: Python<'_>, text: impl ToString) -> PyErr {
    exception(py, "InputError", text.to_string())
}

/// Work that began and failed.
pub fn failed(py: Python<'_>, text: impl ToString) -> PyErr {
    exception(py, "RunFailed", text.to_string())
}

/// An error of the library as the program would tell it by its exit code.
pub fn of(py: Python<'_>, error: &(dyn Error + 'static)) -> PyErr {
    let class = match cli::exit_code_of(error) {
        1 => "RunFailed",
        3 => "OutputError",
        _ => "InputError",
    };
    exception(py, class, error.to_string())
}
