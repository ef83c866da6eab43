//! One run at a time in a store that has no file locks: an object that its holder keeps renewing.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions, UpdateVersion};
use tokio::runtime::Builder;

use crate::Interrupt;

/// How a lease is timed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Timing {
    /// A lease that has not been renewed for this long is nobody's.
    pub(super) expiry: Duration,
    /// How often its holder renews it.
    pub(super) renewal: Duration,
    /// How often one who waits looks.
    pub(super) look: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self { expiry: Duration::from_secs(30), renewal: Duration::from_secs(5), look: Duration::from_secs(1) }
    }
}

/// A lease that is held, and given back when this is dropped.
#[derive(Debug)]
pub(super) struct Lease {
    /// Dropping it tells the thread to give the lease back.
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Who holds the lease, and which version of the object says so.
#[derive(Debug, Clone)]
struct Held {
    content: Vec<u8>,
    version: UpdateVersion,
}

/// One who waits: the version of the object it has seen, and since when.
///
/// The clocks of two machines need not agree: what counts is how long the object stays the same.
#[derive(Debug, Default)]
pub(super) struct Watch {
    seen: Option<(Option<String>, Instant)>,
}

/// What came of asking for the lease.
#[derive(Debug)]
pub(super) enum Asked {
    Granted(Granted),
    /// Somebody else has it.
    Taken,
}

/// A lease that has been granted, and is not being renewed yet.
#[derive(Debug)]
pub(super) struct Granted {
    backend: Arc<dyn ObjectStore>,
    place: Path,
    held: Held,
}

impl Watch {
    /// Asks for the lease.
    pub(super) async fn ask(
        &mut self,
        backend: &Arc<dyn ObjectStore>,
        place: &Path,
        timing: Timing,
    ) -> object_store::Result<Asked> {
        let content = unique();
        let created = backend.put_opts(place, content.clone().into(), PutMode::Create.into()).await;
        let granted = |content: Vec<u8>, version: UpdateVersion| {
            let held = Held { content, version };
            Asked::Granted(Granted { backend: Arc::clone(backend), place: place.clone(), held })
        };
        match created {
            Ok(put) => {
                if let Err(error) = confirm(backend, place).await {
                    // Otherwise it expires.
                    let _ = backend.delete(place).await;
                    return Err(error);
                }
                return Ok(granted(content, put.into()));
            }
            Err(object_store::Error::AlreadyExists { .. }) => {}
            // The answer may have been lost, but not the request.
            Err(error) => match current(backend, place).await? {
                Some(held) if held.content == content => return Ok(granted(content, held.version)),
                _ => return Err(error),
            },
        }
        let Some(holder) = current(backend, place).await? else { return Ok(Asked::Taken) };
        match &self.seen {
            Some((seen, since)) if *seen == holder.version.e_tag => {
                if since.elapsed() < timing.expiry {
                    return Ok(Asked::Taken);
                }
            }
            _ => {
                self.seen = Some((holder.version.e_tag, Instant::now()));
                return Ok(Asked::Taken);
            }
        }
        match replace(backend, place, &content, holder.version).await {
            Ok(version) => Ok(granted(content, version)),
            Err(object_store::Error::Precondition { .. }) => Ok(Asked::Taken),
            Err(error) => Err(error),
        }
    }
}

impl Granted {
    /// Renews the lease from now on. `lost` is requested if somebody else has got it, or nobody could be reached for as
    /// long as it lasts: its holder is to stop.
    pub(super) fn keep(self, timing: Timing, lost: Interrupt) -> std::io::Result<Lease> {
        let runtime = Builder::new_current_thread().enable_time().build()?;
        let (stop, stopped) = channel();
        let thread = std::thread::Builder::new().name("lease".to_owned()).spawn(move || {
            let Self { backend, place, mut held } = self;
            let mut renewed = Instant::now();
            while stopped.recv_timeout(timing.renewal) == Err(RecvTimeoutError::Timeout) {
                let next = unique();
                match runtime.block_on(replace(&backend, &place, &next, held.version.clone())) {
                    Ok(version) => {
                        (held, renewed) = (Held { content: next, version }, Instant::now());
                        continue;
                    }
                    Err(object_store::Error::Precondition { .. }) => {
                        // Perhaps it was our own request, of which the answer was lost.
                        match runtime.block_on(current(&backend, &place)) {
                            Ok(Some(found)) if found.content == next => {
                                (held, renewed) = (found, Instant::now());
                                continue;
                            }
                            Ok(_) => return lost.request(),
                            Err(_) => {}
                        }
                    }
                    Err(_) => {}
                }
                if renewed.elapsed() + timing.renewal > timing.expiry {
                    return lost.request();
                }
            }
            runtime.block_on(async {
                // What somebody else has got by now stays.
                let is_ours = current(&backend, &place)
                    .await
                    .is_ok_and(|found| found.is_some_and(|found| found.content == held.content));
                if is_ours {
                    // Otherwise it expires.
                    let _ = backend.delete(&place).await;
                }
            });
        })?;
        Ok(Lease { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // It has nothing to say.
            let _ = thread.join();
        }
    }
}

/// Whether the store can tell those apart who ask: some servers ignore the condition of a write.
async fn confirm(backend: &Arc<dyn ObjectStore>, place: &Path) -> object_store::Result<()> {
    match backend.put_opts(place, unique().into(), PutMode::Create.into()).await {
        Err(object_store::Error::AlreadyExists { .. }) => Ok(()),
        Err(error) => Err(error),
        Ok(_) => {
            let source = "the server ignores the condition of a write (If-None-Match), so that nothing can be locked";
            Err(object_store::Error::NotSupported { source: source.into() })
        }
    }
}

async fn current(backend: &Arc<dyn ObjectStore>, place: &Path) -> object_store::Result<Option<Held>> {
    let found = match backend.get(place).await {
        Ok(found) => found,
        Err(object_store::Error::NotFound { .. }) => return Ok(None),
        Err(error) => return Err(error),
    };
    let version = UpdateVersion { e_tag: found.meta.e_tag.clone(), version: found.meta.version.clone() };
    Ok(Some(Held { content: found.bytes().await?.to_vec(), version }))
}

async fn replace(
    backend: &Arc<dyn ObjectStore>,
    place: &Path,
    content: &[u8],
    version: UpdateVersion,
) -> object_store::Result<UpdateVersion> {
    let options = PutOptions::from(PutMode::Update(version));
    Ok(backend.put_opts(place, content.to_vec().into(), options).await?.into())
}

/// Bytes that nobody else writes: two versions of a lease never have the same entity tag.
fn unique() -> Vec<u8> {
    // The standard library's only source of randomness; each state has keys of its own.
    let number = || RandomState::new().build_hasher().finish();
    format!("{}-{:016x}{:016x}\n", std::process::id(), number(), number()).into_bytes()
}

#[cfg(test)]
mod tests {
    use object_store::memory::InMemory;

    use super::*;

    const QUICK: Timing = Timing {
        expiry: Duration::from_millis(300),
        renewal: Duration::from_millis(30),
        look: Duration::from_millis(10),
    };

    struct World {
        backend: Arc<dyn ObjectStore>,
        place: Path,
    }

    impl World {
        fn new() -> Self {
            Self { backend: Arc::new(InMemory::new()), place: Path::from("lease") }
        }

        fn ask(&self, watch: &mut Watch) -> Option<Granted> {
            let runtime = Builder::new_current_thread().enable_time().build().unwrap();
            match runtime.block_on(watch.ask(&self.backend, &self.place, QUICK)).unwrap() {
                Asked::Granted(granted) => Some(granted),
                Asked::Taken => None,
            }
        }

        fn is_there(&self) -> bool {
            let runtime = Builder::new_current_thread().build().unwrap();
            runtime.block_on(current(&self.backend, &self.place)).unwrap().is_some()
        }
    }

    #[test]
    fn a_lease_that_is_renewed_stays_taken_and_is_given_back() {
        let world = World::new();
        let lost = Interrupt::new();
        let lease = world.ask(&mut Watch::default()).unwrap().keep(QUICK, lost.clone()).unwrap();
        let mut watch = Watch::default();
        let until = Instant::now() + 2 * QUICK.expiry;
        while Instant::now() < until {
            assert!(world.ask(&mut watch).is_none());
            std::thread::sleep(QUICK.look);
        }
        drop(lease);
        assert!(!world.is_there() && !lost.is_requested());
        assert!(world.ask(&mut watch).is_some());
    }

    #[test]
    fn a_lease_that_nobody_renews_passes_to_exactly_one() {
        let world = World::new();
        // Its holder was killed.
        drop(world.ask(&mut Watch::default()).unwrap());
        let (mut one, mut other) = (Watch::default(), Watch::default());
        assert!(world.ask(&mut one).is_none() && world.ask(&mut other).is_none());
        std::thread::sleep(QUICK.expiry + QUICK.look);
        assert!(world.ask(&mut one).is_some());
        assert!(world.ask(&mut other).is_none());
    }

    #[test]
    fn who_loses_the_lease_is_told_and_leaves_it_alone() {
        let world = World::new();
        let lost = Interrupt::new();
        let lease = world.ask(&mut Watch::default()).unwrap().keep(QUICK, lost.clone()).unwrap();
        let runtime = Builder::new_current_thread().build().unwrap();
        runtime.block_on(world.backend.put(&world.place, b"another".to_vec().into())).unwrap();
        while !lost.is_requested() {
            std::thread::sleep(QUICK.look);
        }
        drop(lease);
        assert!(world.is_there());
    }
}
