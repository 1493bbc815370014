//! The tests, one file an area; read them like the table of features. Each runs on a database of its own.
#![cfg(test)]

mod support;

mod architecture;
mod audit;
mod billing_property;
mod charge;
mod contract;
mod contract_history;
mod contract_item;
mod contract_race;
mod cross_origin;
mod doors;
mod dry_run;
mod idempotency;
mod job;
mod limits;
mod message;
mod migration;
mod month_close;
mod node;
mod operating;
mod operations;
mod organization;
mod packaging;
mod page;
mod permission_log;
mod permission_log_plan;
mod permission_log_seal;
mod playground;
mod process;
mod quote;
mod readme;
mod restricted;
mod schema;
mod seal;
mod service;
mod service_life;
mod service_list;
mod session;
mod statements;
mod supply;
mod tenancy;
mod text;
mod token;
mod usage;
