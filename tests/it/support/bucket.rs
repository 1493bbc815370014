//! A real S3 server in the tests' own process: it checks signatures, and keeps its buckets in a folder.

use std::{net::SocketAddr, path::PathBuf};

use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto::Builder,
};
use orgdesk::kernel::{
    config::{Bucket, Storage},
    store::Store,
};
use s3s::{auth::SimpleAuth, service::S3ServiceBuilder};
use s3s_fs::FileSystem;
use tokio::{net::TcpListener, task::JoinHandle};

const NAME: &str = "orgdesk";
const ACCESS_KEY: &str = "AKTESTS";
const SECRET_KEY: &str = "secret/of+tests";

/// A server with one bucket. It ends with this value.
pub struct Server {
    address: SocketAddr,
    folder: tempfile::TempDir,
    serving: JoinHandle<()>,
}

impl Server {
    /// Starts one on a port of its own.
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join(NAME)).unwrap();
        let mut builder = S3ServiceBuilder::new(FileSystem::new(folder.path()).unwrap());
        builder.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
        let service = builder.build();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = tokio::spawn(async move {
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                let service = service.clone();
                tokio::spawn(async move {
                    let http = Builder::new(TokioExecutor::new());
                    let _ = http.serve_connection(TokioIo::new(socket), service).await;
                });
            }
        });
        Self {
            address,
            folder,
            serving,
        }
    }

    /// The settings of its bucket.
    pub fn storage(&self) -> Storage {
        Storage::Bucket(bucket(self.address, SECRET_KEY))
    }

    /// The same as variables of the binary.
    pub fn variables(&self) -> [(&'static str, String); 6] {
        [
            ("ORGDESK_STORAGE", "s3".to_owned()),
            ("ORGDESK_STORAGE_BUCKET", NAME.to_owned()),
            ("ORGDESK_STORAGE_REGION", "ap-northeast-2".to_owned()),
            ("ORGDESK_STORAGE_ENDPOINT", format!("http://{}", self.address)),
            ("ORGDESK_STORAGE_ACCESS_KEY", ACCESS_KEY.to_owned()),
            ("ORGDESK_STORAGE_SECRET_KEY", SECRET_KEY.to_owned()),
        ]
    }

    /// A store in its bucket.
    pub fn store(&self) -> Store {
        Store::open(&self.storage(), &PathBuf::from("unused")).unwrap()
    }

    /// A store of somebody whose key is wrong.
    pub fn store_of_a_stranger(&self) -> Store {
        let storage = Storage::Bucket(bucket(self.address, "another"));
        Store::open(&storage, &PathBuf::from("unused")).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.serving.abort();
        let _ = &self.folder;
    }
}

/// A store in a bucket that does not answer.
pub fn nowhere() -> Store {
    let storage = Storage::Bucket(bucket(SocketAddr::from(([127, 0, 0, 1], 1)), SECRET_KEY));
    Store::open(&storage, &PathBuf::from("unused")).unwrap()
}

fn bucket(address: SocketAddr, secret_key: &str) -> Bucket {
    Bucket {
        name: NAME.to_owned(),
        region: "ap-northeast-2".to_owned(),
        endpoint: Some(format!("http://{address}")),
        access_key: ACCESS_KEY.to_owned(),
        secret_key: secret_key.to_owned().into(),
        has_path_style: true,
    }
}
