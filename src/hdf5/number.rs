//! Numbers as HDF5 stores them, of any width, sign and byte order.

use hdf5_pure::{Datatype, DatatypeByteOrder};

/// How the numbers of a data set are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NumberType {
    size: usize,
    big_endian: bool,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Float,
    Signed,
    Unsigned,
}

impl NumberType {
    /// The type, if it is one of whole bytes: floats of 2, 4 and 8, integers and Booleans of 1, 2, 4 and 8.
    pub(super) fn of(datatype: &Datatype) -> Option<Self> {
        let is_big = |order: &DatatypeByteOrder| match order {
            DatatypeByteOrder::LittleEndian => Some(false),
            DatatypeByteOrder::BigEndian => Some(true),
            _ => None,
        };
        let (size, big_endian, kind) = match datatype {
            Datatype::FloatingPoint { size, byte_order, layout } => {
                // The exponent tells IEEE numbers from others of the same width, such as bfloat16.
                let is_ieee = matches!((size, layout.exponent_size), (2, 5) | (4, 8) | (8, 11));
                (*size, is_big(byte_order).filter(|_| is_ieee)?, Kind::Float)
            }
            Datatype::FixedPoint { size, byte_order, layout } => {
                if layout.bit_offset != 0 || u32::from(layout.bit_precision) != 8 * size {
                    return None;
                }
                let kind = if layout.signed { Kind::Signed } else { Kind::Unsigned };
                (*size, is_big(byte_order)?, kind)
            }
            // h5py's Booleans.
            Datatype::Enumeration { base_type, .. } => return Self::of(base_type),
            _ => return None,
        };
        matches!(size, 1 | 2 | 4 | 8).then_some(NumberType {
            size: size as usize,
            big_endian,
            kind,
        })
    }

    pub(super) fn size(self) -> usize {
        self.size
    }

    pub(super) fn is_whole(self) -> bool {
        self.kind != Kind::Float
    }

    /// Numbers as doubles, appended. Integers beyond 2^53 are rounded.
    pub(super) fn doubles(self, bytes: &[u8], into: &mut Vec<f64>) {
        match (self.kind, self.size) {
            (Kind::Float, 8) => self.decode(bytes, into, f64::from_bits),
            (Kind::Float, 4) => {
                self.decode(bytes, into, |bits| f64::from(f32::from_bits(bits as u32)))
            }
            (Kind::Float, _) => self.decode(bytes, into, |bits| half(bits as u16)),
            (Kind::Unsigned, _) => self.decode(bytes, into, |bits| bits as f64),
            (Kind::Signed, _) => self.decode(bytes, into, |bits| self.signed(bits) as f64),
        }
    }

    /// Numbers as integers, appended; the place and the value of the first that is none.
    pub(super) fn integers(self, bytes: &[u8], into: &mut Vec<i64>) -> Result<(), (usize, f64)> {
        match self.kind {
            Kind::Signed => self.decode(bytes, into, |bits| self.signed(bits)),
            Kind::Unsigned => {
                let start = into.len();
                self.decode(bytes, into, |bits| bits as i64);
                if self.size == 8
                    && let Some(place) = into[start..].iter().position(|&value| value < 0)
                {
                    return Err((place, into[start + place] as u64 as f64));
                }
            }
            Kind::Float => {
                let mut doubles = Vec::new();
                self.doubles(bytes, &mut doubles);
                // 2^63, the first double that is too large.
                let most = 9_223_372_036_854_775_808.0;
                for (place, &value) in doubles.iter().enumerate() {
                    if value.trunc() != value || !(value < most && value >= -most) {
                        return Err((place, value));
                    }
                    into.push(value as i64);
                }
            }
        }
        Ok(())
    }

    fn signed(self, bits: u64) -> i64 {
        let unused = 64 - 8 * self.size as u32;
        (bits << unused) as i64 >> unused
    }

    fn decode<T>(self, bytes: &[u8], into: &mut Vec<T>, number: impl Fn(u64) -> T) {
        into.reserve(bytes.len() / self.size);
        into.extend(bytes.chunks_exact(self.size).map(|bytes| {
            let mut bits = [0; 8];
            if self.big_endian {
                bits[8 - self.size..].copy_from_slice(bytes);
                number(u64::from_be_bytes(bits))
            } else {
                bits[..self.size].copy_from_slice(bytes);
                number(u64::from_le_bytes(bits))
            }
        }));
    }
}

/// A number of half precision: a bit of sign, 5 of exponent, 10 of fraction.
fn half(bits: u16) -> f64 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 0x1f), f64::from(bits & 0x3ff));
    sign * match exponent {
        0 => fraction * 2f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1024.0 + fraction) * 2f64.powi(exponent - 25),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_read() {
        for (bits, value) in [
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x7bff, 65504.0),
            (0x0001, 5.960_464_477_539_063e-8),
            (0x3555, 0.333_251_953_125),
            (0xfc00, f64::NEG_INFINITY),
        ] {
            assert_eq!(half(bits), value, "{bits:x}");
        }
        assert!(half(0x7e00).is_nan());
    }
}
