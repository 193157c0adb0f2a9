//! What all drawings put on a picture: straight lines and texts that are where they should be.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

pub(super) type Drawn<DB, T = ()> =
    Result<T, DrawingAreaErrorKind<<DB as DrawingBackend>::ErrorType>>;

/// A blank picture.
pub(super) struct Canvas<DB: DrawingBackend> {
    pub area: DrawingArea<DB, Shift>,
    text_drop: f64,
}

impl<DB: DrawingBackend> Canvas<DB> {
    /// A canvas on which text is written lower than asked for, by `text_drop` times its size.
    pub fn new(backend: DB, text_drop: f64) -> Self {
        Canvas { area: backend.into_drawing_area(), text_drop }
    }

    /// A line along one of the axes, as a filled rectangle: the same in bitmaps.
    pub fn line(
        &self,
        from: (i32, i32),
        to: (i32, i32),
        colour: RGBColor,
        width: u32,
    ) -> Drawn<DB> {
        let (before, after) = ((width / 2) as i32, (width - width / 2) as i32);
        let corners = [
            (from.0.min(to.0) - before, from.1.min(to.1) - before),
            (from.0.max(to.0) + after, from.1.max(to.1) + after),
        ];
        self.area.draw(&Rectangle::new(corners, colour.filled()))
    }

    /// Writes `text` in black at half its height, cut to `width` pixels.
    pub fn text(
        &self,
        text: &str,
        size: u32,
        place: (i32, i32),
        side: HPos,
        width: u32,
    ) -> Drawn<DB> {
        self.coloured_text(text, size, place, side, width, BLACK)
    }

    /// The same in a colour.
    pub fn coloured_text(
        &self,
        text: &str,
        size: u32,
        (x, y): (i32, i32),
        side: HPos,
        width: u32,
        colour: RGBColor,
    ) -> Drawn<DB> {
        let style = style(size).color(&colour).pos(Pos::new(side, VPos::Center));
        let text = self.fit(text, size, width)?;
        self.area.draw(&Text::new(text, (x, y + self.drop(size)), style))
    }

    /// Writes `text` upwards, its middle at a place.
    pub fn upright(&self, text: &str, size: u32, (x, y): (i32, i32), width: u32) -> Drawn<DB> {
        let text = self.fit(text, size, width)?;
        let style = style(size)
            .transform(FontTransform::Rotate270)
            .pos(Pos::new(HPos::Center, VPos::Center));
        self.area.draw(&Text::new(text, (x + self.drop(size), y), style))
    }

    /// `text` as it is printed, without control characters, which XML forbids, and cut to `width`
    /// pixels, with an ellipsis where it was cut.
    pub fn fit(&self, text: &str, size: u32, width: u32) -> Drawn<DB, String> {
        let text = text.replace("τ_s", "τₛ").replace("τ_m", "τₘ");
        let mut kept: String = text.chars().filter(|letter| !letter.is_control()).collect();
        let mut shown = kept.clone();
        while self.width_of(&shown, size)? > width && kept.pop().is_some() {
            shown = format!("{}…", kept.trim_end());
        }
        Ok(shown)
    }

    /// Width of a text in pixels.
    pub fn width_of(&self, text: &str, size: u32) -> Drawn<DB, u32> {
        Ok(self.area.estimate_text_size(text, &style(size))?.0)
    }

    /// How much lower than asked for a text is written.
    pub fn drop(&self, text_size: u32) -> i32 {
        (self.text_drop * f64::from(text_size)).round() as i32
    }
}

fn style(size: u32) -> TextStyle<'static> {
    TextStyle::from(("sans-serif", size))
}
