//! `orgdesk demo`: an organization to explore, on a database of its own. Made at the first start, kept afterwards.

mod cti;
mod extractions;
mod fields;
mod grants;
mod imports;
mod invitations;
mod keys;
mod logo;
mod people;
mod reviews;
mod seed;
mod telephone;
mod tickets;

use std::{path::PathBuf, sync::Arc};

use super::{list, start_log};
use crate::{
    api::{mailbox, playground::Hint},
    kernel::{
        App, Random, Settings, SystemClock,
        config::{self, LogFormat, Source},
    },
    operate, organization, serve, setup,
};

/// The demo organization's domain.
pub const DOMAIN: &str = "demo";
/// Its owner's login ID.
pub const LOGIN: &str = "owner";
/// Its owner's password, known to everybody; the demo listens on this machine only.
pub const PASSWORD: &str = "orgdesk-demo-owner";

pub(super) async fn run(source: &Source) -> anyhow::Result<()> {
    let settings = settings(source)?;
    start_log(if source.get("LOG").is_some() {
        settings.log_format
    } else {
        LogFormat::Text
    });
    let app = open(settings, source).await?;
    let listener = serve::listen(&app).await?;
    let address = app.settings.listen;
    println!("Orgdesk demo");
    println!("  Playground  http://{address}/graphiql");
    if app.settings.mail.server.is_none() {
        println!("  Mailbox     http://{address}{}", mailbox::PATH);
    }
    println!("  Sign in     organization {DOMAIN}, login {LOGIN}, password {PASSWORD}");
    println!("  Token       {}", operate::access_token(&app, DOMAIN, LOGIN).await?);
    let hint = Hint {
        organization: DOMAIN.to_owned(),
        login: LOGIN.to_owned(),
        password: PASSWORD.to_owned(),
    };
    serve::serve_on(app, Some(hint), listener, serve::stopped()).await
}

/// The demo's settings, with the secret and the keys of its data folder.
pub(super) fn settings(source: &Source) -> anyhow::Result<Settings> {
    let (data, random) = (config::data_folder(source), Random::from_system()?);
    let secret = setup::own_secret(&data, &random)?;
    let key_ring = setup::own_key_ring(&data, &random, &secret)?;
    Settings::for_demo(source, secret, key_ring).map_err(list)
}

/// Opens the demo's database. A seed that was interrupted leaves nothing: the file gets its name when it is whole.
async fn open(settings: Settings, source: &Source) -> anyhow::Result<App> {
    if source.get("DATABASE_URL").is_none() {
        let file = settings.data.join("orgdesk.db");
        if !file.exists() {
            let half = settings.data.join("seeding.db");
            for end in ["", "-wal", "-shm"] {
                let leftover = PathBuf::from(format!("{}{end}", half.display()));
                if leftover.exists() {
                    std::fs::remove_file(leftover)?;
                }
            }
            let url = format!("sqlite:{}", half.display());
            seed::make(Settings {
                database_url: url,
                ..settings.clone()
            })
            .await?
            .database
            .close()
            .await;
            std::fs::rename(half, file)?;
        }
    }
    let app = setup::open(settings.clone(), Arc::new(SystemClock), Random::from_system()?).await?;
    let found = organization::find_by_domain(&app, DOMAIN)
        .await
        .map_err(operate::told)?;
    if found.is_none() {
        seed::make(settings).await?.database.close().await;
    }
    Ok(app)
}
