//! What the API says of pictures.

use std::{collections::HashMap, sync::Arc};

use async_graphql::{ComplexObject, Context, Object, SimpleObject, dataloader::Loader};
use sea_orm::{QueryFilter, entity::prelude::*};
use serde::{Deserialize, Serialize};

use super::{
    MediaType,
    entity::{Column, Entity, Model},
    rules::{self, PictureUploadInput},
};
use crate::kernel::{
    Batch, Caller, Error, PictureId, Result, View,
    payload::{payload, settle, user_errors},
    scalar::Url,
};

user_errors! { PictureUserError, PictureErrorCode, "a picture", {
    /// The file is larger than 1 MiB.
    FileTooLarge,
    /// The file is no PNG, JPEG or WebP.
    PictureTypeRefused,
    /// The picture has too many pixels, or takes too much memory to decode.
    PictureTooLarge,
    /// The picture is animated.
    PictureAnimated,
    /// The picture can't be decoded.
    PictureBroken,
    /// The organization has as many bytes of pictures as it can have.
    PictureQuotaReached,
} }

payload! { PictureUploadPayload, "pictureUpload", PictureUserError, {
    /// The picture: the one that is there already where the same was sent before; null where there are user errors.
    picture: Model,
} }

/// A picture as it is shown where it is known by nothing but its look.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, SimpleObject)]
#[graphql(name = "ShownPicture", complex)]
pub struct Shown {
    #[graphql(skip)]
    file: String,
    /// What it is.
    pub media_type: MediaType,
    /// The width in pixels.
    pub width: i32,
    /// The height in pixels.
    pub height: i32,
}

impl From<&Model> for Shown {
    fn from(picture: &Model) -> Self {
        Self {
            file: picture.file.clone(),
            media_type: picture.media_type,
            width: picture.width,
            height: picture.height,
        }
    }
}

/// Where everybody who has the address can see the file.
fn url_of(context: &Context<'_>, file: &str) -> Url {
    let app = context.data_unchecked::<Arc<Caller>>().app();
    Url(format!("{}/pictures/{file}", app.settings.public_url))
}

#[ComplexObject]
impl Shown {
    /// Where it is: nobody can guess the address, everybody who has it can look, and what is there never changes.
    async fn url(&self, context: &Context<'_>) -> Url {
        url_of(context, &self.file)
    }
}

#[ComplexObject]
impl Model {
    /// Where it is: nobody can guess the address, everybody who has it can look, and what is there never changes.
    async fn url(&self, context: &Context<'_>) -> Url {
        url_of(context, &self.file)
    }
}

impl Loader<PictureId> for Batch {
    type Value = Model;
    type Error = String;

    async fn load(&self, ids: &[PictureId]) -> std::result::Result<HashMap<PictureId, Model>, String> {
        let rows = self.select::<Entity>().filter(Column::Id.is_in(ids.iter().copied()));
        let rows = rows.all().await.map_err(|error| format!("{error:?}"))?;
        Ok(rows.into_iter().map(|row| (row.id, row)).collect())
    }
}

/// The picture of this ID, fetched with those that others of the request ask for.
///
/// # Errors
/// Only if the database fails.
pub(crate) async fn of_id(view: &View, id: Option<PictureId>) -> Result<Option<Model>> {
    match id {
        Some(id) => view.loader.load_one(id).await.map_err(Error::internal),
        None => Ok(None),
    }
}

/// Pictures, to change.
#[derive(Debug, Default)]
pub struct PictureMutation;

#[Object]
impl PictureMutation {
    /// Keeps a picture, to be shown as main logo, banner or logo of company information by its ID. One that nobody shows goes after a day. Needs `PICTURE_UPLOAD`.
    async fn picture_upload(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The picture.")] input: PictureUploadInput,
    ) -> Result<PictureUploadPayload> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let (picture, problems) = settle(rules::upload(caller, &input).await)?;
        Ok(PictureUploadPayload {
            picture,
            user_errors: PictureUserError::all(problems)?,
        })
    }
}
