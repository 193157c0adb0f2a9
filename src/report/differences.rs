//! How the spikes of two traces differ over time.
//!
//! One panel per population: a dot for each spike that both traces have, at its time and the
//! difference of its times; a mark at the lower edge for each that only the first has, at the upper
//! edge for each that only the second has. Dots and marks that would cover each other are drawn once.
//! As in [`box_plot`](super::box_plot), the same code draws SVG and PNG, with the font of the program.

mod drawing;

use plotters::prelude::*;

use super::canvas::{Canvas, Drawn};
use super::picture::{self, Drawing, PictureError};

/// Width of the picture, in pixels of the PNG and user units of the SVG.
pub const WIDTH: u32 = 1400;

/// Panels of the picture; any more do not fit on a page.
pub const MOST_PANELS: usize = 24;

/// The differences between two traces.
#[derive(Clone, Debug, PartialEq)]
pub struct Differences {
    /// Heading; none if empty.
    pub title: String,
    /// What the two traces are called.
    pub names: (String, String),
    /// Unit of all times; none if it is not known.
    pub time_unit: Option<String>,
    /// One per population.
    pub panels: Vec<Panel>,
}

/// The differences of a population.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Panel {
    /// Name of the population; none if empty.
    pub name: String,
    /// Time in the first trace, and how much later the spike is in the second. Finite.
    pub pairs: Vec<(f64, f64)>,
    /// Times of spikes of the first trace only. Finite.
    pub missing: Vec<f64>,
    /// Times of spikes of the second trace only. Finite.
    pub extra: Vec<f64>,
}

impl Differences {
    /// The picture as an SVG document.
    ///
    /// # Errors
    /// If there is no panel, there are too many, or a value is not finite.
    pub fn to_svg(&self) -> Result<String, PictureError> {
        picture::svg(self)
    }

    /// The picture as a PNG file.
    ///
    /// # Errors
    /// As [`to_svg`](Self::to_svg).
    pub fn to_png(&self) -> Result<Vec<u8>, PictureError> {
        picture::png(self)
    }
}

impl Drawing for Differences {
    fn size(&self) -> Result<(u32, u32), PictureError> {
        let count = self.panels.len();
        if !(1..=MOST_PANELS).contains(&count) {
            return Err(PictureError::PopulationCount { found: count, most: MOST_PANELS });
        }
        for panel in &self.panels {
            let values = panel.pairs.iter().flat_map(|&(time, difference)| [time, difference]);
            let mut values = values.chain(panel.missing.iter().chain(&panel.extra).copied());
            if let Some(value) = values.find(|value| !(value.abs() < 1e300)) {
                return Err(PictureError::Value { value });
            }
        }
        Ok(drawing::size(self))
    }

    fn draw<DB: DrawingBackend>(&self, canvas: &Canvas<DB>) -> Drawn<DB> {
        drawing::draw(self, canvas)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn differences() -> Differences {
        let pairs = (0..40).map(|spike| f64::from(spike) + 0.5);
        Differences {
            title: "ideal.csv <&> chip.csv".to_owned(),
            names: ("ideal".to_owned(), "chip".to_owned()),
            time_unit: Some("tau_s".to_owned()),
            panels: vec![
                Panel {
                    name: "hidden".to_owned(),
                    pairs: pairs.map(|time| (time, 1e-13 * time.sin())).collect(),
                    missing: vec![3.25, 30.0],
                    extra: vec![8.0],
                },
                Panel { name: "label".to_owned(), ..Panel::default() },
            ],
        }
    }

    #[test]
    fn the_svg_is_xml_with_every_spike_and_its_units() {
        let svg = differences().to_svg().expect("drawn");
        let document = roxmltree::Document::parse(&svg).expect("XML");
        let dots = document.descendants().filter(|node| node.has_tag_name("circle")).count();
        assert_eq!(dots, 40 + 1, "every pair, and one in the legend");
        let texts: Vec<&str> =
            document.descendants().filter_map(|node| node.attribute("aria-label")).collect();
        for text in ["hidden", "label", "Time [τₛ]", "Δt [10⁻¹⁵ τₛ]", "no spikes of both"]
        {
            assert!(texts.contains(&text), "{text}: {texts:?}");
        }
    }

    #[test]
    fn the_same_differences_give_the_same_bytes() {
        let (one, two) =
            (differences().to_png().expect("drawn"), differences().to_png().expect("drawn"));
        assert_eq!(one, two);
        let reader = png::Decoder::new(std::io::Cursor::new(&one)).read_info().expect("a PNG");
        assert_eq!(reader.info().size(), drawing::size(&differences()));
    }

    #[test]
    fn what_cannot_be_drawn_is_refused() {
        let mut bad = differences();
        bad.panels[0].extra[0] = f64::INFINITY;
        assert!(bad.to_svg().expect_err("refused").to_string().contains("inf is no value"));
        let many = Differences { panels: vec![Panel::default(); 25], ..differences() };
        assert!(many.to_svg().expect_err("refused").to_string().contains("25 populations"));
    }
}
