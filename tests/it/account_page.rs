//! The way in for a person, in a real browser: an invitation's letter, its link, a password, signed in; and a forgotten
//! password, the same way. No host but the demo's own is asked.

use std::{net::TcpListener, process::Command, time::Duration};

use serde_json::{Value, json};

use crate::support::{
    running::{BINARY, Running},
    webdriver::{Browser, Skip},
};

const SHORT: Duration = Duration::from_secs(30);
const FIRST: &str = "eleven lamps above a quiet harbour";
const SECOND: &str = "twelve kites over a windy meadow";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a4_an_invited_person_gets_in_by_the_letter_alone() {
    let folder = tempfile::tempdir().unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let address = format!("127.0.0.1:{port}");
    let mut demo = Command::new(BINARY);
    demo.arg("demo")
        .env("ORGDESK_DATA", folder.path())
        .env("ORGDESK_LISTEN", &address);
    let running = tokio::task::spawn_blocking(move || Running::start(&mut demo, &address))
        .await
        .unwrap();
    let demo = Demo {
        base: format!("http://127.0.0.1:{port}"),
        client: reqwest::Client::new(),
    };

    let done = the_whole_way(&demo).await;

    drop(running);
    if let Err(Skip(why)) = done {
        crate::support::skip::skipped("invitations in a browser", &why);
    }
}

async fn the_whole_way(demo: &Demo) -> Result<(), Skip> {
    let browser = Browser::open("en-US").await?;
    demo.invite().await;

    let link = open_letter(&browser, demo, "/invitation").await;
    is_a_page_for_everybody(&browser).await;
    refuses_a_short_password(&browser).await;
    choose(&browser, FIRST).await;
    assert_eq!(browser.text("#done-organization").await, "demo");
    assert_eq!(browser.text("#done-login").await, "new.member");
    assert!(demo.lets_in(FIRST).await);

    browser.goto("about:blank").await;
    browser.goto(&link).await;
    browser
        .wait_until("return !document.querySelector('#refused').hidden", SHORT)
        .await;

    demo.forget_password().await;
    open_letter(&browser, demo, "/password-reset").await;
    choose(&browser, SECOND).await;
    assert!(!demo.lets_in(FIRST).await && demo.lets_in(SECOND).await);

    let said = browser.console_log().await;
    assert!(said.is_empty(), "the console says: {said:?}");
    stayed_here(&browser, demo).await;
    Ok(())
}

/// Opens the newest letter with a link to `page`, follows the link, and answers it.
async fn open_letter(browser: &Browser, demo: &Demo, page: &str) -> String {
    let link = demo.wait_for_link(page).await;
    browser.goto(&format!("{}/dev/mailbox", demo.base)).await;
    browser.click("tbody tr:first-child a").await;
    let shown = browser.run("return document.querySelector('pre a').href").await;
    assert_eq!(shown, link, "the mailbox shows the letter that was sent");
    browser.click("pre a").await;
    browser
        .wait_until("return document.querySelector('#form')?.hidden === false", SHORT)
        .await;
    assert_eq!(
        browser.run("return location.hash").await,
        "",
        "the secret leaves the address"
    );
    link
}

/// Named for who listens to it, wide enough for who holds a phone, and in the language of the letter.
async fn is_a_page_for_everybody(browser: &Browser) {
    assert_eq!(browser.run("return document.documentElement.lang").await, "en");
    assert_eq!(browser.run("return document.activeElement.id").await, "title");
    assert_eq!(
        browser.run("return document.querySelector('#login').value").await,
        "new.member"
    );
    let unnamed = "return [...document.querySelectorAll('input, button')].filter((part) => \
        !part.labels?.length && !part.textContent.trim()).map((part) => part.id)";
    assert_eq!(browser.run(unnamed).await, json!([]));
    browser.resize(360, 640).await;
    let widest = browser.run("return document.documentElement.scrollWidth").await;
    assert!(widest.as_i64().unwrap() <= 360, "{widest} CSS pixels on a phone");
}

async fn refuses_a_short_password(browser: &Browser) {
    browser.type_text("#password", "too short").await;
    browser.click("#submit").await;
    let told = browser
        .wait_until("return document.querySelector('#password-problem').textContent", SHORT)
        .await;
    assert!(told.as_str().unwrap().contains("15"), "{told}");
    assert_eq!(browser.run("return document.activeElement.id").await, "password");
}

async fn choose(browser: &Browser, password: &str) {
    browser.type_text("#password", password).await;
    browser.click("#submit").await;
    browser
        .wait_until("return !document.querySelector('#done').hidden", SHORT)
        .await;
}

async fn stayed_here(browser: &Browser, demo: &Demo) {
    let asked: Vec<String> = browser
        .performance_log()
        .await
        .iter()
        .filter(|event| event["method"] == "Network.requestWillBeSent")
        .filter_map(|event| event["params"]["request"]["url"].as_str().map(str::to_owned))
        .filter(|address| address.starts_with("http"))
        .collect();
    assert!(
        asked.iter().any(|address| address.ends_with("/graphql")),
        "the log is blind: {asked:?}"
    );
    for address in asked {
        assert!(
            address.starts_with(&demo.base) && !address.contains("inv_") && !address.contains("pwr_"),
            "{address}"
        );
    }
}

/// The demo as a program sees it.
struct Demo {
    base: String,
    client: reqwest::Client,
}

impl Demo {
    async fn ask(&self, token: Option<&str>, query: &str, input: Value) -> Value {
        let mut request = self.client.post(format!("{}/graphql", self.base));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let body = json!({ "query": query, "variables": { "input": input } });
        let answer: Value = request.json(&body).send().await.unwrap().json().await.unwrap();
        assert_eq!(answer.get("errors"), None, "{query}: {answer}");
        answer["data"]["done"].clone()
    }

    async fn sign_in(&self, login: &str, password: &str) -> Option<String> {
        let query =
            "mutation($input: SessionStartInput!) { done: sessionStart(input: $input) { tokens { accessToken } } }";
        let input = json!({ "organization": "demo", "login": login, "password": password });
        let done = self.ask(None, query, input).await;
        done["tokens"]["accessToken"].as_str().map(str::to_owned)
    }

    async fn lets_in(&self, password: &str) -> bool {
        self.sign_in("new.member", password).await.is_some()
    }

    async fn invite(&self) {
        let token = self.sign_in("owner", "orgdesk-demo-owner").await.unwrap();
        let query =
            "mutation($input: MemberInviteInput!) { done: memberInvite(input: $input) { userErrors { message } } }";
        let input = json!({ "name": "New Member", "login": "new.member", "email": "new.member@demo.example", "language": "ENGLISH" });
        let done = self.ask(Some(&token), query, input).await;
        assert_eq!(done["userErrors"], json!([]));
    }

    async fn forget_password(&self) {
        let query = "mutation($input: PasswordResetRequestInput!) { done: passwordResetRequest(input: $input) { userErrors { message } } }";
        let done = self
            .ask(None, query, json!({ "organization": "demo", "login": "new.member" }))
            .await;
        assert_eq!(done["userErrors"], json!([]));
    }

    /// The link to `page` in the newest letter; waits until there is such a letter.
    async fn wait_for_link(&self, page: &str) -> String {
        let begin = format!("{}{page}", self.base);
        for _ in 0..300 {
            let list = self.text("/dev/mailbox").await;
            if let Some((_, rest)) = list.split_once("<td><a href=\"") {
                let letter = self.text(rest.split('"').next().unwrap()).await;
                // The demo's own letters come to the same mailbox.
                if let Some(place) = letter.find(&begin).filter(|_| letter.contains("new.member")) {
                    return letter[place..].split('"').next().unwrap().replace("&amp;", "&");
                }
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("no letter with a link to {page}");
    }

    async fn text(&self, path: &str) -> String {
        let answer = self.client.get(format!("{}{path}", self.base)).send().await.unwrap();
        answer.text().await.unwrap()
    }
}
