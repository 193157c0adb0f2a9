//! Floating-point numbers that survive JSON whatever they are: JSON has no infinity and no NaN, so
//! those become text. For `#[serde(with = "exact")]`.

use serde::{Deserialize, Deserializer, Serializer};

pub(super) fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    if value.is_finite() { serializer.serialize_f64(*value) } else { serializer.collect_str(value) }
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Value {
        Number(f64),
        Text(String),
    }
    match Value::deserialize(deserializer)? {
        Value::Number(value) => Ok(value),
        Value::Text(text) => text.parse().map_err(serde::de::Error::custom),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_number_comes_back() {
        #[derive(serde::Serialize, serde::Deserialize)]
        struct Wrapped(#[serde(with = "super")] f64);

        let numbers = [0.0, -0.0, 0.1, 1.0 / 3.0, 5e-324, f64::MAX, f64::INFINITY, -f64::INFINITY];
        for value in numbers {
            let text = serde_json::to_string(&Wrapped(value)).expect("JSON");
            let back: Wrapped = serde_json::from_str(&text).expect(&text);
            assert_eq!(back.0.to_bits(), value.to_bits(), "{text}");
        }
        let nan: Wrapped = serde_json::from_str("\"NaN\"").expect("a number");
        assert!(nan.0.is_nan());
        assert!(serde_json::from_str::<Wrapped>("\"many\"").is_err());
    }
}
