//! What somebody asks for who wants a list as a file.

use async_graphql::{InputObject, InputType as _};
use serde::{Serialize, Serializer};

use super::{entity::Format, graphql::ExtractionList};
use crate::kernel::{Ask, Code, Problem};

/// How long a reason is, in characters.
const REASON: std::ops::RangeInclusive<usize> = 10..=200;
/// How long a file's password is, in characters.
const PASSWORD: std::ops::RangeInclusive<usize> = 8..=64;
/// Which list is to leave, and how.
#[derive(InputObject)]
#[graphql(name = "ExtractionRequestInput")]
pub struct Demand {
    /// Makes a retry safe. 1 to 64 visible ASCII characters.
    pub idempotency_key: Option<String>,
    /// Answers as if it had been done, and changes nothing.
    pub dry_run: Option<bool>,
    /// Which list, narrowed as its query is: exactly one.
    pub list: ExtractionList,
    /// The codes of the columns, in the order of the file, at most 200; all of them where absent. `extractionColumns` has them.
    pub columns: Option<Vec<String>>,
    /// Whether personal data are to be in clear, which needs a grant and a reason; masked where absent.
    pub is_unmasked: Option<bool>,
    /// 사유: what for, 10 to 200 characters; obligatory where personal data are in clear.
    pub reason: Option<String>,
    /// 파일 형식; `XLSX` where absent.
    pub format: Option<Format>,
    /// 파일 비밀번호: 8 to 64 characters; the file is an archive then (ZIP, AES-256) that opens with it only. It is not kept: nobody can tell it again.
    pub password: Option<String>,
}

impl std::fmt::Debug for Demand {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Demand")
            .field("columns", &self.columns)
            .finish_non_exhaustive()
    }
}

impl Serialize for Demand {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        self.to_value().serialize(serializer)
    }
}

impl Ask for Demand {
    fn idempotency_key(&self) -> Option<&str> {
        self.idempotency_key.as_deref()
    }

    fn is_dry_run(&self) -> bool {
        self.dry_run.unwrap_or(false)
    }
}

/// What is wrong with it, whatever the list.
pub(super) fn check(input: &Demand) -> Vec<Problem> {
    const AT: &str = "input.reason";
    let mut problems = Vec::new();
    match reason(input) {
        None if input.is_unmasked == Some(true) => problems.push(Problem::at(AT, Code::ReasonRequired)),
        None => {}
        Some(reason) => match reason.chars().count() {
            length if length < *REASON.start() => {
                problems.push(Problem::at(AT, Code::TooShort).with("min", REASON.start()));
            }
            length if length > *REASON.end() => {
                problems.push(Problem::at(AT, Code::TooLong).with("max", REASON.end()));
            }
            _ if reason.chars().any(char::is_control) => {
                problems.push(Problem::at(AT, Code::Invalid).with("rule", "control characters"));
            }
            _ => {}
        },
    }
    const PASSWORD_AT: &str = "input.password";
    match input.password.as_ref().map(|password| password.chars().count()) {
        Some(length) if length < *PASSWORD.start() => {
            problems.push(Problem::at(PASSWORD_AT, Code::TooShort).with("min", PASSWORD.start()));
        }
        Some(length) if length > *PASSWORD.end() => {
            problems.push(Problem::at(PASSWORD_AT, Code::TooLong).with("max", PASSWORD.end()));
        }
        _ => {}
    }
    problems
}

/// What for, where that is said.
pub(super) fn reason(input: &Demand) -> Option<&str> {
    input
        .reason
        .as_deref()
        .map(str::trim)
        .filter(|reason| !reason.is_empty())
}
