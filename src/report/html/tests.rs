use super::*;

#[test]
fn nothing_in_texts_or_data_can_end_an_element() {
    let data = ["</script><script>alert(1)</script>", "{{title}}"];
    let page =
        page("a </title> & \"b\"", "<p>{{data}}</p>", &data, "/* {{body}} */").expect("JSON");
    assert!(page.contains("<title>a &lt;/title&gt; &amp; &quot;b&quot;</title>"));
    assert!(!page.contains("alert(1)</script>"));
    let block = page.split_once("type=\"application/json\">").expect("a block of data").1;
    let block = block.split_once("</script>").expect("an end").0;
    let read: Vec<String> = serde_json::from_str(block).expect("JSON");
    assert_eq!(read, data);
    // What looks like a place in the template is none in what is put there.
    assert!(page.contains("<p>{{data}}</p>") && page.contains("/* {{body}} */"));
}

#[test]
fn the_library_is_packed_whole() {
    use base64::Engine;
    use std::io::Read;

    let packed = base64::engine::general_purpose::STANDARD.decode(LIBRARY).expect("base64");
    let mut script = String::new();
    flate2::read::DeflateDecoder::new(&packed[..]).read_to_string(&mut script).expect("deflated");
    assert!(script.starts_with("/**\n* plotly.js v") && script.contains("MIT license"));
    assert!(script.len() > 4_000_000, "{}", script.len());
}

#[test]
fn what_stands_in_backticks_is_code() {
    assert_eq!(
        text("layer `a<b` has `τ_s`"),
        "layer <code>a&lt;b</code> has <code>τ<sub>s</sub></code>"
    );
    assert_eq!(text("one ` alone"), "one ` alone");
}

#[test]
fn numbers_are_cut_to_five_digits() {
    for (value, expected) in [
        (0.0, 0.0),
        (1.0 / 3.0, 0.33333),
        (-123_456.7, -123_460.0),
        (6.02e-12, 6.02e-12),
        (9.999_999, 10.0),
    ] {
        assert_eq!(short(value), expected);
    }
    assert!(short(f64::INFINITY).is_infinite());
}
