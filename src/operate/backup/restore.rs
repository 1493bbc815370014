//! Out of a backup comes an installation where there was none. First all of it is looked through; then the files come, and
//! the database last: what is interrupted before is no installation, and what it left is named.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, bail, ensure};
use futures_util::{StreamExt as _, stream};
use migration::{Migrator, MigratorTrait as _};

use super::{ANCHOR, FILES, Manifest, database_name, files};
use crate::{
    kernel::{
        App, Clock, Error, Keys, Random, Settings,
        config::{AnchorPlace, Storage},
        snapshot,
        store::{self, Store},
    },
    operate::{self, Verified, told},
    setup,
};

/// What came of a backup.
#[derive(Debug)]
pub struct Restored {
    /// What it was.
    pub manifest: Manifest,
    /// What was found of the chains of the audit log.
    pub verified: Verified,
    /// Chains that do not end as the manifest says, each as organization and log.
    pub astray: Vec<String>,
}

/// Looks through a backup: its manifest, each file, and whether this version and this ring of keys can read it. One of an
/// older version is: its tables are brought up to date when they are there.
///
/// # Errors
/// The first thing that is wrong with it.
pub async fn check_backup(settings: &Settings, folder: &Path) -> anyhow::Result<Manifest> {
    let manifest = Manifest::read(folder, &Keys::derive(&settings.secret))?;
    for told in &manifest.files {
        let found = files::told(folder, &told.path)?;
        ensure!(found == *told, "{} is not what was written", told.path);
    }
    ensure!(
        Migrator::migrations()
            .iter()
            .any(|change| change.name() == manifest.schema),
        "it was written by Orgdesk {}, whose tables are newer than this version knows: restore it with that one",
        manifest.orgdesk
    );
    let mut absent = Vec::new();
    for key in &manifest.keys {
        if !key.is_in(&settings.key_ring).await {
            absent.push(key.name.as_str());
        }
    }
    ensure!(
        absent.is_empty(),
        "the key ring does not have, or has wrongly, what the backup is sealed under: {}",
        absent.join(", ")
    );
    Ok(manifest)
}

/// Makes an installation out of a backup, where there is none yet. `owner_url` is the database's address, on PostgreSQL of
/// the role that is to own the tables; the service's own role may then what it has to. Ends with a walk through all chains.
///
/// # Errors
/// If anything is wrong with the backup, or there is something already where it is to go. A chain that is broken is a
/// finding.
pub async fn restore_backup(
    settings: Settings,
    owner_url: &str,
    clock: Arc<dyn Clock>,
    folder: &Path,
) -> anyhow::Result<Restored> {
    let manifest = check_backup(&settings, folder).await?;
    let own = database_name(&settings.database_url);
    ensure!(
        manifest.database == own,
        "the backup has a {}, and DATABASE_URL is for a {own}",
        manifest.database
    );
    let place = Place::of(&settings, &manifest)?;
    snapshot::check_empty(owner_url).await?;
    place.check_empty().await?;
    files::make_folders(&settings.data)?;
    place.fill(folder, &manifest).await?;
    if let Err(error) = snapshot::put(owner_url, &folder.join(own)).await {
        place
            .empty(&manifest)
            .await
            .context("what was restored before the database stays")?;
        return Err(error);
    }
    // Tables of an older version become those of this one, and on PostgreSQL the service's role is let in.
    let entered = setup::migrate(owner_url, &settings.database_url).await;
    entered.context("all is restored, but its tables are not up to date yet: `orgdesk migrate` goes on; where it can't, remove all of it and \
         restore with the version that wrote it")?;
    let opened = setup::open(settings, clock, Random::from_system()?).await;
    let app = opened.context("all is restored, but its audit log could not be looked at")?;
    let found = verify(&app, &manifest).await;
    app.database.close().await;
    let (verified, astray) = found?;
    Ok(Restored {
        manifest,
        verified,
        astray,
    })
}

/// Walks the chains, and holds their ends against those of the manifest.
async fn verify(app: &App, manifest: &Manifest) -> anyhow::Result<(Verified, Vec<String>)> {
    let verified = operate::verify_audit_against(app, None).await?;
    let mut ends = manifest.heads_by_log();
    let mut astray = Vec::new();
    for (organization, reports) in &verified.organizations {
        let organization = organization.to_string();
        for report in reports {
            let (log, place) = (report.name(), report.verified + report.removed);
            let told = ends.remove(&(organization.clone(), log.clone()));
            let is_told = match told {
                Some(told) => told.sequence == place && told.hash == report.head,
                None => place == 0,
            };
            if !is_told {
                astray.push(format!("{organization} {log}"));
            }
        }
    }
    astray.extend(ends.keys().map(|(organization, log)| format!("{organization} {log}")));
    Ok((verified, astray))
}

/// Where the files of a backup go.
struct Place {
    store: Store,
    /// The folder of the store, and where it is made; nothing for a bucket.
    folder: Option<(PathBuf, PathBuf)>,
    /// The file of the anchor, and whether the backup has one.
    anchor: Option<(PathBuf, bool)>,
}

impl Place {
    fn of(settings: &Settings, manifest: &Manifest) -> anyhow::Result<Self> {
        let has_anchor = manifest.files.iter().any(|file| file.path == ANCHOR);
        Ok(Self {
            store: Store::open(&settings.storage, &settings.data).map_err(told)?,
            folder: match settings.storage {
                Storage::Folder => Some((settings.data.join(store::FOLDER), settings.data.join(".restoring"))),
                Storage::Bucket(_) => None,
            },
            anchor: match (&settings.logs.anchor, has_anchor) {
                (AnchorPlace::File(path), _) => Some((path.clone(), has_anchor)),
                (_, false) => None,
                (_, true) => bail!("the backup has the file of an anchor, and ORGDESK_AUDIT_ANCHOR names none"),
            },
        })
    }

    async fn check_empty(&self) -> anyhow::Result<()> {
        let mut paths = self.store.walk().map_err(told)?;
        if let Some(path) = paths.next().await {
            bail!("the store of files is not empty: it has {}", path.map_err(told)?);
        }
        if let Some((path, _)) = self.anchor.as_ref().filter(|(path, _)| path.exists()) {
            bail!(
                "the anchor {} is there already and may know more than the backup: move it aside, and hold it against what is \
                 restored by `orgdesk audit verify --anchor`",
                path.display()
            );
        }
        Ok(())
    }

    async fn fill(&self, from: &Path, manifest: &Manifest) -> anyhow::Result<()> {
        let filled = async {
            match &self.folder {
                None => put_all(&self.store, from, manifest).await?,
                Some((folder, half)) => {
                    if half.exists() {
                        std::fs::remove_dir_all(half)?;
                    }
                    let made = Store::open(&Storage::Folder, half).map_err(told)?;
                    put_all(&made, from, manifest).await?;
                    let whole = half.join(store::FOLDER);
                    if whole.exists() {
                        // An empty one may be there.
                        if folder.exists() {
                            std::fs::remove_dir_all(folder)?;
                        }
                        std::fs::rename(whole, folder)?;
                        std::fs::remove_dir(half)?;
                        files::sync_parent(folder)?;
                    }
                }
            }
            if let Some((anchor, true)) = &self.anchor {
                if let Some(folder) = anchor.parent().filter(|folder| !folder.as_os_str().is_empty()) {
                    files::make_folders(folder)?;
                }
                super::manifest::write_new(anchor, &std::fs::read(from.join(ANCHOR))?)?;
                files::sync_parent(anchor)?;
            }
            Ok(())
        };
        let filled: anyhow::Result<()> = filled.await;
        if filled.is_err() {
            self.empty(manifest)
                .await
                .context("what was restored of the files stays")?;
        }
        filled
    }

    /// Takes back what was restored.
    async fn empty(&self, manifest: &Manifest) -> anyhow::Result<()> {
        match &self.folder {
            Some((folder, half)) => {
                for path in [folder, half].into_iter().filter(|path| path.exists()) {
                    std::fs::remove_dir_all(path)?;
                }
            }
            None => {
                for path in stored(manifest) {
                    self.store.delete(path).await.map_err(told)?;
                }
            }
        }
        if let Some((anchor, _)) = self.anchor.as_ref().filter(|(anchor, _)| anchor.exists()) {
            std::fs::remove_file(anchor)?;
        }
        Ok(())
    }
}

/// The paths of what goes into the store.
fn stored(manifest: &Manifest) -> impl Iterator<Item = &str> {
    let files = manifest.files.iter();
    files.filter_map(|file| file.path.strip_prefix(FILES)?.strip_prefix('/'))
}

async fn put_all(store: &Store, from: &Path, manifest: &Manifest) -> anyhow::Result<()> {
    for path in stored(manifest) {
        let place = files::inside(&from.join(FILES), path)?;
        let file = tokio::fs::File::open(&place).await?;
        let pieces = stream::unfold(file, |mut file| async {
            use tokio::io::AsyncReadExt as _;
            let mut piece = bytes::BytesMut::with_capacity(files::PIECE);
            match file.read_buf(&mut piece).await {
                Ok(0) => None,
                Ok(_) => Some((Ok(piece.freeze()), file)),
                Err(error) => Some((Err(Error::internal(error)), file)),
            }
        });
        store.put_pieces(path, Box::pin(pieces)).await.map_err(told)?;
    }
    Ok(())
}
