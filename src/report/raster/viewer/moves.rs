//! How the view moves.

use super::Viewer;

/// The narrowest view, as a fraction of a strip.
const NARROWEST: f64 = 1e-8;

/// A range of a length that is as near as possible to where it is wanted, but within another.
fn within((low, high): (f64, f64), (least, most): (f64, f64)) -> (f64, f64) {
    let length = (high - low).min(most - least);
    let low = low.clamp(least, (most - length).max(least));
    (low, low + length)
}

/// A range whose length is changed by a factor, with a point of it (a fraction) held.
fn zoomed((low, high): (f64, f64), factor: f64, at: f64, shortest: f64) -> (f64, f64) {
    let length = ((high - low) * factor).max(shortest);
    let held = low + at * (high - low);
    (held - at * length, held + (1.0 - at) * length)
}

impl Viewer<'_> {
    /// The end of the last strip.
    fn end(&self) -> f64 {
        (self.raster.strip_count() - 1) as f64 * self.raster.pitch() + self.raster.span()
    }

    /// Moves by fractions of the view, to the right and up; infinitely to an end.
    pub(super) fn pan(&mut self, right: f64, up: f64) {
        let moved = |(low, high): (f64, f64), by: f64, most: f64| {
            let length = high - low;
            // An infinite step would leave no length.
            let step = (by * length).clamp(-most, most);
            within((low + step, low + step + length), (0.0, most))
        };
        self.view.x = moved(self.view.x, right, self.end());
        self.view.y = moved(self.view.y, up, 1.0);
    }

    /// Zooms in time; the point at a fraction of the view stays.
    pub(super) fn zoom_time(&mut self, factor: f64, at: f64) {
        let x = zoomed(self.view.x, factor, at, NARROWEST * self.raster.span());
        self.view.x = within(x, (0.0, self.end()));
    }

    /// Zooms in neurons, down to one or two.
    pub(super) fn zoom_neurons(&mut self, factor: f64, at: f64) {
        let shortest = (0.5 / self.raster.rows.len().max(1) as f64).min(1.0);
        self.view.y = within(zoomed(self.view.y, factor, at, shortest), (0.0, 1.0));
    }

    /// Back to everything.
    pub(super) fn show_all(&mut self) {
        self.view.x = (0.0, self.end());
        self.view.y = (0.0, 1.0);
    }

    /// Selects the neuron above or below the selected one, or else moves the view.
    pub(super) fn up(&mut self, rows: i64) {
        match self.selected {
            None => self.pan(0.0, 0.1 * rows as f64),
            Some(row) => {
                let last = self.raster.rows.len() as i64 - 1;
                self.select(Some((i64::from(row) + rows).clamp(0, last) as u32));
                self.follow();
            }
        }
    }

    /// Selects a row, or none.
    pub(super) fn select(&mut self, row: Option<u32>) {
        self.selected = row;
        self.train = row.map_or_else(Vec::new, |row| self.raster.spikes_of(row));
    }

    /// Moves the view to where the selected row is seen.
    fn follow(&mut self) {
        if let Some(row) = self.selected {
            let stack = self.stack();
            let (low, high) = stack.row(&self.raster.bands, row);
            let (low, high) = (low / stack.height, high / stack.height);
            let (bottom, top) = self.view.y;
            if low < bottom {
                self.view.y = within((low, low + top - bottom), (0.0, 1.0));
            } else if high > top {
                self.view.y = within((high - (top - bottom), high), (0.0, 1.0));
            }
        }
    }

    /// The row at a fraction of the height.
    pub(super) fn row_at(&self, y: f64) -> Option<u32> {
        let stack = self.stack();
        stack.row_at(&self.raster.bands, y * stack.height)
    }

    /// Moves to the next sample or the one before, by whole samples.
    pub(super) fn step_sample(&mut self, by: i64) {
        if self.raster.samples.len() < 2 {
            self.message = "there is no other sample".to_owned();
            return;
        }
        // The strip at the left end: the one that a narrow view is in, or the first that is whole.
        let at = self.view.x.0 / self.raster.pitch();
        let now = if self.is_narrow() { (at + 1e-9).floor() } else { at.round() } as i64;
        self.go_to_strip((now + by).clamp(0, self.raster.strip_count() as i64 - 1) as usize);
    }

    /// Whether less than a strip is seen.
    fn is_narrow(&self) -> bool {
        self.view.x.1 - self.view.x.0 < self.raster.span() * (1.0 - 1e-9)
    }

    /// Moves a strip to the left end of the view; a view of less than a strip shows the same part of
    /// it as of the one before.
    fn go_to_strip(&mut self, strip: usize) {
        let length = self.view.x.1 - self.view.x.0;
        let inside = self.view.x.0.rem_euclid(self.raster.pitch());
        let offset = if self.is_narrow() && inside < self.raster.span() { inside } else { 0.0 };
        let left = strip as f64 * self.raster.pitch() + offset;
        self.view.x = within((left, left + length), (0.0, self.end()));
    }

    pub(super) fn go_to_sample(&mut self, text: &str) {
        let asked = text.trim();
        let strip = asked
            .parse()
            .ok()
            .and_then(|sample: u32| self.raster.samples.binary_search(&sample).ok());
        match strip {
            Some(strip) => self.go_to_strip(strip),
            None if asked.is_empty() => {}
            None => {
                let samples = &self.raster.samples;
                let (first, last) = (samples.first().copied(), samples.last().copied());
                self.message = format!(
                    "there is no sample `{asked}`; there are {} from {} to {}",
                    samples.len(),
                    first.unwrap_or(0),
                    last.unwrap_or(0)
                );
            }
        }
    }

    /// Selects the neuron that was typed: its index, or population and index; the one in the middle of
    /// the view if nothing was.
    pub(super) fn go_to_neuron(&mut self, text: &str) {
        let asked = text.trim();
        let row = if asked.is_empty() {
            self.row_at(0.5 * (self.view.y.0 + self.view.y.1))
        } else {
            let (name, index) = asked.rsplit_once([' ', ':']).unwrap_or(("", asked));
            let index = index.parse::<u32>().ok();
            let matches = |row: &super::super::Row| {
                let own = &self.raster.populations[usize::from(row.population)].0;
                Some(row.neuron) == index && (name.is_empty() || own.starts_with(name.trim()))
            };
            self.raster.rows.iter().position(matches).map(|row| row as u32)
        };
        match row {
            Some(_) => {
                self.select(row);
                self.follow();
            }
            None => {
                self.message = format!(
                    "there is no neuron `{asked}`: type its index, or population and index"
                );
            }
        }
    }
}
