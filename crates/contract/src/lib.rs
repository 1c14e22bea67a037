//! The wire shapes: what pipelines send and receive, a flow's configuration, and the API's JSON.
//!
//! Everything that crosses the system's border is read and written here, so that the domain may change without
//! breaking a contract. This crate converts and validates; it performs nothing and decides nothing.

pub mod api;
mod attribute;
mod attributes;
pub mod duration;
mod error;
mod fields;
mod flow;
pub mod intake;
mod limits;
mod object;

pub use attribute::{Encoding, RepriseAttribute};
pub use attributes::{
    AttributeValue, AttributesError, MAX_CARRIED, MessageAttribute, decode_attributes, encode_attributes, sqs_text,
};
pub use error::FieldError;
pub use flow::{flow_config, read_flow, read_stored_flow, stored_flow_config};
