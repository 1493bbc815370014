//! 필드: what a ticket of a service asks for and keeps. Each service has fields that came with it and fields of its own; all
//! of them together, in their order, are its composition, which has a fingerprint. Whatever was made for one composition,
//! such as a template that people fill in, carries the fingerprint and so shows when it is out of date.

mod composition;
mod entity;
pub mod graphql;
mod input;
mod kind;
mod rules;
mod system;
mod text;
pub mod value;

pub use composition::{Composition, Described, current as composition_of, of_fingerprint};
pub use entity::{Column, Entity, Model, Model as Field, Visibility};
pub use input::FieldAddInput;
pub use kind::FieldType;
pub use rules::{LONGEST, add, add_service, of_service};
pub use text::{Options, Text, Texts};
