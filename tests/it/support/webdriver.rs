//! A small WebDriver client: one headless Chromium of its own, driven through a chromedriver of its own, which resolves
//! no name and knows no host but 127.0.0.1. Where there is no Chromium, tests are skipped, or fail when
//! `ORGDESK_TEST_REQUIRE_ALL=1`.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;

/// The key under which WebDriver answers an element's reference.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
const FLAGS: [&str; 11] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1400,1000",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
];
/// How long one command may take: a browser's start on a busy machine is the longest.
const PATIENCE: Duration = Duration::from_secs(120);

/// Why a test could not run here.
#[derive(Debug)]
pub struct Skip(pub String);

/// An element of the page as it is now; the reference does not outlive the element.
pub struct Element(String);

/// The chromedriver process, ended by its own id.
struct Driver {
    process: Child,
    port: u16,
    /// Held open: a closed pipe would end the process at its next word.
    words: BufReader<ChildStdout>,
}

/// One browser with one window and a profile that is thrown away. Dropping it ends the browser and its driver.
pub struct Browser {
    client: reqwest::Client,
    driver: Driver,
    session: String,
    profile: TempDir,
}

impl Browser {
    /// Opens a browser that prefers `language`, such as `ko-KR`. Panics when what is installed does not start.
    pub async fn open(language: &str) -> Result<Self, Skip> {
        let (Some(chromium), Some(chromedriver)) = (
            on_path(&["chromium", "chromium-browser", "google-chrome"]),
            on_path(&["chromedriver"]),
        ) else {
            return Err(skip(
                "no chromium and chromedriver on the PATH (Debian: chromium, chromium-driver)",
            ));
        };
        let driver = tokio::task::spawn_blocking(move || Driver::start(&chromedriver))
            .await
            .unwrap();
        let profile = tempfile::tempdir().unwrap();
        let client = reqwest::Client::builder().timeout(PATIENCE).no_proxy().build().unwrap();
        let mut browser = Self {
            client,
            driver,
            session: String::new(),
            profile,
        };
        let mut flags: Vec<String> = FLAGS.map(str::to_owned).into();
        flags.push(format!("--user-data-dir={}", browser.profile.path().display()));
        flags.push(format!("--lang={language}"));
        flags.push(format!("--accept-lang={language}"));
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": { "binary": chromium, "args": flags },
            "goog:loggingPrefs": { "performance": "ALL", "browser": "ALL" },
        } } });
        let opened = browser.send(reqwest::Method::POST, "/session", Some(wanted)).await;
        opened["sessionId"].as_str().unwrap().clone_into(&mut browser.session);
        Ok(browser)
    }

    /// Goes to an address and waits until it is loaded.
    pub async fn goto(&self, address: &str) {
        self.post("/url", json!({ "url": address })).await;
    }

    /// The first element that matches a CSS selector. Panics where there is none.
    pub async fn find(&self, css: &str) -> Element {
        let found = self
            .post("/element", json!({ "using": "css selector", "value": css }))
            .await;
        Element(found[ELEMENT].as_str().unwrap().to_owned())
    }

    /// Clicks where a person would; panics where the element cannot be seen or is covered.
    pub async fn click(&self, css: &str) {
        let Element(id) = self.find(css).await;
        self.post(&format!("/element/{id}/click"), json!({})).await;
    }

    /// Empties a field, then types into it.
    pub async fn type_text(&self, css: &str, text: &str) {
        let Element(id) = self.find(css).await;
        self.post(&format!("/element/{id}/clear"), json!({})).await;
        self.post(&format!("/element/{id}/value"), json!({ "text": text }))
            .await;
    }

    /// The text of an element as it is shown.
    pub async fn text(&self, css: &str) -> String {
        let Element(id) = self.find(css).await;
        let text = self
            .send(
                reqwest::Method::GET,
                &self.of_session(&format!("/element/{id}/text")),
                None,
            )
            .await;
        text.as_str().unwrap().to_owned()
    }

    /// Runs the body of a JavaScript function in the page; answers what it returns.
    pub async fn run(&self, script: &str) -> Value {
        self.post("/execute/sync", json!({ "script": script, "args": [] }))
            .await
    }

    /// Runs `script` until it returns something true, and answers that. Panics after `timeout` with what the page shows.
    pub async fn wait_until(&self, script: &str, timeout: Duration) -> Value {
        let end = Instant::now() + timeout;
        loop {
            let value = self.run(script).await;
            if !matches!(&value, Value::Null | Value::Bool(false)) && value != "" && value != 0 {
                return value;
            }
            if Instant::now() > end {
                let shown = self.run("return document.body.innerText").await;
                panic!("waited {timeout:?} for `{script}`; the page shows: {shown}");
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Makes the visible part of the page exactly this many CSS pixels.
    pub async fn resize(&self, width: u32, height: u32) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.post(
            "/goog/cdp/execute",
            json!({ "cmd": "Emulation.setDeviceMetricsOverride", "params": size }),
        )
        .await;
    }

    /// Writes the page as a PNG file of exactly this many CSS pixels.
    pub async fn screenshot(&self, path: &Path, width: u32, height: u32) {
        self.resize(width, height).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        let picture = self
            .send(reqwest::Method::GET, &self.of_session("/screenshot"), None)
            .await;
        std::fs::write(path, STANDARD.decode(picture.as_str().unwrap()).unwrap()).unwrap();
    }

    /// The DevTools events since the last call, as `{ "method": …, "params": … }`.
    pub async fn performance_log(&self) -> Vec<Value> {
        let log = self.log("performance").await;
        log.iter()
            .map(|entry| {
                let mut event: Value = serde_json::from_str(entry["message"].as_str().unwrap()).unwrap();
                event["message"].take()
            })
            .collect()
    }

    /// What the console said since the last call, refusals by the content policy included, as `LEVEL text`.
    pub async fn console_log(&self) -> Vec<String> {
        let log = self.log("browser").await;
        log.iter()
            .map(|entry| {
                format!(
                    "{} {}",
                    entry["level"].as_str().unwrap(),
                    entry["message"].as_str().unwrap()
                )
            })
            .collect()
    }

    async fn log(&self, kind: &str) -> Vec<Value> {
        let mut log = self.post("/se/log", json!({ "type": kind })).await;
        std::mem::take(log.as_array_mut().unwrap())
    }

    fn of_session(&self, path: &str) -> String {
        format!("/session/{}{path}", self.session)
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        self.send(reqwest::Method::POST, &self.of_session(path), Some(body))
            .await
    }

    async fn send(&self, method: reqwest::Method, path: &str, body: Option<Value>) -> Value {
        let request = self
            .client
            .request(method, format!("http://127.0.0.1:{}{path}", self.driver.port));
        let request = match &body {
            Some(body) => request.json(body),
            None => request,
        };
        let answer = request.send().await.unwrap();
        let is_success = answer.status().is_success();
        let mut answer: Value = answer.json().await.unwrap();
        assert!(is_success, "{path} {body:?}: {}", answer["value"]["message"]);
        answer["value"].take()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if !self.session.is_empty() {
            // Ends Chromium and waits for it; killing the driver alone would leave it running.
            let request = format!(
                "DELETE /session/{} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
                self.session
            );
            if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.driver.port)) {
                let _ = stream.set_read_timeout(Some(Duration::from_secs(10)));
                let _ = stream.write_all(request.as_bytes());
                let _ = stream.read_to_end(&mut Vec::new());
            }
        }
    }
}

impl Driver {
    /// Starts chromedriver on a port that it finds free, and reads from its first words which one.
    fn start(chromedriver: &Path) -> Self {
        let mut process = Command::new(chromedriver)
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let words = BufReader::new(process.stdout.take().unwrap());
        let mut driver = Self {
            process,
            port: 0,
            words,
        };
        let mut line = String::new();
        while driver.words.read_line(&mut line).unwrap() > 0 {
            if let Some((_, port)) = line.split_once("successfully on port ") {
                driver.port = port.trim().trim_end_matches('.').parse().unwrap();
                return driver;
            }
            line.clear();
        }
        panic!("chromedriver ended before it listened");
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn on_path(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    names
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)))
        .find(|file| file.is_file())
}

fn skip(why: &str) -> Skip {
    let must_run = std::env::var("ORGDESK_TEST_REQUIRE_ALL").is_ok_and(|value| value == "1");
    assert!(!must_run, "ORGDESK_TEST_REQUIRE_ALL=1, but {why}");
    eprintln!("skipped: {why}");
    Skip(why.to_owned())
}
