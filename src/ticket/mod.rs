//! 티켓: what customers asked for, service by service. Only whoever works in a service sees its tickets and changes them;
//! personal data in them are sealed at rest and masked whenever they are read, but for `reveal`, which takes a grant. What
//! tickets are found by stands beside them, so that each search goes along an index; `docs/decisions/ticket-storage.md`
//! says why they are kept so, with figures.

mod call;
mod content;
mod departure;
mod entity;
mod filled;
pub mod graphql;
mod ground;
mod input;
mod made;
mod migrate;
mod premises;
mod reveal;
mod rules;
mod sealing;
mod search;
mod term;

pub use call::make as from_call;
pub use departure::{depart, remove_agent};
pub use entity::{Channel, Column, Entity, Model, Model as Ticket, Priority, Status};
pub use input::{TicketCreateInput, TicketUpdateInput, TicketValueInput};
pub use made::{Made, Means, make};
pub use migrate::{Brought, Fate, Fault, MOST_ROWS, Migrated, Place, count_anew, migrate, take_back};
pub use premises::Premises;
pub use rules::{create, update};
pub use sealing::SEALING;
