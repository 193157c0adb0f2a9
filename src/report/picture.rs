//! What all pictures have in common: hues, font, and how a drawing becomes a file.

use std::error::Error;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::register_font;

use super::outline::outlined;

/// A picture that cannot be drawn.
#[derive(Debug, thiserror::Error)]
#[error("picture: {context}")]
pub struct PictureError {
    context: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl PictureError {
    /// There is something wrong with what is to be drawn.
    pub(super) fn input(context: impl Into<String>) -> Self {
        PictureError { context: context.into(), source: None }
    }

    /// The font that ships with the program cannot be read.
    pub(super) fn damaged_font() -> Self {
        PictureError::input("the built-in font is damaged")
    }

    /// The drawing code failed.
    pub(super) fn drawing(error: impl Error + Send + Sync + 'static) -> Self {
        PictureError { context: "drawing failed".to_owned(), source: Some(error.into()) }
    }
}

/// How much lower the text of a PNG must be written to be where it is in an SVG, as a fraction of
/// its size.
pub(super) const PNG_TEXT_DROP: f64 = 0.12;

/// The hues of Okabe and Ito, which colour-blind readers can tell apart; their black, which is
/// kept for the rings, is replaced by Paul Tol's indigo.
pub(super) const PALETTE: [RGBColor; 8] = [
    RGBColor(0, 114, 178),
    RGBColor(230, 159, 0),
    RGBColor(0, 158, 115),
    RGBColor(213, 94, 0),
    RGBColor(86, 180, 233),
    RGBColor(204, 121, 167),
    RGBColor(51, 34, 136),
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

    /// Draws on a backend of that size, with texts lower by this fraction of their size.
    fn draw<DB>(&self, backend: DB, text_drop: f64) -> Result<(), PictureError>
    where
        DB: DrawingBackend,
        DB::ErrorType: 'static;
}

/// A picture as an SVG document, its texts as outlines.
pub(super) fn svg(drawing: &impl Drawing) -> Result<String, PictureError> {
    let size = prepare(drawing)?;
    let mut svg = String::new();
    drawing.draw(SVGBackend::with_string(&mut svg, size), 0.0)?;
    outlined(&svg).ok_or_else(PictureError::damaged_font)
}

/// A picture as a PNG file.
pub(super) fn png(drawing: &impl Drawing) -> Result<Vec<u8>, PictureError> {
    let size = prepare(drawing)?;
    let mut pixels = vec![0; 3 * size.0 as usize * size.1 as usize];
    drawing.draw(BitMapBackend::with_buffer(&mut pixels, size), PNG_TEXT_DROP)?;
    png_file(&pixels, size).map_err(PictureError::drawing)
}

fn prepare(drawing: &impl Drawing) -> Result<(u32, u32), PictureError> {
    let size = drawing.size()?;
    register_sans_serif().ok_or_else(PictureError::damaged_font)?;
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

/// A text without control characters, cut to a width in pixels, with an ellipsis where it was cut.
pub(super) fn fitted<DB: DrawingBackend>(
    area: &DrawingArea<DB, Shift>,
    text: &str,
    style: &TextStyle<'_>,
    width: u32,
) -> Result<String, DrawingAreaErrorKind<DB::ErrorType>> {
    let mut kept: String = text.chars().filter(|letter| !letter.is_control()).collect();
    let mut shown = kept.clone();
    while area.estimate_text_size(&shown, style)?.0 > width && kept.pop().is_some() {
        shown = format!("{}…", kept.trim_end());
    }
    Ok(shown)
}
