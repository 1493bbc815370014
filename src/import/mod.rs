//! 데이터 이관: old consultations, brought as tickets from a file. The template is made of what the service's fields are now
//! ([`template`]); a file that comes back is looked through by a process of its own ([`sheet`], [`check`]); once somebody
//! has agreed to the cautions it waits for 01:00 of the next day, and can be given up until then ([`rules`]).
//!
//! `docs/imports.md` says what is taken, and what Excel's ways with values come to.

mod annotate;
mod check;
mod column;
mod entity;
mod file;
pub mod graphql;
mod ground;
mod outdated;
mod plan;
mod rules;
mod run;
pub mod sheet;
mod sweep;
mod template;

pub use annotate::{KIND as ANNOTATED_FILE, download as annotated_file};
pub use check::{KIND as CHECK, run as check};
pub use entity::{Column, Entity, Model, Model as Import, Policy, State};
pub use rules::{ImportConfirmInput, ImportDeleteInput, ImportUploadInput, night};
pub use sweep::{FORGET, SWEEP, forget, sweep};
pub use template::{KIND as TEMPLATE_FILE, download as template_file};
