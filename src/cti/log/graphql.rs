//! What the API says of the CTI log.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, SimpleObject};

use super::{
    day,
    input::CtiEventsRecordInput,
    record::{self, Kept},
};
use crate::{
    kernel::{
        Action, Caller, Result,
        payload::{payload, settle, user_errors},
    },
    member,
    organization::graphql::zone_of,
};

pub use day::Model as CtiLogDay;

user_errors! { CtiLogUserError, CtiLogErrorCode, "a CTI log", {
    /// A value is needed.
    Blank,
    /// A value does not have the form that it must have, or does not go with another.
    Invalid,
    /// There are too many of them.
    TooMany,
    /// The member has the phone right in no service whose contract has the telephone.
    AgentHasNoPhoneRight,
    /// The event is more than one second in the future.
    EventInFuture,
    /// The event is more than 7 days old.
    EventTooOld,
    /// Another event was recorded under this ID.
    EventConflict,
} }

/// What came of one event.
#[derive(Debug, SimpleObject)]
pub struct CtiEventResult {
    /// The name that the widget gave the event.
    pub external_id: String,
    /// What came of it.
    pub outcome: Kept,
}

payload! { CtiEventsRecordPayload, "ctiEventsRecord", CtiLogUserError, {
    /// Whether the log is on: CTI Log 모니터링. Null where nothing was looked at.
    is_monitored: bool,
}, {
    /// What came of each event, in their order, at most 500; empty where nothing was looked at. `userErrors` say what is wrong with those that were refused; the others were taken all the same.
    results: CtiEventResult,
} }

/// The days of the signed-in member's log, the latest first.
pub(crate) async fn own_days(context: &Context<'_>) -> Result<Vec<day::Model>> {
    let caller = context.data_unchecked::<Arc<Caller>>();
    let view = caller.view(Action::ViewerRead).await?;
    match caller.actor().member() {
        Some(own) => day::of_member(&view, own.member_id).await,
        None => Ok(Vec::new()),
    }
}

/// The CTI log, to look at.
#[derive(Debug, Default)]
pub struct CtiLogQuery;

#[Object]
impl CtiLogQuery {
    /// The days of which a member's telephone left a log, the latest first, at most 100; one's own stand in `viewer`. Needs `CTI_LOG_READ`.
    async fn cti_log_days(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The member's ID; also of one who has left.")] member_id: ID,
    ) -> Result<Vec<day::Model>> {
        let view = context.data_unchecked::<Arc<Caller>>().view(Action::CtiLogRead).await?;
        match view.seek::<member::Entity>(&member_id).await? {
            Some(member) => day::of_member(&view, member.id).await,
            None => Ok(Vec::new()),
        }
    }
}

/// The CTI log, to add to and to download.
#[derive(Debug, Default)]
pub struct CtiLogMutation;

#[Object]
impl CtiLogMutation {
    /// Adds events of the signed-in agent's telephone to the CTI log, each once however often it comes. For phone widgets, which send what they have every second or two. Needs `CTI_EVENTS_RECORD`, and the phone right in a service.
    async fn cti_events_record(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The events.")] input: CtiEventsRecordInput,
    ) -> Result<CtiEventsRecordPayload> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        // The check of the session has fetched the organization: asking for its zone asks no database.
        let zone = zone_of(&*caller.view(Action::CtiEventsRecord).await?).await?;
        let deed = async |pen: &_| record::record(pen, zone, &input).await;
        let (done, problems) = settle(caller.note(Action::CtiEventsRecord, deed).await)?;
        let Some(done) = done else {
            return Ok(CtiEventsRecordPayload {
                is_monitored: None,
                results: Vec::new(),
                user_errors: CtiLogUserError::all(problems)?,
            });
        };
        let results = input.events.into_iter().zip(done.outcomes);
        let results = results.map(|(event, outcome)| CtiEventResult {
            external_id: event.external,
            outcome,
        });
        Ok(CtiEventsRecordPayload {
            is_monitored: Some(done.is_monitored),
            results: results.collect(),
            user_errors: CtiLogUserError::all(done.problems)?,
        })
    }
}
