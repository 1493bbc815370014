//! Whole workbooks of CTI agents, taken in: a result for each row, whatever comes of all of them.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use async_graphql::{Enum, InputObject, SimpleObject};
use serde::Serialize;

use super::CtiUserError;
use crate::{
    cti::line::sheet::{self, Cell, Fault, Imported, Row},
    kernel::{
        Action, Caller, Problem, Result, Tx, Upload,
        payload::{asks, settle},
    },
};

/// The most problems that are told of the file as a whole; each row tells its own.
const MOST_TOLD: usize = 100;

/// What came of a row.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Enum)]
pub enum CtiAgentImportOutcome {
    /// The agent got, or lost, what the row says; with `dryRun`, he would.
    Changed,
    /// The agent has what the row says already.
    Unchanged,
    /// The row can't be saved: `userErrors`.
    Refused,
    /// The row could be saved. Nothing was, since others can't.
    HeldBack,
}

/// What came of a row of a workbook.
#[derive(Debug, SimpleObject)]
pub struct CtiAgentImportRow {
    /// Its number in the sheet.
    pub number: i32,
    /// 계정: what stands there; null where that is nothing that can be read.
    pub login: Option<String>,
    /// CTI ID: what stands there; null where that is nothing that can be read.
    pub cti_id: Option<String>,
    /// CTI NO: what stands there; null where that is nothing that can be read.
    pub cti_number: Option<String>,
    /// What came of it.
    pub outcome: CtiAgentImportOutcome,
    /// Why it can't be saved, at most 10; empty where it can.
    pub user_errors: Vec<CtiUserError>,
}

/// A workbook of CTI agents: all of it is saved, or nothing.
#[derive(Debug, Serialize, InputObject)]
pub struct CtiAgentImportInput {
    /// Makes a retry safe. 1 to 64 visible ASCII characters.
    pub idempotency_key: Option<String>,
    /// Answers as if it had been done, and changes nothing: the result of each row, before it is saved.
    pub dry_run: Option<bool>,
    /// A workbook such as `ctiAgentSheet` leads to, with the columns 계정, CTI ID and CTI 번호 in its sheet "CTI 상담원" or "CTI agents": at most 1 MB, 10,000 rows and 32 MB unpacked, without macros and password. Every cell is text: a number may have lost zeros in front, and is refused. Where both CTI columns are empty, what the agent holds is taken back; whom no row names stays as he is.
    pub file: Upload,
}

asks!(CtiAgentImportInput);

/// Takes a workbook in. Answers its rows, and what is wrong with it.
///
/// # Errors
/// What no person can mend.
pub(super) async fn import(
    caller: &Arc<Caller>,
    input: &CtiAgentImportInput,
) -> Result<(Vec<CtiAgentImportRow>, Vec<CtiUserError>)> {
    // Only who may change anything has the server read a file of his.
    let rows = match input.file.content("input.file", sheet::LARGEST) {
        _ if !caller.may(Action::CtiAgentImport) => Ok(Vec::new()),
        Err(_) => Err(Fault::TooLarge),
        Ok(content) => {
            let content = content.clone();
            // A file that the reader stumbles over is a broken one.
            let read = tokio::task::spawn_blocking(move || sheet::read(&content)).await;
            read.unwrap_or(Err(Fault::Damaged))
        }
    };
    let deed = async |tx: &Tx| match &rows {
        Ok(rows) => sheet::import(tx, rows).await,
        Err(fault) => Err(sheet::problem(*fault).into()),
    };
    let (done, problems) = settle(caller.act(Action::CtiAgentImport, input, deed).await)?;
    let told = told(&rows.unwrap_or_default(), done.as_ref(), &problems)?;
    let first = problems.into_iter().take(MOST_TOLD).collect();
    Ok((told, CtiUserError::all(first)?))
}

fn told(rows: &[Row], done: Option<&Imported>, problems: &[Problem]) -> Result<Vec<CtiAgentImportRow>> {
    let mut of_rows = HashMap::<u32, Vec<Problem>>::new();
    for problem in problems {
        let path = problem.field.iter().flatten().map(String::as_str);
        if let Some(number) = sheet::number_of(path) {
            of_rows.entry(number).or_default().push(problem.clone());
        }
    }
    let nothing = HashSet::new();
    let changed = done.map_or(&nothing, |done| &done.0);
    let row = |row: &Row| {
        let wrong = of_rows.remove(&row.number).unwrap_or_default();
        Ok(CtiAgentImportRow {
            number: i32::try_from(row.number).unwrap_or(i32::MAX),
            login: shown(&row.login),
            cti_id: shown(&row.cti_id),
            cti_number: shown(&row.cti_number),
            outcome: match done {
                _ if !wrong.is_empty() => CtiAgentImportOutcome::Refused,
                None => CtiAgentImportOutcome::HeldBack,
                Some(_) if changed.contains(&row.number) => CtiAgentImportOutcome::Changed,
                Some(_) => CtiAgentImportOutcome::Unchanged,
            },
            user_errors: CtiUserError::all(wrong)?,
        })
    };
    rows.iter().map(row).collect()
}

fn shown(cell: &Cell) -> Option<String> {
    match cell {
        Cell::Text(text) | Cell::Number(text) => Some(text.clone()),
        Cell::Empty | Cell::Formula | Cell::Other => None,
    }
}
