//! The built binary as a process of its own: started, awaited until it is ready, killed when the test is over.

use std::fs::File;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::canary;

/// The binary that Cargo built for these tests.
pub const BINARY: &str = env!("CARGO_BIN_EXE_orgdesk");

/// How long a start may take: a debug build on a busy machine seeds the demo first.
const PATIENCE: Duration = Duration::from_secs(180);

/// A server that answers. It dies with this value.
#[derive(Debug)]
pub struct Running {
    child: Child,
    output: tempfile::NamedTempFile,
}

impl Running {
    /// Starts `command`, which must become the server itself (`exec`), and waits until `address` is ready.
    ///
    /// # Panics
    /// With all that the process printed, when it ends or stays silent for three minutes.
    pub fn start(command: &mut Command, address: &str) -> Self {
        let output = tempfile::NamedTempFile::new().expect("a temporary file");
        let handle = || Stdio::from(output.reopen().expect("the temporary file is there"));
        let child = command
            .stdin(Stdio::null())
            .stdout(handle())
            .stderr(handle())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));

        let mut running = Self { child, output };
        let begin = Instant::now();
        while status(address, "/health/ready") != Some(200) {
            if let Some(end) = running.child.try_wait().expect("the process is our child") {
                panic!("{command:?} ended with {end}:\n{}", running.printed());
            }
            assert!(
                begin.elapsed() < PATIENCE,
                "{command:?} does not become ready:\n{}",
                running.printed()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
        running
    }

    /// What it wrote to its standard output and error until now.
    pub fn printed(&self) -> String {
        let mut text = String::new();
        let file = File::open(self.output.path());
        let _ = file.and_then(|mut file| file.read_to_string(&mut text));
        text
    }

    /// Asks it to stop, as a process manager does, and waits for its end.
    ///
    /// # Panics
    /// When it is still there after forty seconds.
    pub fn terminate(mut self) -> std::process::ExitStatus {
        self.signal("TERM");
        let begin = Instant::now();
        loop {
            if let Some(end) = self.child.try_wait().expect("the process is our child") {
                return end;
            }
            assert!(
                begin.elapsed() < Duration::from_secs(40),
                "it does not stop:\n{}",
                self.printed()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Sends it a signal, such as `STOP` and `CONT`.
    ///
    /// # Panics
    /// When it is gone.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args([&format!("-{name}"), &self.id().to_string()])
            .status();
        assert!(sent.is_ok_and(|sent| sent.success()), "kill -{name}");
    }

    /// Its process ID.
    pub fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        canary::search("what a process printed", &[self.output.path().to_owned()]);
    }
}

/// The status with which `http://address/path` answers a GET; `None` where nobody does within two seconds.
pub fn status(address: &str, path: &str) -> Option<u16> {
    let patience = Duration::from_secs(2);
    let mut stream = TcpStream::connect_timeout(&address.parse().ok()?, patience).ok()?;
    stream.set_read_timeout(Some(patience)).ok()?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    )
    .ok()?;
    let mut head = [0_u8; 12];
    stream.read_exact(&mut head).ok()?;
    std::str::from_utf8(&head).ok()?.strip_prefix("HTTP/1.1 ")?.parse().ok()
}
