//! Bringing a database up to date: once however often it is asked for, by several servers at a time, and never behind
//! the back of the service's own role.

use std::sync::Arc;

use migration::{Migrator, MigratorTrait};
use orgdesk::{
    field,
    kernel::{
        Action, Actor, App, Caller, Language, MemberId, OrganizationId, Origin, Random, ServiceId, SignedIn,
        SystemClock, Tx,
    },
    operate,
    service::{ServiceCreateInput, ServiceKind},
    setup,
};

use crate::support::{app::settings, database::empty_database, raw::Raw};

#[tokio::test]
async fn p2_servers_that_migrate_at_once_take_turns() {
    // case: K14
    let Some(database) = empty_database().await else { return };
    let migrate = || setup::migrate(&database.owner_url, &database.app_url);

    let (first, second, third) = tokio::join!(migrate(), migrate(), migrate());
    first.unwrap();
    second.unwrap();
    third.unwrap();
    migrate().await.unwrap();

    let app = setup::open(settings(&database.app_url), Arc::new(SystemClock), Random::seeded(1))
        .await
        .unwrap();
    app.database.close().await;
}

#[tokio::test]
async fn p4_a_database_without_tables_is_refused_with_what_to_do() {
    let Some(database) = empty_database().await else { return };

    let opened = setup::open(settings(&database.app_url), Arc::new(SystemClock), Random::seeded(1)).await;

    let said = opened.err().map(|error| format!("{error:#}")).unwrap_or_default();
    assert!(said.contains("orgdesk migrate"), "{said}");
}

/// Brings a database to where it was before a change.
#[expect(
    clippy::disallowed_methods,
    reason = "the tables of an older version are nobody else's to make"
)]
async fn before(owner_url: &str, change: &str) {
    let migrations = Migrator::migrations();
    let before = migrations.iter().take_while(|migration| migration.name() != change);
    let steps = u32::try_from(before.count()).unwrap();
    assert!(
        (1..u32::try_from(migrations.len()).unwrap()).contains(&steps),
        "{steps}"
    );
    let connection = sea_orm::Database::connect(owner_url).await.unwrap();
    Migrator::up(&connection, Some(steps)).await.unwrap();
    connection.close().await.unwrap();
}

/// Brings a database to where it was before people could be invited, and puts an organization into it.
async fn older(owner_url: &str, raw_url: &str) -> Raw {
    before(owner_url, "m20261125_000007_people").await;
    let mut raw = Raw::open(raw_url).await;
    let id = |number: u8| {
        let hex = format!("{number:032x}");
        if raw.is_postgres() {
            format!("'{hex}'::uuid")
        } else {
            format!("X'{hex}'")
        }
    };
    let (organization, at) = (id(1), "'2026-11-10T01:00:00+00:00'");
    let member = |number: u8, login: &str, is_owner: bool, status: &str| {
        format!(
            "INSERT INTO member VALUES ({}, {organization}, '{login}', '{login} Kim', '{login}@example.com', 'hash', {is_owner}, '{status}', {at}, 3)",
            id(number)
        )
    };
    let service = |number: u8, code: &str| {
        format!(
            "INSERT INTO service VALUES ({}, {organization}, '{code}', 'ISSUE', '{code}', '{code}', '[]', 'Asia/Seoul', NULL, 'NOT_IN_USE', {at}, NULL, NULL, 1)",
            id(number)
        )
    };
    let agent = |service: u8, member: u8, role: &str| {
        format!(
            "INSERT INTO agent VALUES ({organization}, {}, {}, '{role}', {at})",
            id(service),
            id(member)
        )
    };
    let rows = [
        format!(
            "INSERT INTO organization VALUES ({organization}, 'abcdefghijklmnop', 'Older', 'older', 'Asia/Seoul', false, false, false, {at}, 1)"
        ),
        format!("INSERT INTO organization_route VALUES ('older', {organization})"),
        member(2, "owner", true, "ACTIVE"),
        member(3, "admin", false, "ACTIVE"),
        member(4, "gone", false, "LEFT"),
        format!(
            "INSERT INTO organization_admin VALUES ({organization}, {}, {at})",
            id(3)
        ),
        format!(
            "INSERT INTO session VALUES ({}, {organization}, {}, {at}, {at}, {at}, {at}, NULL, '127.0.0.1')",
            id(9),
            id(3)
        ),
        service(5, "desk"),
        service(6, "hotline"),
        agent(5, 3, "MANAGER"),
        agent(6, 3, "AGENT"),
        agent(5, 2, "AGENT"),
    ];
    for row in rows {
        raw.must(&row).await;
    }
    raw
}

/// Everybody of the older database is there, with what he had.
async fn everybody_is_there(url: &str, mut raw: Raw) {
    let app = setup::open(settings(url), Arc::new(SystemClock), Random::seeded(1))
        .await
        .unwrap();
    let text = |column: &str| {
        if raw.is_postgres() {
            format!("{column}::text")
        } else {
            format!("CAST({column} AS TEXT)")
        }
    };
    let members = format!(
        "SELECT login || ' ' || name_key || ' ' || language || ' ' || status || ' ' || {} FROM member WHERE left_at IS NULL ORDER BY 1",
        text("version")
    );
    let flags = [
        "handles_tickets",
        "handles_chats",
        "handles_calls",
        "assigns_callbacks",
        "forwards_tickets",
        "views_access_logs",
        "receives_tickets",
        "receives_chats",
        "controls_assignment",
    ];
    let flags = flags
        .map(|flag| format!("CASE WHEN a.{flag} THEN '1' ELSE '0' END"))
        .join(" || ");
    let agents = format!(
        "SELECT m.login || ' ' || s.code || ' ' || a.role || ' ' || {flags} || ' ' || {} FROM agent a
         JOIN member m ON m.id = a.member_id JOIN service s ON s.id = a.service_id ORDER BY 1",
        text("a.version")
    );

    assert_eq!(
        raw.texts(&members).await,
        [
            "admin admin kim KOREAN ACTIVE 3",
            "gone gone kim KOREAN LEFT 3",
            "owner owner kim KOREAN ACTIVE 3"
        ]
    );
    assert_eq!(
        raw.texts(&agents).await,
        [
            "admin desk MANAGER 100101100 1",
            "admin hotline AGENT 100000100 1",
            "owner desk AGENT 100000100 1"
        ]
    );
    assert_eq!(
        raw.texts("SELECT count(DISTINCT id) || '' FROM agent WHERE id IS NOT NULL")
            .await,
        ["3"]
    );
    assert_eq!(
        raw.count(
            "organization_admin a JOIN member m ON m.id = a.member_id WHERE m.login = 'admin' AND a.added_by IS NULL"
        )
        .await,
        1
    );
    assert_eq!(raw.count("session WHERE client = ''").await, 1);
    for login in ["owner", "admin"] {
        operate::access_token(&app, "older", login).await.unwrap();
    }
    assert!(operate::access_token(&app, "older", "gone").await.is_err());
    fields_are_there(&app).await;
    app.database.close().await;
}

/// The services of the older database have the fields that a new one comes with.
async fn fields_are_there(app: &App) {
    let id = uuid::Uuid::from_u128;
    let owner = SignedIn {
        member_id: MemberId(id(2)),
        session_id: id(2).into(),
        login: "owner".to_owned(),
        name: "owner Kim".to_owned(),
        is_owner: true,
        is_administrator: false,
        is_manager: false,
        has_second_factor: false,
        must_enroll: false,
        confirmed_at: app.clock.now(),
    };
    let (actor, organization) = (Actor::Member(owner), OrganizationId(id(1)));
    let mut app = app.clone();
    app.standing = |_, _, then| Box::pin(async { Ok(Some(then.clone())) });
    let caller = Caller::new(
        app.clone(),
        actor,
        Some(organization),
        Origin::default(),
        Language::English,
    );
    let input = ServiceCreateInput {
        banner_id: None,
        idempotency_key: None,
        dry_run: None,
        kind: ServiceKind::Issue,
        code: "fresh".to_owned(),
        name: "fresh".to_owned(),
        languages: None,
        main_language: None,
        time_zone: None,
        editor_type: None,
    };
    let deed = async |tx: &Tx| field::add_service(tx, &input).await;
    let fresh = caller.act(Action::ServiceCreate, &input, deed).await.unwrap();
    let view = caller.view(Action::FieldRead).await.unwrap();
    let wanted = field::composition_of(&view, fresh.id).await.unwrap();
    for number in [5, 6] {
        let older = ServiceId(id(number));
        let found = field::composition_of(&view, older).await.unwrap();
        let fields = field::of_service(&view, older).await.unwrap();
        assert_eq!(
            (fields.len(), &found.fingerprint),
            (10, &wanted.fingerprint),
            "{fields:#?}"
        );
    }
    drop(view);
    caller.release().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p2_people_and_agents_of_an_older_file_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("older.db").display());
    let raw = older(&format!("{url}?mode=rwc"), &url).await;

    everybody_is_there(&url, raw).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p2_people_and_agents_of_an_older_database_are_kept() {
    let Some(database) = empty_database().await else { return };
    let raw = older(&database.owner_url, &database.admin_url).await;

    setup::migrate(&database.owner_url, &database.app_url).await.unwrap();

    everybody_is_there(&database.app_url, raw).await;
}

/// Brings a database to where it was before addresses were proved, with members who came in all ways there are.
async fn unproved(owner_url: &str, raw_url: &str) -> Raw {
    before(owner_url, "m20261128_000021_proved_addresses").await;
    let mut raw = Raw::open(raw_url).await;
    let id = |number: u8| {
        let hex = format!("{number:032x}");
        if raw.is_postgres() {
            format!("'{hex}'::uuid")
        } else {
            format!("X'{hex}'")
        }
    };
    let (organization, at) = (id(1), "'2026-11-10T01:00:00+00:00'");
    let member = |number: u8, login: &str| {
        format!(
            "INSERT INTO member (id, organization_id, login, name, email, password_hash, is_owner, status, joined_at, version)
             VALUES ({}, {organization}, '{login}', '{login}', '{login}@Example.com', 'hash', false, 'ACTIVE', {at}, 1)",
            id(number)
        )
    };
    let invitation = |number: u8, email: &str, state: &str, member: Option<u8>| {
        let member = member.map_or("NULL".to_owned(), id);
        format!(
            "INSERT INTO invitation (id, organization_id, login, name, name_key, email, language, is_owner, state, invited_at,
               expires_at, mailing, accepted_at, member_id, version)
             VALUES ({}, {organization}, 'x{number}', 'x', 'x', '{email}@example.com', 'KOREAN', false, '{state}', {at}, {at}, 1, {at}, {member}, 1)",
            id(number)
        )
    };
    let rows = [
        format!(
            "INSERT INTO organization (id, code, name, domain, time_zone, is_ipcc_approved, is_mobile_contact_approved,
               is_security_approved, created_at, version)
             VALUES ({organization}, 'abcdefghijklmnop', 'Older', 'older', 'Asia/Seoul', false, false, false, {at}, 1)"
        ),
        member(2, "founder"),
        member(3, "invited"),
        member(4, "moved"),
        member(5, "namesake"),
        invitation(13, "invited", "ACCEPTED", Some(3)),
        invitation(14, "elsewhere", "ACCEPTED", Some(4)),
        invitation(15, "namesake", "REVOKED", None),
    ];
    for row in rows {
        raw.must(&row).await;
    }
    raw
}

const PROVED: &str = "SELECT login FROM member WHERE email_proved_at IS NOT NULL";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p2_addresses_of_an_older_file_are_proved_by_the_invitation_that_went_there() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("older.db").display());
    let mut raw = unproved(&format!("{url}?mode=rwc"), &url).await;

    let app = setup::open(settings(&url), Arc::new(SystemClock), Random::seeded(1))
        .await
        .unwrap();
    app.database.close().await;

    assert_eq!(raw.texts(PROVED).await, ["invited"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p2_addresses_of_an_older_database_are_proved_by_the_invitation_that_went_there() {
    let Some(database) = empty_database().await else { return };
    let mut raw = unproved(&database.owner_url, &database.admin_url).await;

    setup::migrate(&database.owner_url, &database.app_url).await.unwrap();

    assert_eq!(raw.texts(PROVED).await, ["invited"]);
}
