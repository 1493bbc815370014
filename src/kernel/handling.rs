//! The five elements that the law wants of each record of somebody handling personal data: who, when, from where, whose
//! data, and what was done (개인정보의 안전성 확보조치 기준 제2조 제3호). None of them is optional here: an entry about personal
//! data can't be made without them, and a deed whose entry can't be made is not done.

use super::{Action, AuditLog, Error, Result, Timestamp, Tx, actor::Actor, audit::Draft};

/// A text that says something.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Said(String);

impl Said {
    fn of(text: String) -> Option<Self> {
        (!text.trim().is_empty()).then_some(Self(text))
    }
}

/// From where.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Source {
    /// Over the network, from this address.
    Address(Said),
    /// From the service's own machine: its jobs, and the command line.
    Itself,
}

/// Whose data: the keys of the rows that hold them, one at least.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Subjects {
    first: Said,
    others: Vec<Said>,
}

impl Subjects {
    fn of(keys: Vec<String>) -> Option<Self> {
        let mut keys = keys.into_iter().filter_map(Said::of);
        Some(Self {
            first: keys.next()?,
            others: keys.collect(),
        })
    }
}

/// All five.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Handling {
    who: Said,
    at: Timestamp,
    from: Source,
    whose: Subjects,
    task: Action,
}

impl Handling {
    /// What the entry of a deed has to say. Where the deed does not say whose data it is about, it is about those of its
    /// target.
    ///
    /// # Errors
    /// If one of the five is absent.
    pub(super) fn of(tx: &Tx, draft: &Draft) -> Result<Self> {
        let actor = tx.actor();
        let from = match (tx.origin().address, actor) {
            (Some(_), _) => Said::of(tx.origin().address_text()).map(Source::Address),
            (None, Actor::System(_) | Actor::Operator) => Some(Source::Itself),
            (None, _) => None,
        };
        let keys = match &draft.target {
            Some((target, _)) if draft.subjects.is_empty() => vec![target.clone()],
            _ => draft.subjects.clone(),
        };
        let who = Said::of(actor.id().unwrap_or_else(|| actor.display_name()));
        Self::whole(who, tx.now(), from, Subjects::of(keys), tx.action())
    }

    fn whole(
        who: Option<Said>,
        at: Timestamp,
        from: Option<Source>,
        whose: Option<Subjects>,
        task: Action,
    ) -> Result<Self> {
        let lacking = |what: &str| Error::internal(format!("{} does not say {what}", task.name()));
        Ok(Self {
            who: who.ok_or_else(|| lacking("who"))?,
            at,
            from: from.ok_or_else(|| lacking("from where"))?,
            whose: whose.ok_or_else(|| lacking("whose data"))?,
            task,
        })
    }

    /// Writes the five into the entry.
    pub(super) fn write(self, draft: &mut Draft) {
        match &mut draft.actor_id {
            Some(id) => *id = self.who.0,
            None => draft.actor_name = self.who.0,
        }
        draft.occurred_at = self.at;
        draft.address = match self.from {
            Source::Address(Said(address)) => address,
            Source::Itself => String::new(),
        };
        let Subjects { first, others } = self.whose;
        draft.subjects = [first].into_iter().chain(others).map(|said| said.0).collect();
        draft.action = self.task.name();
    }
}

impl Action {
    /// Whether doing it is handling personal data of customers.
    pub fn handles_personal_data(self) -> bool {
        matches!(
            self,
            Self::TicketCreate
                | Self::TicketUpdate
                | Self::TicketReveal
                | Self::TicketFromCall
                | Self::ImportUpload
                | Self::ImportRun
                | Self::ImportTakeBack
                | Self::ImportFileDownload
                | Self::CtiLogDownload
        ) || self.log() == Some(AuditLog::Extraction) && !matches!(self, Self::CtiAgentDownload | Self::ExtractionSweep)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // case: C6
    #[test]
    fn l1_no_entry_about_personal_data_is_made_without_the_five_elements() {
        let at = Timestamp(chrono::DateTime::UNIX_EPOCH);
        let who = || Said::of("mbr_x".to_owned());
        let from = || Said::of("203.0.113.7".to_owned()).map(Source::Address);
        let whose = || Subjects::of(vec!["tkt_a".to_owned(), "tkt_b".to_owned()]);
        let whole = |who, from, whose| Handling::whole(who, at, from, whose, Action::TicketReveal);

        let handling = whole(who(), from(), whose()).unwrap();
        assert_eq!((handling.at, handling.task), (at, Action::TicketReveal));
        assert_eq!(handling.who, Said("mbr_x".to_owned()));
        assert_eq!(handling.from, Source::Address(Said("203.0.113.7".to_owned())));
        assert_eq!(
            handling.whose,
            Subjects {
                first: Said("tkt_a".to_owned()),
                others: vec![Said("tkt_b".to_owned())]
            }
        );
        assert!(whole(None, from(), whose()).is_err());
        assert!(whole(who(), None, whose()).is_err());
        assert!(whole(who(), from(), None).is_err());
        assert_eq!(
            (Said::of(" ".to_owned()), Subjects::of(vec![String::new()])),
            (None, None)
        );
    }
}
