//! Which passwords are taken, after NIST 800-63B-4: long ones that nobody would think of first. Nothing is asked of the
//! characters in them, and no password grows old.

use super::{Hasher, LONGEST, blocklist, normal};
use crate::{
    kernel::{App, Code, Problem, Result, Tx, secret::SecretText},
    member::Member,
    organization::Organization,
};

/// The least characters of a password that alone proves who somebody is.
const ALONE: usize = 15;

/// The least characters beside an active second factor.
const BESIDE_ANOTHER: usize = 8;

/// What our own name and trade give away, without spaces.
const PRODUCT: [&str; 5] = ["orgdesk", "contactcenter", "callcenter", "helpdesk", "고객센터"];

/// Whom a password is for. What others know of him is no password.
#[derive(Debug, Clone, Default)]
pub struct Whose {
    words: Vec<String>,
    has_second_factor: bool,
}

impl Whose {
    /// Somebody with this name, login ID and e-mail address, in an organization.
    pub fn new(organization: &Organization, name: &str, login: &str, email: &str) -> Self {
        let local = email.split('@').next().unwrap_or_default();
        let texts = [&organization.name, &organization.domain, name, login, email, local];
        Self {
            words: texts.iter().map(|text| comparable(text)).collect(),
            has_second_factor: false,
        }
    }

    /// A member, who has a second factor in use or has not.
    pub(in crate::member) fn member(organization: &Organization, member: &Member, has_second_factor: bool) -> Self {
        Self {
            has_second_factor,
            ..Self::new(organization, &member.name, &member.login, &member.email)
        }
    }

    fn least(&self) -> usize {
        if self.has_second_factor { BESIDE_ANOTHER } else { ALONE }
    }
}

/// A password that was taken, ready to be kept.
#[derive(Debug, Clone)]
pub struct Accepted {
    /// Its hash.
    pub hash: SecretText,
    /// Whether it is good beside a second factor only.
    pub is_short: bool,
}

impl Accepted {
    /// Gives it to a member, in place of the one that he has.
    ///
    /// # Errors
    /// Only if the database fails.
    pub(in crate::member) async fn give(self, tx: &Tx, member: Member) -> Result<Member> {
        tx.update::<crate::member::Entity>(member, |row| {
            row.password_hash = self.hash;
            row.has_short_password = self.is_short;
        })
        .await
    }
}

/// Takes a new password, or says at `path` what is wrong with it: the one way in which passwords come to be.
///
/// # Errors
/// `TOO_SHORT`, `TOO_LONG`, `PASSWORD_TOO_COMMON`; `THROTTLED` if too many wait for the hasher.
pub async fn accept(app: &App, path: &str, password: &str, whose: &Whose) -> Result<Accepted> {
    if let Some(problem) = find_problem(path, password, whose) {
        return Err(problem.into());
    }
    Ok(Accepted {
        hash: Hasher::hash(app, password).await?,
        is_short: normal(password).chars().count() < ALONE,
    })
}

/// What is wrong with a password, if something is.
pub(in crate::member) fn find_problem(path: &str, password: &str, whose: &Whose) -> Option<Problem> {
    if password.len() > LONGEST {
        return Some(Problem::at(path, Code::TooLong).with("max", LONGEST));
    }
    if normal(password).chars().count() < whose.least() {
        return Some(Problem::at(path, Code::TooShort).with("min", whose.least()));
    }
    let password = comparable(password);
    let own = whose.words.iter().map(String::as_str).chain(PRODUCT);
    let is_common = blocklist::is_common(&password) || own.into_iter().any(|word| is_of(&password, word));
    is_common.then(|| Problem::at(path, Code::PasswordTooCommon))
}

/// Whether the two are the same once they are hashed.
pub(super) fn is_same(one: &str, other: &str) -> bool {
    *normal(one) == *normal(other)
}

/// A text as it is looked for: as it is hashed, in small letters and without spaces.
fn comparable(text: &str) -> String {
    let folded = normal(text).to_lowercase();
    folded.chars().filter(|letter| !letter.is_whitespace()).collect()
}

/// Whether a password is nothing but this word, once or more, and digits and signs around it.
fn is_of(password: &str, word: &str) -> bool {
    let says_something = word.chars().count() >= 3 && word.chars().any(char::is_alphabetic);
    says_something && password.contains(word) && !password.replace(word, "").chars().any(char::is_alphabetic)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Timestamp;

    const LIGATURE: &str = "ﬁve ﬁne ﬁshes ﬂy";

    fn whose(has_second_factor: bool) -> Whose {
        let organization = Organization {
            id: uuid::Uuid::nil().into(),
            code: String::new(),
            name: "Acme Trading".into(),
            domain: "acme-seoul".into(),
            time_zone: "Asia/Seoul".into(),
            is_ipcc_approved: false,
            is_mobile_contact_approved: false,
            is_security_approved: false,
            requires_second_factor: false,
            main_logo_id: None,
            created_at: Timestamp(chrono::DateTime::UNIX_EPOCH),
            version: 1,
        };
        Whose {
            has_second_factor,
            ..Whose::new(&organization, "Robin Example", "robin.e", "mail-box7@example.com")
        }
    }

    /// Each password with what is wrong with it, alone and beside a second factor.
    fn table() -> Vec<(String, &'static str, &'static str)> {
        const SHORT: &str = "TOO_SHORT";
        const COMMON: &str = "PASSWORD_TOO_COMMON";
        const LONG: &str = "TOO_LONG";
        let rows = [
            // Length, in characters and not in bytes.
            ("", SHORT, SHORT),
            ("seven77", SHORT, SHORT),
            ("eight-88", SHORT, ""),
            ("cobalt-fig-six", SHORT, ""),
            ("cobalt-fig-kite", "", ""),
            ("여덟글자만있네", SHORT, SHORT),
            ("여덟글자도되네요", SHORT, ""),
            ("열다섯글자면충분하고남지요정말", "", ""),
            ("🦊🐢🪁🧩🫖🧶🪴", SHORT, SHORT),
            ("🦊🐢🪁🧩🫖🧶🪴🥁", SHORT, ""),
            ("🦊🐢🪁🧩🫖🧶🪴🥁🎻🧭🪶🫐🥨🎐🧿", "", ""),
            ("e\u{301}e\u{301}e\u{301}e\u{301}", SHORT, SHORT),
            // Nothing is asked of the characters.
            ("only small letters here", "", ""),
            ("ONLY BIG LETTERS HERE", "", ""),
            ("739184620573916", "", ""),
            ("?;!-_=+~#§%&/()=", "", ""),
            ("correct but unlikely words", "", ""),
            (" leading and trailing ", "", ""),
            ("tabs\tand\nlines too", "", ""),
            ("zero\0in the middle", "", ""),
            (LIGATURE, "", ""),
            // Everybody's passwords, whole.
            ("password", SHORT, COMMON),
            ("Password1", SHORT, COMMON),
            ("P@ssw0rd", SHORT, COMMON),
            ("p@$$w0rd123!", SHORT, COMMON),
            ("ＰＡＳＳＷＯＲＤ", SHORT, COMMON),
            ("passwordpassword", COMMON, COMMON),
            ("Password Password", COMMON, COMMON),
            ("passwordpassword1", COMMON, COMMON),
            ("letmeinletmeinletmein", COMMON, COMMON),
            ("administrator2026", COMMON, COMMON),
            ("CorrectHorseBatteryStaple", COMMON, COMMON),
            ("thisismypassword!", COMMON, COMMON),
            ("iloveyouforever", COMMON, COMMON),
            ("qlalfqjsgh", SHORT, COMMON),
            ("qlalfqjsghqlalfqjsgh", COMMON, COMMON),
            ("비밀번호비밀번호비밀번호1234", COMMON, COMMON),
            ("dkssudgktpdy123456", COMMON, COMMON),
            ("saranghaeyo1234567", COMMON, COMMON),
            ("qwertyuiopasdfgh", COMMON, COMMON),
            ("1q2w3e4r5t6y7u8i", COMMON, COMMON),
            ("1qaz2wsx3edc4rfv", COMMON, COMMON),
            ("123456789012345", COMMON, COMMON),
            ("543210987654321", COMMON, COMMON),
            ("abcdefghijklmnopqrs", COMMON, COMMON),
            ("aaaaaaaaaaaaaaaaaaaa", COMMON, COMMON),
            ("abcabcabcabcabcabc", COMMON, COMMON),
            ("12341234123412341", COMMON, COMMON),
            ("19870415", SHORT, COMMON),
            ("1987-04-15", SHORT, COMMON),
            // A part of one is none.
            ("my password is long enough", "", ""),
            ("password for the moon", "", ""),
            // What others know of him, of the organization and of us.
            ("acmetrading20262026", COMMON, COMMON),
            ("ACME-Seoul!!!!!!", COMMON, COMMON),
            ("robin.e1234567890", COMMON, COMMON),
            ("Robin Example 12345", COMMON, COMMON),
            ("mail-box7mail-box7", COMMON, COMMON),
            ("mail-box7@example.com", COMMON, COMMON),
            ("Orgdesk-2026-2026", COMMON, COMMON),
            ("helpdeskhelpdesk1!", COMMON, COMMON),
            ("robin sings at noon", "", ""),
        ];
        let mut table: Vec<_> = rows
            .map(|(password, alone, beside)| (password.to_owned(), alone, beside))
            .into();
        let tail = |last: &str| "a sentence of some length ".repeat(3)[..71].to_owned() + last;
        table.extend([
            (tail("1"), "", ""),
            ("x1-".repeat(341) + "y", "", ""),
            ("x1-".repeat(341) + "yz", LONG, LONG),
            ("가".repeat(342), LONG, LONG),
        ]);
        table
    }

    // case: D14
    #[test]
    fn a1_passwords_are_taken_or_refused_as_the_table_says() {
        let table = table();

        for (password, alone, beside) in &table {
            for (expected, has_second_factor) in [(alone, false), (beside, true)] {
                let problem = find_problem("input.password", password, &whose(has_second_factor));
                let code = problem.map_or("", |problem| problem.code.name());

                assert_eq!(code, *expected, "{password:?}, beside another: {has_second_factor}");
            }
        }
        assert!(table.len() >= 60, "{}", table.len());
    }

    // case: D14
    #[test]
    fn a1_what_looks_the_same_is_the_same_and_every_character_counts() {
        assert!(
            is_same("ﬁve \u{1112}\u{1161}\u{11ab}", "five 한") && is_same("e\u{301}", "é") && is_same("１２", "12")
        );
        assert!(!is_same("Case", "case") && !is_same("a b", "ab"));
        let (one, other) = ("x".repeat(72) + "1", "x".repeat(72) + "2");
        assert!(!is_same(&one, &other));
    }
}
