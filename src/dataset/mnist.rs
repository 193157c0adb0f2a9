//! MNIST, Fashion-MNIST and other sets of the same form: images of 28 × 28 bytes in ten classes, in
//! four IDX files, gzipped or not.
//!
//! The training file is split as in Göltz, Kriener et al. 2021: its first five sixths (50,000
//! images) are learned from, its last sixth (10,000) is for validation. Images are used as they are,
//! or, as on the chip of that paper, at 16 × 16: the 24 × 24 in the middle, resized bilinearly.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::resize::Reducer;
use super::{DataError, DataProblem, Dataset, Features, ImageShape, SampleKind, idx};

/// Pixels along each side of the images in the files.
const SIDE: usize = 28;

/// Number of classes.
pub const CLASS_COUNT: usize = 10;

/// What Fashion-MNIST's classes are, by label. MNIST's are the digits.
pub const FASHION_CLASS_NAMES: [&str; CLASS_COUNT] = [
    "T-shirt/top",
    "trouser",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle boot",
];

/// The form in which images are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// 28 × 28, as they are; a byte stands for its 256th.
    Full,
    /// 16 × 16, resized; a byte stands for its 255th.
    Reduced,
}

/// How many samples of each set are used, the first ones; none for all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sizes {
    /// What is learned from.
    pub training: Option<usize>,
    /// What an epoch may be chosen by.
    pub validation: Option<usize>,
    /// What the result is measured on.
    pub test: Option<usize>,
}

/// The three sets.
#[derive(Clone, Debug, PartialEq)]
pub struct Sets {
    /// What is learned from.
    pub training: Dataset,
    /// What an epoch may be chosen by.
    pub validation: Dataset,
    /// What the result is measured on.
    pub test: Dataset,
}

/// Reads the four files in a folder.
///
/// # Errors
/// If one is missing, is no whole IDX file of 28 × 28 images or of labels 0 to 9, has another number
/// of labels than of images, or has fewer samples than are asked for.
pub fn load(folder: &Path, resolution: Resolution, sizes: Sizes) -> Result<Sets, DataError> {
    let train = Files::read(folder, "train")?;
    let test = Files::read(folder, "t10k")?;
    let count = train.labels.len();
    let first = count - count / 6;
    Ok(Sets {
        training: train.part(0..first, sizes.training, "training", resolution)?,
        validation: train.part(first..count, sizes.validation, "validation", resolution)?,
        test: test.part(0..test.labels.len(), sizes.test, "test", resolution)?,
    })
}

/// Those of the four files that are in a folder.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let names = ["train", "t10k"].into_iter().flat_map(names);
    names.filter_map(|name| find(folder, &name).ok()).collect()
}

/// Names of the files of images and of labels.
fn names(prefix: &str) -> [String; 2] {
    [format!("{prefix}-images-idx3-ubyte"), format!("{prefix}-labels-idx1-ubyte")]
}

/// A file of images with its file of labels.
struct Files {
    path: PathBuf,
    images: Vec<u8>,
    labels: Vec<u8>,
}

impl Files {
    fn read(folder: &Path, prefix: &str) -> Result<Self, DataError> {
        let [images, labels] = names(prefix);
        let (path, label_path) = (find(folder, &images)?, find(folder, &labels)?);
        let images = idx::read(&path, 3)?;
        let labels = idx::read(&label_path, 1)?;
        if images.dimensions[1..] != [SIDE, SIDE] {
            let (height, width) = (images.dimensions[1], images.dimensions[2]);
            return Err(DataProblem::ImageSize { height, width, side: SIDE }.of(path));
        }
        if images.dimensions[0] != labels.dimensions[0] {
            let (labels, samples) = (labels.dimensions[0], images.dimensions[0]);
            let (features, kind) = (path, SampleKind::Image);
            return Err(DataProblem::LabelCount { labels, features, samples, kind }.of(label_path));
        }
        let wrong = labels.bytes.iter().enumerate().find(|&(_, &l)| usize::from(l) >= CLASS_COUNT);
        if let Some((index, &label)) = wrong {
            let problem = DataProblem::NoClass { index, label, last: CLASS_COUNT - 1 };
            return Err(problem.of(label_path));
        }
        Ok(Files { path, images: images.bytes, labels: labels.bytes })
    }

    /// The first samples of a part of the file.
    fn part(
        &self,
        range: std::ops::Range<usize>,
        size: Option<usize>,
        set: &'static str,
        resolution: Resolution,
    ) -> Result<Dataset, DataError> {
        // Without samples there is nothing to do, whether they are asked for or not.
        let size = size.unwrap_or(range.len().max(1));
        if size > range.len() || size == 0 {
            let problem = DataProblem::ImageCount { found: range.len(), set, asked: size };
            return Err(problem.of(&self.path));
        }
        let range = range.start..range.start + size;
        let images = &self.images[range.start * SIDE * SIDE..range.end * SIDE * SIDE];
        let (values, side, divisor): (Arc<[u8]>, _, _) = match resolution {
            Resolution::Full => (images.into(), SIDE, 256.0),
            Resolution::Reduced => (reduce(images).into(), REDUCED, 255.0),
        };
        Ok(Dataset {
            features: Features::Bytes { values, divisor },
            labels: self.labels[range].iter().map(|&label| usize::from(label)).collect(),
            feature_count: side * side,
            class_count: CLASS_COUNT,
            image: Some(ImageShape { width: side, height: side }),
        })
    }
}

/// The file of this name in a folder, plain or compressed.
fn find(folder: &Path, name: &str) -> Result<PathBuf, DataError> {
    let plain = folder.join(name);
    let compressed = folder.join(format!("{name}.gz"));
    let found = [&plain, &compressed].into_iter().find(|path| path.exists()).cloned();
    found.ok_or_else(|| DataProblem::Missing.of(plain))
}

/// Pixels along each side of a reduced image, and of the part of the original that it shows.
const REDUCED: usize = 16;
const CROP: usize = 24;

/// Crops images of 28 × 28 to the 24 × 24 in their middle and resizes these to 16 × 16.
fn reduce(images: &[u8]) -> Vec<u8> {
    let mut reducer = Reducer::new(CROP, REDUCED);
    let mut bytes = Vec::with_capacity(images.len() / (SIDE * SIDE) * REDUCED * REDUCED);
    let mut middle = Vec::with_capacity(CROP * CROP);
    let margin = (SIDE - CROP) / 2;
    for image in images.chunks_exact(SIDE * SIDE) {
        middle.clear();
        for row in image.chunks_exact(SIDE).skip(margin).take(CROP) {
            middle.extend_from_slice(&row[margin..margin + CROP]);
        }
        reducer.reduce(&middle, &mut bytes);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Images made by a formula: a ramp, black and white, and a texture.
    fn synthetic() -> Vec<u8> {
        let pixel = |kind: usize, x: usize, y: usize| match kind {
            0 => (x * 9 + y * 7) % 256,
            1 => 255 * usize::from((x * x + 3 * y * y + x * y) % 7 < 3),
            _ => (x * 37 + y * 101 + x * y * 13) % 256,
        };
        (0..3 * SIDE * SIDE)
            .map(|place| pixel(place / (SIDE * SIDE), place % SIDE, place / SIDE % SIDE) as u8)
            .collect()
    }

    /// SHA-256 of the three images, and the first row of each, as Pillow 13.0 makes them:
    /// `image.crop((2, 2, 26, 26)).resize((16, 16), Image.BILINEAR)`.
    const PILLOW: &str = "7af99a7e098b52f72d019016c188bdd44e8a35b7b2d58714ad05268129c6d7e6";
    const FIRST_ROWS: [[u8; 16]; 3] = [
        [38, 51, 64, 78, 91, 105, 118, 132, 145, 159, 172, 186, 199, 213, 226, 239],
        [60, 89, 18, 18, 121, 49, 89, 0, 53, 106, 64, 53, 0, 99, 71, 99],
        [110, 127, 100, 124, 137, 71, 138, 162, 103, 180, 150, 128, 151, 129, 99, 183],
    ];

    #[test]
    fn images_are_reduced_as_by_pillow_to_the_last_bit() {
        use sha2::Digest;

        let reduced = reduce(&synthetic());
        for (image, expected) in reduced.chunks(REDUCED * REDUCED).zip(FIRST_ROWS) {
            assert_eq!(image[..16], expected);
        }
        let digest: String =
            sha2::Sha256::digest(&reduced).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(digest, PILLOW);
    }

    /// Files of 12 training and 5 test images in a folder.
    fn write_files(folder: &Path) {
        let write = |name: &str, header: &[u32], bytes: &[u8]| {
            let header = header.iter().flat_map(|word| word.to_be_bytes());
            let content: Vec<u8> = header.chain(bytes.iter().copied()).collect();
            std::fs::write(folder.join(name), content).expect("writable");
        };
        for (prefix, count) in [("train", 12_u32), ("t10k", 5)] {
            let labels: Vec<u8> = (0..count).map(|label| label as u8 % 10).collect();
            let images: Vec<u8> =
                labels.iter().flat_map(|&label| [10 * label; SIDE * SIDE]).collect();
            write(&format!("{prefix}-images-idx3-ubyte"), &[0x803, count, 28, 28], &images);
            write(&format!("{prefix}-labels-idx1-ubyte"), &[0x801, count], &labels);
        }
    }

    #[test]
    fn the_training_file_is_split_and_the_first_samples_are_taken() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        write_files(folder.path());
        let load = |sizes| load(folder.path(), Resolution::Reduced, sizes);
        let all = load(Sizes::default()).expect("valid");
        assert_eq!(*all.training.labels, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        assert_eq!(*all.validation.labels, [0, 1]);
        assert_eq!(*all.test.labels, [0, 1, 2, 3, 4]);
        assert_eq!(all.training.feature(3, 200), 30.0 / 255.0);

        let few = Sizes { training: Some(4), validation: Some(1), test: Some(2) };
        let few = load(few).expect("valid");
        assert_eq!(*few.training.labels, [0, 1, 2, 3]);
        assert_eq!((few.validation.len(), few.test.len()), (1, 2));
        let much = load(Sizes { validation: Some(3), ..Sizes::default() });
        let message = much.expect_err("too much").to_string();
        assert!(message.contains("train-images") && message.contains("has 2 images"), "{message}");
    }

    #[test]
    fn files_that_do_not_fit_are_refused_by_name() {
        let refused = |change: &dyn Fn(&Path), expected: &str| {
            let folder = tempfile::tempdir().expect("a temporary folder");
            write_files(folder.path());
            change(folder.path());
            let message = load(folder.path(), Resolution::Full, Sizes::default())
                .expect_err(expected)
                .to_string();
            assert!(message.contains(expected), "{message}");
        };
        let change = |name: &'static str, place: usize, byte: u8| {
            move |folder: &Path| {
                let mut bytes = std::fs::read(folder.join(name)).expect("there");
                bytes[place] = byte;
                std::fs::write(folder.join(name), bytes).expect("writable");
            }
        };
        refused(
            &|folder| std::fs::remove_file(folder.join("t10k-labels-idx1-ubyte")).expect("there"),
            "t10k-labels-idx1-ubyte: there is no such file",
        );
        refused(&change("train-labels-idx1-ubyte", 10, 10), "label 2 (from 0) is 10");
        refused(&change("train-images-idx3-ubyte", 11, 27), "train-images-idx3-ubyte: goes on");
        refused(
            &|folder| {
                let name = |prefix| folder.join(format!("{prefix}-labels-idx1-ubyte"));
                std::fs::copy(name("t10k"), name("train")).map(drop).expect("copied");
            },
            "train-labels-idx1-ubyte: 5 labels, but",
        );
        refused(
            &|folder| {
                change("t10k-images-idx3-ubyte", 11, 14)(folder);
                change("t10k-images-idx3-ubyte", 7, 10)(folder);
            },
            "images of 14 × 28",
        );
    }
}
