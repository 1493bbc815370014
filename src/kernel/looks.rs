//! What looking leaves in the log of access: that somebody read a log, and what somebody was not let see. Both are
//! written when the answer is done, in a transaction of their own; their statements count apart from the operation's.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::timeout;

use super::{
    Action, AuditLog, Caller, Error, Result,
    audit::{self, Change},
    heard,
    tx::{Doing, Tx},
};

/// How long an answer waits for what it leaves to be written down.
const LOG_PATIENCE: Duration = Duration::from_secs(5);

/// What was refused, or went wrong while looking, and the code of why.
type Refusal = (Action, &'static str);

/// A look into a log.
#[derive(Debug, Clone)]
struct LogRead {
    action: Action,
    log: &'static str,
    asked: String,
    count: usize,
}

/// What the looks of one request leave.
#[derive(Debug, Default)]
pub(super) struct Looks {
    /// What he was not let see: once each, however many fields asked for it.
    unseen: Mutex<Vec<Refusal>>,
    /// The logs that he has read.
    read: Mutex<Vec<LogRead>>,
}

impl Caller {
    /// Ends the request: what it has open, and then, in the log, what it has read of logs, and was not let see.
    pub async fn leave(&self) {
        self.release().await;
        let read = std::mem::take(&mut *self.looks.read.lock().unwrap_or_else(PoisonError::into_inner));
        if !read.is_empty() {
            let written = timeout(LOG_PATIENCE, Box::pin(heard::apart(self.write_reads(&read)))).await;
            if let Some(fault) = fault(written) {
                tracing::error!(fault, ?read, "that a log was read could not be logged");
            }
        }
        let unseen = std::mem::take(&mut *self.looks.unseen.lock().unwrap_or_else(PoisonError::into_inner));
        self.log_refusals(&unseen).await;
    }

    /// Keeps for the log that rows of a log were read: with what arguments, and how many.
    pub(crate) fn has_read(&self, action: Action, log: &'static str, asked: &str, count: usize) {
        let mut read = self.looks.read.lock().unwrap_or_else(PoisonError::into_inner);
        read.push(LogRead {
            action,
            log,
            asked: audit::clean(asked),
            count,
        });
    }

    /// Forgets what was looked at: it is asked for once more. What was refused or noticed was, and is told once.
    pub(super) fn forget_looks(&self) {
        self.looks.read.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    pub(super) fn keep(&self, action: Action, error: &Error) {
        if let Some(reason) = reason(error) {
            self.alarm(action, reason);
        }
    }

    /// Keeps for the log what was noticed while looking: an entry of the organization, in the log of access where the
    /// action has none of its own.
    pub(crate) fn alarm(&self, action: Action, reason: &'static str) {
        let mut unseen = self.looks.unseen.lock().unwrap_or_else(PoisonError::into_inner);
        if !unseen.contains(&(action, reason)) {
            unseen.push((action, reason));
        }
    }

    /// Leaves the entry of a refusal of another kind in the organization's log.
    pub(crate) async fn log_refusal(&self, action: Action, reason: &'static str) {
        self.log_refusals(&[(action, reason)]).await;
    }

    /// Leaves the entry of a refusal in the organization's log.
    pub(super) async fn refuse(&self, action: Action, error: Error) -> Error {
        if let Some(reason) = reason(&error) {
            self.log_refusals(&[(action, reason)]).await;
        }
        error
    }

    /// Where the entries can't be written, or not soon, the refusals stand all the same. The same refusal of the same
    /// actor is told once in a minute: asking again and again fills no log.
    async fn log_refusals(&self, refusals: &[Refusal]) {
        let is_news = |(action, reason): &&Refusal| {
            let who = self.actor().id().unwrap_or_else(|| self.origin().address_text());
            let what = format!("{:?} {who} {} {reason}", self.organization_id(), action.name());
            self.app().refusals.is_news(self.now(), &what)
        };
        let refusals: Vec<_> = refusals.iter().filter(is_news).copied().collect();
        if refusals.is_empty() {
            return;
        }
        let written = timeout(LOG_PATIENCE, Box::pin(self.write_refusals(&refusals))).await;
        if let Some(fault) = fault(written) {
            let actions: Vec<_> = refusals.iter().map(|(action, _)| action.name()).collect();
            tracing::error!(fault, ?actions, "refusals could not be logged");
        }
    }

    /// What only looks stands in no log; that it was refused, in that of access.
    async fn write_refusals(&self, refusals: &[Refusal]) -> Result<()> {
        let entry = |tx: &Tx, (action, reason): &Refusal| audit::Draft {
            log: action.log().unwrap_or(AuditLog::Access),
            outcome: audit::Outcome::of_look(reason),
            reason: Some((*reason).to_owned()),
            ..self.draft(tx, *action)
        };
        self.write(refusals.first().map(|(action, _)| *action), refusals, entry)
            .await
    }

    async fn write_reads(&self, reads: &[LogRead]) -> Result<()> {
        let entry = |tx: &Tx, read: &LogRead| {
            let told = |field: &str, value: String| Change {
                record: read.log.to_owned(),
                key: "*".to_owned(),
                field: Some(field.to_owned()),
                before: None,
                after: Some(value),
            };
            audit::Draft {
                changes: vec![told("asked", read.asked.clone()), told("count", read.count.to_string())],
                ..self.draft(tx, read.action)
            }
        };
        self.write(reads.first().map(|read| read.action), reads, entry).await
    }

    /// Writes entries in one transaction.
    async fn write<T>(&self, first: Option<Action>, told: &[T], entry: impl Fn(&Tx, &T) -> audit::Draft) -> Result<()> {
        let (Some(organization), Some(first)) = (self.organization_id(), first) else {
            return Ok(());
        };
        let (app, actor) = (self.app().clone(), self.actor().clone());
        let turn = app.database.turn(organization).await?;
        let tx = Tx::begin(app.clone(), actor, self.origin().clone(), Doing::Deed(first), &turn).await?;
        for one in told {
            let draft = entry(&tx, one);
            audit::append(&tx.reader().connection, &app.keys, organization, draft).await?;
        }
        tx.commit(turn).await
    }

    /// An entry of the log of access: this caller did this.
    fn draft(&self, tx: &Tx, action: Action) -> audit::Draft {
        audit::Draft {
            id: tx.fresh_id(),
            log: AuditLog::Access,
            occurred_at: tx.now(),
            action: action.name(),
            outcome: audit::Outcome::Done,
            reason: None,
            actor_kind: self.actor().kind(),
            actor_id: self.actor().id(),
            actor_name: self.actor().display_name(),
            address: self.origin().address_text(),
            request_id: self.origin().request_id.clone(),
            target: None,
            service_id: None,
            subjects: Vec::new(),
            changes: Vec::new(),
            rights: Vec::new(),
        }
    }
}

/// Why nothing was written; `None` where it was.
fn fault(written: std::result::Result<Result<()>, tokio::time::error::Elapsed>) -> Option<String> {
    match written {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(format!("{error:?}")),
        Err(late) => Some(late.to_string()),
    }
}

/// Under which code a refusal stands in the log. Whoever has not signed in has no log to stand in.
fn reason(error: &Error) -> Option<&'static str> {
    match error {
        Error::Forbidden(_) => Some("FORBIDDEN"),
        Error::SecondFactorRequired => Some("SECOND_FACTOR_REQUIRED"),
        Error::ConfirmationRequired => Some("CONFIRMATION_REQUIRED"),
        _ => None,
    }
}
