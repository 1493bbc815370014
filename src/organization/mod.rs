//! 조직 정보: the organization itself, the route by which its domain leads to it, and the keys by which partner
//! systems act for it.

pub(crate) mod code;
mod entity;
pub mod graphql;
pub mod key;
mod key_rules;
pub mod key_text;
pub mod key_use;
pub(crate) mod route;
mod rules;
mod signing;

pub use code::find_named;
pub use entity::{ActiveModel, Column, Entity, Model, Model as Organization};
pub use graphql::{OrganizationMutation, OrganizationQuery, keys::OrganizationKeyMutation};
pub use key_rules::{OrganizationKeyCreateInput, create as create_key};
pub use route::{all as all_organizations, find as find_by_domain};
pub use rules::{
    Approval, New, OrganizationUpdateInput, approve, check_domain, check_name, check_time_zone, create, own, update,
};
pub use signing::SEALING;
