//! CTI Log 다운로드: a day of the log as an Excel file, for the agent himself and for owner and administrators, and never
//! without its entry in the log of extractions.

use axum::{body::Body, http::Request};
use chrono::Duration;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{
    both,
    support::{
        app::{Answer, TestApp, Who},
        ledger::move_to,
        people,
        phone::{call, monitored, outcomes, record, waiting},
        workbook::cells,
    },
};

const OWN: &str = "{ viewer { ctiLogDays { day download { url expiresAt } } } }";

const ANYBODYS: &str = "query Q($id: ID!) { ctiLogDays(memberId: $id) { day download { url } } }";

const ENTRIES: &str =
    "{ auditEntries(filter: { action: [CTI_LOG_DOWNLOAD, CTI_LOG_READ] }) { nodes { log action outcome address
    actor { name } target { label } changes { field after } } } auditVerification { brokenPosition } }";

/// Fetches what a link leads to.
async fn fetch(app: &TestApp, link: &Value) -> Answer {
    let url = link.as_str().unwrap().strip_prefix("https://desk.example.com").unwrap();
    app.send(Request::get(url).body(Body::empty()).unwrap()).await
}

/// The link of one's own latest day.
async fn own(who: Who<'_>) -> Value {
    who.data(OWN, json!({})).await["viewer"]["ctiLogDays"][0]["download"]["url"].clone()
}

/// An Excel time as the clock shows it, to the second.
fn clock(cell: &str) -> String {
    let days: f64 = cell.parse().unwrap();
    let seconds = (days.fract() * 86_400.0).round();
    format!(
        "{:02}:{:02}:{:02}",
        seconds as u32 / 3_600,
        seconds as u32 / 60 % 60,
        seconds as u32 % 60
    )
}

both! {
    async fn t8_an_agent_downloads_his_own_day(app) {
        monitored(&app).await;
        let mut odd = call("e3", "CALL_ENDED", "2026-11-09T23:00:00.250Z");
        odd["resultCode"] = json!("=HYPERLINK(\"x\")");
        odd["callReference"] = json!("+1+1");
        let events = [odd, waiting("e1", "2026-11-09T15:00:00Z"), call("e2", "CALL_RANG", "2026-11-09T22:59:59Z"), waiting("other-day", "2026-11-09T14:59:59Z")];
        assert_eq!(outcomes(&record(app.member(), &events).await), "KEPT KEPT KEPT KEPT");

        let link = app.member().speaking("ko").data(OWN, json!({})).await["viewer"]["ctiLogDays"][0].clone();
        let korean = fetch(&app, &link["download"]["url"]).await;
        let english = fetch(&app, &own(app.member()).await).await;

        assert_eq!((&link["day"], &link["download"]["expiresAt"]), (&json!("2026-11-10"), &json!("2026-11-10T01:05:00.000Z")));
        assert_eq!(korean.status, 200, "{}", korean.text);
        assert_eq!(korean.headers["content-disposition"], "attachment; filename=\"cti-log-member-2026-11-10.xlsx\"; filename*=UTF-8''cti-log-member-2026-11-10.xlsx");
        let rows = cells(&korean.bytes);
        assert_eq!(rows[0], ["발생 시각", "UTC 시차", "이벤트", "상태", "통화", "고객 번호", "결과 코드", "이벤트 ID", "수신 시각"]);
        assert_eq!(rows[1][1..8], ["+09:00", "상태 변경", "대기", "", "", "", "e1"]);
        assert_eq!(rows[2][1..8], ["+09:00", "착신", "", "call-1", "010-****-6789", "", "e2"]);
        assert_eq!(rows[3][1..8], ["+09:00", "종료", "", "+1+1", "010-****-6789", "=HYPERLINK(\"x\")", "e3"]);
        assert_eq!(rows.len(), 4, "{rows:?}");
        let times: Vec<_> = rows[1..].iter().map(|row| (clock(&row[0]), clock(&row[8]))).collect();
        assert_eq!(times, ["00:00:00", "07:59:59", "08:00:00"].map(|at| (at.to_owned(), "10:00:00".to_owned())));
        assert_eq!(cells(&english.bytes)[1][2..4], ["State changed", "Waiting"]);
    }

    async fn t8_each_download_stands_in_the_log_of_extractions(app) {
        monitored(&app).await;
        record(app.member(), &[waiting("a", "2026-11-10T00:59:00Z"), waiting("b", "2026-11-10T00:59:30Z")]).await;
        let member = people::member(app.owner(), "member").await;

        let asked = own(app.member()).await;
        let before = app.owner().data(ENTRIES, json!({})).await;
        let file = fetch(&app, &asked).await;
        app.wait(Duration::seconds(1));
        let link = app.administrator().data(ANYBODYS, json!({ "id": member["id"] })).await["ctiLogDays"][0]["download"]["url"].clone();
        let admins = fetch(&app, &link).await;
        let log = app.owner().data(ENTRIES, json!({})).await;

        assert_eq!(before["auditEntries"]["nodes"], json!([]), "a link is no file yet");
        let entries = log["auditEntries"]["nodes"].as_array().unwrap();
        let who: Vec<_> = entries.iter().map(|entry| entry["actor"]["name"].as_str().unwrap()).collect();
        assert_eq!(who, ["조직관리자 (admin)", "구성원 (member)"]);
        for (entry, file) in entries.iter().zip([&admins, &file]) {
            assert_eq!((&entry["log"], &entry["action"], &entry["outcome"], &entry["address"]), (&json!("EXTRACTION"), &json!("CTI_LOG_DOWNLOAD"), &json!("DONE"), &json!("127.0.0.1")));
            assert_eq!(entry["target"]["label"], format!("{}/2026-11-10", member["id"].as_str().unwrap()));
            let fact = |name: &str| entry["changes"].as_array().unwrap().iter().find(|change| change["field"] == name).unwrap()["after"].clone();
            let hash: String = Sha256::digest(&file.bytes).iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!((fact("login"), fact("events"), fact("bytes"), fact("sha256")),
                (json!("\"member\""), json!("2"), json!(file.bytes.len().to_string()), json!(format!("\"{hash}\""))));
        }
        assert!(log["auditVerification"].as_array().unwrap().iter().all(|log| log["brokenPosition"].is_null()));
    }

    async fn t8_others_days_are_for_owner_and_administrators_at_the_time_of_the_download(app) {
        monitored(&app).await;
        record(app.member(), &[waiting("a", "2026-11-10T00:59:00Z")]).await;
        let member = people::member(app.owner(), "member").await;
        people::join(&app, "other", true).await;
        let other = app.someone("acme", "other");
        let link = other.data(ANYBODYS, json!({ "id": member["id"] })).await["ctiLogDays"][0]["download"]["url"].clone();
        let row = people::member(app.owner(), "other").await;
        app.owner().deed("adminRemove(id: $id, input: $input)", people::on(&row, json!({}))).await;

        let late = fetch(&app, &link).await;
        // The same refusal is told once in a minute.
        app.wait(Duration::minutes(1));
        let asked = other.ask(ANYBODYS, json!({ "id": member["id"] })).await;
        let log = app.owner().data(ENTRIES, json!({})).await;

        assert_eq!((late.status, asked.code()), (404, "FORBIDDEN"), "{}", late.text);
        assert!(!late.bytes.starts_with(b"PK"));
        let entries: Vec<_> = log["auditEntries"]["nodes"].as_array().unwrap().iter().map(|entry| format!("{} {}", entry["action"].as_str().unwrap(), entry["outcome"].as_str().unwrap())).collect();
        assert_eq!(entries, ["CTI_LOG_READ DENIED", "CTI_LOG_READ DENIED"]);
    }

    async fn t8_no_file_leaves_whose_download_can_not_be_logged(app) {
        monitored(&app).await;
        record(app.member(), &[waiting("a", "2026-11-10T00:59:00Z")]).await;
        let link = own(app.member()).await;
        let mut raw = crate::support::raw::Raw::admin(&app).await;
        raw.must(if raw.is_postgres() {
            "ALTER TABLE audit_entry ADD CHECK (log <> 'EXTRACTION')"
        } else {
            "CREATE TRIGGER full BEFORE INSERT ON audit_entry WHEN new.log = 'EXTRACTION' BEGIN SELECT RAISE(ABORT, 'full'); END"
        }).await;

        let answer = fetch(&app, &link).await;

        assert_eq!((answer.status, answer.text.as_str()), (500, ""));
    }

    async fn t8_a_long_day_on_which_clocks_went_back_is_in_the_file_in_its_order(app) {
        monitored(&app).await;
        move_to(app.owner(), "America/New_York").await;
        app.go_to("2027-11-08T12:00:00-05:00");
        let mut expected = Vec::new();
        for (hour, offset) in [("01:30:00-04:00", "-04:00"), ("01:30:00-05:00", "-05:00")] {
            for batch in 0..3 {
                let events: Vec<_> = (0..450).map(|number| waiting(&format!("{offset}/{batch}{number:03}"), &format!("2027-11-07T{hour}"))).collect();
                record(app.member(), &events).await;
                expected.extend(events.iter().map(|event| (offset.to_owned(), event["externalId"].as_str().unwrap().to_owned())));
            }
        }

        let file = fetch(&app, &own(app.member()).await).await;

        let rows = cells(&file.bytes);
        let found: Vec<_> = rows[1..].iter().map(|row| (row[1].clone(), row[7].clone())).collect();
        assert_eq!(found, expected);
        assert!(rows[1..].iter().all(|row| clock(&row[0]) == "01:30:00"));
    }
}
