//! People: the members of an organization, how they sign in, and the sessions in which they are signed in.

pub mod account;
mod confirm;
mod departure;
mod entity;
mod extract;
pub mod graphql;
pub mod identity;
pub mod invitation;
pub mod letter;
mod link;
pub mod notice;
mod own_account;
mod own_session;
mod password;
pub mod password_reset;
mod recovery_code;
mod refresh_token;
mod rules;
pub mod search;
pub mod second_factor;
pub mod session;
mod sign_in;
mod token;

pub use departure::depart;
pub use entity::{ActiveModel, Column, Entity, Model, Model as Member, Status};
pub use extract::{MemberExtraction, SOURCE};
pub use password::{
    Hasher,
    policy::{Accepted, Whose, accept as accept_password},
};
pub use rules::{New, check_email, create, create_organization, find_by_login, first_password};
pub use second_factor::SEALING;
pub use session::{Ending, Proof, Started, start_for};
pub use sign_in::{Credentials, sign_in};
pub use token::{Claims, read as read_token};

use rules::check_login;
