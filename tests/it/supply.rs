//! What is built in: licences, forbidden and doubled crates, version floors and sources, as `deny.toml` states them.
//! Read from Cargo itself, without the network, so that it binds on every machine that can run the tests.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use cargo_metadata::semver::{Version, VersionReq};
use cargo_metadata::{Metadata, MetadataCommand, Package};

/// The folder of the workspace.
const WORKSPACE: &str = env!("CARGO_MANIFEST_DIR");

// case: L1
#[test]
fn every_licence_is_an_allowed_one() {
    let rules = rules();
    let allowed: BTreeSet<&str> = texts(&rules["licenses"]["allow"]).collect();
    let clarified = clarified(&rules);

    let refused: Vec<String> = metadata()
        .packages
        .iter()
        .map(|package| {
            (
                package,
                clarified
                    .get(package.name.as_str())
                    .copied()
                    .or(package.license.as_deref()),
            )
        })
        .filter(|(_, licence)| !licence.is_some_and(|licence| satisfies(licence, &allowed)))
        .map(|(package, licence)| format!("{}: {}", package.id, licence.unwrap_or("no licence")))
        .collect();

    assert!(
        refused.is_empty(),
        "not among the licences of deny.toml:\n{}",
        refused.join("\n")
    );
}

#[test]
fn a_clarified_licence_is_still_needed() {
    let rules = rules();
    let metadata = metadata();
    for name in clarified(&rules).keys() {
        let package = metadata.packages.iter().find(|package| package.name == *name);
        let package = package.unwrap_or_else(|| panic!("{name} is clarified in deny.toml, and not in the tree"));
        assert_eq!(
            package.license, None,
            "{name} states its licence now: take it out of deny.toml"
        );
    }
}

// case: L1
#[test]
fn nothing_forbidden_doubled_or_older_than_its_floor_is_built() {
    let rules = rules();
    let built = built();
    let bans = rules["bans"]["deny"].as_array().expect("bans.deny is a list");
    assert!(!bans.is_empty());

    let mut faults = Vec::new();
    for ban in bans {
        let (name, range) = ban["crate"]
            .as_str()
            .map(|spec| spec.split_once(':').unwrap_or((spec, "*")))
            .unwrap();
        let Some(versions) = built.get(name) else { continue };
        if ban.get("deny-multiple-versions").is_some() {
            if versions.len() > 1 {
                faults.push(format!("{name} is built in several versions: {versions:?}"));
            }
            continue;
        }
        let range = VersionReq::parse(range).unwrap_or_else(|error| panic!("{name}:{range}: {error}"));
        let reason = ban["reason"].as_str().expect("a ban has a reason");
        let hit = versions
            .iter()
            .filter(|version| range == VersionReq::STAR || range.matches(version));
        faults.extend(hit.map(|version| format!("{name} {version} is built, though {range} is banned: {reason}")));
    }

    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_shared_crates_are_there_once() {
    let built = built();
    for name in [
        "async-graphql",
        "axum",
        "libsqlite3-sys",
        "sea-orm",
        "sqlx",
        "sqlx-core",
    ] {
        assert_eq!(
            built.get(name).map(BTreeSet::len),
            Some(1),
            "{name}: {:?}",
            built.get(name)
        );
    }
}

#[test]
fn async_graphql_is_the_release_that_was_tried() {
    // 7.1.0 to 7.2.1 leave failed fields out of answers; a later release candidate may differ in anything.
    let tried = Version::parse("8.0.0-rc.5").unwrap();
    assert_eq!(built()["async-graphql"], BTreeSet::from([tried]));

    let metadata = metadata();
    let root = metadata.root_package().expect("the workspace has a root package");
    let asked = root
        .dependencies
        .iter()
        .find(|dependency| dependency.name == "async-graphql")
        .unwrap();
    assert_eq!(asked.req.to_string(), "=8.0.0-rc.5");
}

// case: L1
#[test]
fn every_crate_comes_from_the_registry() {
    let metadata = metadata();
    let strays: Vec<String> = metadata
        .packages
        .iter()
        .filter(|package| !metadata.workspace_members.contains(&package.id))
        .filter(|package| {
            !package
                .source
                .as_ref()
                .is_some_and(cargo_metadata::Source::is_crates_io)
        })
        .map(|package: &Package| package.id.to_string())
        .collect();

    assert!(strays.is_empty(), "from elsewhere than crates.io: {strays:?}");
}

#[test]
fn licence_expressions_are_read_as_spdx_says() {
    let allowed = BTreeSet::from(["MIT", "ISC", "Apache-2.0 WITH LLVM-exception"]);
    for licence in [
        "MIT",
        "GPL-3.0 OR MIT",
        "GPL-3.0/MIT",
        "(GPL-3.0 OR MIT) AND ISC",
        "Apache-2.0 WITH LLVM-exception",
    ] {
        assert!(satisfies(licence, &allowed), "{licence}");
    }
    for licence in [
        "",
        "GPL-3.0",
        "MIT AND GPL-3.0",
        "MIT AND (GPL-3.0 OR ISC AND Zlib)",
        "Apache-2.0",
        "MIT MIT",
    ] {
        assert!(!satisfies(licence, &allowed), "{licence}");
    }
}

fn rules() -> toml::Table {
    let path = format!("{WORKSPACE}/deny.toml");
    std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{path}: {error}"))
        .parse()
        .expect("deny.toml is TOML")
}

/// Crate → licence, for those whose manifest does not say it.
fn clarified(rules: &toml::Table) -> BTreeMap<&str, &str> {
    let entries = rules["licenses"]["clarify"]
        .as_array()
        .expect("licenses.clarify is a list");
    entries
        .iter()
        .map(|entry| (entry["crate"].as_str().unwrap(), entry["expression"].as_str().unwrap()))
        .collect()
}

fn texts(list: &toml::Value) -> impl Iterator<Item = &str> {
    list.as_array()
        .expect("a list")
        .iter()
        .map(|text| text.as_str().expect("a list of texts"))
}

/// All that Cargo resolved for this platform. More than is built: it takes in what a feature that is off would need.
fn metadata() -> Metadata {
    MetadataCommand::new()
        .current_dir(WORKSPACE)
        .other_options(["--locked", "--offline", "--filter-platform", &platform()].map(str::to_owned))
        .exec()
        .expect("cargo metadata")
}

/// What is built for this platform, tests included: crate → versions.
fn built() -> BTreeMap<String, BTreeSet<Version>> {
    let tree = cargo(&[
        "tree",
        "--workspace",
        "--locked",
        "--offline",
        "--target",
        &platform(),
        "--edges",
        "normal,build,dev",
        "--prefix",
        "none",
        "--format",
        "{p}",
    ]);
    let mut built: BTreeMap<String, BTreeSet<Version>> = BTreeMap::new();
    for line in tree.lines() {
        let mut words = line.split_whitespace();
        if let (Some(name), Some(version)) = (words.next(), words.next()) {
            let version =
                Version::parse(version.trim_start_matches('v')).unwrap_or_else(|_| panic!("no crate: {line}"));
            built.entry(name.to_owned()).or_default().insert(version);
        }
    }
    assert!(built.len() > 100, "cargo tree told too little:\n{tree}");
    built
}

fn platform() -> String {
    let version = cargo(&["--version", "--verbose"]);
    version
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .expect("cargo names its host")
        .to_owned()
}

fn cargo(arguments: &[&str]) -> String {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(arguments)
        .current_dir(WORKSPACE)
        .output()
        .expect("cargo runs");
    assert!(
        output.status.success(),
        "cargo {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("cargo writes UTF-8")
}

/// Whether an SPDX expression (or the older `A/B`) can be met with allowed licences only.
fn satisfies(expression: &str, allowed: &BTreeSet<&str>) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    any_of(&mut rest, allowed) && rest.is_empty()
}

/// `A OR B OR …`, from the front of `words`.
fn any_of(words: &mut &[&str], allowed: &BTreeSet<&str>) -> bool {
    let mut met = all_of(words, allowed);
    while let ["OR", rest @ ..] = *words {
        *words = rest;
        met |= all_of(words, allowed);
    }
    met
}

/// `A AND B AND …`: binds closer than OR.
fn all_of(words: &mut &[&str], allowed: &BTreeSet<&str>) -> bool {
    let mut met = one(words, allowed);
    while let ["AND", rest @ ..] = *words {
        *words = rest;
        met &= one(words, allowed);
    }
    met
}

/// A licence, one with an exception, or an expression in parentheses.
fn one(words: &mut &[&str], allowed: &BTreeSet<&str>) -> bool {
    match *words {
        ["(", rest @ ..] => {
            *words = rest;
            let met = any_of(words, allowed);
            let closed = words.first() == Some(&")");
            *words = words.get(1..).unwrap_or_default();
            met && closed
        }
        [licence, "WITH", exception, rest @ ..] => {
            *words = rest;
            allowed.contains(format!("{licence} WITH {exception}").as_str())
        }
        [licence, rest @ ..] => {
            *words = rest;
            allowed.contains(licence)
        }
        [] => false,
    }
}
