//! A deed's entry in the audit log: the last thing that a `Tx` writes before the commit, out of all that it was told.

use super::{Announced, Error, Result, Tx, audit, audit::Outcome, handling::Handling, permission};

/// What a deed may change that leaves no entry: how far something is that stands in the log as a whole and what it brings,
/// the first keys, when a key was used, and whether messages arrive. That the logs stand still says nothing of these: see [`audit::Heads`].
const WITHOUT_ENTRY: &[&str] = &[
    "data key",
    "extraction",
    "extraction step",
    "import",
    "import outcome",
    "import problem",
    "ticket",
    "ticket term",
    "use of an organization key",
    "webhook",
    "webhook delivery",
];

impl Tx {
    /// Writes the entry, and announces the deed, if it was done.
    pub(super) async fn log(&self) -> Result<()> {
        let mut told = std::mem::take(&mut *self.told());
        let Some(log) = self.action().log() else {
            return match (told.shifts.as_slice(), told.beside(WITHOUT_ENTRY)) {
                ([], None) => Ok(()),
                ([], Some(record)) => Err(Error::internal(format!(
                    "a {record} was changed by an action that stands in no log"
                ))),
                _ => Err(Error::internal(
                    "rights were changed by an action that stands in no log",
                )),
            };
        };
        let changes = told.take_changes();
        let (outcome, reason) = told
            .outcome
            .map_or((Outcome::Done, None), |(outcome, code)| (outcome, Some(code)));
        let mut draft = audit::Draft {
            id: told.entry.unwrap_or_else(|| self.fresh_id()),
            log,
            occurred_at: self.now(),
            action: self.action().name(),
            outcome,
            reason,
            actor_kind: self.actor().kind(),
            actor_id: self.actor().id(),
            actor_name: self.actor().display_name(),
            address: self.origin().address_text(),
            request_id: self.origin().request_id.clone(),
            target: told.target,
            service_id: told.service,
            subjects: told.subjects,
            changes,
            rights: permission::rows(self, told.shifts).await?,
        };
        let is_done = draft.outcome == Outcome::Done && (draft.target.is_some() || !draft.changes.is_empty());
        if is_done && self.action().handles_personal_data() {
            Handling::of(self, &draft)?.write(&mut draft);
        }
        let announced = (draft.outcome == Outcome::Done).then(|| Announced {
            entry: draft.id,
            target: draft.target.as_ref().map(|(id, _)| id.clone()),
            service: draft.service_id,
        });
        let (connection, keys) = (&self.reader().connection, &self.app().keys);
        audit::append(connection, keys, self.organization_id(), draft).await?;
        match announced {
            Some(deed) => (self.app().announce)(self, &deed).await,
            None => Ok(()),
        }
    }
}
