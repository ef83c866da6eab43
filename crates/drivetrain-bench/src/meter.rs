//! Measuring, in the process that does the work.

use std::hint::black_box;
use std::time::{Duration, Instant};

use crate::{Reading, process, statistics::Sample};

/// Short work is done again until this much time has passed.
const BUDGET: Duration = Duration::from_millis(200);
/// But no more often than this.
const MAX_REPEATS: usize = 25;

/// Measures operations and hands each reading on as soon as the next one begins, or the meter is dropped.
pub struct Meter<F: FnMut(Reading)> {
    report: F,
    pending: Option<Reading>,
}

impl<F: FnMut(Reading)> std::fmt::Debug for Meter<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Meter").field("pending", &self.pending).finish_non_exhaustive()
    }
}

/// What one repetition took.
#[derive(Debug, Clone, Copy)]
struct Lap {
    wall: Duration,
    cpu: Option<Duration>,
}

impl<F: FnMut(Reading)> Meter<F> {
    /// A meter whose readings go to `report`.
    pub fn new(report: F) -> Self {
        Self { report, pending: None }
    }

    /// Does some work and measures it: once if it takes long, else until a fifth of a second has passed. The first time
    /// warms up what it uses, and does not count if there is another. Returns the last result.
    ///
    /// What the result holds is freed outside the measured time, but what `work` drops inside counts.
    pub fn measure<T>(&mut self, op: &str, mut work: impl FnMut() -> T) -> T {
        self.flush();
        let base = process::begin_peak();
        let switches = process::preemptions();
        let started = Instant::now();
        let (mut result, first) = lap(&mut work);
        let mut laps = vec![first];
        let mut spent = first.wall;
        while spent < BUDGET && laps.len() < MAX_REPEATS {
            // Freed before it is made again, so that two of them are never held.
            drop(result);
            let (again, next) = lap(&mut work);
            result = again;
            laps.push(next);
            spent += next.wall;
        }
        let elapsed = started.elapsed().as_secs_f64();
        let taken = switches.zip(process::preemptions());
        if laps.len() > 1 {
            laps.remove(0);
        }
        self.pending = Some(Reading {
            repeats: laps.len(),
            cpu_seconds: laps
                .iter()
                .map(|lap| lap.cpu.map(|cpu| cpu.as_secs_f64()))
                .collect::<Option<Sample>>()
                .map(|cpu| cpu.median()),
            added_bytes: base.zip(process::peak()).map(|(base, peak)| peak.saturating_sub(base)),
            preempted_per_second: taken.map(|(before, after)| after.saturating_sub(before) as f64 / elapsed),
            ..Reading::new(op, laps.iter().map(|lap| lap.wall.as_secs_f64()).collect::<Sample>().median())
        });
        result
    }

    /// Says how many bytes the result of the last operation has.
    pub fn size(&mut self, bytes: u64) {
        if let Some(reading) = &mut self.pending {
            reading.size_bytes = Some(bytes);
        }
    }

    /// Says by which number the result of the last operation can be judged.
    pub fn check(&mut self, number: f64) {
        if let Some(reading) = &mut self.pending {
            reading.check = Some(number);
        }
    }

    /// Says that the last operation was a number of equal ones, to be counted singly.
    pub fn each_of(&mut self, count: usize) {
        if let Some(reading) = &mut self.pending {
            reading.seconds /= count as f64;
            reading.cpu_seconds = reading.cpu_seconds.map(|seconds| seconds / count as f64);
        }
    }

    fn flush(&mut self) {
        if let Some(reading) = self.pending.take() {
            (self.report)(reading);
        }
    }
}

impl<F: FnMut(Reading)> Drop for Meter<F> {
    fn drop(&mut self) {
        self.flush();
    }
}

fn lap<T>(work: &mut impl FnMut() -> T) -> (T, Lap) {
    let cpu = process::cpu_time();
    let started = Instant::now();
    let result = black_box(work());
    let wall = started.elapsed();
    let cpu = cpu.zip(process::cpu_time()).map(|(before, after)| after.saturating_sub(before));
    (result, Lap { wall, cpu })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn readings(work: impl FnOnce(&mut Meter<&mut dyn FnMut(Reading)>)) -> Vec<Reading> {
        let mut readings = Vec::new();
        let mut report = |reading| readings.push(reading);
        work(&mut Meter::new(&mut report));
        readings
    }

    #[test]
    fn short_work_is_repeated_and_long_work_is_not() {
        let mut count = 0;
        let readings = readings(|meter| {
            meter.measure("short", || count += 1);
            meter.measure("long", || std::thread::sleep(BUDGET));
        });
        assert_eq!(count, MAX_REPEATS);
        let seen: Vec<_> = readings.iter().map(|reading| (reading.op.as_str(), reading.repeats)).collect();
        assert_eq!(seen, [("short", MAX_REPEATS - 1), ("long", 1)]);
        assert!(readings[1].seconds >= BUDGET.as_secs_f64());
    }

    #[test]
    fn what_is_said_of_a_result_goes_to_its_reading() {
        let readings = readings(|meter| {
            meter.measure("write", || std::thread::sleep(BUDGET));
            meter.size(7);
            meter.measure("rows", || std::thread::sleep(BUDGET));
            meter.check(0.5);
            meter.each_of(100);
        });
        assert_eq!((readings[0].size_bytes, readings[0].check), (Some(7), None));
        assert_eq!((readings[1].size_bytes, readings[1].check), (None, Some(0.5)));
        assert!(readings[1].seconds < readings[0].seconds);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn busy_threads_and_memory_are_counted() {
        let readings = readings(|meter| {
            meter.measure("busy", || {
                let started = Instant::now();
                let mut memory = vec![1_u8; 32 << 20];
                while started.elapsed() < BUDGET {
                    for byte in &mut memory {
                        *byte = byte.wrapping_mul(3);
                    }
                }
                memory
            });
        });
        let [busy] = &readings[..] else { panic!("one operation, one reading: {readings:?}") };
        // The machine may be loaded, but some of the time was spent.
        assert!(busy.cpu_seconds.is_some_and(|seconds| seconds > 0.0 && seconds < 2.0 * busy.seconds));
        assert!(busy.added_bytes.is_some_and(|bytes| bytes > 16 << 20), "{busy:?}");
    }
}
