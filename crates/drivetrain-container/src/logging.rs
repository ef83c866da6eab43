//! Log lines on stderr; the platform collects them.

use std::{collections::BTreeMap, io};

use tracing_subscriber::EnvFilter;

/// Sends log lines to stderr: those that `RUST_LOG` selects, or those of `SM_LOG_LEVEL` and above, or `info` and above.
///
/// A second call changes nothing.
pub fn init(variables: &BTreeMap<String, String>) {
    let filter = filter(variables);
    let (filter, refused) = match EnvFilter::try_new(&filter) {
        Ok(valid) => (valid, None),
        Err(error) => (EnvFilter::new("info"), Some((filter, error))),
    };
    // A line that cannot be written is lost; to say so on the same closed stderr would panic, and with it the request.
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_target(false)
        .log_internal_errors(false)
        .with_writer(io::stderr);
    let installed = subscriber.try_init().is_ok();
    if installed && let Some((filter, error)) = refused {
        tracing::warn!("RUST_LOG `{filter}` is not understood ({error}); logging at level info");
    }
}

fn filter(variables: &BTreeMap<String, String>) -> String {
    if let Some(filter) = variables.get("RUST_LOG").filter(|filter| !filter.is_empty()) {
        return filter.clone();
    }
    // Python's numbers: 10 debug, 20 info, 30 warning, 40 error, 50 critical.
    let level = variables.get("SM_LOG_LEVEL").and_then(|level| level.parse::<u32>().ok());
    let level = match level {
        Some(0..=10) => "debug",
        None | Some(11..=20) => "info",
        Some(21..=30) => "warn",
        Some(31..) => "error",
    };
    level.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_level_follows_from_the_variables() {
        let level = |set: &[(&str, &str)]| {
            filter(&set.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
        };
        assert_eq!(level(&[]), "info");
        assert_eq!(level(&[("SM_LOG_LEVEL", "30")]), "warn");
        assert_eq!(level(&[("SM_LOG_LEVEL", "loud")]), "info");
        assert_eq!(level(&[("SM_LOG_LEVEL", "30"), ("RUST_LOG", "axum=trace")]), "axum=trace");
    }
}
