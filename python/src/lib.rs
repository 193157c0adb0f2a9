//! `firstspike._core`: what the Python package `firstspike` calls.
//!
//! Everything here takes NumPy arrays and plain values and gives the same; what users see of it is in
//! `firstspike/*.py`. Work is done with the interpreter free for other threads. Errors of the library become
//! the exceptions of `firstspike.errors`, with the same texts.

mod arrays;
mod chip;
mod data;
mod errors;
mod layer;
mod network;
mod program;
mod run;
mod threads;
mod traces;

use pyo3::prelude::*;

#[pymodule]
fn _core(module: &Bound<'_, PyModule>) -> PyResult<()> {
    // Started here, where threads compute as usual.
    threads::start();
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<layer::LayerRun>()?;
    module.add_class::<chip::ChipLayer>()?;
    module.add_class::<network::Network>()?;
    module.add_function(wrap_pyfunction!(layer::layer_forward, module)?)?;
    module.add_function(wrap_pyfunction!(layer::layer_parameter_gradients, module)?)?;
    module.add_function(wrap_pyfunction!(data::loss, module)?)?;
    module.add_function(wrap_pyfunction!(data::initial_weights, module)?)?;
    module.add_function(wrap_pyfunction!(data::yin_yang, module)?)?;
    module.add_function(wrap_pyfunction!(program::run_program, module)?)?;
    module.add_function(wrap_pyfunction!(run::run_scenario, module)?)?;
    module.add_function(wrap_pyfunction!(run::check_scenario, module)?)?;
    module.add_function(wrap_pyfunction!(run::predict, module)?)?;
    module.add_function(wrap_pyfunction!(traces::read_trace, module)?)?;
    module.add_function(wrap_pyfunction!(traces::raster_svg, module)?)?;
    module.add_function(wrap_pyfunction!(traces::statistics, module)?)?;
    module.add_function(wrap_pyfunction!(traces::align, module)?)?;
    module.add_function(wrap_pyfunction!(threads::set_threads, module)?)?;
    module.add_function(wrap_pyfunction!(threads::threads, module)?)?;
    Ok(())
}
