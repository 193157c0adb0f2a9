//! One data set: its shape is checked against what is stored, then its values are read.

use std::ops::Range;

use hdf5_pure::{Datatype, Layout};

use super::heap::{Heap, REFERENCE};
use super::number::NumberType;
use super::{Hdf5Error, Hdf5File, Hdf5Problem, LARGEST};

/// The most that a byte of a gzip stream unpacks to; LZF and Szip reach less.
const MOST_UNPACKED: u64 = 1032;
/// Values that were never written are read as what they are filled with, up to this many bytes.
const MOST_UNWRITTEN: u128 = 1 << 26;

/// Rows of different lengths may share what is stored, so that a small file claims much: they are read up to this
/// many bytes as doubles.
const MOST_RAGGED: u128 = 1 << 28;

/// A data set of a file.
#[derive(Debug)]
pub struct Hdf5Dataset<'f> {
    file: &'f Hdf5File,
    place: String,
    dataset: hdf5_pure::Dataset,
    shape: Vec<u64>,
    datatype: Datatype,
}

impl<'f> Hdf5Dataset<'f> {
    pub(super) fn new(
        file: &'f Hdf5File,
        place: &str,
        dataset: hdf5_pure::Dataset,
    ) -> Result<Self, Hdf5Error> {
        let shape = dataset.shape().map_err(|error| file.malformed(place, &error))?;
        let datatype = dataset.datatype().map_err(|error| file.malformed(place, &error))?;
        let checked = Hdf5Dataset { file, place: place.to_owned(), dataset, shape, datatype };
        checked.check_claims()?;
        Ok(checked)
    }

    /// Its shape; a scalar has none, `[]`.
    pub fn shape(&self) -> &[u64] {
        &self.shape
    }

    /// Rows along the first dimension; a scalar is one.
    pub fn rows(&self) -> u64 {
        self.shape.first().copied().unwrap_or(1)
    }

    /// Whether it holds numbers.
    pub fn is_numeric(&self) -> bool {
        NumberType::of(&self.datatype).is_some()
    }

    /// Whether it holds integers or Booleans.
    pub fn is_whole(&self) -> bool {
        NumberType::of(&self.datatype).is_some_and(NumberType::is_whole)
    }

    /// Whether it holds text.
    pub fn is_text(&self) -> bool {
        matches!(
            self.datatype,
            Datatype::String { .. } | Datatype::VariableLength { is_string: true, .. }
        )
    }

    /// All values as doubles, row by row. Integers beyond 2^53 are rounded.
    ///
    /// # Errors
    /// If they are no numbers, more than [`LARGEST`] bytes, or the file is damaged.
    pub fn numbers(&self) -> Result<Vec<f64>, Hdf5Error> {
        self.numbers_in(0..self.rows())
    }

    /// The values of some rows as doubles; rows beyond the end are left out.
    ///
    /// # Errors
    /// As [`Self::numbers`].
    pub fn numbers_in(&self, rows: Range<u64>) -> Result<Vec<f64>, Hdf5Error> {
        let number = self.number_type(&self.datatype)?;
        let mut values = Vec::new();
        number.doubles(&self.bytes(rows)?, &mut values);
        Ok(values)
    }

    /// All values as integers, row by row; floats that are whole are, too.
    ///
    /// # Errors
    /// As [`Self::numbers`], and if one is not an integer of 64 bits.
    pub fn integers(&self) -> Result<Vec<i64>, Hdf5Error> {
        self.integers_in(0..self.rows())
    }

    /// The values of some rows as integers; rows beyond the end are left out.
    ///
    /// # Errors
    /// As [`Self::integers`].
    pub fn integers_in(&self, rows: Range<u64>) -> Result<Vec<i64>, Hdf5Error> {
        let number = self.number_type(&self.datatype)?;
        let mut values = Vec::new();
        let bytes = self.bytes(rows.clone())?;
        number.integers(&bytes, &mut values).map_err(|(place, value)| {
            let row_length = self.row_elements().min(u128::from(u64::MAX)) as u64;
            let place = (rows.start.saturating_mul(row_length)).saturating_add(place as u64);
            self.error(Hdf5Problem::NotInteger { place, value })
        })?;
        Ok(values)
    }

    /// Rows of different lengths, as doubles: each element of a one-dimensional data set is a row of numbers.
    ///
    /// # Errors
    /// If it holds no such rows, they are no numbers or more than 256 MiB of doubles, or the file is damaged.
    pub fn ragged(&self, rows: Range<u64>) -> Result<Vec<Vec<f64>>, Hdf5Error> {
        self.ragged_within(rows, MOST_RAGGED)
    }

    /// The same with another limit of bytes.
    pub(super) fn ragged_within(
        &self,
        rows: Range<u64>,
        most: u128,
    ) -> Result<Vec<Vec<f64>>, Hdf5Error> {
        let Datatype::VariableLength { is_string: false, base_type, .. } = &self.datatype else {
            return Err(self.type_error("rows of numbers"));
        };
        let number = self.number_type(base_type)?;
        let superblock = self.file.file.superblock();
        if superblock.offset_size != 8 {
            let bytes = superblock.offset_size;
            return Err(
                self.malformed(format!("addresses of {bytes} bytes are not read, only of 8"))
            );
        }
        let base = superblock.base_address.get();
        let bytes = self.bytes(rows)?;
        let mut heap = Heap::default();
        let (references, _) = bytes.as_chunks::<REFERENCE>();
        let mut taken = 0;
        references
            .iter()
            .map(|&reference| {
                let place = (&self.file.bytes, self.file.size);
                let row = heap.row(place, base, reference, number.size());
                let row = row.map_err(|message| self.malformed(message))?;
                // What they take here, not in the file: a value of one byte becomes eight.
                taken += (row.len() / number.size()) as u128 * size_of::<f64>() as u128;
                if taken > most {
                    return Err(self.malformed(format!(
                        "its rows would be more than {most} bytes of doubles: at most {most} are read at once"
                    )));
                }
                let mut values = Vec::new();
                number.doubles(row, &mut values);
                Ok(values)
            })
            .collect()
    }

    /// All values as text, of fixed or any length.
    ///
    /// # Errors
    /// If they are no text, more than [`LARGEST`] bytes, or the file is damaged.
    pub fn texts(&self) -> Result<Vec<String>, Hdf5Error> {
        if !self.is_text() {
            return Err(self.type_error("texts"));
        }
        self.check_size(self.rows())?;
        if matches!(self.datatype, Datatype::VariableLength { .. }) {
            let bytes = self.dataset.vlen_string_payload_size();
            let bytes =
                u128::from(bytes.map_err(|error| self.file.malformed(&self.place, &error))?);
            if bytes > u128::from(LARGEST.min(MOST_UNPACKED * self.file.size)) {
                return Err(self.error(Hdf5Problem::TooLarge { bytes }));
            }
        }
        self.dataset.read_string().map_err(|error| self.file.malformed(&self.place, &error))
    }

    /// The stored bytes of some rows, unpacked.
    fn bytes(&self, rows: Range<u64>) -> Result<Vec<u8>, Hdf5Error> {
        let end = rows.end.min(self.rows());
        let count = end.saturating_sub(rows.start);
        if count == 0 || self.shape.contains(&0) {
            return Ok(Vec::new());
        }
        self.check_size(count)?;
        let read = self.dataset.read_raw_rows(rows.start, count);
        read.map_err(|error| self.file.malformed(&self.place, &error))
    }

    fn number_type(&self, datatype: &Datatype) -> Result<NumberType, Hdf5Error> {
        NumberType::of(datatype).ok_or_else(|| self.type_error("numbers"))
    }

    fn row_elements(&self) -> u128 {
        let inner = self.shape.iter().skip(1);
        inner.fold(1, |product: u128, &size| product.saturating_mul(size.into()))
    }

    fn check_size(&self, rows: u64) -> Result<(), Hdf5Error> {
        let element = self.dataset.element_size();
        let element = element.map_err(|error| self.file.malformed(&self.place, &error))?;
        let bytes = self.row_elements().saturating_mul(rows.into()).saturating_mul(element.into());
        if bytes > LARGEST.into() {
            return Err(self.error(Hdf5Problem::TooLarge { bytes }));
        }
        Ok(())
    }

    /// Checks that the file can hold what the shape claims.
    fn check_claims(&self) -> Result<(), Hdf5Error> {
        let malformed = |error| self.file.malformed(&self.place, &error);
        let element = self.dataset.element_size().map_err(malformed)?;
        let elements = self.row_elements().saturating_mul(self.rows().into());
        let claimed = elements.saturating_mul(element.into());
        let size = self.file.size;
        let refuse = |possible| {
            let shape = self.shape.clone();
            Err(self.error(Hdf5Problem::Claims { claimed, shape, possible }))
        };
        if claimed == 0 {
            return Ok(());
        }
        match self.dataset.layout().map_err(|error| self.unread(&error))? {
            Layout::Compact { size } if claimed > u128::from(size) => refuse(size),
            Layout::Contiguous { address: Some(address), .. }
                if claimed > u128::from(size.saturating_sub(address)) =>
            {
                refuse(size.saturating_sub(address))
            }
            Layout::Contiguous { address: None, .. } if claimed > MOST_UNWRITTEN => refuse(0),
            Layout::Compact { .. } | Layout::Contiguous { .. } => Ok(()),
            Layout::Chunked { chunk_shape, .. } => {
                self.check_chunks(&chunk_shape, element, claimed)
            }
            _ => {
                Err(self
                    .malformed("a virtual data set, whose values are in other files".to_owned()))
            }
        }
    }

    /// The same for what is stored in chunks: the index is looked at only if the file has room for it.
    fn check_chunks(&self, chunk: &[u64], element: u64, claimed: u128) -> Result<(), Hdf5Error> {
        let size = self.file.size;
        let refuse = |possible| {
            let shape = self.shape.clone();
            Err(self.error(Hdf5Problem::Claims { claimed, shape, possible }))
        };
        if chunk.len() != self.shape.len() || chunk.contains(&0) {
            return Err(
                self.malformed(format!("chunks of {chunk:?} for a shape of {:?}", self.shape))
            );
        }
        let along = self.shape.iter().zip(chunk).map(|(&size, &chunk)| size.div_ceil(chunk));
        let chunks = along.fold(1, |product: u128, count| product.saturating_mul(count.into()));
        // Every chunk has 8 bytes of address in the index.
        if chunks > 1 && chunks > u128::from(size / 8) {
            return refuse(size);
        }
        let of_chunk = chunk
            .iter()
            .fold(u128::from(element), |product, &along| product.saturating_mul(along.into()));
        let stored = self.dataset.chunks();
        let stored = stored.map_err(|error| self.unread(&error))?;
        let bytes = stored.iter().fold(0u64, |sum, chunk| sum.saturating_add(chunk.storage_size));
        let inside = stored.iter().all(|chunk| {
            chunk.address.checked_add(chunk.storage_size).is_some_and(|end| end <= size)
        });
        if !inside {
            return refuse(size);
        }
        let packed = !self.dataset.filters().is_empty();
        let possible = if packed { bytes.saturating_mul(MOST_UNPACKED) } else { bytes };
        let written = u128::from(stored.len() as u64);
        let unwritten = chunks.saturating_sub(written).saturating_mul(of_chunk);
        if unwritten > MOST_UNWRITTEN
            || written.min(chunks).saturating_mul(of_chunk)
                > u128::from(possible).saturating_add(1 << 20)
        {
            return refuse(possible);
        }
        Ok(())
    }

    fn type_error(&self, expected: &'static str) -> Hdf5Error {
        self.error(Hdf5Problem::Type { found: format!("it holds {}", self.datatype), expected })
    }

    /// Chunks that are damaged, or stored in a form that is not read.
    fn unread(&self, error: &hdf5_pure::Error) -> Hdf5Error {
        self.malformed(format!(
            "its chunks cannot be read ({error}); if other programs can, `h5repack --low=0 --high=1 IN OUT` stores them in a \
             form that is read here"
        ))
    }

    fn malformed(&self, message: String) -> Hdf5Error {
        self.error(Hdf5Problem::Malformed(message))
    }

    fn error(&self, problem: Hdf5Problem) -> Hdf5Error {
        self.file.error(&self.place, problem)
    }
}
