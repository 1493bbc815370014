//! Contracts in lists of services: what is written of them past the executor.

use super::{ContractItem, Model, labelled};
use crate::{
    billing::graphql::ById,
    kernel::{
        Action,
        at_hand::{Asked, AtHand, Way, choice, made_list, plain, reference, scalar, scalar_or_null, text},
    },
};

impl AtHand for ContractItem {
    fn write(field: &str, _: &Asked<'_>) -> Option<Way<Self>> {
        match field {
            "code" => choice(|item: &Self| item.code),
            "label" => text(|item: &Self| &item.label),
            "isOn" => plain(|item: &Self| item.is_on),
            "userCount" => plain(|item: &Self| item.user_count),
            "expectedVolume" => plain(|item: &Self| item.expected_volume),
            _ => None,
        }
    }
}

impl AtHand for Model {
    fn write(field: &str, asked: &Asked<'_>) -> Option<Way<Self>> {
        match field {
            "id" => plain(|contract: &Self| contract.id),
            "status" => choice(|contract: &Self| contract.status),
            "items" => {
                let language = asked.caller().language();
                made_list(asked, move |contract: &Self| labelled(language, &contract.items.0))
            }
            "discountPercent" => plain(|contract: &Self| contract.discount_percent),
            "freeTrialFromDate" => scalar_or_null(|contract: &Self| contract.trial_from.as_ref()),
            "freeTrialToDate" => scalar_or_null(|contract: &Self| contract.trial_to.as_ref()),
            "startedOn" => scalar_or_null(|contract: &Self| contract.started_on.as_ref()),
            "endedOn" => scalar_or_null(|contract: &Self| contract.ended_on.as_ref()),
            "signedAt" => scalar_or_null(|contract: &Self| contract.signed_at.as_ref()),
            "editedOn" => scalar_or_null(|contract: &Self| contract.edited_on.as_ref()),
            "createdAt" => scalar(|contract: &Self| &contract.created_at),
            "version" => plain(|contract: &Self| contract.version),
            "service" => reference(asked, Action::ServiceRead, |contract: &Self| ById(contract.service_id)),
            _ => None,
        }
    }
}
