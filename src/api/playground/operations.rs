//! The example operations of the playground, from `docs/operations`, in the order of their tabs.

use serde::Serialize;

/// One documented operation: a task that a person or a program does.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Operation {
    /// The task, as its file is named: `service-create`.
    pub name: &'static str,
    /// The GraphQL document, opened by comment lines that say what it does.
    #[serde(rename = "query")]
    pub text: &'static str,
    /// Example variables as the text of a JSON object; empty where the operation takes none.
    pub variables: &'static str,
}

macro_rules! operation {
    ($name:literal) => {
        operation!($name, "")
    };
    ($name:literal, with variables) => {
        operation!(
            $name,
            include_str!(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/docs/operations/",
                $name,
                ".variables.json"
            ))
        )
    };
    ($name:literal, $variables:expr) => {
        Operation {
            name: $name,
            text: include_str!(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/docs/operations/",
                $name,
                ".graphql"
            )),
            variables: $variables,
        }
    };
}

/// Every file of `docs/operations`. The first one opens first and needs nothing but a signed-in reader.
pub const OPERATIONS: &[Operation] = &[
    operation!("organization-overview"),
    operation!("viewer"),
    operation!("menu", with variables),
    operation!("member-list", with variables),
    operation!("member-search", with variables),
    operation!("member-update", with variables),
    operation!("member-invite", with variables),
    operation!("member-invite-many", with variables),
    operation!("invitation-list", with variables),
    operation!("invitation-resend", with variables),
    operation!("invitation-update", with variables),
    operation!("invitation-revoke", with variables),
    operation!("invitation-preview", with variables),
    operation!("invitation-accept", with variables),
    operation!("agent-list", with variables),
    operation!("agent-add", with variables),
    operation!("agent-update", with variables),
    operation!("agent-update-many", with variables),
    operation!("agent-remove", with variables),
    operation!("admin-list"),
    operation!("admin-add", with variables),
    operation!("admin-remove", with variables),
    operation!("ownership-transfer", with variables),
    operation!("member-leave", with variables),
    operation!("member-remove", with variables),
    operation!("picture-upload", with variables),
    operation!("service-list", with variables),
    operation!("service-details", with variables),
    operation!("service-create", with variables),
    operation!("service-update", with variables),
    operation!("contract-items", with variables),
    operation!("contract-draft", with variables),
    operation!("contract-quote", with variables),
    operation!("contract-sign", with variables),
    operation!("contract-update", with variables),
    operation!("contract-history", with variables),
    operation!("contract-as-of", with variables),
    operation!("field-list", with variables),
    operation!("field-add", with variables),
    operation!("field-update", with variables),
    operation!("field-reorder", with variables),
    operation!("field-remove", with variables),
    operation!("ticket-create", with variables),
    operation!("ticket-list", with variables),
    operation!("ticket-update", with variables),
    operation!("ticket-reveal", with variables),
    operation!("company-list", with variables),
    operation!("company-create", with variables),
    operation!("company-update", with variables),
    operation!("company-publish", with variables),
    operation!("company-footer", with variables),
    operation!("company-remove", with variables),
    operation!("help-center-footer", with variables),
    operation!("cti-setting"),
    operation!("cti-setting-update", with variables),
    operation!("cti-agent-list", with variables),
    operation!("cti-agent-update-many", with variables),
    operation!("cti-holding-list", with variables),
    operation!("cti-login-check", with variables),
    operation!("cti-agent-sheet"),
    operation!("cti-agent-import", with variables),
    operation!("cti-events-record", with variables),
    operation!("cti-log-days", with variables),
    operation!("cti-log-own-days"),
    operation!("import-template", with variables),
    operation!("import-upload", with variables),
    operation!("import-list", with variables),
    operation!("import", with variables),
    operation!("job-progress", with variables),
    operation!("import-confirm", with variables),
    operation!("import-delete", with variables),
    operation!("import-undo", with variables),
    operation!("extraction-columns", with variables),
    operation!("extraction-request", with variables),
    operation!("extraction-list", with variables),
    operation!("extraction", with variables),
    operation!("extraction-step-list", with variables),
    operation!("service-suspend", with variables),
    operation!("service-resume", with variables),
    operation!("service-termination-preview", with variables),
    operation!("service-terminate", with variables),
    operation!("usage-record", with variables),
    operation!("charge-list", with variables),
    operation!("charge-service", with variables),
    operation!("charge-organization", with variables),
    operation!("organization-update", with variables),
    operation!("organization-key-list"),
    operation!("organization-key-create", with variables),
    operation!("organization-key-update", with variables),
    operation!("organization-key-rotate", with variables),
    operation!("organization-key-revoke", with variables),
    operation!("partner-token-issue", with variables),
    operation!("webhook-list"),
    operation!("webhook-create", with variables),
    operation!("webhook-update", with variables),
    operation!("webhook-rotate", with variables),
    operation!("webhook-test", with variables),
    operation!("webhook-delivery-list", with variables),
    operation!("webhook-replay", with variables),
    operation!("webhook-remove", with variables),
    operation!("pii-grant-list", with variables),
    operation!("pii-grant-create", with variables),
    operation!("pii-grant-update", with variables),
    operation!("pii-grant-revoke", with variables),
    operation!("pii-access", with variables),
    operation!("audit-list", with variables),
    operation!("permission-change-list", with variables),
    operation!("pii-grant-change-list", with variables),
    operation!("audit-verification"),
    operation!("audit-review", with variables),
    operation!("audit-review-sign", with variables),
    operation!("audit-review-list", with variables),
    operation!("node", with variables),
    operation!("node-list", with variables),
    operation!("session-start", with variables),
    operation!("session-exchange", with variables),
    operation!("session-refresh", with variables),
    operation!("session-confirm", with variables),
    operation!("session-revoke", with variables),
    operation!("session-end"),
    operation!("session-end-all"),
    operation!("viewer-update", with variables),
    operation!("second-factor-enroll"),
    operation!("second-factor-activate", with variables),
    operation!("recovery-codes-renew", with variables),
    operation!("second-factor-remove", with variables),
    operation!("second-factor-reset", with variables),
    operation!("password-change", with variables),
    operation!("password-reset-request", with variables),
    operation!("password-reset-preview", with variables),
    operation!("password-reset", with variables),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::OPERATIONS;

    #[test]
    fn every_file_is_listed_with_its_variables() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/operations");
        let files: BTreeSet<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.ends_with(".graphql") || name.ends_with(".variables.json"))
            .collect();
        let listed: BTreeSet<String> = OPERATIONS
            .iter()
            .flat_map(|operation| {
                let variables = format!("{}.variables.json", operation.name);
                [
                    Some(format!("{}.graphql", operation.name)),
                    (!operation.variables.is_empty()).then_some(variables),
                ]
            })
            .flatten()
            .collect();
        assert_eq!(listed, files);
    }

    #[test]
    fn every_operation_says_what_it_does_and_has_sound_variables() {
        for operation in OPERATIONS {
            assert!(
                operation.text.starts_with("# "),
                "{} opens without a comment",
                operation.name
            );
            if !operation.variables.is_empty() {
                let variables: serde_json::Value = serde_json::from_str(operation.variables).unwrap();
                assert!(variables.is_object(), "{}", operation.name);
            }
        }
    }
}
