//! A small picture of an organization in memory: deeds made up at random, what each of them does to the picture, and the
//! picture in lines that can be held against what the service says of itself.

mod deeds;
mod people;

use std::collections::{BTreeMap, BTreeSet};

use orgdesk::kernel::Random;
use serde_json::Value;

use super::make::Made;

/// A deed that was made up: it is done with its own key however often it is sent.
pub struct Deed {
    /// Its mutation.
    pub name: &'static str,
    /// The login ID of who does it.
    pub login: &'static str,
    /// What it says.
    pub document: String,
    /// With what.
    pub variables: Value,
    /// What is refused of it; `None` where it has to be done.
    pub refused: Option<&'static str>,
    /// The things that it has to do with: deeds without one in common can be done at the same time.
    pub things: Vec<String>,
    effect: Effect,
}

type Effect = Box<dyn Fn(&mut Picture, &Value) + Send>;

struct Service {
    id: String,
    contract: String,
    versions: (i64, i64),
    status: &'static str,
    users: i64,
    is_edited: bool,
}

/// Something with a version, and what is known of it in a word.
struct Thing {
    word: String,
    version: i64,
}

/// The organization as it has to be.
pub struct Picture {
    desk: Made,
    help: Made,
    people: BTreeMap<String, String>,
    services: BTreeMap<String, Service>,
    admins: BTreeMap<String, i64>,
    /// By login ID.
    agents: BTreeMap<String, (String, Thing)>,
    companies: BTreeMap<String, Thing>,
    keys: BTreeMap<String, Thing>,
    invitations: BTreeMap<String, Thing>,
    invited: usize,
    tickets: BTreeMap<String, Thing>,
    /// How often each mutation was done.
    pub done: BTreeMap<&'static str, usize>,
    next: u64,
}

impl Picture {
    /// One with two services that stay, and people, each with his ID, who have nothing to do yet.
    pub fn new(desk: Made, help: Made, people: BTreeMap<String, String>) -> Self {
        Self {
            desk,
            help,
            people,
            services: BTreeMap::new(),
            admins: BTreeMap::new(),
            agents: BTreeMap::new(),
            companies: BTreeMap::new(),
            keys: BTreeMap::new(),
            invitations: BTreeMap::new(),
            invited: 0,
            tickets: BTreeMap::new(),
            done: BTreeMap::new(),
            next: 0,
        }
    }

    /// Makes up so many deeds, at most, that can be done at the same time.
    pub fn deeds(&mut self, random: &Random, most: u64) -> Vec<Deed> {
        let mut deeds: Vec<Deed> = Vec::new();
        let mut taken = BTreeSet::new();
        for _ in 0..=random.below(most) {
            let deed = self.deed(random);
            if deed.things.iter().all(|thing| !taken.contains(thing)) {
                taken.extend(deed.things.iter().cloned());
                deeds.push(deed);
            }
        }
        deeds
    }

    /// What became of a deed.
    ///
    /// # Panics
    /// When it was refused, or when it was not and should have been.
    pub fn learn(&mut self, deed: &Deed, answer: &Value) {
        let payload = &answer["data"][deed.name];
        let code = payload["userErrors"][0]["code"]
            .as_str()
            .or(answer["errors"][0]["extensions"]["code"].as_str());
        assert_eq!(code, deed.refused, "{} {}: {answer}", deed.document, deed.variables);
        if deed.refused.is_none() {
            *self.done.entry(deed.name).or_default() += 1;
            (deed.effect)(self, payload);
        }
    }

    /// The whole of it, in lines.
    pub fn lines(&self) -> BTreeSet<String> {
        let mut lines = BTreeSet::new();
        for (code, service) in &self.services {
            let (version, of_contract) = service.versions;
            lines.insert(format!(
                "service {code} {} {version} contract {of_contract} users {}",
                service.status, service.users
            ));
        }
        lines.extend(self.admins.keys().map(|login| format!("admin {login}")));
        lines.extend(
            self.agents
                .iter()
                .map(|(login, (_, agent))| format!("agent {login} {} {}", agent.word, agent.version)),
        );
        for (kind, things) in [
            ("company", &self.companies),
            ("key", &self.keys),
            ("invitation", &self.invitations),
            ("ticket", &self.tickets),
        ] {
            lines.extend(
                things
                    .iter()
                    .map(|(id, thing)| format!("{kind} {id} {} {}", thing.word, thing.version)),
            );
        }
        lines
    }
}
