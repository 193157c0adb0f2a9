//! What all pictures have in common: hues, font, and how a drawing becomes a file.

use std::error::Error;

use plotters::prelude::*;
use plotters::style::register_font;

use super::canvas::{Canvas, Drawn};
use super::outline::outlined;

/// A picture that cannot be drawn.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PictureError {
    /// There are no plots.
    #[error("picture: there is nothing to draw")]
    Empty,
    /// There are no neurons.
    #[error("picture: there is nothing to draw: no neuron spikes")]
    NoNeurons,
    /// A value is not finite, or too large.
    #[error("picture: {value} is no value for a picture")]
    Value {
        /// The value.
        value: f64,
    },
    /// The picture would be too large.
    #[error("picture: {width} × {height} pixels are too large: at most {most}")]
    TooLarge {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
        /// What each may be at most.
        most: u32,
    },
    /// The size that was asked for is out of range.
    #[error("picture: {width} x {height} pixels: width and height must be from {least} to {most}")]
    Size {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
        /// What each must be at least.
        least: u32,
        /// What each may be at most.
        most: u32,
    },
    /// There are no populations, or too many.
    #[error("picture: {found} populations; from 1 to {most} can be drawn")]
    PopulationCount {
        /// How many there are.
        found: usize,
        /// How many there may be.
        most: usize,
    },
    /// There are no neurons, or too many.
    #[error("picture: {found} neurons: there must be from 1 to {most}")]
    NeuronCount {
        /// How many there are.
        found: usize,
        /// How many there may be.
        most: usize,
    },
    /// Times of the window cannot be told apart on an axis.
    #[error("picture: the window {from} to {to} is too short")]
    WindowTooShort {
        /// Its beginning.
        from: f64,
        /// Its end.
        to: f64,
    },
    /// Potentials of a neuron are not finite, or too large.
    #[error("picture: potentials of {neuron} from {low} to {high}")]
    Potentials {
        /// Name of the neuron.
        neuron: String,
        /// The lowest.
        low: f64,
        /// The highest.
        high: f64,
    },
    /// The decisions of a class map do not fill its grid.
    #[error("picture: {decisions} decisions do not fill a grid of {resolution} x {resolution}")]
    Grid {
        /// How many decisions there are.
        decisions: usize,
        /// Cells along each side of the grid.
        resolution: usize,
    },
    /// The range of an axis is empty, too narrow or too large.
    #[error("picture: bad {axis} range: {low} to {high}")]
    AxisRange {
        /// `x` or `y`.
        axis: &'static str,
        /// Its beginning.
        low: f64,
        /// Its end.
        high: f64,
    },
    /// A sample is outside of the class map.
    #[error("picture: sample {sample} at ({x}, {y}) is outside the extent")]
    SampleOutside {
        /// Which, from 0.
        sample: usize,
        /// Its first coordinate.
        x: f64,
        /// Its second coordinate.
        y: f64,
    },
    /// A class has no name.
    #[error("picture: class {class} has no name: there are {names}")]
    NoClassName {
        /// The class.
        class: usize,
        /// How many names there are.
        names: usize,
    },
    /// The font that ships with the program cannot be read.
    #[error("picture: the built-in font is damaged")]
    DamagedFont,
    /// The drawing code failed.
    #[error("picture: drawing failed")]
    Drawing(#[source] Box<dyn Error + Send + Sync>),
}

impl PictureError {
    pub(super) fn drawing(error: impl Error + Send + Sync + 'static) -> Self {
        PictureError::Drawing(error.into())
    }
}

/// How much lower the text of a PNG must be written to be where it is in an SVG, as a fraction of
/// its size.
pub(super) const PNG_TEXT_DROP: f64 = 0.12;

/// The hues of Okabe and Ito, which colour-blind readers can tell apart; their black, which is kept for
/// the rings, is replaced by Paul Tol's indigo. Brown and violet are those that are farthest from all of
/// them, for ten classes. Yellow is the last: it is too pale for lines on white.
pub(super) const PALETTE: [RGBColor; 10] = [
    RGBColor(0, 114, 178),
    RGBColor(230, 159, 0),
    RGBColor(0, 158, 115),
    RGBColor(213, 94, 0),
    RGBColor(86, 180, 233),
    RGBColor(204, 121, 167),
    RGBColor(51, 34, 136),
    RGBColor(102, 37, 6),
    RGBColor(153, 34, 255),
    RGBColor(240, 228, 66),
];

/// Makes the font that ships with the program known to the drawing code; none if it is damaged.
pub(super) fn register_sans_serif() -> Option<()> {
    register_font("sans-serif", FontStyle::Normal, dejavu::sans::regular()).ok()
}

/// What can be drawn as SVG and as PNG.
pub(super) trait Drawing {
    /// Checks the input, and says how many pixels wide and high the picture is.
    fn size(&self) -> Result<(u32, u32), PictureError>;

    /// Draws on a canvas of that size.
    fn draw<DB: DrawingBackend>(&self, canvas: &Canvas<DB>) -> Drawn<DB>;
}

/// A picture as an SVG document, its texts as outlines.
pub(super) fn svg(drawing: &impl Drawing) -> Result<String, PictureError> {
    let size = prepare(drawing)?;
    let mut svg = String::new();
    let canvas = Canvas::new(SVGBackend::with_string(&mut svg, size), 0.0);
    drawing.draw(&canvas).map_err(PictureError::drawing)?;
    drop(canvas);
    outlined(&svg).ok_or(PictureError::DamagedFont)
}

/// A picture as a PNG file.
pub(super) fn png(drawing: &impl Drawing) -> Result<Vec<u8>, PictureError> {
    let size = prepare(drawing)?;
    let mut pixels = vec![0; 3 * size.0 as usize * size.1 as usize];
    let canvas = Canvas::new(BitMapBackend::with_buffer(&mut pixels, size), PNG_TEXT_DROP);
    drawing.draw(&canvas).map_err(PictureError::drawing)?;
    drop(canvas);
    png_file(&pixels, size).map_err(PictureError::drawing)
}

fn prepare(drawing: &impl Drawing) -> Result<(u32, u32), PictureError> {
    let size = drawing.size()?;
    register_sans_serif().ok_or(PictureError::DamagedFont)?;
    Ok(size)
}

/// Pixels of three bytes, row by row, as a PNG file.
pub(super) fn png_file(
    pixels: &[u8],
    (width, height): (u32, u32),
) -> Result<Vec<u8>, png::EncodingError> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels)?;
    writer.finish()?;
    Ok(file)
}
