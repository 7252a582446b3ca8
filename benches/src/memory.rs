//! Peak resident memory, measured in a process of its own per contender.

use std::path::Path;
use std::process::Command;

use crate::Store;
use crate::contender::{Contender, Result};
use crate::measure::quantile;

/// The argument by which this program calls itself.
pub(crate) const CHILD: &str = "open-and-report-memory";

/// How often each is measured: pages are counted, not timed, and vary little.
const ROUNDS: usize = 3;

/// Measures and prints a table.
pub(crate) fn compare(stores: &[Store<'_>]) -> Result<()> {
    println!("| contender | file | peak memory | ratio |");
    println!("|---|---:|---:|---:|");
    let mut first = None;
    for (contender, path) in stores {
        let peaks: Result<Vec<f64>> = (0..ROUNDS).map(|_| peak(contender.name(), path)).collect();
        let peak = quantile(&peaks?, 0.5);
        let mib = |kib: f64| format!("{:.1} MiB", kib / 1024.0);
        println!(
            "| {} | {} | {} | {:.2} |",
            contender.name(),
            mib(std::fs::metadata(path)?.len() as f64 / 1024.0),
            mib(peak),
            peak / *first.get_or_insert(peak),
        );
    }
    Ok(())
}

/// The peak in KiB of a child that opens the store.
fn peak(name: &str, path: &Path) -> Result<f64> {
    let child = Command::new(std::env::current_exe()?)
        .args([CHILD, name])
        .arg(path)
        .output()?;
    if !child.status.success() {
        return Err(String::from_utf8_lossy(&child.stderr).into());
    }
    Ok(String::from_utf8(child.stdout)?.trim().parse()?)
}

/// The child: opens the store and prints its own peak in KiB.
pub(crate) fn child(contender: &dyn Contender, path: &Path) -> Result<()> {
    let opened = contender.open(path)?;
    let status = std::fs::read_to_string("/proc/self/status")
        .map_err(|error| format!("peak memory is read from Linux's /proc: {error}"))?;
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:")?.strip_suffix("kB"))
        .ok_or("/proc/self/status has no VmHWM")?;
    println!("{}", peak.trim());
    drop(opened);
    Ok(())
}
