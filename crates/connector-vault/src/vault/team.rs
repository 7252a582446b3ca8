//! Who may do what: the first owner, the grants that owners make, and the key slots that open them.

mod create;
mod epoch;
mod grants;
mod key_slots;

pub use self::create::NewOwner;
pub use self::grants::{GrantInfo, Grantee, Revocation, RightInfo};
pub use self::key_slots::KeySlotRef;
