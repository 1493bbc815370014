//! The tests, one file an area; read them like the table of features. Each runs on a database of its own.
#![cfg(test)]

mod support;

mod contract;
mod contract_history;
mod contract_item;
mod contract_race;
mod dry_run;
mod idempotency;
mod packaging;
mod readme;
mod restricted;
mod service;
mod service_life;
mod service_list;
mod supply;
mod text;
