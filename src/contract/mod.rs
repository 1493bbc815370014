//! 계약: what of a service is used, by how many, and so what it costs. A contract is drafted, signed, and then edited
//! at most once a day; every version it ever had stays.

mod entity;
pub mod graphql;
mod input;
pub mod item;
mod life;
mod revision;
mod rules;

pub use entity::{ActiveModel, Column, Entity, Item, Items, Model, Model as Contract, Status};
pub use input::{ContractDraftInput, ContractItemInput, ContractSignInput, ContractUpdateInput};
pub use life::{ServiceResumeInput, ServiceSuspendInput, ServiceTerminateInput, add, resume, suspend, terminate};
pub use revision::{
    Cause, Column as RevisionColumn, Entity as RevisionEntity, Model as Revision, of_services as revisions_of,
};
pub use rules::{Completeness, Discount, close, discount, draft, merge, next_edit, of_service, open, sign, update};
