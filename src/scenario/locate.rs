//! Where a key stands in a scenario file.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Line (from 1) of the value at a dotted key path such as `layers.0.size`, or of the nearest part
/// of the path that exists; none if not even the first part does.
pub(crate) fn line_of(text: &str, key: &str) -> Option<usize> {
    nearest(text, key).map(|(line, _)| line)
}

/// Whether there is a value at a dotted key path.
pub(super) fn is_there(text: &str, key: &str) -> bool {
    nearest(text, key).is_some_and(|(_, exact)| exact)
}

/// Line of the nearest part of the path that exists, and whether that is all of it.
fn nearest(text: &str, key: &str) -> Option<(usize, bool)> {
    let root = DeTable::parse(text).ok()?;
    let mut parts = key.split('.');
    let mut value = root.get_ref().get(parts.next()?)?;
    let mut exact = true;
    for part in parts {
        let Some(inner) = child(value, part) else {
            exact = false;
            break;
        };
        value = inner;
    }
    let start = value.span().start.min(text.len());
    Some((1 + text[..start].matches('\n').count(), exact))
}

fn child<'a, 'i>(value: &'a Spanned<DeValue<'i>>, part: &str) -> Option<&'a Spanned<DeValue<'i>>> {
    match value.get_ref() {
        DeValue::Table(table) => table.get(part),
        DeValue::Array(array) => array.get(part.parse::<usize>().ok()?),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_values_in_tables_and_arrays_of_tables() {
        let text =
            "seed = 1\n\n[neuron]\ntau_m = -1\n\n[[layers]]\nsize = 3\n\n[[layers]]\nsize = 0\n";
        assert_eq!(line_of(text, "neuron.tau_m"), Some(4));
        assert_eq!(line_of(text, "layers.1.size"), Some(10));
        assert_eq!(line_of(text, "layers.1.weights.normal"), Some(9));
        assert_eq!(line_of(text, "training.epochs"), None);
        assert!(is_there(text, "layers.1.size") && !is_there(text, "layers.1.weights"));
    }
}
