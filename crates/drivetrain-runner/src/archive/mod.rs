//! `model.tar.gz` and `output.tar.gz`: packed reproducibly, unpacked with distrust.

mod pack;
mod unpack;

pub use pack::pack;
pub use unpack::{UnpackLimits, unpack};

#[cfg(test)]
mod tests;
