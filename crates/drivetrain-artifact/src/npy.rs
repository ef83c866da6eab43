//! Feature matrices as `.npy` files: float64, C order (row-major), two dimensions.
//!
//! The format is [numpy's](https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html); `numpy.load` reads
//! what [`write()`] writes, and [`read`] reads what `numpy.save` writes of such an array.

use std::{
    fs::File,
    io::{BufReader, Read},
    path::Path,
};

use ndarray::{Array2, ArrayView1, ArrayView2, ShapeBuilder};
use ndarray_npy::{ReadableElement, WriteNpyExt, npy::header::Header};

use crate::{ArtifactError, BoxError, atomic};

/// The longest header that version 1 of the format can express. Longer ones belong to record types.
const MAX_HEADER_BYTES: usize = 1 << 16;

/// A matrix needs two levels, the dictionary and the shape; the deepest record type that is named in an error needs
/// four. The parser of headers takes time exponential in the depth.
const MAX_HEADER_DEPTH: usize = 4;

/// Writes `array` (rows x columns) as float64 in C order, whatever its memory layout, atomically.
///
/// ```
/// use drivetrain_artifact::{ndarray::array, npy};
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("train_feats.npy");
/// let features = array![[26.0, 0.5], [31.0, f64::NAN]];
/// npy::write(&path, features.view())?;
/// let back = npy::read(&path)?;
/// assert_eq!(back.row(0), features.row(0));
/// assert!(back[[1, 1]].is_nan());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`ArtifactError::Write`] when the file cannot be written.
#[expect(clippy::needless_pass_by_value, reason = "views are passed by value, as everywhere in ndarray")]
pub fn write(path: impl AsRef<Path>, array: ArrayView2<'_, f64>) -> Result<(), ArtifactError> {
    atomic::write(path, |file| array.as_standard_layout().write_npy(file))
}

/// The bytes that [`write()`] writes.
///
/// # Errors
/// [`ArtifactError::NpyEncode`] when the shape does not fit into a header.
#[expect(clippy::needless_pass_by_value, reason = "views are passed by value, as everywhere in ndarray")]
pub fn to_bytes(array: ArrayView2<'_, f64>) -> Result<Vec<u8>, ArtifactError> {
    let mut bytes = Vec::new();
    array
        .as_standard_layout()
        .write_npy(&mut bytes)
        .map_err(|source| ArtifactError::NpyEncode { source: source.into() })?;
    Ok(bytes)
}

/// One float64 array of one dimension, such as predictions.
///
/// # Errors
/// [`ArtifactError::NpyEncode`] when the shape does not fit into a header.
pub fn vector_to_bytes(values: &[f64]) -> Result<Vec<u8>, ArtifactError> {
    let mut bytes = Vec::new();
    ArrayView1::from(values)
        .write_npy(&mut bytes)
        .map_err(|source| ArtifactError::NpyEncode { source: source.into() })?;
    Ok(bytes)
}

/// Reads a two-dimensional float64 array (rows x columns) of either byte order; Fortran order is converted to C order.
///
/// # Errors
/// [`ArtifactError::Read`] when the file cannot be read, else [`ArtifactError::File`] with the path around what
/// [`from_bytes`] says.
pub fn read(path: impl AsRef<Path>) -> Result<Array2<f64>, ArtifactError> {
    let path = path.as_ref();
    let failed = |source| ArtifactError::Read { path: path.to_owned(), source };
    let file = File::open(path).map_err(failed)?;
    let length = file.metadata().map_err(failed)?.len();
    decode(BufReader::new(file), length).map_err(|error| error.in_file(path))
}

/// What [`read`] reads, from bytes in memory.
///
/// # Errors
/// [`ArtifactError::NpyHeader`] when the header is not one, [`ArtifactError::NpyDtype`] when the elements are not
/// float64, [`ArtifactError::NpyDimensions`] when there are not two dimensions, [`ArtifactError::NpyLength`] when the
/// shape does not fit the number of bytes, which is found out before anything is allocated.
pub fn from_bytes(bytes: &[u8]) -> Result<Array2<f64>, ArtifactError> {
    decode(bytes, bytes.len() as u64)
}

/// Numbers from somebody who did not choose their type: float64, float32, int64 or int32, of either byte order, in two
/// dimensions (rows x columns), or in one, which is a single row.
///
/// ```
/// use drivetrain_artifact::{ndarray::array, npy};
///
/// let bytes = npy::to_bytes(array![[26.0, 0.5]].view())?;
/// assert_eq!(npy::numbers_from_bytes(&bytes)?, array![[26.0, 0.5]]);
/// # Ok::<(), drivetrain_artifact::ArtifactError>(())
/// ```
///
/// # Errors
/// As [`from_bytes`]; [`ArtifactError::NpyInteger`] for an integer that float64 does not hold exactly.
pub fn numbers_from_bytes(bytes: &[u8]) -> Result<Array2<f64>, ArtifactError> {
    let mut rest = bytes;
    let mut head = Head::read(&mut rest)?;
    if let [columns] = head.header.shape[..] {
        head.header.shape = vec![1, columns];
    }
    let length = rest.len() as u64;
    match head.dtype().trim_matches(['\'', '<', '>']) {
        "f8" => head.array::<f64>(rest, length),
        "f4" => Ok(head.array::<f32>(rest, length)?.mapv(f64::from)),
        "i4" => Ok(head.array::<i32>(rest, length)?.mapv(f64::from)),
        "i8" => {
            let integers = head.array::<i64>(rest, length)?;
            match integers.indexed_iter().find(|(_, value)| value.unsigned_abs() > EXACT_INTEGERS) {
                Some(((row, column), &value)) => Err(ArtifactError::NpyInteger { row, column, value }),
                None => Ok(integers.mapv(|value| value as f64)),
            }
        }
        _ => Err(ArtifactError::NpyDtype { found: head.dtype() }),
    }
}

/// Above this magnitude not every integer is a float64.
const EXACT_INTEGERS: u64 = 1 << 53;

fn decode(mut reader: impl Read, length: u64) -> Result<Array2<f64>, ArtifactError> {
    let head = Head::read(&mut reader)?;
    let length = length.saturating_sub(head.length);
    match head.dtype().as_str() {
        "'<f8'" | "'>f8'" => head.array(reader, length),
        _ => Err(ArtifactError::NpyDtype { found: head.dtype() }),
    }
}

/// What stands before the elements.
struct Head {
    /// Its own length in bytes.
    length: u64,
    header: Header,
}

impl Head {
    fn read(reader: &mut impl Read) -> Result<Self, ArtifactError> {
        let bytes = read_head(reader).map_err(|source| ArtifactError::NpyHeader { source })?;
        let header = Header::from_reader(&mut bytes.as_slice())
            .map_err(|source| ArtifactError::NpyHeader { source: source.into() })?;
        Ok(Self { length: bytes.len() as u64, header })
    }

    /// The dtype as the header spells it, quotes included.
    fn dtype(&self) -> String {
        self.header.type_descriptor.to_string()
    }

    /// The elements, of which there are `length` bytes.
    fn array<T: ReadableElement + Clone>(&self, reader: impl Read, length: u64) -> Result<Array2<T>, ArtifactError> {
        let &[rows, columns] = self.header.shape.as_slice() else {
            return Err(ArtifactError::NpyDimensions { shape: self.header.shape.clone() });
        };
        let needed = (rows as u128).saturating_mul(columns as u128).saturating_mul(size_of::<T>() as u128);
        if needed != u128::from(length) {
            return Err(ArtifactError::NpyLength { rows, columns, needed, found: length });
        }
        let values = T::read_to_end_exact_vec(reader, &self.header.type_descriptor, rows * columns)
            .map_err(|source| ArtifactError::NpyData { source: source.into() })?;
        let fortran = self.header.layout.is_fortran();
        let array = Array2::from_shape_vec((rows, columns).set_f(fortran), values)
            .map_err(|source| ArtifactError::NpyData { source: source.into() })?;
        Ok(if fortran { array.as_standard_layout().into_owned() } else { array })
    }
}

/// Reads the magic string, the version, the header's length and the header, whose size and depth it limits because
/// the parser does neither.
fn read_head(reader: &mut impl Read) -> Result<Vec<u8>, BoxError> {
    let mut head = vec![0; 10];
    reader.read_exact(&mut head)?;
    if !head.starts_with(b"\x93NUMPY") {
        return Err("the magic string is missing".into());
    }
    let mut length = usize::from(u16::from_le_bytes([head[8], head[9]]));
    if head[6] > 1 {
        head.resize(12, 0);
        reader.read_exact(&mut head[10..])?;
        length |= usize::from(u16::from_le_bytes([head[10], head[11]])) << 16;
    }
    if length >= MAX_HEADER_BYTES {
        return Err(format!("the header claims {length} bytes").into());
    }
    let start = head.len();
    head.resize(start + length, 0);
    reader.read_exact(&mut head[start..])?;
    if depth(&head[start..]) > MAX_HEADER_DEPTH {
        return Err("the header is nested too deep".into());
    }
    Ok(head)
}

/// How deep brackets open; brackets inside of quotes count as well, which no header of a matrix has.
fn depth(text: &[u8]) -> usize {
    let mut open = 0_usize;
    let mut deepest = 0;
    for byte in text {
        match byte {
            b'(' | b'[' | b'{' => open += 1,
            b')' | b']' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(open);
    }
    deepest
}

#[cfg(test)]
mod tests;
