//! The data keys of organizations, wrapped, and sealing and opening with them. A key's newest version seals; every
//! version opens. That the ring has each key that anything is wrapped under is checked when the service starts.

use std::sync::Arc;

use sea_orm::{
    ActiveModelTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, entity::prelude::*, sea_query::OnConflict,
};
use serde::Serialize;
use zeroize::Zeroizing;

use super::{Broken, Cell, DataKey, Purpose, Sealed, joined, parts, seal_value};
use crate::kernel::{
    Action, App, Caller, Error, OrganizationId, Plain, Random, Reader, Result, Timestamp, Tx, personal::Personal,
    record::part,
};

/// A data key, wrapped.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize)]
#[sea_orm(table_name = "data_key")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub purpose: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub version: i32,
    pub wrapping_key: String,
    pub wrapped: Sealed,
    pub made_at: Timestamp,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

part! { "data key", key: |row| format!("{}#{}", row.purpose, row.version) }

/// A key of the ring that something is wrapped under, and what proves that it is that key. It belongs to no organization.
mod wrapping_key {
    use super::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "wrapping_key")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub name: String,
        pub proof: Sealed,
        pub made_at: Timestamp,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// What a data key is wrapped for.
fn context(organization: OrganizationId, purpose: &str, version: i32) -> Vec<u8> {
    let version = version.to_be_bytes();
    joined(&[
        b"orgdesk data key",
        organization.0.as_bytes(),
        purpose.as_bytes(),
        &version,
    ])
}

/// The keys of one organization for one purpose, as they are in one transaction.
pub struct Keychain {
    organization: OrganizationId,
    purpose: Purpose,
    /// The oldest first.
    pub(super) keys: Vec<(i32, Arc<DataKey>)>,
}

impl Keychain {
    /// For opening. An organization that has sealed nothing has no key yet.
    ///
    /// # Errors
    /// If the database fails, or the ring does not have the key that one is wrapped under.
    pub async fn of(reader: &Reader, app: &App, purpose: Purpose) -> Result<Self> {
        let [(chain, lost)] = Self::of_each(reader, app, [purpose]).await?;
        match lost {
            None => Ok(chain),
            Some(broken) => Err(Error::internal(broken)),
        }
    }

    /// For several purposes, in one statement; with each, why a key of it is not to be had, where one is not.
    pub(super) async fn of_each<const N: usize>(
        reader: &Reader,
        app: &App,
        purposes: [Purpose; N],
    ) -> Result<[(Self, Option<Broken>); N]> {
        let empty = |purpose| Self {
            organization: reader.organization_id(),
            purpose,
            keys: Vec::new(),
        };
        let mut chains = purposes.map(|purpose| (empty(purpose), None));
        let names = Column::Purpose.is_in(purposes.map(Purpose::name));
        let rows = reader.select::<Entity>().filter(names).order_by_asc(Column::Version);
        for row in rows.all().await? {
            let bound = context(row.organization_id, &row.purpose, row.version);
            let key = app.vault.unwrap(&row.wrapping_key, &row.wrapped.0, &bound).await;
            let own = chains.iter_mut().find(|(chain, _)| chain.purpose.name() == row.purpose);
            match (own, key) {
                (Some((chain, _)), Ok(key)) => chain.keys.push((row.version, key)),
                (Some((_, lost)), Err(broken)) => *lost = Some(broken),
                (None, _) => {}
            }
        }
        Ok(chains)
    }

    /// For sealing: the first key is made when it is first needed. The organization's turn is held, so there is one.
    ///
    /// # Errors
    /// If the database fails, or the ring can't wrap.
    pub async fn for_sealing(tx: &Tx, purpose: Purpose) -> Result<Self> {
        let mut chain = Self::of(tx, tx.app(), purpose).await?;
        if chain.keys.is_empty() {
            chain.renew(tx).await?;
        }
        Ok(chain)
    }

    /// Makes a new version, which seals from now on. What was sealed before opens as ever.
    ///
    /// # Errors
    /// If the database fails, or the ring can't wrap; the key of an index stays the same for good.
    pub async fn renew(&mut self, tx: &Tx) -> Result<()> {
        if self.purpose == Purpose::FieldIndex && !self.keys.is_empty() {
            return Err(Error::internal("the key of an index stays"));
        }
        let app = tx.app();
        let version = self.keys.last().map_or(1, |(version, _)| version + 1);
        let key = Zeroizing::new(app.random.bytes::<32>());
        let bound = context(self.organization, self.purpose.name(), version);
        let wrapped = app.vault.service.wrap(&key, &bound, app.random.bytes()).await;
        let row = Model {
            organization_id: self.organization,
            purpose: self.purpose.name().to_owned(),
            version,
            wrapping_key: app.vault.service.current().to_owned(),
            wrapped: Sealed(wrapped.map_err(Error::internal)?),
            made_at: tx.now(),
        };
        tx.create_many::<Entity>(vec![row]).await?;
        self.keys.push((version, Arc::new(DataKey(key))));
        Ok(())
    }

    /// Seals a value for its cell, under the newest key.
    ///
    /// # Errors
    /// If there is no key, or the cipher fails.
    pub fn seal(&self, random: &Random, cell: &Cell<'_>, plain: &[u8]) -> Result<Sealed> {
        let (version, key) = self.newest()?;
        let whose = (self.organization, self.purpose, version);
        seal_value(key, whose, random.bytes(), cell, plain).map_err(Error::internal)
    }

    /// Opens a value that was sealed for this cell.
    ///
    /// # Errors
    /// Why it does not open. It is for the caller to go on without the value, and to tell the security log.
    pub fn open(&self, cell: &Cell<'_>, sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>, Broken> {
        let (version, text) = parts(sealed)?;
        let key = self.keys.iter().find(|(known, _)| *known == version);
        let (_, key) = key.ok_or(Broken::KeyUnknown)?;
        key.open(&super::bound(self.organization, self.purpose, version, cell), text)
    }

    /// The same value under the newest key; `None` where it is that already.
    ///
    /// # Errors
    /// Why it does not open; that it can't be sealed is one of its forms.
    pub fn renewed(&self, random: &Random, cell: &Cell<'_>, sealed: &Sealed) -> Result<Option<Sealed>, Broken> {
        let (version, _) = parts(sealed)?;
        let (newest, key) = self.keys.last().ok_or(Broken::KeyUnknown)?;
        if version == *newest {
            return Ok(None);
        }
        let plain = self.open(cell, sealed)?;
        let whose = (self.organization, self.purpose, *newest);
        seal_value(key, whose, random.bytes(), cell, &plain).map(Some)
    }

    /// Seals personal data.
    ///
    /// # Errors
    /// As for [`Keychain::seal`].
    pub fn seal_personal(&self, random: &Random, cell: &Cell<'_>, value: &Personal) -> Result<Sealed> {
        self.seal(random, cell, value.clear().as_bytes())
    }

    /// Opens personal data into what shows itself masked only. `blank` says what kind it is of, and whose.
    ///
    /// # Errors
    /// Why it does not open.
    pub fn open_personal(&self, cell: &Cell<'_>, blank: Personal, sealed: &Sealed) -> Result<Personal, Broken> {
        let opened = self.open(cell, sealed)?;
        let text = std::str::from_utf8(&opened).map_err(|_| Broken::Form)?;
        Ok(blank.filled(text))
    }

    /// The one key of an index.
    pub(super) fn newest(&self) -> Result<(i32, &Arc<DataKey>)> {
        let newest = self.keys.last().map(|(version, key)| (*version, key));
        newest.ok_or_else(|| Error::internal("there is no key yet"))
    }

    /// Whether another seals under the same key: of the same number, and the same key.
    pub(super) fn seals_like(&self, other: &Self) -> bool {
        self.keys.last() == other.keys.last()
    }

    /// Whether there is a key at all.
    pub(super) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }
}

impl std::fmt::Debug for Keychain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keychain")
            .field("purpose", &self.purpose)
            .field("versions", &self.keys.len())
            .finish_non_exhaustive()
    }
}

/// Wraps an organization's data keys anew under the current key of the ring. What they sealed stays as it is, and opens
/// before, during and afterwards. Answers how many were wrapped.
///
/// # Errors
/// If the database fails, or the ring does not have the key that one is wrapped under.
pub(crate) async fn rewrap(operator: &Caller) -> Result<u64> {
    let deed = async |tx: &Tx| {
        let vault = &tx.app().vault;
        let current = vault.service.current();
        let old = tx.select::<Entity>().filter(Column::WrappingKey.ne(current));
        let mut count = 0;
        for row in old.all().await? {
            let bound = context(row.organization_id, &row.purpose, row.version);
            let key = vault.unwrap(&row.wrapping_key, &row.wrapped.0, &bound).await;
            let key = key.map_err(Error::internal)?;
            let wrapped = vault.service.wrap(&key.0, &bound, tx.app().random.bytes()).await;
            let wrapped = wrapped.map_err(Error::internal)?;
            tx.update::<Entity>(row, |row| {
                row.wrapping_key = current.to_owned();
                row.wrapped = Sealed(wrapped);
            })
            .await?;
            count += 1;
        }
        Ok(Rewrapped(count))
    };
    operator
        .act(Action::DataKeyRewrap, &Plain, deed)
        .await
        .map(|done| done.0)
}

/// How many keys were wrapped anew.
struct Rewrapped(u64);

impl crate::kernel::Outcome for Rewrapped {
    type Receipt = u64;

    fn receipt(&self) -> u64 {
        self.0
    }

    async fn again(_: &Tx, receipt: u64) -> Result<Self> {
        Ok(Self(receipt))
    }
}

/// What the proof of a wrapping key is sealed for.
pub(crate) const PROOF: &[u8] = b"orgdesk wrapping key";

/// Checks that the ring has every key that data keys were ever wrapped under and not yet wrapped anew, each the right one,
/// and notes the current one.
///
/// # Errors
/// The names of the keys that are absent or wrong.
pub async fn check_ring(app: &App) -> Result<()> {
    let service = &app.vault.service;
    let known = wrapping_key::Entity::find().all(app.database.raw()).await?;
    let mut wrong = Vec::new();
    for key in &known {
        if service.unwrap(&key.name, &key.proof.0, PROOF).await.is_err() {
            wrong.push(key.name.as_str());
        }
    }
    if !wrong.is_empty() {
        let names = wrong.join(", ");
        return Err(Error::internal(format!(
            "the key ring does not have, or has wrongly, what data are sealed under: {names}"
        )));
    }
    if known.iter().any(|key| key.name == service.current()) {
        return Ok(());
    }
    // What the proof holds tells nothing: it is to open, no more.
    let proof = service.wrap(&[0; 32], PROOF, app.random.bytes()).await;
    let row = wrapping_key::Model {
        name: service.current().to_owned(),
        proof: Sealed(proof.map_err(Error::internal)?),
        made_at: app.clock.now(),
    };
    let once = OnConflict::column(wrapping_key::Column::Name).do_nothing().to_owned();
    wrapping_key::Entity::insert(row.into_active_model().reset_all())
        .on_conflict(once)
        .try_insert()
        .exec_without_returning(app.database.raw())
        .await?;
    Ok(())
}

/// Forgets every wrapping key but the current one: after this the others may leave the ring. To be called once nothing is
/// wrapped under them any more. Answers their names.
///
/// # Errors
/// Only if the database fails.
pub async fn forget_unused(app: &App) -> Result<Vec<String>> {
    let others = wrapping_key::Column::Name.ne(app.vault.service.current());
    let connection = app.database.raw();
    let unused = wrapping_key::Entity::find()
        .filter(others.clone())
        .all(connection)
        .await?;
    wrapping_key::Entity::delete_many()
        .filter(others)
        .exec(connection)
        .await?;
    Ok(unused.into_iter().map(|key| key.name).collect())
}
