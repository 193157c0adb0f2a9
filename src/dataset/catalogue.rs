//! The public data sets that can be fetched, with what is known of their files.

use std::path::PathBuf;

/// A data set on the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collection {
    /// Its name on the command line.
    pub name: String,
    /// Where it is kept if nothing else is said, relative to the working directory.
    pub folder: PathBuf,
    /// The address before the names of files.
    pub url: String,
    /// Its files.
    pub files: Vec<CatalogueFile>,
}

/// A gzipped IDX file of a data set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogueFile {
    /// Its name, with `.gz`.
    pub name: String,
    /// SHA-256, in hexadecimal digits.
    pub checksum: Checksum,
    /// Number of values in each dimension.
    pub dimensions: Vec<usize>,
}

/// What a checksum is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Checksum {
    /// Of the content, uncompressed: mirrors compress it in their own ways.
    Content(String),
    /// Of the compressed file.
    Compressed(String),
}

/// The four files of a set like MNIST.
fn files(checksums: [Checksum; 4]) -> Vec<CatalogueFile> {
    let parts = [
        ("train-images-idx3-ubyte.gz", vec![60_000, 28, 28]),
        ("train-labels-idx1-ubyte.gz", vec![60_000]),
        ("t10k-images-idx3-ubyte.gz", vec![10_000, 28, 28]),
        ("t10k-labels-idx1-ubyte.gz", vec![10_000]),
    ];
    parts
        .into_iter()
        .zip(checksums)
        .map(|((name, dimensions), checksum)| CatalogueFile {
            name: name.to_owned(),
            checksum,
            dimensions,
        })
        .collect()
}

/// MNIST (LeCun, Cortes & Burges): handwritten digits.
pub fn mnist() -> Collection {
    let checksums = [
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ];
    Collection {
        name: "mnist".to_owned(),
        folder: PathBuf::from("data/mnist"),
        url: "https://ossci-datasets.s3.amazonaws.com/mnist/".to_owned(),
        files: files(checksums.map(|sum| Checksum::Content(sum.to_owned()))),
    }
}

/// Fashion-MNIST (Xiao, Rasul & Vollgraf 2017): images of clothes.
pub fn fashion_mnist() -> Collection {
    // Of the files as their authors serve them.
    let checksums = [
        "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
    ];
    Collection {
        name: "fashion-mnist".to_owned(),
        folder: PathBuf::from("data/fashion_mnist"),
        url: "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/".to_owned(),
        files: files(checksums.map(|sum| Checksum::Compressed(sum.to_owned()))),
    }
}

/// All of them.
pub fn all() -> [Collection; 2] {
    [mnist(), fashion_mnist()]
}
