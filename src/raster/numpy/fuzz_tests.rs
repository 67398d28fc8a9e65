//! Random heads of NumPy's files, whole and with a bit changed or the end cut off. See [`crate::fuzz_harness`].

use super::header::{Header, Trouble};
use crate::fuzz_harness::{Target, random_of};

/// A file of this version with a text as its head.
fn npy(version: u8, text: &[u8]) -> Vec<u8> {
    let length = (text.len() as u32).to_le_bytes();
    let length = &length[..if version == 1 { 2 } else { 4 }];
    [b"\x93NUMPY", &[version, 0][..], length, text].concat()
}

fn check(bytes: &[u8]) {
    match Header::read(&mut &*bytes) {
        Ok(header) => {
            assert!(header.start <= bytes.len() as u64);
            assert!(
                header.bytes_in_memory() >= header.bytes() || header.bytes_in_memory().is_none()
            );
        }
        Err(Trouble::Format(words) | Trouble::Type(words)) => assert!(!words.trim().is_empty()),
    }
}

#[test]
fn heads_of_arrays() {
    Target {
        name: "numpy-head",
        seeds: &[
            "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4, 5), }\n",
            "{'descr': [('a', '<f4'), ('b', '<i2', (2,))], 'fortran_order': True, 'shape': (3L,), }\n",
            "{\"shape\": (), 'fortran_order': True, 'descr': '>f2'}",
            "{'descr': '|O', 'fortran_order': False, 'shape': (18446744073709551615, 2), }",
        ],
        words: &[
            "{", "}", "(", ")", "[", "]", ",", ":", "'", "\"", "\\'", "'descr'", "'shape'",
            "'fortran_order'", "'<f8'", "'|u1'", "'<M8[ns]'", "True", "False", "None", "0", "-1", "3L",
            "99999999999999999999", "\n", " ", "é",
        ],
        depth: 5000,
    }
    .run(|input| {
        let mut random = random_of(input);
        for version in 0..=4 {
            let mut bytes = npy(version, input);
            check(&bytes);
            let (at, bit) = (random.below(bytes.len()), random.below(8));
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << bit;
            }
            check(&bytes);
            check(&bytes[..at]);
        }
        check(input);
    });
}
