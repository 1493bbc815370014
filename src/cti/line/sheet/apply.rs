//! What a workbook asks for, done: the same rules as for what is typed, told by rows.

use std::collections::{HashMap, HashSet};

use async_graphql::MaybeUndefined;
use sea_orm::{ColumnTrait, QueryFilter};

use super::{Cell, Column, Fault, MOST_ROWS, Row, SHEETS};
use crate::{
    cti::line::save::{Wish, save},
    kernel::{Code, MemberId, Outcome, Problem, Reader, Result, Tx},
    member,
};

/// The rows that were changed, by their numbers in the sheet; the others were as they are.
#[derive(Debug)]
pub struct Imported(pub HashSet<u32>);

impl Outcome for Imported {
    type Receipt = HashSet<u32>;

    fn receipt(&self) -> HashSet<u32> {
        self.0.clone()
    }

    async fn again(_: &Tx, receipt: HashSet<u32>) -> Result<Self> {
        Ok(Self(receipt))
    }
}

/// Gives agents what the rows say: all of it, or nothing. Whom no row names stays as he is.
///
/// # Errors
/// `CTI_NOT_CONTRACTED`; below `input.file.N`, where N is the row's number in the sheet, as for `ctiAgentUpdateMany`
/// with `login` in the place of `memberId`, and `CELL_NOT_TEXT` or `CELL_FORMULA` at what can't be read.
pub async fn import(tx: &Tx, rows: &[Row]) -> Result<Imported> {
    let members = members(tx, rows).await?;
    let wishes = rows.iter().map(|row| wish(row, &members)).collect();
    let changed = save(tx, wishes).await?.into_iter().filter(|change| change.is_one());
    Ok(Imported(
        changed.filter_map(|change| number_of(change.at.split('.'))).collect(),
    ))
}

/// The number of the row that a path leads to.
pub fn number_of<'p>(mut path: impl Iterator<Item = &'p str>) -> Option<u32> {
    path.nth(2)?.parse().ok()
}

/// What is wrong with a workbook as a whole, in words.
pub fn problem(fault: Fault) -> Problem {
    const AT: &str = "input.file";
    let of = |code, column: Column| {
        let (korean, english) = column.heads();
        Problem::at(AT, code).with_label("column", korean, english)
    };
    match fault {
        Fault::TooLarge => Problem::at(AT, Code::FileTooLarge).with("max", "1 MB"),
        Fault::NotWorkbook => Problem::at(AT, Code::FileNotWorkbook),
        Fault::Damaged => Problem::at(AT, Code::FileDamaged),
        Fault::NoSheet => Problem::at(AT, Code::SheetNotFound).with_label("sheet", SHEETS.0, SHEETS.1),
        Fault::NoColumn(column) => of(Code::ColumnNotFound, column),
        Fault::ColumnTwice(column) => of(Code::ColumnTwice, column),
        Fault::NoRows => Problem::at(AT, Code::Blank),
        Fault::TooManyRows => Problem::at(AT, Code::TooMany).with("max", MOST_ROWS),
    }
}

/// The members whom the rows name, by their login IDs.
async fn members(reader: &Reader, rows: &[Row]) -> Result<HashMap<String, MemberId>> {
    let logins: HashSet<_> = rows.iter().filter_map(|row| login(&row.login)).collect();
    let members = reader
        .select::<member::Entity>()
        .filter(member::Column::Login.is_in(logins))
        .filter(member::Column::Status.eq(member::Status::Active));
    let members = members.all().await?.into_iter();
    Ok(members.map(|member| (member.login, member.id)).collect())
}

/// A login ID as it is looked for: one of digits only may have become a number, and has no zeros to lose that matter.
fn login(cell: &Cell) -> Option<String> {
    match cell {
        // PostgreSQL takes no NUL, in a question neither.
        Cell::Text(text) => Some(text.trim().to_lowercase()).filter(|text| !text.contains('\0')),
        Cell::Number(number) => Some(number.clone()),
        Cell::Empty | Cell::Formula | Cell::Other => None,
    }
}

fn wish(row: &Row, members: &HashMap<String, MemberId>) -> Wish {
    let at = format!("input.file.{}", row.number);
    let mut wrong = Vec::new();
    let mut tell = |column: &str, code| wrong.push(Problem::at(&format!("{at}.{column}"), code));
    match row.login {
        Cell::Empty => tell("login", Code::Blank),
        Cell::Formula => tell("login", Code::CellFormula),
        Cell::Other => tell("login", Code::CellNotText),
        Cell::Text(_) | Cell::Number(_) => {}
    }
    let mut value = |cell: &Cell, column| match cell {
        Cell::Empty => MaybeUndefined::Null,
        Cell::Text(text) => MaybeUndefined::Value(text.clone()),
        Cell::Formula => {
            tell(column, Code::CellFormula);
            MaybeUndefined::Null
        }
        // Excel has made a number of it, and nobody knows how many zeros it had.
        Cell::Number(_) | Cell::Other => {
            tell(column, Code::CellNotText);
            MaybeUndefined::Null
        }
    };
    let (id, number) = (value(&row.cti_id, "ctiId"), value(&row.cti_number, "ctiNumber"));
    let expected_version = match &row.version {
        Cell::Empty => None,
        Cell::Text(text) | Cell::Number(text) => text.trim().parse().ok().or(Some(-1)),
        Cell::Formula | Cell::Other => Some(-1),
    };
    Wish {
        who: "login",
        member: login(&row.login).and_then(|login| members.get(&login).copied()),
        expected_version,
        id,
        number,
        wrong,
        at,
    }
}
