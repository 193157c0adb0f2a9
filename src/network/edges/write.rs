//! The synapses of a network as an edge list and as SONATA edges, in the order of its rows.

use std::io::{self, Write};

use super::super::{CompiledNetwork, Receptor};
use crate::settings::time_units::TimeFactor;

/// Writes all synapses as a table that `connect.file` reads: columns `pre_population`, `pre`, `post_population`, `post`,
/// `weight`, `delay_<unit>` (`delay` where the unit is not one of physical time) and, if some were chosen, `receptor`.
/// Neurons are counted from 0 in their populations.
///
/// # Errors
/// If writing fails.
pub fn write_table(
    network: &CompiledNetwork,
    time_unit: &str,
    output: &mut impl Write,
) -> io::Result<()> {
    let delay = if TimeFactor::between(time_unit, "s").is_some() {
        format!("delay_{time_unit}")
    } else {
        "delay".to_owned()
    };
    let receptors = network.has_explicit_receptors();
    let heading = if receptors { ",receptor" } else { "" };
    writeln!(output, "pre_population,pre,post_population,post,weight,{delay}{heading}")?;
    for pre in network.populations() {
        for post in network.populations() {
            for (from, to, delay, synapse) in network.between(pre, post) {
                let weight = network.weights()[synapse];
                write!(output, "{},{from},{},{to},{weight},{delay}", pre.name, post.name)?;
                match (receptors, network.receptor(synapse)) {
                    (false, _) => {}
                    (true, Receptor::BySign) => write!(output, ",by_sign")?,
                    (true, Receptor::Excitatory) => write!(output, ",excitatory")?,
                    (true, Receptor::Inhibitory) => write!(output, ",inhibitory")?,
                }
                writeln!(output)?;
            }
        }
    }
    output.flush()
}

#[cfg(feature = "hdf5")]
pub use sonata::{SonataFiles, write_sonata};

#[cfg(feature = "hdf5")]
mod sonata {
    use std::fs;
    use std::io::{self, Write as _};
    use std::path::{Path, PathBuf};

    use hdf5_pure::{
        AttrValue, DatasetBuilder, File, FileAccessProperties, FileBuilder, GroupBuilder,
        MaxExtent, SyncPolicy, make_f64_type, make_i64_type, make_u32_type, make_u64_type,
    };

    use crate::network::{CompiledNetwork, Population, Receptor};
    use crate::settings::time_units::TimeFactor;
    use crate::table::{check_replaceable, partial};

    /// Synapses in a block, and numbers in a chunk: with more, HDF5 2 does not open what the crate writes (as in
    /// `hdf5::write`).
    const CHUNK: usize = 1 << 15;

    /// The files of a network as SONATA has it.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct SonataFiles {
        /// `/edges/<pre>_to_<post>`: ids, weights, delays.
        pub edges: PathBuf,
        /// `/nodes/<population>`.
        pub nodes: PathBuf,
        /// The types of edges, one without anything: `edge_type_id`.
        pub edge_types: PathBuf,
        /// The types of nodes: `node_type_id`, `pop_name`, `model_type`.
        pub node_types: PathBuf,
    }

    impl SonataFiles {
        /// `net_nodes.h5`, `net_edge_types.csv` and `net_node_types.csv` beside `net.h5`.
        pub fn beside(edges: &Path) -> Self {
            let stem = edges.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let file = |rest: &str| edges.with_file_name(format!("{stem}_{rest}"));
            SonataFiles {
                edges: edges.to_owned(),
                nodes: file("nodes.h5"),
                edge_types: file("edge_types.csv"),
                node_types: file("node_types.csv"),
            }
        }

        /// All of them.
        pub fn all(&self) -> [&Path; 4] {
            [&self.edges, &self.nodes, &self.edge_types, &self.node_types]
        }
    }

    /// Columns of a population of edges, in the order in which they are appended to.
    const COLUMNS: [&str; 7] = [
        "source_node_id",
        "target_node_id",
        "edge_type_id",
        "edge_group_id",
        "edge_group_index",
        "0/syn_weight",
        "0/delay",
    ];

    /// Writes a network as SONATA edges and nodes; delays are in ms. Each file is written beside its place and renamed
    /// when it is whole.
    ///
    /// # Errors
    /// If the unit of time is none of s, ms, us and ns, or writing fails.
    pub fn write_sonata(
        network: &CompiledNetwork,
        time_unit: &str,
        files: &SonataFiles,
    ) -> io::Result<()> {
        let Some(factor) = TimeFactor::between(time_unit, "ms") else {
            let message = format!(
                "delays of SONATA edges are in ms, which {time_unit} is not: write a table (.csv), or give the scenario \
                 time_unit = \"ms\" or the like"
            );
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        };
        files.all().into_iter().try_for_each(check_replaceable)?;
        whole(&files.edges, |path| write_edges(network, factor, path))?;
        whole(&files.nodes, |path| write_nodes(network, path))?;
        whole(&files.edge_types, |path| fs::write(path, "edge_type_id dynamics_params\n0 NULL\n"))?;
        whole(&files.node_types, |path| {
            let mut file = io::BufWriter::new(fs::File::create(path)?);
            writeln!(file, "node_type_id pop_name model_type")?;
            for (index, Population { name, nodes }) in network.populations().iter().enumerate() {
                let is_source = network.dynamics(nodes.start).is_none();
                let model = if is_source { "virtual" } else { "point_neuron" };
                writeln!(file, "{index} {name} {model}")?;
            }
            file.flush()
        })
    }

    fn whole(path: &Path, write: impl FnOnce(&Path) -> io::Result<()>) -> io::Result<()> {
        let partial = partial(path);
        let written = write(&partial).and_then(|()| fs::rename(&partial, path));
        written.inspect_err(|_| {
            let _ = fs::remove_file(&partial);
        })
    }

    fn unwritable(error: impl std::fmt::Display) -> io::Error {
        io::Error::other(error.to_string())
    }

    fn growing(builder: &mut DatasetBuilder) {
        builder
            .with_shape(&[0])
            .with_maxshape(&[MaxExtent::Unlimited])
            .with_chunks(&[CHUNK as u64]);
    }

    fn header(builder: &mut FileBuilder) {
        builder.set_attr("magic", AttrValue::U32(0x0A7A));
        builder.set_attr("version", AttrValue::U32Array(vec![0, 1]));
    }

    fn write_edges(network: &CompiledNetwork, factor: TimeFactor, path: &Path) -> io::Result<()> {
        let populations = network.populations();
        let pairs =
            populations.iter().flat_map(|pre| populations.iter().map(move |post| (pre, post)));
        let pairs: Vec<_> =
            pairs.filter(|(pre, post)| network.between(pre, post).next().is_some()).collect();
        // `a` to `b_to_c` and `a_to_b` to `c` would have one name.
        let mut names: Vec<String> = Vec::with_capacity(pairs.len());
        for (pre, post) in &pairs {
            let plain = format!("{}_to_{}", pre.name, post.name);
            let others = (2..).map(|number| format!("{plain}_{number}"));
            let mut candidates = std::iter::once(plain.clone()).chain(others);
            names.extend(candidates.find(|name| !names.contains(name)));
        }
        let receptors = network.has_explicit_receptors();
        let mut builder = FileBuilder::new();
        header(&mut builder);
        let mut all = builder.create_group("edges");
        for (pair, name) in pairs.iter().zip(&names) {
            let mut edges = all.create_group(name);
            declare(&mut edges, pair);
            let mut group = edges.create_group("0");
            for name in ["syn_weight", "delay"] {
                growing(group.create_dataset(name).with_dtype(make_f64_type()));
            }
            if receptors {
                growing(group.create_dataset("receptor").with_dtype(make_u32_type()));
            }
            edges.add_group(group.finish());
            all.add_group(edges.finish());
        }
        builder.add_group(all.finish());
        builder.write(path).map_err(unwritable)?;
        let access = FileAccessProperties::new().with_sync_policy(SyncPolicy::OnClose);
        let file = File::open_rw_with_options(path, access).map_err(unwritable)?;
        for ((pre, post), name) in pairs.iter().zip(&names) {
            let dataset =
                |column: &str| file.dataset(&format!("edges/{name}/{column}")).map_err(unwritable);
            let mut columns =
                COLUMNS.iter().map(|column| dataset(column)).collect::<io::Result<Vec<_>>>()?;
            if receptors {
                columns.push(dataset("0/receptor")?);
            }
            let mut bytes = vec![Vec::new(); columns.len()];
            let mut synapses = network.between(pre, post).enumerate().peekable();
            while synapses.peek().is_some() {
                bytes.iter_mut().for_each(Vec::clear);
                for (index, (from, to, delay, synapse)) in synapses.by_ref().take(CHUNK) {
                    let weight = network.weights()[synapse];
                    bytes[0].extend((from as u64).to_le_bytes());
                    bytes[1].extend((to as u64).to_le_bytes());
                    bytes[2].extend(0_i64.to_le_bytes());
                    bytes[3].extend(0_u32.to_le_bytes());
                    bytes[4].extend((index as u64).to_le_bytes());
                    bytes[5].extend(weight.to_le_bytes());
                    bytes[6].extend(factor.apply(delay).to_le_bytes());
                    if receptors {
                        let receptor = match network.receptor(synapse) {
                            Receptor::BySign => 0_u32,
                            Receptor::Excitatory => 1,
                            Receptor::Inhibitory => 2,
                        };
                        bytes[7].extend(receptor.to_le_bytes());
                    }
                }
                for (column, bytes) in columns.iter_mut().zip(&bytes) {
                    column.append_raw(bytes).map_err(unwritable)?;
                }
            }
        }
        file.close().map_err(unwritable)
    }

    fn declare(edges: &mut GroupBuilder, (pre, post): &(&Population, &Population)) {
        let types =
            [make_u64_type(), make_u64_type(), make_i64_type(), make_u32_type(), make_u64_type()];
        for (name, kind) in COLUMNS.iter().zip(types) {
            let builder = edges.create_dataset(name).with_dtype(kind);
            match *name {
                "source_node_id" => {
                    builder.set_attr("node_population", AttrValue::String(pre.name.clone()));
                }
                "target_node_id" => {
                    builder.set_attr("node_population", AttrValue::String(post.name.clone()));
                }
                _ => {}
            }
            growing(builder);
        }
    }

    fn write_nodes(network: &CompiledNetwork, path: &Path) -> io::Result<()> {
        let mut builder = FileBuilder::new();
        header(&mut builder);
        let mut all = builder.create_group("nodes");
        for (index, Population { name, nodes }) in network.populations().iter().enumerate() {
            let count = nodes.len() as u64;
            let mut population = all.create_group(name);
            let ids: Vec<u64> = (0..count).collect();
            population.create_dataset("node_id").with_u64_data(&ids).with_shape(&[count]);
            population.create_dataset("node_group_index").with_u64_data(&ids).with_shape(&[count]);
            population
                .create_dataset("node_type_id")
                .with_i64_data(&vec![index as i64; nodes.len()])
                .with_shape(&[count]);
            population
                .create_dataset("node_group_id")
                .with_u32_data(&vec![0; nodes.len()])
                .with_shape(&[count]);
            let group = population.create_group("0");
            population.add_group(group.finish());
            all.add_group(population.finish());
        }
        builder.add_group(all.finish());
        builder.write(path).map_err(unwritable)
    }
}
