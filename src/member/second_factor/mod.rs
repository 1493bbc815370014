//! The second factor of a member: the secret of his authenticator, sealed, good once he has proved it; and what a code is
//! worth that somebody gives.
#![expect(
    missing_docs,
    reason = "columns that the API does not show say by their names what they are"
)]

pub(super) mod rules;
mod totp;

use futures_util::future::FutureExt as _;
use sea_orm::{QueryFilter, QueryOrder, QuerySelect, entity::prelude::*};
use serde::Serialize;
use zeroize::Zeroizing;

use super::{Member, recovery_code};
use crate::{
    kernel::{
        App, Code, Error, MemberId, OrganizationId, Reader, Result, Timestamp, Tx,
        record::part,
        seal::{Cell, Keychain, Passed, Purpose, ROWS, Sealed, Sealing, reseal},
    },
    organization::Organization,
};

pub(super) use totp::base32;

/// The longest text that is looked at as a code, in bytes.
const LONGEST: usize = 100;

/// A second factor; one that is not activated is not asked for.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize)]
#[sea_orm(table_name = "second_factor")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub member_id: MemberId,
    pub secret: Sealed,
    pub enrolled_at: Timestamp,
    pub activated_at: Option<Timestamp>,
    pub last_step: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

part! { "second factor", key: |row| row.member_id.to_string() }

/// The second factor of a member, activated or not.
///
/// # Errors
/// Only if the database fails.
pub(super) async fn of(reader: &Reader, member: MemberId) -> Result<Option<Model>> {
    reader
        .select::<Entity>()
        .filter(Column::MemberId.eq(member))
        .one()
        .await
}

/// The second factor that a member uses.
///
/// # Errors
/// Only if the database fails.
pub(super) async fn active(reader: &Reader, member: MemberId) -> Result<Option<Model>> {
    Ok(of(reader, member).await?.filter(|factor| factor.activated_at.is_some()))
}

/// Whether the member has to have a second factor: everybody has to, or he is one of those who have to, or his password is
/// good beside one only.
///
/// # Errors
/// Only if the database fails.
pub(super) async fn is_demanded(
    reader: &Reader,
    app: &App,
    organization: &Organization,
    member: &Member,
) -> Result<bool> {
    if organization.requires_second_factor || member.has_short_password {
        return Ok(true);
    }
    if organization.requires_second_factor_for_pii {
        for demands in app.demands {
            if demands(reader, member.id).await? {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Asks for a code where the member uses a second factor, and uses it up: `None` where he may go on, else why not. The
/// organization's turn is held, so that of many who come with one code one goes on.
///
/// # Errors
/// Only if the database fails, or the secret can't be opened.
pub(super) async fn ask(tx: &Tx, member: MemberId, code: Option<&str>) -> Result<Option<Code>> {
    let Some(factor) = active(tx, member).await? else {
        return Ok(None);
    };
    match code.filter(|code| !code.trim().is_empty()) {
        None => Ok(Some(Code::SecondFactorRequired)),
        Some(code) if accepts(tx, factor, code).await? => Ok(None),
        Some(_) => Ok(Some(Code::SecondFactorRefused)),
    }
}

/// Whether this is a code of the authenticator that was not used before, or an unused recovery code. It is used now.
async fn accepts(tx: &Tx, factor: Model, code: &str) -> Result<bool> {
    let Some(code) = plain(code) else { return Ok(false) };
    if code.len() != totp::DIGITS {
        return recovery_code::use_up(tx, factor.member_id, &code).await;
    }
    accepts_step(tx, factor, &code, |_, _| {}).await
}

/// The same for a code of the authenticator alone; `more` is what else changes if it is right.
async fn accepts_step(tx: &Tx, factor: Model, code: &str, more: impl FnOnce(&mut Model, Timestamp)) -> Result<bool> {
    let (secret, now) = (open(tx, &factor).await?, tx.now());
    let Some(step) = totp::step_of(&secret, code, now, factor.last_step) else {
        return Ok(false);
    };
    tx.update::<Entity>(factor, |row| {
        row.last_step = step;
        more(row, now);
    })
    .await?;
    Ok(true)
}

/// A code as it is compared: people type spaces, hyphens and big letters.
fn plain(code: &str) -> Option<String> {
    let letters = code.chars().filter(|letter| !letter.is_whitespace() && *letter != '-');
    (code.len() <= LONGEST).then(|| letters.collect::<String>().to_lowercase())
}

async fn seal(tx: &Tx, member: MemberId, secret: &[u8]) -> Result<Sealed> {
    let keys = Keychain::for_sealing(tx, Purpose::SecondFactor).await?;
    keys.seal(&tx.app().random, &cell(&member), secret)
}

async fn open(tx: &Tx, factor: &Model) -> Result<Zeroizing<Vec<u8>>> {
    let keys = Keychain::of(tx, tx.app(), Purpose::SecondFactor).await?;
    keys.open(&cell(&factor.member_id), &factor.secret)
        .map_err(Error::internal)
}

/// Where a secret stands, so that it can't be moved to another member's row.
fn cell(member: &MemberId) -> Cell<'_> {
    Cell {
        table: "second_factor",
        column: "secret",
        row: member.0.as_bytes(),
    }
}

/// The secrets of authenticators, for whoever replaces their keys.
pub const SEALING: Sealing = Sealing {
    purpose: Purpose::SecondFactor,
    pass: |tx, keys, after| pass(tx, keys, after).boxed(),
};

async fn pass(tx: &Tx, keys: &Keychain, after: Option<Uuid>) -> Result<Passed> {
    let after = Column::MemberId.gt(MemberId(after.unwrap_or_default()));
    let rows = tx.select::<Entity>().filter(after).order_by_asc(Column::MemberId);
    let rows = rows.limit(ROWS).all().await?;
    let renewed = |row: &Model| {
        let sealed = keys.renewed(&tx.app().random, &cell(&row.member_id), &row.secret)?;
        Ok(sealed.map(|secret| Model { secret, ..row.clone() }))
    };
    reseal::<Entity>(tx, rows, |row| row.member_id.0, renewed).await
}
