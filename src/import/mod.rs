//! 데이터 이관: old consultations, brought as tickets from a file. The template is made of what the service's fields are now
//! ([`template`]); a file that comes back is looked through by a process of its own ([`sheet`], [`check`]); once somebody
//! has agreed to the cautions it waits for 01:00 of the next day, and can be given up until then ([`rules`]). In its night
//! its rows become tickets, part by part ([`run`]); a letter and a file tell what came of them ([`report`]).
//!
//! `docs/imports.md` says what is taken, and what Excel's ways with values come to.

mod annotate;
mod cell;
mod check;
mod column;
mod entity;
mod file;
pub mod graphql;
mod ground;
mod letter;
mod outdated;
mod plan;
mod report;
mod rules;
mod run;
mod sealing;
pub mod sheet;
mod sweep;
mod template;
mod undo;

pub use annotate::{KIND as ANNOTATED_FILE, download as annotated_file};
pub use check::{KIND as CHECK, give_up as give_up_check, run as check};
pub use column::columns;
pub use entity::{Column, Entity, Model, Model as Import, Policy, State};
pub use letter::{KIND as LETTER, send as send_letter};
pub use report::{KIND as REPORT_FILE, download as report_file};
pub use rules::{ImportConfirmInput, ImportDeleteInput, ImportUndoInput, ImportUploadInput, night, upload};
pub use run::{KIND as RUN, goes_on, run};
pub use sealing::SEALING;
pub use sweep::{FORGET, SWEEP, forget, sweep};
pub use template::{KIND as TEMPLATE_FILE, Template, download as template_file};
pub use undo::{KIND as UNDO, run as undo};
