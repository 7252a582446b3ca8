//! Who may do what: the first owner, the grants that owners make, and the key slots that open them.

mod create;
mod epoch;
mod grants;
mod groups;
mod key_slots;
mod rights;

pub use self::create::NewOwner;
pub use self::grants::{GrantInfo, Grantee, Revocation, RightInfo};
pub use self::groups::{GroupInfo, GroupRemoval};
pub use self::key_slots::KeySlotRef;
pub use self::rights::{Right, Terms};
