//! IDX files, the format of MNIST: a header with the number of bytes in each dimension, then the
//! bytes. They may be compressed with gzip, which is recognised by the content.

use std::cmp::Ordering;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::{DataError, DataProblem};
use crate::table::unpacked;

/// A whole file.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Idx {
    /// Size in each dimension, slowest first.
    pub dimensions: Vec<usize>,
    /// The bytes, row by row.
    pub bytes: Vec<u8>,
}

/// A reader of a file's content, uncompressed.
pub(super) fn open(path: &Path) -> io::Result<Box<dyn Read + Send>> {
    unpacked(File::open(path)?)
}

/// Reads a file that must have this many dimensions.
pub(super) fn read(path: &Path, dimensions: usize) -> Result<Idx, DataError> {
    let mut content = open(path).map_err(|error| DataProblem::Unreadable(error).of(path))?;
    parse(&mut content, dimensions).map_err(|problem| problem.of(path))
}

fn parse(content: &mut impl Read, dimensions: usize) -> Result<Idx, DataProblem> {
    let mut word = || {
        let mut word = [0; 4];
        content.read_exact(&mut word).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => DataProblem::HeaderCutOff,
            _ => DataProblem::Unreadable(error),
        })?;
        Ok::<_, DataProblem>(u32::from_be_bytes(word))
    };
    // Two zero bytes, 8 for unsigned bytes, and the number of dimensions.
    let (found, expected) = (word()?, 0x0800 + dimensions as u32);
    if found != expected {
        return Err(DataProblem::NotIdx { found, expected, dimensions });
    }
    let dimensions = (0..dimensions)
        .map(|_| Ok(word()? as usize))
        .collect::<Result<Vec<usize>, DataProblem>>()?;
    let count = dimensions
        .iter()
        .try_fold(1_u64, |product, &size| product.checked_mul(size as u64))
        .filter(|&count| count < u64::MAX);
    let Some(count) = count else { return Err(DataProblem::TooManyValues { dimensions }) };
    // One more, to see whether there is more than there should be. The buffer grows with what is
    // there, not with what the header claims.
    let mut bytes = Vec::new();
    content.take(count + 1).read_to_end(&mut bytes).map_err(DataProblem::Unreadable)?;
    match (bytes.len() as u64).cmp(&count) {
        Ordering::Equal => Ok(Idx { dimensions, bytes }),
        Ordering::Less => {
            Err(DataProblem::CutOff { expected: count, dimensions, found: bytes.len() })
        }
        Ordering::Greater => Err(DataProblem::TooLong { announced: count }),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn file(magic: u32, sizes: &[u32], bytes: &[u8]) -> Vec<u8> {
        let mut content = magic.to_be_bytes().to_vec();
        content.extend(sizes.iter().flat_map(|size| size.to_be_bytes()));
        content.extend(bytes);
        content
    }

    #[test]
    fn plain_and_compressed_files_are_read_alike() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let content = file(0x0802, &[2, 3], &[1, 2, 3, 4, 5, 6]);
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(&content).expect("in memory");
        let compressed = encoder.finish().expect("in memory");
        let expected = Idx { dimensions: vec![2, 3], bytes: vec![1, 2, 3, 4, 5, 6] };
        let path = folder.path().join("file");
        for bytes in [&content, &compressed] {
            std::fs::write(&path, bytes).expect("writable");
            assert_eq!(read(&path, 2).expect("valid"), expected);
        }
        std::fs::write(&path, &compressed[..compressed.len() - 5]).expect("writable");
        assert!(read(&path, 2).is_err(), "a compressed file that is cut off");
        let mut wrong = compressed.clone();
        let checksum = wrong.len() - 8;
        wrong[checksum] ^= 1;
        std::fs::write(&path, &wrong).expect("writable");
        assert!(read(&path, 2).is_err(), "a compressed file with a wrong checksum");
    }

    #[test]
    fn anything_else_is_refused() {
        let cases = [
            (file(0x0801, &[2], &[1, 2]), "begins with 0x00000801"),
            (file(0x0802, &[2], &[]), "ends within its header"),
            (file(0x0802, &[2, 2], &[1, 2, 3]), "is cut off: 4 bytes"),
            (file(0x0802, &[2, 2], &[1, 2, 3, 4, 5]), "goes on after the 4 bytes"),
            (file(0x0802, &[u32::MAX, u32::MAX], &[1]), "is cut off"),
        ];
        for (content, message) in cases {
            let error = parse(&mut content.as_slice(), 2).expect_err(message).to_string();
            assert!(error.contains(message), "{error}");
        }
    }
}
