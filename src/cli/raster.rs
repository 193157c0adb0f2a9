//! `firstspike raster`: look at the spikes of a trace.

use std::error::Error;
use std::ffi::OsStr;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use ratatui::crossterm::terminal;

use super::exit::failure;
use super::traces::ColumnArguments;
use super::{console, viewer};
use crate::report::PictureError;
use crate::report::raster::figure::{self, Figure};
use crate::report::raster::terminal::{Marks, Page, page};
use crate::report::raster::viewer::Viewer;
use crate::report::raster::{IndexRanges, Raster, Selection, Sort, Window};
use crate::run::OutputFolder;

/// Samples side by side, if none are chosen.
const SAMPLES: usize = 4;

/// Characters and lines where there is no terminal.
const PIPE: (u16, u16) = (80, 24);

#[derive(Debug, Args)]
pub(super) struct RasterArguments {
    /// The trace: a CSV file with times and neurons, gzipped or not, or any format of firstspike convert;
    /// - for standard input.
    trace: PathBuf,
    /// Write a picture for a page of print.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Write the same picture as pixels.
    #[arg(long, value_name = "FILE")]
    png: Option<PathBuf>,
    /// Write a page to zoom in and to point at spikes: one file that needs no network.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Walk about in the raster: move, zoom, select neurons; ? lists the keys.
    #[arg(long, short, conflicts_with_all = ["svg", "png", "html"])]
    interactive: bool,
    #[command(flatten)]
    selection: SelectionArguments,
    #[command(flatten)]
    style: StyleArguments,
    #[command(flatten)]
    columns: ColumnArguments,
}

/// Which spikes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Which spikes")]
struct SelectionArguments {
    /// From when to when, in the unit of the trace: 0.5:2, 10: or :10.
    #[arg(long, value_name = "FROM:TO", allow_hyphen_values = true)]
    window: Option<Window>,
    /// Only these populations, the lowest first.
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    populations: Vec<String>,
    /// Only these neurons of each population.
    #[arg(long, value_name = "A-B,...")]
    neurons: Option<IndexRanges>,
    /// These samples, side by side [default: the first four].
    #[arg(long, value_name = "A-B,...")]
    samples: Option<IndexRanges>,
    /// The order of the rows, from the lowest.
    #[arg(long, value_enum, value_name = "ORDER", default_value = "population")]
    sort: Order,
}

/// How they are drawn.
#[derive(Debug, Args)]
#[command(next_help_heading = "How they are drawn")]
struct StyleArguments {
    /// With blocks, for fonts without braille.
    #[arg(long, conflicts_with = "ascii")]
    blocks: bool,
    /// With nothing but ASCII.
    #[arg(long)]
    ascii: bool,
    /// Colours on the terminal; `auto` means if it is one, and NO_COLOR is not set.
    #[arg(long, value_enum, value_name = "WHEN", default_value = "auto")]
    color: When,
    /// Characters of a line, or pixels of a picture [default: the terminal's, or 80].
    #[arg(long, value_name = "N")]
    width: Option<u32>,
    /// Lines, or pixels of a picture [default: the terminal's, or 24].
    #[arg(long, value_name = "N")]
    height: Option<u32>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Order {
    /// By population, and in each by index.
    Population,
    /// By index, whatever the population.
    Index,
    /// By population, and in each by the first spike that is shown.
    FirstSpike,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum When {
    Auto,
    Always,
    Never,
}

impl SelectionArguments {
    fn selection(&self, most_samples: Option<usize>) -> Selection {
        Selection {
            window: self.window.unwrap_or_default(),
            populations: self.populations.clone(),
            neurons: self.neurons.clone(),
            samples: self.samples.clone(),
            most_samples,
            sort: match self.sort {
                Order::Population => Sort::Population,
                Order::Index => Sort::Index,
                Order::FirstSpike => Sort::FirstSpike,
            },
        }
    }
}

impl StyleArguments {
    fn marks(&self) -> Marks {
        match (self.blocks, self.ascii) {
            (true, _) => Marks::Blocks,
            (_, true) => Marks::Ascii,
            _ => Marks::Braille,
        }
    }

    fn colour(&self) -> bool {
        // An empty value does not count: https://no-color.org.
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|terminal| terminal == "dumb");
        match self.color {
            When::Always => true,
            When::Never => false,
            When::Auto => io::stdout().is_terminal() && !set("NO_COLOR") && !dumb,
        }
    }

    /// Characters and lines: what was asked for, else the terminal's, with a line for the prompt.
    fn size(&self) -> Result<(u16, u16), String> {
        let found = if io::stdout().is_terminal() { terminal::size().ok() } else { None };
        let (width, height) = found
            .filter(|size| size.0 > 0 && size.1 > 0)
            .map_or(PIPE, |size| (size.0, size.1.saturating_sub(1)));
        let within = |name: &str, asked: Option<u32>, own: u16, least: u32, most: u32| match asked {
            None => Ok(own.max(least as u16)),
            Some(size) if (least..=most).contains(&size) => Ok(size as u16),
            Some(size) => Err(format!("--{name} {size}: on a terminal from {least} to {most}")),
        };
        Ok((
            within("width", self.width, width, 20, 2000)?,
            within("height", self.height, height, 10, 1000)?,
        ))
    }

    /// Width and height of pictures.
    fn pixels(&self) -> Result<(u32, u32), String> {
        let (least, most) = figure::RANGE;
        let within = |name: &str, asked: Option<u32>, default: u32| match asked {
            None => Ok(default),
            Some(size) if (least..=most).contains(&size) => Ok(size),
            Some(size) => Err(format!("--{name} {size}: of pictures from {least} to {most}")),
        };
        Ok((
            within("width", self.width, figure::SIZE.0)?,
            within("height", self.height, figure::SIZE.1)?,
        ))
    }
}

pub(super) fn run(arguments: &RasterArguments) -> ExitCode {
    match draw(arguments) {
        Ok(code) => code,
        Err(error) => failure(&*error),
    }
}

fn draw(arguments: &RasterArguments) -> Result<ExitCode, Box<dyn Error>> {
    let style = &arguments.style;
    let files = [&arguments.svg, &arguments.png, &arguments.html];
    let pictures = files.iter().any(|file| file.is_some());
    // What can be refused without reading a large file is refused before.
    if arguments.interactive {
        viewer::check_terminal()?;
    }
    let (picture_size, terminal_size) =
        if pictures { (style.pixels()?, PIPE) } else { (figure::SIZE, style.size()?) };
    let recording = arguments.columns.read(&arguments.trace, None)?;
    let most_samples = (!arguments.interactive).then_some(SAMPLES);
    let raster = Raster::new(&recording, &arguments.selection.selection(most_samples))?;
    drop(recording);
    let title = console::plain(&arguments.trace.to_string_lossy()).into_owned();
    if pictures {
        let figure = Figure { raster: &raster, size: picture_size };
        let svg = arguments.svg.as_deref().map(|path| Ok((path, figure.to_svg()?.into_bytes())));
        let png = arguments.png.as_deref().map(|path| Ok((path, figure.to_png()?)));
        let drawn: Result<Vec<_>, PictureError> = svg.into_iter().chain(png).collect();
        let page = match &arguments.html {
            Some(_) if raster.rows.is_empty() => Err("there is nothing to draw: no neuron spikes")?,
            Some(path) => Some((path.as_path(), raster.to_html(&title)?.into_bytes())),
            None => None,
        };
        for (path, content) in drawn?.into_iter().chain(page) {
            write(path, &content)?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    if arguments.interactive {
        if raster.rows.is_empty() {
            return Err("there is nothing to look at: the trace has no spikes".into());
        }
        return Ok(viewer::show(Viewer::new(&raster, &title, style.marks(), style.colour())));
    }
    if raster.rows.is_empty() {
        console::out!("{title}: no spikes");
        return Ok(ExitCode::SUCCESS);
    }
    let (width, height) = terminal_size;
    let (marks, colour) = (style.marks(), style.colour());
    let page = page(&raster, &Page { title: &title, width, height, marks, colour });
    console::print_raw(&page);
    Ok(ExitCode::SUCCESS)
}

/// Writes a file beside its place and renames it, and says so.
fn write(path: &Path, content: &[u8]) -> Result<(), Box<dyn Error>> {
    let name = path.file_name().and_then(OsStr::to_str);
    let name = name.ok_or_else(|| format!("{}: this is no name for a file", path.display()))?;
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let folder = OutputFolder::create(parent.unwrap_or(Path::new(".")))?;
    folder.write(name, |file| file.write_all(content))?;
    console::out!("{}", path.display());
    Ok(())
}
