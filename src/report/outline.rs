//! Texts of an SVG as outlines: a picture that looks the same in every viewer, in print, and where
//! there is no font at all.
//!
//! Each letter is defined once and used wherever it stands, at the place and size that the drawing
//! code gave to its text; the text itself stays in the file as the group's label, for readers who
//! listen to a page and for programs that search it.

use std::collections::BTreeMap;
use std::fmt::Write;

use ttf_parser::{Face, GlyphId, OutlineBuilder};

/// Puts outlines in place of the `<text>` elements of an SVG that plotters drew. None if the font is
/// damaged or the SVG is not as plotters writes it.
pub(super) fn outlined(svg: &str) -> Option<String> {
    let face = Face::parse(dejavu::sans::regular(), 0).ok()?;
    let mut letters = BTreeMap::new();
    let mut body = String::with_capacity(svg.len());
    let mut rest = svg;
    while let Some(start) = rest.find("<text ") {
        body.push_str(&rest[..start]);
        let (tag, after) = rest[start + "<text ".len()..].split_once('>')?;
        let (content, after) = after.split_once("</text>")?;
        write_text(&mut body, &face, &mut letters, tag, content.trim())?;
        rest = after;
    }
    body.push_str(rest);
    if letters.is_empty() {
        return Some(body);
    }
    let (head, body) = body.split_once('>')?;
    let mut whole = format!("{head} xmlns:xlink=\"http://www.w3.org/1999/xlink\">\n<defs>\n");
    for (id, outline) in letters.iter().filter(|(_, outline)| !outline.is_empty()) {
        writeln!(whole, "<path id=\"letter{id}\" d=\"{outline}\"/>").ok()?;
    }
    whole.push_str("</defs>");
    whole.push_str(body);
    Some(whole)
}

/// Writes a text, of which `tag` are the attributes and `content` is escaped.
fn write_text(
    out: &mut String,
    face: &Face<'_>,
    letters: &mut BTreeMap<u16, String>,
    tag: &str,
    content: &str,
) -> Option<()> {
    let number = |name: &str| attribute(tag, name)?.parse::<f64>().ok();
    let units = f64::from(face.units_per_em());
    let size = number("font-size")?;
    let scale = size / units;
    // The font does not say how high its small letters are; an x is.
    let small = f64::from(face.glyph_bounding_box(face.glyph_index('x')?)?.y_max) * scale;
    let drop = match attribute(tag, "dy")? {
        "0.76em" => 0.76 * size,
        "0.5ex" => 0.5 * small,
        "-0.5ex" => -0.5 * small,
        _ => return None,
    };
    let glyphs: Vec<GlyphId> = unescaped(content)
        .chars()
        .map(|letter| face.glyph_index(letter).unwrap_or_default())
        .collect();
    let advance = |glyph: &GlyphId| face.glyph_hor_advance(*glyph).map_or(0.0, f64::from);
    let width: f64 = glyphs.iter().map(advance).sum();
    let shift = match attribute(tag, "text-anchor")? {
        "start" => 0.0,
        "middle" => -0.5 * width * scale,
        "end" => -width * scale,
        _ => return None,
    };
    let turn = attribute(tag, "transform").map_or(String::new(), |turn| format!("{turn} "));
    let (x, y) = (number("x")? + shift, number("y")? + drop);
    write!(
        out,
        "<g role=\"img\" aria-label=\"{content}\" fill=\"{}\" opacity=\"{}\" \
         transform=\"{turn}translate({x:.2} {y:.2}) scale({scale:.6} -{scale:.6})\">",
        attribute(tag, "fill")?,
        attribute(tag, "opacity")?,
    )
    .ok()?;
    let mut place = 0.0;
    for glyph in &glyphs {
        let outline = letters.entry(glyph.0).or_insert_with(|| outline(face, *glyph));
        if !outline.is_empty() {
            write!(out, "<use xlink:href=\"#letter{}\" x=\"{place}\"/>", glyph.0).ok()?;
        }
        place += advance(glyph);
    }
    out.push_str("</g>");
    Some(())
}

fn attribute<'t>(tag: &'t str, name: &str) -> Option<&'t str> {
    let mut rest = tag;
    loop {
        let (found, after) = rest.trim_start().split_once("=\"")?;
        let (value, after) = after.split_once('"')?;
        if found == name {
            return Some(value);
        }
        rest = after;
    }
}

fn unescaped(content: &str) -> String {
    content
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&apos;", "'")
        .replace("&#39;", "'")
        .replace("&amp;", "&")
}

/// The outline of a letter in units of the font, upwards.
fn outline(face: &Face<'_>, glyph: GlyphId) -> String {
    let mut path = Path(String::new());
    // A blank has none.
    let _ = face.outline_glyph(glyph, &mut path);
    path.0
}

/// Writes the data of an SVG path. A string takes whatever is written.
struct Path(String);

impl OutlineBuilder for Path {
    fn move_to(&mut self, x: f32, y: f32) {
        let _ = write!(self.0, "M{x} {y}");
    }

    fn line_to(&mut self, x: f32, y: f32) {
        let _ = write!(self.0, "L{x} {y}");
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        let _ = write!(self.0, "Q{x1} {y1} {x} {y}");
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        let _ = write!(self.0, "C{x1} {y1} {x2} {y2} {x} {y}");
    }

    fn close(&mut self) {
        self.0.push('Z');
    }
}

#[cfg(test)]
mod tests {
    use plotters::prelude::*;
    use plotters::style::text_anchor::{HPos, Pos, VPos};

    use super::*;

    fn drawn(text: &str, side: HPos) -> String {
        super::super::picture::register_sans_serif().expect("the font");
        let mut svg = String::new();
        {
            let area = SVGBackend::with_string(&mut svg, (400, 100)).into_drawing_area();
            let style = TextStyle::from(("sans-serif", 40)).pos(Pos::new(side, VPos::Center));
            area.draw(&Text::new(text.to_owned(), (200, 50), style)).expect("drawn");
            area.present().expect("drawn");
        }
        svg
    }

    /// The shift of the text and the places of its letters.
    fn places(svg: &str) -> (String, Vec<(String, f64)>) {
        let document = roxmltree::Document::parse(svg).expect("XML");
        let group = document.descendants().find(|node| node.has_tag_name("g")).expect("a text");
        let uses = group.children().filter(|node| node.has_tag_name("use"));
        let letters = uses.map(|node| {
            let link = node.attribute(("http://www.w3.org/1999/xlink", "href")).expect("a link");
            let id = link.strip_prefix('#').expect("a link in this file");
            let defined = document.descendants().find(|node| node.attribute("id") == Some(id));
            let outline = defined.and_then(|node| node.attribute("d")).expect("an outline");
            (outline.to_owned(), node.attribute("x").expect("a place").parse().expect("a number"))
        });
        (group.attribute("transform").expect("a place").to_owned(), letters.collect())
    }

    #[test]
    fn every_letter_is_drawn_and_the_text_stays_readable() {
        let svg = outlined(&drawn("a <b> & a", HPos::Left)).expect("plotters' SVG");
        assert!(!svg.contains("<text") && !svg.contains("font-family"), "{svg}");
        let document = roxmltree::Document::parse(&svg).expect("XML");
        let label = document.descendants().find_map(|node| node.attribute("aria-label"));
        assert_eq!(label, Some("a <b> & a"));
        let (_, letters) = places(&svg);
        assert_eq!(letters.len(), 6, "blanks have no outline");
        assert_eq!(letters[0].0, letters[5].0, "both are an a");
        assert!(letters.windows(2).all(|pair| pair[0].1 < pair[1].1));
        assert_eq!(document.descendants().filter(|node| node.has_tag_name("path")).count(), 5);
    }

    #[test]
    fn texts_end_where_they_are_anchored() {
        let x = |side| {
            let (transform, letters) = places(&outlined(&drawn("mm", side)).expect("an SVG"));
            let place = transform.strip_prefix("translate(").and_then(|t| t.split_once(' '));
            let start: f64 = place.expect("a place").0.parse().expect("a number");
            let scale = transform.split("scale(").nth(1).and_then(|t| t.split_once(' '));
            let scale: f64 = scale.expect("a scale").0.parse().expect("a number");
            (start, 2.0 * letters[1].1 * scale)
        };
        let (left, width) = x(HPos::Left);
        assert!((left - 200.0).abs() < 0.02 && width > 20.0);
        assert!((x(HPos::Center).0 + 0.5 * width - 200.0).abs() < 0.02);
        assert!((x(HPos::Right).0 + width - 200.0).abs() < 0.02);
    }

    #[test]
    fn what_plotters_did_not_write_is_no_picture() {
        assert_eq!(outlined("<svg><text x=\"1\">a</text></svg>"), None);
        assert_eq!(outlined("<svg><text "), None);
    }
}
