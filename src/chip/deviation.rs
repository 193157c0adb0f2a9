//! How far a value of the substrate is from what it should be.

use rand::Rng;
use rand_distr::{Distribution as _, LogNormal, StandardNormal, Uniform};
use serde::de::{MapAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Deserializer, Serialize};

use super::normal::NormalNumbers;

/// A factor `1 + δ` below this is drawn again: nothing on a chip is off by a factor of ten, and time
/// constants and thresholds must stay positive.
const SMALLEST_FACTOR: f64 = 0.1;

/// The distribution of a relative deviation `δ`. In a file, a number alone is the spread of a normal
/// distribution: `tau_m = 0.1`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Deviation {
    /// Systematic part, the same for all.
    pub mean: f64,
    /// Standard deviation.
    pub std: f64,
    /// Shape.
    pub distribution: Shape,
}

/// The shape of a distribution of deviations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// Gaussian.
    #[default]
    Normal,
    /// Flat between `mean − √3 std` and `mean + √3 std`.
    Uniform,
    /// The logarithm of the factor `1 + δ` is Gaussian; `mean` and `std` are those of `δ` itself.
    LogNormal,
}

impl Default for Deviation {
    fn default() -> Self {
        Deviation::IDEAL
    }
}

impl Deviation {
    /// None at all.
    pub const IDEAL: Deviation = Deviation { mean: 0.0, std: 0.0, distribution: Shape::Normal };

    /// Whether there is none.
    pub fn is_ideal(&self) -> bool {
        self.mean == 0.0 && self.std == 0.0
    }

    /// The same, larger or smaller.
    pub fn scaled(self, by: f64) -> Self {
        Deviation { mean: by * self.mean, std: by * self.std, ..self }
    }

    /// What is wrong with its numbers, if anything is.
    pub fn problem(&self) -> Option<String> {
        if !(self.std >= 0.0 && self.std.is_finite() && self.mean.is_finite()) {
            return Some(format!(
                "mean = {} and std = {} must be finite, and std not negative",
                self.mean, self.std
            ));
        }
        (self.mean <= SMALLEST_FACTOR - 1.0).then(|| {
            format!(
                "mean = {} leaves nothing: it must be above {:.1}",
                self.mean,
                SMALLEST_FACTOR - 1.0
            )
        })
    }

    /// Draws a deviation.
    pub fn draw(&self, random: &mut impl Rng) -> f64 {
        if self.std == 0.0 {
            return self.mean;
        }
        // The numbers were checked; a distribution that still does not exist is its mean.
        match self.distribution {
            Shape::Normal => {
                let normal: f64 = StandardNormal.sample(random);
                self.mean + self.std * normal
            }
            Shape::Uniform => {
                let reach = 3.0_f64.sqrt() * self.std;
                Uniform::new_inclusive(self.mean - reach, self.mean + reach)
                    .map_or(self.mean, |uniform| uniform.sample(random))
            }
            Shape::LogNormal => {
                LogNormal::from_mean_cv(1.0 + self.mean, self.std / (1.0 + self.mean))
                    .map_or(self.mean, |factor| factor.sample(random) - 1.0)
            }
        }
    }

    /// Draws a factor `1 + δ`, of those not below 0.1.
    pub fn factor(&self, random: &mut impl Rng) -> f64 {
        if self.is_ideal() {
            return 1.0;
        }
        for _ in 0..1000 {
            let factor = 1.0 + self.draw(random);
            if factor >= SMALLEST_FACTOR {
                return factor;
            }
        }
        SMALLEST_FACTOR
    }

    /// Fills a slice with deviations. Normal ones are drawn at once, which is faster than one by one and takes
    /// other random numbers.
    pub(super) fn draw_all(
        &self,
        random: &mut impl Rng,
        normal: &mut NormalNumbers,
        drawn: &mut [f64],
    ) {
        if self.distribution != Shape::Normal || self.std == 0.0 {
            drawn.iter_mut().for_each(|drawn| *drawn = self.draw(random));
            return;
        }
        let numbers = normal.draw(random, drawn.len());
        for (drawn, number) in drawn.iter_mut().zip(numbers) {
            *drawn = self.mean + self.std * number;
        }
    }

    /// Draws many factors ([`Self::factor`]). Those that are drawn again come last from the generator.
    pub(super) fn factor_all(
        &self,
        random: &mut impl Rng,
        normal: &mut NormalNumbers,
        factors: &mut [f64],
    ) {
        self.draw_all(random, normal, factors);
        let mut too_small = 0;
        for factor in &mut *factors {
            *factor += 1.0;
            too_small += u64::from(*factor < SMALLEST_FACTOR);
        }
        if too_small > 0 {
            let low = factors.iter_mut().filter(|factor| **factor < SMALLEST_FACTOR);
            low.for_each(|factor| *factor = self.factor(random));
        }
    }
}

/// The distribution of a deviation.
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "DeviationTable"))]
#[serde(deny_unknown_fields)]
struct Table {
    /// Systematic part, the same for all. Finite, above -0.9.
    #[serde(default)]
    mean: f64,
    /// Standard deviation. Finite, not negative.
    #[serde(default)]
    std: f64,
    /// Shape of the distribution.
    #[serde(default)]
    distribution: Shape,
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Deviation {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Deviation".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        crate::settings::schema::number_or::<Table>(
            "The standard deviation of a normal distribution, or a table with its mean and shape, too.",
            generator,
        )
    }
}

impl<'de> Deserialize<'de> for Deviation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = Deviation;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter
                    .write_str("a number (the standard deviation) or { mean, std, distribution }")
            }

            fn visit_f64<E>(self, std: f64) -> Result<Deviation, E> {
                Ok(Deviation { std, ..Deviation::IDEAL })
            }

            fn visit_i64<E>(self, std: i64) -> Result<Deviation, E> {
                Ok(Deviation { std: std as f64, ..Deviation::IDEAL })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Deviation, A::Error> {
                let Table { mean, std, distribution } =
                    Table::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Deviation { mean, std, distribution })
            }
        }

        deserializer.deserialize_any(Either)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random;

    #[test]
    fn every_shape_has_its_mean_and_spread() {
        const COUNT: usize = 40_000;
        for distribution in [Shape::Normal, Shape::Uniform, Shape::LogNormal] {
            let deviation = Deviation { mean: 0.05, std: 0.2, distribution };
            let mut random = random::stream(3, "deviation test", 0);
            let drawn: Vec<f64> = (0..COUNT).map(|_| deviation.draw(&mut random)).collect();
            let mut together = vec![0.0; COUNT];
            deviation.draw_all(&mut random, &mut NormalNumbers::default(), &mut together);
            for drawn in [drawn, together] {
                let mean = drawn.iter().sum::<f64>() / COUNT as f64;
                let square = drawn.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
                let std = (square / COUNT as f64).sqrt();
                // Four standard errors: 0.2/200 and, with a kurtosis of up to 4, 0.2 × 0.87/200.
                assert!((mean - 0.05).abs() < 0.004, "{distribution:?} {mean}");
                assert!((std - 0.2).abs() < 0.0035, "{distribution:?} {std}");
            }
        }
    }

    #[test]
    fn a_number_is_a_spread_and_factors_stay_positive() {
        #[derive(Deserialize)]
        struct Holder {
            x: Deviation,
        }
        let read = |text: &str| toml::from_str::<Holder>(text).map(|holder| holder.x);
        assert_eq!(read("x = 0.5"), Ok(Deviation { std: 0.5, ..Deviation::IDEAL }));
        let table = read("x = { mean = -0.1, std = 1, distribution = 'log_normal' }");
        let expected = Deviation { mean: -0.1, std: 1.0, distribution: Shape::LogNormal };
        assert_eq!(table, Ok(expected));
        assert!(read("x = { deviation = 1 }").is_err());
        let wide = Deviation { std: 2.0, ..Deviation::IDEAL };
        let mut random = random::stream(3, "deviation test", 1);
        assert!((0..1000).all(|_| wide.factor(&mut random) >= SMALLEST_FACTOR));
        let (mut normal, mut factors) = (NormalNumbers::default(), [0.0; 1000]);
        wide.factor_all(&mut random, &mut normal, &mut factors);
        assert!(factors.iter().all(|&factor| factor >= SMALLEST_FACTOR));
        // Of these, a third is drawn again.
        let above = factors.iter().filter(|&&factor| factor > 1.0).count();
        assert!((640..840).contains(&above), "{above}");
        Deviation::IDEAL.factor_all(&mut random, &mut normal, &mut factors);
        assert_eq!(factors, [1.0; 1000]);
        assert_eq!(Deviation::IDEAL.factor(&mut random).to_bits(), 1.0_f64.to_bits());
    }
}
