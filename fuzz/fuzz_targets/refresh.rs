//! Takes bytes behind the head of an open vault.
#![no_main]

mod vector;

libfuzzer_sys::fuzz_target!(|tail: &[u8]| {
    let mut vault = vector::open(None).expect("the vector opens");
    let head = vault.head();
    if vault.refresh(tail.to_vec()).is_err() {
        assert_eq!(vault.head(), head, "an error changes nothing");
    }
});
