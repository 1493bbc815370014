//! The tests, one file an area; read them like the table of features. Each runs on a database of its own.
#![cfg(test)]

mod support;

mod contract;
mod cross_origin;
mod packaging;
mod process;
mod readme;
mod restricted;
mod supply;
