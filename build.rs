//! Packs the charting library that reports carry (`src/report/html.rs`): plotly.js, as the crate
//! `plotly` brings it along, deflated and in base64. Done here once, it costs a run nothing. Without
//! the program (feature `cli`) there are no reports, and nothing to do.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    #[cfg(feature = "cli")]
    pack_charting_library();
}

#[cfg(feature = "cli")]
fn pack_charting_library() {
    use std::io::Write;

    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use flate2::Compression;
    use flate2::write::DeflateEncoder;

    // Two elements: plotly.js, and MathJax, which the reports do without.
    let elements = plotly::Plot::offline_js_sources();
    let script = elements.split_once('>').and_then(|(_, rest)| rest.split_once("</script>"));
    let (script, _) = script.expect("the crate plotly gives plotly.js as a script element");
    assert!(script.contains("plotly.js v"), "the first script is not plotly.js");

    let mut deflated = DeflateEncoder::new(Vec::new(), Compression::best());
    deflated.write_all(script.trim().as_bytes()).expect("memory takes everything");
    let deflated = deflated.finish().expect("memory takes everything");
    let folder = std::env::var_os("OUT_DIR").expect("cargo names a folder");
    let file = std::path::Path::new(&folder).join("plotly.js.deflated.base64");
    std::fs::write(file, STANDARD.encode(deflated)).expect("cargo's folder is writable");
}
