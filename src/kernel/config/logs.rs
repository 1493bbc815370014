//! The settings of the logs: how long each is kept, with the floors of the law, and where the ends of their chains are
//! anchored outside the database.

use std::path::PathBuf;

use super::{Source, data_folder, database_url};
use crate::kernel::{AuditLog, Timestamp};

/// How long a right's record is kept at least: 3 years, 개인정보의 안전성 확보조치 기준 제5조 제3항.
const RIGHTS_FLOOR: u32 = 36;

/// How long a record of access is kept at least, 같은 기준 제8조 제1항: 2 years where there are 50,000 data subjects or
/// more, or sensitive or unique identification data, or where the operator is a carrier; 1 year elsewhere.
const ACCESS_FLOORS: [(&str, u32); 2] = [("two-years", 24), ("one-year", 12)];

/// No log is kept for longer than this.
const MOST: u32 = 240;

/// How many months a log is kept at least, whatever the settings are.
pub fn least_months(log: AuditLog) -> u32 {
    match log {
        AuditLog::Permission | AuditLog::PiiGrant => RIGHTS_FLOOR,
        AuditLog::Access | AuditLog::Extraction | AuditLog::Management => ACCESS_FLOORS
            .iter()
            .map(|(_, months)| *months)
            .min()
            .unwrap_or_default(),
    }
}

/// The anchor's file in the data folder, where it is in one and nothing else is said.
const FILE: &str = "audit-anchor.jsonl";

/// From one anchoring to the next, in minutes, where nothing else is said.
const USUAL_EVERY: u32 = 60;

/// Where the ends of the chains are anchored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AnchorPlace {
    /// Nowhere.
    Off,
    /// In a file to whose end is written and nothing else.
    File(PathBuf),
    /// In the store of files, an object for each block.
    Store,
}

impl AnchorPlace {
    /// Its name in the database.
    pub fn name(&self) -> String {
        match self {
            Self::Off => "off".to_owned(),
            Self::File(path) => path.display().to_string(),
            Self::Store => "store".to_owned(),
        }
    }
}

/// How the logs are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogSettings {
    /// Where the ends of the chains are anchored.
    pub anchor: AnchorPlace,
    /// From one anchoring to the next, in minutes.
    pub anchor_minutes: u32,
    /// How many months the records of rights are kept: the logs of permissions and of grants to see personal data.
    pub permission_months: u32,
    /// How many months the records of access are kept: the logs of access and of what was extracted.
    pub access_months: u32,
    /// How many months the log of management is kept.
    pub management_months: u32,
}

impl LogSettings {
    /// How many months a log is kept.
    pub fn months(&self, log: AuditLog) -> u32 {
        match log {
            AuditLog::Permission | AuditLog::PiiGrant => self.permission_months,
            AuditLog::Access | AuditLog::Extraction => self.access_months,
            AuditLog::Management => self.management_months,
        }
    }

    /// From when on about a log is kept: to a day or two, since days begin in each organization's zone.
    pub fn kept_from(&self, log: AuditLog, now: Timestamp) -> Timestamp {
        let from = now.0.checked_sub_months(chrono::Months::new(self.months(log)));
        Timestamp(from.unwrap_or(chrono::DateTime::UNIX_EPOCH))
    }
}

/// Reads them. What lies below the floor of the law is refused.
pub(super) fn read(source: &Source, faults: &mut Vec<String>) -> LogSettings {
    let floor = source.get("ACCESS_LOG_FLOOR").unwrap_or(ACCESS_FLOORS[0].0);
    let floor = ACCESS_FLOORS.iter().find(|(name, _)| *name == floor);
    if floor.is_none() {
        faults.push("ORGDESK_ACCESS_LOG_FLOOR is one of two-years, one-year".to_owned());
    }
    let access_floor = floor.map_or(ACCESS_FLOORS[0].1, |(_, months)| *months);
    let mut number = |name: &str, unit: &str, usual: u32, least: u32, most: u32| {
        let read = source.get(name).map_or(Ok(usual), str::parse).ok();
        read.filter(|number| (least..=most).contains(number))
            .unwrap_or_else(|| {
                faults.push(format!("ORGDESK_{name} is a number of {unit} from {least} to {most}"));
                usual
            })
    };
    let usual_access = ACCESS_FLOORS[0].1;
    LogSettings {
        anchor_minutes: number("AUDIT_ANCHOR_MINUTES", "minutes", USUAL_EVERY, 1, 1_440),
        permission_months: number("PERMISSION_LOG_MONTHS", "months", RIGHTS_FLOOR, RIGHTS_FLOOR, MOST),
        access_months: number("ACCESS_LOG_MONTHS", "months", usual_access, access_floor, MOST),
        management_months: number("MANAGEMENT_LOG_MONTHS", "months", RIGHTS_FLOOR, access_floor, MOST),
        anchor: match source.get("AUDIT_ANCHOR") {
            // Servers that share a database share its anchor, too, and the store of files is what they share besides.
            None if database_url(source).is_ok_and(|url| url.starts_with("postgres")) => {
                faults.extend(left_behind(&data_folder(source).join(FILE)));
                AnchorPlace::Store
            }
            None => AnchorPlace::File(data_folder(source).join(FILE)),
            Some("off") => AnchorPlace::Off,
            Some("store") => AnchorPlace::Store,
            Some(path) => AnchorPlace::File(path.into()),
        },
    }
}

/// What is to be said of an anchor in a file that nobody writes to any more without having said so: what it knows of the
/// chains, their entries' age above all, another one that begins now would not know.
fn left_behind(file: &std::path::Path) -> Option<String> {
    let file = file.exists().then(|| file.display().to_string())?;
    Some(format!(
        "ORGDESK_AUDIT_ANCHOR is not given, and {file} is an anchor already; on PostgreSQL it would be in the store: give {file} \
         to go on with that one, or `store` to begin another, and keep the file as evidence"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(pairs: &[(&str, &str)]) -> Result<LogSettings, Vec<String>> {
        let named = |(name, value): &(&str, &str)| {
            let name = if *name == "DATABASE_URL" {
                (*name).to_owned()
            } else {
                format!("ORGDESK_{name}")
            };
            (name, (*value).to_owned())
        };
        let mut faults = Vec::new();
        let read = read(&Source::read(pairs.iter().map(named)).unwrap(), &mut faults);
        if faults.is_empty() { Ok(read) } else { Err(faults) }
    }

    // case: C7
    #[test]
    fn l7_no_log_is_kept_for_a_shorter_time_than_the_law_says() {
        let usual = settings(&[]).unwrap();
        let months = [
            AuditLog::Permission,
            AuditLog::PiiGrant,
            AuditLog::Access,
            AuditLog::Extraction,
            AuditLog::Management,
        ]
        .map(|log| usual.months(log));
        assert_eq!(months, [36, 36, 24, 24, 36]);
        assert_eq!(usual.anchor, AnchorPlace::File("data/audit-anchor.jsonl".into()));
        for right in [
            [("PERMISSION_LOG_MONTHS", "36"), ("ACCESS_LOG_FLOOR", "two-years")],
            [("PERMISSION_LOG_MONTHS", "240"), ("ACCESS_LOG_MONTHS", "24")],
            [("ACCESS_LOG_MONTHS", "12"), ("ACCESS_LOG_FLOOR", "one-year")],
            [("MANAGEMENT_LOG_MONTHS", "12"), ("ACCESS_LOG_FLOOR", "one-year")],
            [("AUDIT_ANCHOR", "store"), ("AUDIT_ANCHOR_MINUTES", "1440")],
        ] {
            assert!(settings(&right).is_ok(), "{right:?}");
        }
        for wrong in [
            ("PERMISSION_LOG_MONTHS", "35"),
            ("PERMISSION_LOG_MONTHS", "241"),
            ("ACCESS_LOG_MONTHS", "23"),
            ("MANAGEMENT_LOG_MONTHS", "23"),
            ("ACCESS_LOG_MONTHS", "-24"),
            ("ACCESS_LOG_MONTHS", "ever"),
            ("ACCESS_LOG_FLOOR", "none"),
            ("AUDIT_ANCHOR_MINUTES", "0"),
        ] {
            assert_eq!(settings(&[wrong]).unwrap_err().len(), 1, "{wrong:?}");
        }
        let low = [("ACCESS_LOG_MONTHS", "11"), ("ACCESS_LOG_FLOOR", "one-year")];
        assert!(settings(&low).is_err());
    }

    #[test]
    fn l3_servers_that_share_a_database_share_an_anchor() {
        let place = |pairs: &[(&str, &str)]| settings(pairs).unwrap().anchor;
        let (small, large) = (("DATABASE_URL", "sqlite:x.db"), ("DATABASE_URL", "postgres://a@b/c"));
        let nowhere = ("DATA", "nowhere");
        assert_eq!(
            place(&[small, ("DATA", "there")]),
            AnchorPlace::File("there/audit-anchor.jsonl".into())
        );
        assert_eq!(place(&[large, nowhere]), AnchorPlace::Store);
        assert_eq!(
            place(&[large, ("AUDIT_ANCHOR", "/mnt/a.jsonl")]),
            AnchorPlace::File("/mnt/a.jsonl".into())
        );
        assert_eq!(place(&[large, ("AUDIT_ANCHOR", "off")]), AnchorPlace::Off);
    }

    // case: K15
    #[test]
    fn l3_an_anchor_in_a_file_is_not_left_behind_without_a_word() {
        let folder = tempfile::tempdir().unwrap();
        let data = ("DATA", folder.path().to_str().unwrap());
        let (large, file) = (("DATABASE_URL", "postgres://a@b/c"), folder.path().join(FILE));
        assert_eq!(settings(&[large, data]).unwrap().anchor, AnchorPlace::Store);

        std::fs::write(&file, "{}\n").unwrap();

        let faults = settings(&[large, data]).unwrap_err();
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert!(
            faults[0].starts_with("ORGDESK_AUDIT_ANCHOR ") && faults[0].contains(file.to_str().unwrap()),
            "{faults:?}"
        );
        let go_on = ("AUDIT_ANCHOR", file.to_str().unwrap());
        assert_eq!(
            settings(&[large, data, go_on]).unwrap().anchor,
            AnchorPlace::File(file.clone())
        );
        assert_eq!(
            settings(&[large, data, ("AUDIT_ANCHOR", "store")]).unwrap().anchor,
            AnchorPlace::Store
        );
        assert_eq!(
            settings(&[("DATABASE_URL", "sqlite:x.db"), data]).unwrap().anchor,
            AnchorPlace::File(file)
        );
    }
}
