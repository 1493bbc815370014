//! How the server is linked.

use std::{env::var, process::Command};

/// The first glibc that reads packed relocations.
const PACKED: (u32, u32) = (2, 36);

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // What generic code makes is often the same for many types; what the program runs through once stays in memory.
    if is_lld() {
        println!("cargo::rustc-link-arg-bins=-Wl,--icf=all");
    }
    // Every process holds its relocations in memory: here a hundred thousand of them, 2.4 MB as they are, 0.1 packed.
    if var("CARGO_CFG_TARGET_ENV").as_deref() == Ok("gnu") && glibc().is_some_and(|here| here >= PACKED) {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}

/// Whether rustc links with its own lld: it does for this target, unless it is told another linker.
fn is_lld() -> bool {
    let target = var("TARGET").is_ok_and(|target| target == "x86_64-unknown-linux-gnu");
    let flags = var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    target && var("RUSTC_LINKER").is_err() && !flags.contains("link")
}

/// The version of this machine's glibc.
fn glibc() -> Option<(u32, u32)> {
    let told = Command::new("getconf").arg("GNU_LIBC_VERSION").output().ok()?.stdout;
    let told = String::from_utf8(told).ok()?;
    let (major, minor) = told.trim().strip_prefix("glibc ")?.split_once('.')?;
    Some((major.parse().ok()?, minor.split('.').next()?.parse().ok()?))
}
