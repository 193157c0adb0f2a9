use super::*;

fn figure() -> Figure {
    let values = |shift: f64| {
        let values: Vec<f64> = (0..20).map(|index| 95.0 + shift + 0.1 * f64::from(index)).collect();
        Some(BoxOfValues { quartiles: [95.0, 95.5, 96.0, 96.5, 96.9].map(|v| v + shift), values })
    };
    let plot = BoxPlot {
        title: "Jitter <&> noise".to_owned(),
        x_label: "Jitter [τ_s]".to_owned(),
        y_label: "Test accuracy [%]".to_owned(),
        categories: ["0", "0.1", "∞"].map(str::to_owned).to_vec(),
        boxes: vec![
            vec![values(0.0), values(-1.0), values(-3.0)],
            vec![values(0.5), None, values(-9.0)],
        ],
        levels: vec![Some(95.0)],
        most: Some(100.0),
    };
    Figure {
        title: "A figure".to_owned(),
        plots: vec![plot.clone(), BoxPlot { boxes: vec![vec![None; 3]; 2], ..plot.clone() }, plot],
        columns: 2,
        size: (800, 600),
        series: vec!["one".to_owned(), "two".to_owned()],
    }
}

#[test]
fn the_svg_is_xml_with_every_box_and_dot() {
    let svg = figure().to_svg().expect("drawn");
    let document = roxmltree::Document::parse(&svg).expect("XML");
    let dots = document.descendants().filter(|node| node.has_tag_name("circle")).count();
    assert_eq!(dots, 2 * 5 * 20, "every value of the two plots that have some");
    let texts: Vec<&str> =
        document.descendants().filter_map(|node| node.attribute("aria-label")).collect();
    for text in ["Jitter <&> noise", "Jitter [τₛ]", "Test accuracy [%]", "∞", "two", "no results"]
    {
        assert!(texts.contains(&text), "{text}: {texts:?}");
    }
}

#[test]
fn the_same_figure_gives_the_same_bytes() {
    let (one, two) = (figure().to_png().expect("drawn"), figure().to_png().expect("drawn"));
    assert_eq!(one, two);
    let reader = png::Decoder::new(std::io::Cursor::new(&one)).read_info().expect("a PNG");
    assert_eq!(reader.info().size(), drawing::size(&figure()));
}

#[test]
fn what_cannot_be_drawn_is_refused() {
    let mut bad = figure();
    bad.plots[0].levels = vec![Some(f64::NAN)];
    assert!(bad.to_svg().expect_err("refused").to_string().contains("NaN is no value"));
    let huge = Figure { size: (19_000, 100), ..figure() };
    assert!(huge.to_svg().expect_err("refused").to_string().contains("too large"));
    let empty = Figure { plots: Vec::new(), ..figure() };
    assert!(empty.to_svg().expect_err("refused").to_string().contains("nothing to draw"));
}
