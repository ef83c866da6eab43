//! What the system counts of this process.

use std::fs;
use std::time::Duration;

use crate::machine::{field, kibibytes};

/// Time on processors, of all threads together.
#[cfg(unix)]
pub(crate) fn cpu_time() -> Option<Duration> {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Some(Duration::new(time.tv_sec.try_into().ok()?, time.tv_nsec.try_into().ok()?))
}

/// Time on processors: not known here.
#[cfg(not(unix))]
pub(crate) fn cpu_time() -> Option<Duration> {
    None
}

/// Begins a new peak of memory, at what is held now; returns that. Where the system does not allow it, the peak stays
/// that of the whole process.
pub(crate) fn begin_peak() -> Option<u64> {
    let _ = fs::write("/proc/self/clear_refs", "5");
    memory("VmRSS")
}

/// The most memory that was held since the peak began.
pub(crate) fn peak() -> Option<u64> {
    memory("VmHWM")
}

fn memory(name: &str) -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    kibibytes(&field(&status, name)?)
}

/// How often the system took a processor away from a living thread.
pub(crate) fn preemptions() -> Option<u64> {
    let of_thread = |entry: std::io::Result<fs::DirEntry>| {
        // A thread may be gone by now.
        let status = fs::read_to_string(entry.ok()?.path().join("status")).ok()?;
        field(&status, "nonvoluntary_ctxt_switches")?.parse::<u64>().ok()
    };
    Some(fs::read_dir("/proc/self/task").ok()?.filter_map(of_thread).sum())
}
