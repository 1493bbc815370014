//! Bringing a database up to date: once however often it is asked for, by several servers at a time, and never behind
//! the back of the service's own role.

use std::sync::Arc;

use orgdesk::{
    kernel::{Random, SystemClock},
    setup,
};

use crate::support::{app::settings, database::empty_database};

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
