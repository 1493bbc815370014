//! The audit log: what was done, tried and refused, in chains of one organization and log each. Each entry's hash is
//! a keyed MAC over the hash before it and its own text, so that a change, a gap or a new order shows. Rows are
//! written only here, in the transaction of what they tell.

pub mod anchor;
mod chain;
mod heads;
mod known;
mod over;
pub mod segment;
mod walk;

use async_graphql::{Enum, SimpleObject};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
    entity::prelude::*,
};
use serde::{Deserialize, Serialize};

use super::{
    AuditEntryId, AuditLog, Keys, OrganizationId, Record, Result, Timestamp, Tx,
    at_hand::{Asked, AtHand, Way, choice, made, made_text, scalar, text, text_or_null},
    permission,
    record::record,
};
use chain::link;
pub use chain::{Break, Cause, Verifier};
pub use heads::Heads;
pub use known::Known;
pub use walk::Walks;

/// How it ended.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Enum, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
#[graphql(name = "AuditOutcome")]
pub enum Outcome {
    /// It was done.
    Done,
    /// It was refused: the actor may not.
    Denied,
    /// It was tried and failed, such as a sign-in with a wrong password.
    Failed,
}

/// A sealed value that was to be shown does not open: its key is lost, or somebody has changed it.
pub const UNREADABLE: &str = "VALUE_UNREADABLE";

impl Outcome {
    /// How a look ended that stands in the log for this reason.
    pub(super) fn of_look(reason: &str) -> Self {
        if reason == UNREADABLE {
            Self::Failed
        } else {
            Self::Denied
        }
    }
}

/// What kind of actor it was.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Enum, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
#[graphql(name = "AuditActorKind")]
pub enum ActorKind {
    /// A member.
    Member,
    /// A partner system with an organization key.
    Key,
    /// The service itself.
    System,
    /// Whoever runs the service, at its command line.
    Operator,
    /// Somebody who had not signed in.
    Nobody,
}

/// One value that changed.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, SimpleObject)]
#[graphql(name = "AuditChange")]
pub struct Change {
    /// What kind of thing it belongs to, such as `service`.
    pub record: String,
    /// Which one: its ID, or the text that names it.
    pub key: String,
    /// The value's name; null where the thing as a whole came or went.
    pub field: Option<String>,
    /// What it was, as JSON; null where it was not there. Credentials show as `***`.
    pub before: Option<String>,
    /// What it became, as JSON; null where it is gone. Credentials show as `***`.
    pub after: Option<String>,
}

/// An entry of the audit log. Entries never change and never go before their time.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Serialize, SimpleObject)]
#[sea_orm(table_name = "audit_entry")]
#[graphql(name = "AuditEntry", complex)]
pub struct Model {
    /// The globally unique ID.
    pub id: AuditEntryId,
    #[sea_orm(primary_key, auto_increment = false)]
    #[graphql(skip)]
    pub organization_id: OrganizationId,
    /// In which log it stands.
    #[sea_orm(primary_key, auto_increment = false)]
    pub log: AuditLog,
    /// Its place in that log, from 1 without a gap.
    #[sea_orm(primary_key, auto_increment = false)]
    #[graphql(skip)]
    pub sequence: i64,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// What was done: the name of a permission.
    #[graphql(skip)]
    pub action: String,
    /// How it ended.
    pub outcome: Outcome,
    /// Why it was refused or failed: a code; null where it was done.
    #[graphql(name = "reasonCode")]
    pub reason: Option<String>,
    #[graphql(skip)]
    pub actor_kind: ActorKind,
    #[graphql(skip)]
    pub actor_id: Option<String>,
    #[graphql(skip)]
    pub actor_name: String,
    /// The address it came from; empty for jobs and the command line.
    pub address: String,
    /// The request, as in the header `X-Request-Id`.
    #[graphql(name = "requestReference")]
    pub request_id: String,
    #[graphql(skip)]
    pub target_id: Option<String>,
    #[graphql(skip)]
    pub target_label: Option<String>,
    #[graphql(skip)]
    pub service_id: Option<Uuid>,
    #[graphql(skip)]
    pub subjects: String,
    #[graphql(skip)]
    pub changes: String,
    /// Vouches for its rows in the permission-change log; absent where it has none, also from its text.
    #[graphql(skip)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rights_digest: Option<Vec<u8>>,
    #[graphql(skip)]
    pub previous_hash: Vec<u8>,
    #[graphql(skip)]
    pub hash: Vec<u8>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

record! { "audit entry", AuditEntryId, label: action, log: "AUDIT_ENTRIES" }

/// What an entry tells; place and hashes are added when it is written.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub id: AuditEntryId,
    pub log: AuditLog,
    pub occurred_at: Timestamp,
    pub action: &'static str,
    pub outcome: Outcome,
    pub reason: Option<String>,
    pub actor_kind: ActorKind,
    pub actor_id: Option<String>,
    pub actor_name: String,
    pub address: String,
    pub request_id: String,
    pub target: Option<(String, String)>,
    pub service_id: Option<Uuid>,
    pub subjects: Vec<String>,
    pub changes: Vec<Change>,
    pub rights: Vec<permission::Model>,
}

/// Adds an entry to the end of its chain, with its rows of the permission-change log. The caller holds the organization's turn, so that the end stays the end.
pub(super) async fn append(
    connection: &impl ConnectionTrait,
    keys: &Keys,
    organization_id: OrganizationId,
    draft: Draft,
) -> Result<()> {
    let last: Option<(i64, Vec<u8>)> = Entity::find()
        .select_only()
        .column(Column::Sequence)
        .column(Column::Hash)
        .filter(Column::OrganizationId.eq(organization_id))
        .filter(Column::Log.eq(draft.log))
        .order_by_desc(Column::Sequence)
        .limit(1)
        .into_tuple()
        .one(connection)
        .await?;
    let (sequence, previous_hash) = last.map_or((1, Vec::new()), |(sequence, hash)| (sequence + 1, hash));
    let (target_id, target_label) = draft
        .target
        .map_or((None, None), |(id, label)| (Some(id), Some(clean(&label))));
    let mut rights = draft.rights;
    let mut digest = permission::Digest::default();
    for row in &mut rights {
        (row.log, row.sequence) = (draft.log, sequence);
        digest.add(row)?;
    }
    let mut entry = Model {
        id: draft.id,
        organization_id,
        log: draft.log,
        sequence,
        occurred_at: draft.occurred_at,
        action: draft.action.to_owned(),
        outcome: draft.outcome,
        reason: draft.reason,
        actor_kind: draft.actor_kind,
        actor_id: draft.actor_id,
        actor_name: clean(&draft.actor_name),
        address: draft.address,
        request_id: draft.request_id,
        target_id,
        target_label,
        service_id: draft.service_id,
        subjects: serde_json::to_string(&draft.subjects)?,
        changes: serde_json::to_string(&draft.changes)?,
        rights_digest: digest.finish(),
        previous_hash,
        hash: Vec::new(),
    };
    entry.hash = link(keys, &entry)?;
    let insert = Entity::insert(entry.into_active_model().reset_all());
    Box::pin(insert.exec_without_returning(connection)).await?;
    Box::pin(permission::write(connection, rights)).await
}

impl Tx {
    /// The ID that the deed's entry in the log will have: for a job that tells somebody of it.
    pub(crate) fn entry_id(&self) -> AuditEntryId {
        *self.told().entry.get_or_insert_with(|| self.fresh_id())
    }

    /// Says what the deed is about, and tells facts of it that no row of its own holds: of a file that leaves.
    pub fn tell_facts<E: Record>(&self, row: &E::Model, facts: &[(&str, serde_json::Value)]) {
        self.about::<E>(row);
        for (name, value) in facts {
            self.told().tell(Change {
                record: E::NAME.into(),
                key: E::key(row),
                field: Some((*name).to_owned()),
                before: None,
                after: Some(value.to_string()),
            });
        }
    }
}

/// Whether a character can't be seen, or turns what stands around it: control, zero width, direction, and breaks of lines.
pub fn is_hidden(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{ad}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{3164}' | '\u{feff}')
}

/// A text as the log keeps it: one line without control or direction characters, at most 1,024 bytes.
pub(crate) fn clean(text: &str) -> String {
    let mut kept = String::new();
    for letter in text.chars() {
        let letter = if is_hidden(letter) { '\u{fffd}' } else { letter };
        if kept.len() + letter.len_utf8() > 1_024 {
            break;
        }
        kept.push(letter);
    }
    kept
}

/// Who did it.
#[derive(Debug, SimpleObject)]
#[graphql(name = "AuditActor")]
pub struct AuditActor {
    /// What kind of actor it was.
    pub kind: ActorKind,
    /// The name as it was then: of a member, a key, or the part of the service.
    pub name: String,
    /// The ID of the member or key; null for others.
    pub reference: Option<String>,
}

/// What it was done to.
#[derive(Debug, SimpleObject)]
#[graphql(name = "AuditTarget")]
pub struct AuditTarget {
    /// The ID, good for `node` as long as the thing is there.
    pub reference: String,
    /// How people recognised it then.
    pub label: String,
}

impl AtHand for AuditActor {
    fn write(field: &str, _: &Asked<'_>) -> Option<Way<Self>> {
        match field {
            "kind" => choice(|actor: &Self| actor.kind),
            "name" => text(|actor: &Self| &actor.name),
            "reference" => text_or_null(|actor: &Self| actor.reference.as_deref()),
            _ => None,
        }
    }
}

impl AtHand for AuditTarget {
    fn write(field: &str, _: &Asked<'_>) -> Option<Way<Self>> {
        match field {
            "reference" => text(|target: &Self| &target.reference),
            "label" => text(|target: &Self| &target.label),
            _ => None,
        }
    }
}

/// All but the lists that are texts in the table, which few ask for of more than one entry.
impl AtHand for Model {
    fn write(field: &str, asked: &Asked<'_>) -> Option<Way<Self>> {
        match field {
            "id" => made_text(|entry: &Self| entry.id.to_string()),
            "log" => choice(|entry: &Self| entry.log),
            "position" => scalar(|entry: &Self| &entry.sequence),
            "occurredAt" => scalar(|entry: &Self| &entry.occurred_at),
            "action" => text(|entry: &Self| &entry.action),
            "outcome" => choice(|entry: &Self| entry.outcome),
            "reasonCode" => text_or_null(|entry: &Self| entry.reason.as_deref()),
            "address" => text(|entry: &Self| &entry.address),
            "requestReference" => text(|entry: &Self| &entry.request_id),
            "actor" => made(asked, |entry: &Self| Some(entry.made_actor())),
            "target" => made(asked, Self::made_target),
            _ => None,
        }
    }
}

impl Model {
    fn made_actor(&self) -> AuditActor {
        AuditActor {
            kind: self.actor_kind,
            name: self.actor_name.clone(),
            reference: self.actor_id.clone(),
        }
    }

    fn made_target(&self) -> Option<AuditTarget> {
        let (reference, label) = self.target_id.clone().zip(self.target_label.clone())?;
        Some(AuditTarget { reference, label })
    }
}

#[async_graphql::ComplexObject]
impl Model {
    /// Its place in its log, from 1 without a gap.
    async fn position(&self) -> i64 {
        self.sequence
    }

    /// What was done or tried: the name of a permission.
    #[graphql(name = "action")]
    async fn action_name(&self) -> &str {
        &self.action
    }

    /// Who did it.
    async fn actor(&self) -> AuditActor {
        self.made_actor()
    }

    /// What it was done to; null where it was no one thing.
    async fn target(&self) -> Option<AuditTarget> {
        self.made_target()
    }

    /// 처리한 정보주체 정보: the IDs of those things whose personal data were handled, at most 100; empty where none were.
    #[graphql(name = "subjects")]
    async fn subject_list(&self) -> Vec<String> {
        serde_json::from_str(&self.subjects).unwrap_or_default()
    }

    /// What changed, at most 500 values; empty where nothing did.
    #[graphql(name = "changes")]
    async fn change_list(&self) -> Vec<Change> {
        serde_json::from_str(&self.changes).unwrap_or_default()
    }

    /// The link of the chain, in hexadecimal: a keyed hash over this entry and the one before it.
    #[graphql(name = "hash")]
    async fn link(&self) -> String {
        self.hash.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
