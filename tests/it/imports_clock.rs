//! 익일 오전 1시: when the night of an import begins, wherever the organization is. `import_nights.csv` was computed without
//! any of this service's code.

use orgdesk::{import::night, kernel::Timestamp};
use serde_json::json;

use crate::{
    both,
    support::{
        app::instant,
        imports::{self, GOOD, fill, import, template},
        make,
    },
};

// case: F1
#[test]
fn m5_the_night_begins_when_the_table_says() {
    let mut cases = 0;
    for line in include_str!("import_nights.csv").lines().skip(1) {
        let [zone, confirmed, begins] = line.split(',').collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        let zone: chrono_tz::Tz = zone.parse().unwrap();
        let found = night(Timestamp(instant(confirmed)), zone).unwrap();
        assert_eq!(found, Timestamp(instant(begins)), "{line}");
        cases += 1;
    }
    assert!(cases >= 40, "{cases}");
}

both! {
    // case: F1
    async fn m5_a_reservation_is_kept_in_utc_with_its_zone_and_no_change_of_the_zone_moves_it(app) {
        let owner = app.owner();
        let move_to = async |zone: &str| {
            let now = owner.data("{ organization { id version } }", json!({})).await["organization"].clone();
            let input = json!({ "expectedVersion": now["version"], "timeZone": zone });
            owner.deed("organizationUpdate(id: $id, input: $input)", json!({ "id": now["id"], "input": input })).await;
        };
        move_to("America/New_York").await;
        let desk = make::in_use(owner, "desk", 1).await;
        app.go_to("2026-11-01T05:30:00Z");
        let file = fill(&template(&app, owner, &desk.id).await, &[GOOD]);
        let id = imports::reserved(&app, owner, &desk.id, &file).await;

        move_to("Asia/Seoul").await;

        let due = import(owner, &id).await["dueAt"].clone();
        assert_eq!(due, json!({ "at": "2026-11-02T06:00:00.000Z", "timeZone": "America/New_York", "local": "2026-11-02 01:00 -05:00" }));
    }
}
