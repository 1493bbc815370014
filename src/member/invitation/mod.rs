//! 회원 초대: how somebody becomes a member. An invitation is written with the job that sends its letter, in one
//! transaction; the link's token is minted when the letter is sent, and only its hash is kept. Each sending is a mailing
//! of its own; only the newest one's link opens anything.

mod accept;
mod check;
mod entity;
pub mod graphql;
mod limit;
mod mailing;
mod many;
mod operator;
mod rules;
mod send;

/// What the tokens of these links begin with.
const LINK: &str = "inv";

pub use check::{Invitee, is_invited};
pub use entity::{Column, Entity, Model, Model as Invitation, State};
pub use operator::{create_organization, invite_owner_again};
pub use rules::{InvitationRevokeInput, MemberInviteInput, invite, revoke};
pub use send::{KIND, give_up, send};
