#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| indicator_client::fuzzing::import(bytes));
