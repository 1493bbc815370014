//! Orgdesk: the organization-wide administration of a contact-center SaaS, as one GraphQL service.
pub mod api;
pub mod command;
pub mod kernel;
pub mod operate;
pub mod serve;
pub mod setup;
pub mod worker;

mod admin;
mod agent;
mod audit;
mod billing;
mod contract;
mod member;
mod organization;
mod service;
