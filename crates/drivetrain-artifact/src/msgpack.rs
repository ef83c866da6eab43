//! Decoding [MessagePack](https://github.com/msgpack/msgpack/blob/master/spec.md) that somebody else wrote.
//!
//! A value of one byte can take dozens in memory once it is decoded, and a tarball holds a thousand such bytes in one
//! of its own. The values are therefore counted, without storing any, before serde sees the first.

use serde::de::DeserializeOwned;

use crate::{ArtifactError, BoxError};

/// No value in an artifact nests deeper than a few levels.
const MAX_DEPTH: usize = 64;

/// The value in the file `entry`, which fills the file and consists of at most `limit` values, itself, keys and
/// everything nested included.
pub(crate) fn decode<T: DeserializeOwned>(entry: &str, bytes: &[u8], limit: u64) -> Result<T, ArtifactError> {
    let failed = |source: BoxError| ArtifactError::Decode { entry: entry.to_owned(), source };
    let values = count(bytes, limit).map_err(|reason| failed(reason.into()))?;
    if values > limit {
        return Err(ArtifactError::too_large(format!("values of {entry}"), values, limit));
    }
    let mut rest = bytes;
    let mut deserializer = rmp_serde::Deserializer::new(&mut rest);
    deserializer.set_max_depth(MAX_DEPTH);
    let value = T::deserialize(&mut deserializer).map_err(|source| failed(source.into()))?;
    match rest.len() {
        0 => Ok(value),
        extra => Err(failed(format!("{extra} bytes follow the value").into())),
    }
}

/// How many values the first value in `bytes` consists of; counting stops once there are more than `limit`.
fn count(bytes: &[u8], limit: u64) -> Result<u64, &'static str> {
    let mut rest = bytes;
    let mut announced = 1_u64;
    // For each list or map that is open, how many of its values are still to come.
    let mut open: Vec<u64> = Vec::new();
    loop {
        let (length, values) = extent(rest)?;
        rest = rest.get(length..).ok_or(CUT_OFF)?;
        announced = announced.saturating_add(values);
        if announced > limit {
            return Ok(announced);
        }
        if values > 0 {
            open.push(values);
            if open.len() > MAX_DEPTH {
                return Err("values nest too deep");
            }
            continue;
        }
        while let Some(to_come) = open.last_mut() {
            *to_come -= 1;
            if *to_come > 0 {
                break;
            }
            open.pop();
        }
        if open.is_empty() {
            return Ok(announced);
        }
    }
}

const CUT_OFF: &str = "it is cut off";

/// How many bytes the value at the start of `bytes` takes apart from what is nested in it, and how many values are.
fn extent(bytes: &[u8]) -> Result<(usize, u64), &'static str> {
    let marker = *bytes.first().ok_or(CUT_OFF)?;
    let number = |width: usize| -> Result<u64, &'static str> {
        let digits = bytes.get(1..=width).ok_or(CUT_OFF)?;
        Ok(digits.iter().fold(0, |number, &byte| number << 8 | u64::from(byte)))
    };
    let scalar = |length: u64| (usize::try_from(length).unwrap_or(usize::MAX), 0);
    // The marker, a length of `width` bytes, and as many bytes.
    let text = |width: usize| Ok(scalar(1 + width as u64 + number(width)?));
    let nested = |width: usize, each: u64| Ok((1 + width, each * number(width)?));
    match marker {
        // Small integers, nil and booleans.
        0x00..=0x7f | 0xc0 | 0xc2 | 0xc3 | 0xe0..=0xff => Ok(scalar(1)),
        // Maps and lists, whose length is in the marker.
        0x80..=0x8f => Ok((1, 2 * u64::from(marker & 0x0f))),
        0x90..=0x9f => Ok((1, u64::from(marker & 0x0f))),
        // Text and bytes.
        0xa0..=0xbf => Ok(scalar(1 + u64::from(marker & 0x1f))),
        0xc4 | 0xd9 => text(1),
        0xc5 | 0xda => text(2),
        0xc6 | 0xdb => text(4),
        // Numbers of 1, 2, 4 and 8 bytes.
        0xcc | 0xd0 => Ok(scalar(2)),
        0xcd | 0xd1 => Ok(scalar(3)),
        0xca | 0xce | 0xd2 => Ok(scalar(5)),
        0xcb | 0xcf | 0xd3 => Ok(scalar(9)),
        // Lists and maps.
        0xdc => nested(2, 1),
        0xdd => nested(4, 1),
        0xde => nested(2, 2),
        0xdf => nested(4, 2),
        0xc1 | 0xc7..=0xc9 | 0xd4..=0xd8 => Err("it holds a value of a type that no artifact has"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    /// How many values a JSON value is made of, keys counted.
    fn counted(value: &Value) -> u64 {
        match value {
            Value::Array(values) => 1 + values.iter().map(counted).sum::<u64>(),
            Value::Object(fields) => 1 + fields.values().map(|value| 1 + counted(value)).sum::<u64>(),
            _ => 1,
        }
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            (-200_i64..200).prop_map(Value::from),
            prop::num::f64::NORMAL.prop_map(Value::from),
            (0_usize..70_000).prop_map(|length| Value::from("x".repeat(length))),
            "[a-z]{0,40}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 64, 20, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..20).prop_map(Value::from),
                prop::collection::btree_map("[a-z]{1,3}", inner, 0..20)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn the_count_is_that_of_what_is_decoded(value in values()) {
            let bytes = rmp_serde::to_vec_named(&value).unwrap();
            let found = count(&bytes, u64::MAX).unwrap();
            prop_assert_eq!(found, counted(&value));
            prop_assert_eq!(decode::<Value>("x", &bytes, found).unwrap(), value);
            let error = decode::<Value>("x", &bytes, found - 1).unwrap_err();
            let at_limit = matches!(error, ArtifactError::TooLarge { limit, .. } if limit == found - 1);
            prop_assert!(at_limit);
        }

        #[test]
        fn any_bytes_are_counted_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(found) = count(&bytes, u64::MAX) {
                prop_assert!(found <= bytes.len() as u64);
            }
        }
    }

    #[test]
    fn long_lists_and_maps_are_counted() {
        let long = json!(vec![0; 70_000]);
        let wide = Value::Object((0..70_000).map(|key: u32| (key.to_string(), Value::Null)).collect());
        for value in [long, wide] {
            let bytes = rmp_serde::to_vec_named(&value).unwrap();
            assert_eq!(count(&bytes, u64::MAX), Ok(counted(&value)));
        }
    }

    #[test]
    fn a_list_that_claims_too_much_is_refused_at_its_first_byte() {
        assert_eq!(count(&[0xdd, 0xff, 0xff, 0xff, 0xff], 1000), Ok(1 + u64::from(u32::MAX)));
        assert_eq!(count(&[0xdf, 0xff, 0xff, 0xff, 0xff], 1000), Ok(1 + 2 * u64::from(u32::MAX)));
    }

    #[test]
    fn what_is_cut_off_too_deep_or_of_an_unknown_type_is_refused() {
        for bytes in [&b""[..], &[0x91], &[0xdd, 0, 0], &[0xa3, b'a'], &[0xcb, 0], &[0xdb, 0xff, 0xff, 0xff, 0xff]] {
            assert_eq!(count(bytes, u64::MAX), Err(CUT_OFF), "{bytes:?}");
        }
        assert!(count(&[[0x91; 64].as_slice(), &[0]].concat(), 1000).is_ok());
        assert_eq!(count(&[0x91; 1000], u64::MAX), Err("values nest too deep"));
        for marker in [0xc1, 0xc7, 0xd4, 0xd8] {
            assert_eq!(count(&[marker, 0, 0], u64::MAX), Err("it holds a value of a type that no artifact has"));
        }
    }
}
