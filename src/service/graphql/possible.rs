//! What can be done with a thing, said in one way.

use super::PossibleAction;
use crate::kernel::{Action, Caller, Code};

impl PossibleAction {
    /// A verb that the caller may not do with this thing, whatever he may do with others.
    pub(crate) fn forbidden(name: Action) -> Self {
        Self {
            name,
            is_allowed: false,
            reason_code: Some("FORBIDDEN".to_owned()),
            available_at: None,
        }
    }

    /// What hinders a verb: the rules' own reason, or that the caller may not.
    pub(crate) fn of(caller: &Caller, name: Action, hindrance: Option<Code>) -> Self {
        let reason = hindrance.map(Code::name).or((!caller.may(name)).then_some("FORBIDDEN"));
        Self {
            name,
            is_allowed: reason.is_none(),
            reason_code: reason.map(str::to_owned),
            available_at: None,
        }
    }
}
