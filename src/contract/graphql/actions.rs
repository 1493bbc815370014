//! What can be done with a service and its contract now, and why not where not.

use std::sync::Arc;

use async_graphql::Context;

use crate::{
    contract::{Contract as Model, rules},
    kernel::{Action, Caller, Code, Result, Timestamp},
    organization,
    service::{self, Service, graphql::PossibleAction},
};

/// What can be done with a service and its contract, and why not. The reasons are those that the rules give.
pub(crate) async fn actions(
    context: &Context<'_>,
    service: &Service,
    contract: Option<&Model>,
) -> Result<Vec<PossibleAction>> {
    use Action::{
        ContractDraft, ContractSign, ContractUpdate, ServiceResume, ServiceSuspend, ServiceTerminate, ServiceUpdate,
    };
    use service::Status::{InUse, NotInUse, Suspended, Terminated};
    let caller = context.data_unchecked::<Arc<Caller>>();
    let zone = organization::graphql::zone(context).await?;
    let next_edit = contract.and_then(|contract| rules::next_edit(contract, caller.now(), zone));
    let unless = |fits: bool, code: Code| (!fits).then_some(code);
    let state = service.status;
    let signed = match state {
        NotInUse => None,
        InUse | Suspended => Some(Code::ContractAlreadySigned),
        Terminated => Some(Code::ContractEnded),
    };
    let one = |name: Action, reason: Option<Code>, available_at: Option<Timestamp>| {
        let is_forbidden = !caller.may(name);
        let reason_code = reason
            .map(Code::name)
            .or(is_forbidden.then_some("FORBIDDEN"))
            .map(str::to_owned);
        PossibleAction {
            name,
            is_allowed: reason_code.is_none(),
            reason_code,
            available_at,
        }
    };
    let over = unless(state != Terminated, Code::ServiceTerminated);
    let begun = unless(state != NotInUse, Code::ContractNotCompleted);
    let edit = match state {
        NotInUse => Some(Code::ContractNotCompleted),
        Terminated => Some(Code::ContractEnded),
        InUse | Suspended => next_edit.map(|_| Code::ContractAlreadyChangedToday),
    };
    Ok(vec![
        one(ServiceUpdate, over, None),
        one(ContractDraft, signed, None),
        one(ContractSign, signed, None),
        one(ContractUpdate, edit, next_edit.filter(|_| state != Terminated)),
        one(
            ServiceSuspend,
            over.or(begun).or(unless(state == InUse, Code::ServiceNotInUse)),
            None,
        ),
        one(
            ServiceResume,
            over.or(begun).or(unless(state == Suspended, Code::ServiceNotSuspended)),
            None,
        ),
        one(
            ServiceTerminate,
            over.or(unless(state != InUse, Code::ServiceStillActive)),
            None,
        ),
    ])
}
