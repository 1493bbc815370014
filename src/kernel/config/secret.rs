//! What must not be known: the installation's secret and the keys that wrap data keys. Each is a variable, or a file that
//! only its owner can read.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

use super::Source;
use crate::kernel::seal::KeyRing;

/// The installation's secret: base 64 in the variable, or in a file that only its owner can read.
///
/// # Errors
/// If there is none, or it is too short, too simple or readable by others.
pub fn secret_of(source: &Source) -> Result<Zeroizing<Vec<u8>>, String> {
    let hint = "32 random bytes in base 64, such as `openssl rand -base64 32` prints";
    let (name, text) = read(source, ["SECRET", "SECRET_FILE"], hint)?;
    let bytes = STANDARD
        .decode(text.trim())
        .map(Zeroizing::new)
        .map_err(|_| format!("{name} is not base 64"))?;
    let mut different = [false; 256];
    bytes.iter().for_each(|byte| different[usize::from(*byte)] = true);
    if bytes.len() < 32 || different.iter().filter(|is| **is).count() < 16 {
        return Err(format!("{name} must be at least 32 random bytes"));
    }
    Ok(bytes)
}

/// The key ring: `name:key` entries in the variable, or in a file that only its owner can read.
///
/// # Errors
/// If there is none, or one of its keys is unfit; see [`KeyRing::parse`].
pub fn key_ring_of(source: &Source, secret: &[u8]) -> Result<KeyRing, String> {
    let hint = "name:key, the key 32 random bytes in base 64, such as `openssl rand -base64 32` prints";
    let (name, text) = read(source, ["KEY_RING", "KEY_RING_FILE"], hint)?;
    KeyRing::parse(&text, secret).map_err(|fault| format!("{name}: {fault}"))
}

/// The text of the variable, or of the file that the other one names; and which of them it was.
fn read(source: &Source, names: [&str; 2], hint: &str) -> Result<(String, Zeroizing<String>), String> {
    let [own, file] = names.map(|name| format!("ORGDESK_{name}"));
    match names.map(|name| source.get(name)) {
        [Some(_), Some(_)] => Err(format!("{own} and {file} exclude each other")),
        [Some(text), None] => Ok((own, Zeroizing::new(text.to_owned()))),
        [None, Some(path)] => Ok((file.clone(), read_file(&file, path)?)),
        [None, None] => Err(format!("{own} or {file} is needed: {hint}")),
    }
}

/// The text of a file that only its owner can read; `name` is the variable that names it.
pub(super) fn read_file(name: &str, path: &str) -> Result<Zeroizing<String>, String> {
    use std::os::unix::fs::PermissionsExt;
    let fault = |error: std::io::Error| format!("{name}: {path}: {error}");
    let mode = std::fs::metadata(path).map_err(fault)?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(format!("{name}: {path} can be read by others: chmod 600"));
    }
    std::fs::read_to_string(path).map(Zeroizing::new).map_err(fault)
}
