//! Test samples that were learned from: their accuracy is none of new samples.

use crate::dataset::Dataset;
use crate::learning::Diagnosis;

/// Says so if more than half of the test samples are in the training set, too. Fewer may be equal by chance, as
/// rounded measurements are.
pub fn overlap(test: &Dataset, training: &Dataset) -> Option<Diagnosis> {
    let (shared, samples) = (test.shared_with(training), test.len());
    (2 * shared > samples).then(|| Diagnosis {
        finding: format!(
            "{shared} of {samples} test samples are in the training set, too: their accuracy says how well they are \
             remembered, not how well new samples are decided"
        ),
        advice: "give samples for the test that are not learned from".to_owned(),
    })
}
