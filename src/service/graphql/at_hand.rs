//! Services in lists: what is written of them past the executor.

use std::sync::Arc;

use super::{ContractButton, Model, ServiceLanguage, Status};
use crate::{
    billing::graphql::charges_of,
    contract::graphql::OfService,
    kernel::{
        Action, Caller,
        at_hand::{
            Asked, AtHand, Way, choice, choice_or_null, fetched, made_list, plain, reference, scalar, scalar_or_null,
            text,
        },
    },
};

impl AtHand for ServiceLanguage {
    fn write(field: &str, _: &Asked<'_>) -> Option<Way<Self>> {
        match field {
            "code" => text(|language: &Self| &language.code),
            "isMain" => plain(|language: &Self| language.is_main),
            _ => None,
        }
    }
}

impl AtHand for Model {
    fn write(field: &str, asked: &Asked<'_>) -> Option<Way<Self>> {
        match field {
            "id" => plain(|service: &Self| service.id),
            "code" => text(|service: &Self| &service.code),
            "kind" => choice(|service: &Self| service.kind),
            "name" => text(|service: &Self| &service.name),
            "languages" => made_list(asked, Self::made_languages),
            "timeZone" => text(|service: &Self| &service.time_zone),
            "editorType" => choice_or_null(|service: &Self| service.editor_type),
            "status" => choice(|service: &Self| service.status),
            "createdAt" => scalar(|service: &Self| &service.created_at),
            "suspendedAt" => scalar_or_null(|service: &Self| service.suspended_at.as_ref()),
            "terminatedAt" => scalar_or_null(|service: &Self| service.terminated_at.as_ref()),
            "version" => plain(|service: &Self| service.version),
            "contractButton" => choice_or_null(Self::made_contract_button),
            "contract" => reference(asked, Action::ContractRead, |service: &Self| OfService(service.id)),
            _ => None,
        }
    }

    fn write_with(field: &str, asked: &Asked<'_>) -> Option<Way<Self>> {
        match field {
            "charges" => {
                let span = (asked.argument("from")?, asked.argument("to")?);
                let charges =
                    move |caller: Arc<Caller>, service| async move { charges_of(&caller, service, span).await };
                fetched(asked, |service: &Self| service.id, charges)
            }
            _ => None,
        }
    }
}

impl Model {
    pub(super) fn made_languages(&self) -> Vec<ServiceLanguage> {
        let codes = self.languages.0.iter().enumerate();
        codes
            .map(|(place, code)| ServiceLanguage {
                code: code.clone(),
                is_main: place == 0,
            })
            .collect()
    }

    pub(super) fn made_contract_button(&self) -> Option<ContractButton> {
        match self.status {
            Status::NotInUse => Some(ContractButton::Register),
            Status::InUse | Status::Suspended => Some(ContractButton::Edit),
            Status::Terminated => None,
        }
    }
}
