//! Pictures that an organization shows: its main logo, its services' banners, the logo of its company information.
//! `read` makes of a file that somebody sent a picture that is safe to show; `rules` keeps it; `holder` says who shows it;
//! `sweep` takes away what nobody shows.

mod entity;
mod file;
pub mod graphql;
mod holder;
mod read;
mod rules;
mod sweep;

pub use entity::{Column, Entity, Model, Model as Picture};
pub use file::{FileName, MediaType};
pub use graphql::Shown;
pub use holder::{Place, chosen, hold, show};
pub use read::{MAX_DECODING_BYTES, MAX_SCANS, MAX_SIDE, Refused, picture};
pub use rules::{MAX_UPLOAD_BYTES, PictureUploadInput, find, upload};
pub use sweep::{KIND, sweep};
