//! The head of an array that NumPy wrote: type, order and shape.
//!
//! The format is that of <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>, versions 1.0 to 3.0: a
//! magic string, a length, and a dictionary in Python's words. A parser of our own: the crates that read it bring a whole
//! grammar of Python along, or give no place in the file, which windows are read from.

use std::io::Read;

use super::python::{self, Word};
use crate::raster::DataType;

/// NumPy itself takes heads up to 10,000 bytes unless it is told otherwise; those of real numbers have 118.
const LONGEST: usize = 1 << 16;
/// The most axes that NumPy has.
const MOST_AXES: usize = 64;

/// What stands before the values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) value: DataType,
    /// In NumPy's words.
    pub(super) type_name: String,
    pub(super) big_endian: bool,
    /// The first axis runs fastest.
    pub(super) fortran: bool,
    pub(super) shape: Vec<usize>,
    /// Bytes before the first value.
    pub(super) start: u64,
}

/// Why a head is none of imagery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// Something else than an array, in words.
    Format(String),
    /// An array of values that are no real numbers.
    Type(String),
}

fn trouble<T>(reason: impl Into<String>) -> Result<T, Trouble> {
    Err(Trouble::Format(reason.into()))
}

impl Header {
    /// The bytes of all values; `None` beyond what 64 bits count.
    pub(super) fn bytes(&self) -> Option<u64> {
        let one = super::super::held::bytes_of(self.value) as u64;
        let product = self
            .shape
            .iter()
            .try_fold(1u64, |all, &side| all.checked_mul(side as u64));
        product?.checked_mul(one)
    }

    /// Whether values have to change places: an array with one row or one column is in both orders at once.
    pub(super) fn is_turned(&self) -> bool {
        self.fortran && self.shape.iter().filter(|&&side| side > 1).count() > 1
    }

    /// The bytes that are in memory at a time when all values are brought there and into a form that GDAL reads: those of
    /// the file, and beside them those that they become ([`super::convert::planes`]).
    pub(super) fn bytes_in_memory(&self) -> Option<u64> {
        let copies = match (self.value, self.is_turned()) {
            // Twice as many, from those of the file or those that have been turned.
            (DataType::F16, _) => 3,
            (_, true) => 2,
            (_, false) => 1,
        };
        self.bytes()?.checked_mul(copies)
    }

    pub(super) fn read(source: &mut impl Read) -> Result<Self, Trouble> {
        let mut head = [0; 8];
        if !fill(source, &mut head) || &head[..6] != b"\x93NUMPY" {
            return trouble("it does not begin with NumPy's mark");
        }
        let (major, minor) = (head[6], head[7]);
        let width = match major {
            1 => 2,
            2 | 3 => 4,
            _ => {
                return trouble(format!(
                    "version {major}.{minor} of the format is unknown, 1.0 to 3.0 are read"
                ));
            }
        };
        let mut length = [0; 4];
        if !fill(source, &mut length[..width]) {
            return trouble("it ends within its head");
        }
        let length = u32::from_le_bytes(length) as usize;
        if length > LONGEST {
            return trouble(format!(
                "its head has {length} bytes, at most {LONGEST} are expected"
            ));
        }
        let mut text = vec![0; length];
        if !fill(source, &mut text) {
            return trouble("it ends within its head");
        }
        // Latin-1 before version 3, whose letters are those of Unicode.
        let text = match major {
            3 => String::from_utf8(text)
                .map_err(|_| Trouble::Format("its head is no text".to_owned()))?,
            _ => text.into_iter().map(char::from).collect(),
        };
        let Some(Word::Pairs(pairs)) = python::parse(&text) else {
            return trouble("its head is no dictionary");
        };
        let get = |key: &str| {
            let found = pairs.iter().find(|(name, _)| name == key);
            found.map(|(_, word)| word)
        };
        let (Some(kind), Some(Word::Truth(fortran)), Some(Word::List(sides))) =
            (get("descr"), get("fortran_order"), get("shape"))
        else {
            return trouble("its head lacks `descr`, `fortran_order` or `shape`");
        };
        let side = |word: &Word| match word {
            Word::Number(number) => usize::try_from(*number).ok(),
            _ => None,
        };
        let Some(shape) = sides.iter().map(side).collect::<Option<Vec<usize>>>() else {
            return trouble("its shape is none");
        };
        if shape.len() > MOST_AXES {
            return trouble(format!("it has {} axes", shape.len()));
        }
        let Word::Text(kind) = kind else {
            return Err(Trouble::Type(
                "an array with fields (a structured type)".to_owned(),
            ));
        };
        let (value, type_name, big_endian) = type_of(kind)?;
        Ok(Self {
            value,
            type_name,
            big_endian,
            fortran: *fortran,
            shape,
            start: (8 + width + length) as u64,
        })
    }
}

fn fill(source: &mut impl Read, bytes: &mut [u8]) -> bool {
    source.read_exact(bytes).is_ok()
}

/// The type, its name, and whether the bytes run from the highest.
fn type_of(text: &str) -> Result<(DataType, String, bool), Trouble> {
    let mut letters = text.chars();
    let Some(order) = letters.next() else {
        return trouble("its type has no name");
    };
    let (order, rest) = match order {
        '<' | '>' | '|' | '=' => (order, letters.as_str()),
        _ => ('=', text),
    };
    let big_endian = match order {
        '>' => true,
        '=' => cfg!(target_endian = "big"),
        _ => false,
    };
    let (value, name) = match rest {
        "b1" | "?" => (DataType::U8, "bool"),
        "u1" | "B" => (DataType::U8, "uint8"),
        "i1" | "b" => (DataType::I8, "int8"),
        "u2" => (DataType::U16, "uint16"),
        "i2" => (DataType::I16, "int16"),
        "u4" => (DataType::U32, "uint32"),
        "i4" => (DataType::I32, "int32"),
        "u8" => (DataType::U64, "uint64"),
        "i8" => (DataType::I64, "int64"),
        "f2" => (DataType::F16, "float16"),
        "f4" => (DataType::F32, "float32"),
        "f8" => (DataType::F64, "float64"),
        _ => {
            let kind = match rest.chars().next() {
                Some('O') => "object (Python's own, a pickle)".to_owned(),
                Some('c') => "complex".to_owned(),
                Some('f' | 'g') => "long double".to_owned(),
                Some('U' | 'S' | 'a') => "text".to_owned(),
                Some('M' | 'm') => "time (datetime64 or timedelta64)".to_owned(),
                Some('V') => "void, which is how NumPy stores types that it does not know itself, such as bfloat16".to_owned(),
                _ => format!("{text:?}"),
            };
            return Err(Trouble::Type(kind));
        }
    };
    Ok((value, name.to_owned(), big_endian))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn npy(version: u8, text: &str) -> Vec<u8> {
        let mut bytes = b"\x93NUMPY".to_vec();
        bytes.extend([version, 0]);
        match version {
            1 => bytes.extend((text.len() as u16).to_le_bytes()),
            _ => bytes.extend((text.len() as u32).to_le_bytes()),
        }
        bytes.extend(text.as_bytes());
        bytes
    }

    fn read(bytes: &[u8]) -> Result<Header, Trouble> {
        Header::read(&mut &*bytes)
    }

    /// NumPy's documentation gives these dictionaries; Python 2 wrote long integers with an `L`, which NumPy reads.
    #[test]
    fn heads_of_every_version_are_read() {
        let text = "{'descr': '<u2', 'fortran_order': False, 'shape': (3, 4), }      \n";
        for version in 1..=3 {
            let header = read(&npy(version, text)).unwrap();
            assert_eq!(
                (header.value, header.shape.as_slice()),
                (DataType::U16, &[3, 4][..])
            );
            assert!(!header.fortran && !header.big_endian);
            let width = if version == 1 { 2 } else { 4 };
            assert_eq!(header.start, (8 + width + text.len()) as u64);
            assert_eq!(header.bytes(), Some(24));
        }
        let header = read(&npy(
            1,
            "{\"shape\": (3L,), 'fortran_order': True, 'descr': \">f8\"}",
        ))
        .unwrap();
        assert_eq!(
            (header.value, header.shape.as_slice()),
            (DataType::F64, &[3][..])
        );
        assert!(header.fortran && header.big_endian);
        assert_eq!(
            read(&npy(1, "{'descr':'|b1','fortran_order':False,'shape':()}"))
                .unwrap()
                .shape,
            [0; 0]
        );
    }

    #[test]
    fn what_is_no_array_of_numbers_says_why() {
        let of = |kind: &str| {
            let text = format!("{{'descr': {kind}, 'fortran_order': False, 'shape': (3,), }}");
            match read(&npy(1, &text)) {
                Err(Trouble::Type(name)) => name,
                other => panic!("{other:?}"),
            }
        };
        assert!(of("'|O'").contains("object") && of("'<c8'").contains("complex"));
        assert!(of("[('a', '<f4'), ('b', '<i2', (2,))]").contains("fields"));
        assert!(of("'<U7'").contains("text") && of("'<M8[ns]'").contains("time"));
        assert!(of("'<V2'").contains("void") && of("'<f16'").contains("long double"));
        let is_format = |bytes: &[u8]| matches!(read(bytes), Err(Trouble::Format(_)));
        assert!(is_format(b"") && is_format(b"\x93NUMPY") && is_format(b"PK\x03\x04 and more"));
        assert!(is_format(&npy(4, "{}")) && is_format(&npy(1, "{}")) && is_format(&npy(1, "[1]")));
        assert!(is_format(&npy(
            1,
            "{'descr': '<f4', 'fortran_order': False, 'shape': (-3,)}"
        )));
        assert!(is_format(&npy(
            1,
            "{'descr': '<f4', 'fortran_order': 0, 'shape': (3,)}"
        )));
        let mut huge = b"\x93NUMPY\x02\x00".to_vec();
        huge.extend(u32::MAX.to_le_bytes());
        assert!(is_format(&huge));
        let whole = npy(
            1,
            "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }",
        );
        for length in 0..whole.len() {
            assert!(is_format(&whole[..length]), "{length}");
        }
        let beyond = format!(
            "{{'descr': '<f8', 'fortran_order': False, 'shape': ({0}, {0}), }}",
            u64::MAX
        );
        assert_eq!(read(&npy(1, &beyond)).unwrap().bytes(), None);
    }
}
