//! A PostgreSQL server with a standby, and two servers of Orgdesk over them: one that knows the first only, and one whose
//! views may come from the standby.

use std::collections::BTreeMap;

use serde_json::json;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use super::{app::TestApp, cluster::Cluster, ledger::until, skip::skipped};

/// What the smallest view asks for.
pub const NAME: &str = "{ organization { name } }";

/// Both, with their databases.
pub struct Stage {
    /// Knows the first database only.
    pub plain: TestApp,
    /// A token of the owner of Acme, from the first one: the other servers of a test all give the same IDs.
    pub token: String,
    /// Reads from the standby too.
    pub beside: TestApp,
    /// The standby.
    pub standby: Cluster,
    /// The first database, which goes last.
    _first: Cluster,
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
        let token = plain.owner().token().await;
        is_used(&beside, &token).await;
        Some(Self {
            plain,
            token,
            beside,
            standby,
            _first: first,
        })
    }

    /// The service's address of the standby.
    pub fn url(&self) -> String {
        on(&self.plain.url, &self.standby)
    }

    /// How often the standby itself has looked into a table, as it tells after a while.
    pub async fn asked_for(&self, table: &str) -> i64 {
        let mut connection = PgConnection::connect(&self.standby.admin_url_of("orgdesk"))
            .await
            .unwrap();
        let sql = "SELECT (seq_scan + coalesce(idx_scan, 0))::bigint FROM pg_stat_user_tables WHERE relname = $1";
        let asked = sqlx::query_scalar(sql).bind(table).fetch_one(&mut connection).await;
        asked.unwrap()
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
pub async fn is_used(server: &TestApp, token: &str) {
    let before = went(server)["replica"];
    let ask = async || {
        let answer = server.ask(Some(token), NAME, json!({})).await;
        assert_eq!(answer.json["data"]["organization"]["name"], "Acme", "{}", answer.text);
        went(server)
    };
    until(ask, |went| went["replica"] > before).await;
}

/// Asks a server until it has said what is wrong with its standby; what it says.
pub async fn is_refused(server: &TestApp, token: &str) -> String {
    let ask = async || {
        let answer = server.ask(Some(token), NAME, json!({})).await;
        assert_eq!(answer.json["data"]["organization"]["name"], "Acme", "{}", answer.text);
        server.app.database.replica_fault()
    };
    until(ask, Option::is_some).await.unwrap_or_default()
}
