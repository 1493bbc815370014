//! Runs modules of tests: first to see what they come by, then with a fault turned on.

use std::{
    collections::{BTreeMap, HashSet},
    error::Error,
    fs, io,
    io::{BufRead, BufReader},
    os::unix::process::CommandExt,
    path::PathBuf,
    process::{Command, Stdio},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::{Duration, Instant},
};

use crate::tree::{Place, Programs, Tree};

/// How many modules are tried before a fault is said to be missed: the first ones of the whole library are come by everywhere.
const PATIENCE: usize = 40;

/// How many modules run at once, each with as many tests at once.
const AT_ONCE: usize = 2;

/// How long a module may take without a fault.
const LONGEST: Duration = Duration::from_secs(900);

/// Tests that belong together, all of which pass without a fault.
#[derive(Debug)]
pub struct Module {
    program: PathBuf,
    name: String,
    tests: Vec<String>,
    took: Duration,
    comes_by: HashSet<usize>,
}

/// What became of a fault.
pub enum End {
    /// This test failed, twice, which passes without the fault; or the module ended badly, twice.
    Found(String),
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

/// What a run of tests told.
#[derive(Default)]
struct Ran {
    failed: Vec<String>,
    /// It did not come to its end, or not in time.
    is_broken: bool,
}

/// A run of tests of one program.
struct Run<'a> {
    tree: &'a Tree,
    program: &'a PathBuf,
    tests: &'a [String],
    variable: Option<(&'a str, String)>,
    limit: Duration,
    /// At the first test that fails.
    stops: bool,
}

impl Run<'_> {
    fn begin(&self) -> io::Result<Ran> {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        // What tests leave when they are killed goes with their folder.
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let scratch = self.tree.folder.join(format!("t{number}"));
        fs::create_dir_all(&scratch)?;
        let mut command = Command::new(self.program);
        command.args(["--exact", "--test-threads=2"]).args(self.tests);
        command
            .env("CARGO_MANIFEST_DIR", &self.tree.root)
            .env("TMPDIR", &scratch);
        command.env("RUST_BACKTRACE", "0").env("RUST_MIN_STACK", "8388608");
        command.envs(self.variable.iter().map(|(name, value)| (*name, value)));
        command.current_dir(&self.tree.root).process_group(0);
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let lines = child.stdout.take().map(BufReader::new);
        let (says, heard) = mpsc::channel();
        thread::spawn(move || {
            for line in lines
                .into_iter()
                .flat_map(|lines| lines.split(b'\n'))
                .map_while(Result::ok)
            {
                if says.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                    return;
                }
            }
        });
        let ran = self.follow(&heard);
        // What it started goes with it.
        let group = format!("-{}", child.id());
        let _ = Command::new("kill")
            .args(["-9", "--", &group])
            .stderr(Stdio::null())
            .status();
        child.wait()?;
        let _ = fs::remove_dir_all(&scratch);
        Ok(ran)
    }

    fn follow(&self, heard: &mpsc::Receiver<String>) -> Ran {
        let begun = Instant::now();
        let mut ran = Ran::default();
        loop {
            match heard.recv_timeout(self.limit.saturating_sub(begun.elapsed())) {
                Ok(line) if line.starts_with("test result:") => return ran,
                Ok(line) => {
                    if let Some(test) = line
                        .strip_prefix("test ")
                        .and_then(|line| line.strip_suffix(" ... FAILED"))
                    {
                        ran.failed.push(test.to_owned());
                        if self.stops {
                            return ran;
                        }
                    }
                }
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    ran.is_broken = true;
                    return ran;
                }
            }
        }
    }
}

/// Runs every module without a fault, to see what it comes by. One that does not come to its end is left out.
pub fn modules(tree: &Tree, programs: &Programs) -> Result<Vec<Module>, Box<dyn Error>> {
    let (todo, done) = (Mutex::new(listed(tree, programs)?), Mutex::new(Vec::new()));
    at_once(|| {
        loop {
            let next = todo.lock().unwrap().pop();
            let Some(module) = next else { return Ok(()) };
            if let Some(module) = passing(tree, module)? {
                eprintln!(
                    "{} in {:?} comes by {}",
                    module.name,
                    module.took,
                    module.comes_by.len()
                );
                done.lock().unwrap().push(module);
            }
        }
    })?;
    Ok(done.into_inner()?)
}

/// The modules of all programs, with their tests.
fn listed(tree: &Tree, programs: &Programs) -> Result<Vec<Module>, Box<dyn Error>> {
    let mut modules = Vec::new();
    for (name, program) in programs {
        let listed = Command::new(program).arg("--list").current_dir(&tree.root).output()?;
        // The library's areas are as large as modules of the other tests two steps down.
        let depth = if name == "it" { 1 } else { 2 };
        let mut tests: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for test in String::from_utf8(listed.stdout)?
            .lines()
            .filter_map(|line| line.strip_suffix(": test"))
        {
            let parts: Vec<_> = test.split("::").collect();
            let module = parts[..depth.min(parts.len() - 1)].join("::");
            tests.entry(module).or_default().push(test.to_owned());
        }
        modules.extend(tests.into_iter().map(|(name, tests)| Module {
            program: program.clone(),
            name,
            tests,
            took: Duration::ZERO,
            comes_by: HashSet::new(),
        }));
    }
    Ok(modules)
}

/// The module without what fails by itself, and what the rest of it comes by.
fn passing(tree: &Tree, mut module: Module) -> io::Result<Option<Module>> {
    for _ in 0..2 {
        let folder = tree.folder.join(format!("seen-{:?}", thread::current().id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder)?;
        let begun = Instant::now();
        let variable = Some(("MUTANT_SEEN", folder.display().to_string()));
        let (program, tests) = (&module.program, &module.tests);
        let ran = Run {
            tree,
            program,
            tests,
            variable,
            limit: LONGEST,
            stops: false,
        }
        .begin()?;
        if ran.is_broken {
            eprintln!("{} does not come to its end, and is left out", module.name);
            return Ok(None);
        }
        module.took = begun.elapsed();
        let names = fs::read_dir(&folder)?
            .map_while(Result::ok)
            .map(|entry| entry.file_name());
        module.comes_by = names.filter_map(|name| name.to_str()?.parse().ok()).collect();
        if ran.failed.is_empty() {
            return Ok((!module.tests.is_empty()).then_some(module));
        }
        eprintln!("{} fails by itself: {:?}", module.name, ran.failed);
        module.tests.retain(|test| !ran.failed.contains(test));
    }
    eprintln!("{} fails now and then, and is left out", module.name);
    Ok(None)
}

fn at_once(work: impl Fn() -> io::Result<()> + Sync) -> io::Result<()> {
    thread::scope(|scope| {
        let workers: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(&work)).collect();
        let join = |worker: thread::ScopedJoinHandle<'_, _>| match worker.join() {
            Ok(done) => done,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        workers.into_iter().try_for_each(join)
    })
}

/// A sample of the faults, the same for the same seed.
pub fn choose(mut mutants: Vec<Place>, sample: usize, seed: u64) -> Vec<Place> {
    // SplitMix64, so that neighbours in the sources are none in the sample.
    let mixed = |number: usize| {
        let mut state = (number as u64 + 1)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .wrapping_add(seed);
        state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        state ^ (state >> 31)
    };
    mutants.sort_by_key(|place| mixed(place.number));
    mutants.truncate(sample);
    mutants
}

/// Whether a module's name has a word of a path in it.
fn is_named_after(module: &str, file: &str) -> bool {
    let words = file.trim_end_matches(".rs").split(['/', '_']);
    words
        .filter(|word| word.len() > 3 && *word != "kernel")
        .any(|word| module.contains(word))
}

/// What becomes of each of these faults, turned on by itself.
pub fn ends(tree: &Tree, modules: &[Module], chosen: &[Place]) -> Result<Vec<(Place, End)>, Box<dyn Error>> {
    let (next, ends) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
    at_once(|| {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(place) = chosen.get(index) else { return Ok(()) };
            let end = end_of(tree, modules, place)?;
            let told = match &end {
                End::Found(test) => format!("found by {test}"),
                End::Missed => "MISSED".to_owned(),
                End::Unreached => "UNREACHED".to_owned(),
            };
            println!("{} {}:{} {}: {told}", place.number, place.file, place.line, place.fault);
            ends.lock().unwrap().insert(place.number, (place.clone(), end));
        }
    })?;
    Ok(ends.into_inner()?.into_values().collect())
}

fn end_of(tree: &Tree, modules: &[Module], place: &Place) -> io::Result<End> {
    let mut near: Vec<_> = modules
        .iter()
        .filter(|module| module.comes_by.contains(&place.number))
        .collect();
    if near.is_empty() {
        return Ok(End::Unreached);
    }
    // Who is named after it is nearest, then who knows least of the rest; who takes long comes late.
    near.sort_by_key(|module| {
        let rest = module.comes_by.len() as u128 + module.took.as_millis() / 20;
        (!is_named_after(&module.name, &place.file), rest)
    });
    for module in near.into_iter().take(PATIENCE) {
        let run = |tests: &[String], is_on: bool| {
            let variable = is_on.then(|| ("MUTANT", place.number.to_string()));
            let limit = module.took * 4 + Duration::from_secs(30);
            Run {
                tree,
                program: &module.program,
                tests,
                variable,
                limit,
                stops: true,
            }
            .begin()
        };
        let ran = run(&module.tests, true)?;
        // What fails by chance fails no second time, or without the fault as well.
        if let Some(test) = ran.failed.into_iter().next() {
            let alone = [test.clone()];
            if run(&alone, true)?.failed == alone && run(&alone, false)?.failed.is_empty() {
                return Ok(End::Found(test));
            }
        } else if ran.is_broken && run(&module.tests, true)?.is_broken {
            return Ok(End::Found(format!("{}, which does not come to its end", module.name)));
        }
    }
    Ok(End::Missed)
}
