//! Measurements of one thing, and what a table shows of them.

use std::time::Duration;

/// How long something took, once per round.
#[derive(Debug, Default)]
pub(super) struct Sample {
    seconds: Vec<f64>,
}

impl Sample {
    pub(super) fn push(&mut self, elapsed: Duration) {
        self.seconds.push(elapsed.as_secs_f64());
        self.seconds.sort_by(f64::total_cmp);
    }

    /// The middle measurement, or the mean of the two in the middle; NaN without any.
    pub(super) fn median(&self) -> f64 {
        let n = self.seconds.len();
        match n {
            0 => f64::NAN,
            n if n % 2 == 1 => self.seconds[n / 2],
            n => f64::midpoint(self.seconds[n / 2 - 1], self.seconds[n / 2]),
        }
    }

    /// Median, smallest and largest, each times `unit` and with the unit's name.
    pub(super) fn cells(&self, unit: f64, name: &str) -> [String; 3] {
        let ends = [self.seconds.first(), self.seconds.last()].map(|end| end.copied().unwrap_or(f64::NAN));
        [self.median(), ends[0], ends[1]].map(|seconds| format!("{:.3} {name}", seconds * unit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        let mut sample = Sample::default();
        assert!(sample.median().is_nan());
        for (milliseconds, median) in [(30, 0.030), (10, 0.020), (20, 0.020), (90, 0.025)] {
            sample.push(Duration::from_millis(milliseconds));
            assert!((sample.median() - median).abs() < 1e-12);
        }
        assert_eq!(sample.cells(1e3, "ms"), ["25.000 ms", "10.000 ms", "90.000 ms"]);
    }
}
