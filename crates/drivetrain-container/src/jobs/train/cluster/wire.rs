//! What hosts say to each other.
//!
//! A connection begins with [`MAGIC`], which holds the version of the protocol, and a [`Hello`] as JSON behind its length (32
//! bits, the lowest byte first, as all numbers). The main host answers [`Answer::Go`] or refuses. From then on the other
//! host sends [`ALIVE`], and is answered the same, until it sends [`TREES`]: the length (64 bits), the sha256, and the forest
//! as it is stored. The last answer is [`Answer::Taken`].
//!
//! Nothing is allocated before it has come, nothing that comes is longer than it can be, and nobody may be silent for longer
//! than [`SILENCE`].

use std::{
    io::{self, Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

use drivetrain_artifact::Sha256;
use serde::{Deserialize, Serialize};

/// Who does not begin with this speaks something else, or another version of it.
pub(super) const MAGIC: [u8; 8] = *b"DTTREES\x01";

/// What a host sends to show that it is there.
pub(super) const ALIVE: u8 = 1;
/// What a host sends before its trees.
pub(super) const TREES: u8 = 2;

/// How often a host shows that it is there.
pub(super) const BEAT: Duration = Duration::from_secs(1);
/// How long a host that should say something may say nothing.
pub(super) const SILENCE: Duration = Duration::from_secs(30);
/// How long a host may take to say who it is.
pub(super) const GREETING: Duration = Duration::from_secs(10);
/// How long the main host may take to read and to check the trees of another.
pub(super) const CHECKING: Duration = Duration::from_mins(5);

const MAX_HELLO: u32 = 16 << 10;
const MAX_REASON: usize = 1 << 10;

/// Who a host is, and what it grows from what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Hello {
    /// The version of Drivetrain.
    pub(super) version: String,
    pub(super) host: String,
    pub(super) first_tree: usize,
    pub(super) n_trees: usize,
    /// The parameters of the forest, as JSON.
    pub(super) parameters: String,
    /// The sha256 of the file of the training features.
    pub(super) data: Sha256,
}

impl Hello {
    /// What is not as `expected`, if anything.
    pub(super) fn difference(&self, expected: &Self) -> Option<String> {
        let of = |what: &str, found: &str, expected: &str| Some(format!("{what} {found}, not {expected}"));
        if self.version != expected.version {
            return of("it runs version", &self.version, &expected.version);
        }
        if self.data != expected.data {
            return of("its training data has the sha256", &self.data.to_string(), &expected.data.to_string());
        }
        if self.parameters != expected.parameters {
            return of("its parameters are", &self.parameters, &expected.parameters);
        }
        let trees = |hello: &Self| format!("{} trees from number {}", hello.n_trees, hello.first_tree);
        if self != expected {
            return of("it grows", &trees(self), &trees(expected));
        }
        None
    }

    pub(super) fn write(&self, mut to: impl Write) -> io::Result<()> {
        let text = serde_json::to_vec(self)?;
        let length = u32::try_from(text.len()).ok().filter(|&length| length <= MAX_HELLO);
        let length = length.ok_or_else(|| invalid("the hello is too long"))?;
        to.write_all(&[&MAGIC[..], &length.to_le_bytes(), &text].concat())
    }

    pub(super) fn read(mut from: impl Read) -> io::Result<Self> {
        if array(&mut from)? != MAGIC {
            return Err(invalid("it does not begin as this version's hosts do"));
        }
        let length = u32::from_le_bytes(array(&mut from)?);
        if length > MAX_HELLO {
            return Err(invalid("its hello is too long"));
        }
        let mut text = vec![0; length as usize];
        from.read_exact(&mut text)?;
        Ok(serde_json::from_slice(&text)?)
    }
}

/// What the main host answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// Grow your trees.
    Go,
    /// So am I.
    Alive,
    /// Your trees have come.
    Taken,
    /// Your trees have been grown elsewhere.
    NotNeeded,
    /// You do not belong here.
    Refused(String),
}

impl Answer {
    pub(super) fn write(&self, mut to: impl Write) -> io::Result<()> {
        match self {
            Self::Go => to.write_all(&[1]),
            Self::Alive => to.write_all(&[2]),
            Self::Taken => to.write_all(&[3]),
            Self::NotNeeded => to.write_all(&[4]),
            Self::Refused(reason) => {
                let reason = &reason.as_bytes()[..reason.len().min(MAX_REASON)];
                #[expect(clippy::cast_possible_truncation, reason = "at most MAX_REASON")]
                let length = (reason.len() as u16).to_le_bytes();
                to.write_all(&[&[5], &length[..], reason].concat())
            }
        }
    }

    pub(super) fn read(mut from: impl Read) -> io::Result<Self> {
        Ok(match array::<1>(&mut from)? {
            [1] => Self::Go,
            [2] => Self::Alive,
            [3] => Self::Taken,
            [4] => Self::NotNeeded,
            [5] => {
                let length = usize::from(u16::from_le_bytes(array(&mut from)?));
                let mut reason = vec![0; length.min(MAX_REASON)];
                from.read_exact(&mut reason)?;
                let reason = String::from_utf8_lossy(&reason);
                Self::Refused(reason.chars().filter(|character| !character.is_control()).collect())
            }
            [other] => return Err(invalid(&format!("it answers {other}"))),
        })
    }
}

/// Sends a stored forest.
pub(super) fn write_trees(forest: &[u8], mut to: impl Write) -> io::Result<()> {
    let length = (forest.len() as u64).to_le_bytes();
    to.write_all(&[&[TREES], &length[..], Sha256::of(forest).as_bytes()].concat())?;
    to.write_all(forest)
}

/// Reads what comes after [`TREES`]: the bytes that were sent, of which there are at most `limit`.
pub(super) fn read_trees(mut from: impl Read, limit: u64) -> io::Result<Vec<u8>> {
    let length = u64::from_le_bytes(array(&mut from)?);
    if length > limit {
        return Err(invalid(&format!("its trees take {length} bytes, at most {limit} are possible")));
    }
    let sha256: [u8; 32] = array(&mut from)?;
    // No more memory than bytes that have come, whatever the length says.
    let mut forest = Vec::new();
    from.take(length).read_to_end(&mut forest)?;
    if forest.len() as u64 != length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    if *Sha256::of(&forest).as_bytes() != sha256 {
        return Err(invalid("its trees have another sha256 than it says"));
    }
    Ok(forest)
}

pub(super) fn array<const N: usize>(mut from: impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}

pub(super) fn invalid(problem: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, problem)
}

/// Reads from a connection until a moment, however slowly it trickles.
#[derive(Debug)]
pub(super) struct Until<'a> {
    stream: &'a TcpStream,
    end: Instant,
}

impl<'a> Until<'a> {
    pub(super) fn new(stream: &'a TcpStream, time: Duration) -> Self {
        Self { stream, end: Instant::now() + time }
    }
}

impl Read for Until<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.stream.set_read_timeout(Some(left))?;
        let mut stream = self.stream;
        stream.read(buffer).map_err(|error| match error.kind() {
            // What a read that ran out of time is called depends on the system.
            io::ErrorKind::WouldBlock => io::ErrorKind::TimedOut.into(),
            _ => error,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hello() -> Hello {
        Hello {
            version: "1.2.3".to_owned(),
            host: "algo-2".to_owned(),
            first_tree: 5,
            n_trees: 7,
            parameters: "{}".to_owned(),
            data: Sha256::of(b"data"),
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let mut bytes = Vec::new();
        hello().write(&mut bytes).unwrap();
        assert_eq!(Hello::read(&*bytes).unwrap(), hello());
        for answer in
            [Answer::Go, Answer::Alive, Answer::Taken, Answer::NotNeeded, Answer::Refused("no \u{e4} here".to_owned())]
        {
            let mut bytes = Vec::new();
            answer.write(&mut bytes).unwrap();
            assert_eq!(Answer::read(&*bytes).unwrap(), answer);
        }
        let mut bytes = Vec::new();
        write_trees(b"trees", &mut bytes).unwrap();
        assert_eq!(bytes[0], TREES);
        assert_eq!(read_trees(&bytes[1..], 5).unwrap(), b"trees");
    }

    #[test]
    fn what_differs_is_named() {
        let but = |edit: fn(&mut Hello)| {
            let mut other = hello();
            edit(&mut other);
            other.difference(&hello()).unwrap()
        };
        assert_eq!(hello().difference(&hello()), None);
        assert_eq!(but(|hello| hello.version = "2.0.0".to_owned()), "it runs version 2.0.0, not 1.2.3");
        assert!(but(|hello| hello.data = Sha256::of(b"")).starts_with("its training data has the sha256 e3b0"));
        assert_eq!(but(|hello| hello.parameters = "[]".to_owned()), "its parameters are [], not {}");
        assert_eq!(but(|hello| hello.n_trees = 8), "it grows 8 trees from number 5, not 7 trees from number 5");
    }

    #[test]
    fn trees_that_are_too_many_cut_off_or_spoilt_are_refused() {
        let mut bytes = Vec::new();
        write_trees(b"trees", &mut bytes).unwrap();
        let message = |bytes: &[u8], limit| read_trees(bytes, limit).unwrap_err().to_string();
        assert_eq!(message(&bytes[1..], 4), "its trees take 5 bytes, at most 4 are possible");
        assert!(read_trees(&bytes[1..bytes.len() - 1], 5).is_err());
        // A length that nobody has the memory for is only a number.
        bytes[1..9].copy_from_slice(&(1_u64 << 60).to_le_bytes());
        assert!(read_trees(&bytes[1..], u64::MAX).is_err());
        bytes[1..9].copy_from_slice(&5_u64.to_le_bytes());
        *bytes.last_mut().unwrap() ^= 1;
        assert_eq!(message(&bytes[1..], 5), "its trees have another sha256 than it says");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            let greeting = [&MAGIC[..], &bytes].concat();
            prop_assert!(Hello::read(&*greeting).is_err());
            prop_assert!(read_trees(&*bytes, 1 << 40).is_err());
            if let Ok(Answer::Refused(reason)) = Answer::read(&*bytes) {
                prop_assert!(reason.len() <= 3 * bytes.len());
            }
        }
    }
}
