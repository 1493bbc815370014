//! Deeds that concern people and what lets them in: administrators, agents, keys, invitations.

use orgdesk::kernel::Random;
use serde_json::{Value, json};

use super::{
    Deed, Picture, Thing,
    deeds::{deed, pick, text},
};

impl Picture {
    /// Makes somebody an administrator, or none any more.
    pub(super) fn admin(&self, random: &Random) -> Option<Deed> {
        let (login, id) = pick(random, self.people.iter())?;
        let (login, things) = (login.clone(), vec![login.clone()]);
        Some(if let Some(version) = self.admins.get(&login) {
            let variables = json!({ "id": id, "input": { "expectedVersion": version } });
            deed(
                "adminRemove",
                "owner",
                "member { version }",
                variables,
                things,
                move |picture, _| {
                    picture.admins.remove(&login);
                },
            )
        } else {
            let variables = json!({ "input": { "memberId": id } });
            deed(
                "adminAdd",
                "owner",
                "admin { member { version } }",
                variables,
                things,
                move |picture, payload| {
                    let version = payload["admin"]["member"]["version"].as_i64().unwrap();
                    picture.admins.insert(login.clone(), version);
                },
            )
        })
    }

    /// Puts somebody into the second service, changes what he may do there, or takes him out of it.
    pub(super) fn agent(&self, random: &Random) -> Option<Deed> {
        let (login, member) = pick(random, self.people.iter())?;
        let (login, things) = (login.clone(), vec![login.clone()]);
        let knows = move |picture: &mut Picture, payload: &Value, forwards: bool, login: &String| {
            let agent = &payload["agent"];
            let thing = Thing {
                word: forwards.to_string(),
                version: agent["version"].as_i64().unwrap(),
            };
            picture.agents.insert(login.clone(), (text(&agent["id"]), thing));
        };
        let forwards = random.below(2) == 0;
        Some(match self.agents.get(&login) {
            None => {
                let input = json!({ "serviceId": self.help.id, "memberId": member, "role": "AGENT", "channels": ["TICKET"], "forwardsTickets": forwards });
                deed(
                    "agentAdd",
                    "owner",
                    "agent { id version }",
                    json!({ "input": input }),
                    things,
                    move |picture, payload| {
                        knows(picture, payload, forwards, &login);
                    },
                )
            }
            Some((id, thing)) if random.below(2) == 0 => {
                let input = json!({ "expectedVersion": thing.version, "forwardsTickets": forwards });
                deed(
                    "agentUpdate",
                    "owner",
                    "agent { id version }",
                    json!({ "id": id, "input": input }),
                    things,
                    move |picture, payload| {
                        knows(picture, payload, forwards, &login);
                    },
                )
            }
            Some((id, thing)) => {
                let input = json!({ "expectedVersion": thing.version });
                deed(
                    "agentRemove",
                    "owner",
                    "member { login }",
                    json!({ "id": id, "input": input }),
                    things,
                    move |picture, _| {
                        picture.agents.remove(&login);
                    },
                )
            }
        })
    }

    /// Makes a key, or revokes one.
    pub(super) fn key(&self, random: &Random, number: u64) -> Option<Deed> {
        // The last one can't be revoked.
        let known = pick(random, self.keys.iter())
            .filter(|_| self.keys.len() > 1 && (random.below(2) == 0 || self.keys.len() > 10));
        Some(match known {
            None => {
                let name = format!("key {number}");
                let input = json!({ "name": name, "scopes": ["USAGE_RECORD"] });
                // So many keys there may be: they are all of them one thing, so that none is made beside another.
                deed(
                    "organizationKeyCreate",
                    "owner",
                    "key { id version }",
                    json!({ "input": input }),
                    vec!["keys".to_owned()],
                    move |picture, payload| {
                        picture.keys.insert(
                            text(&payload["key"]["id"]),
                            Thing {
                                word: name.clone(),
                                version: 1,
                            },
                        );
                    },
                )
            }
            Some((id, thing)) => {
                let id = id.clone();
                let variables = json!({ "id": id, "input": { "expectedVersion": thing.version } });
                deed(
                    "organizationKeyRevoke",
                    "owner",
                    "key { id }",
                    variables,
                    vec!["keys".to_owned()],
                    move |picture, _| {
                        picture.keys.remove(&id);
                    },
                )
            }
        })
    }

    /// Invites somebody, or takes an invitation back. An organization invites so many a day.
    pub(super) fn invitation(&self, random: &Random, number: u64) -> Option<Deed> {
        let pending = self
            .invitations
            .iter()
            .filter(|(_, thing)| thing.word.ends_with("PENDING"));
        let login = if random.below(2) == 0 { "owner" } else { "admin" };
        if self.invited < 90 && random.below(3) > 0 {
            let invited = format!("invited.{number}");
            let input = json!({ "login": invited, "name": "새 사람", "email": format!("{invited}@example.com"), "language": "KOREAN" });
            return Some(deed(
                "memberInvite",
                login,
                "invitation { id version }",
                json!({ "input": input }),
                vec!["invitations".to_owned()],
                move |picture, payload| {
                    picture.invited += 1;
                    let word = format!("{invited} PENDING");
                    picture
                        .invitations
                        .insert(text(&payload["invitation"]["id"]), Thing { word, version: 1 });
                },
            ));
        }
        let (id, thing) = pick(random, pending)?;
        let (id, word) = (id.clone(), thing.word.replace("PENDING", "REVOKED"));
        let variables = json!({ "id": id, "input": { "expectedVersion": thing.version } });
        Some(deed(
            "invitationRevoke",
            login,
            "invitation { version }",
            variables,
            vec![id.clone()],
            move |picture, payload| {
                let version = payload["invitation"]["version"].as_i64().unwrap();
                picture.invitations.insert(
                    id.clone(),
                    Thing {
                        word: word.clone(),
                        version,
                    },
                );
            },
        ))
    }
}
