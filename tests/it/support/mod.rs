//! What tests lean on.

pub mod account;
pub mod app;
pub mod authenticator;
pub mod blocks;
pub mod cluster;
pub mod database;
pub mod deed;
pub mod dump;
pub mod hostile;
pub mod invite;
pub mod ledger;
pub mod letters;
pub mod mail_server;
pub mod make;
pub mod people;
pub mod phone;
pub mod provider;
pub mod raw;
pub mod running;
pub mod sink;
pub mod skip;
pub mod staff;
pub mod surface;
pub mod terminal;
pub mod webdriver;
pub mod workbook;
