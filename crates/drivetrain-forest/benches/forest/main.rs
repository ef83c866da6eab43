//! Our forest beside smartcore's, in turns, on one thread: `cargo bench -p drivetrain-forest`.
#![expect(clippy::unwrap_used, reason = "a benchmark may fail by panicking")]

mod data;

use std::hint::black_box;
use std::time::{Duration, Instant};

use drivetrain_forest::{Forest, MaxFeatures, RandomForestRegressor};

fn main() {
    let (x, y) = data::table(20_000, 0);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    for (depth, mf) in [(None, None), (Some(10), None), (None, Some(6)), (Some(10), Some(6))] {
        let mut b = RandomForestRegressor::builder().n_estimators(20).max_depth(depth);
        if let Some(m) = mf { b = b.max_features(MaxFeatures::count(m).unwrap()); }
        let r = b.build().unwrap();
        let mut best = f64::MAX;
        let mut nodes = 0;
        let mut forest: Option<Forest> = None;
        for _ in 0..3 {
            let t = Instant::now();
            let f = pool.install(|| r.fit(x.view(), &y).unwrap());
            best = best.min(t.elapsed().as_secs_f64());
            nodes = f.n_nodes();
            forest = Some(f);
        }
        let forest = forest.unwrap();
        let mut p = f64::MAX;
        for _ in 0..3 {
            let t = Instant::now();
            black_box(pool.install(|| forest.predict(x.view()).unwrap()));
            p = p.min(t.elapsed().as_secs_f64());
        }
        println!("depth {depth:?} mf {mf:?}: fit {best:.3} s, {nodes} nodes, predict {:.0} rows/s", 20_000.0 / p);
    }
    let _ = Duration::ZERO;
}
