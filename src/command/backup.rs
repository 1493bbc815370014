//! `orgdesk backup` and `orgdesk restore`: an installation as a folder, and back.

use std::{path::PathBuf, sync::Arc};

use clap::Args;

use super::{audit, settings_of_installation};
use crate::{
    kernel::{SystemClock, config::Source},
    operate::{self, Manifest},
};

/// What a backup needs to know.
#[derive(Debug, Args)]
pub struct Backup {
    /// The folder to be made.
    folder: PathBuf,
    /// Write the secret and the key ring into this new file, which only its owner can read and ORGDESK_CONFIG can name. Keep
    /// it apart from the backup: whoever has both has everything.
    #[arg(long, value_name = "FILE")]
    with_keys: Option<PathBuf>,
}

/// What a restore needs to know.
#[derive(Debug, Args)]
pub struct Restore {
    /// The folder of the backup.
    folder: PathBuf,
    /// Only look through the backup: whether each file is what was written, and the keys are at hand.
    #[arg(long)]
    check: bool,
}

pub(super) async fn back_up(source: &Source, arguments: Backup) -> anyhow::Result<()> {
    let settings = settings_of_installation(source)?;
    if let Some(file) = &arguments.with_keys {
        operate::check_keys_file(file, &arguments.folder)?;
    }
    let url = source.get("BACKUP_URL").unwrap_or(&settings.database_url);
    let manifest = operate::back_up(&settings, url, &SystemClock, &arguments.folder).await?;
    tell(&manifest);
    match arguments.with_keys {
        Some(file) => {
            operate::write_keys(&settings, &file)?;
            eprintln!("The secret and the keys are in {}: keep it elsewhere.", file.display());
        }
        None => eprintln!(
            "It has no keys. To restore it takes ORGDESK_SECRET and these keys of the ring: {}",
            manifest.key_names()
        ),
    }
    Ok(())
}

pub(super) async fn restore(source: &Source, arguments: Restore) -> anyhow::Result<()> {
    let settings = settings_of_installation(source)?;
    if arguments.check {
        tell(&operate::check_backup(&settings, &arguments.folder).await?);
        return Ok(());
    }
    let service_url = settings.database_url.clone();
    let owner_url = source.get("MIGRATION_URL").unwrap_or(&service_url);
    let restored = operate::restore_backup(settings, owner_url, Arc::new(SystemClock), &arguments.folder).await?;
    tell(&restored.manifest);
    for chain in &restored.astray {
        println!("{chain} does not end as it did when it was backed up");
    }
    audit::tell(&restored.verified)?;
    anyhow::ensure!(
        restored.astray.is_empty(),
        "the audit log is not the one that was backed up"
    );
    Ok(())
}

fn tell(manifest: &Manifest) {
    println!(
        "backup of {}: {} files, {} bytes, {} of {}, keys {}",
        manifest.begun_at.to_text(),
        manifest.files.len(),
        manifest.bytes(),
        manifest.database,
        manifest.schema,
        manifest.key_names()
    );
}
