//! The steps of a service's life that its contract takes part in: adding, suspending, resuming, terminating.

use async_graphql::InputObject;
use serde::Serialize;

use super::rules;
use crate::{
    kernel::{Code, Problem, Result, Tx, payload::asks},
    service::{self, Entity, Service, ServiceCreateInput},
};

/// How to suspend a service.
#[derive(Debug, Clone, Serialize, InputObject)]
pub struct ServiceSuspendInput {
    /// Makes a retry safe. 1 to 64 visible ASCII characters.
    pub idempotency_key: Option<String>,
    /// Answers as if it had been done, and changes nothing.
    pub dry_run: Option<bool>,
    /// The `version` last read.
    pub expected_version: i32,
    /// Must be true: a suspended service is charged the same.
    pub acknowledge_charges: bool,
}

/// How to put a service to use again.
#[derive(Debug, Clone, Serialize, InputObject)]
pub struct ServiceResumeInput {
    /// Makes a retry safe. 1 to 64 visible ASCII characters.
    pub idempotency_key: Option<String>,
    /// Answers as if it had been done, and changes nothing.
    pub dry_run: Option<bool>,
    /// The `version` last read.
    pub expected_version: i32,
}

/// How to terminate a service.
#[derive(Debug, Clone, Serialize, InputObject)]
pub struct ServiceTerminateInput {
    /// Makes a retry safe. 1 to 64 visible ASCII characters.
    pub idempotency_key: Option<String>,
    /// Answers as if it had been done, and changes nothing.
    pub dry_run: Option<bool>,
    /// The `version` last read.
    pub expected_version: i32,
}

asks!(ServiceSuspendInput, ServiceResumeInput, ServiceTerminateInput);

/// `serviceCreate`: the service and the draft of its contract.
///
/// # Errors
/// As the input says.
pub async fn add(tx: &Tx, input: &ServiceCreateInput) -> Result<Service> {
    let service = service::create(tx, input).await?;
    rules::open(tx, &service).await?;
    Ok(service)
}

/// `serviceSuspend`.
///
/// # Errors
/// `ACKNOWLEDGEMENT_REQUIRED`, and as for [`service::suspend`].
pub async fn suspend(tx: &Tx, id: &str, input: &ServiceSuspendInput) -> Result<Service> {
    let service = tx.find_current::<Entity>(id, input.expected_version).await?;
    if !input.acknowledge_charges {
        return Err(Problem::at("input.acknowledgeCharges", Code::AcknowledgementRequired).into());
    }
    service::suspend(tx, service).await
}

/// `serviceResume`.
///
/// # Errors
/// As for [`service::resume`].
pub async fn resume(tx: &Tx, id: &str, input: &ServiceResumeInput) -> Result<Service> {
    let service = tx.find_current::<Entity>(id, input.expected_version).await?;
    service::resume(tx, service).await
}

/// `serviceTerminate`: ends a suspended service with its contract, or discards a service whose contract was never
/// completed.
///
/// # Errors
/// As for [`service::end`].
pub async fn terminate(tx: &Tx, id: &str, input: &ServiceTerminateInput) -> Result<Service> {
    let service = tx.find_current::<Entity>(id, input.expected_version).await?;
    let contract = rules::of_service(tx, &service).await?;
    let ended = service::end(tx, service).await?;
    rules::close(tx, contract).await?;
    tx.about::<Entity>(&ended);
    Ok(ended)
}
