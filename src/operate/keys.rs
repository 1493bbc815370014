//! `orgdesk key rewrap`: the way of a key of the ring to its end. No value is touched, so it takes seconds, and everything
//! opens before, during and afterwards.

use super::told;
use crate::{
    kernel::{App, Caller, seal},
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
