//! Opens the bytes of a file, and checks what opens.
#![no_main]

mod vector;

libfuzzer_sys::fuzz_target!(|file: &[u8]| {
    let identified = connector_vault::Vault::identify(file);
    if let Ok(vault) = vector::open(Some(file)) {
        assert_eq!(identified.expect("it opened"), vault.head().vault_id);
        vault.verify().expect("what opened can be walked");
    }
});
