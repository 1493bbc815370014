//! Partner systems: programs that act for an organization with one of its keys. A key gets them a token that is good for
//! some minutes, or signs each request; either way they are asked anew with every request what the key is now. In the other
//! direction, `webhook` tells systems of the organization what is done in it.

pub mod graphql;
mod issue;
mod key;
mod signature;
mod token;
pub mod webhook;

pub use issue::{Issued, issue};
pub use key::{Elsewhere, Known, note_use, of_token, standing};
pub use signature::{Fault, Signed, signed_text, who_signed};
pub use token::until;
