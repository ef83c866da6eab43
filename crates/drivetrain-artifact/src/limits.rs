//! How much a reader is willing to take in.

/// Upper bounds that a reader applies before it allocates or computes.
///
/// The defaults take forests of some tens of millions of nodes. Whoever reads untrusted artifacts on a small machine
/// lowers them; whoever trains larger models raises them, for the builder as for the reader.
///
/// ```
/// use drivetrain_artifact::Limits;
///
/// let small = Limits { max_expanded_bytes: 1 << 20, ..Limits::default() };
/// assert!(small.max_expanded_bytes < Limits::default().max_expanded_bytes);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a tarball as it lies on the disk. Default: 256 MiB.
    pub max_compressed_bytes: u64,
    /// Bytes of a tarball once expanded, headers and padding included; of a directory the sum of its files.
    /// Default: 1 GiB.
    pub max_expanded_bytes: u64,
    /// Entries of a tarball, extended headers included, or of a directory. Default: 64.
    pub max_entries: usize,
    /// Bytes of `manifest.json`. Default: 1 MiB.
    pub max_manifest_bytes: u64,
    /// Bytes of `plan.msgpack`. Default: 16 MiB.
    pub max_plan_bytes: u64,
    /// Nodes of a forest, all trees together. Default: 50 million.
    pub max_forest_nodes: usize,
    /// Bytes of `probe.msgpack`. Default: 16 MiB.
    pub max_probe_bytes: u64,
    /// Values of `plan.msgpack` and of `probe.msgpack`: numbers, texts, lists and the like, nested ones included, each of
    /// which takes some tens of bytes of memory. Default: 1 million.
    pub max_values: usize,
    /// Rows that are recomputed when an artifact is loaded. Default: 64.
    pub max_probe_rows: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_compressed_bytes: 256 << 20,
            max_expanded_bytes: 1 << 30,
            max_entries: 64,
            max_manifest_bytes: 1 << 20,
            max_plan_bytes: 16 << 20,
            max_forest_nodes: 50_000_000,
            max_probe_bytes: 16 << 20,
            max_values: 1_000_000,
            max_probe_rows: 64,
        }
    }
}
