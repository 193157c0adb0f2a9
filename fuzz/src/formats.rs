//! Spike trains in the formats of other tools.

use firstspike::trace::conversion::Conversion;
use firstspike::trace::format::{IdRanges, TraceFormat, TraceSource};
use firstspike::trace::written::{Output, write as write_trace};

use super::folder::{halves, place, write};
use super::traces::use_recording;

/// A trace as an HDF5 file: of the format that it says, and of each that it might be.
pub fn trace_hdf5(data: &[u8]) {
    let path = write("trace.h5", data);
    let found = TraceFormat::of_file(&path).ok();
    let possible = [TraceFormat::Sonata, TraceFormat::Shd, TraceFormat::NirData];
    for format in possible.map(Some).into_iter().chain([found]) {
        let source = TraceSource { format, ..TraceSource::new(&path) };
        match source.read() {
            Ok((recording, _)) => {
                use_recording(&recording);
                written_again(&source);
            }
            Err(error) => drop(error.to_string()),
        }
    }
}

/// What is read is written, and read again.
fn written_again(source: &TraceSource) {
    let (recording, _) = source.read().expect("as before");
    let (count, path) = (recording.len(), place("again.nirdata"));
    // A padded row for each sample: a sample far out would need them all.
    if recording.samples.iter().any(|&sample| sample > 1000) {
        return;
    }
    let name = recording.populations.iter().all(String::is_empty).then(|| "all".to_owned());
    let conversion = Conversion { population: name, ..Conversion::default() };
    let Ok(converted) = conversion.apply(recording, TraceFormat::NirData) else { return };
    let output =
        Output { path: &path, neurons: &path, heading: true, packed: false, sampling_rate: None };
    if write_trace(&converted, TraceFormat::NirData, output).is_ok() {
        let (again, _) = TraceSource::new(&path).read().expect("what is written is read");
        assert_eq!(again.len(), count);
    }
}

/// A trace as NEST writes it, and a table of the ids of its populations.
pub fn trace_nest(data: &[u8]) {
    let (trace, table) = halves(data);
    let path = write("trace.gdf", trace);
    let ids = IdRanges::read(&write("trace.ids.csv", table)).ok();
    if let Some(ids) = &ids {
        let again = IdRanges::read(&write("again.ids.csv", ids.to_csv()));
        assert_eq!(again.as_ref(), Ok(ids), "what is written is read");
    }
    let source = TraceSource { ids, ..TraceSource::new(&path) };
    match source.read() {
        Ok((recording, warnings)) => {
            warnings.iter().for_each(|warning| drop(warning.to_string()));
            use_recording(&recording);
        }
        Err(error) => drop(error.to_string()),
    }
}
