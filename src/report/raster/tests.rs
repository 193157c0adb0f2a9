//! Rasters against a slow twin, and the pictures of them.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::figure::Figure;
use super::terminal::{Marks, Page, page};
use super::*;
use crate::trace::recording::Recording;

/// A spike as the twin knows it: sample, population, neuron, time.
type Spike = (u32, u16, u32, f64);

fn recording(spikes: &[Spike]) -> Recording {
    Recording {
        time_unit: Some("ms".to_owned()),
        populations: ["input", "hidden", "label"].map(str::to_owned).to_vec(),
        times: spikes.iter().map(|spike| spike.3).collect(),
        neurons: spikes.iter().map(|spike| spike.2).collect(),
        population: spikes.iter().map(|spike| spike.1).collect(),
        samples: spikes.iter().map(|spike| spike.0).collect(),
        ..Recording::default()
    }
}

fn raster(spikes: &[Spike], selection: &Selection) -> Raster {
    Raster::new(&recording(spikes), selection).expect("something is selected")
}

/// Counts a view one spike and one neuron at a time.
fn slow_count(
    raster: &Raster,
    spikes: &[Spike],
    view: &View,
    stack: &Stack,
    grid: Grid,
) -> BTreeMap<(usize, usize, usize), u32> {
    let mut counts = BTreeMap::new();
    for &(sample, population, neuron, time) in spikes {
        let strip = raster.samples.iter().position(|&one| one == sample).expect("all are shown");
        let row = Row { population, neuron };
        let row = raster.rows.iter().position(|one| *one == row).expect("all have a row") as u32;
        let (start, end) = (raster.time_at(strip, view.x.0), raster.time_at(strip, view.x.1));
        let band = raster.bands.iter().position(|band| band.rows.contains(&row)).expect("a band");
        let per_line = (view.y.1 - view.y.0) / grid.lines as f64;
        let up = (stack.middle(&raster.bands, band, row) - view.y.0) / per_line;
        if time < start || time > end || !(0.0..grid.lines as f64).contains(&up) {
            continue;
        }
        let scale = grid.columns as f64 / (view.x.1 - view.x.0);
        let column = (((time - start) * scale) as usize).min(grid.columns - 1);
        let line = grid.lines - 1 - up as usize;
        *counts.entry((line, usize::from(population), column)).or_insert(0) += 1;
    }
    counts
}

/// Spikes of three populations and some samples, many of them at the same time.
fn spikes() -> impl Strategy<Value = Vec<Spike>> {
    let spike =
        (0_u32..4, 0_u16..3, 0_u32..40, (0_u32..400).prop_map(|time| f64::from(time) * 0.25));
    prop::collection::vec(spike, 1..300)
}

fn sort() -> impl Strategy<Value = Sort> {
    prop::sample::select(vec![Sort::Population, Sort::Index, Sort::FirstSpike])
}

proptest! {
    #[test]
    fn counts_are_those_of_a_slow_twin(
        spikes in spikes(),
        sort in sort(),
        columns in 1_usize..50,
        lines in 1_usize..30,
        // Ends of the view in sixteenths, which meet spikes and rows, and thirds, which do not.
        x in (0_u8..16, 1_u8..=16),
        y in (0_u8..3, 1_u8..=3),
    ) {
        let raster = raster(&spikes, &Selection { sort, ..Selection::default() });
        let stack = Stack::new(&raster.bands, 20, 1, 0.25);
        let whole = raster.whole(&stack);
        let part = |(from, length): (u8, u8), of: f64, whole: (f64, f64)| {
            let step = (whole.1 - whole.0) / of;
            (f64::from(from) * step, f64::from(from + length) * step)
        };
        let view = View { x: part(x, 16.0, whole.x), y: part(y, 3.0, whole.y) };
        let grid = Grid { columns, lines, tallest: 1 };
        let cells = raster.count(&view, &stack, grid);
        let mut found = BTreeMap::new();
        for (index, mark) in cells.marks.iter().enumerate() {
            for (column, &count) in cells.counts(index).iter().enumerate() {
                if count > 0 {
                    prop_assert_eq!(mark.lines.len(), 1);
                    *found.entry((mark.lines.start, mark.hue, column)).or_insert(0) += count;
                }
            }
        }
        prop_assert_eq!(found, slow_count(&raster, &spikes, &view, &stack, grid));
    }

    #[test]
    fn every_spike_is_there_once_and_rows_are_in_order(spikes in spikes(), sort in sort()) {
        let raster = raster(&spikes, &Selection { sort, ..Selection::default() });
        let mut found: Vec<Spike> = Vec::new();
        for (index, row) in raster.rows.iter().enumerate() {
            let train = raster.spikes_of(index as u32);
            let place = |spike: &RowSpike| (spike.sample, spike.time);
            prop_assert!(train.is_sorted_by(|one, other| place(one) <= place(other)));
            found.extend(train.iter().map(|spike| {
                (spike.sample.expect("there are samples"), row.population, row.neuron, spike.time)
            }));
        }
        let order = |one: &Spike, other: &Spike| one.partial_cmp(other).expect("no NaN");
        let mut expected = spikes.clone();
        expected.sort_by(order);
        found.sort_by(order);
        prop_assert_eq!(found, expected);

        for band in &raster.bands {
            let rows = &raster.rows[band.rows.start as usize..band.rows.end as usize];
            match sort {
                Sort::Population => prop_assert!(rows.is_sorted_by_key(|row| row.neuron)),
                Sort::Index => {
                    prop_assert!(rows.is_sorted_by_key(|row| (row.neuron, row.population)));
                }
                Sort::FirstSpike => {
                    let first = |row: &Row| {
                        let own = spikes.iter().filter(|spike| {
                            (spike.1, spike.2) == (row.population, row.neuron)
                        });
                        own.map(|spike| (spike.0, spike.3.to_bits())).min().unwrap_or((u32::MAX, 0))
                    };
                    prop_assert!(rows.is_sorted_by_key(first));
                }
            }
        }
    }

    #[test]
    fn any_size_can_be_drawn(
        spikes in spikes(), width in 20_u16..150, height in 1_u16..60, sort in sort(),
        marks in prop::sample::select(vec![Marks::Braille, Marks::Blocks, Marks::Ascii]),
    ) {
        let raster = raster(&spikes, &Selection { sort, ..Selection::default() });
        let text = page(&raster, &Page { title: "t", width, height, marks, colour: false });
        prop_assert!(text.lines().all(|line| line.chars().count() <= usize::from(width)));
        prop_assert!(marks != Marks::Ascii || text.is_ascii());
    }
}

#[test]
fn a_selection_is_what_was_asked_for() {
    let spikes = [(0, 0, 0, 1.0), (0, 1, 3, 2.0), (1, 1, 3, 2.5), (1, 2, 1, 4.0), (2, 1, 0, 3.0)];
    let all = Selection::default();
    let times = |selection: &Selection| {
        let raster = raster(&spikes, selection);
        (raster.times.clone(), raster.rows.len())
    };
    let ranges = |text: &str| text.parse().ok();
    assert_eq!(times(&all).0, [1.0, 2.0, 2.5, 4.0, 3.0]);
    let window = "2:4".parse().expect("a window");
    assert_eq!(times(&Selection { window, ..all.clone() }).0, [2.0, 2.5, 3.0]);
    let populations = vec!["label".to_owned(), "input".to_owned()];
    let two = Selection { populations, ..all.clone() };
    assert_eq!(times(&two), (vec![1.0, 4.0], 3));
    assert_eq!(raster(&spikes, &two).bands[0].name, "label", "the first one asked for is lowest");
    assert_eq!(times(&Selection { samples: ranges("1-7"), ..all.clone() }).0, [2.5, 4.0, 3.0]);
    assert_eq!(times(&Selection { most_samples: Some(1), ..all.clone() }).0, [1.0, 2.0]);
    assert_eq!(times(&Selection { neurons: ranges("3"), ..all.clone() }), (vec![2.0, 2.5], 1));

    let refused = |selection: Selection| {
        Raster::new(&recording(&spikes), &selection).expect_err("nothing is selected").to_string()
    };
    assert_eq!(
        refused(Selection { populations: vec!["x".to_owned()], ..all.clone() }),
        "there is no population `x`; there are input, hidden, label"
    );
    assert_eq!(
        refused(Selection { samples: ranges("7-9"), ..all.clone() }),
        "no sample of 7-9 is in the trace: its samples are 0 to 2"
    );
    assert_eq!(
        refused(Selection { neurons: ranges("9"), ..all }),
        "no neuron of 9 is in the trace: its neurons are 0 to 3"
    );
}

#[test]
fn silent_neurons_have_rows_but_scattered_indices_do_not() {
    let neurons = |spikes: &[Spike]| -> Vec<u32> {
        raster(spikes, &Selection::default()).rows.iter().map(|row| row.neuron).collect()
    };
    assert_eq!(neurons(&[(0, 0, 1, 0.0), (0, 0, 4, 0.0)]), [0, 1, 2, 3, 4]);
    assert_eq!(neurons(&[(0, 0, 1001, 0.0), (0, 0, 1003, 0.0)]), [1001, 1002, 1003]);
    assert_eq!(neurons(&[(0, 0, 7, 0.0), (0, 0, u32::MAX, 0.0)]), [7, u32::MAX]);
}

#[test]
fn windows_hold_spikes_that_are_all_at_one_time_or_not_there() {
    let window = |spikes: &[Spike], window: &str| {
        let window =
            if window.is_empty() { Window::default() } else { window.parse().expect("one") };
        raster(spikes, &Selection { window, ..Selection::default() }).window
    };
    assert_eq!(window(&[(0, 0, 0, 5.0)], ""), (5.0, 6.0));
    assert_eq!(window(&[(0, 0, 0, 5.0)], "7:"), (7.0, 8.0));
    assert_eq!(window(&[(0, 0, 0, 5.0)], ":4"), (3.0, 4.0));
    assert_eq!(window(&[(0, 0, 0, 2.0), (0, 0, 0, 9.0)], ""), (0.0, 9.0), "zero is near");
    assert_eq!(window(&[(0, 0, 0, 8.0), (0, 0, 0, 9.0)], ""), (8.0, 9.0));
}

/// Spikes of a hundred neurons, `per_neuron` each, with no pattern to be seen.
fn many(per_neuron: u32) -> Vec<Spike> {
    let spike = |index: u32| {
        let scattered = f64::from(index.wrapping_mul(2_654_435_761) >> 8) / f64::from(1 << 24);
        (0, (index % 3) as u16, index / 3 % 34, 1000.0 * scattered)
    };
    (0..100 * per_neuron).map(spike).collect()
}

#[test]
fn a_picture_stays_small_whatever_the_number_of_spikes_and_says_what_was_merged() {
    let drawn = |per_neuron| {
        let raster = raster(&many(per_neuron), &Selection::default());
        Figure { raster: &raster, size: figure::SIZE }.to_svg().expect("drawn")
    };
    let labels = |svg: &str| -> Vec<String> {
        let document = roxmltree::Document::parse(svg).expect("XML");
        let labels = document.descendants().filter_map(|node| node.attribute("aria-label"));
        labels.map(str::to_owned).collect()
    };
    let few = drawn(1);
    assert!(!labels(&few).iter().any(|text| text.contains("spikes")), "{:?}", labels(&few));
    for text in ["time [ms]", "neuron", "input", "hidden", "label"] {
        assert!(labels(&few).iter().any(|label| label == text), "{text}: {:?}", labels(&few));
    }
    let crowd = drawn(3000);
    assert!(crowd.len() < 500_000, "{} bytes", crowd.len());
    assert!(labels(&crowd).iter().any(|text| text == "spikes per mark:"), "{:?}", labels(&crowd));
}

#[test]
fn the_same_raster_gives_the_same_bytes_on_any_number_of_threads() {
    let drawn = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        pool.install(|| {
            let raster = raster(&many(3000), &Selection::default());
            let figure = Figure { raster: &raster, size: (500, 400) };
            (figure.to_svg().expect("drawn"), figure.to_png().expect("drawn"))
        })
    };
    assert!(drawn(1) == drawn(4));
}

#[test]
fn marks_of_a_png_are_where_those_of_the_svg_are() {
    let raster = raster(&[(0, 0, 0, 0.0), (0, 0, 1, 10.0)], &Selection::default());
    let figure = Figure { raster: &raster, size: (600, 400) };
    let svg = figure.to_svg().expect("drawn");
    let path = svg.split("<path fill=\"#0072B2\" d=\"M").nth(1).expect("a mark of the first hue");
    let number = |text: &str| -> usize { text.parse().expect("a number") };
    let (left, rest) = path.split_once(' ').expect("two numbers");
    let (top, rest) = rest.split_once('h').expect("a width");
    let (width, rest) = rest.split_once('v').expect("a height");
    let (left, top, width) = (number(left), number(top), number(width));
    let height = number(rest.split_once('h').expect("the way back").0);
    let png = figure.to_png().expect("drawn");
    let mut reader = png::Decoder::new(png.as_slice()).read_info().expect("a PNG");
    let mut pixels = vec![0; reader.output_buffer_size()];
    reader.next_frame(&mut pixels).expect("pixels");
    let blue = |x: usize, y: usize| pixels[3 * (y * 600 + x)..][..3] == [0, 114, 178];
    assert!(blue(left, top) && blue(left + width - 1, top + height - 1));
    assert!(!blue(left, top - 1) && !blue(left + width, top) && !blue(left, top + height));
}
