//! The foot of a service's help center: which entry it shows, on which devices, since when, and what anybody may read
//! of it without signing in.

mod entity;
mod public;
mod revision;
mod rules;

pub use entity::{Column, Entity, Model, Model as Footer};
pub use public::{Device, Shown, read};
pub use revision::at;
pub use rules::{CompanyPublishInput, follow, hindrance, publish, services_of, shown_of};
