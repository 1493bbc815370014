//! The name of a picture's file: what its address ends with, and where its bytes are. It is bound to the organization,
//! to the picture and to its content by the installation's key, so that nobody can make up a name, learn by one whether a
//! known picture is there, or see by two that two organizations have the same. Whoever has the name may look.

use async_graphql::Enum;
use sea_orm::{DeriveActiveEnum, EnumIter};
use serde::{Deserialize, Serialize};

use crate::kernel::{Keys, OrganizationId, PictureId, Timestamp, id};

/// What a picture is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, Enum, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
#[graphql(name = "PictureMediaType")]
pub enum MediaType {
    /// `image/png`.
    Png,
    /// `image/jpeg`.
    Jpeg,
    /// `image/webp`.
    Webp,
}

impl MediaType {
    const ALL: [Self; 3] = [Self::Png, Self::Jpeg, Self::Webp];

    /// The value of `Content-Type`.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Webp => "image/webp",
        }
    }

    const fn extension(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Jpeg => "jpg",
            Self::Webp => "webp",
        }
    }
}

/// A name that this service may have given: `ORGANIZATION-PICTURE-MARK.png`, each of the three 26 small letters and digits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FileName {
    organization: uuid::Uuid,
    picture: PictureId,
    mark: uuid::Uuid,
    media_type: MediaType,
}

impl FileName {
    /// The name of a picture's file.
    pub fn of(
        keys: &Keys,
        organization: OrganizationId,
        picture: PictureId,
        sha256: &[u8],
        media_type: MediaType,
    ) -> Self {
        let parts = [
            b"picture".as_slice(),
            organization.0.as_bytes(),
            picture.0.as_bytes(),
            sha256,
        ];
        Self {
            organization: mark_of(keys, organization),
            picture,
            mark: keys.file_mark(&parts),
            media_type,
        }
    }

    /// Back from its text; `None` for any other.
    pub fn parse(text: &str) -> Option<Self> {
        let (name, extension) = text.split_once('.')?;
        let media_type = MediaType::ALL.into_iter().find(|kind| kind.extension() == extension)?;
        let mut parts = name.split('-').map(id::decode);
        let found = Self {
            organization: parts.next()??,
            picture: PictureId(parts.next()??),
            mark: parts.next()??,
            media_type,
        };
        parts.next().is_none().then_some(found)
    }

    /// What it is.
    pub fn media_type(self) -> MediaType {
        self.media_type
    }

    /// Whose file it is.
    pub fn picture(self) -> PictureId {
        self.picture
    }

    /// When the picture got its ID, to the millisecond: before anything of it was written.
    pub fn made_at(self) -> Option<Timestamp> {
        let (seconds, nanoseconds) = self.picture.0.get_timestamp()?.to_unix();
        chrono::DateTime::from_timestamp(seconds.try_into().ok()?, nanoseconds).map(Timestamp)
    }

    /// Where its bytes are.
    pub fn path(self) -> String {
        let folder = format!("{PREFIX}/{}", id::encode(self.organization));
        format!("{folder}/{self}")
    }
}

impl std::fmt::Display for FileName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [organization, picture, mark] = [self.organization, self.picture.0, self.mark].map(id::encode);
        write!(f, "{organization}-{picture}-{mark}.{}", self.media_type.extension())
    }
}

/// What every picture's path begins with.
const PREFIX: &str = "pictures";

/// What the paths of an organization's pictures begin with.
pub(super) fn folder(keys: &Keys, organization: OrganizationId) -> String {
    format!("{PREFIX}/{}", id::encode(mark_of(keys, organization)))
}

fn mark_of(keys: &Keys, organization: OrganizationId) -> uuid::Uuid {
    keys.file_mark(&[b"organization", organization.0.as_bytes()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::{Random, id::fresh};

    #[test]
    fn h4_a_name_survives_its_text_and_no_other_text_is_one() {
        let keys = Keys::derive(&[7; 32]);
        let random = Random::seeded(1);
        let at = Timestamp(chrono::DateTime::from_timestamp(1_800_000_000, 5_000_000).unwrap_or_default());
        let organization = OrganizationId(fresh(at, &random));
        let picture = PictureId(fresh(at, &random));
        let name = FileName::of(&keys, organization, picture, b"content", MediaType::Jpeg);
        let text = name.to_string();
        assert_eq!((FileName::parse(&text), text.len()), (Some(name), 84));
        assert_eq!(name.made_at(), Some(at));
        assert!(name.path().starts_with(&folder(&keys, organization)), "{}", name.path());
        for other in [
            text.to_uppercase(),
            text.replace(".jpg", ".jpeg"),
            text.replace(".jpg", ".svg"),
            text.replace(".jpg", ""),
            format!("../{text}"),
            format!("{text}/"),
            format!("%2e%2e/{text}"),
            format!("{text}\0"),
            format!("{text}-{text}"),
            text.replacen('-', "/", 1),
            String::new(),
            "..".to_owned(),
        ] {
            assert_eq!(FileName::parse(&other), None, "{other}");
        }
    }

    #[test]
    fn h4_a_name_depends_on_everything_that_it_is_bound_to() {
        let random = Random::seeded(2);
        let fresh = || uuid::Uuid::from_bytes(random.bytes());
        let (keys, organization, picture) = (Keys::derive(&[7; 32]), OrganizationId(fresh()), PictureId(fresh()));
        let name = |keys: &Keys, organization, picture, content: &[u8]| {
            FileName::of(keys, organization, picture, content, MediaType::Png).mark
        };
        let own = name(&keys, organization, picture, b"a");
        assert_eq!(own, name(&keys, organization, picture, b"a"));
        for other in [
            name(&Keys::derive(&[8; 32]), organization, picture, b"a"),
            name(&keys, OrganizationId(fresh()), picture, b"a"),
            name(&keys, organization, PictureId(fresh()), b"a"),
            name(&keys, organization, picture, b"b"),
        ] {
            assert_ne!(own, other);
        }
    }
}
