//! NPY files in memory, whose headers are checked before anything is made of them.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use npyz::{Deserialize, NpyFile, NpyHeader};

/// The longest header that NumPy itself reads, in bytes.
const LONGEST_HEADER: usize = 10_000;

/// Brackets within brackets; a header of plain numbers has two.
const DEEPEST: usize = 32;

/// An NPY file in memory. It has as many bytes as its header announces.
pub(crate) struct NpyArray {
    pub header: NpyHeader,
    content: Vec<u8>,
}

/// An NPY file whose values are read from the disk. It has as many bytes as its header announces.
pub(crate) struct NpyColumn {
    pub header: NpyHeader,
    file: File,
    /// Where the values begin.
    start: u64,
}

impl NpyColumn {
    /// Opens a file, and reads its header.
    ///
    /// # Errors
    /// If it cannot be read, is no NPY file, or of another size than it says.
    pub fn open(path: &Path) -> Result<Self, NpyProblem> {
        let mut file = File::open(path).map_err(NpyProblem::Unreadable)?;
        let mut head = Vec::new();
        // What stands before the header is 12 bytes at most.
        let longest = LONGEST_HEADER as u64 + 12;
        file.by_ref().take(longest).read_to_end(&mut head).map_err(NpyProblem::Unreadable)?;
        let length = file.metadata().map_err(NpyProblem::Unreadable)?.len();
        let mut rest = head.as_slice();
        let header = npy_header(&mut rest).map_err(NpyProblem::NotNpy)?;
        let start = (head.len() - rest.len()) as u64;
        check_size(&header, length.saturating_sub(start))?;
        Ok(NpyColumn { header, file, start })
    }

    /// The type of the values, as NumPy writes it.
    pub fn kind(&self) -> String {
        self.header.dtype().descr().trim_matches('\'').to_owned()
    }

    /// The values in the order of the file; none if they are of another type.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn values<T: Deserialize>(
        &self,
    ) -> io::Result<Option<impl Iterator<Item = io::Result<T>>>> {
        let mut file = BufReader::with_capacity(1 << 18, &self.file);
        file.seek(SeekFrom::Start(self.start))?;
        Ok(NpyFile::with_header(self.header.clone(), file).try_data::<T>().ok())
    }
}

/// Refuses a file that has not as many bytes behind its header as it announces.
fn check_size(header: &NpyHeader, found: u64) -> Result<(), NpyProblem> {
    let size = header.dtype().num_bytes().and_then(|size| {
        let mut sizes = header.shape().iter();
        sizes.try_fold(size as u64, |product, &size| product.checked_mul(size))
    });
    if size == Some(found) {
        return Ok(());
    }
    let (shape, values) = (header.shape().to_vec(), header.dtype().descr());
    Err(NpyProblem::Size { found: found as usize, shape, values })
}

/// What is wrong with an NPY file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NpyProblem {
    /// It cannot be read.
    #[error("{0}")]
    Unreadable(io::Error),
    /// It is no NPY file.
    #[error("this is no NPY file: {0}")]
    NotNpy(io::Error),
    /// It has more or fewer bytes than its header announces.
    #[error("{found} bytes follow a header that announces shape {shape:?} of {values}")]
    Size {
        /// Bytes behind the header.
        found: usize,
        /// The shape in the header.
        shape: Vec<u64>,
        /// The type of the values in the header.
        values: String,
    },
}

impl NpyArray {
    /// Reads a file.
    ///
    /// # Errors
    /// If it cannot be read, is no NPY file, or of another size than it says.
    pub fn read(path: &Path) -> Result<Self, NpyProblem> {
        let mut content = std::fs::read(path).map_err(NpyProblem::Unreadable)?;
        let mut rest = content.as_slice();
        let header = npy_header(&mut rest).map_err(NpyProblem::NotNpy)?;
        let found = rest.len();
        check_size(&header, found as u64)?;
        content.drain(..content.len() - found);
        Ok(NpyArray { header, content })
    }

    /// The type of the values, as NumPy writes it.
    pub fn kind(&self) -> String {
        self.header.dtype().descr().trim_matches('\'').to_owned()
    }

    /// The values in the order of the file; none if they are of another type.
    pub fn values<T: Deserialize>(&self) -> Option<impl Iterator<Item = io::Result<T>>> {
        NpyFile::with_header(self.header.clone(), self.content.as_slice()).try_data::<T>().ok()
    }
}

/// Reads the header of an NPY file, and leaves what is behind it. npyz alone takes as much memory as the file
/// says that its header is long (up to 4 GiB), and as much stack as its brackets are deep, and multiplies the
/// sizes of the shape without a check.
///
/// # Errors
/// If it is no header, is cut off, too long, too deep, or of too large a shape.
fn npy_header(rest: &mut &[u8]) -> io::Result<NpyHeader> {
    let refuse = |message: String| Err(io::Error::new(io::ErrorKind::InvalidData, message));
    let text = match **rest {
        [0x93, b'N', b'U', b'M', b'P', b'Y', 1, _, low, high, ref text @ ..] => {
            Some((text, usize::from(u16::from_le_bytes([low, high]))))
        }
        [0x93, b'N', b'U', b'M', b'P', b'Y', 2 | 3, _, a, b, c, d, ref text @ ..] => {
            Some((text, u32::from_le_bytes([a, b, c, d]) as usize))
        }
        // Of another version, or no NPY file: npyz says so.
        _ => None,
    };
    if let Some((text, length)) = text {
        if length > LONGEST_HEADER {
            return refuse(format!("a header of {length} bytes: at most {LONGEST_HEADER}"));
        }
        let Some(text) = text.get(..length) else {
            return refuse(format!("a header of {length} bytes, which is cut off"));
        };
        let mut depth: usize = 0;
        for byte in text {
            match byte {
                b'(' | b'[' | b'{' => depth += 1,
                b')' | b']' | b'}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth > DEEPEST {
                return refuse(format!("a header with brackets deeper than {DEEPEST}"));
            }
        }
        if text.split(|byte| b"()[]{}".contains(byte)).any(|part| product(part).is_none()) {
            return refuse("a shape of more than 2^64 values".to_owned());
        }
    }
    NpyHeader::from_reader(rest)
}

/// The product of the numbers in a text, such as the sizes of a shape; none if it is too large.
fn product(text: &[u8]) -> Option<u64> {
    // Underscores may stand between digits.
    let text: Vec<u8> = text.iter().copied().filter(|byte| *byte != b'_').collect();
    let mut numbers = text.split(|byte| !byte.is_ascii_digit()).filter(|number| !number.is_empty());
    numbers.try_fold(1_u64, |product, number| {
        product.checked_mul(std::str::from_utf8(number).ok()?.parse().ok()?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The shape in a header.
    fn read(version: u8, length: &[u8], text: &str) -> Result<Vec<u64>, String> {
        let bytes = [&b"\x93NUMPY"[..], &[version, 0], length, text.as_bytes()].concat();
        let header = npy_header(&mut bytes.as_slice()).map_err(|error| error.to_string())?;
        Ok(header.shape().to_vec())
    }

    #[test]
    fn a_header_takes_no_more_than_the_file_has() {
        let text = "{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }\n";
        let length = text.len() as u32;
        assert_eq!(read(1, &(length as u16).to_le_bytes(), text).expect("sound"), [2]);
        assert_eq!(read(2, &length.to_le_bytes(), text).expect("sound"), [2]);
        let deep = "[".repeat(9_000);
        for (length, text, expected) in [
            (u32::MAX, text, "a header of 4294967295 bytes: at most 10000"),
            (length + 1, text, "a header of 59 bytes, which is cut off"),
            (9_000, deep.as_str(), "a header with brackets deeper than 32"),
        ] {
            assert_eq!(read(2, &length.to_le_bytes(), text).expect_err(expected), expected);
        }
        let large = text.replace("2,", "42949_67296, 4294967296, 0");
        let message = read(2, &(large.len() as u32).to_le_bytes(), &large).expect_err("too large");
        assert_eq!(message, "a shape of more than 2^64 values");
        assert!(read(9, &[], text).is_err());
    }
}
