//! The Dockerfile, read without a container engine: stages, exact bases, no root, no shell, no secret.
//! What its restrictions mean for the binary is tried in `restricted.rs`.

const DOCKERFILE: &str = include_str!("../../Dockerfile");
const DOCKERIGNORE: &str = include_str!("../../.dockerignore");
const MANIFEST: &str = include_str!("../../Cargo.toml");

#[test]
fn the_image_is_built_in_stages_from_exact_bases() {
    let stages = stages();
    assert!(stages.len() >= 2, "the compiler must not be in the image that runs");

    let mut names: Vec<&str> = Vec::new();
    for stage in &stages {
        let words: Vec<&str> = stage[0].rest.split_whitespace().collect();
        let base = words[0];
        let exact = base.contains("@sha256:")
            || base
                .rsplit_once(':')
                .is_some_and(|(_, tag)| !tag.is_empty() && tag != "latest" && !tag.contains('/'));
        assert!(exact || names.contains(&base), "{base} is not pinned");
        names.extend(words.iter().skip_while(|word| !word.eq_ignore_ascii_case("as")).nth(1));
    }

    let version = MANIFEST
        .lines()
        .find_map(|line| line.strip_prefix("rust-version = "))
        .expect("a Rust version");
    let builder = &stages[0][0].rest;
    assert!(
        builder.starts_with(&format!("rust:{}", version.trim_matches('"'))),
        "{builder}, but Rust {version}"
    );
}

#[test]
fn the_dependencies_are_a_layer_of_their_own() {
    let builder = &stages()[0];
    let manifests = builder
        .iter()
        .position(|line| line.name == "COPY" && line.rest.contains("Cargo.lock"));
    let sources = builder
        .iter()
        .position(|line| line.name == "COPY" && line.rest.starts_with(". "));
    let builds: Vec<usize> = (0..builder.len())
        .filter(|&at| builder[at].rest.contains("cargo build"))
        .collect();
    assert_eq!(builds.len(), 2, "one build of the dependencies, one of the rest");
    assert!(manifests.expect("the lock file is copied") < builds[0]);
    let sources = sources.expect("the sources are copied");
    assert!(builds[0] < sources && sources < builds[1]);
    for at in builds {
        assert!(
            builder[at].rest.contains("--locked") && builder[at].rest.contains("--release"),
            "{:?}",
            builder[at]
        );
    }
    let members = MANIFEST
        .lines()
        .find_map(|line| line.strip_prefix("members = "))
        .expect("a workspace");
    for member in members
        .split('"')
        .filter(|part| part.chars().all(char::is_alphanumeric) && !part.is_empty())
    {
        let copied = builder
            .iter()
            .any(|line| line.rest.contains(&format!("{member}/Cargo.toml")));
        assert!(copied, "the manifest of {member} is not copied");
    }
}

#[test]
fn the_image_that_runs_has_no_shell_and_no_root() {
    let last = stages().pop().expect("a stage");
    let base = &last[0].rest;
    assert!(
        base.contains("distroless") && !base.contains("debug"),
        "{base} may have a shell"
    );
    assert!(
        last.iter().all(|line| line.name != "RUN"),
        "without a shell nothing can RUN"
    );

    let users: Vec<&str> = last
        .iter()
        .filter(|line| line.name == "USER")
        .map(|line| line.rest.as_str())
        .collect();
    let [user] = users[..] else {
        panic!("one USER, not {users:?}")
    };
    for id in user.split(':') {
        assert!(
            id.parse::<u32>().is_ok_and(|id| id >= 10_000),
            "{user} is no plain number from 10000 up"
        );
    }
    assert_eq!(user, "65532:65532", "restricted.rs tries the binary as 65532");
}

#[test]
fn the_image_checks_its_health_by_its_own_binary() {
    let last = stages().pop().expect("a stage");
    let of = |name: &str| {
        last.iter()
            .find(|line| line.name == name)
            .map(|line| line.rest.as_str())
    };

    let entry: Vec<String> = serde_json::from_str(of("ENTRYPOINT").expect("an ENTRYPOINT")).expect("the exec form");
    let (_, check) = of("HEALTHCHECK")
        .expect("a HEALTHCHECK")
        .split_once("CMD ")
        .expect("a command");
    let check: Vec<String> = serde_json::from_str(check).expect("the exec form: there is no shell");
    assert_eq!(check, [entry[0].as_str(), "health"]);
    assert_eq!(of("CMD"), Some(r#"["serve"]"#));
    assert_eq!(of("EXPOSE"), Some("8080"));
    assert_eq!(of("VOLUME"), Some(r#"["/data"]"#), "the one writable folder");
    assert!(of("ENV").is_some_and(|variables| variables.contains("ORGDESK_DATA=/data")));
}

#[test]
fn the_image_carries_no_secret_and_fetches_nothing_unseen() {
    for line in stages().concat() {
        let upper = line.rest.to_uppercase();
        if line.name == "ENV" || line.name == "ARG" {
            for word in ["KEY", "SECRET", "PASSWORD", "TOKEN", "CREDENTIAL", "DATABASE_URL"] {
                assert!(!upper.contains(word), "{} {}", line.name, line.rest);
            }
        }
        assert_ne!(line.name, "ADD", "ADD fetches and unpacks: {}", line.rest);
        for word in ["CURL ", "WGET "] {
            assert!(!upper.contains(word), "{} {}", line.name, line.rest);
        }
    }
    for path in [".git", "data", "target"] {
        assert!(
            DOCKERIGNORE.lines().any(|line| line.trim_matches('/') == path),
            "{path} is sent to the builder"
        );
    }
}

/// One instruction of the Dockerfile, continued lines joined.
#[derive(Clone, Debug)]
struct Instruction {
    name: String,
    rest: String,
}

/// The instructions of each stage, FROM first. What stands before the first FROM is nobody's.
fn stages() -> Vec<Vec<Instruction>> {
    let text: String = DOCKERFILE
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .map(|line| format!("{line}\n"))
        .collect();
    let mut stages: Vec<Vec<Instruction>> = Vec::new();
    for line in text.replace("\\\n", " ").lines() {
        let Some((name, rest)) = line.trim().split_once(char::is_whitespace) else {
            continue;
        };
        if name == "FROM" {
            stages.push(Vec::new());
        }
        if let Some(stage) = stages.last_mut() {
            let rest = rest.split_whitespace().collect::<Vec<_>>().join(" ");
            stage.push(Instruction {
                name: name.to_owned(),
                rest,
            });
        }
    }
    stages
}
