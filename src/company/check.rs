//! The forms of what a company says of itself: numbers as Korean authorities and telephone companies write them, links
//! that lead somewhere safe, and texts of terms without anything that a page would run.

/// 사업자등록번호 as `NNN-NN-NNNNN`; `None` where the digits are not ten or the last of them does not check.
pub(super) fn business_number(text: &str) -> Option<String> {
    const WEIGHTS: [u32; 9] = [1, 3, 7, 1, 3, 7, 1, 3, 5];
    let digits = digits(text)?;
    let numbers: Vec<u32> = digits.chars().filter_map(|digit| digit.to_digit(10)).collect();
    let &[.., ninth, check] = numbers.as_slice() else {
        return None;
    };
    if numbers.len() != 10 {
        return None;
    }
    let weighed: u32 = numbers.iter().zip(WEIGHTS).map(|(digit, weight)| digit * weight).sum();
    let sum = weighed + ninth * 5 / 10;
    ((10 - sum % 10) % 10 == check).then(|| format!("{}-{}-{}", &digits[..3], &digits[3..5], &digits[5..]))
}

/// A Korean telephone number with its hyphens: 02 and three-digit areas, 070 and 080, mobile numbers, and the numbers of
/// eight digits that begin with 15, 16 and 18.
pub(super) fn phone(text: &str) -> Option<String> {
    let digits = digits(text)?;
    let grouped = |area: usize| {
        let (area, rest) = digits.split_at(area);
        let (office, line) = rest.split_at_checked(rest.len().checked_sub(4)?)?;
        (3..=4)
            .contains(&office.len())
            .then(|| format!("{area}-{office}-{line}"))
    };
    match digits.as_bytes() {
        [b'1', b'5' | b'6' | b'8', ..] if digits.len() == 8 => Some(format!("{}-{}", &digits[..4], &digits[4..])),
        [b'0', b'2', ..] => grouped(2),
        [b'0', b'1' | b'3'..=b'8', ..] if digits.len() >= 3 => grouped(3),
        _ => None,
    }
}

/// The digits of a text that has nothing but digits, hyphens and spaces.
fn digits(text: &str) -> Option<String> {
    let plain = text
        .chars()
        .all(|letter| letter.is_ascii_digit() || "- ".contains(letter));
    plain.then(|| text.chars().filter(char::is_ascii_digit).collect())
}

/// Whether a link leads to another host by HTTPS, without a sign-in in it, and is at most 2,000 bytes of visible ASCII.
pub(super) fn is_link(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("https://") else {
        return false;
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let name = host.split(':').next().unwrap_or_default();
    let label = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    text.len() <= 2_000
        && text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !b"\\\"<>`".contains(&byte))
        && name.contains('.')
        && name.split('.').all(label)
        && host.strip_prefix(name).is_some_and(is_port)
}

fn is_port(text: &str) -> bool {
    text.is_empty() || text.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok())
}

/// The text of terms as it may stand in a page: formatting, lists, tables and links, nothing that runs, loads or covers.
pub(super) fn sanitized(html: &str) -> String {
    ammonia::Builder::default()
        .rm_tags(["img", "map", "area"])
        .url_schemes(["https", "mailto", "tel"].into())
        .link_rel(Some("noopener noreferrer nofollow"))
        .clean(html)
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c1_a_business_number_has_a_check_digit() {
        for (text, number) in [
            ("220-81-62517", Some("220-81-62517")),
            ("2208162517", Some("220-81-62517")),
            ("124-81-00998", Some("124-81-00998")),
            ("120 81 47521", Some("120-81-47521")),
            ("220-81-62518", None),
            ("220-81-6251", None),
            ("220-81-625170", None),
            ("220-81-6251x", None),
            ("", None),
        ] {
            assert_eq!(business_number(text).as_deref(), number, "{text}");
        }
        let valid = (0..10).filter(|last| business_number(&format!("220816251{last}")).is_some());
        assert_eq!(valid.count(), 1, "one check digit is right");
    }

    #[test]
    fn c1_a_telephone_number_is_one_of_the_korean_forms() {
        for (text, number) in [
            ("0212345678", Some("02-1234-5678")),
            ("02-123-4567", Some("02-123-4567")),
            ("031-123-4567", Some("031-123-4567")),
            ("07012345678", Some("070-1234-5678")),
            ("080-123-4567", Some("080-123-4567")),
            ("010 1234 5678", Some("010-1234-5678")),
            ("1588-1234", Some("1588-1234")),
            ("16001234", Some("1600-1234")),
            ("18991234", Some("1899-1234")),
            ("1788-1234", None),
            ("15881234567", None),
            ("02-12-3456", None),
            ("090-1234-5678", None),
            ("+82-2-123-4567", None),
            ("031-12345-6789", None),
            ("0", None),
            ("", None),
        ] {
            assert_eq!(phone(text).as_deref(), number, "{text}");
        }
    }

    #[test]
    fn c1_a_link_is_https_and_plain() {
        for (link, fits) in [
            ("https://example.com/terms?v=1#top", true),
            ("https://example.com:8443/", true),
            ("http://example.com/", false),
            ("javascript:alert(1)", false),
            ("https://user@example.com/", false),
            ("https://example.com:99999/", false),
            ("https://localhost/", false),
            ("https://exa mple.com/", false),
            ("https://example.com/\"onclick=", false),
            ("https:///path", false),
            ("//example.com", false),
        ] {
            assert_eq!(is_link(link), fits, "{link}");
        }
    }

    #[test]
    fn c4_nothing_of_the_corpus_runs() {
        for attack in include_str!("xss.txt").lines().filter(|line| !line.is_empty()) {
            let clean = sanitized(attack).to_lowercase();
            for word in [
                "<script",
                "<iframe",
                "<object",
                "<embed",
                "<svg",
                "<math",
                "<form",
                "<style",
                "<link",
                "<meta",
                "<base",
                "<img",
                "<video",
                "<audio",
                "<input",
                "<template",
            ] {
                assert!(!clean.contains(word), "{attack} → {clean}");
            }
            let mut rest = clean.as_str();
            while let Some(place) = rest.find('<') {
                let tag = rest[place..].split('>').next().unwrap_or_default();
                for part in [
                    "javascript:",
                    "data:",
                    "vbscript:",
                    " on",
                    " style",
                    " srcdoc",
                    " formaction",
                ] {
                    assert!(!tag.contains(part), "{attack} → {clean}");
                }
                rest = &rest[place + 1..];
            }
        }
        assert_eq!(
            sanitized("<h2>제1조</h2><p>본 <b>약관</b>은 <a href=\"https://example.com\">여기</a></p>"),
            "<h2>제1조</h2><p>본 <b>약관</b>은 <a href=\"https://example.com\" rel=\"noopener noreferrer nofollow\">여기</a></p>"
        );
    }
}
