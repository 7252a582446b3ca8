//! Argon2id version 1.3 (RFC 9106) for JavaScript, in a module of its own: a page that opens no vault by a passphrase
//! never compiles it, and the memory of each run goes with its instance.
//!
//! The module imports nothing and needs no glue. The host writes salt and passphrase into one buffer, calls
//! [`argon2id`], and reads the key from it.
#![allow(
    unreachable_pub,
    reason = "`pub` functions are exported to JavaScript, not to Rust"
)]

use std::sync::atomic::{AtomicU8, Ordering};

use argon2::{Algorithm, Argon2, Block, Params, Version};
use wasm_bindgen::prelude::wasm_bindgen;
use zeroize::Zeroizing;

const SALT_LEN: usize = 16;
const KEY_LEN: usize = 32;
/// The core takes 4,096 bytes, which NFC at most triples (UAX 15).
const PASSPHRASE_LEN_MAX: usize = 3 * 4096;

/// Salt, key, passphrase. Atomic because the host writes it too; without threads that costs nothing.
static BUFFER: [AtomicU8; SALT_LEN + KEY_LEN + PASSPHRASE_LEN_MAX] =
    [const { AtomicU8::new(0) }; SALT_LEN + KEY_LEN + PASSPHRASE_LEN_MAX];

/// Where the buffer begins in the module's memory.
#[wasm_bindgen]
pub fn buffer() -> *const u8 {
    BUFFER.as_ptr().cast()
}

/// Derives the key of the salt and the passphrase in the buffer. `false` if the memory is not to be had; the core has
/// checked the cost.
#[wasm_bindgen]
pub fn argon2id(passphrase_len: usize, memory_kib: u32, passes: u32, lanes: u32) -> bool {
    let derived = derive(passphrase_len, memory_kib, passes, lanes);
    wipe_stack();
    derived.is_some()
}

/// Writes over the copies of the key that the crate has left on the stack below this call.
#[inline(never)]
fn wipe_stack() {
    let mut below = [0_u8; 64 * 1024];
    // As if somebody looked at it, so that it is written.
    std::hint::black_box(&mut below);
}

#[inline(never)]
fn derive(passphrase_len: usize, memory_kib: u32, passes: u32, lanes: u32) -> Option<()> {
    let (salt_place, rest) = BUFFER.split_at_checked(SALT_LEN)?;
    let (key_place, passphrase_place) = rest.split_at_checked(KEY_LEN)?;
    let salt = read::<SALT_LEN>(salt_place);
    let passphrase = read::<PASSPHRASE_LEN_MAX>(passphrase_place);
    let params = Params::new(memory_kib, passes, lanes, Some(KEY_LEN)).ok()?;
    let mut blocks = Vec::new();
    blocks.try_reserve_exact(params.block_count()).ok()?;
    blocks.resize(params.block_count(), Block::new());
    let mut key = Zeroizing::new([0; KEY_LEN]);
    let derived = Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into_with_memory(
            passphrase.get(..passphrase_len)?,
            &*salt,
            &mut *key,
            &mut blocks,
        );
    // As the core does (crypto/kdf.rs): the crate leaves its memory as it is.
    for block in &mut blocks {
        block.as_mut().fill(0);
    }
    zeroize::optimization_barrier(blocks.as_slice());
    derived.ok()?;
    for (place, byte) in key_place.iter().zip(key.iter()) {
        place.store(*byte, Ordering::Relaxed);
    }
    Some(())
}

fn read<const N: usize>(place: &[AtomicU8]) -> Zeroizing<[u8; N]> {
    let mut bytes = Zeroizing::new([0; N]);
    for (byte, place) in bytes.iter_mut().zip(place) {
        *byte = place.load(Ordering::Relaxed);
    }
    bytes
}
