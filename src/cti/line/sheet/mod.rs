//! CTI IDs and numbers of all agents as a workbook: written with what they have now, and read again with what they are
//! to have.

mod apply;
mod archive;
mod download;
mod read;
#[cfg(test)]
mod tests;
mod write;

use crate::kernel::Language;

pub use apply::{Imported, import, number_of, problem};
pub use archive::LARGEST;
pub use download::{KIND, download};
pub use read::{Cell, Fault, Row, read};
pub use write::{Filled, write};

/// How many agents a workbook has at most.
pub const MOST_ROWS: u32 = 10_000;

/// The columns, in the order in which they are written; they are found by what stands at their heads, in either
/// language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    /// 계정: the login ID, by which the member is found.
    Login,
    /// 이름: to be read by people only.
    Name,
    /// 이메일: to be read by people only.
    Email,
    /// 서비스: to be read by people only.
    Services,
    /// CTI ID.
    CtiId,
    /// CTI NO.
    CtiNumber,
    /// 버전: which version of the agent the row was written from. Empty, nobody asks.
    Version,
}

impl Column {
    /// Every column.
    pub const ALL: [Self; 7] = [
        Self::Login,
        Self::Name,
        Self::Email,
        Self::Services,
        Self::CtiId,
        Self::CtiNumber,
        Self::Version,
    ];

    /// What stands at its head: in Korean, and in English.
    pub fn heads(self) -> (&'static str, &'static str) {
        match self {
            Self::Login => ("계정", "Login ID"),
            Self::Name => ("이름", "Name"),
            Self::Email => ("이메일", "E-mail"),
            Self::Services => ("서비스", "Services"),
            Self::CtiId => ("CTI ID", "CTI ID"),
            Self::CtiNumber => ("CTI 번호", "CTI number"),
            Self::Version => ("버전", "Version"),
        }
    }

    /// What stands at its head, in one language.
    pub fn head(self, language: Language) -> &'static str {
        let (korean, english) = self.heads();
        match language {
            Language::Korean => korean,
            Language::English => english,
        }
    }

    /// Whether a workbook without it can't be read.
    pub fn is_needed(self) -> bool {
        matches!(self, Self::Login | Self::CtiId | Self::CtiNumber)
    }
}

/// What the sheet is called: in Korean, and in English.
pub const SHEETS: (&str, &str) = ("CTI 상담원", "CTI agents");
