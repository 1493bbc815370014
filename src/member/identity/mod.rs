//! External identity: providers whose ID tokens sign members in, beside local passwords. Operators say which at the
//! command line. A token chooses nothing: neither its algorithm nor its key, and nothing in it is ever fetched.

mod exchange;
mod fetch;
pub mod graphql;
mod keys;
mod link;
mod provider;
mod rules;
mod token;

pub(super) use exchange::{authenticated_at, exchange};
pub use provider::{Algorithm, Model as IdentityProvider};
pub(super) use rules::forget;
pub use rules::{Setting, discover, link_member, list, remove, set, unlink_member};
