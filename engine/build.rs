//! Compiles the published module, and the one that benchmarks compare it with, to WebAssembly, so
//! that the engine carries both as bytes.
//!
//! Keeps true: the wasm comes from the same lock file as everything else, is built once per change
//! of its sources, and never depends on flags or wrappers that were meant for the native build.
//! Leaves out on purpose: installing the wasm target. It says what to type instead.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const WASM_TARGET: &str = "wasm32-unknown-unknown";

/// The crates whose sources end up in a module.
const MODULE_CRATES: [&str; 5] = ["rules", "tables", "reducers", "module", "bench/module"];

/// A module: the crate that is one, its file, and the variable that names one compiled elsewhere.
struct Module {
    package: &'static str,
    file: &'static str,
    prebuilt: &'static str,
}

const MODULES: [Module; 2] = [
    Module { package: "haven-module", file: "haven_module.wasm", prebuilt: "HAVEN_MODULE_WASM" },
    Module {
        package: "haven-bench-module",
        file: "haven_bench_module.wasm",
        prebuilt: "HAVEN_BENCH_MODULE_WASM",
    },
];

/// Set by cargo for the native build, by clippy, or by the caller; wrong for a module.
const FOREIGN_VARIABLES: [&str; 12] = [
    "CARGO_BUILD_RUSTC",
    "CARGO_BUILD_RUSTFLAGS",
    "CARGO_BUILD_TARGET",
    "CARGO_BUILD_TARGET_DIR",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_TARGET_DIR",
    "CLIPPY_ARGS",
    "RUSTC",
    "RUSTC_WORKSPACE_WRAPPER",
    "RUSTC_WRAPPER",
    "RUSTFLAGS",
    "TARGET",
];

/// Families of such variables.
const FOREIGN_PREFIXES: [&str; 5] =
    ["CARGO_CFG_", "CARGO_FEATURE_", "CARGO_PKG_", "CARGO_PROFILE_", "CARGO_TARGET_"];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if let Err(message) = provide(&PathBuf::from(variable("OUT_DIR"))) {
        println!("cargo::error={message}");
        std::process::exit(1);
    }
}

/// Puts both modules into `out`. For packagers: one that was compiled elsewhere is taken as it is.
fn provide(out: &Path) -> Result<(), String> {
    let mut missing = Vec::new();
    for module in &MODULES {
        println!("cargo::rerun-if-env-changed={}", module.prebuilt);
        match env::var_os(module.prebuilt).map(PathBuf::from) {
            Some(prebuilt) => {
                println!("cargo::rerun-if-changed={}", prebuilt.display());
                copy(&prebuilt, &out.join(module.file))?;
            }
            None => missing.push(module),
        }
    }
    if missing.is_empty() { Ok(()) } else { compile(&missing, out) }
}

fn compile(modules: &[&Module], out: &Path) -> Result<(), String> {
    let engine = PathBuf::from(variable("CARGO_MANIFEST_DIR"));
    let root = engine.parent().ok_or("the engine has no workspace root")?;
    for name in MODULE_CRATES {
        println!("cargo::rerun-if-changed={}", root.join(name).join("src").display());
        println!("cargo::rerun-if-changed={}", root.join(name).join("Cargo.toml").display());
    }
    for name in ["Cargo.lock", "Cargo.toml"] {
        println!("cargo::rerun-if-changed={}", root.join(name).display());
    }
    if !wasm_target_is_installed() {
        return Err(format!(
            "the {WASM_TARGET} target is missing, type: rustup target add {WASM_TARGET}"
        ));
    }
    let target_dir = module_target_dir(out)?;
    let mut cargo = Command::new(variable("CARGO"));
    cargo.current_dir(root).args(["build", "--locked", "--quiet"]);
    for module in modules {
        cargo.args(["--package", module.package]);
    }
    cargo.args(["--profile", "module", "--target", WASM_TARGET]);
    cargo.arg("--target-dir").arg(&target_dir);
    for (name, _) in env::vars_os() {
        if is_foreign(&name) {
            cargo.env_remove(&name);
        }
    }
    let status = cargo
        .status()
        .map_err(|error| format!("cargo could not be started for the modules: {error}"))?;
    if !status.success() {
        return Err("a module did not compile, its errors are above".to_owned());
    }
    let built = target_dir.join(WASM_TARGET).join("module");
    modules.iter().try_for_each(|module| copy(&built.join(module.file), &out.join(module.file)))
}

/// A directory beside the profiles of the outer build: `<target>/module`, shared by all of them,
/// so that the modules stay incremental whatever else is rebuilt.
fn module_target_dir(out: &Path) -> Result<PathBuf, String> {
    // out is <target>[/<triple>]/<profile>/build/haven-engine-<hash>/out
    out.ancestors()
        .nth(4)
        .map(|target| target.join("module"))
        .ok_or_else(|| format!("{} is not below a target directory", out.display()))
}

fn wasm_target_is_installed() -> bool {
    let output = Command::new(variable("RUSTC"))
        .args(["--print", "target-libdir", "--target", WASM_TARGET])
        .output();
    output.is_ok_and(|output| {
        let folder = String::from_utf8_lossy(&output.stdout);
        output.status.success() && Path::new(folder.trim()).is_dir()
    })
}

fn is_foreign(name: &OsStr) -> bool {
    let Some(name) = name.to_str() else {
        return false;
    };
    FOREIGN_VARIABLES.contains(&name) || FOREIGN_PREFIXES.iter().any(|p| name.starts_with(p))
}

fn copy(from: &Path, to: &Path) -> Result<(), String> {
    fs::copy(from, to)
        .map(|_| ())
        .map_err(|error| format!("{} could not be copied: {error}", from.display()))
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("cargo sets {name} for build scripts"))
}
