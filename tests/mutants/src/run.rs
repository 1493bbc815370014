//! Runs modules of tests: first to see what they come by, then with a fault turned on.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    error::Error,
    fs,
    io::{BufRead, BufReader},
    os::unix::process::CommandExt,
    path::PathBuf,
    process::{Command, Stdio},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use crate::tree::{Place, Programs, Tree};

/// How many modules are tried before a fault is said to be missed, and how many at once.
const PATIENCE: usize = 40;
const AT_ONCE: usize = 2;

/// Tests that belong together.
#[derive(Debug)]
pub struct Module {
    program: PathBuf,
    name: String,
    took: Duration,
    /// Tests that fail also without a fault.
    failing: Vec<String>,
    seen: HashSet<usize>,
}

/// How it ended for a fault.
pub enum End {
    /// This test failed, or did not end.
    Found(String),
    /// None failed.
    Missed,
    /// No test comes by it.
    Unreached,
}

impl End {
    /// In the order in which they are told.
    pub fn index(&self) -> usize {
        match self {
            Self::Found(_) => 0,
            Self::Missed => 1,
            Self::Unreached => 2,
        }
    }
}

/// What a run of a module told.
struct Ran {
    failed: Vec<String>,
    is_late: bool,
}

/// Runs one module, until its end or until a test fails.
fn run(
    tree: &Tree,
    module: &Module,
    variables: &[(&str, String)],
    limit: Duration,
    stops: bool,
) -> std::io::Result<Ran> {
    let mut command = Command::new(&module.program);
    command.arg(format!("{}::", module.name)).args(["--test-threads=2"]);
    for test in &module.failing {
        command.args(["--skip", test]);
    }
    command
        .env("CARGO_MANIFEST_DIR", &tree.root)
        .env("RUST_BACKTRACE", "0")
        .env("RUST_MIN_STACK", "8388608");
    command.envs(variables.iter().map(|(name, value)| (*name, value)));
    command.current_dir(&tree.root).process_group(0);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let group = format!("-{}", child.id());
    let (told, heard) = std::sync::mpsc::channel();
    let lines = child.stdout.take().map(BufReader::new);
    thread::spawn(move || {
        for line in lines.into_iter().flat_map(BufRead::lines).map_while(Result::ok) {
            if told.send(line).is_err() {
                return;
            }
        }
    });
    let begun = Instant::now();
    let mut ran = Ran {
        failed: Vec::new(),
        is_late: false,
    };
    loop {
        match heard.recv_timeout(limit.saturating_sub(begun.elapsed())) {
            Ok(line) => {
                if let Some(test) = line
                    .strip_prefix("test ")
                    .and_then(|line| line.strip_suffix(" ... FAILED"))
                {
                    ran.failed.push(test.to_owned());
                    if stops {
                        break;
                    }
                }
            }
            Err(std::sync::mpsc::RecvTimeoutError::Timeout) => {
                ran.is_late = true;
                break;
            }
            Err(_) => break,
        }
    }
    // What it started goes with it.
    let _ = Command::new("kill")
        .args(["-9", "--", &group])
        .stderr(Stdio::null())
        .status();
    let status = child.wait()?;
    if ran.failed.is_empty() && !ran.is_late && !status.success() && status.code().is_some_and(|code| code != 0) {
        ran.failed.push(format!("{} ends", module.name));
    }
    Ok(ran)
}

/// Runs every module without a fault, to see what it comes by.
pub fn modules(tree: &Tree, programs: &Programs) -> Result<Vec<Module>, Box<dyn Error>> {
    let mut modules = Vec::new();
    for (name, program) in programs {
        let listed = Command::new(program).arg("--list").current_dir(&tree.root).output()?;
        let tests = String::from_utf8(listed.stdout)?;
        let depth = if name == "it" { 1 } else { 2 };
        let module = |line: &str| {
            let test = line.strip_suffix(": test")?;
            let parts: Vec<_> = test.split("::").collect();
            Some(parts[..depth.min(parts.len().saturating_sub(1))].join("::"))
        };
        let names: std::collections::BTreeSet<_> = tests
            .lines()
            .filter_map(module)
            .filter(|name| !name.is_empty())
            .collect();
        modules.extend(names.into_iter().map(|name| (program.clone(), name)));
    }
    let (todo, done) = (Mutex::new(modules), Mutex::new(Vec::new()));
    let work = || -> std::io::Result<()> {
        loop {
            let next = todo.lock().unwrap().pop();
            let Some((program, name)) = next else { return Ok(()) };
            let file = tree.folder.join(format!("seen-{}", name.replace("::", "-")));
            fs::write(&file, "")?;
            let mut module = Module {
                program,
                name,
                took: Duration::ZERO,
                failing: Vec::new(),
                seen: HashSet::new(),
            };
            let begun = Instant::now();
            let variables = [("MUTANT_SEEN", file.display().to_string())];
            let ran = run(tree, &module, &variables, Duration::from_secs(900), false)?;
            module.took = begun.elapsed();
            module.failing = ran.failed;
            let seen = fs::read_to_string(&file)?;
            module.seen = seen.lines().filter_map(|line| line.parse().ok()).collect();
            eprintln!(
                "{} in {:?}, comes by {}, failing {:?}",
                module.name,
                module.took,
                module.seen.len(),
                module.failing
            );
            done.lock().unwrap().push(module);
        }
    };
    at_once(work)?;
    Ok(done.into_inner()?)
}

fn at_once(work: impl Fn() -> std::io::Result<()> + Sync) -> std::io::Result<()> {
    thread::scope(|scope| {
        let workers: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(&work)).collect();
        workers
            .into_iter()
            .try_for_each(|worker| worker.join().unwrap_or(Ok(())))
    })
}

/// A sample of the faults, the same for the same seed.
pub fn choose(mutants: &[Place], sample: usize, seed: u64) -> Vec<Place> {
    let mixed = |number: usize| {
        let mut state = (number as u64 + 1)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .wrapping_add(seed);
        state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        state ^ (state >> 31)
    };
    let mut chosen: Vec<_> = mutants.to_vec();
    chosen.sort_by_key(|place| mixed(place.number));
    chosen.truncate(sample);
    chosen
}

/// Whether a module's name has a word of a path in it.
fn is_named_after(module: &str, file: &str) -> bool {
    let words = file
        .trim_end_matches(".rs")
        .split(['/', '_'])
        .filter(|word| word.len() > 3 && *word != "kernel");
    words.into_iter().any(|word| module.contains(word))
}

/// Turns on each fault by itself.
pub fn all(tree: &Tree, modules: &[Module], chosen: &[Place]) -> Result<Vec<(Place, End)>, Box<dyn Error>> {
    let sizes: HashMap<&str, usize> = modules
        .iter()
        .map(|module| (module.name.as_str(), module.seen.len()))
        .collect();
    let (next, ends) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
    let work = || -> std::io::Result<()> {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(place) = chosen.get(index) else { return Ok(()) };
            let mut near: Vec<_> = modules
                .iter()
                .filter(|module| module.seen.contains(&place.number))
                .collect();
            // Who is named after it is nearest, then who knows least of the rest; who takes long comes late.
            near.sort_by_key(|module| {
                let rest = sizes[module.name.as_str()] as u128 + module.took.as_millis() / 20;
                (!is_named_after(&module.name, &place.file), rest)
            });
            let mut end = if near.is_empty() { End::Unreached } else { End::Missed };
            for module in near.into_iter().take(PATIENCE) {
                let variables = [("MUTANT", place.number.to_string())];
                let limit = module.took * 4 + Duration::from_secs(30);
                let ran = run(tree, module, &variables, limit, true)?;
                if let Some(test) = ran.failed.into_iter().next() {
                    end = End::Found(test);
                } else if ran.is_late {
                    end = End::Found(format!("{} does not end", module.name));
                }
                if matches!(end, End::Found(_)) {
                    break;
                }
            }
            let told = match &end {
                End::Found(test) => format!("found by {test}"),
                End::Missed => "MISSED".to_owned(),
                End::Unreached => "UNREACHED".to_owned(),
            };
            println!("{} {}:{} {}: {told}", place.number, place.file, place.line, place.fault);
            ends.lock().unwrap().insert(place.number, (place.clone(), end));
        }
    };
    at_once(work)?;
    Ok(ends.into_inner()?.into_values().collect())
}
