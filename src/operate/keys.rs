//! `orgdesk key rewrap`: the way of a key of the ring to its end. No value is touched, so it takes seconds. `orgdesk key
//! rotate`: the way of data keys to their end. Every value that they seal is sealed anew. Everything opens before, during
//! and after either.

use super::told;
use crate::{
    kernel::{
        App, Caller,
        seal::{self, Rotated},
    },
    organization,
};

/// Wraps the data keys of every organization under the first key of the ring. Answers how many there were, and the names
/// of the keys that may leave the ring now.
///
/// # Errors
/// If the database fails, or the ring does not have the key that one is wrapped under.
pub async fn rewrap_keys(app: &App) -> anyhow::Result<(u64, Vec<String>)> {
    let mut total = 0;
    loop {
        let mut count = 0;
        for organization in organization::all_organizations(app).await.map_err(told)? {
            let operator = Caller::operator(app.clone(), organization);
            count += seal::rewrap(&operator).await.map_err(told)?;
        }
        // A server with an older ring may have made keys meanwhile.
        if count == 0 {
            break;
        }
        total += count;
    }
    let unused = seal::forget_unused(app).await.map_err(told)?;
    Ok((total, unused))
}

/// Replaces the data keys of every organization, and puts every value under the new ones. What was interrupted goes on where
/// it is called again.
///
/// # Errors
/// If the database fails, or the ring does not have a key that is needed.
pub async fn rotate_keys(app: &App) -> anyhow::Result<Rotated> {
    let mut total = Rotated::default();
    for organization in organization::all_organizations(app).await.map_err(told)? {
        let operator = Caller::operator(app.clone(), organization);
        let rotated = seal::rotate(&operator).await.map_err(told)?;
        total.resealed += rotated.resealed;
        total.broken += rotated.broken;
        total.retired += rotated.retired;
    }
    Ok(total)
}
