//! The settings of the database, of a standby of it, and of a pooler before it.

use std::str::FromStr;

use sqlx::postgres::PgConnectOptions;

use super::{Source, data_folder};

/// The database, the standby that views may read from, and the pooler that transactions go through.
pub(super) fn read(source: &Source, faults: &mut Vec<String>) -> (String, Option<String>, Option<String>) {
    let database = database_url(source).unwrap_or_else(|fault| {
        faults.push(fault);
        String::new()
    });
    let mut beside = |name: &str, what: &str| {
        let url = source.get(name).map(str::to_owned);
        if let Some(fault) = url.as_deref().and_then(|url| fault(url, &database, what)) {
            faults.push(format!("ORGDESK_{name} {fault}"));
        }
        url
    };
    let replica = beside("REPLICA_URL", "a standby of");
    let pooler = beside("POOLER_URL", "a pooler before");
    (database, replica, pooler)
}

/// What is wrong with an address beside that of the database, as far as it can be told without asking there.
fn fault(url: &str, database: &str, what: &str) -> Option<String> {
    if !is_postgres(url) || PgConnectOptions::from_str(url).is_err() {
        Some(format!("must begin with postgres:// and lead to {what} DATABASE_URL"))
    } else if !is_postgres(database) {
        Some("needs a DATABASE_URL of PostgreSQL".to_owned())
    } else if url == database {
        Some("must not be DATABASE_URL itself".to_owned())
    } else {
        None
    }
}

fn is_postgres(url: &str) -> bool {
    ["postgres://", "postgresql://"]
        .iter()
        .any(|scheme| url.starts_with(scheme))
}

/// The database: `DATABASE_URL`, or a file in the data folder.
///
/// # Errors
/// If it is neither SQLite nor PostgreSQL.
pub fn database_url(source: &Source) -> Result<String, String> {
    match source.get("DATABASE_URL") {
        None => Ok(format!("sqlite:{}", data_folder(source).join("orgdesk.db").display())),
        Some(url) if url.starts_with("sqlite:") || is_postgres(url) => Ok(url.to_owned()),
        Some(_) => Err("DATABASE_URL must begin with sqlite: or postgres://".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(settings: &[(&str, &str)]) -> Vec<String> {
        let pairs = settings
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let mut faults = Vec::new();
        read(&Source::read(pairs).unwrap(), &mut faults);
        faults
    }

    #[test]
    fn p2_a_replica_and_a_pooler_are_of_postgresql() {
        for name in ["ORGDESK_REPLICA_URL", "ORGDESK_POOLER_URL"] {
            is_of_postgresql(name);
        }
    }

    fn is_of_postgresql(name: &str) {
        let large = ("DATABASE_URL", "postgres://a@b/c");
        let replica = |url| (name, url);

        assert_eq!(faults(&[large]), Vec::<String>::new());
        assert_eq!(faults(&[large, replica("postgres://a@d/c")]), Vec::<String>::new());
        for (settings, said) in [
            ([large, replica("mysql://a@d/c")], "must begin with postgres://"),
            ([large, replica("postgres://a@d:port/c")], "must begin with postgres://"),
            ([large, replica("postgres://a@b/c")], "must not be DATABASE_URL itself"),
            (
                [("DATABASE_URL", "sqlite:x.db"), replica("postgres://a@d/c")],
                "needs a DATABASE_URL of PostgreSQL",
            ),
        ] {
            let faults = faults(&settings);
            assert!(
                matches!(&faults[..], [fault] if fault.starts_with(&format!("{name} ")) && fault.contains(said)),
                "{faults:?}"
            );
        }
    }
}
