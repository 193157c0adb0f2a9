//! Bilinear resizing with antialiasing, to the last bit as Pillow does it for images of bytes.
//!
//! Rows are resized first and rounded to bytes, then columns. Each new pixel is a weighted mean of
//! the old ones around its centre; the weights fall linearly to zero over as many old pixels as make
//! up a new one, and have 22 binary digits. (Resizers on crates.io that follow Pillow have weights of
//! 16 bits, and are off by one here and there: enough to turn dark pixels into spikes.)

const POINT: u32 = 22;

/// The weights that make up one new pixel.
struct Window {
    /// The first old pixel.
    first: usize,
    weights: Vec<i32>,
}

/// Makes squares of `to` × `to` bytes from squares of `from` × `from`; never larger ones.
pub(super) struct Reducer {
    from: usize,
    windows: Vec<Window>,
    /// Resized rows, from above to below.
    rows: Vec<u8>,
}

impl Reducer {
    pub fn new(from: usize, to: usize) -> Self {
        let scale = from as f64 / to as f64;
        let windows = (0..to)
            .map(|pixel| {
                let centre = (pixel as f64 + 0.5) * scale;
                // Conversion to integers cuts off, and makes what is negative zero.
                let first = (centre - scale + 0.5) as usize;
                let end = ((centre + scale + 0.5) as usize).min(from);
                let weight =
                    |old: usize| (1.0 - ((old as f64 + 0.5 - centre) / scale).abs()).max(0.0);
                let sum: f64 = (first..end).map(weight).sum();
                let fixed = |old| (weight(old) / sum * f64::from(1 << POINT)).round() as i32;
                Window { first, weights: (first..end).map(fixed).collect() }
            })
            .collect();
        Reducer { from, windows, rows: Vec::new() }
    }

    /// Appends the small square of a large one to `output`.
    pub fn reduce(&mut self, square: &[u8], output: &mut Vec<u8>) {
        let to = self.windows.len();
        self.rows.clear();
        for row in square.chunks_exact(self.from) {
            self.rows.extend(self.windows.iter().map(|window| window.mean(row, 1)));
        }
        for window in &self.windows {
            output.extend((0..to).map(|column| window.mean(&self.rows[column..], to)));
        }
    }
}

impl Window {
    /// The weighted mean of pixels that are `stride` apart.
    fn mean(&self, pixels: &[u8], stride: usize) -> u8 {
        let places = pixels.iter().skip(self.first * stride).step_by(stride);
        let sum: i32 =
            self.weights.iter().zip(places).map(|(weight, &pixel)| weight * i32::from(pixel)).sum();
        ((sum + (1 << (POINT - 1))) >> POINT).clamp(0, 255) as u8
    }
}
