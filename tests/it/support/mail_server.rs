//! A mail server of its own process (`mail_server.py`), which keeps what it takes and fails as it is told.

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, channel},
    },
    time::Duration,
};

use orgdesk::kernel::config::{Protection, SmtpServer};
use serde_json::{Value, json};

use super::{python::python, skip::skipped};

/// A running mail server. It dies with this value.
pub struct MailServer {
    /// Its port on 127.0.0.1.
    pub port: u16,
    child: Child,
    orders: Mutex<ChildStdin>,
    done: Mutex<Receiver<()>>,
    letters: Arc<Mutex<Vec<Value>>>,
}

impl MailServer {
    /// One without TLS.
    pub fn plain() -> Option<Self> {
        Self::start(&[])
    }

    /// One with the options of the script; `None`, said once, where Python lacks what it needs.
    ///
    /// # Panics
    /// When it does not start, and where everything is required but nothing is there.
    pub fn start(options: &[&str]) -> Option<Self> {
        let Some(python) = python("aiosmtpd") else {
            skipped("Mail server", "no Python with aiosmtpd: `pip install aiosmtpd`");
            return None;
        };
        let mut child = Command::new(python)
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/support/mail_server.py"))
            .args(options)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let orders = Mutex::new(child.stdin.take().unwrap());
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let first: Value = serde_json::from_str(&lines.next().expect("it begins").unwrap()).unwrap();
        let letters = Arc::new(Mutex::new(Vec::new()));
        let (tell, done) = channel();
        let kept = letters.clone();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let mut event: Value = serde_json::from_str(&line).unwrap();
                match event["letter"].take() {
                    Value::Null => tell.send(()).unwrap_or_default(),
                    letter => kept.lock().unwrap().push(letter),
                }
            }
        });
        Some(Self {
            port: first["port"].as_u64().unwrap().try_into().unwrap(),
            child,
            orders,
            done: Mutex::new(done),
            letters,
        })
    }

    /// From now on, as often as it is said, this goes wrong in this phase.
    pub fn fail(&self, phase: &str, act: &str, times: Option<u32>) {
        let mut order = json!({ "phase": phase, "act": act });
        if let Some(times) = times {
            order["times"] = json!(times);
        }
        self.order(&order);
    }

    /// Nothing goes wrong any more.
    pub fn mend(&self) {
        self.order(&json!({}));
    }

    /// What it took so far.
    pub fn letters(&self) -> Vec<Value> {
        // Its events come in order: what it took before this order has been read when it is done.
        self.order(&Value::Null);
        self.letters.lock().unwrap().clone()
    }

    /// The way to it, without TLS.
    pub fn way(&self) -> SmtpServer {
        SmtpServer {
            host: "127.0.0.1".to_owned(),
            port: self.port,
            protection: Protection::None,
            credentials: None,
            authority: None,
            timeout: Duration::from_secs(20),
        }
    }

    fn order(&self, order: &Value) {
        let done = self.done.lock().unwrap();
        writeln!(self.orders.lock().unwrap(), "{order}").unwrap();
        done.recv_timeout(Duration::from_secs(30)).expect("it obeys");
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A certificate of 127.0.0.1 and its key, made for one test.
pub struct Certificate {
    folder: tempfile::TempDir,
}

impl Certificate {
    /// Makes one for a name such as `IP:127.0.0.1`.
    ///
    /// # Panics
    /// Without `openssl`.
    pub fn of(name: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let made = Command::new("openssl")
            .args("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2".split(' '))
            .args(["-subj", "/CN=mail", "-addext", &format!("subjectAltName={name}")])
            .args(["-addext", "basicConstraints=critical,CA:FALSE"])
            .args(["-keyout", "key.pem", "-out", "certificate.pem"])
            .current_dir(folder.path())
            .output()
            .expect("openssl");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        Self { folder }
    }

    /// The certificate itself, in PEM.
    pub fn pem(&self) -> Vec<u8> {
        std::fs::read(self.file("certificate.pem")).unwrap()
    }

    /// A server with it.
    pub fn server(&self, protection: &str, more: &[&str]) -> Option<MailServer> {
        let (certificate, key) = (self.file("certificate.pem"), self.file("key.pem"));
        let options = ["--protection", protection, "--certificate", &certificate, "--key", &key];
        MailServer::start(&[&options, more].concat())
    }

    fn file(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }
}
