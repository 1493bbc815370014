//! Safe retries: the same key with the same input, within 24 hours, by the same actor, answers as the first time and
//! does nothing. The row commits with the deed, so that a crash between the two is no case.

use chrono::Duration;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, entity::prelude::*,
};
use serde::{Serialize, de::DeserializeOwned};

use super::{Code, Error, OrganizationId, Problem, Result, Timestamp, Tx};

const KEPT_FOR: Duration = Duration::hours(24);

/// What a mutation was asked for, as far as the door has to know.
pub trait Ask: Serialize + Sync {
    /// The key that makes a retry safe.
    fn idempotency_key(&self) -> Option<&str>;

    /// Whether to answer as if, and change nothing.
    fn is_dry_run(&self) -> bool;
}

/// The ask of jobs and of the sessions' verbs, which are never repeated and never tried out.
#[derive(Debug, Serialize)]
pub struct Plain;

impl Ask for Plain {
    fn idempotency_key(&self) -> Option<&str> {
        None
    }

    fn is_dry_run(&self) -> bool {
        false
    }
}

/// A mutation's input together with the ID beside it.
#[derive(Debug, Serialize)]
pub struct On<'a, I>(pub &'a str, pub &'a I);

impl<I: Ask> Ask for On<'_, I> {
    fn idempotency_key(&self) -> Option<&str> {
        self.1.idempotency_key()
    }

    fn is_dry_run(&self) -> bool {
        self.1.is_dry_run()
    }
}

/// What a deed answers, and how a repetition finds it again.
pub trait Outcome: Sized + Send {
    /// What is kept of it: keys and numbers, no data and no credential.
    type Receipt: Serialize + DeserializeOwned + Send;

    /// What to keep.
    fn receipt(&self) -> Self::Receipt;

    /// The answer again, read anew.
    fn again(tx: &Tx, receipt: Self::Receipt) -> impl Future<Output = Result<Self>> + Send;
}

/// A deed that answers nothing: what it wrote and its entry are all that is left of it.
impl Outcome for () {
    type Receipt = ();

    fn receipt(&self) {}

    async fn again(_: &Tx, (): ()) -> Result<Self> {
        Ok(())
    }
}

/// An answer that was given.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "idempotency")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub actor_id: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub action: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub key: String,
    pub input_hash: Vec<u8>,
    pub outcome: Json,
    pub created_at: Timestamp,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The row that a first request writes and a repetition finds.
pub(super) struct Slot {
    row: Model,
}

impl Slot {
    /// `None` where the ask has no key.
    ///
    /// # Errors
    /// `IDEMPOTENCY_KEY_INVALID`.
    pub(super) fn of(tx: &Tx, ask: &impl Ask) -> Result<Option<Self>> {
        let Some(key) = ask.idempotency_key() else {
            return Ok(None);
        };
        if key.is_empty() || key.len() > 64 || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Problem::at("input.idempotencyKey", Code::IdempotencyKeyInvalid).into());
        }
        Ok(Some(Self {
            row: Model {
                organization_id: tx.organization_id(),
                actor_id: tx.actor().id().unwrap_or_default(),
                action: tx.action().name().to_owned(),
                key: key.to_owned(),
                input_hash: tx.app().keys.input_mark(&serde_json::to_vec(ask)?),
                outcome: Json::Null,
                created_at: tx.now(),
            },
        }))
    }

    /// The receipt of the first time; `None` if this is it.
    ///
    /// # Errors
    /// `IDEMPOTENCY_KEY_REUSED` if the input was another then.
    pub(super) async fn earlier(&self, connection: &impl ConnectionTrait) -> Result<Option<Json>> {
        let row = &self.row;
        Entity::delete_many()
            .filter(Column::OrganizationId.eq(row.organization_id))
            .filter(Column::CreatedAt.lt(Timestamp(row.created_at.0 - KEPT_FOR)))
            .exec(connection)
            .await?;
        let key = (
            row.organization_id,
            row.actor_id.clone(),
            row.action.clone(),
            row.key.clone(),
        );
        match Entity::find_by_id(key).one(connection).await? {
            None => Ok(None),
            Some(earlier) if earlier.input_hash == row.input_hash => Ok(Some(earlier.outcome)),
            Some(_) => Err(Error::from(Problem::at(
                "input.idempotencyKey",
                Code::IdempotencyKeyReused,
            ))),
        }
    }

    /// Keeps the receipt.
    pub(super) async fn keep(mut self, connection: &impl ConnectionTrait, receipt: &impl Serialize) -> Result<()> {
        self.row.outcome = serde_json::to_value(receipt)?;
        let insert = Entity::insert(self.row.into_active_model().reset_all());
        Box::pin(insert.exec_without_returning(connection)).await?;
        Ok(())
    }
}
