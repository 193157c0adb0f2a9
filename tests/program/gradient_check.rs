//! `firstspike check --gradients` says what was compared, what was not and why, and passes only if
//! something was compared.

use crate::common;

use common::binary::{Ended, firstspike};
use common::cases::{case, replace};

fn check(folder: &std::path::Path, more: &[&str]) -> Ended {
    firstspike(folder, &[&["check", "scenario.toml", "--gradients"], more].concat())
}

#[test]
fn an_input_at_the_end_of_a_refractory_period_is_a_tie_and_no_difference() {
    let folder = case("gradients-at-a-tie");
    let ended = check(folder.path(), &[]);
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    assert!(!ended.stdout.contains("  differs"), "{}", ended.stdout);
    let tie = "an input arrives at the end of a refractory period (a[";
    assert!(ended.stdout.contains("not differentiable here:\n"), "{}", ended.stdout);
    assert!(ended.stdout.contains(tie), "{}", ended.stdout);

    // Without the tie all of them have a derivative.
    let scenario = folder.path().join("scenario.toml");
    replace(&scenario, "refractory_period = 1.0", "refractory_period = 0.9");
    let ended = check(folder.path(), &[]);
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    assert!(!ended.stdout.contains("not differentiable"), "{}", ended.stdout);
}

#[test]
fn a_check_that_compares_nothing_does_not_pass() {
    let folder = case("gradients-at-a-tie");
    let scenario = folder.path().join("scenario.toml");
    replace(&scenario, "low = 1.0, high = 3.0", "low = 0.001, high = 0.002");
    let ended = check(folder.path(), &[]);
    assert_eq!(ended.code, Some(1), "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stdout.contains("0 derivatives of 0 spikes compared"), "{}", ended.stdout);
    let said = "nothing was compared: no neuron spikes";
    assert!(ended.stderr.contains(said), "{}", ended.stderr);
}
