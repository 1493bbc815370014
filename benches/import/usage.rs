//! What the server and the process that reads its files use: processors and memory, as `/proc` tells them.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{JoinHandle, sleep},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::server::{self, Server};

/// How often it is looked for a process that reads.
const LOOK: Duration = Duration::from_millis(40);
/// How often the memory of one is looked at.
const CLOSE_LOOK: Duration = Duration::from_millis(5);
/// A clock tick of `/proc`: USER_HZ is 100 on every architecture of Linux that this runs on.
const TICK: Duration = Duration::from_millis(10);

/// What a piece of work used.
#[derive(Clone, Copy, Debug, Default)]
pub struct Used {
    pub server: Duration,
    /// The processes that read files.
    pub child: Duration,
    /// PostgreSQL; nothing where the database is in the server.
    pub database: Duration,
    pub server_peak: u64,
    pub child_peak: u64,
    /// For how long there was a process that reads.
    pub child_wall: Duration,
}

impl Used {
    pub fn json(&self) -> Value {
        json!({
            "serverSeconds": self.server.as_secs_f64(), "readerSeconds": self.child.as_secs_f64(),
            "databaseSeconds": self.database.as_secs_f64(), "serverPeakBytes": self.server_peak,
            "readerPeakBytes": self.child_peak, "readerWallSeconds": self.child_wall.as_secs_f64(),
        })
    }
}

/// Looks on until it is asked.
pub struct Watch {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<(u64, Duration)>,
    before: [Duration; 3],
    postmaster: Option<u32>,
}

impl Watch {
    pub fn begin(server: &Server, postmaster: Option<u32>) -> Self {
        server.forget_peak();
        let stop = Arc::new(AtomicBool::new(false));
        let (own, id) = (stop.clone(), server.id());
        Self {
            stop,
            thread: std::thread::spawn(move || look(id, &own)),
            before: times(server, postmaster),
            postmaster,
        }
    }

    pub fn end(self, server: &Server) -> Used {
        self.stop.store(true, Ordering::Relaxed);
        let (child_peak, child_wall) = self.thread.join().expect("whoever looks on");
        let after = times(server, self.postmaster);
        let since = |place: usize| after[place].saturating_sub(self.before[place]);
        Used {
            server: since(0),
            child: since(1),
            database: since(2),
            server_peak: server.peak(),
            child_peak,
            child_wall,
        }
    }
}

/// Of the server, of its children that have ended, of the database.
fn times(server: &Server, postmaster: Option<u32>) -> [Duration; 3] {
    let fields = server::stat(server.id()).expect("a running server");
    // utime, stime, cutime, cstime: fields 14 to 17 of proc(5), from 3 on.
    let sum = |from: usize| TICK * u32::try_from(fields[from] + fields[from + 1]).unwrap_or(u32::MAX);
    let database = postmaster.map(server::database).unwrap_or_default();
    [sum(11), sum(13), database]
}

/// The most memory that a reading process had, and for how long there was one.
fn look(server: u32, stop: &AtomicBool) -> (u64, Duration) {
    let (mut peak, mut wall) = (0, Duration::ZERO);
    while !stop.load(Ordering::Relaxed) {
        if let Some(child) = reader_of(server) {
            let begin = Instant::now();
            while let Some(now) = peak_of(child) {
                peak = peak.max(now);
                sleep(CLOSE_LOOK);
            }
            wall += begin.elapsed();
        } else {
            sleep(LOOK);
        }
    }
    (peak, wall)
}

fn reader_of(server: u32) -> Option<u32> {
    let children = fs::read_dir("/proc").ok()?.flatten().filter_map(|entry| {
        let id: u32 = entry.file_name().to_str()?.parse().ok()?;
        (server::stat(id)?[1] == u64::from(server)).then_some(id)
    });
    // Before it is the program itself, a new process is a copy of its parent.
    let mut children = children.filter(|id| {
        let line = fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
        line.ends_with(b"import\0read\0")
    });
    children.next()
}

/// `None` once it has ended.
fn peak_of(id: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kilobytes * 1024)
}

/// What this thread has used of the processors.
pub fn of_this_thread() -> Duration {
    let text = fs::read_to_string("/proc/thread-self/schedstat").expect("/proc");
    let nanoseconds = text.split_whitespace().next().and_then(|word| word.parse().ok());
    Duration::from_nanos(nanoseconds.expect("a number"))
}

/// The machine's load, as it is told.
pub fn load_average() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().take(3).collect::<Vec<_>>().join(" ")
}
