//! Data sets, and tables of features or spike times.

use super::{Case, Change, TRAINING, replay, training};

/// Another data set in place of Yin-Yang, which is four lines long too.
macro_rules! dataset {
    ($($line:literal)*) => {
        (
            "[dataset.yin_yang]\ntraining = { size = 60, seed = 42 }\n\
             validation = { size = 30, seed = 41 }\ntest = { size = 30, seed = 40 }\n",
            concat!($($line, "\n"),*),
        )
    };
}

/// Ten label neurons, as MNIST needs.
const TEN_LABELS: (&str, &str) = ("name = \"label\"\nsize = 3", "name = \"label\"\nsize = 10");

const TABLE: (&str, &str) =
    dataset!("[dataset.file]" "training.csv = 'a.csv'" "validation.last = 1" "test.csv = 'b.csv'");

const SPIKE_TIMES: (&str, &str) = dataset!("[dataset.file]" "training.csv = 'a.csv'" "validation.last = 1" "test.csv = 'b.csv'" "spike_times = true");

const NO_ENCODING: (&str, &str) = ("[encoding]\nearliest = 0.15\nlatest = 2.0\n", "");

/// A case with a table of these contents, of which the second is the test set.
const fn table(
    name: &'static str,
    change: Change,
    files: &'static [(&'static str, &'static [u8])],
    stderr: &'static [&'static str],
) -> Case {
    Case { name, change, files, stderr, ..TRAINING }
}

const GOOD_TABLE: (&str, &[u8]) = ("b.csv", b"label,x,y\n0,0,1\n1,0.5,0\n2,1,1\n");

#[test]
fn data_sets_that_do_not_fit_are_refused() {
    replay(&[
        training(
            "images of another size",
            &[dataset!("[dataset.mnist]" "size = 20"), TEN_LABELS],
            &["scenario.toml:10: dataset.mnist.size: 20 must be 28 or 16"],
        ),
        training(
            "more images than there are",
            &[dataset!("[dataset.mnist]" "training = 50001"), TEN_LABELS],
            &["scenario.toml:10: dataset.mnist.training: 50001 must be from 1 to 50000"],
        ),
        training(
            "no images to validate with",
            &[dataset!("[dataset.fashion_mnist]" "validation = 0"), TEN_LABELS],
            &["scenario.toml:10: dataset.fashion_mnist.validation: 0 must be from 1 to 10000"],
        ),
        training(
            "no images to test with",
            &[dataset!("[dataset.mnist]" "test = 0"), TEN_LABELS],
            &["scenario.toml:10: dataset.mnist.test: 0 must be from 1 to 10000"],
        ),
        training(
            "too few label neurons",
            &[dataset!("[dataset.mnist]")],
            &["layers.1.size: 3 label neurons, but MNIST has 10 classes"],
        ),
        training(
            "no files in a folder",
            &[dataset!("[dataset.mnist]" "folder = 'nowhere'"), TEN_LABELS],
            &[
                "scenario.toml:9: dataset.mnist: nowhere/train-images-idx3-ubyte: there is no such file",
                "firstspike data fetch mnist",
                "dataset.mnist.folder",
            ],
        ),
        training(
            "no files in the usual folder",
            &[dataset!("[dataset.fashion_mnist]"), TEN_LABELS],
            &["data/fashion_mnist/train-images-idx3-ubyte", "firstspike data fetch fashion-mnist"],
        ),
        Case {
            name: "images that are none",
            change: &[dataset!("[dataset.mnist]" "folder = '.'"), TEN_LABELS],
            files: &[
                ("train-images-idx3-ubyte.gz", b"not packed, no images"),
                ("train-labels-idx1-ubyte.gz", b"no labels"),
            ],
            stderr: &["train-images-idx3-ubyte.gz: begins with 0x6e6f7420"],
            ..TRAINING
        },
        training(
            "encoding with a word for a truth",
            &[("latest = 2.0", "latest = 2.0\ninverted = \"yes\"")],
            &["scenario.toml", "line 17", "boolean"],
        ),
        training(
            "encoding with an unknown key",
            &[("latest = 2.0", "latest = 2.0\nsilent_zeros = true")],
            &["`silent_zeros`", "Did you mean `silent_zero`?"],
        ),
    ]);
}

#[test]
fn tables_that_do_not_fit_are_refused() {
    replay(&[
        table("missing table", &[TABLE], &[], &["dataset.file.training: a.csv: "]),
        table(
            "feature out of range",
            &[TABLE],
            &[("a.csv", b"label,x,y\n0,0,1\n1,7,0\n"), GOOD_TABLE],
            &[
                "scenario.toml:10: dataset.file.training: a.csv: line 3, column `x`: `7`: a feature \
               must be a number from 0 to 1",
            ],
        ),
        table(
            "other columns",
            &[TABLE],
            &[("a.csv", b"label,y,x\n0,0,1\n1,1,0\n"), GOOD_TABLE],
            &["scenario.toml:12: dataset.file.test: b.csv: line 1: column `x` stands where"],
        ),
        table(
            "nothing left to learn from",
            &[TABLE],
            &[("a.csv", b"label,x,y\n0,0,1\n"), GOOD_TABLE],
            &["scenario.toml:11: dataset.file.validation.last: a.csv: has 1 samples"],
        ),
        table(
            "fewer classes than label neurons",
            &[TABLE],
            &[("a.csv", b"label,x,y\n0,0,1\n1,1,0\n"), ("b.csv", b"label,x,y\n1,0,1\n")],
            &["layers.1.size: 3 label neurons, but the data set has 2 classes (0, 1)"],
        ),
        table(
            "label beyond the classes",
            &[dataset!("[dataset.file]" "training.csv = 'a.csv'" "validation.last = 1"
                       "test.csv = 'b.csv'" "classes = 3")],
            &[("a.csv", b"label,x,y\n0,0,1\n3,1,0\n"), GOOD_TABLE],
            &["dataset.file.validation: a.csv: sample 0 (from 0) has label 3"],
        ),
        table(
            "label neurons against classes that are said",
            &[dataset!("[dataset.file]" "training.csv = 'a.csv'" "validation.last = 1"
                       "test.csv = 'b.csv'" "classes = 4")],
            &[],
            &["layers.1.size: 3 label neurons, but the data set has 4 classes"],
        ),
        table(
            "no samples to validate with",
            &[dataset!("[dataset.file]" "training.csv = 'a.csv'" "validation.last = 0"
                       "test.csv = 'b.csv'")],
            &[],
            &["scenario.toml:11: dataset.file.validation.last: 0 must be at least 1"],
        ),
        table(
            "arrays that are none",
            &[dataset!("[dataset.file]" "training.npy = { features = 'a.csv', labels = 'b.csv' }"
                       "validation.last = 1" "test.csv = 'b.csv'")],
            &[("a.csv", b"label,x,y\n0,0,1\n"), GOOD_TABLE],
            &["scenario.toml:10: dataset.file.training: a.csv: this is no NPY file"],
        ),
        table(
            "spike times to encode",
            &[SPIKE_TIMES],
            &[],
            &["encoding: ", "leave out [encoding]"],
        ),
        table(
            "negative spike time",
            &[SPIKE_TIMES, NO_ENCODING],
            &[("a.csv", b"label,x,y\n0,3.5,\n1,inf,-1\n"), GOOD_TABLE],
            &["dataset.file.training: a.csv: line 3, column `y`: `-1`: a spike time must be"],
        ),
    ]);
}
