//! Weight matrices in tiles of a few columns, so that a tile's sums stay in registers while the sweep
//! goes over all of its rows.

use crate::simd::Element;

/// Columns of a full tile, in units of the padding: as many registers as the sweeps hold.
pub(super) const REGISTERS: usize = 4;

/// How a matrix of one row per presynaptic and one column per postsynaptic neuron is laid out: tile
/// after tile, each a contiguous block of rows. The last tile may be narrower.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tiling {
    /// Presynaptic neurons and bias sources.
    pub rows: usize,
    /// Postsynaptic neurons.
    pub columns: usize,
    /// Columns are padded with zeros to a multiple of this.
    pub padding: usize,
}

/// A block of columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tile {
    /// Where its block begins in the matrix's data.
    pub start: usize,
    /// Its first column.
    pub column: usize,
    /// How many columns it has, padding included.
    pub width: usize,
}

/// Where the values of a column stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TiledColumn {
    first: usize,
    /// From one row to the next.
    step: usize,
}

impl TiledColumn {
    /// Where the value of a row stands.
    #[inline(always)]
    pub fn at(self, row: usize) -> usize {
        self.first + row * self.step
    }
}

/// The registers of a tile that a sweep holds together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// Registers per row of the tile.
    pub width: usize,
    /// The first of these, in registers.
    pub first: usize,
    /// How many, one to four.
    pub count: usize,
    /// The first of these columns in the layer.
    pub column: usize,
}

impl Tile {
    /// The tile in parts, for registers of so many lanes.
    #[inline(always)]
    pub(super) fn parts(&self, lanes: usize) -> impl Iterator<Item = Part> + use<> {
        let (width, column) = (self.width / lanes, self.column);
        (0..width).step_by(REGISTERS).map(move |first| Part {
            width,
            first,
            count: REGISTERS.min(width - first),
            column: column + first * lanes,
        })
    }
}

impl Tiling {
    /// Number of columns, padding included.
    pub fn padded_columns(&self) -> usize {
        self.columns.next_multiple_of(self.padding)
    }

    /// Number of values, padding included.
    pub fn value_count(&self) -> usize {
        self.rows * self.padded_columns()
    }

    /// Columns of a full tile.
    fn full(&self) -> usize {
        REGISTERS * self.padding
    }

    /// A tile by its number.
    fn tile(&self, number: usize) -> Tile {
        let column = number * self.full();
        let width = self.full().min(self.padded_columns() - column);
        Tile { start: self.rows * column, column, width }
    }

    /// All tiles, in order.
    pub fn tiles(self) -> impl ExactSizeIterator<Item = Tile> {
        (0..self.columns.div_ceil(self.full())).map(move |number| self.tile(number))
    }

    /// Largest number of values in a tile.
    pub fn largest_tile(&self) -> usize {
        self.rows * self.full().min(self.padded_columns())
    }

    /// Where the values of a column stand.
    pub fn column(&self, column: usize) -> TiledColumn {
        let Tile { start, column: first, width } = self.tile(column / self.full());
        TiledColumn { first: start + column - first, step: width }
    }

    /// Copies a matrix in rows into tiles.
    pub fn scatter<T: Element>(&self, matrix: &[f64], tiled: &mut [T]) {
        for tile in self.tiles() {
            let rows = tiled[tile.start..].chunks_exact_mut(tile.width);
            for (tiled, values) in rows.zip(matrix.chunks_exact(self.columns)) {
                for (tiled, &value) in tiled.iter_mut().zip(&values[tile.column..]) {
                    *tiled = T::from_f64(value);
                }
            }
        }
    }

    /// Copies tiles into a matrix in rows.
    pub fn gather<T: Element>(&self, tiled: &[T], matrix: &mut [f64]) {
        for tile in self.tiles() {
            let rows = tiled[tile.start..].chunks_exact(tile.width);
            for (tiled, values) in rows.zip(matrix.chunks_exact_mut(self.columns)) {
                for (value, &tiled) in values[tile.column..].iter_mut().zip(tiled) {
                    *value = tiled.to_f64();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_has_its_place_and_comes_back() {
        for columns in [1, 3, 10, 16, 17, 31, 32, 33, 120, 350, 400] {
            let tiling = Tiling { rows: 7, columns, padding: 8 };
            let matrix: Vec<f64> = (1..=7 * columns).map(|value| value as f64).collect();
            let mut tiled = vec![0.0f64; tiling.value_count()];
            tiling.scatter(&matrix, &mut tiled);
            let mut back = vec![0.0; matrix.len()];
            tiling.gather(&tiled, &mut back);
            assert_eq!(back, matrix);
            assert_eq!(tiled.iter().filter(|&&value| value == 0.0).count(), {
                7 * (tiling.padded_columns() - columns)
            });
            // The tiles cover the data without gap or overlap.
            let mut end = 0;
            for (row, column) in [(0, 0), (3, columns / 2), (6, columns - 1)] {
                assert_eq!(tiled[tiling.column(column).at(row)], matrix[row * columns + column]);
            }
            for tile in tiling.tiles() {
                assert_eq!(tile.start, end);
                end += tile.width * 7;
                assert_eq!(tiled[tile.start], matrix[tile.column]);
            }
            assert_eq!(end, tiling.value_count());
        }
    }
}
