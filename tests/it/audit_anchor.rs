//! The ends of the chains outside the database: written in their time and at the end of a server, by several servers to
//! one place, over what a crash left; and what is done to the anchor itself shows.

use std::io::Write;

use chrono::Duration;
use orgdesk::{
    kernel::{AuditLog, OrganizationId, config::AnchorPlace, config::Storage, store::Store},
    operate,
};
use serde_json::json;

use crate::{
    audit::{disarm, rename},
    both,
    support::{
        anchor::{anchored, command, keeping, printed},
        app::TestApp,
        raw::Raw,
    },
};

async fn verified(app: &TestApp) -> operate::Verified {
    operate::verify_audit_against(&app.app, None).await.unwrap()
}

fn is_whole(found: &operate::Verified) -> bool {
    let mut reports = found.organizations.iter().flat_map(|(_, reports)| reports);
    found.broken_block.is_none() && found.absent.is_empty() && reports.all(|report| report.broken.is_none())
}

both! {
    async fn l3_the_ends_are_anchored_as_often_as_the_settings_say(app) {
        let (app, file) = anchored(app);
        let token = app.owner().token().await;
        assert!(operate::anchor_audit_if_due(&app.app).await.unwrap(), "there was none");
        assert!(!operate::anchor_audit_if_due(&app.app).await.unwrap());
        rename(&app, &token, 1, "Acme 1").await;
        app.wait(Duration::minutes(59));
        assert!(!operate::anchor_audit_if_due(&app.app).await.unwrap());
        app.wait(Duration::minutes(1));
        assert!(operate::anchor_audit_if_due(&app.app).await.unwrap());
        let text = std::fs::read_to_string(&file).unwrap();
        assert_eq!(text.lines().count(), 2, "{text}");
        assert_eq!(text.lines().last().unwrap().matches("org_").count(), 1, "only what moved: {text}");
        let found = verified(&app).await;
        assert!(is_whole(&found), "{found:?}");
        assert_eq!(found.blocks, 2);
        let query = "{ auditVerification { log anchoredPosition verifiedCount } }";
        let seen = app.owner().data(query, json!({})).await["auditVerification"][1].clone();
        assert_eq!(seen, json!({ "log": "MANAGEMENT", "anchoredPosition": 1, "verifiedCount": 1 }));
    }

    async fn l3_what_is_done_to_the_anchor_shows(app) {
        let (app, file) = anchored(app);
        let token = app.owner().token().await;
        for step in 0..4 {
            rename(&app, &token, 1 + step, &format!("Acme {step}")).await;
            operate::anchor_audit(&app.app).await.unwrap();
        }
        let text = std::fs::read_to_string(&file).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let with = |lines: &[&str]| lines.iter().map(|line| format!("{line}\n")).collect::<String>();
        let forged = lines[1].replacen("[\"org_", "[\"org_0", 1);
        for (what, text, block) in [
            ("the last block is cut off", with(&lines[..3]), 4),
            ("half of it is cut off", text[..text.len() - 60].to_owned(), 4),
            ("a block is taken out", with(&[lines[0], lines[2], lines[3]]), 2),
            ("a block is changed", with(&[lines[0], &forged, lines[2], lines[3]]), 2),
            ("two change places", with(&[lines[0], lines[2], lines[1], lines[3]]), 2),
            ("all of it is gone", String::new(), 1),
        ] {
            std::fs::write(&file, text).unwrap();
            assert_eq!(verified(&app).await.broken_block, Some(block), "{what}");
            assert!(operate::anchor_audit(&app.app).await.is_err(), "{what}: nothing is written over it");
            let output = command(&app, &file, &["verify"]);
            assert!(!output.status.success() && printed(&output).contains(&format!("anchor BROKEN at block {block}")), "{what}");
            let query = "{ auditVerification { isAnchorWhole } }";
            assert_eq!(app.owner().data(query, json!({})).await["auditVerification"][0]["isAnchorWhole"], false, "{what}");
        }
        std::fs::write(&file, &text).unwrap();
        assert!(is_whole(&verified(&app).await));
        // A copy from before is good for what it knows.
        let copy = app.data().join("copy.jsonl");
        std::fs::write(&copy, with(&lines[..2])).unwrap();
        let output = command(&app, &file, &["verify", "--anchor", &copy.display().to_string()]);
        assert!(output.status.success(), "{}", printed(&output));
        let mut raw = Raw::admin(&app).await;
        disarm(&mut raw).await;
        raw.must("DELETE FROM audit_entry WHERE log = 'MANAGEMENT' AND sequence > 1").await;
        let output = command(&app, &file, &["verify", "--anchor", &copy.display().to_string()]);
        assert!(!output.status.success() && printed(&output).contains("MANAGEMENT BROKEN at entry 2"), "{}", printed(&output));
    }

    async fn l3_a_server_that_fell_while_it_wrote_leaves_no_gap(app) {
        let (app, file) = anchored(app);
        operate::anchor_audit(&app.app).await.unwrap();
        let whole = std::fs::read_to_string(&file).unwrap();
        let mut open = std::fs::OpenOptions::new().append(true).open(&file).unwrap();
        open.write_all(&whole.as_bytes()[..100]).unwrap();

        assert!(is_whole(&verified(&app).await), "what is half there was never written");
        operate::anchor_audit(&app.app).await.unwrap();

        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.starts_with(&whole) && text.ends_with('\n') && text.lines().count() == 3, "{text}");
        let found = verified(&app).await;
        assert!(is_whole(&found), "{found:?}");
        assert_eq!(found.blocks, 2);
    }

    async fn l3_several_servers_write_to_one_anchor(app) {
        let (app, _) = anchored(app);
        let second = app.second_server().await;
        let token = app.owner().token().await;
        for step in 0..5 {
            rename(&app, &token, 1 + step, &format!("Acme {step}")).await;
            let (one, other) = futures_util::join!(operate::anchor_audit(&app.app), operate::anchor_audit(&second.app));
            one.unwrap();
            other.unwrap();
        }
        let found = verified(&second).await;
        assert!(is_whole(&found), "{found:?}");
        assert_eq!(found.blocks, 10);
    }

    async fn l3_the_store_of_files_holds_an_anchor_too(app) {
        let app = keeping(app, |logs| logs.anchor = AnchorPlace::Store);
        let second = app.second_server().await;
        let token = app.owner().token().await;
        for step in 0..3 {
            rename(&app, &token, 1 + step, &format!("Acme {step}")).await;
            let (one, other) = futures_util::join!(operate::anchor_audit(&app.app), operate::anchor_audit(&second.app));
            one.unwrap();
            other.unwrap();
        }
        assert_eq!(app.app.store.list("audit-anchor").await.unwrap().len(), 6);
        let found = verified(&app).await;
        assert!(is_whole(&found), "{found:?}");
        let mut raw = Raw::admin(&app).await;
        disarm(&mut raw).await;
        raw.must("DELETE FROM audit_entry WHERE log = 'MANAGEMENT' AND sequence = 3").await;
        let found = verified(&second).await;
        let broken: Vec<_> = found.organizations.iter().flat_map(|(_, reports)| reports).filter_map(|report| report.broken.clone()).collect();
        assert_eq!(broken.iter().map(|broken| (broken.log, broken.sequence)).collect::<Vec<_>>(), [(AuditLog::Management, 3)]);
        // Another server, which has read nothing yet.
        app.app.store.delete("audit-anchor/000000000006").await.unwrap();
        let third = app.second_server().await;
        let third = third.changed(|other| orgdesk::kernel::App { store: Store::open(&Storage::Folder, app.data()).unwrap(), ..other });
        assert_eq!(verified(&third).await.broken_block, Some(6));
    }

    async fn l3_a_block_of_the_future_is_told_of(app) {
        let (app, file) = anchored(app);
        operate::anchor_audit(&app.app).await.unwrap();
        assert_eq!(verified(&app).await.block_ahead, None);
        app.wait(Duration::days(400));
        operate::anchor_audit(&app.app).await.unwrap();
        app.wait(Duration::days(-400));

        // Whoever reads it anew, by the right clock.
        let found = verified(&app.second_server().await).await;

        assert_eq!((found.block_ahead, found.broken_block, found.blocks), (Some(2), None, 2));
        let output = command(&app, &file, &["verify"]);
        let is_told = printed(&output).contains("anchor AHEAD at block 2");
        assert_eq!(is_told, !output.status.success(), "{}", printed(&output));
        let query = "{ auditVerification { isAnchorWhole } }";
        let second = app.second_server().await;
        assert_eq!(second.owner().data(query, json!({})).await["auditVerification"][0]["isAnchorWhole"], false);
    }

    async fn l3_what_was_read_of_a_store_is_not_read_in_vain(app) {
        let app = keeping(app, |logs| logs.anchor = AnchorPlace::Store);
        for _ in 0..130 {
            operate::anchor_audit(&app.app).await.unwrap();
        }
        let folder = app.data().join("files/audit-anchor");
        let block = |number: i64| folder.join(format!("{number:012}"));
        let reader = app.second_server().await;
        let kept = std::fs::read(block(120)).unwrap();
        std::fs::remove_file(block(120)).unwrap();
        // What leads to itself is there, and can't be read.
        std::os::unix::fs::symlink(block(120), block(120)).unwrap();
        assert!(operate::verify_audit_against(&reader.app, None).await.is_err(), "it can't be read to its end");

        std::fs::remove_file(block(120)).unwrap();
        std::fs::write(block(120), kept).unwrap();
        for number in 1..=100 {
            std::fs::remove_file(block(number)).unwrap();
        }

        let found = verified(&reader).await;
        assert_eq!((found.blocks, found.broken_block), (130, None), "what was read is known");
    }

    async fn l3_a_verification_keeps_no_other_organization_from_its_own(app) {
        let (app, _) = anchored(app);
        let query = "{ auditVerification { log brokenPosition } }";
        let organization = app.owner().data("{ organization { id } }", json!({})).await;
        let acme: OrganizationId = organization["organization"]["id"].as_str().unwrap().parse().unwrap();
        let walk = app.app.verification.begin(acme).unwrap();
        assert_eq!(app.owner().ask(query, json!({})).await.code(), "THROTTLED");
        assert_eq!(app.rival().data(query, json!({})).await["auditVerification"].as_array().unwrap().len(), 5);
        let other = OrganizationId(uuid::Uuid::nil());
        let second = app.app.verification.begin(other).unwrap();
        assert_eq!(app.rival().ask(query, json!({})).await.code(), "THROTTLED", "and not so many that nobody else can read");
        drop((walk, second));
        app.owner().data(query, json!({})).await;
    }
}
