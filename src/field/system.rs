//! The fields that come with every service: what a ticket has by its nature. Their texts and order can be changed; what
//! they are can't.

use super::{
    entity::{Model, Visibility},
    kind::FieldType,
    text::{Options, Text, Texts},
};
use crate::{
    kernel::{PersonalKind, Tx},
    service::{Service, ServiceKind},
};

/// A field that comes with a service.
struct System {
    code: &'static str,
    kind: FieldType,
    korean: &'static str,
    english: &'static str,
    length: i32,
    is_required: bool,
    personal_kind: Option<PersonalKind>,
}

const fn plain(
    code: &'static str,
    kind: FieldType,
    (korean, english): (&'static str, &'static str),
    length: i32,
    is_required: bool,
) -> System {
    System {
        code,
        kind,
        korean,
        english,
        length,
        is_required,
        personal_kind: None,
    }
}

const fn personal(system: System, kind: PersonalKind) -> System {
    System {
        personal_kind: Some(kind),
        ..system
    }
}

/// The code of the one field whose options have several levels.
pub(super) const CATEGORY: &str = "category";

const FIELDS: [System; 10] = [
    plain(CATEGORY, FieldType::Dropdown, ("유형", "Category"), 0, true),
    personal(
        plain("mail", FieldType::Text, ("이메일", "E-mail"), 100, true),
        PersonalKind::Email,
    ),
    plain("subject", FieldType::Text, ("제목", "Subject"), 200, true),
    plain("content", FieldType::Textarea, ("문의내용", "Content"), 5_000, true),
    plain("name", FieldType::Text, ("이름", "Name"), 100, false),
    personal(
        plain("phone", FieldType::Text, ("전화번호", "Phone"), 30, false),
        PersonalKind::Phone,
    ),
    plain("attachment", FieldType::File, ("첨부파일", "Attachment"), 0, false),
    plain("typeOne", FieldType::Text, ("구분1", "Type 1"), 200, false),
    plain("typeTwo", FieldType::Text, ("구분2", "Type 2"), 200, false),
    plain("personalAgree", FieldType::Agree, ("개인정보수집", "Consent"), 0, true),
];

/// Whether a ticket must have it whatever its service wants: without these it is none. An issue may come from somebody
/// without an address.
pub(super) fn must_be_required(code: &str, service: ServiceKind) -> bool {
    match code {
        CATEGORY | "subject" => true,
        "mail" | "personalAgree" => service == ServiceKind::Consultation,
        _ => false,
    }
}

/// The most characters of a field that came with its service; 0 where it has no length.
pub(super) fn longest(code: &str) -> i32 {
    FIELDS
        .iter()
        .find(|field| field.code == code)
        .map_or(0, |field| field.length)
}

/// The fields of a new service.
pub(super) fn fields(tx: &Tx, service: &Service) -> Vec<Model> {
    let main = service.languages.0.first().map_or("ko", String::as_str);
    let field = |(position, system): (usize, &System)| Model {
        id: tx.fresh_id(),
        organization_id: service.organization_id,
        service_id: service.id,
        code: system.code.to_owned(),
        code_key: system.code.to_lowercase(),
        kind: system.kind,
        is_system: true,
        texts: texts(main, system),
        length: system.length,
        options: Options(if system.code == CATEGORY {
            vec![vec![if main == "ko" { "기타" } else { "Other" }.to_owned()]]
        } else {
            Vec::new()
        }),
        is_required: system.is_required,
        is_encrypted: system.personal_kind.is_some(),
        personal_kind: system.personal_kind,
        visibility: Visibility::Customers,
        position: i32::try_from(position).unwrap_or(i32::MAX),
        created_at: tx.now(),
        removed_at: None,
        version: 1,
    };
    FIELDS.iter().enumerate().map(field).collect()
}

/// In the service's main language; in English where that is none of the two.
fn texts(main: &str, system: &System) -> Texts {
    let title = if main == "ko" { system.korean } else { system.english };
    Texts(vec![Text {
        language: main.to_owned(),
        title: title.to_owned(),
        description: None,
        placeholder: None,
    }])
}
