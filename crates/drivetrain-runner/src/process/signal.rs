//! Signals to a process and to what it started.

#[cfg(unix)]
pub(super) use unix::{kill, own_group, terminate};

#[cfg(not(unix))]
pub(super) use other::{kill, own_group, terminate};

#[cfg(unix)]
mod unix {
    use std::os::unix::process::CommandExt;
    use std::process::{Child, Command};

    use rustix::process::{Pid, Signal, kill_process_group};

    /// A group of its own, so that one signal reaches the process and its children, and a Ctrl-C at the terminal reaches
    /// only the runner, which then stops the job in order.
    pub(in crate::process) fn own_group(command: &mut Command) {
        command.process_group(0);
    }

    /// SIGTERM to the group.
    pub(in crate::process) fn terminate(child: &mut Child) {
        // The only failure is that nobody is left.
        let _ = kill_process_group(Pid::from_child(child), Signal::TERM);
    }

    /// SIGKILL to the group.
    pub(in crate::process) fn kill(child: &mut Child) {
        let _ = kill_process_group(Pid::from_child(child), Signal::KILL);
    }
}

#[cfg(not(unix))]
mod other {
    use std::process::{Child, Command};

    pub(in crate::process) fn own_group(_: &mut Command) {}

    pub(in crate::process) fn terminate(child: &mut Child) {
        kill(child);
    }

    pub(in crate::process) fn kill(child: &mut Child) {
        // The only failure is that it has ended.
        let _ = child.kill();
    }
}
