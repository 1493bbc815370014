//! The processes under measurement: the service as it was built, the hand-written handler, PostgreSQL; what they cost in
//! time of the processor and in memory.

use std::{
    fs,
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use crate::{
    client::{Connection, Request},
    cluster,
    data::{self, DataSet},
};

/// The argument with which this program is the hand-written server.
pub const HAND_WRITTEN: &str = "--hand-written";

/// Longest wait for a first answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// A clock tick of `/proc`: USER_HZ is 100 on every architecture of Linux that this runs on.
const TICK: Duration = Duration::from_millis(10);

/// A running server. It is killed with this value.
pub struct Server {
    child: Child,
    pub address: SocketAddr,
    /// From the start of the process to the first answer.
    pub start: Duration,
}

impl Server {
    /// Starts the service and asks it until it answers.
    pub async fn service(data: &DataSet, first: &Request) -> Self {
        Self::with(data::variables(&data.app_url), first).await
    }

    /// The same with these variables, on whatever database they name.
    pub async fn with(variables: impl IntoIterator<Item = (String, String)>, first: &Request) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_orgdesk"));
        let address = free_address();
        command
            .arg("serve")
            .env_clear()
            .envs(variables)
            .env("ORGDESK_LISTEN", address.to_string());
        Self::start(command, address, first).await
    }

    /// The same under valgrind's callgrind, which counts nothing before it is told to and writes its profiles to `folder`.
    pub async fn counted(
        variables: impl IntoIterator<Item = (String, String)>,
        first: &Request,
        folder: &Path,
    ) -> Self {
        let mut command = Command::new("valgrind");
        let address = free_address();
        command
            .args(["--tool=callgrind", "--instr-atstart=no"])
            .arg(format!("--callgrind-out-file={}", folder.join("profile").display()))
            .args([env!("CARGO_BIN_EXE_orgdesk"), "serve"])
            .env_clear()
            .envs(variables)
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            .env("ORGDESK_LISTEN", address.to_string());
        Self::start(command, address, first).await
    }

    /// Starts the hand-written server, likewise.
    pub async fn hand_written(data: &DataSet, first: &Request) -> Self {
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        let address = free_address();
        command.args([HAND_WRITTEN, &address.to_string()]).env_clear().env(
            "DATABASE_URL",
            format!("{}?application_name={HAND_WRITTEN}", data.admin_url),
        );
        Self::start(command, address, first).await
    }

    async fn start(mut command: Command, address: SocketAddr, first: &Request) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let begin = Instant::now();
        let mut child = command.spawn().expect("the server's program");
        loop {
            if let Ok(mut connection) = Connection::open(address).await {
                let (status, body) = connection.ask(first).await.expect("an answer");
                assert_eq!(status, 200, "{}", String::from_utf8_lossy(body));
                break;
            }
            let ended = child.try_wait().expect("a child");
            assert!(
                ended.is_none() && begin.elapsed() < PATIENCE,
                "{command:?} does not serve"
            );
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        Self {
            start: begin.elapsed(),
            child,
            address,
        }
    }

    /// What the server used of the processors, and what the database did.
    pub fn used(&self, data: &DataSet) -> Used {
        Used {
            server: ticks(self.id(), false),
            database: database(data.postmaster),
        }
    }

    /// The ID of its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Resident memory in bytes.
    pub fn resident(&self) -> u64 {
        self.memory("VmRSS:")
    }

    /// The most that was resident since it was last forgotten, in bytes.
    pub fn peak(&self) -> u64 {
        self.memory("VmHWM:")
    }

    /// From now on, the peak is that from now on.
    pub fn forget_peak(&self) {
        fs::write(format!("/proc/{}/clear_refs", self.id()), "5").expect("a running server");
    }

    fn memory(&self, name: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id())).expect("a running server");
        let line = status.lines().find_map(|line| line.strip_prefix(name)).expect(name);
        let kilobytes: u64 = line.trim().trim_end_matches("kB").trim().parse().expect("a number");
        kilobytes * 1024
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_address() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], cluster::free_port()))
}

/// Time of the processors.
#[derive(Clone, Copy, Debug)]
pub struct Used {
    pub server: Duration,
    pub database: Duration,
}

impl Used {
    /// What was used since then.
    pub fn since(self, before: Self) -> Self {
        Self {
            server: self.server.saturating_sub(before.server),
            database: self.database.saturating_sub(before.database),
        }
    }
}

/// The postmaster, what it waited for, and its children.
pub fn database(postmaster: u32) -> Duration {
    let mut sum = ticks(postmaster, true);
    for entry in fs::read_dir("/proc").expect("/proc").flatten() {
        let Some(id) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        if stat(id).is_some_and(|fields| fields[1] == u64::from(postmaster)) {
            sum += ticks(id, true);
        }
    }
    sum
}

fn ticks(id: u32, with_children: bool) -> Duration {
    // utime, stime, cutime, cstime: fields 14 to 17 of proc(5), from 3 on.
    let last = if with_children { 15 } else { 13 };
    let sum: u64 = stat(id).map_or(0, |fields| fields[11..last].iter().sum());
    TICK * u32::try_from(sum).unwrap_or(u32::MAX)
}

/// The fields after the name of a process, the third of all first; what is no number is 0.
pub fn stat(id: u32) -> Option<Vec<u64>> {
    let text = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let (_, fields) = text.rsplit_once(')')?;
    Some(
        fields
            .split_whitespace()
            .map(|field| field.parse().unwrap_or(0))
            .collect(),
    )
}
