//! The settings of where files are kept: nothing for a folder beside the database, or everything for a bucket.

use zeroize::Zeroizing;

use super::{Source, secret::read_file};

/// What files of an organization may come to, in MiB, where nothing else is said.
const USUAL_QUOTA: u64 = 200;

/// Where files are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Storage {
    /// In the data folder.
    Folder,
    /// In a bucket of S3, or of whatever speaks as it does.
    Bucket(Bucket),
}

/// A bucket, and who may use it.
#[derive(Clone, PartialEq, Eq)]
pub struct Bucket {
    /// Its name.
    pub name: String,
    /// The region, such as `ap-northeast-2`.
    pub region: String,
    /// Where it is reached, without a slash at the end; `None` for AWS itself.
    pub endpoint: Option<String>,
    /// Who asks.
    pub access_key: String,
    /// What proves it.
    pub secret_key: Zeroizing<String>,
    /// Whether the bucket is named in the path of addresses, not in their host.
    pub has_path_style: bool,
}

impl std::fmt::Debug for Bucket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bucket")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// What only a bucket needs.
const OF_BUCKETS: [&str; 7] = [
    "STORAGE_BUCKET",
    "STORAGE_REGION",
    "STORAGE_ENDPOINT",
    "STORAGE_ACCESS_KEY",
    "STORAGE_SECRET_KEY",
    "STORAGE_SECRET_KEY_FILE",
    "STORAGE_PATH_STYLE",
];

pub(super) fn read(source: &Source, faults: &mut Vec<String>) -> Storage {
    match source.get("STORAGE").unwrap_or("folder") {
        "folder" => {
            let odd = OF_BUCKETS.iter().filter(|name| source.get(name).is_some());
            faults.extend(odd.map(|name| format!("ORGDESK_{name} is for ORGDESK_STORAGE=s3 only")));
            Storage::Folder
        }
        "s3" => Storage::Bucket(bucket(source, faults)),
        _ => {
            faults.push("ORGDESK_STORAGE is one of folder, s3".to_owned());
            Storage::Folder
        }
    }
}

/// The most bytes that pictures of an organization may come to.
pub(super) fn quota(source: &Source, faults: &mut Vec<String>) -> u64 {
    let text = source.get("PICTURE_QUOTA_MIB");
    let mebibytes = text.map_or(Some(USUAL_QUOTA), |text| text.parse().ok());
    let mebibytes = mebibytes.filter(|mebibytes| (1..=100_000).contains(mebibytes));
    if mebibytes.is_none() {
        faults.push("ORGDESK_PICTURE_QUOTA_MIB is a whole number from 1 to 100000".to_owned());
    }
    mebibytes.unwrap_or(USUAL_QUOTA) * 1024 * 1024
}

fn bucket(source: &Source, faults: &mut Vec<String>) -> Bucket {
    let text = |name: &str, fits: fn(&str) -> bool, what: &str, faults: &mut Vec<String>| {
        let text = source.get(name).unwrap_or_default();
        if !fits(text) {
            faults.push(format!("ORGDESK_{name} {what}"));
        }
        text.to_owned()
    };
    let name = text(
        "STORAGE_BUCKET",
        is_bucket,
        "is needed: 3 to 63 small letters, digits, dots and hyphens",
        faults,
    );
    let region = text("STORAGE_REGION", is_region, "is needed, such as ap-northeast-2", faults);
    let access_key = text(
        "STORAGE_ACCESS_KEY",
        is_key,
        "is needed: visible ASCII characters",
        faults,
    );
    let secret_key = secret(source).unwrap_or_else(|fault| {
        faults.push(fault);
        Zeroizing::default()
    });
    let endpoint = source.get("STORAGE_ENDPOINT").map(str::to_owned);
    if !endpoint.as_deref().is_none_or(is_endpoint) {
        faults.push(
            "ORGDESK_STORAGE_ENDPOINT is an address such as https://s3.example.com, with https:// unless it is this machine"
                .to_owned(),
        );
    }
    // Whatever is no AWS seldom has a name for each bucket.
    let usual = if endpoint.is_some() { "on" } else { "off" };
    let path_style = source.get("STORAGE_PATH_STYLE").unwrap_or(usual);
    if !["on", "off"].contains(&path_style) {
        faults.push("ORGDESK_STORAGE_PATH_STYLE is one of on, off".to_owned());
    }
    Bucket {
        name,
        region,
        endpoint,
        access_key,
        secret_key,
        has_path_style: path_style == "on",
    }
}

fn secret(source: &Source) -> Result<Zeroizing<String>, String> {
    let secret = match (source.get("STORAGE_SECRET_KEY"), source.get("STORAGE_SECRET_KEY_FILE")) {
        (Some(_), Some(_)) => {
            return Err("ORGDESK_STORAGE_SECRET_KEY and ORGDESK_STORAGE_SECRET_KEY_FILE exclude each other".to_owned());
        }
        (Some(text), None) => Zeroizing::new(text.to_owned()),
        (None, Some(path)) => Zeroizing::new(read_file("ORGDESK_STORAGE_SECRET_KEY_FILE", path)?.trim().to_owned()),
        (None, None) => Zeroizing::default(),
    };
    if is_key(&secret) {
        Ok(secret)
    } else {
        Err(
            "ORGDESK_STORAGE_SECRET_KEY or ORGDESK_STORAGE_SECRET_KEY_FILE is needed: visible ASCII characters"
                .to_owned(),
        )
    }
}

fn is_bucket(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let ends = [text.bytes().next(), text.bytes().next_back()];
    (3..=63).contains(&text.len())
        && text.bytes().all(|byte| plain(byte) || b".-".contains(&byte))
        && ends.into_iter().flatten().all(plain)
        && !text.contains("..")
}

fn is_region(text: &str) -> bool {
    (1..=40).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

fn is_key(text: &str) -> bool {
    (1..=256).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Scheme, host and perhaps port; without TLS on this machine only, since keys and files would be there for all to see.
fn is_endpoint(text: &str) -> bool {
    let Ok(url) = url::Url::parse(text) else { return false };
    let is_near = ["localhost", "127.0.0.1", "[::1]"].contains(&url.host_str().unwrap_or_default());
    let has_scheme = url.scheme() == "https" || (url.scheme() == "http" && is_near);
    has_scheme
        && url.username().is_empty()
        && url.password().is_none()
        && url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && !text.ends_with('/')
}
