use super::drawing::{LEFT, SIDE, TOP, UNDECIDED, colour, tint};
use super::*;

/// The inputs of a map with something of everything, owned.
struct Sketch {
    decisions: Vec<Decision>,
    samples: Vec<MapSample>,
    class_names: Vec<String>,
}

impl Sketch {
    const RESOLUTION: usize = 40;

    /// A disc cut into two classes, with a hole without decision in the middle.
    fn new() -> Self {
        let centres = (0..Self::RESOLUTION).map(|i| (i as f64 + 0.5) / Self::RESOLUTION as f64);
        let decisions = centres
            .clone()
            .flat_map(|y| centres.clone().map(move |x| (x, y)))
            .map(|(x, y)| match (x - 0.5).hypot(y - 0.5) {
                0.5.. => Decision::Outside,
                ..0.1 => Decision::Undecided,
                _ => Decision::Class(usize::from(x < y)),
            })
            .collect();
        let sample = |x, y, label, decided| MapSample { x, y, label, decided };
        Self {
            decisions,
            samples: vec![
                sample(0.8, 0.3, 0, Some(0)),
                sample(0.2, 0.7, 0, Some(1)),
                sample(0.5, 0.5, 1, None),
            ],
            class_names: vec!["<yang>".to_owned(), "yin".to_owned()],
        }
    }

    fn map(&self) -> ClassMap<'_> {
        ClassMap {
            title: "accuracy & \u{7} more",
            resolution: Self::RESOLUTION,
            decisions: &self.decisions,
            extent: ((0.0, 1.0), (0.0, 1.0)),
            samples: &self.samples,
            class_names: &self.class_names,
            axis_labels: ("x", "y"),
        }
    }
}

/// Message of the refusal, which must be the same for both formats.
fn refusal(map: ClassMap) -> String {
    let message = map.to_svg().unwrap_err().to_string();
    assert_eq!(map.to_png().unwrap_err().to_string(), message);
    message
}

#[test]
fn the_svg_is_well_formed_and_has_every_sample_and_legend_entry() {
    let svg = Sketch::new().map().to_svg().unwrap();
    let document = roxmltree::Document::parse(&svg).unwrap();
    let all = |tag: &'static str| document.descendants().filter(move |n| n.has_tag_name(tag));

    // One dot for each sample, one more for each of the two rings; in the legend, one dot for
    // each class and two discs for the ring.
    assert_eq!(all("circle").count(), (3 + 2) + (2 + 2));
    let texts: Vec<&str> = all("g").filter_map(|n| n.attribute("aria-label")).collect();
    for expected in ["accuracy &  more", "<yang>", "yin", "undecided", "misclassified", "(2 of 3)"]
    {
        assert!(texts.contains(&expected), "no {expected:?} in {texts:?}");
    }
}

#[test]
fn the_png_has_the_stated_size_and_the_colours_of_the_classes() {
    let png = Sketch::new().map().to_png().unwrap();
    let mut reader = png::Decoder::new(png.as_slice()).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size()];
    let frame = reader.next_frame(&mut pixels).unwrap();
    assert_eq!((frame.width, frame.height), SIZE);
    assert_eq!(frame.color_type, png::ColorType::Rgb);

    // The middle of the lower right half, of the upper left half and of the hole.
    let pixel = |x: f64, y: f64| {
        let column = LEFT + (x * f64::from(SIDE)) as u32;
        let row = TOP + ((1.0 - y) * f64::from(SIDE)) as u32;
        let start = 3 * (row * SIZE.0 + column) as usize;
        RGBColor(pixels[start], pixels[start + 1], pixels[start + 2])
    };
    assert_eq!(pixel(0.7, 0.2), tint(0));
    assert_eq!(pixel(0.3, 0.8), tint(1));
    assert_eq!(pixel(0.5, 0.55), UNDECIDED);
    assert_eq!(pixel(0.03, 0.03), WHITE);
    assert_eq!(pixel(0.5, 0.5), colour(1)); // the undecided sample
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let sketch = Sketch::new();
    assert_eq!(sketch.map().to_svg().unwrap(), sketch.map().to_svg().unwrap());
    assert_eq!(sketch.map().to_png().unwrap(), sketch.map().to_png().unwrap());
}

#[test]
fn a_run_of_equal_cells_is_one_rectangle() {
    let decisions = vec![Decision::Class(0); 200 * 200];
    let sketch = Sketch::new();
    let map = ClassMap { resolution: 200, decisions: &decisions, samples: &[], ..sketch.map() };
    let svg = map.to_svg().unwrap();
    // Background and the swatches of two classes on top of the rows.
    assert_eq!(svg.matches("<rect").count(), 200 + 3);
}

#[test]
fn a_class_without_a_name_is_refused() {
    let sketch = Sketch::new();
    for (label, decided, class) in [(2, None, 2), (0, Some(9), 9)] {
        let samples = [MapSample { label, decided, ..sketch.samples[0] }];
        let message = refusal(ClassMap { samples: &samples, ..sketch.map() });
        assert_eq!(message, format!("picture: class {class} has no name: there are 2"));
    }
    let mut decisions = sketch.decisions.clone();
    decisions[7] = Decision::Class(2);
    refusal(ClassMap { decisions: &decisions, ..sketch.map() });
}

#[test]
fn impossible_geometry_is_refused() {
    let sketch = Sketch::new();
    for resolution in [Sketch::RESOLUTION + 1, usize::MAX] {
        refusal(ClassMap { resolution, ..sketch.map() });
    }
    let unit = (0.0, 1.0);
    for range in [
        (1.0, 0.0),
        (0.0, 0.0),
        (0.0, f64::NAN),
        (-f64::MAX, f64::MAX),
        (0.0, f64::MAX),
        (0.0, 5e-324),
        (f64::NAN, 1.0),
        (1.0, 1.0 + 1e-12),
    ] {
        refusal(ClassMap { extent: (range, unit), ..sketch.map() });
        refusal(ClassMap { extent: (unit, range), ..sketch.map() });
    }
    for x in [-0.1, 1.1, f64::NAN] {
        let samples = [MapSample { x, ..sketch.samples[0] }];
        refusal(ClassMap { samples: &samples, ..sketch.map() });
    }
}

#[test]
fn extremes_are_drawn() {
    let sketch = Sketch::new();
    let empty =
        ClassMap { resolution: 0, decisions: &[], samples: &[], class_names: &[], ..sketch.map() };
    for range in [(0.0, 2e-300), (-1e300, 1e300), (1.0, 1.0 + 1e-8), (-3.0, 5e6)] {
        let map = ClassMap { extent: (range, range), ..empty };
        map.to_svg().unwrap();
        map.to_png().unwrap();
    }
    let class_names = vec!["a class with a name as long as a sentence".to_owned(); 100];
    let svg = ClassMap { class_names: &class_names, ..sketch.map() }.to_svg().unwrap();
    assert!(svg.contains("…") && svg.contains("and 89 more"));
    assert!(!svg.contains("sentence"));
}
