//! connector-vault for JavaScript: translation only. Bytes and JSON go in, bytes and JSON come out; what
//! a vault means is decided in the core, and `bindings/js` makes an API of it for people.
//!
//! Secrets come in as UTF-8 in a `Uint8Array`, since a JavaScript string is copied on its way. Errors go
//! out as JSON text, `{"code", "message", "hint"}`, thrown. Every method that writes takes the time.
#![allow(
    unreachable_pub,
    private_interfaces,
    reason = "what is `pub` here is exported to JavaScript, not to Rust"
)]

mod action;
mod derive;
mod error;
mod holder;
mod host;
mod identity;
mod input;
mod json;
mod object;
mod open;
mod options;
mod plan;
mod session;
mod shapes;
mod source;
mod vault;

use zeroizing_alloc::ZeroAlloc;

/// A WebAssembly memory never shrinks, and a page can look at all of it: what is freed is wiped, also
/// what libraries and the glue copied on the way.
#[global_allocator]
static ALLOCATOR: ZeroAlloc<std::alloc::System> = ZeroAlloc(std::alloc::System);
