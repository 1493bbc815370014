//! The demo's logo and a banner, drawn here: two colours and a shape.

use async_graphql::{ID, MaybeUndefined};
use image::{ImageFormat, Rgb, RgbImage};

use crate::{
    kernel::{Action, Caller, Error, On, Result, Upload},
    organization::{self, OrganizationUpdateInput},
    picture::{self, Picture, PictureUploadInput},
};

const BLUE: Rgb<u8> = Rgb([28, 78, 216]);
const WHITE: Rgb<u8> = Rgb([255, 255, 255]);

/// Keeps a picture of bars, as many as it is told.
///
/// # Errors
/// If the store or the database fails.
pub(super) async fn picture(owner: &Caller, bars: u32) -> Result<Picture> {
    let image = RgbImage::from_fn(180, 60, |x, y| {
        let (column, height) = (x / 24, 10 + 8 * (x / 24));
        let is_bar = column > 0 && column <= bars && x % 24 < 14 && (54u32.saturating_sub(height)..54).contains(&y);
        if is_bar { BLUE } else { WHITE }
    });
    let mut content = std::io::Cursor::new(Vec::new());
    image
        .write_to(&mut content, ImageFormat::Png)
        .map_err(Error::internal)?;
    let input = PictureUploadInput {
        idempotency_key: None,
        dry_run: None,
        file: Upload::new("logo.png".to_owned(), Some(content.into_inner().into())),
    };
    picture::upload(owner, &input).await
}

/// Gives the organization its logo.
///
/// # Errors
/// If the store or the database fails.
pub(super) async fn show(owner: &Caller) -> Result<()> {
    let logo = picture(owner, 5).await?;
    let view = owner.view(Action::OrganizationRead).await?;
    let organization = organization::own(&view).await?;
    drop(view);
    owner.release().await;
    let input = OrganizationUpdateInput {
        idempotency_key: None,
        dry_run: None,
        expected_version: organization.version,
        name: None,
        domain: None,
        time_zone: None,
        requires_second_factor: None,
        requires_second_factor_for_pii: None,
        main_logo_id: MaybeUndefined::Value(ID::from(logo.id.to_string())),
    };
    let id = organization.id.to_string();
    let deed = async |tx: &_| organization::update(tx, &id, &input).await;
    owner.act(Action::OrganizationUpdate, &On(&id, &input), deed).await?;
    Ok(())
}
