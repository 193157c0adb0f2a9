//! Box plots of studies.

use super::{ALLOWED_LOSS, Quantity, Series, Statistics, Summary};
use crate::report::box_plot::{BoxOfValues, BoxPlot, Figure};

/// Sizes of a plot in a figure of one study, and in an overview of several, in pixels.
const LARGE: (u32, u32) = (1000, 720);
const SMALL: (u32, u32) = (840, 620);

/// Everything that one study measured.
pub fn figure(summary: &Summary) -> Figure {
    let quantities = summary.quantities();
    Figure {
        title: summary.study.title.clone(),
        plots: quantities.iter().map(|&quantity| plot(summary, quantity, "")).collect(),
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
        x_label: axis.map_or_else(String::new, super::Axis::title),
        y_label: if unit.is_empty() { label.to_owned() } else { format!("{label} [{unit}]") },
        categories: axis.map_or_else(Vec::new, |axis| {
            categories.iter().map(|group| axis.name_of(&group.value)).collect()
        }),
        boxes: summary.series.iter().map(|series| boxes(summary, series, quantity)).collect(),
        level: (quantity == Quantity::Accuracy).then(|| allowed(summary)).flatten(),
        most: (quantity == Quantity::Accuracy).then_some(100.0),
    }
}

/// The accuracy that is just as good as the ideal.
fn allowed(summary: &Summary) -> Option<f64> {
    let ideal = summary.study.axes.first()?.ideal.as_ref()?;
    let group = summary.series.first()?.groups.iter().find(|group| group.value.is(ideal))?;
    Some(group.statistics(summary, Quantity::Accuracy)?.median - ALLOWED_LOSS)
}

fn boxes(summary: &Summary, series: &Series, quantity: Quantity) -> Vec<Option<BoxOfValues>> {
    let of_group = |group: &super::Group| {
        let mut values = group.values(summary, quantity);
        values.retain(|value| value.is_finite());
        let found = Statistics::of(values.iter().copied())?;
        let Statistics { minimum, lower_quartile, median, upper_quartile, maximum, .. } = found;
        let quartiles = [minimum, lower_quartile, median, upper_quartile, maximum];
        Some(BoxOfValues { quartiles, values })
    };
    series.groups.iter().map(of_group).collect()
}
