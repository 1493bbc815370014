//! How a test comes by members beyond the three that are there, and what it asks of them.

use orgdesk::{
    kernel::Role,
    operate::{self, Person},
};
use serde_json::{Value, json};

use super::{
    app::{PASSWORD, TestApp, Who},
    make, partner,
    raw::Raw,
};

/// The verbs of members with an ID, for [`Who::payload`].
pub const ADD: &str = "adminAdd(input: $input) => admin { addedAt addedBy { login } member { login roles } }";
pub const REMOVE: &str = "adminRemove(id: $id, input: $input) => member { login roles version }";
pub const UPDATE: &str = "memberUpdate(id: $id, input: $input) => member { login name email version }";
pub const EXPEL: &str = "memberRemove(id: $id, input: $input) => member { login status leftAt roles version }";
pub const LEAVE: &str = "memberLeave(input: $input) => member { login status leftAt roles }";
pub const TRANSFER: &str = "ownershipTransfer(id: $id, input: $input) => member { login isOwner roles }";

/// Somebody with the password of everybody, whom others can be made like: hashing it is slow.
pub async fn somebody(app: &TestApp) -> Person {
    Person {
        login: String::new(),
        name: String::new(),
        email: String::new(),
        password_hash: operate::hash_password(&app.app, PASSWORD).await.unwrap(),
        is_administrator: false,
    }
}

/// A new member of Acme.
pub async fn join(app: &TestApp, login: &str, is_administrator: bool) {
    let like = somebody(app).await;
    join_like(app, login, is_administrator, &like).await;
}

/// A new member of Acme, with the password of somebody.
pub async fn join_like(app: &TestApp, login: &str, is_administrator: bool, like: &Person) {
    let person = Person {
        login: login.to_owned(),
        name: login.to_owned(),
        email: format!("{login}@example.com"),
        is_administrator,
        ..like.clone()
    };
    operate::add_member(&app.app, "acme", person).await.unwrap();
}

/// Puts a member of Acme into one of its services.
pub async fn employ(app: &TestApp, service: &str, login: &str, is_manager: bool) {
    operate::add_agent(&app.app, "acme", service, login, is_manager)
        .await
        .unwrap();
}

/// The member of a login ID as the owner of his organization sees him; who has left only where there is nobody else.
pub async fn member(owner: Who<'_>, login: &str) -> Value {
    let query = "query Q($login: String) { members(first: 100, search: { login: $login, status: [ACTIVE, LEFT] }) {
        nodes { id login name email status leftAt isOwner roles version } } }";
    let data = owner.data(query, json!({ "login": login })).await;
    let found = data["members"]["nodes"].as_array().unwrap();
    let mut named: Vec<_> = found.iter().filter(|member| member["login"] == login).collect();
    named.sort_by_key(|member| member["status"] != "ACTIVE");
    (*named.first().unwrap_or_else(|| panic!("nobody is called {login}"))).clone()
}

/// The variables of a verb on a member: his ID and version, and what else the input says.
pub fn on(member: &Value, more: Value) -> Value {
    let mut input = json!({ "expectedVersion": member["version"] });
    for (name, value) in more.as_object().into_iter().flatten() {
        input[name] = value.clone();
    }
    json!({ "id": member["id"], "input": input })
}

/// The variables of `adminAdd`.
pub fn of(member: &Value) -> Value {
    json!({ "input": { "memberId": member["id"] } })
}

/// The variables of `memberLeave`.
pub fn own(member: &Value) -> Value {
    json!({ "input": { "expectedVersion": member["version"] } })
}

/// A partner system of Acme with a key of this scope.
async fn key<'a>(app: &'a TestApp, scope: &str) -> Who<'a> {
    let made = partner::key(app.owner(), &[scope]).await;
    // As long as the test, which asks for it everywhere.
    app.bearing(partner::token(app, &made).await.leak())
}

/// Somebody of each kind, with what he is: nobody at all, and a member of Rival, which demands a second factor.
pub async fn personas(app: &TestApp) -> Vec<(&'static str, Option<Who<'_>>, Vec<Role>)> {
    make::in_use(app.owner(), "personas", 3).await;
    let like = somebody(app).await;
    for (login, is_manager) in [("manager", true), ("agent", false)] {
        join_like(app, login, false, &like).await;
        employ(app, "personas", login, is_manager).await;
    }
    let demand = "UPDATE organization SET requires_second_factor = TRUE WHERE domain = 'rival'";
    Raw::admin(app).await.must(demand).await;
    vec![
        ("nobody", None, vec![Role::Nobody]),
        ("owner", Some(app.owner()), vec![Role::Owner, Role::Member]),
        (
            "administrator",
            Some(app.administrator()),
            vec![Role::Administrator, Role::Member],
        ),
        (
            "manager",
            Some(app.someone("acme", "manager")),
            vec![Role::Manager, Role::Member],
        ),
        ("agent", Some(app.someone("acme", "agent")), vec![Role::Member]),
        ("member", Some(app.member()), vec![Role::Member]),
        ("enrolling", Some(app.rival()), vec![Role::Enrolling]),
        (
            "reading key",
            Some(key(app, "SERVICE_READ").await),
            vec![Role::Key, Role::ReadingKey],
        ),
        (
            "managing key",
            Some(key(app, "SERVICE_MANAGE").await),
            vec![Role::Key, Role::ReadingKey, Role::ManagingKey],
        ),
        (
            "recording key",
            Some(key(app, "USAGE_RECORD").await),
            vec![Role::Key, Role::RecordingKey],
        ),
    ]
}
