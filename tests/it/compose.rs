//! compose.yaml, read without a container engine: every service is pinned, without rights and healthy by a check of its own,
//! and nothing secret is in it. The settings that deploy/secrets.sh makes are read as the service reads them.

use std::process::Command;

use orgdesk::kernel::{
    Settings,
    config::{Source, Storage},
};
use yaml_rust2::{Yaml, YamlLoader};

const COMPOSE: &str = include_str!("../../compose.yaml");
const MANIFEST: &str = include_str!("../../Cargo.toml");

/// Those that end when they are done.
const ONCE: [&str; 2] = ["migrate", "bucket"];

fn compose() -> Yaml {
    let mut documents = YamlLoader::load_from_str(COMPOSE).expect("compose.yaml is YAML");
    assert_eq!(documents.len(), 1);
    documents.remove(0)
}

/// The services by their names.
fn services(compose: &Yaml) -> Vec<(&str, &Yaml)> {
    let services = compose["services"].as_hash().expect("services");
    services
        .iter()
        .map(|(name, service)| (name.as_str().unwrap(), service))
        .collect()
}

/// The texts of a list.
fn texts(list: &Yaml) -> Vec<&str> {
    let list = list.as_vec().map(Vec::as_slice).unwrap_or_default();
    list.iter().filter_map(Yaml::as_str).collect()
}

/// The names of a mapping.
fn names(mapping: &Yaml) -> Vec<&str> {
    let names = mapping.as_hash().into_iter().flat_map(|hash| hash.keys());
    names.filter_map(Yaml::as_str).collect()
}

#[test]
fn p5_every_service_is_pinned_and_has_no_rights() {
    let compose = compose();
    let all = services(&compose);
    for needed in ["postgres", "orgdesk", "s3", "mail"] {
        assert!(all.iter().any(|(name, _)| *name == needed), "{needed} is absent");
    }
    for (name, service) in all {
        let (_, tag) = service["image"]
            .as_str()
            .and_then(|image| image.rsplit_once(':'))
            .expect(name);
        assert!(
            tag.contains('.') && tag != "latest" && !tag.contains('/'),
            "{name}: {tag}"
        );
        assert_eq!(service["user"].as_str(), Some("65532:65532"), "{name}");
        assert_eq!(service["read_only"].as_bool(), Some(true), "{name}");
        assert_eq!(texts(&service["cap_drop"]), ["ALL"], "{name}");
        assert_eq!(texts(&service["security_opt"]), ["no-new-privileges:true"], "{name}");
        for gained in [
            "privileged",
            "cap_add",
            "devices",
            "pid",
            "ipc",
            "userns_mode",
            "extends",
            "env_file",
        ] {
            assert!(service[gained].is_badvalue(), "{name} has {gained}");
        }
    }
}

#[test]
fn p5_every_service_that_stays_says_how_it_is() {
    let compose = compose();
    for (name, service) in services(&compose) {
        let check = &service["healthcheck"];
        if ONCE.contains(&name) {
            assert_eq!(check["disable"].as_bool(), Some(true), "{name}");
            assert_eq!(service["restart"].as_str(), Some("no"), "{name}");
            continue;
        }
        let test = texts(&check["test"]);
        assert!(test.first() == Some(&"CMD") && test.len() > 1, "{name}: {test:?}");
        for bound in ["interval", "timeout", "retries", "start_period"] {
            assert!(!check[bound].is_badvalue(), "{name}: a check without {bound}");
        }
        assert_eq!(service["restart"].as_str(), Some("unless-stopped"), "{name}");
    }
    let orgdesk = &compose["services"]["orgdesk"];
    assert_eq!(texts(&orgdesk["healthcheck"]["test"]), ["CMD", "/orgdesk", "health"]);
    let version = MANIFEST
        .lines()
        .find_map(|line| line.strip_prefix("version = "))
        .unwrap();
    assert_eq!(
        orgdesk["image"].as_str().unwrap(),
        format!("orgdesk:{}", version.trim_matches('"'))
    );
    let needs = &orgdesk["depends_on"];
    assert_eq!(needs["postgres"]["condition"].as_str(), Some("service_healthy"));
    assert_eq!(
        needs["migrate"]["condition"].as_str(),
        Some("service_completed_successfully")
    );
}

#[test]
fn p5_nothing_secret_is_in_it_and_what_is_kept_is_in_volumes() {
    let compose = compose();
    let (volumes, secrets) = (names(&compose["volumes"]), names(&compose["secrets"]));
    for name in &secrets {
        let secret = &compose["secrets"][*name];
        assert_eq!(names(secret), ["file"], "{name}");
        assert!(secret["file"].as_str().unwrap().starts_with("./secrets/"), "{name}");
    }
    for (name, service) in services(&compose) {
        for given in texts(&service["secrets"]) {
            assert!(secrets.contains(&given), "{name}: {given}");
        }
        for volume in texts(&service["volumes"]) {
            let (source, _) = volume.split_once(':').expect(volume);
            assert!(volumes.contains(&source), "{name}: {volume} is no volume of its own");
        }
        for variable in names(&service["environment"]) {
            let is_file = variable.ends_with("_FILE") || variable == "ORGDESK_CONFIG";
            let value = service["environment"][variable].as_str().unwrap();
            for word in ["KEY", "SECRET", "PASSWORD", "TOKEN", "RING", "URL"] {
                assert!(!variable.contains(word) || is_file, "{name}: {variable}");
            }
            assert!(!is_file || value.starts_with("/run/secrets/"), "{name}: {variable}");
        }
        for port in texts(&service["ports"]) {
            assert!(port.starts_with("127.0.0.1:"), "{name}: {port} is open to the world");
        }
    }
    assert!(
        !COMPOSE.contains("${"),
        "nothing comes from the environment, and so nothing has a default"
    );
    assert_eq!(compose["networks"]["inside"]["internal"].as_bool(), Some(true));
    assert_eq!(texts(&compose["services"]["postgres"]["networks"]), ["inside"]);
    let ignored = include_str!("../../.gitignore").to_owned() + include_str!("../../.dockerignore");
    assert_eq!(
        ignored.lines().filter(|line| *line == "/secrets").count(),
        2,
        "kept out of the repository and of images"
    );
}

#[test]
fn p5_the_settings_that_are_made_for_it_are_usable_and_new_each_time() {
    if Command::new("openssl").arg("version").output().is_err() {
        return super::support::skip::skipped("The secrets of compose.yaml", "no openssl");
    }
    let compose = compose();
    let made = || {
        let folder = tempfile::tempdir().unwrap();
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/secrets.sh");
        let run = || {
            Command::new("sh")
                .arg(script)
                .current_dir(folder.path())
                .output()
                .unwrap()
        };
        let first = run();
        assert!(first.status.success(), "{}", String::from_utf8_lossy(&first.stderr));
        assert!(!run().status.success(), "what is there stays");
        for name in names(&compose["secrets"]) {
            use std::os::unix::fs::PermissionsExt;
            let file = folder.path().join(compose["secrets"][name]["file"].as_str().unwrap());
            assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{name}");
        }
        let file = folder.path().join("secrets/orgdesk.toml");
        let mut variables = vec![("ORGDESK_CONFIG".to_owned(), file.display().to_string())];
        let environment = &compose["services"]["orgdesk"]["environment"];
        for name in names(environment).into_iter().filter(|name| *name != "ORGDESK_CONFIG") {
            variables.push((name.to_owned(), environment[name].as_str().unwrap().to_owned()));
        }
        let source = Source::read(variables.into_iter()).unwrap();
        Settings::for_service(&source).unwrap()
    };

    let (one, other) = (made(), made());

    assert!(matches!(&one.storage, Storage::Bucket(bucket) if bucket.name == "orgdesk"));
    assert!(one.database_url.contains("@postgres:5432/orgdesk"));
    assert_ne!(one.secret, other.secret);
    assert_ne!(one.database_url, other.database_url);
    assert_ne!(one.storage, other.storage);
}
