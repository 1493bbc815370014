//! Trying out: a dry run answers what the real one would, nested fields too, and leaves every row as it was.

use serde_json::{Value, json};

use crate::{
    both,
    support::{
        app::{TestApp, codes},
        dump::dump,
        make,
    },
};

/// What is looked at of a contract; no IDs, for those of a dry run are never seen again.
const CONTRACT: &str = "status version startedOn endedOn signedAt editedOn items { code isOn userCount expectedVolume }
    editAllowance { used remaining resetsAt } revisions { totalCount nodes { number cause items { code } previousItems { code } } }";
const SERVICE: &str = "kind code name status version timeZone editorType suspendedAt terminatedAt contractButton languages { code isMain }
    actions { name isAllowed reasonCode availableAt } terminationPreview { total { amount } }";
const CHARGE: &str = "charge { status total { amount } lines { kind amount { amount } } }";

/// Asks for a mutation with and without `dryRun`; the payload, or the fault.
async fn payload(app: &TestApp, token: &str, verb: &str, id: Option<&str>, input: &Value, is_dry: bool) -> Value {
    let service = format!("service {{ {SERVICE} organization {{ name }} contract {{ {CONTRACT} }} }}");
    let contract = format!("contract {{ {CONTRACT} service {{ {SERVICE} }} }}");
    let fields = match verb {
        "serviceCreate" | "serviceUpdate" | "serviceResume" => service,
        "serviceSuspend" | "serviceTerminate" => format!("{service} {CHARGE}"),
        "contractSign" => format!("{contract} {service}"),
        _ => contract,
    };
    let kind = format!("{}{}Input", verb[..1].to_uppercase(), &verb[1..]);
    let (declared, given) = if id.is_some() {
        ("$id: ID!, ", "id: $id, ")
    } else {
        ("", "")
    };
    let query = format!(
        "mutation M({declared}$input: {kind}!) {{ {verb}({given}input: $input) {{ {fields} userErrors {{ code field message availableAt }} }} }}"
    );
    let mut variables = json!({ "input": input });
    if let Some(id) = id {
        variables["id"] = json!(id);
    }
    if is_dry {
        variables["input"]["dryRun"] = json!(true);
    }
    let answer = app.ask(Some(token), &query, variables).await;
    assert_eq!(answer.json.get("errors"), None, "{verb}: {}", answer.text);
    answer.json["data"][verb].clone()
}

/// Tries a mutation out twice, and then does it: all three answers are the same, and only the third leaves anything.
async fn step(app: &TestApp, verb: &str, id: Option<&str>, input: Value) -> Value {
    let token = app.owner().token().await;
    let before = dump(app).await;
    let tried = payload(app, &token, verb, id, &input, true).await;
    let again = payload(app, &token, verb, id, &input, true).await;
    assert!(dump(app).await == before, "trying {verb} out left something behind");

    let done = payload(app, &token, verb, id, &input, false).await;

    assert_eq!((&tried, &again), (&done, &done), "{verb}");
    assert_eq!(
        dump(app).await != before,
        codes(&done).is_empty(),
        "{verb} did what it said"
    );
    done
}

both! {
    async fn g4_a_dry_run_of_every_verb_answers_like_the_real_one_and_changes_nothing(app) {
        let input = json!({ "kind": "CONSULTATION", "code": "desk", "name": "Desk", "mainLanguage": "ja" });
        let made = step(&app, "serviceCreate", None, input).await;
        assert_eq!((&made["service"]["contract"]["status"], &made["service"]["contract"]["items"][0]["code"]), (&json!("DRAFT"), &json!("TICKET")));
        let data = app.owner().data("{ service(by: { code: \"desk\" }) { id contract { id } } }", json!({})).await;
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let (service, contract) = (text(&data["service"]["id"]), text(&data["service"]["contract"]["id"]));
        let (service, contract) = (Some(service.as_str()), Some(contract.as_str()));
        let items = |users: i32| json!([{ "code": "TICKET", "userCount": users }, { "code": "SMSSEND", "isOn": true }]);

        step(&app, "serviceUpdate", service, json!({ "expectedVersion": 1, "name": "Other", "languages": ["fr"] })).await;
        step(&app, "contractDraft", contract, json!({ "expectedVersion": 1, "items": items(2) })).await;
        let signed = step(&app, "contractSign", contract, json!({ "expectedVersion": 2, "items": items(3) })).await;
        assert_eq!((&signed["service"]["status"], &signed["contract"]["service"]["status"]), (&json!("IN_USE"), &json!("IN_USE")));
        let edited = step(&app, "contractUpdate", contract, json!({ "expectedVersion": 3, "items": items(4) })).await;
        assert_eq!((&edited["contract"]["editAllowance"]["used"], &edited["contract"]["revisions"]["totalCount"]), (&json!(1), &json!(2)));
        step(&app, "serviceSuspend", service, json!({ "expectedVersion": 3, "acknowledgeCharges": true })).await;
        step(&app, "serviceResume", service, json!({ "expectedVersion": 4 })).await;
        step(&app, "serviceSuspend", service, json!({ "expectedVersion": 5, "acknowledgeCharges": true })).await;
        let ended = step(&app, "serviceTerminate", service, json!({ "expectedVersion": 6 })).await;

        assert_eq!((&ended["service"]["status"], &ended["service"]["contract"]["status"]), (&json!("TERMINATED"), &json!("ENDED")));
    }

    async fn g4_a_dry_run_is_refused_like_the_real_one(app) {
        let owner = app.owner();
        let desk = make::in_use(owner, "desk", 3).await;
        let (service, contract) = (Some(desk.id.as_str()), Some(desk.contract.as_str()));
        let items = json!([{ "code": "TICKET", "userCount": 0 }, { "code": "CALLBACK", "isOn": true }]);
        let cases = [
            ("serviceCreate", None, json!({ "kind": "ISSUE", "code": "DESK", "name": "", "languages": ["ko"] })),
            ("serviceUpdate", service, json!({ "expectedVersion": 2, "timeZone": "Mars/Base" })),
            ("serviceSuspend", service, json!({ "expectedVersion": 2, "acknowledgeCharges": false })),
            ("serviceResume", service, json!({ "expectedVersion": 2 })), ("serviceTerminate", service, json!({ "expectedVersion": 1 })),
            ("contractDraft", contract, json!({ "expectedVersion": 2, "items": [] })), ("contractSign", contract, json!({ "expectedVersion": 2 })),
            ("contractUpdate", contract, json!({ "expectedVersion": 2, "items": items })),
        ];

        for (verb, id, input) in cases {
            let refused = step(&app, verb, id, input).await;
            assert_ne!(codes(&refused), Vec::<String>::new(), "{verb}");
        }
    }

    async fn g4_a_dry_run_ends_before_the_next_mutation_of_its_request(app) {
        let token = app.owner().token().await;
        let create = |alias: &str, code: &str, is_dry: bool| format!(
            "{alias}: serviceCreate(input: {{ kind: ISSUE, code: \"{code}\", name: \"{code}\", dryRun: {is_dry} }}) {{ service {{ code contract {{ version }} }} userErrors {{ code }} }}"
        );
        let query = format!("mutation {{ {} {} {} {} }}", create("a", "desk", true), create("b", "desk", false), create("c", "desk", true), create("d", "other", true));

        let answer = app.ask(Some(&token), &query, json!({})).await;

        let done = json!({ "service": { "code": "desk", "contract": { "version": 1 } }, "userErrors": [] });
        let data = &answer.json["data"];
        assert_eq!((&data["a"], &data["b"]), (&done, &done), "{}", answer.text);
        assert_eq!(data["c"]["userErrors"], json!([{ "code": "TAKEN" }, { "code": "TAKEN" }]));
        assert_eq!(data["d"]["service"]["code"], "other");
        let left = app.owner().data("{ services { nodes { code } } }", json!({})).await;
        assert_eq!(left["services"]["nodes"], json!([{ "code": "desk" }]));
    }

    async fn g4_a_dry_run_uses_no_key(app) {
        let token = app.owner().token().await;
        let input = json!({ "kind": "ISSUE", "code": "desk", "name": "Desk", "idempotencyKey": "key" });

        let tried = payload(&app, &token, "serviceCreate", None, &input, true).await;
        let done = payload(&app, &token, "serviceCreate", None, &input, false).await;

        assert_eq!((codes(&tried), codes(&done)), (vec![], vec![]));
    }

    async fn g4_whoever_may_not_do_it_may_not_try_it_out(app) {
        let desk = make::in_use(app.owner(), "desk", 3).await;
        let query = "mutation M($id: ID!) { serviceSuspend(id: $id, input: { expectedVersion: 2, acknowledgeCharges: true, dryRun: true }) { service { name } charge { total { amount } } } }";

        let member = app.member().ask(query, json!({ "id": desk.id })).await;
        let nobody = app.ask(None, query, json!({ "id": desk.id })).await;

        assert_eq!((member.code(), nobody.code()), ("FORBIDDEN", "UNAUTHENTICATED"));
        for answer in [member, nobody] {
            assert_eq!(answer.json["data"]["serviceSuspend"], json!(null), "{}", answer.text);
        }
    }

    /// What is counted before anybody is known waits for no dry run of its own request, nor does anybody else wait for it.
    async fn g4_who_tries_something_out_and_then_comes_with_a_link_waits_for_nobody(app) {
        let token = app.owner().token().await;
        let (company, _) = make::company("tried").split_once(" => ").map(|(deed, rest)| (deed.to_owned(), rest.to_owned())).unwrap();
        let tried = company.replacen("input: {", "input: { dryRun: true,", 1);
        let password = "four words of my own";
        for second in [
            format!("invitationAccept(input: {{ token: \"x\", password: \"{password}\" }}) {{ userErrors {{ code }} }}"),
            format!("passwordReset(input: {{ token: \"x\", password: \"{password}\" }}) {{ userErrors {{ code }} }}"),
        ] {
            let query = format!("mutation {{ a: {tried} {{ userErrors {{ code }} }} b: {second} }}");
            let answer = app.ask(Some(&token), &query, json!({})).await;

            assert_eq!(answer.json.get("errors"), None, "{}", answer.text);
            assert_eq!(codes(&answer.json["data"]["a"]), Vec::<String>::new(), "{}", answer.text);
            assert_eq!(codes(&answer.json["data"]["b"]).len(), 1, "{}", answer.text);
        }
    }
}
