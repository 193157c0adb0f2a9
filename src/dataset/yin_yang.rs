//! The Yin-Yang data set (Kriener, Göltz & Petrovici 2022): points of a disc, labelled yin, yang
//! or dot.
//!
//! The points are drawn from the same random stream as those of the reference generator, so that
//! a seed names the same samples, to the last bit, as it does in the literature. The published
//! sets are seed 42 with 5000 samples (training), 41 with 1000 (validation) and 40 with 1000
//! (test).

use rand_mt::Mt;
use thiserror::Error;

/// The name of each class, by label.
pub const CLASS_NAMES: [&str; 3] = ["yang", "yin", "dot"];

const YANG: usize = 0;
const YIN: usize = 1;
const DOT: usize = 2;

/// The geometry of the figure: a disc of radius `r_big` around (`r_big`, `r_big`), which touches
/// both axes.
///
/// With the default radii the disc fills the unit square, as the flipped features `1 - x` and
/// `1 - y` of [`Samples`] assume.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct YinYang {
    /// Radius of the two dots, in units of the coordinates.
    pub r_small: f64,
    /// Radius of the disc, in units of the coordinates.
    pub r_big: f64,
}

/// Labelled points of the disc, in the order they were drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Samples {
    /// `(x, y, 1 - x, 1 - y)` of each sample, in units of the coordinates.
    pub features: Vec<[f64; 4]>,
    /// Class of each sample, an index into [`CLASS_NAMES`].
    pub labels: Vec<usize>,
}

/// Radii from which samples of all three classes cannot be drawn in reasonable time.
#[derive(Debug, Clone, Copy, PartialEq, Error)]
#[error(
    "the Yin-Yang figure needs r_big in 1e-6..=1e6 and r_small in 0.01..=0.5 times r_big; \
     got r_big = {r_big}, r_small = {r_small}"
)]
#[non_exhaustive]
pub struct GeometryError {
    /// Radius of the dots.
    pub r_small: f64,
    /// Radius of the disc.
    pub r_big: f64,
}

impl Default for YinYang {
    /// The radii of the published sets: dots of 0.1 in a disc of 0.5.
    fn default() -> Self {
        Self { r_small: 0.1, r_big: 0.5 }
    }
}

impl YinYang {
    /// Checks the radii, for those who read them from a user.
    ///
    /// # Errors
    ///
    /// Unless `r_big` is in 1e-6..=1e6 and `r_small` in 0.01..=0.5 times `r_big`. Beyond these
    /// bounds a class vanishes, or is so small that drawing a sample of it takes forever.
    pub fn check(&self) -> Result<(), GeometryError> {
        let Self { r_small, r_big } = *self;
        if (1e-6..=1e6).contains(&r_big) && (0.01 * r_big..=0.5 * r_big).contains(&r_small) {
            Ok(())
        } else {
            Err(GeometryError { r_small, r_big })
        }
    }

    /// The class of the point (`x`, `y`), or `None` outside the disc.
    pub fn class_of(&self, x: f64, y: f64) -> Option<usize> {
        let Self { r_small, r_big } = *self;
        // Not `hypot`, which rounds differently from the reference.
        let distance = |centre_x: f64| {
            let (dx, dy) = (x - centre_x, y - r_big);
            (dx * dx + dy * dy).sqrt()
        };
        let inside = distance(r_big) <= r_big;
        if !inside {
            return None;
        }
        let d_right = distance(1.5 * r_big);
        let d_left = distance(0.5 * r_big);
        if d_right < r_small || d_left < r_small {
            return Some(DOT);
        }
        let on_rim_of_right_dot = d_right <= r_small;
        let in_left_lobe = d_left > r_small && d_left <= 0.5 * r_big;
        let above_right_lobe = y > r_big && d_right > 0.5 * r_big;
        Some(if on_rim_of_right_dot || in_left_lobe || above_right_lobe { YIN } else { YANG })
    }

    /// Draws `size` samples, the same ones for the same `seed` on every machine.
    ///
    /// Each class is equally likely; within its class, a sample is uniform over the area.
    ///
    /// # Panics
    ///
    /// If [`check`](Self::check) rejects the radii.
    pub fn generate(&self, seed: u32, size: usize) -> Samples {
        if let Err(error) = self.check() {
            panic!("{error}");
        }
        let mut stream = NumpyStream(Mt::new(seed));
        let (features, labels) = (0..size)
            .map(|_| {
                let goal = stream.below_three();
                let (x, y) = self.draw_point(&mut stream, goal);
                ([x, y, 1.0 - x, 1.0 - y], goal)
            })
            .unzip();
        Samples { features, labels }
    }

    /// A point of class `goal`, found by rejection from the square around the disc.
    fn draw_point(&self, stream: &mut NumpyStream, goal: usize) -> (f64, f64) {
        loop {
            let x = stream.unit() * 2.0 * self.r_big;
            let y = stream.unit() * 2.0 * self.r_big;
            if self.class_of(x, y) == Some(goal) {
                return (x, y);
            }
        }
    }
}

/// The random numbers of NumPy's `RandomState(seed)`, which the reference generator uses.
struct NumpyStream(Mt);

impl NumpyStream {
    /// `rand()`: uniform in 0..1, with all 53 bits of the mantissa random.
    fn unit(&mut self) -> f64 {
        let high = f64::from(self.0.next_u32() >> 5);
        let low = f64::from(self.0.next_u32() >> 6);
        (high * 67_108_864.0 + low) / 9_007_199_254_740_992.0 // (high 2^26 + low) / 2^53
    }

    /// `randint(3)`: uniform in 0..3, from two random bits at a time.
    fn below_three(&mut self) -> usize {
        loop {
            match self.0.next_u32() & 3 {
                0 => return 0,
                1 => return 1,
                2 => return 2,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    /// Seed, size, checksum and file name of the published sets.
    const PUBLISHED: [(u32, usize, u64, &str); 3] = [
        (42, 5000, 0xebf7_9453_4f3f_0b56, "train.csv"),
        (41, 1000, 0x7e30_8eb8_22d3_da3a, "validation.csv"),
        (40, 1000, 0xd18c_8c93_9830_6209, "test.csv"),
    ];

    /// 64-bit FNV-1a over the features' bits and the label of each sample in turn, all as
    /// little-endian 64-bit words.
    fn checksum(samples: &Samples) -> u64 {
        samples
            .features
            .iter()
            .zip(&samples.labels)
            .flat_map(|(features, &label)| {
                features.map(f64::to_bits).into_iter().chain([label as u64])
            })
            .flat_map(u64::to_le_bytes)
            .fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
            })
    }

    fn read_csv(text: &str) -> Samples {
        let (features, labels) = text
            .lines()
            .skip(1)
            .map(|line| {
                let (features, label) = line.rsplit_once(',').expect("a label column");
                let features: Vec<f64> = features.split(',').map(|f| f.parse().unwrap()).collect();
                let features: [f64; 4] = features.try_into().expect("four features");
                (features, label.parse::<usize>().unwrap())
            })
            .unzip();
        Samples { features, labels }
    }

    #[test]
    fn the_published_checksums_are_reproduced() {
        for (seed, size, expected, name) in PUBLISHED {
            let samples = YinYang::default().generate(seed, size);
            assert_eq!(samples.features.len(), size);
            assert_eq!(checksum(&samples), expected, "{name}");
        }
    }

    #[test]
    fn every_bit_agrees_with_the_published_files() {
        let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data/yin_yang"));
        if !folder.exists() {
            eprintln!(
                "\n*** SKIPPED: no {}: the samples were NOT compared with the published files ***\n",
                folder.display()
            );
            return;
        }
        for (seed, size, _, name) in PUBLISHED {
            let published = read_csv(&std::fs::read_to_string(folder.join(name)).unwrap());
            let generated = YinYang::default().generate(seed, size);
            assert_eq!(published.labels, generated.labels, "{name}");
            let bits = |s: &Samples| -> Vec<_> {
                s.features.iter().map(|f| f.map(f64::to_bits)).collect()
            };
            assert!(bits(&published) == bits(&generated), "{name}");
        }
    }

    #[test]
    fn a_longer_set_starts_with_the_shorter_one() {
        let long = YinYang::default().generate(7, 50);
        let short = YinYang::default().generate(7, 20);
        assert_eq!(long.features[..20], short.features);
        assert_eq!(long.labels[..20], short.labels);
    }

    #[test]
    fn landmarks_have_their_class() {
        let figure = YinYang::default();
        for (x, y, expected) in [
            (0.25, 0.5, Some(DOT)),
            (0.75, 0.5, Some(DOT)),
            (0.5, 0.9, Some(YIN)),
            (0.25, 0.65, Some(YIN)),
            (0.25, 0.35, Some(YIN)),
            (0.5, 0.1, Some(YANG)),
            (0.75, 0.65, Some(YANG)),
            (0.5, 1.0, Some(YIN)), // the rim belongs to the disc
            (0.0, 0.0, None),
            (1.0, 1.0, None),
            (f64::NAN, 0.5, None),
        ] {
            assert_eq!(figure.class_of(x, y), expected, "({x}, {y})");
        }
    }

    #[test]
    fn labels_are_the_classes_of_the_points() {
        let figure = YinYang { r_small: 0.3, r_big: 2.0 };
        let samples = figure.generate(1, 300);
        for (&[x, y, x_flipped, y_flipped], &label) in samples.features.iter().zip(&samples.labels)
        {
            assert_eq!(figure.class_of(x, y), Some(label));
            assert_eq!((x_flipped, y_flipped), (1.0 - x, 1.0 - y));
        }
    }

    #[test]
    fn radii_without_all_three_classes_are_refused() {
        for (r_small, r_big) in [
            (0.0, 0.5),
            (-0.1, 0.5),
            (0.3, 0.5),
            (0.1, 0.0),
            (0.1, f64::INFINITY),
            (f64::NAN, 0.5),
            (0.1, f64::NAN),
        ] {
            assert!(YinYang { r_small, r_big }.check().is_err());
        }
        assert_eq!(YinYang::default().check(), Ok(()));
    }
}
