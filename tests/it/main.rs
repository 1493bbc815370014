//! The tests, one file an area; read them like the table of features. Each runs on a database of its own.
#![cfg(test)]

mod support;

mod audit;
mod contract;
mod doors;
mod operating;
mod organization;
mod packaging;
mod readme;
mod restricted;
mod session;
mod supply;
mod tenancy;
mod token;
