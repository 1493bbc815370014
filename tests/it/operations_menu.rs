//! The tasks of the menu: each has a documented operation, and each operation is one of them.

use std::collections::BTreeSet;

use orgdesk::api::{playground::OPERATIONS, schema};

/// The parts of the menu with what people do in each, by how the operations begin that do it; the last are of no part.
const TASKS: [(&str, &[&str]); 8] = [
    (
        "CONTRACTS",
        &[
            "service-list",
            "service-details",
            "service-create",
            "service-update",
            "service-suspend",
            "service-resume",
            "service-termination-preview",
            "service-terminate",
            "contract-items",
            "contract-draft",
            "contract-quote",
            "contract-sign",
            "contract-update",
            "contract-history",
            "contract-as-of",
            "charge-list",
            "charge-service",
            "charge-organization",
            "usage-record",
            "organization-overview",
            "organization-update",
            "organization-key-",
            "picture-upload",
            "partner-token-issue",
            "webhook-",
        ],
    ),
    (
        "ORGANIZATION_ADMINS",
        &[
            "admin-list",
            "admin-add",
            "admin-remove",
            "member-list",
            "member-search",
            "member-update",
            "member-invite",
            "member-invite-many",
            "member-leave",
            "member-remove",
            "ownership-transfer",
            "second-factor-reset",
            "invitation-",
            "agent-list",
            "agent-add",
            "agent-update",
            "agent-update-many",
            "agent-remove",
        ],
    ),
    (
        "COMPANY",
        &[
            "company-list",
            "company-create",
            "company-update",
            "company-publish",
            "company-footer",
            "company-remove",
            "help-center-footer",
        ],
    ),
    (
        "CTI",
        &[
            "cti-setting",
            "cti-setting-update",
            "cti-agent-list",
            "cti-agent-update-many",
            "cti-agent-sheet",
            "cti-agent-import",
            "cti-holding-list",
            "cti-login-check",
            "cti-events-record",
        ],
    ),
    (
        "LOGS",
        &[
            "audit-list",
            "audit-verification",
            "audit-review",
            "audit-review-sign",
            "audit-review-list",
            "permission-change-list",
            "pii-grant-change-list",
            "cti-log-days",
            "cti-log-own-days",
        ],
    ),
    (
        "IMPORTS",
        &[
            "import-template",
            "import-upload",
            "import-list",
            "import",
            "job-progress",
            "import-confirm",
            "import-delete",
            "import-undo",
        ],
    ),
    (
        "PII_GRANTS",
        &[
            "pii-grant-list",
            "pii-grant-create",
            "pii-grant-update",
            "pii-grant-revoke",
            "pii-access",
            "ticket-reveal",
        ],
    ),
    (
        "",
        &[
            "viewer",
            "viewer-update",
            "menu",
            "node",
            "session-",
            "password-",
            "second-factor-enroll",
            "second-factor-activate",
            "second-factor-remove",
            "recovery-codes-renew",
            "field-",
            "ticket-create",
            "ticket-list",
            "ticket-update",
        ],
    ),
];

#[test]
fn g10_every_task_of_every_part_of_the_menu_has_an_operation() {
    let sdl = schema::sdl(&schema::build());
    let (_, parts) = sdl.split_once("enum MenuName {").unwrap();
    let (parts, _) = parts.split_once("\n}").unwrap();
    let parts: BTreeSet<&str> = parts
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && line.chars().all(|letter| letter.is_ascii_uppercase() || letter == '_'))
        .collect();
    let known: BTreeSet<&str> = TASKS
        .iter()
        .map(|(part, _)| *part)
        .filter(|part| !part.is_empty())
        .collect();
    assert_eq!(parts, known);

    let does = |task: &str, name: &str| name == task || (task.ends_with('-') && name.starts_with(task));
    for (part, tasks) in TASKS {
        for task in tasks {
            assert!(
                OPERATIONS.iter().any(|operation| does(task, operation.name)),
                "{part}: nothing does {task}"
            );
        }
    }
    // A new operation is of some part, and says so here.
    for operation in OPERATIONS {
        let is_known = |task: &&str| does(task, operation.name) || format!("{task}-list") == operation.name;
        // 데이터 추출 and the reviews of logs belong to LOGS.
        let is_of_logs = ["extraction", "audit-review"]
            .iter()
            .any(|begin| operation.name.starts_with(begin));
        let is_of_one = TASKS.iter().any(|(_, tasks)| tasks.iter().any(is_known));
        assert!(is_of_logs || is_of_one, "{} is of no part of the menu", operation.name);
    }
}
