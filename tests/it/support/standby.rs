//! A PostgreSQL server with a standby, and two servers of Orgdesk over them: one that knows the first only, and one whose
//! views may come from the standby.

use std::collections::BTreeMap;

use serde_json::json;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use super::{app::TestApp, cluster::Cluster, ledger::until, skip::skipped};

/// What the smallest view asks for.
pub const NAME: &str = "{ viewer { organization { name } } }";

/// Both, with their databases.
pub struct Stage {
    /// Knows the first database only.
    pub plain: TestApp,
    /// Reads from the standby too.
    pub beside: TestApp,
    /// The standby.
    pub standby: Cluster,
    /// The first database, which goes last.
    pub first: Cluster,
}

impl Stage {
    /// Both, as soon as the standby is used. `None` where there is no PostgreSQL, which was said.
    pub async fn set() -> Option<Self> {
        let Some(first) = Cluster::copied() else {
            skipped("a standby", "no initdb in PATH or /usr/lib/postgresql/*/bin");
            return None;
        };
        let plain = TestApp::on_cluster(&first).await;
        let standby = first.standby();
        let beside = plain.server_beside(&on(&plain.url, &standby)).await;
        let stage = Self {
            plain,
            beside,
            standby,
            first,
        };
        is_used(&stage.beside).await;
        Some(stage)
    }

    /// The service's address of the standby.
    pub fn url(&self) -> String {
        on(&self.plain.url, &self.standby)
    }

    /// Runs a statement on the standby as its superuser.
    pub async fn on_standby(&self, sql: &str) {
        let mut connection = PgConnection::connect(&self.standby.admin_url_of("orgdesk"))
            .await
            .unwrap();
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
            .execute(&mut connection)
            .await
            .unwrap();
    }
}

/// The address of the same database on another server.
fn on(url: &str, server: &Cluster) -> String {
    let (login, rest) = url.split_once('@').unwrap();
    let (_, database) = rest.split_once('/').unwrap();
    let (_, place) = server.admin_url.split_once('@').unwrap();
    let (address, _) = place.split_once('/').unwrap();
    format!("{login}@{address}/{database}")
}

/// How many views of a server went where: `replica`, or why not.
pub fn went(server: &TestApp) -> BTreeMap<&'static str, u64> {
    let (_, counts) = server.app.database.replica_told().expect("a server with a replica");
    counts.into_iter().collect()
}

/// Waits until views of a server come from its standby; whatever it is asked meanwhile, it answers.
pub async fn is_used(server: &TestApp) {
    let token = server.owner().token().await;
    let before = went(server)["replica"];
    let ask = async || {
        let answer = server.ask(Some(&token), NAME, json!({})).await;
        assert_eq!(
            answer.json["data"]["viewer"]["organization"]["name"], "Acme",
            "{}",
            answer.text
        );
        went(server)
    };
    until(ask, |went| went["replica"] > before).await;
}

/// Asks a server until it has said what is wrong with its standby; what it says.
pub async fn is_refused(server: &TestApp) -> String {
    let token = server.owner().token().await;
    let ask = async || {
        let answer = server.ask(Some(&token), NAME, json!({})).await;
        assert_eq!(
            answer.json["data"]["viewer"]["organization"]["name"], "Acme",
            "{}",
            answer.text
        );
        server.app.database.replica_fault()
    };
    until(ask, Option::is_some).await.unwrap_or_default()
}
