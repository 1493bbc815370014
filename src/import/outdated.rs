//! A template that was made of other fields than the service has now: how they differ, field by field, each known by its
//! code and never by where it stands.

use std::collections::HashMap;

use super::entity::{Difference, DifferenceKind};
use crate::field::{Described, Field};

/// How the fields are now as templates describe them: only those that stand in one.
fn title(field: &Described) -> String {
    field.titles.first().map(|(_, title)| title.clone()).unwrap_or_default()
}

/// What differs from the fields as they were, in the order of the service's fields now, and then what is gone.
pub fn differences(before: &[Described], now: &[Field]) -> Vec<Difference> {
    let now: Vec<Described> = now.iter().map(Described::from).collect();
    let old: HashMap<&str, (usize, &Described)> = before
        .iter()
        .enumerate()
        .map(|(place, field)| (field.code.as_str(), (place, field)))
        .collect();
    let is_there = |code: &str| now.iter().any(|field| field.code == code);
    let mut found = Vec::new();
    let mut tell = |kind, before: Option<&Described>, after: Option<&Described>| {
        let code = before.or(after).map(|field| field.code.clone());
        found.push(Difference {
            kind,
            field_code: code.unwrap_or_default(),
            before: before.map(title),
            after: after.map(title),
        });
    };
    // Only what is in both can have moved, and only against each other.
    let kept_before = before
        .iter()
        .filter(|field| is_there(&field.code))
        .map(|field| &field.code);
    let kept_now = now
        .iter()
        .filter(|field| old.contains_key(field.code.as_str()))
        .map(|field| &field.code);
    let moved: Vec<_> = kept_now
        .zip(kept_before)
        .filter(|(now, before)| now != before)
        .map(|(now, _)| now.clone())
        .collect();
    for field in &now {
        let Some((_, was)) = old.get(field.code.as_str()) else {
            tell(DifferenceKind::Added, None, Some(field));
            continue;
        };
        if was.titles != field.titles {
            tell(DifferenceKind::Renamed, Some(was), Some(field));
        }
        if field.is_required && !was.is_required {
            tell(DifferenceKind::NowRequired, Some(was), Some(field));
        }
        let rest = |field: &Described| {
            (
                field.length,
                field.options.clone(),
                field.visibility.clone(),
                field.kind.clone(),
                field.is_encrypted,
            )
        };
        if rest(was) != rest(field) || (was.is_required && !field.is_required) {
            tell(DifferenceKind::Changed, Some(was), Some(field));
        }
        if moved.contains(&field.code) {
            tell(DifferenceKind::Moved, Some(was), Some(field));
        }
    }
    for field in before.iter().filter(|field| !is_there(&field.code)) {
        tell(DifferenceKind::Removed, Some(field), None);
    }
    found
}
