//! An encrypted vault for workflow connectors, and the `Connectors.Update` action over it.

mod connector;
mod error;
pub mod limits;

pub use connector::{Connector, ConnectorId, Properties, PropertyName, Secret, Timestamp, Version};
pub use error::{Code, Error, Result};
