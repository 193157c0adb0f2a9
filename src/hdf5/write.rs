//! HDF5 files are written whole, or column by column while the values come.
//!
//! Either way the file is written beside its place and renamed when it is complete.

use std::fs;
use std::path::{Path, PathBuf};

use hdf5_pure::{
    AttrValue, DatasetBuilder, FileAccessProperties, FileBuilder, GroupBuilder, MaxExtent,
    SyncPolicy, make_f64_type, make_u32_type, make_u64_type,
};

use super::{Attribute, Hdf5Error, Hdf5Problem};
use crate::table::{check_replaceable, partial};

/// Numbers in a chunk of a column. Of 65,536 and more the crate writes the length in more bytes than the HDF5 library
/// (2.0) accepts.
const CHUNK: usize = 1 << 15;

/// A data set to be written.
#[derive(Clone, Debug, PartialEq)]
pub enum Hdf5Value {
    /// Doubles of a shape, row by row; `[]` is the shape of a scalar.
    Doubles {
        /// The shape.
        shape: Vec<u64>,
        /// The values.
        values: Vec<f64>,
    },
    /// Integers of a shape.
    Integers {
        /// The shape.
        shape: Vec<u64>,
        /// The values.
        values: Vec<i64>,
    },
    /// One text, of any length.
    Text(String),
    /// Texts of a shape.
    Texts {
        /// The shape.
        shape: Vec<u64>,
        /// The texts.
        values: Vec<String>,
    },
}

/// A group to be written: what it holds, in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Hdf5Group {
    /// Its attributes.
    pub attributes: Vec<(String, Attribute)>,
    /// Its data sets.
    pub datasets: Vec<(String, Hdf5Value)>,
    /// Groups in it.
    pub groups: Vec<(String, Hdf5Group)>,
}

impl Hdf5Group {
    /// Adds a text.
    pub fn text(&mut self, name: &str, text: &str) {
        self.datasets.push((name.to_owned(), Hdf5Value::Text(text.to_owned())));
    }

    /// Adds doubles; the shape says how many.
    pub fn doubles(&mut self, name: &str, shape: &[u64], values: Vec<f64>) {
        let shape = shape.to_vec();
        self.datasets.push((name.to_owned(), Hdf5Value::Doubles { shape, values }));
    }

    /// Adds integers; the shape says how many.
    pub fn integers(&mut self, name: &str, shape: &[u64], values: Vec<i64>) {
        let shape = shape.to_vec();
        self.datasets.push((name.to_owned(), Hdf5Value::Integers { shape, values }));
    }

    /// Adds a group.
    pub fn group(&mut self, name: &str, group: Hdf5Group) {
        self.groups.push((name.to_owned(), group));
    }

    fn fill(self, builder: &mut GroupBuilder) {
        for (name, value) in &self.datasets {
            value.fill(builder.create_dataset(name));
        }
        for (name, attribute) in &self.attributes {
            builder.set_attr(name, attribute.stored());
        }
        for (name, group) in self.groups {
            let mut inner = builder.create_group(&name);
            group.fill(&mut inner);
            builder.add_group(inner.finish());
        }
    }
}

impl Hdf5Value {
    fn fill(&self, builder: &mut DatasetBuilder) {
        match self {
            Hdf5Value::Doubles { shape, values } => builder.with_f64_data(values).with_shape(shape),
            Hdf5Value::Integers { shape, values } => {
                builder.with_i64_data(values).with_shape(shape)
            }
            Hdf5Value::Text(text) => builder.with_vlen_strings(&[text]).with_shape(&[]),
            Hdf5Value::Texts { shape, values } => {
                let texts: Vec<&str> = values.iter().map(String::as_str).collect();
                builder.with_vlen_strings(&texts).with_shape(shape)
            }
        };
    }
}

impl Attribute {
    fn stored(&self) -> AttrValue {
        match self {
            Attribute::Numbers(values) if values.len() == 1 => AttrValue::F64(values[0]),
            Attribute::Numbers(values) => AttrValue::F64Array(values.clone()),
            Attribute::Texts(texts) if texts.len() == 1 => {
                AttrValue::VarLenString(texts[0].clone())
            }
            Attribute::Texts(texts) => AttrValue::VarLenStringArray(texts.clone()),
        }
    }
}

/// Writes a file with this root.
///
/// # Errors
/// If it cannot be written; what was there before is then still there.
pub fn write(path: &Path, root: Hdf5Group) -> Result<(), Hdf5Error> {
    check_replaceable(path).map_err(|error| unwritable(path, &error))?;
    let mut builder = FileBuilder::new();
    for (name, value) in &root.datasets {
        value.fill(builder.create_dataset(name));
    }
    for (name, attribute) in &root.attributes {
        builder.set_attr(name, attribute.stored());
    }
    for (name, group) in root.groups {
        let mut inner = builder.create_group(&name);
        group.fill(&mut inner);
        builder.add_group(inner.finish());
    }
    let partial = partial(path);
    let written = builder.write(&partial).map_err(|error| unwritable(path, &error));
    written.and_then(|()| finish(&partial, path)).inspect_err(|_| {
        // The write has failed already; a leftover is no second failure.
        let _ = fs::remove_file(&partial);
    })
}

/// What numbers a column has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnType {
    /// Doubles.
    Double,
    /// Unsigned integers of 32 bits.
    U32,
    /// Unsigned integers of 64 bits.
    U64,
}

/// A file whose columns grow while values come: one-dimensional data sets in chunks, of which only the last is in
/// memory.
#[derive(Debug)]
pub struct Hdf5Columns {
    path: PathBuf,
    partial: PathBuf,
    file: Option<hdf5_pure::File>,
    columns: Vec<Column>,
}

#[derive(Debug)]
struct Column {
    dataset: hdf5_pure::Dataset,
    kind: ColumnType,
    /// Bytes that do not fill a chunk yet.
    waiting: Vec<u8>,
}

impl ColumnType {
    fn size(self) -> usize {
        if self == ColumnType::U32 { 4 } else { 8 }
    }
}

impl Hdf5Columns {
    /// Begins a file with everything of `root`, and with columns in the group of this path; `""` is the root. The
    /// group must not be in `root` yet, and has these attributes.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn create(
        path: &Path,
        group: (&str, &[(String, Attribute)]),
        columns: &[(&str, ColumnType)],
    ) -> Result<Self, Hdf5Error> {
        let partial = partial(path);
        let begin = || -> Result<Self, Hdf5Error> {
            let (group, attributes) = group;
            let mut builder = FileBuilder::new();
            let names: Vec<&str> = group.split('/').filter(|name| !name.is_empty()).collect();
            let mut nested: Option<GroupBuilder> = None;
            for (depth, name) in names.iter().rev().enumerate() {
                let mut here = builder.create_group(name);
                if depth == 0 {
                    for &(name, kind) in columns {
                        Column::declare(here.create_dataset(name), kind);
                    }
                    for (name, attribute) in attributes {
                        here.set_attr(name, attribute.stored());
                    }
                }
                if let Some(inner) = nested {
                    here.add_group(inner.finish());
                }
                nested = Some(here);
            }
            match nested {
                Some(group) => builder.add_group(group.finish()),
                None => {
                    for &(name, kind) in columns {
                        Column::declare(builder.create_dataset(name), kind);
                    }
                    for (name, attribute) in attributes {
                        builder.set_attr(name, attribute.stored());
                    }
                }
            }
            builder.write(&partial).map_err(|error| unwritable(path, &error))?;
            let access = FileAccessProperties::new().with_sync_policy(SyncPolicy::OnClose);
            let file = hdf5_pure::File::open_rw_with_options(&partial, access)
                .map_err(|error| unwritable(path, &error))?;
            let columns = columns.iter().map(|&(name, kind)| {
                let place = names.iter().chain([&name]).copied().collect::<Vec<_>>().join("/");
                let dataset = file.dataset(&place).map_err(|error| unwritable(path, &error))?;
                Ok(Column { dataset, kind, waiting: Vec::new() })
            });
            let columns = columns.collect::<Result<_, _>>()?;
            Ok(Hdf5Columns {
                path: path.to_owned(),
                partial: partial.clone(),
                file: Some(file),
                columns,
            })
        };
        begin().inspect_err(|_| {
            let _ = fs::remove_file(&partial);
        })
    }

    /// Adds doubles to a column of doubles, by its place among the columns.
    ///
    /// # Errors
    /// If writing fails.
    ///
    /// # Panics
    /// If the column has another type.
    pub fn push_doubles(&mut self, column: usize, values: &[f64]) -> Result<(), Hdf5Error> {
        assert_eq!(self.columns[column].kind, ColumnType::Double, "column {column}");
        self.push(column, values.iter().flat_map(|value| value.to_le_bytes()))
    }

    /// Adds integers to a column of integers, by its place among the columns.
    ///
    /// # Errors
    /// If writing fails.
    ///
    /// # Panics
    /// If the column has another type, or a value does not fit into it.
    pub fn push_integers(&mut self, column: usize, values: &[u64]) -> Result<(), Hdf5Error> {
        match self.columns[column].kind {
            ColumnType::U64 => {
                self.push(column, values.iter().flat_map(|value| value.to_le_bytes()))
            }
            ColumnType::U32 => self.push(
                column,
                values.iter().flat_map(|&value| {
                    u32::try_from(value).expect("a column of 32 bits").to_le_bytes()
                }),
            ),
            ColumnType::Double => panic!("column {column} has doubles"),
        }
    }

    fn push(&mut self, column: usize, bytes: impl Iterator<Item = u8>) -> Result<(), Hdf5Error> {
        let Column { dataset, kind, waiting } = &mut self.columns[column];
        waiting.extend(bytes);
        let whole = waiting.len() - waiting.len() % (CHUNK * kind.size());
        if whole > 0 {
            dataset
                .append_raw(&waiting[..whole])
                .map_err(|error| unwritable(&self.path, &error))?;
            waiting.drain(..whole);
        }
        Ok(())
    }

    /// Completes the file and puts it in its place.
    ///
    /// # Errors
    /// If writing fails; what was there before is then still there.
    pub fn finish(mut self) -> Result<(), Hdf5Error> {
        for Column { dataset, waiting, .. } in &mut self.columns {
            if !waiting.is_empty() {
                dataset.append_raw(waiting).map_err(|error| unwritable(&self.path, &error))?;
            }
        }
        self.columns.clear();
        if let Some(file) = self.file.take() {
            file.close().map_err(|error| unwritable(&self.path, &error))?;
        }
        finish(&self.partial, &self.path)
    }
}

/// What was not finished leaves no file.
impl Drop for Hdf5Columns {
    fn drop(&mut self) {
        self.columns.clear();
        drop(self.file.take());
        let _ = fs::remove_file(&self.partial);
    }
}

impl Column {
    fn declare(builder: &mut DatasetBuilder, kind: ColumnType) {
        let datatype = match kind {
            ColumnType::Double => make_f64_type(),
            ColumnType::U32 => make_u32_type(),
            ColumnType::U64 => make_u64_type(),
        };
        builder
            .with_dtype(datatype)
            .with_shape(&[0])
            .with_maxshape(&[MaxExtent::Unlimited])
            .with_chunks(&[CHUNK as u64]);
    }
}

/// A name beside the file's.
fn finish(partial: &Path, path: &Path) -> Result<(), Hdf5Error> {
    fs::rename(partial, path).map_err(|error| unwritable(path, &error))
}

fn unwritable(path: &Path, error: &dyn std::fmt::Display) -> Hdf5Error {
    let problem = Hdf5Problem::Unwritable(error.to_string());
    Hdf5Error { path: path.to_owned(), place: String::new(), problem }
}
