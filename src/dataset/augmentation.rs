//! Chance that training adds to samples, so that a network does not learn them by heart.
//!
//! Each kind of chance draws from its own stream, which seed, epoch and sample select: what is shown
//! depends neither on threads nor on order, and one kind moves no other.

use rand::{Rng, RngExt};
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::neighbours::nearest_neighbour_distance;
use super::{Dataset, Encoding, ImageShape};
use crate::random;
use crate::settings::{Check, Settings, number_or_auto};

/// How samples are varied whenever training shows them. If neither this nor an `[encoding]` is given, spike times get
/// noise (`time_noise = "auto"`); nothing else varies by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Augmentation {
    /// Noise on each spike time. A time that would be negative is mirrored (Göltz, Kriener et al. 2021).
    /// Default: `"auto"` if the scenario has no `[encoding]`, else none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_noise: Option<TimeNoise>,
    /// Probability with which each spike is left out. From 0 to below 1. Default: 0.
    pub dropout: f64,
    /// Images move by up to so much in each direction, each as likely. In pixels. From 0 to 28. Default: 0.
    pub shift: f64,
    /// Images turn around their centre by up to so much either way, each as likely. In degrees. From 0 to 180.
    /// Default: 0.
    pub rotation: f64,
    /// Images grow or shrink by up to this fraction, each as likely. From 0 to below 1. Default: 0.
    pub scale: f64,
    /// Seed of all of it. In a scenario that of everything else.
    #[serde(skip)]
    pub seed: u64,
}

/// Standard deviation of normal noise on spike times. In a file a number, or `"auto"`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TimeNoise {
    /// In time units. Not negative.
    Fixed(f64),
    /// As much as a sample and its nearest neighbour in the training set differ, in the root mean square over
    /// their spikes: what is learned then is what neighbours share. The more samples there are, the less noise.
    Auto,
}

impl Serialize for TimeNoise {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let number = match *self {
            TimeNoise::Fixed(noise) => Some(noise),
            TimeNoise::Auto => None,
        };
        number_or_auto::serialize(number, serializer)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for TimeNoise {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "TimeNoise".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        crate::settings::schema::number_or_auto(
            "A standard deviation in time units, not negative, or `\"auto\"`.",
            "As much as a sample and its nearest neighbour in the training set differ, in the root mean square \
             over their spikes.",
        )
    }
}

impl<'de> Deserialize<'de> for TimeNoise {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(number_or_auto::deserialize(deserializer)?.map_or(TimeNoise::Auto, TimeNoise::Fixed))
    }
}

impl Settings for Augmentation {
    fn check(&self, check: &mut Check<'_>) {
        if let Some(TimeNoise::Fixed(noise)) = self.time_noise {
            check.not_negative("time_noise", noise);
        }
        check.range("dropout", self.dropout, 0.0..1.0, "from 0 to below 1");
        check.range("scale", self.scale, 0.0..1.0, "from 0 to below 1");
        check.range("rotation", self.rotation, 0.0..=180.0, "from 0 to 180 degrees");
        check.range("shift", self.shift, 0.0..=28.0, "from 0 to 28 pixels");
    }
}

impl Augmentation {
    /// Whether images change.
    pub fn distorts_images(&self) -> bool {
        self.shift != 0.0 || self.rotation != 0.0 || self.scale != 0.0
    }

    /// The same with noise in time units, [`TimeNoise::Auto`] as these training data ask for.
    #[must_use]
    pub fn for_training_set(self, training: &Dataset, encoding: Encoding) -> Self {
        let noise = self.time_noise.map(|noise| match noise {
            TimeNoise::Auto => TimeNoise::Fixed(nearest_neighbour_distance(training, encoding)),
            fixed => fixed,
        });
        Augmentation { time_noise: noise, ..self }
    }

    /// How the image of a sample changes in an epoch.
    pub(crate) fn distortion(&self, epoch: u64, sample: usize) -> Distortion {
        let mut random = random::stream(self.seed, "image augmentation", index(epoch, sample));
        // All four are always drawn, so that one setting does not move the others.
        let mut uniform = |range: f64| range * (2.0 * random.random::<f64>() - 1.0);
        Distortion {
            shift: (uniform(self.shift), uniform(self.shift)),
            rotation: uniform(self.rotation).to_radians(),
            scale: 1.0 + uniform(self.scale),
        }
    }

    /// The noise of a sample in an epoch; none if there is none, or it is not known yet
    /// ([`Self::for_training_set`]).
    pub(crate) fn noise(&self, epoch: u64, sample: usize) -> Option<impl FnMut(f64) -> f64> {
        let std = match self.time_noise {
            Some(TimeNoise::Fixed(noise)) => noise,
            Some(TimeNoise::Auto) | None => 0.0,
        };
        (std > 0.0).then(|| {
            let mut random = random::stream(self.seed, "input time noise", index(epoch, sample));
            move |time: f64| {
                let noise: f64 = StandardNormal.sample(&mut random);
                (time + std * noise).abs()
            }
        })
    }

    /// Says for one spike of a sample after another whether it stays; none if all do.
    pub(crate) fn survival(&self, epoch: u64, sample: usize) -> Option<impl FnMut() -> bool> {
        // As a share of 2^32: a random word decides.
        let threshold = (self.dropout * 4_294_967_296.0) as u64;
        (threshold > 0).then(|| {
            let mut random = random::stream(self.seed, "input dropout", index(epoch, sample));
            move || u64::from(random.next_u32()) >= threshold
        })
    }
}

fn index(epoch: u64, sample: usize) -> u64 {
    epoch << 32 | sample as u64
}

/// An affine change of an image about its centre.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Distortion {
    /// To the right and down, in pixels.
    pub shift: (f64, f64),
    /// Clockwise, in radians.
    pub rotation: f64,
    /// Growth; 1 for none.
    pub scale: f64,
}

/// Memory to distort images in.
#[derive(Clone, Debug, Default)]
pub(crate) struct Canvas {
    /// The image with a dark border, which is one pixel wide to the left and above, and two to the
    /// right and below: every place that is read then has its four neighbours.
    padded: Vec<u8>,
    /// The distorted image.
    pixels: Vec<u8>,
}

/// Places are in pixels with 16 binary digits after the point. Whole numbers make the result the
/// same on every machine but for the last digit of a sine.
const POINT: u32 = 16;
const ONE: i64 = 1 << POINT;

impl Canvas {
    /// An image after a distortion: each pixel takes, between the four nearest of the place that it
    /// came from, the bilinear mean. What comes from outside is dark.
    pub fn distort(&mut self, image: &[u8], shape: ImageShape, distortion: &Distortion) -> &[u8] {
        let ImageShape { width, height } = shape;
        let stride = width + 3;
        self.padded.resize(stride * (height + 3), 0);
        for (row, pixels) in image.chunks_exact(width).enumerate() {
            let start = (row + 1) * stride;
            self.padded[start] = 0;
            self.padded[start + 1..start + 1 + width].copy_from_slice(pixels);
            self.padded[start + 1 + width..start + stride].fill(0);
        }
        self.padded[..stride].fill(0);
        self.padded[(height + 1) * stride..].fill(0);

        // Backwards: where does a pixel come from?
        let (sine, cosine) = distortion.rotation.sin_cos();
        let fixed = |value: f64| (value * ONE as f64).round() as i64;
        let (along, across) = (fixed(cosine / distortion.scale), fixed(sine / distortion.scale));
        let centre = ((width - 1) as f64 / 2.0, (height - 1) as f64 / 2.0);
        let from = (-centre.0 - distortion.shift.0, -centre.1 - distortion.shift.1);
        let origin = |x: f64, y: f64, centre: f64| fixed((x + y) / distortion.scale + centre);
        let mut row_x = origin(cosine * from.0, sine * from.1, centre.0) + ONE;
        let mut row_y = origin(-sine * from.0, cosine * from.1, centre.1) + ONE;
        let (last_x, last_y) = ((width as i64 + 1) << POINT, (height as i64 + 1) << POINT);

        let padded = self.padded.as_slice();
        self.pixels.resize(width * height, 0);
        for row in self.pixels.chunks_exact_mut(width) {
            let (mut x, mut y) = (row_x, row_y);
            for pixel in row {
                let (inside_x, inside_y) = (x.clamp(0, last_x), y.clamp(0, last_y));
                let place = (inside_y >> POINT) as usize * stride + (inside_x >> POINT) as usize;
                // Eight digits of the fraction are as many as the bytes have.
                let right = (inside_x >> (POINT - 8)) as u32 & 0xff;
                let below = (inside_y >> (POINT - 8)) as u32 & 0xff;
                let mean = |place: usize| {
                    let pair = &padded[place..place + 2];
                    u32::from(pair[0]) * (256 - right) + u32::from(pair[1]) * right
                };
                let (upper, lower) = (mean(place), mean(place + stride));
                *pixel = ((upper * (256 - below) + lower * below + 0x8000) >> 16) as u8;
                (x, y) = (x + along, y - across);
            }
            (row_x, row_y) = (row_x + across, row_y + along);
        }
        &self.pixels
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTHING: Distortion = Distortion { shift: (0.0, 0.0), rotation: 0.0, scale: 1.0 };
    const SHAPE: ImageShape = ImageShape { width: 9, height: 7 };

    fn image() -> Vec<u8> {
        (0..63_u32).map(|place| (place * 167 % 256) as u8).collect()
    }

    /// The pixel of an image, dark outside.
    fn at(image: &[u8], x: isize, y: isize) -> u8 {
        let inside = (0..9).contains(&x) && (0..7).contains(&y);
        if inside { image[y as usize * 9 + x as usize] } else { 0 }
    }

    fn distorted(distortion: Distortion) -> Vec<u8> {
        Canvas::default().distort(&image(), SHAPE, &distortion).to_vec()
    }

    #[test]
    fn no_distortion_changes_no_bit() {
        let mut canvas = Canvas::default();
        assert_eq!(canvas.distort(&image(), SHAPE, &NOTHING), image());
        // Nor does what the canvas was used for before.
        canvas.distort(&[255; 12], ImageShape { width: 4, height: 3 }, &NOTHING);
        assert_eq!(canvas.distort(&image(), SHAPE, &NOTHING), image());
    }

    #[test]
    fn a_shift_by_whole_pixels_moves_them_and_one_by_half_takes_the_mean() {
        let image = image();
        for (dx, dy) in [(1, 0), (0, 1), (-2, 3), (20, 0)] {
            let moved = distorted(Distortion { shift: (dx as f64, dy as f64), ..NOTHING });
            for (x, y) in (0..7).flat_map(|y| (0..9).map(move |x| (x, y))) {
                assert_eq!(at(&moved, x, y), at(&image, x - dx, y - dy), "{dx} {dy}: {x} {y}");
            }
        }
        let half = distorted(Distortion { shift: (0.5, 0.0), ..NOTHING });
        for (x, y) in (0..7).flat_map(|y| (0..9).map(move |x| (x, y))) {
            let sum = u32::from(at(&image, x, y)) + u32::from(at(&image, x - 1, y));
            assert_eq!(u32::from(at(&half, x, y)), sum.div_ceil(2), "{x} {y}");
        }
    }

    #[test]
    fn turns_are_clockwise_about_the_centre_and_growth_enlarges() {
        let square = ImageShape { width: 5, height: 5 };
        let image: Vec<u8> = (0..25).map(|place| place * 10).collect();
        let quarter = Distortion { rotation: std::f64::consts::FRAC_PI_2, ..NOTHING };
        let turned = Canvas::default().distort(&image, square, &quarter).to_vec();
        for (x, y) in (0..5).flat_map(|y| (0..5).map(move |x| (x, y))) {
            // What was on the left is above: (x, y) comes from (y, 4 − x).
            assert_eq!(turned[y * 5 + x], image[(4 - x) * 5 + y], "{x} {y}");
        }
        let twice = Distortion { scale: 2.0, ..NOTHING };
        let large = Canvas::default().distort(&image, square, &twice).to_vec();
        for (x, y) in [(0, 0), (2, 2), (4, 0), (4, 4), (2, 0)] {
            assert_eq!(large[y * 5 + x], image[(1 + y / 2) * 5 + 1 + x / 2], "{x} {y}");
        }
    }

    #[test]
    fn chance_depends_on_seed_epoch_and_sample_alone() {
        let settings = Augmentation {
            time_noise: Some(TimeNoise::Fixed(0.3)),
            dropout: 0.25,
            shift: 2.0,
            rotation: 10.0,
            scale: 0.1,
            seed: 5,
        };
        let first = settings.distortion(3, 7);
        assert_eq!(first, settings.distortion(3, 7));
        assert_ne!(first, settings.distortion(4, 7));
        assert_ne!(first, settings.distortion(3, 8));
        assert_ne!(first, Augmentation { seed: 6, ..settings }.distortion(3, 7));
        // One setting does not move another.
        let steady = Augmentation { shift: 0.0, ..settings }.distortion(3, 7);
        assert_eq!(steady, Distortion { shift: (0.0, 0.0), ..first });

        let mut greatest = [0.0_f64; 4];
        for sample in 0..1000 {
            let drawn = settings.distortion(1, sample);
            let values =
                [drawn.shift.0, drawn.shift.1, drawn.rotation.to_degrees(), drawn.scale - 1.0];
            for (greatest, value) in greatest.iter_mut().zip(values) {
                *greatest = greatest.max(value.abs());
            }
        }
        for (greatest, range) in greatest.into_iter().zip([2.0, 2.0, 10.0, 0.1]) {
            assert!((0.98 * range..=range * (1.0 + 1e-12)).contains(&greatest), "{greatest}");
        }
    }

    #[test]
    fn noise_is_normal_and_mirrored_and_dropout_has_its_share() {
        let settings = Augmentation {
            time_noise: Some(TimeNoise::Fixed(0.3)),
            dropout: 0.25,
            ..Augmentation::default()
        };
        let (mut sum, mut squares, mut mirrored, mut kept) = (0.0, 0.0, 0.0, 0);
        let (samples, each) = (500, 200);
        for sample in 0..samples {
            let mut noise = settings.noise(2, sample).expect("there is noise");
            let mut stays = settings.survival(2, sample).expect("there is dropout");
            for _ in 0..each {
                let moved = noise(5.0) - 5.0;
                sum += moved;
                squares += moved * moved;
                let from_zero = noise(0.0);
                assert!(from_zero >= 0.0);
                mirrored += from_zero;
                kept += usize::from(stays());
            }
        }
        let count = (samples * each) as f64;
        // Five standard errors.
        assert!((sum / count).abs() < 5.0 * 0.3 / count.sqrt());
        assert!(((squares / count).sqrt() - 0.3).abs() < 5.0 * 0.3 / (2.0 * count).sqrt());
        let half_normal = 0.3 * (2.0 / std::f64::consts::PI).sqrt();
        assert!((mirrored / count - half_normal).abs() < 5.0 * 0.3 / count.sqrt());
        assert!((kept as f64 / count - 0.75).abs() < 5.0 * 0.44 / count.sqrt());
        assert!(Augmentation::default().noise(1, 1).is_none());
        assert!(Augmentation::default().survival(1, 1).is_none());
    }
}
