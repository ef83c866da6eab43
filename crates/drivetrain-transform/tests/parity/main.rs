//! Every transformer against what scikit-learn computes; see `data/fixtures/README.md`.

#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod case;
mod composing;
mod distribution;
mod encoding;
mod features;
mod imputing;
mod live;
mod scaling;
mod transformers;
