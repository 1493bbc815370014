//! The playground in a real browser: the sign-in form, the examples, and that nothing leaves this host.
//! What they do there takes the address of a running server, `http://127.0.0.1:PORT`, and someone who can sign in.

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use orgdesk::kernel::{Clock as _, SystemClock};
use serde_json::{Value, json};

use crate::support::authenticator::Authenticator;
use crate::support::running::{BINARY, Running};
use crate::support::webdriver::{Browser, Skip};

const SHORT: Duration = Duration::from_secs(30);

/// Who the demo lets in, and says so on its playground.
const DEMO: Login<'_> = Login {
    organization: "demo",
    login: "owner",
    password: "orgdesk-demo-owner",
    organization_name: "데모 컨택센터",
};

/// One demo for all that is done in the browser: making it takes as long as a browser's start.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g6_the_playground_works_in_a_browser_and_asks_no_other_host() {
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
    let base = format!("http://127.0.0.1:{port}");

    let done = all_of_it(&base).await;

    drop(running);
    if let Err(Skip(why)) = done {
        crate::support::skip::skipped("the playground in a browser", &why);
    }
}

async fn all_of_it(base: &str) -> Result<(), Skip> {
    signs_in_and_runs_the_first_example(base, &DEMO).await?;
    speaks_korean_and_signs_out(base, &DEMO).await?;
    asks_for_the_second_factor(base, &DEMO).await?;
    if std::env::var("ORGDESK_TEST_PICTURE").is_ok_and(|value| value == "1") {
        picture(
            base,
            &DEMO,
            Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/playground.png")),
        )
        .await?;
    }
    Ok(())
}

/// Someone who can sign in, and the organization's name that the first example answers.
#[derive(Debug, Clone, Copy)]
pub struct Login<'a> {
    pub organization: &'a str,
    pub login: &'a str,
    pub password: &'a str,
    pub organization_name: &'a str,
}

/// A stranger sees every example, is refused with a wrong password, signs in and runs the first example.
pub async fn signs_in_and_runs_the_first_example(base: &str, login: &Login<'_>) -> Result<(), Skip> {
    let browser = open(base, "en-US").await?;
    assert_eq!(titles_of_tabs(&browser).await, names_of_operations(base).await);

    sign_in(
        &browser,
        &Login {
            password: "not the password",
            ..*login
        },
    )
    .await;
    browser
        .wait_until("return document.querySelector('#message.is-error')?.textContent", SHORT)
        .await;
    assert_eq!(
        browser.run("return document.querySelector('#message').ariaLive").await,
        "polite"
    );

    sign_in(&browser, login).await;
    run_the_first_example(&browser, login).await;
    assert!(browser.text("#who").await.contains(login.organization_name));

    let remembered = browser.run("return JSON.stringify(localStorage)").await;
    let token = browser
        .run("return JSON.parse(sessionStorage['orgdesk:session']).accessToken")
        .await;
    for secret in [token.as_str().unwrap(), login.password] {
        assert!(
            !remembered.as_str().unwrap().contains(secret),
            "localStorage keeps a secret"
        );
    }
    follows_a_subscription(&browser).await;
    stayed_on_this_host(&browser, base).await;
    obeyed_the_content_policy(&browser).await;
    Ok(())
}

/// A Korean browser gets Korean words; a reload stays signed in; signing out forgets the tokens.
pub async fn speaks_korean_and_signs_out(base: &str, login: &Login<'_>) -> Result<(), Skip> {
    let browser = open(base, "ko-KR").await?;
    assert_eq!(browser.run("return document.documentElement.lang").await, "ko");
    assert_eq!(browser.text("label[for=organization]").await, "조직 도메인");
    assert_eq!(browser.text("#sign-in button").await, "로그인");

    sign_in(&browser, login).await;
    run_the_first_example(&browser, login).await;
    let tabs = titles_of_tabs(&browser).await;
    browser.goto(&format!("{base}/graphiql")).await;
    browser
        .wait_until("return document.querySelector('.graphiql-tab')", SHORT)
        .await;
    assert_eq!(
        titles_of_tabs(&browser).await,
        tabs,
        "a returning visitor keeps the tabs"
    );
    assert!(browser.text("#who").await.contains(login.organization_name));

    browser.click("#sign-out").await;
    browser
        .wait_until("return !document.querySelector('#sign-in').hidden", SHORT)
        .await;
    assert_eq!(browser.run("return sessionStorage.length").await, 0);
    assert_eq!(browser.text("#message").await, "로그아웃했습니다.");
    Ok(())
}

/// Whoever has a second factor is asked for its code once his password was right.
pub async fn asks_for_the_second_factor(base: &str, login: &Login<'_>) -> Result<(), Skip> {
    let recovery = second_factor(base, login).await;
    let browser = open(base, "en-US").await?;
    let is_hidden = "return document.querySelector('#code-field').hidden";
    assert_eq!(browser.run(is_hidden).await, true);

    sign_in(&browser, login).await;
    browser
        .wait_until("return !document.querySelector('#code-field').hidden", SHORT)
        .await;
    assert_eq!(browser.run("return document.activeElement.id").await, "code");
    browser.type_text("#code", &recovery).await;
    browser.click("#sign-in button").await;

    run_the_first_example(&browser, login).await;
    Ok(())
}

/// Gives a member a second factor, and answers one of its recovery codes.
async fn second_factor(base: &str, login: &Login<'_>) -> String {
    let client = reqwest::Client::new();
    let mut token = String::new();
    let mut last = Value::Null;
    let mut secret = String::new();
    for step in ["sessionStart", "secondFactorEnroll", "secondFactorActivate"] {
        let (query, input) = match step {
            "sessionStart" => (
                "mutation M($input: SessionStartInput!) { sessionStart(input: $input) { tokens { accessToken } } }",
                json!({ "organization": login.organization, "login": login.login, "password": login.password }),
            ),
            "secondFactorEnroll" => ("mutation M { secondFactorEnroll { secret } }", Value::Null),
            _ => {
                let authenticator = Authenticator {
                    secret: secret.clone(),
                    recovery_codes: Vec::new(),
                };
                (
                    "mutation M($input: SecondFactorActivateInput!) { secondFactorActivate(input: $input) { recoveryCodes } }",
                    json!({ "code": authenticator.code_at(SystemClock.now().0) }),
                )
            }
        };
        let mut request = client.post(format!("{base}/graphql"));
        if !token.is_empty() {
            request = request.bearer_auth(&token);
        }
        let body = json!({ "query": query, "variables": { "input": input } });
        let answer: Value = request.json(&body).send().await.unwrap().json().await.unwrap();
        last = answer["data"][step].clone();
        match step {
            "sessionStart" => token = last["tokens"]["accessToken"].as_str().unwrap().to_owned(),
            "secondFactorEnroll" => secret = last["secret"].as_str().unwrap().to_owned(),
            _ => {}
        }
    }
    last["recoveryCodes"][0].as_str().unwrap().to_owned()
}

/// Writes the picture of the README: 1400 × 900, signed in, with an answer.
pub async fn picture(base: &str, login: &Login<'_>, path: &Path) -> Result<(), Skip> {
    let browser = open(base, "en-US").await?;
    sign_in(&browser, login).await;
    run_the_first_example(&browser, login).await;
    browser.screenshot(path, 1400, 900).await;
    Ok(())
}

async fn open(base: &str, language: &str) -> Result<Browser, Skip> {
    let browser = Browser::open(language).await?;
    browser.goto(&format!("{base}/graphiql")).await;
    browser
        .wait_until("return document.querySelector('.graphiql-tab')", SHORT)
        .await;
    Ok(browser)
}

async fn sign_in(browser: &Browser, login: &Login<'_>) {
    browser.type_text("#organization", login.organization).await;
    browser.type_text("#login", login.login).await;
    browser.type_text("#password", login.password).await;
    browser.click("#sign-in button").await;
}

/// Waits for the sign-in, runs the tab that opens first, and waits for the organization's name in the answer.
async fn run_the_first_example(browser: &Browser, login: &Login<'_>) {
    browser
        .wait_until("return !document.querySelector('#signed-in').hidden", SHORT)
        .await;
    browser.click(".graphiql-execute-button").await;
    let name = Value::from(login.organization_name);
    let shown = format!("return document.querySelector('.result-window').innerText.includes({name})");
    browser.wait_until(&shown, SHORT).await;
}

/// Runs the example of a subscription, whose placeholder is no work's ID: the answer comes over a socket.
async fn follows_a_subscription(browser: &Browser) {
    browser
        .run(
            "[...document.querySelectorAll('.graphiql-tab-button')].find((tab) => tab.textContent.trim() === 'JobProgress').click()",
        )
        .await;
    browser.click(".graphiql-execute-button").await;
    let told = "return document.querySelector('.result-window').innerText.includes('NOT_FOUND')";
    browser.wait_until(told, SHORT).await;
    let idle = "return document.querySelector('.graphiql-execute-button').ariaLabel.startsWith('Execute')";
    browser.wait_until(idle, SHORT).await;
}

async fn titles_of_tabs(browser: &Browser) -> Vec<String> {
    let titles = browser
        .run("return [...document.querySelectorAll('.graphiql-tab-button')].map((tab) => tab.textContent.trim())")
        .await;
    serde_json::from_value(titles).unwrap()
}

/// The names of the GraphQL operations that the server offers: GraphiQL titles its tabs by them.
async fn names_of_operations(base: &str) -> Vec<String> {
    let answer = reqwest::get(format!("{base}/graphiql/operations.json")).await.unwrap();
    let operations: Vec<Value> = answer.json().await.unwrap();
    operations
        .iter()
        .map(|operation| {
            let text = operation["query"].as_str().unwrap();
            let line = text.lines().find(|line| !line.starts_with('#')).unwrap();
            let name = line.split([' ', '(', '{']).nth(1).unwrap();
            name.to_owned()
        })
        .collect()
}

async fn stayed_on_this_host(browser: &Browser, base: &str) {
    let asked: Vec<String> = browser
        .performance_log()
        .await
        .iter()
        .filter_map(|event| match event["method"].as_str()? {
            "Network.requestWillBeSent" => event["params"]["request"]["url"].as_str(),
            "Network.webSocketCreated" => event["params"]["url"].as_str(),
            _ => None,
        })
        // The browser's own pages (chrome:) and what stands in the page itself (data:) need no host.
        .filter(|address| ["http:", "https:", "ws:", "wss:"].iter().any(|scheme| address.starts_with(scheme)))
        .map(str::to_owned)
        .collect();
    assert!(
        asked.iter().any(|address| *address == format!("{base}/graphql")),
        "the log is blind: {asked:?}"
    );
    let socket = format!("{}/graphql", base.replacen("http", "ws", 1));
    assert!(asked.contains(&socket), "{asked:?}");
    let elsewhere: Vec<&String> = asked
        .iter()
        .filter(|address| !address.starts_with(&format!("{base}/")) && **address != socket)
        .collect();
    assert!(elsewhere.is_empty(), "asked elsewhere: {elsewhere:?}");
}

async fn obeyed_the_content_policy(browser: &Browser) {
    let said = browser.console_log().await;
    assert!(said.is_empty(), "the console says: {said:?}");
    browser
        .run(
            "const script = document.createElement('script'); script.textContent = 'globalThis.ran = true'; \
             document.head.append(script)",
        )
        .await;
    assert_eq!(
        browser.run("return globalThis.ran === undefined").await,
        true,
        "an inline script ran"
    );
    let said = browser.console_log().await;
    assert!(
        said.iter().any(|line| line.contains("Content Security Policy")),
        "the console is blind: {said:?}"
    );
}
