//! 회사정보 관리: what a company has to say of itself at the foot of its help centers, by law and by choice. An
//! organization keeps entries of it, each with all its versions, and publishes one of them in each service.

mod check;
mod content;
mod entity;
pub mod footer;
pub mod graphql;
mod revision;
mod rules;

pub use content::{Content, Text};
pub use entity::{Column, Entity, Model, Model as Company};
