//! What can be done with a session.

use std::sync::Arc;

use async_graphql::{ComplexObject, Context};

use crate::{
    kernel::{Action, Caller},
    member::own_session::Shown,
    service::graphql::PossibleAction,
};

#[ComplexObject]
impl Shown {
    /// What the caller can do with it now, and why not where not; at most 10.
    async fn actions(&self, context: &Context<'_>) -> Vec<PossibleAction> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        vec![PossibleAction::of(caller, Action::SessionRevoke, None)]
    }
}
