//! `ctiAgentUpdateMany`: the verb that gives CTI IDs and numbers and takes them back.

use async_graphql::{ID, InputObject, MaybeUndefined};
use serde::Serialize;

use super::save::{Wish, save};
use crate::kernel::{Code, MemberId, Outcome, Problem, Result, Tx, payload::asks};

/// How many agents can be changed at once.
const MOST: usize = 100;

/// What one of many agents is to log in with. Absent fields stay as they are, null clears; both are there, or neither.
#[derive(Debug, Clone, Serialize, InputObject)]
pub struct CtiAgentEntryInput {
    /// The member's ID.
    pub member_id: ID,
    /// The agent's `version` last read; 0 for who never had any.
    pub expected_version: i32,
    /// CTI ID: 1 to 40 letters A-Z and a-z, digits, dots, hyphens and underscores, one agent's in the organization, whatever the case. Full-width letters become usual ones; spaces and what is invisible go.
    pub cti_id: MaybeUndefined<String>,
    /// CTI NO: 2 to 12 digits, one agent's in the organization. Zeros in front stay; full-width digits become usual ones; spaces and what is invisible go.
    pub cti_number: MaybeUndefined<String>,
}

/// What many agents are to log in with: all of it is saved, or nothing.
#[derive(Debug, Clone, Serialize, InputObject)]
pub struct CtiAgentUpdateManyInput {
    /// Makes a retry safe. 1 to 64 visible ASCII characters.
    pub idempotency_key: Option<String>,
    /// Answers as if it had been done, and changes nothing.
    pub dry_run: Option<bool>,
    /// The agents, 1 to 100, each once. They can take over from each other.
    pub entries: Vec<CtiAgentEntryInput>,
}

asks!(CtiAgentUpdateManyInput);

/// The members about whom something was asked, in that order.
#[derive(Debug)]
pub struct Given(pub Vec<MemberId>);

impl Outcome for Given {
    type Receipt = Vec<MemberId>;

    fn receipt(&self) -> Vec<MemberId> {
        self.0.clone()
    }

    async fn again(_: &Tx, receipt: Vec<MemberId>) -> Result<Self> {
        Ok(Self(receipt))
    }
}

/// `ctiAgentUpdateMany`.
///
/// # Errors
/// `CTI_NOT_CONTRACTED`; `BLANK` or `TOO_MANY` at `input.entries`; below `input.entries.N`, all at once: `NOT_FOUND`,
/// `DUPLICATE` or `AGENT_HAS_NO_PHONE_RIGHT` at `memberId`, `STALE_VERSION` at `expectedVersion`, `INVALID`,
/// `TOO_LONG`, `CTI_PAIR_REQUIRED`, `CTI_ID_TAKEN` at `ctiId` and `CTI_NO_TAKEN` at `ctiNumber`.
pub async fn update_many(tx: &Tx, input: &CtiAgentUpdateManyInput) -> Result<Given> {
    match input.entries.len() {
        0 => return Err(Problem::at("input.entries", Code::Blank).into()),
        1..=MOST => {}
        _ => return Err(Problem::at("input.entries", Code::TooMany).with("max", MOST).into()),
    }
    let wish = |(place, entry): (usize, &CtiAgentEntryInput)| Wish {
        at: format!("input.entries.{place}"),
        who: "memberId",
        member: entry.member_id.parse().ok(),
        expected_version: Some(entry.expected_version),
        id: entry.cti_id.clone(),
        number: entry.cti_number.clone(),
        wrong: Vec::new(),
    };
    let changes = save(tx, input.entries.iter().enumerate().map(wish).collect()).await?;
    Ok(Given(changes.into_iter().map(|change| change.member.id).collect()))
}
