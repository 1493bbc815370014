//! Whatever a mutation changes says in `actions` what can be done with it: found by asking the API itself.

use std::collections::{BTreeMap, BTreeSet};

use orgdesk::kernel::Action;
use serde_json::json;

use crate::{
    both,
    doors::permission,
    operations::World,
    support::surface::{Surface, named},
};

/// Where one of each type is found.
const FOUND: [(&str, &str, &str); 20] = [
    ("Agent", "agents { nodes { A } }", "/agents/nodes/0"),
    ("Company", "companies { nodes { A } }", "/companies/nodes/0"),
    ("CompanyFooter", "companyFooter(serviceId: $id) { A }", "/companyFooter"),
    (
        "Contract",
        "service(by: { id: $id }) { contract { A } }",
        "/service/contract",
    ),
    ("CtiAgent", "ctiAgents { nodes { A } }", "/ctiAgents/nodes/0"),
    ("CtiSetting", "ctiSetting { A }", "/ctiSetting"),
    ("Extraction", "extractions { nodes { A } }", "/extractions/nodes/0"),
    (
        "Field",
        "service(by: { id: $id }) { fields { A } }",
        "/service/fields/0",
    ),
    (
        "FieldComposition",
        "fieldComposition(serviceId: $id) { A }",
        "/fieldComposition",
    ),
    ("Import", "imports { nodes { A } }", "/imports/nodes/0"),
    ("Invitation", "invitations { nodes { A } }", "/invitations/nodes/0"),
    ("Member", "viewer { member { A } }", "/viewer/member"),
    ("Organization", "organization { A }", "/organization"),
    (
        "OrganizationKey",
        "organization { product { keys { A } } }",
        "/organization/product/keys/0",
    ),
    ("PiiGrant", "piiGrants { nodes { A } }", "/piiGrants/nodes/0"),
    ("Service", "service(by: { id: $id }) { A }", "/service"),
    ("Session", "viewer { sessions { A } }", "/viewer/sessions/0"),
    ("Ticket", "tickets(serviceId: $id) { nodes { A } }", "/tickets/nodes/0"),
    ("Webhook", "webhooks { A }", "/webhooks/0"),
    (
        "WebhookDelivery",
        "webhookDeliveries { nodes { A } }",
        "/webhookDeliveries/nodes/0",
    ),
];

/// What a mutation changes that has no ID of its own, and what does not stand in its answer.
const SUBJECTS: [(&str, &str); 6] = [
    ("agentRemove", "Agent"),
    ("ctiSettingUpdate", "CtiSetting"),
    ("ctiAgentUpdateMany", "CtiAgent"),
    ("sessionRevoke", "Session"),
    ("webhookTest", "Webhook"),
    ("fieldAdd", "FieldComposition"),
];

both! {
    async fn s9_whatever_a_mutation_changes_says_what_can_be_done_with_it(app) {
        let world = World::make(&app).await;
        let surface = Surface::of(&app).await;
        let types = surface.objects();
        let id = world.variables("", r#"{ "id": "$SERVICE_ID" }"#).await;
        let mut verbs: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        for (kind, query, pointer) in FOUND.into_iter().filter(|(kind, ..)| types.iter().any(|own| own == kind)) {
            let declared = if query.contains("$id") { "query Q($id: ID!)" } else { "query" };
            let query = format!("{declared} {{ {query} }}").replace("{ A }", "{ actions { name isAllowed reasonCode availableAt } }");
            let who = if kind == "Ticket" { app.someone("acme", "teller") } else { app.owner() };
            let data = who.data(&query, if query.contains("$id") { id.clone() } else { json!({}) }).await;
            let told = data.pointer(pointer).and_then(|one| one["actions"].as_array()).unwrap_or_else(|| panic!("{kind}: {data}"));
            assert!(told.iter().all(|action| action["isAllowed"] == json!(action["reasonCode"].is_null())), "{kind}: {data}");
            verbs.insert(kind, told.iter().map(|action| action["name"].as_str().unwrap().to_owned()).collect());
        }

        let telling: BTreeSet<String> = types.iter().filter(|kind| surface.fields(kind).iter().any(|field| field["name"] == "actions")).cloned().collect();
        assert_eq!(telling, verbs.keys().map(|kind| (*kind).to_owned()).collect(), "say in FOUND where one of each is");
        let mut mutations = BTreeSet::new();
        let mut changing = 0;
        for mutation in surface.fields("Mutation") {
            let name = mutation["name"].as_str().unwrap();
            let Some(action) = permission(&mutation).map(Action::name) else { continue };
            mutations.insert(action.to_owned());
            let special = SUBJECTS.iter().find(|(own, _)| *own == name).map(|(_, kind)| *kind);
            let has_id = mutation["args"].as_array().unwrap().iter().any(|argument| argument["name"] == "id");
            if !has_id && special.is_none() {
                continue;
            }
            let payload = surface.fields(&named(&mutation["type"]));
            let told = payload.iter().map(|field| named(&field["type"])).chain(special.map(str::to_owned));
            let subjects: Vec<String> = told.filter(|kind| telling.contains(kind)).collect();
            assert!(subjects.iter().any(|kind| verbs[kind.as_str()].contains(action)), "{name} is no action of any of {subjects:?}");
            changing += 1;
        }
        assert!(changing > 35, "{changing}");
        for (kind, verbs) in verbs {
            // A file is fetched by its link.
            let unknown: Vec<_> = verbs.difference(&mutations).filter(|verb| !verb.ends_with("_DOWNLOAD")).collect();
            assert!(!verbs.is_empty() && unknown.is_empty(), "{kind}: {unknown:?}");
        }
    }
}
