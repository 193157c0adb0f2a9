//! Checks of data set, encoding and augmentation that need no file.

use super::validate::Check;
use super::{
    AugmentationSpec, DatasetSpec, EncodingSpec, FileSpec, MnistSpec, Scenario, ValidationSpec,
    YinYangSpec,
};
use crate::dataset::mnist;
use crate::dataset::yin_yang::{self, YinYang};

/// Notes all problems of the data set and of what is done with it.
pub(super) fn validate(check: &mut Check, scenario: &Scenario) {
    let Some(dataset) = &scenario.dataset else { return };
    let (name, classes) = match dataset {
        DatasetSpec::YinYang(spec) => {
            yin_yang(check, spec);
            ("the Yin-Yang data set", Some(yin_yang::CLASS_NAMES.len()))
        }
        DatasetSpec::Mnist(spec) => {
            mnist(check, "dataset.mnist", spec);
            ("MNIST", Some(mnist::CLASS_COUNT))
        }
        DatasetSpec::FashionMnist(spec) => {
            mnist(check, "dataset.fashion_mnist", spec);
            ("Fashion-MNIST", Some(mnist::CLASS_COUNT))
        }
        DatasetSpec::File(spec) => {
            file(check, spec);
            ("the data set", spec.classes)
        }
    };
    if let (Some(classes), Some(label)) = (classes, scenario.layers.last()) {
        let key = format!("layers.{}.size", scenario.layers.len() - 1);
        check.require(label.size == classes, key, || {
            format!("{} label neurons, but {name} has {classes} classes", label.size)
        });
    }
    let spike_times = matches!(dataset, DatasetSpec::File(FileSpec { spike_times: true, .. }));
    encoding(check, scenario.encoding.as_ref(), spike_times);
    if let Some(spec) = scenario.training.as_ref().and_then(|training| training.augmentation) {
        let images = matches!(dataset, DatasetSpec::Mnist(_) | DatasetSpec::FashionMnist(_));
        augmentation(check, &spec, images);
    }
}

fn yin_yang(check: &mut Check, spec: &YinYangSpec) {
    let geometry = YinYang { r_small: spec.r_small, r_big: spec.r_big };
    if let Err(error) = geometry.check() {
        check.require(false, "dataset.yin_yang", || error.to_string());
    }
    let subsets =
        [("training", spec.training), ("validation", spec.validation), ("test", spec.test)];
    for (name, subset) in subsets {
        let key = format!("dataset.yin_yang.{name}.size");
        check.require((1..=100_000_000).contains(&subset.size), key, || {
            format!("{} must be from 1 to 100000000", subset.size)
        });
    }
}

fn mnist(check: &mut Check, key: &str, spec: &MnistSpec) {
    check.require(matches!(spec.size, 16 | 28), format!("{key}.size"), || {
        format!("{} must be 28 or 16", spec.size)
    });
    let sizes = [
        ("training", spec.training, 50_000),
        ("validation", spec.validation, 10_000),
        ("test", spec.test, 10_000),
    ];
    for (name, size, most) in sizes {
        let fits = size.is_none_or(|size| (1..=most).contains(&size));
        check.require(fits, format!("{key}.{name}"), || {
            format!("{} must be from 1 to {most}", size.unwrap_or(0))
        });
    }
}

fn file(check: &mut Check, spec: &FileSpec) {
    if let Some(classes) = spec.classes {
        check.size("dataset.file.classes", classes);
    }
    if let ValidationSpec::Last(count) = spec.validation {
        check.require(count > 0, "dataset.file.validation.last", || {
            "0 must be at least 1".to_owned()
        });
    }
}

fn encoding(check: &mut Check, encoding: Option<&EncodingSpec>, spike_times: bool) {
    match encoding {
        None => check.require(spike_times, "encoding", || {
            "a data set needs an [encoding] with earliest and latest spike times".to_owned()
        }),
        Some(_) if spike_times => check.require(false, "encoding", || {
            "with dataset.file.spike_times = true the features are spike times already: leave out \
             [encoding]"
                .to_owned()
        }),
        Some(encoding) if encoding.copies == 0 => {
            check.require(false, "encoding.copies", || "0 must be at least 1".to_owned());
        }
        Some(encoding) => check.require(
            0.0 <= encoding.earliest
                && encoding.earliest < encoding.latest
                && encoding.latest.is_finite(),
            "encoding",
            || {
                format!(
                    "earliest = {}, latest = {}: must be finite with 0 ≤ earliest < latest",
                    encoding.earliest, encoding.latest
                )
            },
        ),
    }
}

fn augmentation(check: &mut Check, spec: &AugmentationSpec, images: bool) {
    let key = |name: &str| format!("training.augmentation.{name}");
    check.require(spec.time_noise >= 0.0 && spec.time_noise.is_finite(), key("time_noise"), || {
        format!("{} must be finite and not negative", spec.time_noise)
    });
    let ranges = [
        ("dropout", spec.dropout, (0.0..1.0).contains(&spec.dropout), "from 0 to below 1"),
        ("scale", spec.scale, (0.0..1.0).contains(&spec.scale), "from 0 to below 1"),
        (
            "rotation",
            spec.rotation,
            (0.0..=180.0).contains(&spec.rotation),
            "from 0 to 180 degrees",
        ),
        ("shift", spec.shift, (0.0..=28.0).contains(&spec.shift), "from 0 to 28 pixels"),
    ];
    for (name, value, fits, accepted) in ranges {
        check.require(fits, key(name), || format!("{value} must be {accepted}"));
        check.require(value == 0.0 || images || name == "dropout", key(name), || {
            "only images can be distorted: MNIST or Fashion-MNIST".to_owned()
        });
    }
}
