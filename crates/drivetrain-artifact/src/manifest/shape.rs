//! What the manifest's JSON must look like whatever it says.

use std::{cell::Cell, collections::BTreeSet, fmt};

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// Values of all kinds, nested ones included. A manifest has a few hundred; a value takes some ten times its length in
/// memory.
const MAX_VALUES: usize = 100_000;

/// Refuses repeated keys, of which a reader would keep one without saying which, and more values than a manifest has.
/// Keeps no value. The parser itself limits the depth, to 128.
pub(super) fn check(bytes: &[u8]) -> Result<(), serde_json::Error> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    Shape { values: &Cell::new(0) }.deserialize(&mut json)?;
    json.end()
}

#[derive(Clone, Copy)]
struct Shape<'a> {
    values: &'a Cell<usize>,
}

impl<'de> DeserializeSeed<'de> for Shape<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        self.values.set(self.values.get() + 1);
        if self.values.get() > MAX_VALUES {
            return Err(D::Error::custom(format_args!("there are more than {MAX_VALUES} values")));
        }
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Shape<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        while elements.next_element_seed(self)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        let mut keys = BTreeSet::new();
        while let Some(key) = fields.next_key::<String>()? {
            if let Some(key) = keys.replace(key) {
                return Err(A::Error::custom(format_args!("the key `{key}` appears twice")));
            }
            fields.next_value_seed(self)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        check(text.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn any_json_of_distinct_keys_passes() {
        for text in ["null", r#"{"a":[1,-1,1.5e3,true,"x",null,{"a":{}}],"b":{"a":[]}}"#] {
            check(text.as_bytes()).unwrap();
        }
    }

    #[test]
    fn a_repeated_key_is_named_however_deep_and_however_spelled() {
        for text in [r#"{"key":1,"key":1}"#, r#"[{"x":{"key":1,"y":2,"\u006bey":3}}]"#] {
            assert!(refusal(text).starts_with("the key `key` appears twice"), "{}", refusal(text));
        }
    }

    #[test]
    fn many_values_deep_ones_and_what_follows_are_refused() {
        let many = |count: usize| format!("[{}0]", "0,".repeat(count - 2));
        check(many(MAX_VALUES).as_bytes()).unwrap();
        assert!(refusal(&many(MAX_VALUES + 1)).starts_with("there are more than 100000 values"));
        assert!(refusal(&"[".repeat(1000)).starts_with("recursion limit exceeded"));
        assert!(refusal("{} {}").starts_with("trailing characters"));
    }
}
