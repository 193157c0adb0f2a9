//! NumPy arrays as slices, without a copy where their layout allows.

use std::borrow::Cow;

use numpy::ndarray::{ArrayViewD, Ix2, ShapeBuilder};
use numpy::{
    Element, IntoPyArray, PyArray1, PyArray2, PyArrayDyn, PyArrayMethods, PyReadonlyArrayDyn,
    PyUntypedArrayMethods,
};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

use crate::errors;

/// An array of a type and a number of dimensions. `name` is what messages call it.
pub fn array<'py, T: Element>(
    value: &Bound<'py, PyAny>,
    name: &str,
    dimensions: usize,
) -> PyResult<PyReadonlyArrayDyn<'py, T>> {
    let py = value.py();
    let Ok(array) = value.cast::<PyArrayDyn<T>>() else {
        let wanted = numpy::dtype::<T>(py);
        let found = value.getattr("dtype").map_or_else(
            |_| value.get_type().name().map_or_else(|_| String::new(), |name| name.to_string()),
            |dtype| dtype.to_string(),
        );
        let message = format!("{name} must be an array of {wanted}: it is of {found}");
        return Err(PyTypeError::new_err(message));
    };
    if array.ndim() != dimensions {
        let message = format!(
            "{name} has {} dimensions ({:?}): it must have {dimensions}",
            array.ndim(),
            array.shape()
        );
        return Err(errors::input(py, message));
    }
    let size = size_of::<T>();
    let is_aligned = (array.data() as usize).is_multiple_of(align_of::<T>())
        && array.strides().iter().all(|stride| stride.unsigned_abs().is_multiple_of(size));
    if is_aligned {
        return Ok(array.try_readonly()?);
    }
    let copy = array.call_method0("copy")?;
    Ok(copy.cast::<PyArrayDyn<T>>()?.try_readonly()?)
}

/// The values in the order of the last index first.
pub fn values<T: Copy>(view: ArrayViewD<'_, T>) -> Cow<'_, [T]> {
    if let Some(values) = view.to_slice() {
        return Cow::Borrowed(values);
    }
    // Row by row: to go through all indices takes ten times as long.
    match view.view().into_dimensionality::<Ix2>() {
        Ok(matrix) => {
            let mut values = Vec::with_capacity(matrix.len());
            for row in matrix.rows() {
                match row.to_slice() {
                    Some(row) => values.extend_from_slice(row),
                    None => values.extend(row.iter().copied()),
                }
            }
            Cow::Owned(values)
        }
        Err(_) => Cow::Owned(view.iter().copied().collect()),
    }
}

/// A vector as an array, without a copy.
pub fn vector<T: Element>(py: Python<'_>, values: Vec<T>) -> Bound<'_, PyArray1<T>> {
    values.into_pyarray(py)
}

/// A matrix as an array, without a copy; `by_column` says that the values of a column are side by side.
pub fn matrix<T: Element>(
    py: Python<'_>,
    [rows, columns]: [usize; 2],
    by_column: bool,
    values: Vec<T>,
) -> PyResult<Bound<'_, PyArray2<T>>> {
    let shape = (rows, columns).set_f(by_column);
    let array = numpy::ndarray::Array2::from_shape_vec(shape, values);
    Ok(array.map_err(|error| errors::failed(py, error))?.into_pyarray(py))
}
