//! Charges in lists: what is written of them past the executor.

use super::graphql::{Charge, ChargeLine, charge_id};
use crate::kernel::at_hand::{
    Asked, AtHand, Way, choice, choice_or_null, list, made_text, object, scalar, scalar_or_null,
};

impl AtHand for ChargeLine {
    fn write(field: &str, asked: &Asked<'_>) -> Option<Way<Self>> {
        match field {
            "kind" => choice(|line: &Self| line.kind),
            "itemCode" => choice_or_null(|line: &Self| line.item),
            "seatCount" => scalar_or_null(|line: &Self| line.seats.as_ref()),
            "dayCount" => scalar_or_null(|line: &Self| line.days.as_ref()),
            "usedCount" => scalar_or_null(|line: &Self| line.used.as_ref()),
            "freeCount" => scalar_or_null(|line: &Self| line.free.as_ref()),
            "chargedCount" => scalar_or_null(|line: &Self| line.charged.as_ref()),
            "corrects" => scalar_or_null(|line: &Self| line.corrects.as_ref()),
            "amount" => object(asked, |line: &Self| &line.amount),
            "label" => {
                let language = asked.caller().language();
                made_text(move |line: &Self| line.label_in(language))
            }
            _ => None,
        }
    }
}

impl AtHand for Charge {
    fn write(field: &str, asked: &Asked<'_>) -> Option<Way<Self>> {
        match field {
            "id" => made_text(|charge: &Self| charge_id(charge.service_id, charge.month)),
            "month" => scalar(|charge: &Self| &charge.month),
            "status" => choice(|charge: &Self| charge.status),
            "closedAt" => scalar_or_null(|charge: &Self| charge.closed_at.as_ref()),
            "lines" => list(asked, |charge: &Self| &charge.sums.lines),
            "subtotal" => object(asked, |charge: &Self| &charge.sums.subtotal),
            "discount" => object(asked, |charge: &Self| &charge.sums.discount),
            "supply" => object(asked, |charge: &Self| &charge.sums.supply),
            "vat" => object(asked, |charge: &Self| &charge.sums.vat),
            "total" => object(asked, |charge: &Self| &charge.sums.total),
            _ => None,
        }
    }
}
