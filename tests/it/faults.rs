//! The cases of `docs/faults.md` against the tests that name them: none without a test, and no test of a case that is not
//! there. What is not proven yet is said there too, and that list only grows shorter.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// The cases that no test proves: a case leaves this list with its test, and none is added.
const NOT_PROVEN: [&str; 0] = [];

/// Before the code of a case, in a comment.
const MARK: &str = "// case: ";

#[test]
fn every_case_has_a_test_and_every_test_a_case() {
    let (proven, not_proven) = cases();
    let marks = marks();
    let named: BTreeSet<&str> = marks.keys().map(String::as_str).collect();

    let missing: Vec<_> = proven.iter().filter(|code| !named.contains(code.as_str())).collect();
    let unknown: Vec<_> = marks.iter().filter(|(code, _)| !proven.contains(*code)).collect();

    println!("{} cases, not proven yet: {not_proven:?}", proven.len());
    assert_eq!(missing, Vec::<&String>::new(), "no test proves these");
    assert_eq!(
        unknown,
        Vec::new(),
        "docs/faults.md does not have these, or not as proven"
    );
    assert!(proven.len() > 100, "{proven:?}");
    assert_eq!(not_proven, NOT_PROVEN.map(str::to_owned).into());
}

#[test]
fn a_mark_stands_at_a_test() {
    let marks = marks();
    let astray: Vec<_> = marks.values().flatten().filter(|mark| !mark.is_at_test).collect();

    assert_eq!(astray, Vec::<&Mark>::new());
}

/// The codes of the page: those that tests prove, and those that none does.
fn cases() -> (BTreeSet<String>, BTreeSet<String>) {
    let page = include_str!("../../docs/faults.md");
    let (proven, not_proven) = page.split_once("\n## Not proven yet\n").unwrap();
    let codes = |part: &str| {
        let mut codes = BTreeSet::new();
        for line in part.lines().filter_map(|line| line.strip_prefix("- ")) {
            let (code, what) = line.split_once(": ").unwrap_or_else(|| panic!("{line}"));
            assert!(is_code(code) && what.ends_with('.'), "{line}");
            assert!(codes.insert(code.to_owned()), "{code} stands there twice");
        }
        codes
    };
    let (proven, not_proven) = (codes(proven), codes(not_proven));
    assert!(proven.is_disjoint(&not_proven));
    (proven, not_proven)
}

fn is_code(text: &str) -> bool {
    let mut letters = text.chars();
    letters.next().is_some_and(|letter| letter.is_ascii_uppercase())
        && letters.as_str().parse::<u8>().is_ok_and(|number| number > 0)
}

/// Where a case is named.
#[derive(Debug, PartialEq)]
struct Mark {
    place: String,
    is_at_test: bool,
}

/// All marks by the case that they name.
fn marks() -> BTreeMap<String, Vec<Mark>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for folder in ["src", "tests"] {
        sources(&root.join(folder), &mut files);
    }
    let mut marks: BTreeMap<String, Vec<Mark>> = BTreeMap::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        for (number, line) in lines.iter().enumerate() {
            let Some(code) = line.strip_prefix(MARK) else { continue };
            let place = format!("{}:{}", file.strip_prefix(root).unwrap().display(), number + 1);
            assert!(is_code(code), "{place}: {code}");
            let is_at_test = stands_at_a_test(&lines, number);
            marks
                .entry(code.to_owned())
                .or_default()
                .push(Mark { place, is_at_test });
        }
    }
    marks
}

/// Whether a test begins right below or above a mark: other comments and attributes may stand between.
fn stands_at_a_test(lines: &[&str], number: usize) -> bool {
    let (above, below) = lines.split_at(number);
    let is_between = |line: &&&str| line.starts_with("//") || line.starts_with("#[");
    let is_test = |line: Option<&&str>| line.is_some_and(|line| line.contains("fn "));
    is_test(below.iter().find(|line| !is_between(line))) || is_test(above.iter().rev().find(|line| !is_between(line)))
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}
