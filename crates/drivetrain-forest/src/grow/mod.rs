//! Growing forests: regression and classification are two doors to the same job.
//!
//! Which engine grows a tree is known to these files alone; everything else sees [`tree::GrownTree`].

mod bootstrap;
mod classification;
mod exact;
mod job;
mod options;
mod out_of_bag;
mod regression;
#[cfg(feature = "smartcore")]
mod smartcore;
mod tree;
mod warm_start;

use crate::scale;

pub use self::options::{Engine, FitOptions};
