//! Packs the charting library that reports carry (`src/report/html.rs`): plotly.js, as the crate
//! `plotly` brings it along, deflated and in base64. Done here once, it costs a run nothing.

use std::io::Write;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::DeflateEncoder;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // Two elements: plotly.js, and MathJax, which the reports do without.
    let elements = plotly::Plot::offline_js_sources();
    let script = elements.split_once('>').and_then(|(_, rest)| rest.split_once("</script>"));
    let (script, _) = script.expect("the crate plotly gives plotly.js as a script element");
    assert!(script.contains("plotly.js v"), "the first script is not plotly.js");

    let mut deflated = DeflateEncoder::new(Vec::new(), Compression::best());
    deflated.write_all(script.trim().as_bytes()).expect("memory takes everything");
    let deflated = deflated.finish().expect("memory takes everything");
    let folder = std::env::var_os("OUT_DIR").expect("cargo names a folder");
    let file = Path::new(&folder).join("plotly.js.deflated.base64");
    std::fs::write(file, STANDARD.encode(deflated)).expect("cargo's folder is writable");
}
