//! 서비스 기본정보: adding a service and editing its basic information, every rule with its own code and place.

use serde_json::{Value, json};

use crate::{
    both,
    support::{
        app::{TestApp, Who, codes},
        dump::dump,
        make,
    },
};

/// The product's list of 203 help-center languages, in its own order.
const LANGUAGES: &str = "ko ja en zh zh_TW yue th vi id ms ru fr de es es_LA pt pt_BR it ar tr nl pl ab aa an as av ae \
    ay bm bi hr ba ach af ak ch az ce ban su ceb cv bs kw br ca cr cs sn co cy dv da dz yo et eo eu ee tl fil fj fo fy \
    ff gaa ga gd gl gn ht ha haw bem ig hz rn ia ho xh zu is jv ie rw sw tlh ik kg io la iu lv to lt kl ln loz kr lua \
    ks lg hu mg ki mt no kv nn nso ny ku uz kj oc om lb ro rm li qu nyn sq lu sk sl gv so st sr sr_ME sr_LN fi sv mi \
    tn mh tum tk na tw nv wo el nd be bg ng ky nb kk mk ii mn nr tt oj tg cu uk ka hy os yi he pi ug ur ps sd fa ti am \
    ne mr hi sa bn sc pa gu se or sm sg ta te kn ml si lo my km chr ss bo ts ty ve vo wa za";

const CREATE: &str = "serviceCreate(input: $input) => service { id version kind code name timeZone editorType status \
    languages { code isMain } contractButton contract { status version } }";
const UPDATE: &str = "serviceUpdate(id: $id, input: $input) => service { id version kind code name timeZone editorType \
    languages { code isMain } }";

/// A service's input: a sound one with these changes.
fn input(changes: Value) -> Value {
    let mut input = json!({ "kind": "CONSULTATION", "code": "desk", "name": "Desk" });
    for (name, value) in changes.as_object().unwrap() {
        input[name] = value.clone();
    }
    json!({ "input": input })
}

async fn refused(who: Who<'_>, changes: Value) -> Vec<String> {
    let mut input = input(changes);
    input["input"]["dryRun"] = json!(true);
    who.problems(CREATE, input).await
}

async fn created(who: Who<'_>, changes: Value) -> Value {
    who.deed(CREATE, input(changes)).await["service"].clone()
}

async fn update(who: Who<'_>, service: &Value, changes: Value) -> Value {
    let mut input = changes;
    input["expectedVersion"] = service["version"].clone();
    who.payload(UPDATE, json!({ "id": service["id"], "input": input }))
        .await
}

/// The languages' codes; the first must be marked as the main one, and no other.
fn languages(service: &Value) -> Vec<&str> {
    let list = service["languages"].as_array().unwrap();
    for (place, language) in list.iter().enumerate() {
        assert_eq!(language["isMain"], place == 0, "{service}");
    }
    list.iter().map(|language| language["code"].as_str().unwrap()).collect()
}

async fn count(app: &TestApp) -> i64 {
    let all = "{ services(filter: { status: [NOT_IN_USE, IN_USE, SUSPENDED, TERMINATED] }) { totalCount } }";
    app.owner().data(all, json!({})).await["services"]["totalCount"]
        .as_i64()
        .unwrap()
}

both! {
    async fn s1_a_code_is_2_to_45_letters_and_no_part_of_addresses(app) {
        let owner = app.owner();
        let longest = "a".repeat(45);
        let too_long = "a".repeat(46);
        let refusals = [
            ("", "BLANK"), ("a", "TOO_SHORT"), (too_long.as_str(), "TOO_LONG"), ("desk1", "INVALID"),
            ("de-sk", "INVALID"), ("de sk", "INVALID"), (" desk", "INVALID"), ("데스크", "INVALID"), ("dësk", "INVALID"),
            ("api", "RESERVED"), ("openapi", "RESERVED"), ("hc", "RESERVED"), ("admin", "RESERVED"), ("Admin", "RESERVED"),
            ("GRAPHQL", "RESERVED"), ("oc", "RESERVED"),
        ];

        for (code, expected) in refusals {
            let problems = refused(owner, json!({ "code": code })).await;
            assert_eq!(problems, [format!("{expected} at input.code")], "{code}");
        }
        let long = created(owner, json!({ "code": longest, "name": "Long" })).await;
        let short = created(owner, json!({ "code": "Hq", "name": "Short" })).await;

        assert_eq!(long["code"], longest);
        assert_eq!(short["code"], "Hq");
    }

    async fn s1_a_code_is_never_used_again_whatever_the_case(app) {
        let owner = app.owner();
        let taken = ["TAKEN at input.code"];
        let discarded = make::draft(owner, "Draft").await;
        let ended = make::in_use(owner, "desk", 3).await;
        for code in ["draft", "DRAFT", "desk", "Desk"] {
            assert_eq!(refused(owner, json!({ "code": code, "name": "Another" })).await, taken, "{code}");
        }

        make::terminate(owner, &discarded).await;
        make::suspend(owner, &ended).await;
        make::terminate(owner, &ended).await;

        for code in ["draft", "Draft", "desk", "DESK"] {
            assert_eq!(refused(owner, json!({ "code": code, "name": "Another" })).await, taken, "{code}");
        }
        let elsewhere = created(app.rival(), json!({})).await;
        assert_eq!(elsewhere["code"], "desk");
    }

    async fn s1_a_name_is_unique_until_its_service_is_terminated(app) {
        let owner = app.owner();
        let longest = "가".repeat(100);
        let first = created(owner, json!({ "code": "front", "name": " 고객 Front " })).await;
        let other = created(owner, json!({ "code": "other", "name": longest })).await;

        let problems = [
            ("", "BLANK"), (" \u{3000}\t", "BLANK"), (&format!("{longest}나"), "TOO_LONG"), ("a\nb", "INVALID"),
            ("고객 front", "TAKEN"), (" 고객 FRONT", "TAKEN"), (&longest, "TAKEN"),
        ];

        assert_eq!(first["name"], "고객 Front");
        for (name, code) in problems {
            let expected = [format!("{code} at input.name")];
            assert_eq!(refused(owner, json!({ "code": "another", "name": name })).await, expected, "{name}");
            if name != longest {
                assert_eq!(codes(&update(owner, &other, json!({ "name": name, "dryRun": true })).await), expected, "{name}");
            }
        }
        let same = update(owner, &first, json!({ "name": "고객 FRONT" })).await;
        assert_eq!((&same["service"]["name"], codes(&same)), (&json!("고객 FRONT"), vec![]));
        let made = make::Made { id: first["id"].as_str().unwrap().to_owned(), contract: String::new() };
        make::terminate(owner, &made).await;
        assert_eq!(created(owner, json!({ "code": "again", "name": "고객 Front" })).await["name"], "고객 Front");
    }

    async fn s1_every_language_of_the_product_can_be_had_and_no_other(app) {
        let owner = app.owner();
        let known: Vec<&str> = LANGUAGES.split_whitespace().collect();
        let mut desk = created(owner, json!({})).await;
        assert_eq!(known.len(), 203);

        for part in known.chunks(50) {
            let changed = update(owner, &desk, json!({ "languages": part, "mainLanguage": part[0] })).await;
            desk = changed["service"].clone();
            assert_eq!((languages(&desk), codes(&changed)), (part.to_vec(), vec![]));
        }

        for code in ["KO", "en_US", "xx", "zh-TW", "", " ko", "日本"] {
            let problems = codes(&update(owner, &desk, json!({ "languages": ["ko", code] })).await);
            assert_eq!(problems, ["UNKNOWN_LANGUAGE at input.languages.1"], "{code}");
        }
        let too_many = codes(&update(owner, &desk, json!({ "languages": known[..51] })).await);
        assert_eq!(too_many, ["TOO_MANY at input.languages"]);
    }

    async fn s1_the_main_language_comes_first_and_four_come_by_themselves(app) {
        let owner = app.owner();

        let usual = created(owner, json!({ "code": "usual", "name": "Usual" })).await;
        let japanese = created(owner, json!({ "code": "jp", "name": "JP", "mainLanguage": "ja" })).await;
        let own = created(owner, json!({ "code": "own", "name": "Own", "languages": ["de", "fr", "it"], "mainLanguage": "it" })).await;
        let moved = update(owner, &own, json!({ "mainLanguage": "fr" })).await;

        assert_eq!(languages(&usual), ["ko", "ja", "en", "zh"]);
        assert_eq!(languages(&japanese), ["ja", "ko", "en", "zh"]);
        assert_eq!(languages(&own), ["it", "de", "fr"]);
        assert_eq!(languages(&moved["service"]), ["fr", "it", "de"]);
        let cases = [
            (json!({ "languages": ["ko", "ko", "xx", "ko"] }), vec!["DUPLICATE at input.languages.1", "UNKNOWN_LANGUAGE at input.languages.2", "DUPLICATE at input.languages.3"]),
            (json!({ "languages": ["ko"], "mainLanguage": "en" }), vec!["INVALID at input.mainLanguage"]),
            (json!({ "languages": [] }), vec!["BLANK at input.languages"]),
        ];
        for (changes, expected) in cases {
            assert_eq!(codes(&update(owner, &usual, changes.clone()).await), expected, "{changes}");
        }
    }

    async fn s1_the_time_zone_goes_with_the_main_language(app) {
        let owner = app.owner();
        let usual = [("ko", "Asia/Seoul"), ("ja", "Asia/Tokyo"), ("en", "America/New_York"), ("zh", "Asia/Shanghai")];

        for (language, zone) in usual {
            let desk = created(owner, json!({ "code": language, "name": language, "mainLanguage": language })).await;
            assert_eq!(desk["timeZone"], zone, "{language}");
        }
        let own = created(owner, json!({ "code": "own", "name": "Own", "mainLanguage": "ja", "timeZone": "Asia/Kathmandu" })).await;
        let moved = update(owner, &own, json!({ "timeZone": "Europe/Berlin" })).await;

        assert_eq!(own["timeZone"], "Asia/Kathmandu");
        assert_eq!(moved["service"]["timeZone"], "Europe/Berlin");
        for zone in ["", "Mars/Base", "KST", "+09:00", "asia/seoul"] {
            let expected = ["UNKNOWN_TIME_ZONE at input.timeZone"];
            assert_eq!(refused(owner, json!({ "timeZone": zone })).await, expected, "{zone}");
            assert_eq!(codes(&update(owner, &moved["service"], json!({ "timeZone": zone })).await), expected, "{zone}");
        }
    }

    async fn s1_an_issue_service_has_no_languages_and_no_editor(app) {
        let owner = app.owner();
        let consultation = created(owner, json!({ "editorType": "TEXT" })).await;
        let usual = created(owner, json!({ "code": "usual", "name": "Usual" })).await;

        let issue = created(owner, json!({ "kind": "ISSUE", "code": "issue", "name": "Issue" })).await;

        assert_eq!((&consultation["editorType"], &usual["editorType"]), (&json!("TEXT"), &json!("HTML")));
        assert_eq!((languages(&issue), &issue["editorType"]), (vec![], &json!(null)));
        assert_eq!(issue["timeZone"], "Asia/Seoul");
        let named = json!({ "languages": ["ko"], "mainLanguage": "ko", "editorType": "HTML" });
        let expected = ["NOT_AVAILABLE_FOR_KIND at input.languages", "NOT_AVAILABLE_FOR_KIND at input.mainLanguage", "NOT_AVAILABLE_FOR_KIND at input.editorType"];
        assert_eq!(codes(&update(owner, &issue, named.clone()).await), expected);
        let mut new = named;
        for (name, value) in [("kind", "ISSUE"), ("code", "second"), ("name", "Second")] {
            new[name] = json!(value);
        }
        assert_eq!(refused(owner, new).await, expected);
        let emptied = update(owner, &consultation, json!({ "editorType": null })).await;
        assert_eq!(codes(&emptied), ["BLANK at input.editorType"]);
    }

    async fn s1_all_problems_are_told_at_once_and_nothing_is_written(app) {
        let token = app.owner().token().await;
        let create = "mutation M($input: ServiceCreateInput!) { serviceCreate(input: $input) { service { id } userErrors { code field } } }";
        let wrong = input(json!({ "code": "1", "name": " ", "languages": ["xx", "ko", "ko"], "mainLanguage": "fr", "timeZone": "Mars/Base" }));
        let before = dump(&app).await;

        let answer = app.ask(Some(&token), create, wrong).await;

        let payload = &answer.json["data"]["serviceCreate"];
        assert_eq!(codes(payload), [
            "INVALID at input.code", "BLANK at input.name", "UNKNOWN_TIME_ZONE at input.timeZone", "UNKNOWN_LANGUAGE at input.languages.0",
            "DUPLICATE at input.languages.2", "INVALID at input.mainLanguage",
        ]);
        assert_eq!(payload["service"], json!(null));
        assert_eq!(dump(&app).await, before);
    }

    // case: A12
    async fn s1_kind_and_code_and_state_are_no_fields_of_an_edit(app) {
        let owner = app.owner();
        let desk = created(owner, json!({})).await;
        let query = "mutation M($id: ID!, $input: ServiceUpdateInput!) { serviceUpdate(id: $id, input: $input) { userErrors { code } } }";

        for (name, value) in [("kind", "ISSUE"), ("code", "other"), ("status", "IN_USE"), ("organizationId", "org_x"), ("createdAt", "2020-01-01T00:00:00Z")] {
            let mut input = json!({ "expectedVersion": 1 });
            input[name] = json!(value);
            let answer = owner.ask(query, json!({ "id": desk["id"], "input": input })).await;
            assert_ne!(answer.json["errors"], json!(null), "{name}: {}", answer.text);
            assert_eq!(answer.json["data"]["serviceUpdate"], json!(null), "{name}");
            assert_ne!(answer.code(), "INTERNAL", "{name}");
        }

        let unchanged = update(owner, &desk, json!({ "name": "Desk" })).await;
        assert_eq!(unchanged["service"]["version"], 1);
        assert_eq!((&unchanged["service"]["kind"], &unchanged["service"]["code"]), (&json!("CONSULTATION"), &json!("desk")));
    }

    async fn s1_there_are_at_most_100_services_terminated_ones_included(app) {
        let owner = app.owner();
        let token = owner.token().await;
        let letter = |number: usize| char::from(b'a' + u8::try_from(number).unwrap());
        for number in 0..100 {
            let name = format!("{}{}", letter(number / 10), letter(number % 10));
            let query = format!("mutation {{ serviceCreate(input: {{ kind: ISSUE, code: \"x{name}\", name: \"{name}\" }}) {{ userErrors {{ code }} }} }}");
            let answer = app.ask(Some(&token), &query, json!({})).await;
            assert_eq!(answer.json["data"]["serviceCreate"]["userErrors"], json!([]), "{}", answer.text);
        }

        let problems = refused(owner, json!({ "code": "last", "name": "Last" })).await;

        assert_eq!(problems, ["LIMIT_REACHED at -"]);
        assert_eq!(count(&app).await, 100);
    }
}
