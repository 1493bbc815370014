//! How the data keys of an organization are replaced: each gets a successor, which seals from then on; the areas put what
//! the old ones sealed under it, some rows at a time; then the old ones go. Everything opens all the while, since a
//! request sees keys and values of one instant. Nothing is kept of how far it is: an organization that has two keys for
//! a purpose is on its way, and whoever rotates again goes on with that.

use std::time::Duration;

use futures_util::future::BoxFuture;
use sea_orm::{QueryFilter, entity::prelude::*};

use super::{
    Broken, Keychain, Purpose,
    data_key::{Column, Entity, Model},
};
use crate::kernel::{Action, Caller, Outcome, Plain, Record, Result, Tx};

/// A place where an area keeps sealed values.
#[derive(Clone, Copy)]
pub struct Sealing {
    /// What they are sealed for.
    pub purpose: Purpose,
    /// Puts the values of some rows under the newest key, in the order of the rows' IDs, beginning after the given one.
    pub pass: for<'t> fn(&'t Tx, &'t Keychain, Option<Uuid>) -> BoxFuture<'t, Result<Passed>>,
}

/// How many rows a pass looks at: the organization's turn is held meanwhile.
pub const ROWS: u64 = 200;

/// The pause between two passes. On SQLite whoever waits for the database looks again and again, and would not get it from
/// somebody who takes it at once each time.
const PAUSE: Duration = Duration::from_millis(20);

/// What came of some rows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Passed {
    /// The last row that was looked at; `None` where there are no more.
    pub last: Option<Uuid>,
    /// How many values are under another key now.
    pub resealed: u64,
    /// How many values do not open, and stay as they are.
    pub broken: u64,
}

/// What a rotation did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Rotated {
    /// How many values are under another key now.
    pub resealed: u64,
    /// How many values do not open: their keys stay.
    pub broken: u64,
    /// How many keys went.
    pub retired: u64,
}

/// Replaces the data keys of an organization.
///
/// # Errors
/// If the database fails, or the ring does not have a key that is needed. What was done until then stays; to rotate again
/// is to go on.
pub(crate) async fn rotate(operator: &Caller) -> Result<Rotated> {
    let sealings = operator.app().sealings;
    let mut rotated = Rotated::default();
    written(operator, async |tx| renew(tx, sealings).await).await?;
    for sealing in sealings {
        let mut done = Rotated::default();
        let (mut after, mut oldest) = (None, i32::MAX);
        loop {
            let passed = written(operator, async |tx| {
                let keys = Keychain::of(tx, tx.app(), sealing.purpose).await?;
                let newest = keys.keys.last().map_or(0, |(version, _)| *version);
                let passed = (sealing.pass)(tx, &keys, after).await?;
                Ok((newest, passed))
            });
            let (newest, passed) = passed.await?;
            oldest = oldest.min(newest);
            done.resealed += passed.resealed;
            done.broken += passed.broken;
            match passed.last {
                Some(last) => after = Some(last),
                None => break,
            }
            tokio::time::sleep(PAUSE).await;
        }
        if done.broken == 0 {
            done.retired = written(operator, async |tx| retire(tx, sealing.purpose, oldest).await).await?;
        }
        rotated.resealed += done.resealed;
        rotated.broken += done.broken;
        rotated.retired += done.retired;
    }
    Ok(rotated)
}

/// Puts rows that have one sealed value each under the newest key. `renewed` answers the row with its value sealed anew,
/// `None` where there is nothing to do.
///
/// # Errors
/// If the database fails.
pub(crate) async fn reseal<E: Record>(
    tx: &Tx,
    rows: Vec<E::Model>,
    id: impl Fn(&E::Model) -> Uuid,
    renewed: impl Fn(&E::Model) -> Result<Option<E::Model>, Broken>,
) -> Result<Passed> {
    let mut passed = Passed {
        last: rows.last().map(id),
        ..Passed::default()
    };
    let mut changed = Vec::new();
    for row in rows {
        match renewed(&row) {
            Ok(None) => {}
            Ok(Some(after)) => changed.push((row, after)),
            Err(_) => passed.broken += 1,
        }
    }
    passed.resealed = changed.len() as u64;
    tx.reseal::<E>(changed).await?;
    Ok(passed)
}

/// Gives each purpose that has one key another.
async fn renew(tx: &Tx, sealings: &[Sealing]) -> Result<()> {
    for sealing in sealings {
        let mut chain = Keychain::of(tx, tx.app(), sealing.purpose).await?;
        if chain.keys.len() == 1 {
            chain.renew(tx).await?;
        }
    }
    Ok(())
}

/// Removes the keys of a purpose that are older than each under which the rotation put anything: where two run at once, one
/// may have begun under a key that the other replaces.
async fn retire(tx: &Tx, purpose: Purpose, oldest: i32) -> Result<u64> {
    let rows = tx.select::<Entity>().filter(Column::Purpose.eq(purpose.name()));
    let rows: Vec<Model> = rows.filter(Column::Version.lt(oldest)).all().await?;
    let count = rows.len() as u64;
    for row in rows {
        tx.delete::<Entity>(row).await?;
    }
    Ok(count)
}

/// A part of a rotation as one deed.
async fn written<T: Send + Sync>(operator: &Caller, deed: impl AsyncFn(&Tx) -> Result<T> + Send + Sync) -> Result<T> {
    let deed = async |tx: &Tx| deed(tx).await.map(Part);
    operator
        .act(Action::DataKeyRotate, &Plain, deed)
        .await
        .map(|part| part.0)
}

/// What a part of a rotation answers. Operators give no keys to repeat a deed by.
struct Part<T>(T);

impl<T: Send + Sync> Outcome for Part<T> {
    type Receipt = ();

    fn receipt(&self) {}

    async fn again(_: &Tx, (): ()) -> Result<Self> {
        Err(crate::kernel::Error::internal("a part of a rotation is not repeated"))
    }
}
