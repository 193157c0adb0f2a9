//! Box plots of studies.

use super::{ALLOWED_LOSS, Axis, Combine, Quantity, Series, Statistics, Summary};
use crate::report::box_plot::{BoxOfValues, BoxPlot, Figure};
use crate::report::html::HeatMap;

/// Sizes of a plot in a figure of one study, and in an overview of several, in pixels.
const LARGE: (u32, u32) = (1000, 720);
const SMALL: (u32, u32) = (840, 620);

/// Everything that one study measured.
pub fn figure(summary: &Summary) -> Figure {
    let quantities = summary.quantities();
    Figure {
        title: summary.study.title.clone(),
        plots: match summary.study.is_search {
            true => search_plots(summary),
            false => quantities.iter().map(|&quantity| plot(summary, quantity, "")).collect(),
        },
        columns: 2,
        size: LARGE,
        series: summary.series.iter().map(|series| summary.name_of(series)).collect(),
    }
}

/// One quantity of several studies, side by side.
pub fn overview(summaries: &[Summary], quantity: Quantity) -> Figure {
    let most = summaries.iter().max_by_key(|summary| summary.series.len());
    let names = |summary: &Summary| -> Vec<String> {
        summary.series.iter().map(|series| summary.name_of(series)).collect()
    };
    Figure {
        title: String::new(),
        plots: summaries
            .iter()
            .enumerate()
            .map(|(index, summary)| {
                plot(summary, quantity, &format!("{} {}", letter(index), summary.study.title))
            })
            .collect(),
        columns: 3.min(summaries.len().max(1)),
        size: SMALL,
        series: most.map_or_else(Vec::new, names),
    }
}

/// The median accuracy over two axes, where a study has two: a map for each way of training.
pub fn heat_maps(summary: &Summary) -> Vec<HeatMap> {
    let study = &summary.study;
    let ([first, second], Combine::Grid) = (&study.axes[..], study.combine) else {
        return Vec::new();
    };
    let maps = study.variants.iter().map(|&variant| {
        let rows: Vec<&Series> =
            summary.series.iter().filter(|series| series.variant == variant).collect();
        let columns = rows.first().map_or(&[][..], |series| &series.groups);
        let median = |group: &super::Group| {
            let found = group.statistics(summary, Quantity::Accuracy)?;
            Some((100.0 * found.median).round() / 100.0)
        };
        HeatMap {
            title: match study.variants.len() {
                1 => "Median test accuracy".to_owned(),
                _ => format!("Median test accuracy, {}", variant.label()),
            },
            x_label: first.title(),
            y_label: second.title(),
            x: first.names_of(&columns.iter().map(|group| &group.value).collect::<Vec<_>>()),
            y: second
                .names_of(&rows.iter().filter_map(|row| row.others.first()).collect::<Vec<_>>()),
            values: rows.iter().map(|row| row.groups.iter().map(median).collect()).collect(),
            unit: "%",
        }
    });
    maps.collect()
}

/// `a`, `b`, … `z`, `aa`, …
fn letter(index: usize) -> String {
    let last = char::from(b'a' + (index % 26) as u8);
    if index < 26 { last.to_string() } else { format!("{}{last}", letter(index / 26 - 1)) }
}

fn plot(summary: &Summary, quantity: Quantity, title: &str) -> BoxPlot {
    let axis = summary.study.axes.first();
    let unit = summary.unit(quantity);
    let label = quantity.label();
    let categories = summary.series.first().map_or(&[][..], |series| &series.groups);
    BoxPlot {
        title: title.to_owned(),
        x_label: axis.map_or_else(String::new, Axis::title),
        y_label: if unit.is_empty() { label.to_owned() } else { format!("{label} [{unit}]") },
        categories: axis.map_or_else(Vec::new, |axis| {
            axis.names_of(&categories.iter().map(|group| &group.value).collect::<Vec<_>>())
        }),
        boxes: summary.series.iter().map(|series| boxes(summary, series, quantity)).collect(),
        levels: match quantity {
            Quantity::Accuracy => {
                summary.series.iter().map(|series| allowed(summary, series)).collect()
            }
            _ => Vec::new(),
        },
        most: (quantity == Quantity::Accuracy).then_some(100.0),
    }
}

/// The accuracy of a series that is just as good as its ideal.
fn allowed(summary: &Summary, series: &Series) -> Option<f64> {
    let ideal = summary.study.axes.first()?.ideal.as_ref()?;
    let group = series.groups.iter().find(|group| group.value.is(ideal))?;
    Some(group.statistics(summary, Quantity::Accuracy)?.median - ALLOWED_LOSS)
}

fn boxes(summary: &Summary, series: &Series, quantity: Quantity) -> Vec<Option<BoxOfValues>> {
    let of_group = |group: &super::Group| box_of(group.values(summary, quantity).into_iter());
    series.groups.iter().map(of_group).collect()
}

/// The box of those values that are finite.
fn box_of(values: impl Iterator<Item = f64>) -> Option<BoxOfValues> {
    let values: Vec<f64> = values.filter(|value| value.is_finite()).collect();
    let found = Statistics::of(values.iter().copied())?;
    let Statistics { minimum, lower_quartile, median, upper_quartile, maximum, .. } = found;
    let quartiles = [minimum, lower_quartile, median, upper_quartile, maximum];
    Some(BoxOfValues { quartiles, values })
}

/// How many parts an axis of a search is drawn in.
const PARTS: usize = 8;

/// How accuracy depends on each axis of a search: the trainings in parts of the axis with as many points each.
fn search_plots(summary: &Summary) -> Vec<BoxPlot> {
    let quantity = Quantity::Accuracy;
    let points = summary.study.points();
    let plot = |(index, axis): (usize, &Axis)| {
        let mut order: Vec<usize> = (0..points.len()).collect();
        let value = |point: usize| &points[point].0[index];
        order.sort_by(|&one, &two| match (value(one).number(), value(two).number()) {
            (Some(one), Some(two)) => one.total_cmp(&two),
            _ => value(one).to_string().cmp(&value(two).to_string()),
        });
        // Points with one value belong together.
        let mut parts: Vec<Vec<usize>> = Vec::new();
        for same in order.chunk_by(|&one, &two| value(one).is(value(two))) {
            match parts.last_mut() {
                Some(part)
                    if part.len() + same.len() <= points.len().div_ceil(PARTS)
                        && value(same[0]).number().is_some() =>
                {
                    part.extend(same);
                }
                _ => parts.push(same.to_vec()),
            }
        }
        let name = |part: &Vec<usize>| {
            let ends = [value(part[0]), value(part[part.len() - 1])];
            let names = axis.names_of(&ends);
            if ends[0].is(ends[1]) { names[0].clone() } else { names.join("–") }
        };
        let boxes = |series: &Series| -> Vec<Option<BoxOfValues>> {
            let part = |part: &Vec<usize>| {
                box_of(
                    part.iter().flat_map(|&point| series.groups[point].values(summary, quantity)),
                )
            };
            parts.iter().map(part).collect()
        };
        BoxPlot {
            title: String::new(),
            x_label: axis.title(),
            y_label: format!("{} [%]", quantity.label()),
            categories: parts.iter().map(name).collect(),
            boxes: summary.series.iter().map(boxes).collect(),
            levels: Vec::new(),
            most: Some(100.0),
        }
    };
    summary.study.axes.iter().enumerate().map(plot).collect()
}
