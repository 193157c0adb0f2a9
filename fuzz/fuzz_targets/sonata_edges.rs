#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| firstspike_fuzz::sonata_edges(data));
