//! Personal data that stand in no file: what tests give customers by default is known here, and where the run is asked to look
//! (`ORGDESK_TEST_CANARY=FILE`), whatever each test leaves on disk is searched for it before it goes: database files, the
//! server's write-ahead log and log, stored files, what processes printed. The file gets a line for each place that was
//! searched; one that begins with FOUND is a leak. `.ci/run` reads it.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE},
};
use unicode_normalization::UnicodeNormalization;

/// The address of a customer.
pub const MAIL: &str = "canarykestrel@private-mail.example";
/// His telephone number, and how it is kept where digits alone are.
pub const PHONE: &str = "010-7391-4682";
const DIGITS: &str = "01073914682";
/// His name.
pub const NAME: &str = "남궁민수옥";

/// Searches files and folders, where the run is asked to look.
pub fn search(what: &str, places: &[PathBuf]) {
    let Some((report, patterns)) = asked() else { return };
    let there: Vec<&PathBuf> = places.iter().filter(|place| place.exists()).collect();
    if there.is_empty() {
        return;
    }
    let mut grep = Command::new("grep");
    grep.env("LC_ALL", "C")
        .args(["-raolFf"])
        .arg(patterns)
        .arg("--")
        .args(&there);
    let found = grep.output().expect("grep is there").stdout;
    let found = String::from_utf8_lossy(&found);
    let mut lines: String = found.lines().map(|file| format!("FOUND in {what}: {file}\n")).collect();
    if lines.is_empty() {
        lines = format!("clean {what}\n");
    }
    let file = OpenOptions::new().append(true).create(true).open(report);
    let written = file.and_then(|mut file| file.write_all(lines.as_bytes()));
    written.expect("the report can be written");
}

/// Where to report, and the file of what is searched for; `None` where the run is not asked to look.
pub fn asked() -> Option<&'static (PathBuf, PathBuf)> {
    static ASKED: OnceLock<Option<(PathBuf, PathBuf)>> = OnceLock::new();
    let begin = || {
        let report = PathBuf::from(std::env::var_os("ORGDESK_TEST_CANARY")?);
        let patterns = report.with_extension("patterns");
        std::fs::write(&patterns, patterns_file()).expect("the patterns can be written");
        prove(&patterns);
        Some((report, patterns))
    };
    ASKED.get_or_init(begin).as_ref()
}

/// The patterns find what they are for: a search that can't find anything would be clean for good.
fn prove(patterns: &Path) {
    let folder = tempfile::tempdir().expect("a folder");
    for form in [MAIL, PHONE, DIGITS, NAME].into_iter().flat_map(forms) {
        let file = folder.path().join("leak");
        std::fs::write(&file, [&b"before"[..], &form, b"after"].concat()).expect("a file");
        let found = Command::new("grep")
            .env("LC_ALL", "C")
            .args(["-qaFf"])
            .arg(patterns)
            .arg(&file)
            .status();
        assert!(found.is_ok_and(|status| status.success()), "{form:?} is not found");
    }
}

fn patterns_file() -> Vec<u8> {
    let all = [MAIL, PHONE, DIGITS, NAME].into_iter().flat_map(forms);
    all.flat_map(|form| [form, b"\n".to_vec()].concat()).collect()
}

/// The ways in which a text could be written, without those that a line can't hold.
fn forms(text: &str) -> Vec<Vec<u8>> {
    let mut forms = Vec::new();
    for text in [text.nfc().collect::<String>(), text.nfd().collect()] {
        let bytes = text.as_bytes();
        let utf16: Vec<u16> = text.encode_utf16().collect();
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        forms.extend([
            bytes.to_vec(),
            utf16.iter().flat_map(|unit| unit.to_le_bytes()).collect(),
            utf16.iter().flat_map(|unit| unit.to_be_bytes()).collect(),
            hex.to_uppercase().into_bytes(),
            hex.into_bytes(),
        ]);
        // In base64 a text looks otherwise at each of three places; what its middle becomes is the same.
        for shift in 0..3 {
            let padded = [vec![b' '; shift], bytes.to_vec()].concat();
            let whole = &padded[..padded.len() / 3 * 3];
            let from = if shift == 0 { 0 } else { 4 };
            forms.extend([STANDARD.encode(whole), URL_SAFE.encode(whole)].map(|code| code.as_bytes()[from..].to_vec()));
        }
    }
    forms.retain(|form| !form.contains(&b'\n'));
    forms.sort();
    forms.dedup();
    forms
}

/// A test's folder, searched before it goes.
#[derive(Debug)]
pub struct Searched(pub tempfile::TempDir);

impl Drop for Searched {
    fn drop(&mut self) {
        search("a folder of a test", &[self.0.path().to_owned()]);
    }
}
