//! The tests, one file an area; read them like the table of features. Each runs on a database of its own.
#![cfg(test)]

mod support;

mod billing_property;
mod charge;
mod contract;
mod job;
mod month_close;
mod packaging;
mod quote;
mod readme;
mod restricted;
mod supply;
mod usage;
