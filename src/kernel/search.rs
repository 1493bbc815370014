//! Searching: what a person types is looked for as it stands, whatever the case, anywhere in a text.

use sea_orm::{
    Condition,
    sea_query::{Expr, ExprTrait, LikeExpr},
};

use super::{Error, Result};

/// The longest text that is searched for, in characters.
const LONGEST: usize = 100;

/// Any of the columns contains the text. The columns hold small letters; an empty text is in all of them.
///
/// # Errors
/// `BAD_USER_INPUT` for more than 100 characters, and for a NUL, which PostgreSQL does not take.
pub fn contains(columns: impl IntoIterator<Item = Expr>, text: &str) -> Result<Condition> {
    if text.chars().count() > LONGEST {
        return Err(Error::BadInput("A text to search for has at most 100 characters.".into()));
    }
    if text.contains('\0') {
        return Err(Error::BadInput("A text has no NUL in it.".into()));
    }
    let pattern = text
        .to_lowercase()
        .replace('\\', "\\\\")
        .replace('%', "\\%")
        .replace('_', "\\_");
    let like = |column: Expr| column.like(LikeExpr::new(format!("%{pattern}%")).escape('\\'));
    Ok(columns.into_iter().map(like).fold(Condition::any(), Condition::add))
}
