//! A copy of the project with all faults in it, and what is built of it.

use std::{
    collections::HashSet,
    error::Error,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;

use crate::{area_of, mark};

/// A fault, and where it is.
#[derive(Clone, Debug)]
pub struct Place {
    pub number: usize,
    pub file: String,
    pub line: usize,
    pub fault: String,
}

/// The copy, and what can be turned on in it.
pub struct Tree {
    pub root: PathBuf,
    pub folder: PathBuf,
    pub mutants: Vec<Place>,
}

/// How a program is started that is to have no variables but its own.
const CLEAR: &str = ".env_clear()";

/// The same, with what says which fault is turned on.
const KEEP: &str = ".env_clear().envs(std::env::vars().filter(|(name, _)| name.starts_with(\"MUTANT\")))";

/// The programs of tests that were built: what they test, and where they are.
pub type Programs = Vec<(String, PathBuf)>;

impl Tree {
    /// Copies the project's files, marks them, and leaves out what does not compile.
    pub fn furnish(project: &Path, folder: &Path) -> Result<Self, Box<dyn Error>> {
        fs::create_dir_all(folder.join("tree"))?;
        let folder = folder.canonicalize()?;
        let root = folder.join("tree");
        let copy = "(git ls-files; git ls-files --others --exclude-standard) | tar -cf - -T - | tar -xf - -C \"$0\"";
        let copied = Command::new("bash")
            .args(["-euo", "pipefail", "-c", copy])
            .arg(&root)
            .current_dir(project)
            .status()?;
        if !copied.success() {
            return Err("the project was not copied".into());
        }
        // Whoever starts a program with variables of its own starts it with the fault, too.
        for file in listed(project, &["src", "tests/it"])? {
            let text = fs::read_to_string(project.join(&file))?;
            if text.contains(CLEAR) {
                write(&root.join(&file), &text.replace(CLEAR, KEEP))?;
            }
        }
        let mut tree = Self {
            root,
            folder,
            mutants: Vec::new(),
        };
        let mut left_out = HashSet::new();
        loop {
            tree.mark(project, &left_out)?;
            let wrong = tree.wrong()?;
            eprintln!("{} faults, {} of which do not compile", tree.mutants.len(), wrong.len());
            if wrong.is_empty() {
                eprintln!("{} are left out, for they did not", left_out.len());
                return Ok(tree);
            }
            left_out.extend(wrong);
        }
    }

    /// Writes the marked sources, those that differ.
    fn mark(&mut self, project: &Path, left_out: &HashSet<usize>) -> Result<(), Box<dyn Error>> {
        self.mutants.clear();
        let mut next = 0;
        for file in sources(project)? {
            let source = fs::read_to_string(project.join(&file))?;
            let (text, mutants, after) = mark::mark(&source, next, left_out)?;
            next = after;
            let place = |one: mark::Mutant| Place {
                number: one.number,
                file: file.clone(),
                line: one.line,
                fault: one.fault,
            };
            self.mutants.extend(mutants.into_iter().map(place));
            let text = text.replace(CLEAR, KEEP);
            write(&self.root.join(&file), &text)?;
        }
        write(&self.root.join("src/mutants.rs"), &mark::module(next))?;
        let library = fs::read_to_string(project.join("src/lib.rs"))?;
        write(
            &self.root.join("src/lib.rs"),
            &(library + "\n#[doc(hidden)]\npub mod mutants;\n"),
        )
    }

    fn cargo(&self, arguments: &[&str]) -> Command {
        let mut cargo = Command::new("cargo");
        cargo
            .args(arguments)
            .args(["--locked", "--message-format=json"])
            .current_dir(&self.root);
        cargo
            .env("CARGO_TARGET_DIR", self.folder.join("target"))
            .env("CARGO_INCREMENTAL", "0");
        cargo.stderr(Stdio::inherit());
        cargo
    }

    /// The faults that stand where something does not compile.
    fn wrong(&self) -> Result<HashSet<usize>, Box<dyn Error>> {
        let checked = self.cargo(&["build", "--lib"]).output()?;
        let mut wrong = HashSet::new();
        let mut others = Vec::new();
        for message in messages(&checked.stdout).filter(|message| message["message"]["level"] == "error") {
            // What is only mentioned beside the error is wrong only if nothing else can be.
            let named = |is_primary: bool| {
                let spans = message["message"]["spans"].as_array().into_iter().flatten();
                let spans = spans.filter(move |span| !is_primary || span["is_primary"] == true);
                let lines = spans.flat_map(|span| span["text"].as_array().into_iter().flatten());
                let numbers = lines.flat_map(|line| numbers_in(line["text"].as_str().unwrap_or_default()));
                numbers.collect::<HashSet<_>>()
            };
            let mut numbers = named(true);
            if numbers.is_empty() {
                numbers = named(false);
            }
            if numbers.is_empty() {
                others.push(message["message"]["rendered"].to_string());
            }
            wrong.extend(numbers);
        }
        if !checked.status.success() && wrong.is_empty() {
            return Err(others.join("\n").into());
        }
        Ok(wrong)
    }

    /// Builds the tests, and says which programs they are.
    pub fn build(&self) -> Result<Programs, Box<dyn Error>> {
        let built = self
            .cargo(&["test", "--no-run", "--lib", "--bins", "--test", "it"])
            .output()?;
        if !built.status.success() {
            let errors = messages(&built.stdout).filter(|message| message["message"]["level"] == "error");
            let told: Vec<_> = errors
                .map(|message| message["message"]["rendered"].to_string())
                .collect();
            return Err(format!("the tests do not build: {}", told.join("\n")).into());
        }
        let program = |message: Value| {
            let is_test = message["profile"]["test"] == true;
            let file = message["executable"].as_str().filter(|_| is_test)?;
            Some((message["target"]["name"].as_str()?.to_owned(), PathBuf::from(file)))
        };
        Ok(messages(&built.stdout)
            .filter_map(program)
            .filter(|(_, file)| file.exists())
            .collect())
    }
}

fn messages(lines: &[u8]) -> impl Iterator<Item = Value> {
    lines
        .split(|byte| *byte == b'\n')
        .filter_map(|line| serde_json::from_slice(line).ok())
}

/// The numbers that a line of a marked source asks for.
fn numbers_in(line: &str) -> Vec<usize> {
    let behind = line
        .split("crate::mutants::")
        .skip(1)
        .filter_map(|rest| rest.split_once('('));
    let number = |(_, rest): (&str, &str)| {
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().ok()
    };
    behind.filter_map(number).collect()
}

fn write(file: &Path, text: &str) -> Result<(), Box<dyn Error>> {
    if fs::read_to_string(file).ok().as_deref() != Some(text) {
        fs::write(file, text)?;
    }
    Ok(())
}

/// The sources of all areas, in order.
fn sources(project: &Path) -> Result<Vec<String>, Box<dyn Error>> {
    let is_of_tests = |file: &str| file.ends_with("/tests.rs") || file.contains("/tests/");
    let files = listed(project, &["src"])?.into_iter();
    Ok(files
        .filter(|file| area_of(file).is_some() && !is_of_tests(file))
        .collect())
}

/// The project's files of Rust below these folders.
fn listed(project: &Path, folders: &[&str]) -> Result<Vec<String>, Box<dyn Error>> {
    let listed = Command::new("git")
        .arg("ls-files")
        .args(folders)
        .current_dir(project)
        .output()?;
    let files = String::from_utf8(listed.stdout)?;
    Ok(files
        .lines()
        .filter(|file| file.ends_with(".rs"))
        .map(str::to_owned)
        .collect())
}
