//! Webhooks: what is done in an organization, told to its own systems as it happens. A webhook names its kinds of
//! events; each is a job that commits with the deed it tells of, so that none is lost and none tells of what was not
//! done. What is sent has IDs in it and no data: whoever wants to know more asks the API.

mod delivery;
mod event;
pub mod graphql;
mod hook;
mod input;
mod purge;
mod rules;
mod sealing;
mod send;
mod target;

pub use delivery::{Entity as DeliveryEntity, KIND, Model as WebhookDelivery, State, deliver, give_up};
pub use event::announce;
pub use hook::{Entity, Model as Webhook};
pub use purge::{PURGE, purge};
pub use sealing::SEALING;
