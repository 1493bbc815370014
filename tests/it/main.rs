//! The tests, one file an area; read them like the table of features. Each runs on a database of its own.
#![cfg(test)]

mod support;

mod contract;
mod limits;
mod message;
mod node;
mod operations;
mod packaging;
mod page;
mod playground;
mod readme;
mod restricted;
mod schema;
mod seal;
mod statements;
mod supply;
