//! Where settings come from: the environment, and the file that it names.

use std::collections::BTreeMap;

/// Every setting whose name everybody knows: it has no prefix.
const BARE: &[&str] = &[
    "DATABASE_URL",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_HEADERS",
    "OTEL_EXPORTER_OTLP_PROTOCOL",
    "OTEL_EXPORTER_OTLP_TIMEOUT",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
    "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
    "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT",
    "OTEL_SDK_DISABLED",
    "OTEL_SERVICE_NAME",
    "OTEL_TRACES_EXPORTER",
    "OTEL_TRACES_SAMPLER",
    "OTEL_TRACES_SAMPLER_ARG",
];

/// Every other setting: its name after `ORGDESK_`.
const KNOWN: &[&str] = &[
    "REPLICA_URL",
    "POOLER_URL",
    "LISTEN",
    "METRICS_LISTEN",
    "DATA",
    "ORGANIZATION_URL",
    "PUBLIC_URL",
    "MAIL_FROM",
    "SMTP_URL",
    "SMTP_CA_FILE",
    "STORAGE",
    "STORAGE_BUCKET",
    "STORAGE_REGION",
    "STORAGE_ENDPOINT",
    "STORAGE_ACCESS_KEY",
    "STORAGE_SECRET_KEY",
    "STORAGE_SECRET_KEY_FILE",
    "STORAGE_PATH_STYLE",
    "PICTURE_QUOTA_MIB",
    "INTROSPECTION",
    "PLAYGROUND",
    "LOG",
    "SECRET",
    "SECRET_FILE",
    "KEY_RING",
    "KEY_RING_FILE",
    "MIGRATION_URL",
    "BACKUP_URL",
    "TRUSTED_PROXIES",
    "ALLOWED_ORIGINS",
    "CTI_LOG_DAYS",
    "AUDIT_ANCHOR",
    "AUDIT_ANCHOR_MINUTES",
    "PERMISSION_LOG_MONTHS",
    "ACCESS_LOG_MONTHS",
    "ACCESS_LOG_FLOOR",
    "MANAGEMENT_LOG_MONTHS",
    "EXTRACTION_ROWS",
    "EXTRACTION_DAYS",
    "COST_BUCKET",
    "COST_REFILL",
    "WEBHOOK_NETWORKS",
];

/// The settings as texts, wherever they came from.
#[derive(Debug, Default)]
pub struct Source(BTreeMap<String, String>);

impl Source {
    /// Reads the environment, and the file that it names; the environment wins.
    ///
    /// # Errors
    /// Every unknown name, and whatever is wrong with the file.
    pub fn read(environment: impl Iterator<Item = (String, String)>) -> Result<Self, Vec<String>> {
        let mut faults = Vec::new();
        let mut found = BTreeMap::new();
        let mut file = None;
        for (name, value) in environment {
            match name.strip_prefix("ORGDESK_") {
                Some("CONFIG") => file = Some(value),
                // The tests' own switches.
                Some(own) if own.starts_with("TEST_") => {}
                Some(own) if KNOWN.contains(&own) => {
                    found.insert(own.to_owned(), value);
                }
                Some(_) => faults.push(format!("{name} is no setting of Orgdesk")),
                None if BARE.contains(&name.as_str()) => {
                    found.insert(name, value);
                }
                None => {}
            }
        }
        if let Some(path) = file {
            match read_file(&path) {
                Err(fault) => faults.push(fault),
                Ok(table) => {
                    for (name, value) in table {
                        let known = name.to_uppercase();
                        if [BARE, KNOWN].concat().contains(&known.as_str()) {
                            found.entry(known).or_insert(value);
                        } else {
                            faults.push(format!("{path}: {name} is no setting of Orgdesk"));
                        }
                    }
                }
            }
        }
        if faults.is_empty() {
            Ok(Self(found))
        } else {
            Err(faults)
        }
    }

    /// One setting's text.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

fn read_file(path: &str) -> Result<BTreeMap<String, String>, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
    let table: toml::Table = text
        .parse()
        .map_err(|error: toml::de::Error| format!("{path}: {}", error.message()))?;
    let plain = |(name, value): (String, toml::Value)| match value {
        toml::Value::String(text) => Ok((name, text)),
        toml::Value::Boolean(_) | toml::Value::Integer(_) => Ok((name, value.to_string())),
        _ => Err(format!("{path}: {name} is neither text, number nor true or false")),
    };
    table.into_iter().map(plain).collect()
}
