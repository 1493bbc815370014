//! Inviting many at once: each entry comes to an invitation or to what is wrong with it, and what is wrong with one
//! keeps no other back. It is one deed with one entry in the log, which names each of them.

use std::collections::HashSet;

use async_graphql::InputObject;
use serde::{Deserialize, Serialize};

use super::{
    check::{Holders, Invitee},
    entity::{Entity, Model},
    limit::{self, Letters},
    rules::{Way, write},
};
use crate::kernel::{Code, Error, Language, Outcome, Problem, Result, Timestamp, Tx, message::Word, payload::asks};

/// How many are invited at once.
const MOST: usize = 100;

/// One of many to be invited.
#[derive(Debug, Clone, Serialize, InputObject)]
pub struct MemberInviteEntryInput {
    /// The name, 1 to 100 characters.
    pub name: String,
    /// The login ID: 3 to 40 small letters, digits, `.`, `_` and `-`, beginning with a letter or digit; no member, open invitation or other entry has it.
    pub login: String,
    /// The e-mail address: one, plain, in ASCII, at most 254 characters; no member, open invitation or other entry has it, whatever the case.
    pub email: String,
    /// The language of the letter, and of those that the member will get; Korean where absent.
    pub language: Option<Language>,
}

/// Many to be invited.
#[derive(Debug, Clone, Serialize, InputObject)]
pub struct MemberInviteManyInput {
    /// Makes a retry safe: the same key with the same input within 24 hours answers as the first time. 1 to 64 visible ASCII characters; a UUID is good.
    pub idempotency_key: Option<String>,
    /// Answers as if it had been done, and changes nothing.
    pub dry_run: Option<bool>,
    /// Who, 1 to 100 people.
    pub entries: Vec<MemberInviteEntryInput>,
}

asks!(MemberInviteManyInput);

impl From<&MemberInviteEntryInput> for Invitee {
    fn from(input: &MemberInviteEntryInput) -> Self {
        Self {
            login: input.login.trim().to_owned(),
            name: input.name.trim().to_owned(),
            email: input.email.trim().to_owned(),
            language: input.language.unwrap_or_default(),
        }
    }
}

/// What came of each entry, in their order.
#[derive(Debug)]
pub struct Invited(pub Vec<Result<Model, Vec<Problem>>>);

/// What is kept of an entry for a repetition.
#[derive(Debug, Serialize, Deserialize)]
pub enum Kept {
    /// The invitation's ID.
    Invitation(String),
    /// Codes, paths, words and times: nothing that was said of anyone.
    Problems(Vec<KeptProblem>),
}

/// A problem as it is kept.
#[derive(Debug, Serialize, Deserialize)]
pub struct KeptProblem {
    code: String,
    path: String,
    words: Vec<(String, String)>,
    available_at: Option<Timestamp>,
}

impl Outcome for Invited {
    type Receipt = Vec<Kept>;

    fn receipt(&self) -> Vec<Kept> {
        let keep = |entry: &Result<Model, Vec<Problem>>| match entry {
            Ok(invitation) => Kept::Invitation(invitation.receipt()),
            Err(problems) => Kept::Problems(problems.iter().map(KeptProblem::of).collect()),
        };
        self.0.iter().map(keep).collect()
    }

    async fn again(tx: &Tx, receipt: Vec<Kept>) -> Result<Self> {
        let mut entries = Vec::with_capacity(receipt.len());
        for kept in receipt {
            entries.push(match kept {
                Kept::Invitation(id) => Ok(tx.find::<Entity>("id", &id).await?),
                Kept::Problems(problems) => Err(problems.into_iter().map(KeptProblem::again).collect::<Result<_>>()?),
            });
        }
        Ok(Self(entries))
    }
}

impl KeptProblem {
    fn of(problem: &Problem) -> Self {
        let words = problem.words.iter().filter_map(|(name, word)| match word {
            Word::Same(word) => Some(((*name).to_owned(), word.clone())),
            Word::Own { .. } => None,
        });
        Self {
            code: problem.code.name().to_owned(),
            path: problem.field.clone().unwrap_or_default().join("."),
            words: words.collect(),
            available_at: problem.available_at,
        }
    }

    fn again(self) -> Result<Problem> {
        let code = Code::ALL.iter().copied().find(|code| code.name() == self.code);
        let code = code.ok_or_else(|| Error::internal(format!("{} is no code", self.code)))?;
        let mut problem = Problem::at(&self.path, code);
        problem.available_at = self.available_at;
        for (name, word) in self.words {
            let known = ["min", "max", "rule"].into_iter().find(|known| *known == name);
            problem = problem.with(known.unwrap_or_default(), word);
        }
        Ok(problem)
    }
}

/// `memberInviteMany`.
///
/// # Errors
/// `BLANK` without entries, `TOO_MANY` beyond 100; what is wrong with an entry is its own result.
pub(super) async fn invite_many(tx: &Tx, input: &MemberInviteManyInput) -> Result<Invited> {
    match input.entries.len() {
        0 => return Err(Problem::at("input.entries", Code::Blank).into()),
        1..=MOST => {}
        _ => return Err(Problem::at("input.entries", Code::TooMany).with("max", MOST).into()),
    }
    let people: Vec<Invitee> = input.entries.iter().map(Invitee::from).collect();
    let mut wrong = faults(&people);
    let sound = people.iter().zip(&wrong).filter(|(_, problems)| problems.is_empty());
    let sound: Vec<&Invitee> = sound.map(|(person, _)| person).collect();
    let holders = Holders::find(tx, &sound, None).await?;
    let mut letters = Letters::of(tx).await?;
    let mut entries = Vec::with_capacity(people.len());
    for (place, person) in people.iter().enumerate() {
        let mut problems = std::mem::take(&mut wrong[place]);
        if problems.is_empty() {
            problems = holders.problems(&path(place), person);
        }
        if problems.is_empty() {
            let too_many = letters.too_many(&person.email);
            problems.extend(too_many.map(|why| limit::problem(&path(place)("email"), why)));
        }
        entries.push(if problems.is_empty() {
            let invitation = write(tx, person, false, Way::Letter).await?;
            letters.count(invitation.id, &person.email);
            Ok(invitation)
        } else {
            Err(problems)
        });
    }
    Ok(Invited(entries))
}

/// What is wrong with each by itself, and who is in the list a second time.
fn faults(people: &[Invitee]) -> Vec<Vec<Problem>> {
    let (mut logins, mut emails) = (HashSet::new(), HashSet::new());
    let check = |(place, person): (usize, &Invitee)| {
        let mut problems = person.problems(&path(place));
        let twice = [
            ("login", !logins.insert(person.login.clone())),
            ("email", !emails.insert(person.email.to_lowercase())),
        ];
        let twice = twice.iter().filter(|(_, is_twice)| *is_twice);
        problems.extend(twice.map(|(field, _)| Problem::at(&path(place)(field), Code::Duplicate)));
        problems
    };
    people.iter().enumerate().map(check).collect()
}

fn path(place: usize) -> impl Fn(&str) -> String {
    move |field| format!("input.entries.{place}.{field}")
}
