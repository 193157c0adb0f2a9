//! Which emitted spike stands for which target spike.

/// Pairs of emitted and target spikes of one neuron, and what is left over.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Alignment {
    /// Index of the emitted spike, index of the target spike.
    pub pairs: Vec<(usize, usize)>,
    /// Target spikes that no emitted spike stands for.
    pub missing: Vec<usize>,
    /// Emitted spikes that stand for no target spike.
    pub extra: Vec<usize>,
}

/// Pairs emitted with target spikes in order, at the least cost: the distance in time of each pair
/// as a fraction of `window`, and ½ for each spike left over on either side. Pairs further apart
/// than `window` are never formed. (The spike-train metric of Victor & Purpura 1996 with
/// `q = 1/window` and deletions at ½.)
///
/// Both trains are sorted by time. Cost: their lengths multiplied.
pub fn align(emitted: &[f64], targets: &[f64], window: f64) -> Alignment {
    let (rows, columns) = (emitted.len(), targets.len());
    let index = |row: usize, column: usize| row * (columns + 1) + column;
    let pair_cost = |row: usize, column: usize| {
        let distance = (emitted[row] - targets[column]).abs() / window;
        if distance <= 1.0 { distance } else { f64::INFINITY }
    };
    // cost[(r, c)]: least cost of aligning the first r emitted with the first c target spikes.
    let mut cost = vec![0.0; (rows + 1) * (columns + 1)];
    for row in 0..=rows {
        for column in 0..=columns {
            cost[index(row, column)] = match (row, column) {
                (0, _) => 0.5 * column as f64,
                (_, 0) => 0.5 * row as f64,
                _ => (cost[index(row - 1, column - 1)] + pair_cost(row - 1, column - 1))
                    .min(cost[index(row - 1, column)] + 0.5)
                    .min(cost[index(row, column - 1)] + 0.5),
            };
        }
    }
    let mut alignment = Alignment::default();
    let (mut row, mut column) = (rows, columns);
    while row > 0 || column > 0 {
        let here = cost[index(row, column)];
        if row > 0
            && column > 0
            && here == cost[index(row - 1, column - 1)] + pair_cost(row - 1, column - 1)
        {
            (row, column) = (row - 1, column - 1);
            alignment.pairs.push((row, column));
        } else if row > 0 && (column == 0 || here == cost[index(row - 1, column)] + 0.5) {
            row -= 1;
            alignment.extra.push(row);
        } else {
            column -= 1;
            alignment.missing.push(column);
        }
    }
    alignment.pairs.reverse();
    alignment.missing.reverse();
    alignment.extra.reverse();
    alignment
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_spikes_are_paired_and_the_rest_is_left_over() {
        let alignment = align(&[1.0, 2.1, 7.0], &[1.1, 2.0, 4.0], 1.0);
        assert_eq!(alignment.pairs, [(0, 0), (1, 1)]);
        assert_eq!(alignment.extra, [2]);
        assert_eq!(alignment.missing, [2]);
    }

    #[test]
    fn order_is_kept_even_where_crossing_pairs_would_be_nearer() {
        let alignment = align(&[1.0, 1.2], &[0.9, 1.1, 1.25], 1.0);
        assert_eq!(alignment.pairs.len(), 2);
        assert!(alignment.pairs.windows(2).all(|pair| pair[0].1 < pair[1].1));
        assert_eq!(alignment.missing.len(), 1);
    }

    #[test]
    fn empty_trains_leave_everything_over() {
        assert_eq!(align(&[], &[1.0, 2.0], 1.0).missing, [0, 1]);
        assert_eq!(align(&[1.0], &[], 1.0).extra, [0]);
        assert_eq!(align(&[], &[], 1.0), Alignment::default());
    }
}
