//! The secret and the key ring as a file of settings, for whoever asks for it. It opens every backup and every token: it has
//! to lie elsewhere.

use std::path::Path;

use anyhow::ensure;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

use super::manifest::write_new;
use crate::kernel::Settings;

/// Checks that the keys can be written into this file. `backup` is the folder that they open.
///
/// # Errors
/// If the file is there already, or would lie in the backup.
pub fn check_keys_file(file: &Path, backup: &Path) -> anyhow::Result<()> {
    let absolute = |path: &Path| std::path::absolute(path);
    ensure!(
        !absolute(file)?.starts_with(absolute(backup)?),
        "the keys must not lie in the backup that they open"
    );
    ensure!(!file.exists(), "{} is there already", file.display());
    Ok(())
}

/// Writes them into a new file that only its owner reads, in the form that `ORGDESK_CONFIG` has.
///
/// # Errors
/// If the file is there already, or can't be written.
pub fn write_keys(settings: &Settings, file: &Path) -> anyhow::Result<()> {
    let secret = Zeroizing::new(STANDARD.encode(&*settings.secret));
    let ring = settings.key_ring.to_text();
    let text = Zeroizing::new(format!("secret = \"{}\"\nkey_ring = \"{}\"\n", *secret, *ring));
    write_new(file, text.as_bytes())
}
