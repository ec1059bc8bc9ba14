#![no_main]

libfuzzer_sys::fuzz_target!(
    // Panics of calamine are caught and are errors; others end the fuzzer all the same, with no word but their input.
    init: std::panic::set_hook(Box::new(|_| {})),
    |bytes: &[u8]| indicator_client::fuzzing::workbook(bytes)
);
