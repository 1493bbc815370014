//! How members are found: by parts of name, login ID and e-mail address, and by their IDs for many at once.

use std::collections::HashMap;

use async_graphql::{InputObject, dataloader::Loader};
use sea_orm::{
    ColumnTrait, QueryFilter,
    sea_query::{Condition, Expr, ExprTrait, Func, LikeExpr},
};

use super::entity::{Column, Entity, Model, Status};
use crate::kernel::{Batch, Error, MemberId, Reader, Result, reader::Scoped};

/// The longest text to search by, in characters.
const LONGEST: usize = 100;

/// Which members: name, login ID, e-mail address, at least one of them; conditions are joined by *and*.
#[derive(Debug, Clone, Default, InputObject)]
#[graphql(name = "MemberSearchInput")]
pub struct MemberSearch {
    /// 이름: the name contains this, whatever the case; at most 100 characters.
    pub name: Option<String>,
    /// 계정: the login ID contains this, whatever the case; at most 100 characters.
    pub login: Option<String>,
    /// The e-mail address contains this, whatever the case; at most 100 characters. For a manager it must be the whole address.
    pub email: Option<String>,
    /// Any of these states, at most 2; `ACTIVE` where absent. Members who have left are for those with `ORGANIZATION_READ`.
    pub status: Option<Vec<Status>>,
}

impl MemberSearch {
    /// The states that are searched.
    pub fn states(&self) -> &[Status] {
        self.status.as_deref().unwrap_or(&[Status::Active])
    }
}

/// Narrows a selection to what is searched.
///
/// # Errors
/// `BAD_USER_INPUT` where nothing is searched by, a text is too long or has a NUL in it, or there are too many states.
pub fn narrowed<'r>(
    select: Scoped<'r, Entity>,
    search: &MemberSearch,
    sees_addresses: bool,
) -> Result<Scoped<'r, Entity>> {
    let named = matching([&search.name, &search.login, &search.email], sees_addresses)?;
    if named.is_empty() {
        return Err(Error::BadInput(
            "Search by `name`, `login` or `email`: at least one.".into(),
        ));
    }
    if search.states().len() > 2 {
        return Err(Error::BadInput("`status` has at most 2 values.".into()));
    }
    let states = Column::Status.is_in(search.states().iter().copied());
    Ok(select.filter(states).filter(named))
}

/// Members whose name, login ID and e-mail address contain these texts; empty where there is none. Who may not see
/// addresses must know one to find its member, so that nobody can spell one out letter by letter.
///
/// # Errors
/// `BAD_USER_INPUT` where a text is too long or has a NUL in it.
pub fn matching(texts: [&Option<String>; 3], sees_addresses: bool) -> Result<Condition> {
    let [name, login, email] = texts.map(text);
    let mut all = Condition::all();
    if let Some(name) = name? {
        all = all.add(Expr::col((Entity, Column::NameKey)).like(containing(&name)));
    }
    if let Some(login) = login? {
        all = all.add(Expr::col((Entity, Column::Login)).like(containing(&login)));
    }
    if let Some(email) = email? {
        let address = Expr::expr(Func::lower(Expr::col((Entity, Column::Email))));
        all = all.add(if sees_addresses {
            address.like(containing(&email))
        } else {
            address.eq(email)
        });
    }
    Ok(all)
}

/// The text of a search in small letters; `None` where there is nothing but space.
pub(super) fn text(given: &Option<String>) -> Result<Option<String>> {
    let Some(text) = given.as_deref().map(str::trim).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    if text.chars().count() > LONGEST {
        return Err(Error::BadInput(format!(
            "A text to search by has at most {LONGEST} characters."
        )));
    }
    if text.contains('\0') {
        return Err(Error::BadInput("A text has no NUL in it.".into()));
    }
    Ok(Some(text.to_lowercase()))
}

/// A pattern in which no sign of the text means anything but itself.
pub fn containing(text: &str) -> LikeExpr {
    let text = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    LikeExpr::new(format!("%{text}%")).escape('\\')
}

/// The member of an e-mail address, whatever its case, unless he has left.
///
/// # Errors
/// Only if the database fails.
pub async fn find_by_email(reader: &Reader, email: &str) -> Result<Option<Model>> {
    let lower = |address: Expr| Expr::expr(Func::lower(address));
    let same = lower(Expr::col(Column::Email)).eq(lower(Expr::val(email)));
    let active = Column::Status.eq(Status::Active);
    reader.select::<Entity>().filter(same).filter(active).one().await
}

/// The question for a member by his ID, which a list asks for all of its rows at once.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ById(pub MemberId);

impl Loader<ById> for Batch {
    type Value = Model;
    type Error = String;

    async fn load(&self, keys: &[ById]) -> std::result::Result<HashMap<ById, Model>, String> {
        let ids = keys.iter().map(|key| key.0);
        let rows = self.select::<Entity>().among(Column::Id, ids).all().await;
        let rows = rows.map_err(|error| format!("{error:?}"))?;
        Ok(rows.into_iter().map(|row| (ById(row.id), row)).collect())
    }
}
