//! What the demo's services ask for beyond what every service does.

use crate::{
    field::{self, FieldAddInput, FieldType, Text, Visibility},
    kernel::{Action, Caller, PersonalKind, Result},
    service::Service,
};

/// A field: its code, its type, what it is called in Korean and in English, its length, what it offers, what kind of
/// personal data it holds, and who sees it.
type Plan = (
    &'static str,
    FieldType,
    (&'static str, &'static str),
    i32,
    &'static [&'static str],
    Option<PersonalKind>,
    Visibility,
);

/// The fields of each service, by the order in which the services are.
const PLANS: [&[Plan]; 3] = [
    &[
        (
            "orderNumber",
            FieldType::Text,
            ("주문번호", "Order number"),
            30,
            &[],
            None,
            Visibility::Customers,
        ),
        (
            "product",
            FieldType::Dropdown,
            ("상품", "Product"),
            0,
            &["정수기", "공기청정기", "비데", "기타"],
            None,
            Visibility::Customers,
        ),
        (
            "address",
            FieldType::Text,
            ("방문 주소", "Address"),
            200,
            &[],
            Some(PersonalKind::Address),
            Visibility::Customers,
        ),
        (
            "visit",
            FieldType::DatetimePeriod,
            ("방문 희망 시간", "Time of visit"),
            0,
            &[],
            None,
            Visibility::Customers,
        ),
        (
            "engineerNote",
            FieldType::Textarea,
            ("기사 전달 사항", "Note to the engineer"),
            1_000,
            &[],
            None,
            Visibility::Agents,
        ),
        (
            "complaintGrade",
            FieldType::Radio,
            ("불만 등급", "Grade of complaint"),
            0,
            &["상", "중", "하"],
            None,
            Visibility::Managers,
        ),
    ],
    &[
        (
            "orderNumber",
            FieldType::Text,
            ("주문번호", "Order number"),
            30,
            &[],
            None,
            Visibility::Customers,
        ),
        (
            "refundBank",
            FieldType::Text,
            ("환불 계좌번호", "Account for refunds"),
            30,
            &[],
            Some(PersonalKind::Account),
            Visibility::Agents,
        ),
    ],
    &[(
        "urgency",
        FieldType::Checkbox,
        ("긴급 사유", "Why it is urgent"),
        0,
        &["장애", "보안", "법적 대응"],
        None,
        Visibility::Agents,
    )],
];

/// Adds the fields.
///
/// # Errors
/// If the database fails.
pub(super) async fn furnish(owner: &Caller, services: &[Service]) -> Result<()> {
    for (service, plans) in services.iter().zip(PLANS) {
        for (code, kind, titles, length, options, personal_kind, visibility) in plans {
            let text = |language: &str, title: &str| Text {
                language: language.to_owned(),
                title: title.to_owned(),
                description: None,
                placeholder: None,
            };
            let option = |word: &&str| vec![(*word).to_owned()];
            let input = FieldAddInput {
                idempotency_key: None,
                dry_run: None,
                service_id: service.id.to_string().into(),
                code: (*code).to_owned(),
                kind: *kind,
                texts: vec![text("ko", titles.0), text("en", titles.1)],
                length: (*length > 0).then_some(*length),
                options: kind.has_options().then(|| options.iter().map(option).collect()),
                is_required: None,
                is_encrypted: Some(personal_kind.is_some()),
                personal_kind: *personal_kind,
                visibility: Some(*visibility),
            };
            let deed = async |tx: &_| field::add(tx, &input).await;
            owner.act(Action::FieldAdd, &input, deed).await?;
        }
    }
    Ok(())
}
