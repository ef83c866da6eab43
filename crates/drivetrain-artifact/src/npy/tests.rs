use super::*;
use ndarray::{Array2, Axis, Slice, array};
use proptest::prelude::*;

/// A file in the format's version 1 with the given header text and data.
fn npy(header: &str, data: &[u8]) -> Vec<u8> {
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    let length = u16::try_from(header.len() + 1).unwrap();
    bytes.extend(length.to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.push(b'\n');
    bytes.extend(data);
    bytes
}

fn little_endian(values: &[f64]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn bits(array: &Array2<f64>) -> Vec<u64> {
    array.iter().map(|value| value.to_bits()).collect()
}

#[test]
fn the_bytes_are_a_padded_version_one_header_and_rows_one_after_the_other() {
    let bytes = to_bytes(array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]].view()).unwrap();
    let (head, data) = bytes.split_at(128);
    assert!(head.starts_with(b"\x93NUMPY\x01\x00\x76\x00{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3)"));
    assert!(head.ends_with(b" \n"));
    assert_eq!(data, little_endian(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]));
}

#[test]
fn transposed_and_strided_arrays_are_written_in_c_order() {
    let array = array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]];
    let transposed = from_bytes(&to_bytes(array.t()).unwrap()).unwrap();
    assert_eq!(transposed, array.t());
    assert!(transposed.is_standard_layout());
    let strided = to_bytes(array.slice_axis(Axis(1), Slice::new(0, None, 2))).unwrap();
    assert_eq!(strided, to_bytes(array![[1.0, 3.0], [4.0, 6.0]].view()).unwrap());
}

#[test]
fn fortran_order_and_big_endian_are_converted() {
    let header = "{'descr': '<f8', 'fortran_order': True, 'shape': (2, 2), }";
    let array = from_bytes(&npy(header, &little_endian(&[1.0, 2.0, 3.0, 4.0]))).unwrap();
    assert_eq!(array, array![[1.0, 3.0], [2.0, 4.0]]);
    assert!(array.is_standard_layout());

    let header = "{'descr': '>f8', 'fortran_order': False, 'shape': (1, 1), }";
    assert_eq!(from_bytes(&npy(header, &1.5_f64.to_be_bytes())).unwrap(), array![[1.5]]);
}

#[test]
fn other_dtypes_are_named() {
    for (descr, found) in [("'<f4'", "<f4"), ("'|O'", "|O"), ("[('mpg', '<f8')]", "mpg")] {
        let header = format!("{{'descr': {descr}, 'fortran_order': False, 'shape': (1, 1), }}");
        let error = from_bytes(&npy(&header, &[0; 8])).unwrap_err();
        assert!(matches!(&error, ArtifactError::NpyDtype { found: text } if text.contains(found)), "{error:?}");
    }
}

#[test]
fn other_numbers_of_dimensions_are_refused() {
    for shape in ["()", "(1,)", "(1, 1, 1)"] {
        let header = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}");
        let error = from_bytes(&npy(&header, &[0; 8])).unwrap_err();
        assert!(matches!(error, ArtifactError::NpyDimensions { .. }), "{shape}: {error:?}");
    }
}

#[test]
fn shapes_that_do_not_fit_the_bytes_are_refused_before_allocation() {
    for shape in [
        "(2, 1)",
        "(0, 1)",
        "(1000000000, 1000000000)",
        "(4611686018427387904, 4)",
        "(18446744073709551615, 18446744073709551615)",
    ] {
        let header = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}");
        let error = from_bytes(&npy(&header, &[0; 8])).unwrap_err();
        assert!(matches!(error, ArtifactError::NpyLength { found: 8, .. }), "{shape}: {error:?}");
    }
    let header = "{'descr': '<f8', 'fortran_order': False, 'shape': (18446744073709551615, 0), }";
    assert!(matches!(from_bytes(&npy(header, &[])), Err(ArtifactError::NpyData { .. })));
}

#[test]
fn an_array_without_rows_keeps_its_columns() {
    let empty = Array2::<f64>::zeros((0, 9));
    assert_eq!(from_bytes(&to_bytes(empty.view()).unwrap()).unwrap().dim(), (0, 9));
}

#[test]
fn hostile_headers_are_refused() {
    let nested = format!("{}1{}", "[".repeat(60_000), "]".repeat(5_000));
    let mut long = b"\x93NUMPY\x02\x00".to_vec();
    long.extend(u32::MAX.to_le_bytes());
    for bytes in [npy(&nested, &[]), long, npy("", &[]), npy("{}", &[]), b"\x93NUMPY".to_vec(), b"PK\x03\x04".to_vec()]
    {
        let error = from_bytes(&bytes).unwrap_err();
        assert!(matches!(error, ArtifactError::NpyHeader { .. }), "{error:?}");
    }
}

#[test]
fn version_two_headers_are_read() {
    let header = "{'descr': '<f8', 'fortran_order': False, 'shape': (1, 1), }\n";
    let mut bytes = b"\x93NUMPY\x02\x00".to_vec();
    bytes.extend(u32::try_from(header.len()).unwrap().to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(2.5_f64.to_le_bytes());
    assert_eq!(from_bytes(&bytes).unwrap(), array![[2.5]]);
}

#[test]
fn errors_name_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.npy");
    assert!(matches!(read(&path), Err(ArtifactError::Read { path: at, .. }) if at == path));
    std::fs::write(&path, b"not npy at all").unwrap();
    assert!(matches!(read(&path), Err(ArtifactError::File { path: at, .. }) if at == path));
}

proptest! {
    #[test]
    fn every_bit_survives(rows in 0_usize..6, columns in 0_usize..6, seed in any::<u64>()) {
        let array = Array2::from_shape_fn((rows, columns), |(i, j)| {
            f64::from_bits(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(u32::try_from(7 * i + j).unwrap()))
        });
        let back = from_bytes(&to_bytes(array.view()).unwrap()).unwrap();
        prop_assert_eq!(back.dim(), array.dim());
        prop_assert_eq!(bits(&back), bits(&array));
    }

    #[test]
    fn damaged_files_never_panic(at in 0_usize..200, byte in any::<u8>(), cut in 0_usize..200) {
        let mut bytes = to_bytes(Array2::<f64>::ones((3, 3)).view()).unwrap();
        prop_assert_eq!(bytes.len(), 200);
        bytes[at] = byte;
        if let Ok(array) = from_bytes(&bytes) {
            prop_assert_eq!(array.len(), 9);
        }
        bytes.truncate(cut);
        prop_assert!(from_bytes(&bytes).is_err());
    }
}

#[test]
fn numbers_of_other_types_and_of_one_dimension_are_taken() {
    let read = |descr: &str, shape: &str, data: &[u8]| {
        numbers_from_bytes(&npy(&format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}"), data))
    };
    assert_eq!(read("<f4", "(1, 2)", &[1.5_f32, -2.0].map(f32::to_le_bytes).concat()).unwrap(), array![[1.5, -2.0]]);
    assert_eq!(read(">i4", "(2, 1)", &[7_i32, -8].map(i32::to_be_bytes).concat()).unwrap(), array![[7.0], [-8.0]]);
    assert_eq!(read("<i8", "(2,)", &[7_i64, -8].map(i64::to_le_bytes).concat()).unwrap(), array![[7.0, -8.0]]);
    assert_eq!(read("<f8", "(2,)", &little_endian(&[0.5, 1.5])).unwrap(), array![[0.5, 1.5]]);
    let large = read("<i8", "(1, 2)", &[1_i64 << 53, (1 << 53) + 1].map(i64::to_le_bytes).concat()).unwrap_err();
    assert!(
        matches!(large, ArtifactError::NpyInteger { row: 0, column: 1, value: 9_007_199_254_740_993 }),
        "{large:?}"
    );
    assert!(matches!(read("|O", "(1, 1)", &[0; 8]), Err(ArtifactError::NpyDtype { .. })));
    assert!(matches!(read("<f4", "(1, 3)", &[0; 8]), Err(ArtifactError::NpyLength { needed: 12, found: 8, .. })));
    assert!(matches!(read("<f8", "()", &[0; 8]), Err(ArtifactError::NpyDimensions { .. })));
}

#[test]
fn a_vector_has_one_dimension() {
    let bytes = vector_to_bytes(&[1.0, 2.0]).unwrap();
    assert!(bytes.windows(13).any(|text| text == b"'shape': (2,)"));
    assert_eq!(numbers_from_bytes(&bytes).unwrap(), array![[1.0, 2.0]]);
}
