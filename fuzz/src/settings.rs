//! Files of settings: scenarios, chips, studies.

use firstspike::scenario::{LoadedScenario, load};
use firstspike::study::Study;

use super::folder::write;

/// Two layers on generated data, as small as can be.
pub const TINY: &str = "
dataset.yin_yang = { training.size = 2, validation.size = 1, test.size = 1 }
encoding = { earliest = 0.15, latest = 2.0 }
layers = [
    { name = 'hidden', size = 2, bias_times = [0.9], weights.constant = 1.5 },
    { name = 'label', size = 3, weights.constant = 1.0 },
]
[training]
epochs = 1
loss.shift_invariant_mean_squared_error.margin = 0.2
optimiser.adam.learning_rate = 0.01
";

/// A scenario; behind NUL bytes overrides, as `--set` takes them.
pub fn scenario(data: &[u8]) {
    let mut parts = data.split(|&byte| byte == 0);
    let path = write("scenario.toml", parts.next().unwrap_or_default());
    let overrides: Vec<String> =
        parts.map(|part| String::from_utf8_lossy(part).into_owned()).collect();
    if let Ok(loaded) = load(&path, &overrides) {
        resolves_to_itself(&loaded);
    }
}

fn resolves_to_itself(loaded: &LoadedScenario) {
    let text = loaded.scenario.to_toml();
    let again = load(&write("resolved.toml", &text), &[])
        .unwrap_or_else(|error| panic!("{error}: the resolved scenario is refused:\n{text}"));
    assert_eq!(again.scenario.to_toml(), text, "the scenario resolves to something else");
    loaded.scenario.files();
}

/// A chip file; behind a NUL byte a file of measured neurons, `measured.csv`.
pub fn chip(data: &[u8]) {
    let mut parts = data.splitn(2, |&byte| byte == 0);
    write("chip.toml", parts.next().unwrap_or_default());
    write("measured.csv", parts.next().unwrap_or_default());
    let path = write("on_chip.toml", format!("chip = 'chip.toml'\n{TINY}"));
    let Ok(loaded) = load(&path, &[]) else { return };
    resolves_to_itself(&loaded);
    let Ok(learner) = loaded.learner() else { return };
    if let Ok(Some(hardware)) = loaded.hardware(&learner) {
        let _ = loaded.in_the_loop(&learner, Some(&hardware), path.parent().unwrap_or(&path));
    }
}

/// A study of the scenario `tiny.toml`.
pub fn study(data: &[u8]) {
    write("tiny.toml", TINY);
    let Ok(study) = Study::read(&write("study.toml", data)) else { return };
    let sizes = study.axes.iter().map(|axis| axis.values.len());
    if sizes.fold(study.seeds.len(), usize::saturating_mul) > 64 {
        return;
    }
    for point in study.points() {
        if let Ok(loaded) = study.load(&point, 1) {
            resolves_to_itself(&loaded);
        }
        study.describe(&point);
    }
    assert!(study.jobs().len() >= study.points().len());
    let _ = study.identity();
}
