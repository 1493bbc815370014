//! 서비스: a contact desk inside the organization, and its life from 미사용 to 해지.

mod entity;
pub mod graphql;
pub mod kind;
pub mod language;
pub(crate) mod route;
mod rules;

pub use entity::{ActiveModel, Column, EditorType, Entity, Languages, Model, Model as Service, Status};
pub use kind::ServiceKind;
pub use rules::{ServiceCreateInput, create, end, find_usable, put_to_use, resume, suspend};
