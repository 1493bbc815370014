//! What a CTI setting must be like: the form of each value, and what each version needs to be complete. Nothing is
//! read and nothing is written here.

use super::entity::{CtiVersion, Model};
use crate::{
    cti::line::folded,
    kernel::{Code, Problem},
    organization::Organization,
};

/// A tenant ID without the spaces around it, or what is wrong with it.
pub(super) fn tenant_id(text: &str) -> Result<String, Problem> {
    let text = folded(text);
    let fits = text
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
    match text.len() {
        _ if !fits => Err(Problem::at("input.tenantId", Code::Invalid).with("rule", "A-Z a-z 0-9 _ -")),
        41.. => Err(Problem::at("input.tenantId", Code::TooLong).with("max", 40)),
        _ => Ok(text),
    }
}

/// A tenant name without the spaces around it, or what is wrong with it.
pub(super) fn tenant_name(text: &str) -> Result<String, Problem> {
    let text = text.trim();
    if text.chars().any(char::is_control) {
        return Err(Problem::at("input.tenantName", Code::Invalid).with("rule", "control characters"));
    }
    if text.chars().count() > 50 {
        return Err(Problem::at("input.tenantName", Code::TooLong).with("max", 50));
    }
    Ok(text.to_owned())
}

/// An IVR number: 8 to 13 digits, with single hyphens between them if one likes, or what is wrong with it.
pub(super) fn ivr_number(text: &str) -> Result<String, Problem> {
    let text = folded(text);
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let is_number = text
        .split('-')
        .all(|group| !group.is_empty() && group.bytes().all(|byte| byte.is_ascii_digit()));
    if text.is_empty() || (is_number && (8..=13).contains(&digits)) {
        Ok(text)
    } else {
        Err(Problem::at("input.representativeIvrNumber", Code::Invalid).with("rule", "0-9 -, 8–13"))
    }
}

/// What a setting lacks that its version needs, each with its path and its Korean and English name.
pub(super) fn lacks(row: &Model) -> Vec<(&'static str, &'static str, &'static str)> {
    let Some(version) = row.cti_version else {
        return Vec::new();
    };
    let mut lacks = Vec::new();
    if row.tenant_id.is_none() {
        lacks.push(("input.tenantId", "테넌트 ID", "a tenant ID"));
    }
    if row.tenant_name.is_none() {
        lacks.push(("input.tenantName", "테넌트 명칭", "a tenant name"));
    }
    match version {
        CtiVersion::IpccPrivate if row.representative_ivr_number.is_none() => lacks.push((
            "input.representativeIvrNumber",
            "대표 IVR 서비스 번호",
            "a representative IVR number",
        )),
        CtiVersion::MobileContact if !row.is_mobile_contact_enabled => lacks.push((
            "input.isMobileContactEnabled",
            "모바일 컨택 활성화",
            "Mobile Contact to be switched on",
        )),
        CtiVersion::IpccPrivate | CtiVersion::MobileContact => {}
    }
    lacks
}

/// What is wrong with a setting as a whole, `before` it was changed like this: what was there when its approval was
/// withdrawn may stay, but nobody gets it anew.
pub(super) fn problems(before: &Model, after: &Model, organization: &Organization) -> Vec<Problem> {
    let refused = |path, version: CtiVersion| {
        let (korean, english) = version.labels();
        Problem::at(path, Code::CtiVersionNotApproved).with_label("version", korean, english)
    };
    let mut problems = Vec::new();
    if let Some(version) = after.cti_version {
        if after.cti_version != before.cti_version && !is_approved(version, organization) {
            problems.push(refused("input.ctiVersion", version));
        }
        let (korean, english) = version.labels();
        problems.extend(lacks(after).into_iter().map(|(path, item, thing)| {
            Problem::at(path, Code::CtiFieldRequired)
                .with_label("version", korean, english)
                .with_label("item", item, thing)
        }));
    }
    let begins_mobile = after.is_mobile_contact_enabled && !before.is_mobile_contact_enabled;
    if begins_mobile && !organization.is_mobile_contact_approved {
        problems.push(refused("input.isMobileContactEnabled", CtiVersion::MobileContact));
    }
    let number = after.representative_ivr_number.as_deref();
    let is_foreign = number.is_some_and(|number| !number.starts_with("070"));
    if after.cti_version == Some(CtiVersion::MobileContact) && is_foreign {
        problems.push(Problem::at("input.representativeIvrNumber", Code::Invalid).with("rule", "070"));
    }
    problems
}

/// Whether the operator has agreed to a version, or enabled it.
pub fn is_approved(version: CtiVersion, organization: &Organization) -> bool {
    match version {
        CtiVersion::IpccPrivate => organization.is_ipcc_approved,
        CtiVersion::MobileContact => organization.is_mobile_contact_approved,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t2_each_value_has_its_form() {
        for (text, kept) in [
            ("OC_tenant-01", Some("OC_tenant-01")),
            (" ｔ１ ", Some("t1")),
            ("", Some("")),
            ("a b", Some("ab")),
            ("한글", None),
            ("a.b", None),
            (&"a".repeat(40), Some(&*"a".repeat(40))),
            (&"a".repeat(41), None),
        ] {
            assert_eq!(tenant_id(text).ok().as_deref(), kept, "{text}");
        }
        for (text, kept) in [
            ("070-1234-5678", Some("070-1234-5678")),
            ("15881234", Some("15881234")),
            ("０７０１２３４５６７８", Some("07012345678")),
            ("0123456789012", Some("0123456789012")),
            ("", Some("")),
            ("1234567", None),
            ("01234567890123", None),
            ("-12345678", None),
            ("1234--5678", None),
            ("1588-123a", None),
        ] {
            assert_eq!(ivr_number(text).ok().as_deref(), kept, "{text}");
        }
        assert!(tenant_name(&"가".repeat(50)).is_ok());
        assert!(tenant_name(&"가".repeat(51)).is_err());
        assert!(tenant_name("a\u{0}b").is_err());
    }
}
