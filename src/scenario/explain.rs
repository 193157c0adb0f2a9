//! What the parser of TOML says, in a user's words.

use std::fmt::Write as _;

/// How the parser calls the types of a scenario, and what they are to a user.
const TYPES: [(&str, &str); 8] = [
    ("expected f64", "expected a number"),
    ("expected usize", "expected a whole number, not negative"),
    ("expected u64", "expected a whole number, not negative"),
    ("expected u32", "expected a whole number from 0 to 4294967295"),
    ("expected a sequence", "expected a list"),
    ("wanted string or table", "expected a word, or a table with one key"),
    (
        "wanted exactly 1 element, more than 1 element",
        "expected a table with one key, which names the kind; this one has several",
    ),
    // Of the tables, only those of neuron parameters can be found empty in this way.
    ("map, expected enum", "empty table, expected a number, or normal, uniform, values or file"),
];

/// The parser's message in a user's words, with the nearest known key where it met an unknown one.
pub(crate) fn explain(error: &toml::de::Error) -> String {
    let mut plain = TYPES
        .iter()
        .fold(error.message().to_owned(), |message, (theirs, ours)| message.replace(theirs, ours));
    let shown = error.to_string();
    if plain.contains("unit variant") {
        plain = bare_word(&shown);
    }
    if let Some(start) = plain.find("expected struct ") {
        plain.replace_range(start.., "expected a table");
    }
    let mut text = shown.trim_end().replace(error.message(), &plain);
    if text.contains("| [dataset]") {
        text.push_str("\nA table of your own is [dataset.file]; the others are [dataset.yin_yang], [dataset.mnist] and \
                       [dataset.fashion_mnist].");
    }
    let mut quoted = error.message().split('`').skip(1).step_by(2);
    if error.message().starts_with("unknown")
        && let Some(unknown) = quoted.next()
    {
        if unknown == "learning_rate"
            && quoted.clone().any(|it| ["optimiser", "adam"].contains(&it))
        {
            text.push_str("\nIt is optimiser.adam.learning_rate in [training].");
            return text;
        }
        let nearest = quoted
            // Comparing takes time and memory proportional to both lengths.
            .filter(|known| unknown.len() <= 2 * known.len())
            .map(|known| (strsim::damerau_levenshtein(unknown, known), known))
            .min_by_key(|(distance, _)| *distance)
            .filter(|(distance, known)| *distance <= known.len() / 2);
        if let Some((_, known)) = nearest {
            let _ = write!(text, "\nDid you mean `{known}`?");
        }
    }
    text
}

/// What stands behind kinds that have values of their own.
const FORMS: [(&str, &str); 10] = [
    ("quantiles", "0.02"),
    ("step", "{ every = 50, factor = 0.5 }"),
    ("constant", "1.0"),
    ("normal", "{ mean = 0.5, std = 0.8 }"),
    ("uniform", "{ low = 0.0, high = 1.0 }"),
    ("logit_normal", "{ mean = 0.0, std = 1.0 }"),
    ("file", "…"),
    ("shift_invariant_mean_squared_error", "{ margin = 0.2 }"),
    ("mean_squared_error", "{ correct = 0.5, wrong = 1.0 }"),
    ("yin_yang", "{}"),
];

/// A kind that was named without its values, as in `schedule = "step"`: what to write instead. The parser's message
/// shows the line, and has marks below the word.
fn bare_word(shown: &str) -> String {
    let found = || {
        let (line, marks) = shown.lines().zip(shown.lines().skip(1)).find(|(_, marks)| {
            marks.contains('^') && marks.chars().all(|letter| " |^".contains(letter))
        })?;
        let start = marks.chars().position(|letter| letter == '^')?;
        let length = marks.chars().filter(|&letter| letter == '^').count();
        let word: String = line.chars().skip(start).take(length).collect();
        let before: String = line.chars().take(start).collect();
        let mut key = before.split('|').next_back()?.split(['=', '{', ',']).map(str::trim);
        let key = key.rfind(|part| !part.is_empty())?.to_owned();
        Some((key, word.trim_matches(['"', '\'']).to_owned()))
    };
    let Some((key, word)) = found() else {
        return "this kind has values of its own: expected a table with its name as the key"
            .to_owned();
    };
    let form = FORMS.iter().find(|(kind, _)| *kind == word).map_or("{ … }", |(_, form)| form);
    format!("`{word}` has values of its own: write it as {key}.{word} = {form}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Scenario;

    fn explained(text: &str) -> String {
        explain(&toml::from_str::<Scenario>(text).expect_err(text))
    }

    #[test]
    fn kinds_without_their_values_are_told_how_to_have_them() {
        for (text, expected) in [
            (
                "[dataset.file]\ntraining.csv = 'a'\nscaling = \"quantiles\"\n",
                "write it as scaling.quantiles = 0.02",
            ),
            ("[training]\nschedule = 'step'\n", "schedule.step = { every = 50, factor = 0.5 }"),
            ("layers = [{ size = 3, weights = 'normal' }]", "weights.normal = { mean"),
            ("dataset = 'yin_yang'", "dataset.yin_yang = {}"),
            ("[dataset]\ntraining.csv = 'a'\nlabel = 'b'\n", "[dataset.file]"),
            ("[training]\nlearning_rate = 0.1\n", "It is optimiser.adam.learning_rate"),
            ("[training]\noptimiser.learning_rate = 0.1\n", "It is optimiser.adam.learning_rate"),
        ] {
            let told = explained(text);
            assert!(told.contains(expected), "{told}");
            assert!(!told.contains("variant,") && !told.contains("element"), "{told}");
        }
    }

    #[test]
    fn an_unknown_key_is_explained_with_the_nearest_known_one() {
        let error = toml::from_str::<Scenario>("[neuron]\ntau_mem = 2\n").expect_err("unknown");
        let text = explain(&error);
        assert!(text.contains("line 2") && text.contains("Did you mean `tau_m`?"), "{text}");
        // A name that is none like it is not compared: that would take its length squared.
        let long = format!("[neuron]\n{} = 2\n", "x".repeat(1 << 20));
        let error = toml::from_str::<Scenario>(&long).expect_err("unknown");
        assert!(!explain(&error).contains("Did you mean"));
    }
}
