//! Members in lists: what is written of them past the executor.

use super::Model;
use crate::kernel::{
    Action, Caller,
    at_hand::{Asked, AtHand, Way, choice, plain, scalar, scalar_or_null, text, text_or_null},
};

impl AtHand for Model {
    fn write(field: &str, asked: &Asked<'_>) -> Option<Way<Self>> {
        match field {
            "id" => plain(|member: &Self| member.id),
            "login" => text(|member: &Self| &member.login),
            "name" => text(|member: &Self| &member.name),
            "email" => {
                let caller = asked.caller().clone();
                text_or_null(move |member: &Self| member.email_for(&caller))
            }
            "language" => choice(|member: &Self| member.language),
            "isOwner" => plain(|member: &Self| member.is_owner),
            "status" => choice(|member: &Self| member.status),
            "joinedAt" => scalar(|member: &Self| &member.joined_at),
            "leftAt" => scalar_or_null(|member: &Self| member.left_at.as_ref()),
            "version" => plain(|member: &Self| member.version),
            _ => None,
        }
    }
}

impl Model {
    /// The e-mail address, for who may see it.
    pub(super) fn email_for(&self, caller: &Caller) -> Option<&str> {
        let is_own = caller.actor().member().is_some_and(|own| own.member_id == self.id);
        (is_own || caller.may(Action::OrganizationRead)).then_some(self.email.as_str())
    }
}
