//! The digest that tells whether bytes are those of a known data set.

use std::{fmt, str::FromStr};

use sha2::{Digest, Sha256};

use crate::DatasetError;

/// A SHA-256 digest, written as 64 lower-case hexadecimal digits.
///
/// ```
/// use drivetrain_dataset::Checksum;
///
/// let empty: Checksum = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855".parse()?;
/// assert_eq!(Checksum::of(b""), empty);
/// # Ok::<(), drivetrain_dataset::DatasetError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Checksum([u8; 32]);

impl Checksum {
    /// The digest of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The 32 bytes of the digest.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Checksum({self})")
    }
}

impl FromStr for Checksum {
    type Err = DatasetError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || DatasetError::InvalidChecksum { text: text.to_owned() };
        let digits: Vec<u8> = text
            .chars()
            .map(|digit| digit.to_digit(16).and_then(|value| u8::try_from(value).ok()))
            .collect::<Option<_>>()
            .ok_or_else(invalid)?;
        let (pairs, rest) = digits.as_chunks::<2>();
        if !rest.is_empty() {
            return Err(invalid());
        }
        let bytes: Vec<u8> = pairs.iter().map(|[high, low]| high << 4 | low).collect();
        Ok(Self(bytes.try_into().map_err(|_| invalid())?))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn text_reads_back(bytes: Vec<u8>) {
            let checksum = Checksum::of(&bytes);
            prop_assert_eq!(checksum.to_string().parse::<Checksum>().unwrap(), checksum);
            prop_assert_eq!(checksum.to_string().to_uppercase().parse::<Checksum>().unwrap(), checksum);
        }
    }

    #[test]
    fn only_64_hexadecimal_digits_are_a_digest() {
        for text in ["", "e3", &"0".repeat(63), &"0".repeat(65), &"0".repeat(66), &"g".repeat(64), &"é".repeat(32)] {
            let error = text.parse::<Checksum>().unwrap_err();
            assert!(matches!(error, DatasetError::InvalidChecksum { .. }), "{text}");
        }
    }
}
