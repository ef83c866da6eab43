//! The packed form: what is written where people do not read it.
//!
//! A few bytes a node instead of 16. Full-depth trees ask about the same thresholds, and their leaves predict
//! the same targets, over and over: both are written once, in a [`Dictionary`], and as places in it of as
//! few bits as will do. What a split and its feature are takes bits, too, and positions of children follow
//! from the order.

use serde::{Deserialize, Serialize, Serializer, de};

use super::bits::{BitReader, BitWriter, push_varint, take_varint, width};
use super::dictionary::Dictionary;
use super::stored::{StoredForest, refuse};
use super::{Forest, Importances, MAX_FEATURES};
use crate::ForestError;

/// A forest in the form for machines, read but not yet laid out: see [`Forest`] for the meaning of the fields.
///
/// Who reads what others wrote asks how many nodes there are before they take memory. As they are read,
/// they take no more of it than the bytes did.
///
/// ```
/// use drivetrain_forest::{Forest, PackedForest, ReadableForest};
///
/// let json = r#"{"n_features": 1, "n_nodes": [3], "feature": [0, null, null], "value": [0.5, 1, 2],
///     "feature_importances": [1]}"#;
/// let forest = serde_json::from_str::<ReadableForest>(json)?.into_forest();
/// let bytes = rmp_serde::to_vec_named(&forest)?;
/// let packed: PackedForest = rmp_serde::from_slice(&bytes)?;
/// assert_eq!(packed.n_nodes()?, 3);
/// assert_eq!(packed.into_forest()?, forest);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackedForest {
    n_features: u32,
    n_nodes: Bytes,
    is_split: Bytes,
    feature: Bytes,
    thresholds: Bytes,
    threshold: Bytes,
    predictions: Bytes,
    prediction: Bytes,
    feature_importances: Bytes,
    // Absent where a forest was packed without.
    #[serde(default, skip_serializing_if = "Bytes::is_empty")]
    importance_sums: Bytes,
    missing_left: Bytes,
    categorical: Bytes,
    category_sets: Bytes,
}

impl PackedForest {
    /// How many nodes all trees have together.
    ///
    /// # Errors
    /// If the numbers of nodes are not those of any forest.
    pub fn n_nodes(&self) -> Result<u64, ForestError> {
        Ok(lengths(&self.n_nodes)?.into_iter().map(u64::from).sum())
    }

    /// The forest, after every check.
    ///
    /// # Errors
    /// If it is none.
    pub fn into_forest(self) -> Result<Forest, ForestError> {
        StoredForest::try_from(self)?.try_into()
    }
}

/// Bytes that serialise as such and not as a list of numbers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Bytes(Vec<u8>);

impl Bytes {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl de::Visitor<'_> for Visitor {
            type Value = Bytes;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("bytes")
            }

            fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Bytes, E> {
                Ok(Bytes(bytes.to_vec()))
            }

            fn visit_byte_buf<E: de::Error>(self, bytes: Vec<u8>) -> Result<Bytes, E> {
                Ok(Bytes(bytes))
            }
        }

        deserializer.deserialize_byte_buf(Visitor)
    }
}

/// Words of 64 bits as bytes, the lowest first.
fn words(values: impl IntoIterator<Item = u64>) -> Bytes {
    Bytes(values.into_iter().flat_map(u64::to_le_bytes).collect())
}

fn from_words(name: &str, bytes: &Bytes) -> Result<Vec<u64>, ForestError> {
    let (words, []) = bytes.0.as_chunks::<8>() else {
        return refuse(format!("{name} has {} bytes", bytes.0.len()));
    };
    Ok(words.iter().copied().map(u64::from_le_bytes).collect())
}

/// The splits of a forest by feature.
fn thresholds_of(forest: &StoredForest) -> Vec<Dictionary> {
    let mut values = vec![Vec::new(); forest.n_features as usize];
    for (feature, &value) in forest.feature.iter().zip(&forest.value) {
        if let Some(feature) = feature {
            values[*feature as usize].push(value);
        }
    }
    values.into_iter().map(Dictionary::new).collect()
}

impl From<StoredForest> for PackedForest {
    fn from(forest: StoredForest) -> Self {
        let thresholds = thresholds_of(&forest);
        let StoredForest { n_features, n_nodes, feature, value, .. } = forest;
        let nodes = || feature.iter().zip(&value);
        let leaves: Vec<f64> = nodes().filter(|(feature, _)| feature.is_none()).map(|(_, &value)| value).collect();
        let predictions = Dictionary::new(leaves.clone());
        let is_worth_it = pays(predictions.values().len(), leaves.len());

        let (mut is_split, mut features, mut threshold) =
            (BitWriter::default(), BitWriter::default(), BitWriter::default());
        for (feature, &value) in nodes() {
            is_split.push(u32::from(feature.is_some()), 1);
            if let &Some(feature) = feature {
                let values = &thresholds[feature as usize];
                features.push(feature, width(n_features as usize));
                threshold.push(values.position(value), width(values.values().len()));
            }
        }
        let mut tables = Vec::new();
        for values in &thresholds {
            values.write(&mut tables);
        }
        let mut table = Vec::new();
        let prediction = if is_worth_it {
            predictions.write(&mut table);
            let mut places = BitWriter::default();
            let width = width(predictions.values().len());
            for &leaf in &leaves {
                places.push(predictions.position(leaf), width);
            }
            Bytes(places.finish())
        } else {
            words(leaves.iter().map(|leaf| leaf.to_bits()))
        };
        let mut lengths = Vec::new();
        for n in n_nodes {
            push_varint(&mut lengths, u64::from(n));
        }
        Self {
            n_features,
            n_nodes: Bytes(lengths),
            is_split: Bytes(is_split.finish()),
            feature: Bytes(features.finish()),
            thresholds: Bytes(tables),
            threshold: Bytes(threshold.finish()),
            predictions: Bytes(table),
            prediction,
            feature_importances: words(forest.feature_importances.iter().map(|value| value.to_bits())),
            importance_sums: words(forest.importance_sums),
            missing_left: words(forest.missing_left),
            categorical: Bytes(forest.categorical.iter().map(|&is| u8::from(is)).collect()),
            category_sets: words(forest.category_sets),
        }
    }
}

/// What is read is written with the same bytes: no two packed forests are the same forest.
///
/// Of what may be refused, that which takes no memory to find out comes first: there are no more nodes than
/// bits, and no more of anything else than bytes.
impl TryFrom<PackedForest> for StoredForest {
    type Error = ForestError;

    fn try_from(packed: PackedForest) -> Result<Self, ForestError> {
        let n_features = packed.n_features as usize;
        // Each feature's thresholds take a byte at least.
        if n_features > packed.thresholds.0.len().min(MAX_FEATURES) {
            return refuse(format!("it has {n_features} features but fewer lists of thresholds"));
        }
        let n_nodes = lengths(&packed.n_nodes)?;
        let total: u64 = n_nodes.iter().copied().map(u64::from).sum();
        if total.div_ceil(8) != packed.is_split.0.len() as u64 {
            return refuse(format!("n_nodes adds up to {total} but is_split has {} bytes", packed.is_split.0.len()));
        }
        let (thresholds, predictions) = (dictionaries(&packed.thresholds, n_features)?, predictions(&packed)?);
        let mut used: Vec<Vec<bool>> = thresholds.iter().map(|list| vec![false; list.values().len()]).collect();
        let mut is_split = BitReader::new(&packed.is_split.0);
        let mut features = BitReader::new(&packed.feature.0);
        let mut places = BitReader::new(&packed.threshold.0);
        let mut leaves = Leaves::new(&predictions, &packed.prediction.0);

        let mut nodes = || -> Option<(Vec<Option<u32>>, Vec<f64>)> {
            let (mut feature, mut value) = (Vec::new(), Vec::new());
            for _ in 0..total {
                if is_split.next(1)? == 1 {
                    let number = features.next(width(n_features))?;
                    let values = thresholds.get(number as usize)?.values();
                    let place = places.next(width(values.len()))? as usize;
                    feature.push(Some(number));
                    value.push(*values.get(place)?);
                    used[number as usize][place] = true;
                } else {
                    feature.push(None);
                    value.push(leaves.next()?);
                }
            }
            let at_end = is_split.is_at_end() && features.is_at_end() && places.is_at_end() && leaves.is_at_end();
            at_end.then_some((feature, value))
        };
        let Some((feature, value)) = nodes() else {
            return refuse("features, thresholds and predictions are not those of the nodes".to_owned());
        };
        if used.iter().flatten().any(|is_used| !is_used) || !leaves.are_as_written() {
            return refuse("thresholds or predictions are listed otherwise than they are used".to_owned());
        }
        if let Some(byte) = packed.categorical.0.iter().find(|&&byte| byte > 1) {
            return refuse(format!("categorical has a byte {byte}"));
        }
        let shares = from_words("feature_importances", &packed.feature_importances)?;
        let sums = from_words("importance_sums", &packed.importance_sums)?;
        let of_sums = Importances::from_sums(sums.clone());
        if !sums.is_empty() && !of_sums.shares().iter().map(|share| share.to_bits()).eq(shares.iter().copied()) {
            return refuse("feature_importances are not those of importance_sums".to_owned());
        }
        Ok(Self {
            n_features: packed.n_features,
            n_nodes,
            feature,
            value,
            feature_importances: shares.into_iter().map(f64::from_bits).collect(),
            importance_sums: sums,
            missing_left: from_words("missing_left", &packed.missing_left)?,
            categorical: packed.categorical.0.iter().map(|&byte| byte == 1).collect(),
            category_sets: from_words("category_sets", &packed.category_sets)?,
        })
    }
}

/// What the leaves predict, from places in a dictionary or as they are.
enum Leaves<'a> {
    Places { values: &'a [f64], places: BitReader<'a>, used: Vec<bool>, n_leaves: usize },
    Values { rest: &'a [u8], all: &'a [u8] },
}

impl<'a> Leaves<'a> {
    fn new(predictions: &'a Dictionary, bytes: &'a [u8]) -> Self {
        let values = predictions.values();
        if values.is_empty() {
            Self::Values { rest: bytes, all: bytes }
        } else {
            Self::Places { values, places: BitReader::new(bytes), used: vec![false; values.len()], n_leaves: 0 }
        }
    }

    fn next(&mut self) -> Option<f64> {
        match self {
            Self::Places { values, places, used, n_leaves } => {
                let place = places.next(width(values.len()))? as usize;
                *used.get_mut(place)? = true;
                *n_leaves += 1;
                Some(values[place])
            }
            Self::Values { rest, .. } => {
                let (value, others) = rest.split_first_chunk()?;
                *rest = others;
                Some(f64::from_le_bytes(*value))
            }
        }
    }

    fn is_at_end(&self) -> bool {
        match self {
            Self::Places { places, .. } => places.is_at_end(),
            Self::Values { rest, .. } => rest.is_empty(),
        }
    }

    /// Whether that is how they are written, once all have been read: a dictionary if it pays, and what is used in it.
    fn are_as_written(&self) -> bool {
        match self {
            Self::Places { used, n_leaves, .. } => pays(used.len(), *n_leaves) && used.iter().all(|&is_used| is_used),
            Self::Values { all, .. } => {
                let mut values = all.as_chunks::<8>().0.to_vec();
                let n_leaves = values.len();
                values.sort_unstable();
                values.dedup();
                !pays(values.len(), n_leaves)
            }
        }
    }
}

/// Whether a list of so many predictions is written for so many leaves.
fn pays(n_predictions: usize, n_leaves: usize) -> bool {
    n_predictions < n_leaves / 2
}

/// The number of nodes of each tree.
fn lengths(bytes: &Bytes) -> Result<Vec<u32>, ForestError> {
    let (mut rest, mut lengths) = (bytes.0.as_slice(), Vec::new());
    while !rest.is_empty() {
        match take_varint(&mut rest).and_then(|n| u32::try_from(n).ok()) {
            Some(n) => lengths.push(n),
            None => return refuse(format!("n_nodes is spoilt after {} trees", lengths.len())),
        }
    }
    Ok(lengths)
}

/// As many dictionaries, and nothing else.
fn dictionaries(bytes: &Bytes, n: usize) -> Result<Vec<Dictionary>, ForestError> {
    let mut rest = bytes.0.as_slice();
    let read: Option<Vec<Dictionary>> = (0..n).map(|_| Dictionary::read(&mut rest)).collect();
    match read {
        Some(dictionaries) if rest.is_empty() => Ok(dictionaries),
        _ => refuse("the lists of thresholds are spoilt".to_owned()),
    }
}

/// The dictionary of predictions, empty where there is none.
fn predictions(packed: &PackedForest) -> Result<Dictionary, ForestError> {
    if packed.predictions.0.is_empty() {
        return Ok(Dictionary::new(Vec::new()));
    }
    match dictionaries(&packed.predictions, 1)?.pop() {
        Some(dictionary) if !dictionary.values().is_empty() => Ok(dictionary),
        _ => refuse("the list of predictions is empty".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// A forest of `n_trees` stumps, as it is packed.
    fn packed(n_trees: usize) -> PackedForest {
        let (feature, value) = ([Some(2), None, None].repeat(n_trees), [0.5, -1.0, 2.0].repeat(n_trees));
        let stored = json!({
            "n_features": 3, "n_nodes": vec![3; n_trees], "feature": feature, "value": value,
            "feature_importances": [0.0, 0.0, 1.0],
        });
        StoredForest::from(&serde_json::from_value::<Forest>(stored).unwrap()).into()
    }

    type Spoil = fn(&mut PackedForest);

    fn message(edit: impl FnOnce(&mut PackedForest)) -> String {
        let mut packed = packed(8);
        edit(&mut packed);
        packed.into_forest().unwrap_err().to_string()
    }

    fn dictionary(values: &[f64]) -> Vec<u8> {
        let mut bytes = Vec::new();
        Dictionary::new(values.to_vec()).write(&mut bytes);
        bytes
    }

    #[test]
    fn what_repeats_is_written_once() {
        let (few, many) = (rmp_serde::to_vec_named(&packed(8)).unwrap(), rmp_serde::to_vec_named(&packed(80)).unwrap());
        // A tree of three nodes: its length, three bits, two bits for the feature and one for each leaf.
        assert!(many.len() - few.len() <= 2 * 72, "{} and {}", few.len(), many.len());
        let stored = StoredForest::try_from(packed(80)).unwrap();
        assert_eq!(stored.value, [0.5, -1.0, 2.0].repeat(80));
    }

    #[test]
    fn what_does_not_fit_together_is_refused() {
        let nodes = "not a forest: features, thresholds and predictions are not those of the nodes";
        let listed = "not a forest: thresholds or predictions are listed otherwise than they are used";
        let spoilt: [(&str, Spoil); 17] = [
            ("not a forest: it has 4000000000 features but fewer lists of thresholds", |p| {
                p.n_features = 4_000_000_000;
            }),
            ("not a forest: n_nodes adds up to 24 but is_split has 2 bytes", |p| p.is_split.0.truncate(2)),
            ("not a forest: n_nodes is spoilt after 7 trees", |p| p.n_nodes.0[7] = 0x80),
            ("not a forest: the lists of thresholds are spoilt", |p| p.thresholds.0.push(0)),
            ("not a forest: the lists of thresholds are spoilt", |p| p.n_features = 2),
            ("not a forest: the list of predictions is empty", |p| p.predictions.0 = vec![0]),
            ("not a forest: feature_importances has 23 bytes", |p| p.feature_importances.0.truncate(23)),
            (nodes, |p| p.is_split.0[0] ^= 2),
            (nodes, |p| p.feature.0[0] = 0),
            (nodes, |p| p.feature.0.push(0)),
            (nodes, |p| p.prediction.0.clear()),
            (nodes, |p| p.prediction.0.push(1)),
            // A threshold of feature 0, which no split asks about; a prediction that no leaf has; all of them one by one,
            // which takes more room.
            (listed, |p| drop(p.thresholds.0.splice(..1, [1, 63, 0]))),
            (listed, |p| {
                p.predictions.0 = dictionary(&[-1.0, 2.0, 3.0]);
                // Places of two bits: 0, 1, 0, 1 in each byte.
                p.prediction.0 = vec![0x44; 4];
            }),
            (listed, |p| {
                p.predictions.0.clear();
                p.prediction = words([-1.0_f64, 2.0].repeat(8).into_iter().map(f64::to_bits));
            }),
            ("not a forest: categorical has a byte 2", |p| p.categorical.0 = vec![0, 1, 2]),
            ("not a forest: missing_left has bits beyond those of the 24 nodes", |p| p.missing_left = words([1 << 24])),
        ];
        for (expected, edit) in spoilt {
            assert_eq!(message(edit), expected);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_forest_or_refused(
            n_features in 0_u32..4,
            parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..12), 7),
        ) {
            let mut packed = packed(2);
            packed.n_features = n_features;
            let fields = [
                &mut packed.n_nodes, &mut packed.is_split, &mut packed.feature, &mut packed.thresholds,
                &mut packed.threshold, &mut packed.predictions, &mut packed.prediction,
            ];
            for (field, part) in fields.into_iter().zip(parts) {
                // Every second field stays as it is, more or less.
                if part.len() % 2 == 0 {
                    field.0 = part;
                }
            }
            if let Ok(stored) = StoredForest::try_from(packed.clone()) {
                prop_assert!(stored.value.len() <= 8 * 12);
                if let Ok(forest) = Forest::try_from(stored) {
                    prop_assert_eq!(PackedForest::from(StoredForest::from(&forest)), packed);
                    prop_assert!(forest.predict_row(&vec![0.0; forest.n_features()]).unwrap().is_finite());
                }
            }
        }
    }
}
