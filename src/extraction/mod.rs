//! 데이터 추출: lists leave as files. Somebody asks for one ([`rules`]); a job reads the list with his eyes, a part at a time, and
//! writes the file ([`run`]); he fetches it by a link that is his alone ([`fetch`]), at most three times in seven days, and then
//! it goes ([`sweep`]). All of it stands in a log ([`step`]), refusals too.
//!
//! Personal data are in clear in a file only with a grant, which is asked when the file is asked for, for each part of it,
//! when it is done and when it is fetched. Where the grant ends in between, the extraction fails and its file is destroyed: a
//! file that is half in clear, or masked though its reason says otherwise, would serve nobody.
//!
//! Which lists there are, `setup.rs` says; `docs/extraction.md` tells how to add one.

mod demand;
mod departure;
mod entity;
mod eyes;
mod fetch;
mod file;
pub mod graphql;
mod log;
mod purge;
mod rules;
mod run;
mod sealing;
mod snapshot;
mod step;
mod sweep;
mod write;

pub use demand::Demand;
pub use departure::depart;
pub use entity::{Column, Entity, Format, Model, Model as Extraction, State};
pub use fetch::{KIND as FILE, fetch as file};
pub use log::SOURCE;
pub use purge::purge;
pub use rules::{Requested, request};
pub use run::{give_up, run};
pub use sealing::SEALING;
pub use step::{Column as StepColumn, Entity as StepEntity, Kind as StepKind, Model as ExtractionStep};
pub use sweep::{EXPIRE, SWEEP, expire, recheck, sweep};
