//! The templates of the letters: which file is which letter, and the few words that differ from case to case.

use askama::Template;
use chrono_tz::Tz;

use super::{Event, ImportResult, Invitation, Notice, PasswordReset};
use crate::kernel::{Error, Language, Letter, Recipient, Result, Timestamp};

/// A letter's template in each language.
macro_rules! templates {
    ($($name:ident($about:ty) { $korean:tt, $english:tt })*) => {$(
        #[derive(Template)]
        enum $name<'a> {
            #[template(path = $korean)]
            Korean { subject: &'a str, name: &'a str, about: &'a $about },
            #[template(path = $english)]
            English { subject: &'a str, name: &'a str, about: &'a $about },
        }

        impl<'a> $name<'a> {
            fn filled(language: Language, subject: &'a str, name: &'a str, about: &'a $about) -> Result<String> {
                let template = match language {
                    Language::Korean => Self::Korean { subject, name, about },
                    Language::English => Self::English { subject, name, about },
                };
                template.render().map_err(Error::internal)
            }
        }
    )*};
}

templates! {
    InvitationText(Invitation<'a>) { "member/letter/invitation.ko.txt", "member/letter/invitation.en.txt" }
    InvitationHtml(Invitation<'a>) { "member/letter/invitation.ko.html", "member/letter/invitation.en.html" }
    ResetText(PasswordReset<'a>) { "member/letter/password-reset.ko.txt", "member/letter/password-reset.en.txt" }
    ResetHtml(PasswordReset<'a>) { "member/letter/password-reset.ko.html", "member/letter/password-reset.en.html" }
    NoticeText(Notice<'a>) { "member/letter/notice.ko.txt", "member/letter/notice.en.txt" }
    ImportText(ImportResult<'a>) { "member/letter/import-result.ko.txt", "member/letter/import-result.en.txt" }
    ImportHtml(ImportResult<'a>) { "member/letter/import-result.ko.html", "member/letter/import-result.en.html" }
    NoticeHtml(Notice<'a>) { "member/letter/notice.ko.html", "member/letter/notice.en.html" }
}

pub(super) fn invitation(
    language: Language,
    message_id: String,
    to: Recipient,
    about: &Invitation<'_>,
) -> Result<Letter> {
    let organization = about.organization;
    let subject = match language {
        Language::Korean => format!("{organization}에서 초대가 왔습니다"),
        Language::English => format!("You are invited to {organization}"),
    };
    Ok(Letter {
        text: InvitationText::filled(language, &subject, &to.name, about)?,
        html: InvitationHtml::filled(language, &subject, &to.name, about)?,
        to,
        subject,
        message_id,
    })
}

pub(super) fn password_reset(
    language: Language,
    message_id: String,
    to: Recipient,
    about: &PasswordReset<'_>,
) -> Result<Letter> {
    let organization = about.organization;
    let subject = match language {
        Language::Korean => format!("{organization} 비밀번호를 새로 정하는 방법"),
        Language::English => format!("A new password for {organization}"),
    };
    Ok(Letter {
        text: ResetText::filled(language, &subject, &to.name, about)?,
        html: ResetHtml::filled(language, &subject, &to.name, about)?,
        to,
        subject,
        message_id,
    })
}

pub(super) fn notice(language: Language, message_id: String, to: Recipient, about: &Notice<'_>) -> Result<Letter> {
    let subject = format!("{}: {}", about.organization, about.event.title(language));
    Ok(Letter {
        text: NoticeText::filled(language, &subject, &to.name, about)?,
        html: NoticeHtml::filled(language, &subject, &to.name, about)?,
        to,
        subject,
        message_id,
    })
}

pub(super) fn import_result(
    language: Language,
    message_id: String,
    to: Recipient,
    about: &ImportResult<'_>,
) -> Result<Letter> {
    let service = about.service;
    let subject = match language {
        Language::Korean => format!("{service} 데이터 이관 결과"),
        Language::English => format!("The import into {service} is over"),
    };
    Ok(Letter {
        text: ImportText::filled(language, &subject, &to.name, about)?,
        html: ImportHtml::filled(language, &subject, &to.name, about)?,
        to,
        subject,
        message_id,
    })
}

impl ImportResult<'_> {
    fn at(&self) -> String {
        told(self.at, self.zone)
    }
}

impl Event {
    /// What has happened, in a few words.
    pub(super) fn title(self, language: Language) -> &'static str {
        let (korean, english) = match self {
            Self::PasswordChanged => ("비밀번호가 바뀌었습니다", "your password was changed"),
            Self::EmailChanged => ("이메일 주소가 바뀌었습니다", "your e-mail address was changed"),
            Self::SecondFactorAdded => ("2단계 인증이 등록되었습니다", "a second factor was set up"),
            Self::SecondFactorRemoved => ("2단계 인증이 해제되었습니다", "your second factor was removed"),
            Self::OwnershipTransferred => ("조직의 소유자가 바뀌었습니다", "the ownership was transferred"),
        };
        match language {
            Language::Korean => korean,
            Language::English => english,
        }
    }
}

impl Invitation<'_> {
    fn expires(&self) -> String {
        told(self.expires_at, self.zone)
    }
}

impl PasswordReset<'_> {
    fn expires(&self) -> String {
        told(self.expires_at, self.zone)
    }
}

impl Notice<'_> {
    fn at(&self) -> String {
        told(self.at, self.zone)
    }

    fn korean(&self) -> &'static str {
        self.event.title(Language::Korean)
    }

    fn english(&self) -> &'static str {
        self.event.title(Language::English)
    }
}

/// An instant as people of the organization read it, with its offset, so that others can too.
fn told(at: Timestamp, zone: Tz) -> String {
    let local = at.0.with_timezone(&zone).format("%Y-%m-%d %H:%M %:z");
    format!("{local} ({zone})")
}
