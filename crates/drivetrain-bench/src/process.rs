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

/// Time that ended processes, which this one started and waited for, spent on processors: in steps of a tick, a hundredth
/// of a second as a rule. None where the system does not tell.
#[cfg(target_os = "linux")]
#[must_use]
pub fn children_cpu_time() -> Option<Duration> {
    let ticks = children_ticks(&fs::read_to_string("/proc/self/stat").ok()?)?;
    Some(Duration::from_secs_f64(ticks as f64 / rustix::param::clock_ticks_per_second() as f64))
}

/// Time that ended processes spent on processors: not known here.
#[cfg(not(target_os = "linux"))]
#[must_use]
pub fn children_cpu_time() -> Option<Duration> {
    None
}

/// User and system time, fields 16 and 17 of `/proc/PID/stat`; the name in field 2 may contain anything.
#[cfg(target_os = "linux")]
fn children_ticks(stat: &str) -> Option<u64> {
    let after_name = stat.rsplit_once(") ")?.1;
    let mut fields = after_name.split(' ').skip(16 - 3);
    let mut next = || fields.next()?.parse::<u64>().ok();
    next()?.checked_add(next()?)
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

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn fields_are_counted_after_the_name() {
        let stat = "1 (a) b) S 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19";
        assert_eq!(children_ticks(stat), Some(16 + 17));
        assert_eq!(children_ticks("1 (a) S 3"), None);
        assert!(children_cpu_time().is_some());
    }
}
