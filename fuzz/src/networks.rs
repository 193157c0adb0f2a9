//! Networks of other programs.

use firstspike::network::CompiledNetwork;
use firstspike::nir::{Dialect, Graph, export, guess, meaning};

use super::folder::{place, write};

/// A NIR file, in every dialect. What is read is written and read again as it was; what it means is written, and
/// means the same.
pub fn nir(data: &[u8]) {
    let Ok(graph) = Graph::read(&write("network.nir", data)) else { return };
    let copy = place("copy.nir");
    // Names that HDF5 does not have in one piece, such as those with a slash, are refused.
    if graph.write(&copy).is_ok() {
        let again = Graph::read(&copy)
            .unwrap_or_else(|error| panic!("what was written is refused: {error}"));
        assert_eq!(again.nodes.len(), graph.nodes.len());
        assert_eq!(again.edges, graph.edges);
    }
    let _ = guess(&graph);
    for (_, dialect) in Dialect::ALL {
        let Ok(first) = meaning(&graph, &dialect.convention(None)) else { continue };
        if first.network.graph().node_count() > 10_000
            || first.network.graph().edge_count() > 100_000
        {
            return;
        }
        let strict = Dialect::Strict;
        let Ok((written, _)) =
            export(&CompiledNetwork::new(&first.network), first.time_unit, strict, None, &[])
        else {
            continue;
        };
        if written.write(&copy).is_err() {
            continue;
        }
        let read = Graph::read(&copy)
            .unwrap_or_else(|error| panic!("what was written is refused: {error}"));
        let convention = strict.convention(None);
        let second = meaning(&read, &convention);
        let second = second
            .unwrap_or_else(|refusals| panic!("what was written means nothing: {refusals:?}"));
        assert_eq!(second.network.graph().node_count(), first.network.graph().node_count());
    }
}
