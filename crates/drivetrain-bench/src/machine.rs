//! The machine, as far as it matters to measurements; nothing that names it.

use std::fs;

use serde::{Deserialize, Serialize};

/// What something was measured on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// The model of the processor.
    pub cpu: String,
    /// How many threads run at the same time.
    pub cores: usize,
    /// Main memory in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
    /// The operating system and the processor's architecture.
    pub system: String,
}

impl Machine {
    /// The machine that this runs on. What the system does not tell is called unknown.
    #[must_use]
    pub fn this() -> Self {
        let text = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let cpu = field(&text("/proc/cpuinfo"), "model name").unwrap_or_else(|| "unknown processor".to_owned());
        let memory = field(&text("/proc/meminfo"), "MemTotal");
        Self {
            cpu,
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory_bytes: memory.as_deref().and_then(kibibytes),
            system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        }
    }

    /// The load average of the last minute: processes that wanted a processor.
    #[must_use]
    pub fn load() -> Option<f64> {
        fs::read_to_string("/proc/loadavg").ok()?.split(' ').next()?.parse().ok()
    }
}

/// The first value under a name, in the `name: value` lines of `/proc`.
pub(crate) fn field(text: &str, name: &str) -> Option<String> {
    let value = |line: &str| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == name).then(|| value.trim().to_owned())
    };
    text.lines().find_map(value)
}

/// Bytes of a value such as `2048 kB`.
pub(crate) fn kibibytes(value: &str) -> Option<u64> {
    value.strip_suffix(" kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_by_their_names() {
        let text = "processor\t: 0\nmodel name\t: A: B\nVmHWM:\t   2048 kB\n";
        assert_eq!(field(text, "model name").as_deref(), Some("A: B"));
        assert_eq!(field(text, "model"), None);
        assert_eq!(field(text, "VmHWM").as_deref().and_then(kibibytes), Some(2 << 20));
        assert_eq!(kibibytes("2048"), None);
    }
}
