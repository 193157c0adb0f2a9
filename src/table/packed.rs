//! Files that may be packed with gzip, whatever their names say.

use std::io::{self, BufReader, Cursor, Read};

use flate2::bufread::MultiGzDecoder;

/// What a file holds, unpacked if it begins as gzip does.
///
/// # Errors
/// If its beginning cannot be read.
pub(crate) fn unpacked(mut raw: impl Read + Send + 'static) -> io::Result<Box<dyn Read + Send>> {
    const GZIP: [u8; 2] = [0x1f, 0x8b];
    let mut start = Vec::new();
    raw.by_ref().take(GZIP.len() as u64).read_to_end(&mut start)?;
    let is_packed = start == GZIP;
    let whole = BufReader::with_capacity(1 << 16, Cursor::new(start).chain(raw));
    Ok(if is_packed { Box::new(MultiGzDecoder::new(whole)) } else { Box::new(whole) })
}
