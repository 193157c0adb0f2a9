//! Which engine ran a network, and why it was not a faster one, as it stands in `summary.json`.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

use crate::learning::EngineChoice;

/// What runs a network: `{"name": "event", "faster": "feed_forward", "times_faster": 21,
/// "why_not_faster": "the scenario asks for it"}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct EngineSummary {
    /// The engine.
    pub name: String,
    /// An engine that is faster where it can run a network; none if none is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub faster: Option<String>,
    /// How many times as fast it was where it was measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub times_faster: Option<u32>,
    /// Why it does not run this one.
    pub why_not_faster: Option<String>,
}

impl EngineSummary {
    /// The fastest engine that there is for a network.
    pub fn fastest(name: &str) -> Self {
        EngineSummary { name: name.to_owned(), ..EngineSummary::default() }
    }

    /// An engine, although another one is faster.
    pub fn slower(name: &str, (faster, times): (&str, u32), why: String) -> Self {
        EngineSummary {
            name: name.to_owned(),
            faster: Some(faster.to_owned()),
            times_faster: Some(times),
            why_not_faster: Some(why),
        }
    }
}

impl From<EngineChoice> for EngineSummary {
    fn from(choice: EngineChoice) -> Self {
        let EngineChoice { name, why_not_faster } = choice;
        let faster = (EngineChoice::FASTER, EngineChoice::TIMES_FASTER);
        match why_not_faster {
            None => Self::fastest(name),
            Some(why) => Self::slower(name, faster, why.to_string()),
        }
    }
}

/// `event (21 times slower than feed_forward): the scenario asks for it`.
impl fmt::Display for EngineSummary {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.name)?;
        if let (Some(faster), Some(times)) = (&self.faster, self.times_faster) {
            write!(formatter, " ({times} times slower than {faster})")?;
        }
        match &self.why_not_faster {
            Some(why) => write!(formatter, ": {why}"),
            None => Ok(()),
        }
    }
}

impl<'de> Deserialize<'de> for EngineSummary {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            /// Up to version 0.1.0 the name stands alone.
            Name(String),
            Full {
                name: String,
                faster: Option<String>,
                times_faster: Option<u32>,
                why_not_faster: Option<String>,
            },
        }
        Ok(match Written::deserialize(deserializer)? {
            Written::Name(name) => EngineSummary { name, ..EngineSummary::default() },
            Written::Full { name, faster, times_faster, why_not_faster } => {
                EngineSummary { name, faster, times_faster, why_not_faster }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_is_read_as_it_was_written_and_as_earlier_versions_wrote_it() {
        let why = "layer `hidden` has inhibitory synapses with a time constant of their own";
        let slower = EngineSummary::slower("event", ("feed_forward", 21), why.to_owned());
        let text = serde_json::to_string(&slower).expect("JSON");
        let expected = format!(
            r#"{{"name":"event","faster":"feed_forward","times_faster":21,"why_not_faster":"{why}"}}"#
        );
        assert_eq!(text, expected);
        assert_eq!(serde_json::from_str::<EngineSummary>(&text).expect("JSON"), slower);
        assert_eq!(slower.to_string(), format!("event (21 times slower than feed_forward): {why}"));

        let fastest = EngineSummary::fastest("window");
        let text = serde_json::to_string(&fastest).expect("JSON");
        assert_eq!(text, r#"{"name":"window","why_not_faster":null}"#);
        assert_eq!(serde_json::from_str::<EngineSummary>(&text).expect("JSON"), fastest);
        assert_eq!(serde_json::from_str::<EngineSummary>(r#""window""#).expect("JSON"), fastest);
        assert_eq!(fastest.to_string(), "window");
    }
}
