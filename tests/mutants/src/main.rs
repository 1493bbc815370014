//! How much the tests would notice: puts small faults into the rules that matter most and sees whether a test fails.
//!
//! A build of the service takes minutes, so that all faults are built at once and each is turned on by a variable. First
//! every module of tests runs by itself and says by which faults it comes; then a sample of them is turned on, one after the
//! other, before the modules that come by it, until a test fails that passes without it.

mod mark;
mod run;
mod tree;

use std::{collections::BTreeMap, error::Error, path::PathBuf};

/// What must be found, by area: the beginnings of paths.
pub const AREAS: [(&str, &[&str]); 7] = [
    (
        "auth",
        &[
            "src/api/session.rs",
            "src/api/standing.rs",
            "src/kernel/actor.rs",
            "src/kernel/jwt.rs",
            "src/kernel/secret.rs",
            "src/member/account/",
            "src/member/identity/",
            "src/member/password",
            "src/member/second_factor/",
            "src/member/session.rs",
            "src/member/sign_in.rs",
            "src/partner/",
        ],
    ),
    (
        "tenancy",
        &[
            "src/kernel/caller.rs",
            "src/kernel/db.rs",
            "src/kernel/id.rs",
            "src/kernel/many.rs",
            "src/kernel/permission.rs",
            "src/kernel/reader.rs",
            "src/kernel/security.rs",
            "src/kernel/standing.rs",
            "src/kernel/tx.rs",
            "src/kernel/view.rs",
        ],
    ),
    (
        "pii",
        &[
            "src/pii/",
            "src/kernel/handling.rs",
            "src/kernel/mask.rs",
            "src/kernel/personal.rs",
            "src/kernel/seal/",
        ],
    ),
    (
        "audit",
        &[
            "src/audit/",
            "src/kernel/audit/",
            "src/kernel/difference.rs",
            "src/kernel/journal.rs",
            "src/kernel/looks.rs",
        ],
    ),
    ("import", &["src/import/"]),
    (
        "schedule",
        &[
            "src/worker/",
            "src/kernel/clock.rs",
            "src/kernel/outbox/",
            "src/kernel/zone/",
        ],
    ),
    ("idempotency", &["src/kernel/idempotency.rs", "src/kernel/replay.rs"]),
];

/// The area that a file belongs to.
pub fn area_of(file: &str) -> Option<&'static str> {
    let is_in = |paths: &[&str]| paths.iter().any(|path| file.starts_with(path));
    AREAS.iter().find(|(_, paths)| is_in(paths)).map(|(area, _)| *area)
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().ok_or("mutants FOLDER [SAMPLE] [SEED] [AREA...]")?);
    let sample: usize = arguments.next().map_or(Ok(200), |text| text.parse())?;
    let seed: u64 = arguments.next().map_or(Ok(1), |text| text.parse())?;
    let areas: Vec<String> = arguments.collect();

    let project = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?;
    let tree = tree::Tree::furnish(&project, &folder)?;
    let programs = tree.build()?;
    let modules = run::modules(&tree, &programs)?;
    let is_asked = |place: &tree::Place| {
        let area = area_of(&place.file).unwrap_or_default();
        areas.is_empty() || areas.iter().any(|asked| asked == area)
    };
    let mutants: Vec<_> = tree.mutants.iter().filter(|place| is_asked(place)).cloned().collect();
    let chosen = run::choose(mutants, sample, seed);
    let ends = run::ends(&tree, &modules, &chosen)?;

    let mut counts: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
    for (place, end) in &ends {
        let counts = counts.entry(area_of(&place.file).unwrap_or("")).or_default();
        counts[end.index()] += 1;
    }
    for (area, [found, missed, unreached]) in counts {
        let all = found + missed + unreached;
        println!("{area}: {found} of {all} found, {missed} missed, {unreached} by which no test comes");
    }
    Ok(())
}
