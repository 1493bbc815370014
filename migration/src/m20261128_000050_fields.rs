//! The fields of services, what they make together, and every version of that. Services that are there get the fields that
//! every service has.

use crate::dialect::{append_only, isolate, run, seeing_all};
use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// Code, type, title, length, whether it is required, and the kind of personal data, if any.
type SystemField = (
    &'static str,
    &'static str,
    &'static str,
    i32,
    bool,
    Option<&'static str>,
);

/// The fields that every service has, as they are when these tables are made.
const FIELDS: [SystemField; 10] = [
    ("category", "DROPDOWN", "유형", 0, true, None),
    ("mail", "TEXT", "이메일", 100, true, Some("EMAIL")),
    ("subject", "TEXT", "제목", 200, true, None),
    ("content", "TEXTAREA", "문의내용", 5_000, true, None),
    ("name", "TEXT", "이름", 100, false, None),
    ("phone", "TEXT", "전화번호", 30, false, Some("PHONE")),
    ("attachment", "FILE", "첨부파일", 0, false, None),
    ("typeOne", "TEXT", "구분1", 200, false, None),
    ("typeTwo", "TEXT", "구분2", 200, false, None),
    ("personalAgree", "AGREE", "개인정보수집", 0, true, None),
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        tables(manager).await?;
        furnish(manager).await?;
        append_only(
            manager,
            "field_composition_revision",
            &["organization_id", "service_id", "revision"],
        )
        .await?;
        isolate(
            manager,
            &["field", "field_composition", "field_composition_revision"],
            "organization_id",
        )
        .await
    }
}

async fn tables(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    run(
        manager,
        "CREATE TABLE field (
           id :uuid NOT NULL,
           organization_id :uuid NOT NULL REFERENCES organization (id),
           service_id :uuid NOT NULL,
           code text NOT NULL,
           code_key text NOT NULL,
           kind text NOT NULL CHECK (kind IN ('TEXT', 'TEXTAREA', 'CAPTION', 'CHECKBOX', 'DROPDOWN', 'RADIO', 'DATE',
             'DATETIME', 'DATE_PERIOD', 'DATETIME_PERIOD', 'AGREE', 'FILE')),
           is_system :bool NOT NULL,
           texts :json NOT NULL,
           length :int NOT NULL CHECK (length >= 0),
           options :json NOT NULL,
           is_required :bool NOT NULL,
           is_encrypted :bool NOT NULL,
           personal_kind text,
           visibility text NOT NULL CHECK (visibility IN ('CUSTOMERS', 'AGENTS', 'MANAGERS')),
           position :int NOT NULL,
           created_at :time NOT NULL,
           removed_at :time,
           version :int NOT NULL,
           PRIMARY KEY (organization_id, id),
           FOREIGN KEY (organization_id, service_id) REFERENCES service (organization_id, id),
           CHECK (is_encrypted = (personal_kind IS NOT NULL))
         ) :end;
         CREATE UNIQUE INDEX field_code ON field (organization_id, service_id, code_key);
         CREATE INDEX field_position ON field (organization_id, service_id, position, id) WHERE removed_at IS NULL;
         CREATE TABLE field_composition (
           organization_id :uuid NOT NULL REFERENCES organization (id),
           service_id :uuid NOT NULL,
           fingerprint text NOT NULL,
           changed_at :time NOT NULL,
           version :int NOT NULL,
           PRIMARY KEY (organization_id, service_id),
           FOREIGN KEY (organization_id, service_id) REFERENCES service (organization_id, id)
         ) :end;
         CREATE TABLE field_composition_revision (
           organization_id :uuid NOT NULL REFERENCES organization (id),
           service_id :uuid NOT NULL,
           revision :int NOT NULL,
           fingerprint text NOT NULL,
           composition :json NOT NULL,
           made_at :time NOT NULL,
           made_by text NOT NULL,
           PRIMARY KEY (organization_id, service_id, revision),
           FOREIGN KEY (organization_id, service_id) REFERENCES service (organization_id, id)
         ) :end;
         CREATE INDEX field_composition_fingerprint
           ON field_composition_revision (organization_id, service_id, fingerprint);",
    )
    .await
}

/// The fields of services that are there, in their main language by its code. Before the table is behind row-level security.
async fn furnish(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let (id, main) = match manager.get_database_backend() {
        DbBackend::Postgres => ("gen_random_uuid()", "coalesce(languages ->> 0, 'ko')"),
        _ => ("randomblob(16)", "coalesce(json_extract(languages, '$[0]'), 'ko')"),
    };
    for (position, (code, kind, title, length, is_required, personal)) in FIELDS.iter().enumerate() {
        let key = code.to_lowercase();
        let required = if *is_required { ":true" } else { ":false" };
        let encrypted = if personal.is_some() { ":true" } else { ":false" };
        let personal = personal.map_or("NULL".to_owned(), |kind| format!("'{kind}'"));
        let options = if *code == "category" { "[[\"기타\"]]" } else { "[]" };
        let copy = format!(
            "INSERT INTO field
               SELECT {id}, organization_id, id, '{code}', '{key}', '{kind}', :true,
                 CAST('[{{\"language\":\"' || {main} || '\",\"title\":\"{title}\",\"description\":null,\"placeholder\":null}}]' AS :json),
                 {length}, CAST('{options}' AS :json), {required}, {encrypted}, {personal}, 'CUSTOMERS', {position}, created_at, NULL, 1
               FROM service"
        );
        seeing_all(manager, "service", &copy).await?;
    }
    Ok(())
}
