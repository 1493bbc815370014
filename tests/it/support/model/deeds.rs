//! Deeds made up at random: what there is decides what can be done with it.

use orgdesk::kernel::Random;
use serde_json::{Value, json};

use super::{super::ticket, Deed, Picture, Service, Thing};

/// What is asked of a service in an answer, and of a contract.
const SERVICE: &str = "service { id version contract { id version } }";
const CONTRACT: &str = "contract { version service { version } }";

impl Picture {
    /// Makes up a deed, with a key of its own.
    pub(super) fn deed(&mut self, random: &Random) -> Deed {
        self.next += 1;
        let number = self.next;
        let deed = match random.below(12) {
            0 if self.services.len() < 90 => self.service_create(number),
            0..=3 => self.service_change(random, number),
            4 => self.admin(random),
            5 => self.agent(random),
            6 => self.company(random, number),
            7 => self.key(random, number),
            8 => self.invitation(random, number),
            9 if self.tickets.len() < 500 => self.ticket_create(random),
            9 | 10 => self.ticket_update(random),
            _ => self.refused(random),
        };
        let mut deed = deed.unwrap_or_else(|| self.ticket_create(random).unwrap());
        deed.variables["input"]["idempotencyKey"] = json!(format!("deed-{number}"));
        deed
    }

    fn service_create(&self, number: u64) -> Option<Deed> {
        let code = letters(number);
        let input = json!({ "kind": "CONSULTATION", "code": code, "name": format!("서비스 {number}") });
        Some(deed(
            "serviceCreate",
            "owner",
            SERVICE,
            json!({ "input": input }),
            vec![code.clone()],
            move |picture, payload| {
                let service = &payload["service"];
                let made = Service {
                    id: text(&service["id"]),
                    contract: text(&service["contract"]["id"]),
                    versions: (1, 1),
                    status: "NOT_IN_USE",
                    users: 0,
                    is_edited: false,
                };
                picture.services.insert(code.clone(), made);
            },
        ))
    }

    /// The next thing in the life of a service.
    fn service_change(&self, random: &Random, number: u64) -> Option<Deed> {
        let (code, service) = pick(random, self.services.iter())?;
        let users = i64::try_from(number % 40).unwrap() + 1;
        let (version, of_contract) = service.versions;
        let items = json!([{ "code": "TICKET", "userCount": users }]);
        let signs = json!({ "expectedVersion": of_contract, "items": items });
        let plain = json!({ "expectedVersion": version });
        let (name, id, input, status, is_edited) = match service.status {
            "NOT_IN_USE" => ("contractSign", &service.contract, signs, "IN_USE", false),
            "IN_USE" if !service.is_edited && random.below(2) == 0 => {
                ("contractUpdate", &service.contract, signs, "IN_USE", true)
            }
            "IN_USE" => (
                "serviceSuspend",
                &service.id,
                json!({ "expectedVersion": version, "acknowledgeCharges": true }),
                "SUSPENDED",
                service.is_edited,
            ),
            "SUSPENDED" if random.below(4) > 0 => ("serviceResume", &service.id, plain, "IN_USE", service.is_edited),
            "SUSPENDED" => ("serviceTerminate", &service.id, plain, "TERMINATED", service.is_edited),
            _ => return self.service_create(number),
        };
        let of_contract = name.starts_with("contract");
        let users = if of_contract { users } else { service.users };
        let (fields, code) = (if of_contract { CONTRACT } else { SERVICE }, code.clone());
        let variables = json!({ "id": id, "input": input });
        Some(deed(
            name,
            "owner",
            fields,
            variables,
            vec![code.clone()],
            move |picture, payload| {
                let service = picture.services.get_mut(&code).unwrap();
                let version = |way: &str| {
                    payload
                        .pointer(way)
                        .unwrap_or_else(|| panic!("{payload}"))
                        .as_i64()
                        .unwrap()
                };
                service.versions = if of_contract {
                    (version("/contract/service/version"), version("/contract/version"))
                } else {
                    (version("/service/version"), version("/service/contract/version"))
                };
                (service.status, service.users, service.is_edited) = (status, users, is_edited);
            },
        ))
    }

    fn company(&self, random: &Random, number: u64) -> Option<Deed> {
        let title = format!("회사 {number}");
        let known = pick(random, self.companies.iter()).filter(|_| random.below(3) > 0 || self.companies.len() > 60);
        Some(match known {
            None => {
                let content = json!({ "texts": [{ "language": "ko", "companyName": "n", "representativeName": "r", "address": "a" }], "terms": [] });
                let input = json!({ "title": title, "content": content });
                deed(
                    "companyCreate",
                    "owner",
                    "company { id version }",
                    json!({ "input": input }),
                    vec![title.clone()],
                    move |picture, payload| {
                        picture.companies.insert(
                            text(&payload["company"]["id"]),
                            Thing {
                                word: title.clone(),
                                version: 1,
                            },
                        );
                    },
                )
            }
            Some((id, thing)) if random.below(2) == 0 => {
                let input = json!({ "expectedVersion": thing.version, "title": title });
                let id = id.clone();
                deed(
                    "companyUpdate",
                    "owner",
                    "company { id version }",
                    json!({ "id": id, "input": input }),
                    vec![id.clone()],
                    move |picture, payload| {
                        let version = payload["company"]["version"].as_i64().unwrap();
                        picture.companies.insert(
                            id.clone(),
                            Thing {
                                word: title.clone(),
                                version,
                            },
                        );
                    },
                )
            }
            Some((id, thing)) => {
                let id = id.clone();
                let variables = json!({ "id": id, "input": { "expectedVersion": thing.version } });
                deed(
                    "companyRemove",
                    "owner",
                    "company { id }",
                    variables,
                    vec![id.clone()],
                    move |picture, _| {
                        picture.companies.remove(&id);
                    },
                )
            }
        })
    }

    fn ticket_create(&self, random: &Random) -> Option<Deed> {
        let login = if random.below(2) == 0 { "agent" } else { "manager" };
        let variables = ticket::input(&self.desk, json!({}), &json!({}));
        Some(deed(
            "ticketCreate",
            login,
            "ticket { id version status }",
            variables,
            vec![],
            move |picture, payload| {
                picture.tickets.insert(
                    text(&payload["ticket"]["id"]),
                    Thing {
                        word: "NEW".to_owned(),
                        version: 1,
                    },
                );
            },
        ))
    }

    fn ticket_update(&self, random: &Random) -> Option<Deed> {
        let (id, thing) = pick(random, self.tickets.iter().filter(|(_, thing)| thing.word != "CLOSED"))?;
        let status = ["OPEN", "REPLY", "SOLVED"]
            .into_iter()
            .find(|status| *status != thing.word)?;
        let (id, login) = (id.clone(), if random.below(2) == 0 { "agent" } else { "manager" });
        let variables = json!({ "id": id, "input": { "expectedVersion": thing.version, "status": status } });
        Some(deed(
            "ticketUpdate",
            login,
            "ticket { version status }",
            variables,
            vec![id.clone()],
            move |picture, payload| {
                let version = payload["ticket"]["version"].as_i64().unwrap();
                picture.tickets.insert(
                    id.clone(),
                    Thing {
                        word: status.to_owned(),
                        version,
                    },
                );
            },
        ))
    }

    /// What has to be refused: a code that is taken, a version that was, and whoever may not.
    fn refused(&self, random: &Random) -> Option<Deed> {
        let (code, service) = pick(random, self.services.iter())?;
        let things = vec![code.clone()];
        let create = json!({ "input": { "kind": "ISSUE", "code": code, "name": code } });
        let (refused, mut made) = match random.below(3) {
            0 => (
                "TAKEN",
                deed("serviceCreate", "owner", SERVICE, create, things, |_, _| {}),
            ),
            1 => (
                "FORBIDDEN",
                deed("serviceCreate", "admin", SERVICE, create, things, |_, _| {}),
            ),
            _ => {
                let input = json!({ "expectedVersion": service.versions.0 + 7, "name": "nobody's" });
                (
                    "STALE_VERSION",
                    deed(
                        "serviceUpdate",
                        "owner",
                        SERVICE,
                        json!({ "id": service.id, "input": input }),
                        things,
                        |_, _| {},
                    ),
                )
            }
        };
        if refused == "FORBIDDEN" {
            made.login = "agent";
        }
        made.refused = Some(refused);
        Some(made)
    }
}

pub(super) fn deed(
    name: &'static str,
    login: &'static str,
    fields: &str,
    variables: Value,
    things: Vec<String>,
    effect: impl Fn(&mut Picture, &Value) + Send + 'static,
) -> Deed {
    let input = format!("{}{}Input", name[..1].to_uppercase(), &name[1..]);
    let (declared, given) = if variables.get("id").is_some() {
        ("$id: ID!, ", "id: $id, ")
    } else {
        ("", "")
    };
    let document = format!(
        "mutation M({declared}$input: {input}!) {{ {name}({given}input: $input) {{ {fields} userErrors {{ code field message }} }} }}"
    );
    Deed {
        name,
        login,
        document,
        variables,
        refused: None,
        things,
        effect: Box::new(effect),
    }
}

pub(super) fn pick<T>(random: &Random, of: impl Iterator<Item = T>) -> Option<T> {
    let mut all: Vec<T> = of.collect();
    if all.is_empty() {
        return None;
    }
    let place = usize::try_from(random.below(all.len() as u64)).unwrap();
    Some(all.swap_remove(place))
}

pub(super) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

/// A number in letters, since codes are of letters.
fn letters(number: u64) -> String {
    format!("m{number:05}")
        .bytes()
        .map(|byte| {
            if byte.is_ascii_digit() {
                char::from(byte - b'0' + b'a')
            } else {
                'x'
            }
        })
        .collect()
}
