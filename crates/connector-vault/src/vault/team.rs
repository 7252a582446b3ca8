//! Who may do what: the first owner, and the grants that owners make.

mod create;
mod grants;

pub use self::create::NewOwner;
pub use self::grants::{GrantInfo, Grantee, Revocation};
