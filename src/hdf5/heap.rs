//! The global heap: where the rows of ragged arrays are.
//!
//! An element of such an array is its length, the address of a collection, and the number of an object in
//! it. The crate follows these for text only. A collection is read whole, and the last one is kept: the rows of
//! an array stand one behind the other.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

/// Bytes of a reference with addresses of 8 bytes.
pub(super) const REFERENCE: usize = 16;
/// The largest collection; the HDF5 library makes them of 4 KiB, or as large as one row.
const LARGEST: u64 = 1 << 28;

/// The last collection that was read.
#[derive(Debug, Default)]
pub(super) struct Heap {
    address: u64,
    bytes: Vec<u8>,
}

impl Heap {
    /// The bytes of a row; `element` is how many bytes one number has. `base` is where addresses begin.
    pub(super) fn row(
        &mut self,
        (mut file, size): (&File, u64),
        base: u64,
        reference: [u8; REFERENCE],
        element: usize,
    ) -> Result<&[u8], String> {
        let length = u64::from(u32_at(&reference, 0)) * element as u64;
        let address = u64_at(&reference, 4).wrapping_add(base);
        let index = u32_at(&reference, 12);
        if length == 0 {
            return Ok(&[]);
        }
        if self.bytes.is_empty() || self.address != address {
            self.bytes.clear();
            let room = size.checked_sub(address).filter(|&room| room >= 16);
            let room =
                room.ok_or_else(|| format!("a row lies at byte {address}, beyond the file"))?;
            let mut head = [0; 16];
            let mut read = |bytes: &mut [u8], at| -> io::Result<()> {
                file.seek(SeekFrom::Start(at))?;
                file.read_exact(bytes)
            };
            read(&mut head, address).map_err(|error| error.to_string())?;
            let bytes = u64_at(&head, 8);
            if &head[..4] != b"GCOL" || bytes < 16 {
                return Err(format!("there are no rows at byte {address}"));
            }
            if bytes > room || bytes > LARGEST {
                return Err(format!(
                    "the rows at byte {address} claim {bytes} bytes: there are {room}, and {LARGEST} is the most"
                ));
            }
            self.bytes.resize(bytes as usize, 0);
            if let Err(error) = read(&mut self.bytes, address) {
                self.bytes.clear();
                return Err(error.to_string());
            }
            self.address = address;
        }
        // Objects one behind the other: number, uses, size, and the bytes, padded to 8.
        let mut at = 16;
        while let Some(head) = self.bytes.get(at..at + 16) {
            let number = u32::from(u16::from_le_bytes([head[0], head[1]]));
            let bytes = u64_at(head, 8);
            if number == 0 {
                break;
            }
            if number == index {
                let start = at + 16;
                let found =
                    (length <= bytes).then(|| self.bytes.get(start..start + length as usize));
                return found.flatten().ok_or_else(|| {
                    format!("row {index} at byte {address} claims {length} bytes, but has {bytes}")
                });
            }
            let step = bytes.min(LARGEST).div_ceil(8) * 8;
            at += 16 + step as usize;
        }
        Err(format!("there is no row {index} at byte {address}"))
    }
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}
