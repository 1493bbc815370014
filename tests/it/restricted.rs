//! The binary under the restrictions of its container, on a machine that has no container engine: one writable folder,
//! everything else read-only, a user without a name, no way to gain rights (`support/read_only.sh`).

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::support::cluster::free_port;
use super::support::namespace::own_mounts;
use super::support::running::{BINARY, Running};

/// The user of the container.
const NOBODY: u32 = 65532;

#[test]
fn the_restrictions_of_these_tests_hold() {
    let Some(place) = Place::new() else { return };
    let try_all = "for folder in / /tmp /var/tmp /dev/shm /run \"$0\"; do
        touch \"$folder/trace\" 2>/dev/null && echo \"$folder\"; done; grep NoNewPrivs /proc/self/status; true";
    let output = place
        .restricted("sh")
        .args(["-c", try_all])
        .arg(&place.data)
        .output()
        .expect("sh runs");
    assert_eq!(said(&output), format!("{}\nNoNewPrivs:\t1\n", place.data.display()));
}

#[test]
fn the_binary_runs_restricted_and_writes_only_its_data() {
    let Some(place) = Place::new() else { return };
    let address = format!("127.0.0.1:{}", free_port());

    let running = Running::start(
        place
            .restricted(&place.binary)
            .arg("demo")
            .env("ORGDESK_LISTEN", &address),
        &address,
    );
    let health = || {
        place
            .restricted(&place.binary)
            .arg("health")
            .env("ORGDESK_LISTEN", &address)
            .output()
            .unwrap()
    };
    assert!(health().status.success(), "{}", said(&health()));
    assert_eq!(
        written(running.id(), &place.data),
        Vec::<PathBuf>::new(),
        "open for writing outside the data folder"
    );
    assert!(
        std::fs::read_dir(&place.data).is_ok_and(|mut entries| entries.next().is_some()),
        "it kept nothing"
    );

    let process = std::fs::read_to_string(format!("/proc/{}/status", running.id())).expect("it still runs");
    let line = |name: &str| {
        process
            .lines()
            .find_map(|line| line.strip_prefix(name))
            .unwrap_or_default()
            .trim()
    };
    assert_eq!(line("NoNewPrivs:"), "1");
    assert_eq!(line("CapEff:"), "0000000000000000");
    assert_ne!(line("Uid:").split_whitespace().next(), Some("0"));

    drop(running);
    assert!(
        !health().status.success(),
        "nobody is there any more, yet it says healthy"
    );
}

/// A folder tree like the container's: the binary, which nobody may change, and the folder for its data.
struct Place {
    _folder: tempfile::TempDir,
    binary: PathBuf,
    data: PathBuf,
    unshare: &'static [&'static str],
}

impl Place {
    /// `None`, said once, where this machine does not let us make a mount namespace.
    fn new() -> Option<Self> {
        let unshare = own_mounts("Container half")?;
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).expect("the folder is ours");
        let path = folder.path().canonicalize().expect("the folder is there");
        let (binary, data) = (path.join("orgdesk"), path.join("data"));
        std::fs::hard_link(BINARY, &binary)
            .or_else(|_| std::fs::copy(BINARY, &binary).map(drop))
            .expect("the binary can be copied");
        std::fs::create_dir(&data).expect("the folder is ours");
        if path.metadata().is_ok_and(|metadata| metadata.uid() == 0) {
            std::os::unix::fs::chown(&data, Some(NOBODY), Some(NOBODY)).expect("root gives away what it has");
        }
        Some(Self {
            _folder: folder,
            binary,
            data,
            unshare,
        })
    }

    /// `program` under the container's restrictions, with the environment of the image and nothing else.
    fn restricted(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new("unshare");
        command
            .args(self.unshare)
            .args(["sh", "-c", include_str!("support/read_only.sh"), "read_only.sh"]);
        command.arg(&self.data).arg(program.as_ref());
        command
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("ORGDESK_DATA", &self.data);
        command
    }
}

/// Regular files outside `data` that a process holds open for writing, its captured output aside.
fn written(process: u32, data: &Path) -> Vec<PathBuf> {
    let descriptors = std::fs::read_dir(format!("/proc/{process}/fd"))
        .expect("it still runs")
        .flatten();
    descriptors
        .filter(|descriptor| {
            !["0", "1", "2"]
                .iter()
                .any(|standard| descriptor.file_name() == *standard)
        })
        .filter(|descriptor| {
            let writes = 0o200;
            descriptor
                .path()
                .symlink_metadata()
                .is_ok_and(|metadata| metadata.mode() & writes != 0)
        })
        .filter_map(|descriptor| std::fs::read_link(descriptor.path()).ok())
        .filter(|target| target.is_absolute() && !target.starts_with(data) && !target.starts_with("/dev"))
        .collect()
}

fn said(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}
