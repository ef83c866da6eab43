//! What the system counts of this process.

use std::fs;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
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

/// The memory of a process and of all below it, in bytes: of pages that several processes share each is counted its part
/// (proportional set size), so that the sum is what they hold together. 0 where the system does not tell, and of processes
/// that have ended.
///
/// ```
/// # if cfg!(target_os = "linux") {
/// assert!(drivetrain_bench::memory_of_tree(std::process::id()) > 0);
/// # }
/// ```
#[must_use]
pub fn memory_of_tree(process: u32) -> u64 {
    let read = |file: &str| fs::read_to_string(format!("/proc/{process}/{file}")).unwrap_or_default();
    let own = field(&read("smaps_rollup"), "Pss").or_else(|| field(&read("status"), "VmRSS"));
    own.as_deref().and_then(kibibytes).unwrap_or_default()
        + children(process).into_iter().map(memory_of_tree).sum::<u64>()
}

/// The processes that one started, from any of its threads, and that have not been waited for.
fn children(process: u32) -> Vec<u32> {
    let threads = fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    // A thread may be gone by now.
    let lists = threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    lists.flat_map(|list| list.split_whitespace().filter_map(|id| id.parse().ok()).collect::<Vec<_>>()).collect()
}

/// Looks every tenth of a second at the memory of processes, until it is asked for the most that it saw.
#[derive(Debug)]
pub struct MemoryWatch {
    stop: mpsc::Sender<()>,
    watching: JoinHandle<u64>,
}

/// How often memory is looked at.
const LOOK: Duration = Duration::from_millis(100);

impl MemoryWatch {
    /// Watches a process, with all that are below it by then.
    #[must_use]
    pub fn of(process: u32) -> Self {
        Self::over(move || memory_of_tree(process))
    }

    /// Watches what this process starts, without itself.
    #[must_use]
    pub fn of_children() -> Self {
        Self::over(|| children(std::process::id()).into_iter().map(memory_of_tree).sum())
    }

    fn over(look: impl Fn() -> u64 + Send + 'static) -> Self {
        let (stop, stopped) = mpsc::channel();
        let watching = thread::spawn(move || {
            let mut peak = look();
            while stopped.recv_timeout(LOOK) == Err(mpsc::RecvTimeoutError::Timeout) {
                peak = peak.max(look());
            }
            peak.max(look())
        });
        Self { stop, watching }
    }

    /// The most bytes that were seen; none where the system does not tell.
    #[must_use]
    pub fn peak(self) -> Option<u64> {
        drop(self.stop);
        self.watching.join().ok().filter(|bytes| *bytes > 0)
    }
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

    #[test]
    fn memory_is_that_of_all_processes_below() {
        use std::io::Read;
        use std::process::{Command, Stdio};

        let watch = MemoryWatch::of_children();
        // A shell that starts another, each of which has its own memory; they end with their input.
        let mut command = Command::new("sh");
        command.args(["-c", "sh -c 'echo ready; read line; true'; true"]);
        let mut shell = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        shell.stdout.take().unwrap().read_exact(&mut [0; 5]).unwrap();
        let below: Vec<u32> = children(shell.id());
        let (all, one) = (memory_of_tree(shell.id()), memory_of_tree(below[0]));
        let peak = watch.peak();
        drop(shell.stdin.take());
        shell.wait().unwrap();
        assert!(below.len() == 1 && one > 0 && all > one, "{below:?}: {one} of {all}");
        // Other tests of this process may have started something too.
        assert!(peak.is_some_and(|peak| peak > one), "{peak:?}");
        assert_eq!((memory_of_tree(below[0]), MemoryWatch::of(below[0]).peak()), (0, None));
    }
}
