//! The help says what scripts rely on.

use crate::common;

use common::binary::{project, successful};

#[test]
fn every_exit_code_is_documented() {
    let help = successful(project(), &["--help"]).stdout;
    for line in
        ["  0    everything", "  1    ", "  2    bad input", "  3    ", "  130  interrupted"]
    {
        assert!(help.lines().any(|found| found.starts_with(line)), "{line}: {help}");
    }
}
