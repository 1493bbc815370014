//! Who shows a picture. What is shown is kept: a row here is the foreign key that holds it, beside the ID that the area
//! itself has of it.

use async_graphql::{ID, MaybeUndefined};
use sea_orm::{QueryFilter, entity::prelude::*};
use serde::Serialize;

use super::entity;
use crate::kernel::{Code, OrganizationId, PictureId, Problem, Result, Tx, record::part};

/// Where a picture is shown.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Place {
    /// 메인 로고: at the top of the organization's pages.
    MainLogo,
    /// 배너: as a service's tab.
    Banner,
    /// In an entry of company information, in any of its versions.
    Company,
}

/// One picture in one place of one owner.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize)]
#[sea_orm(table_name = "picture_holder")]
pub struct Model {
    /// Whose it is.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Where.
    #[sea_orm(primary_key, auto_increment = false)]
    pub place: Place,
    /// Whose place: the organization's, a service's or an entry's ID.
    #[sea_orm(primary_key, auto_increment = false)]
    pub owner_id: Uuid,
    /// The picture.
    #[sea_orm(primary_key, auto_increment = false)]
    pub picture_id: PictureId,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

part! { "picture holder", key: |row| format!("{}#{}", row.picture_id, row.owner_id) }

/// Holds a picture in a place; what is held there already stays. Holding twice is holding once.
///
/// # Errors
/// Only if the database fails.
pub async fn hold(tx: &Tx, place: Place, owner: Uuid, picture: PictureId) -> Result<()> {
    let row = Model {
        organization_id: tx.organization_id(),
        place,
        owner_id: owner,
        picture_id: picture,
    };
    let held = held(tx, place, owner).await?;
    if held.contains(&row) {
        return Ok(());
    }
    // The owner's own change tells the log what is shown.
    tx.create_telling::<Entity>(row, &[]).await.map(drop)
}

/// The picture that an input names: `None` where it leaves things as they are, `Some(None)` where it takes it away.
///
/// # Errors
/// Only if the database fails; an ID of no picture becomes a problem at `path`.
pub async fn chosen(
    tx: &Tx,
    path: &str,
    input: &MaybeUndefined<ID>,
    problems: &mut Vec<Problem>,
) -> Result<Option<Option<PictureId>>> {
    let id = match input {
        MaybeUndefined::Undefined => return Ok(None),
        MaybeUndefined::Null => return Ok(Some(None)),
        MaybeUndefined::Value(id) => id,
    };
    let picture = tx.seek::<entity::Entity>(id).await?;
    if picture.is_none() {
        problems.push(Problem::at(path, Code::NotFound));
    }
    Ok(Some(picture.map(|picture| picture.id)))
}

/// Shows one picture, or none, in a place, and lets go of whatever was shown there.
///
/// # Errors
/// Only if the database fails.
pub async fn show(tx: &Tx, place: Place, owner: Uuid, picture: Option<PictureId>) -> Result<()> {
    if let Some(picture) = picture {
        hold(tx, place, owner, picture).await?;
    }
    release_all_but(tx, place, owner, picture).await
}

/// Lets go of what is held in a place, all but one picture; what nobody else holds goes a day later.
async fn release_all_but(tx: &Tx, place: Place, owner: Uuid, kept: Option<PictureId>) -> Result<()> {
    for row in held(tx, place, owner).await? {
        if Some(row.picture_id) == kept {
            continue;
        }
        let picture = tx.seek::<entity::Entity>(&row.picture_id.to_string()).await?;
        tx.delete::<Entity>(row).await?;
        if let Some(picture) = picture {
            let now = tx.now();
            tx.update::<entity::Entity>(picture, |row| row.touched_at = now).await?;
        }
    }
    Ok(())
}

async fn held(tx: &Tx, place: Place, owner: Uuid) -> Result<Vec<Model>> {
    let rows = tx.select::<Entity>().filter(Column::Place.eq(place));
    rows.filter(Column::OwnerId.eq(owner)).all().await
}
