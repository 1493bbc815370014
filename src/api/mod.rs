//! The outside of the service: HTTP, GraphQL over HTTP, and the limits that hold before anything is executed.

pub mod account_page;
pub mod answer;
mod aside;
mod backend;
pub mod bearer;
pub(crate) mod client_address;
pub mod codes;
pub mod connection;
pub mod cost;
pub mod cross_origin;
pub mod download;
pub mod errors;
pub mod graphql_http;
pub mod guard;
mod guests;
pub mod health;
pub mod layers;
pub mod mailbox;
pub mod media;
pub mod menu;
pub mod metrics;
pub mod multipart;
pub mod node;
pub mod null_in_place;
pub mod parameters;
pub mod pictures;
pub mod playground;
mod progress;
pub mod schema;
pub mod server;
pub mod session;
mod signature;
pub mod socket;
pub mod standing;
mod traced;
mod written;

#[cfg(test)]
mod tests;
