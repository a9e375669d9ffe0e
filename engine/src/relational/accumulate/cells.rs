//! The accumulators of a group: a vector of exact integers that are added, and its bytes in the state.

use serde::{Deserialize, Serialize};

/// The linear part of a group: one exact integer per cell of a [`Layout`](super::Layout).
///
/// The empty vector is zero, and so is any vector of zeros. Addition wraps, which makes the type a group whatever it holds;
/// that it never does wrap follows from the layout: a cell takes at most 2^64 per row, so it has room for 2^62 rows.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Cells(Box<[i128]>);

impl Cells {
    /// Cells with these values.
    pub fn new(values: impl Into<Box<[i128]>>) -> Cells {
        Cells(values.into())
    }

    /// The values; fewer than the layout's cells where the rest is zero.
    pub fn values(&self) -> &[i128] {
        &self.0
    }

    /// The values, to be changed; at least `cells` of them.
    pub fn values_mut(&mut self, cells: usize) -> &mut [i128] {
        self.widen(cells);
        &mut self.0
    }

    /// Appends the bytes of these cells: zigzag varints, and a zero byte with a count for a run of zeros, since most
    /// cells are zero.
    pub fn encode(&self, bytes: &mut Vec<u8>) {
        let mut rest = &self.0[..];
        while let Some(value) = rest.first() {
            if *value == 0 {
                let run = rest.iter().take_while(|value| **value == 0).count();
                bytes.push(0);
                write_varint(run as u128, bytes);
                rest = &rest[run..];
            } else {
                write_varint(((value << 1) ^ (value >> 127)) as u128, bytes);
                rest = &rest[1..];
            }
        }
    }

    /// Reads what [`Cells::encode`] wrote: all of `bytes`.
    ///
    /// # Errors
    /// When the bytes are not such cells.
    pub fn decode(mut bytes: &[u8]) -> Result<Cells, CellsError> {
        let mut values = Vec::new();
        while !bytes.is_empty() {
            match read_varint(&mut bytes)? {
                0 => {
                    let run = usize::try_from(read_varint(&mut bytes)?).map_err(|_| CellsError)?;
                    if run == 0 || run > CELLS_MAX - values.len() {
                        return Err(CellsError);
                    }
                    values.resize(values.len() + run, 0);
                }
                _ if values.len() == CELLS_MAX => return Err(CellsError),
                zigzag => values.push((zigzag >> 1) as i128 ^ -((zigzag & 1) as i128)),
            }
        }
        Ok(Cells::new(values))
    }

    /// Adds other cells to these.
    pub fn add(&mut self, other: &Cells) {
        self.widen(other.0.len());
        for (value, other) in self.0.iter_mut().zip(&other.0) {
            *value = value.wrapping_add(*other);
        }
    }

    /// Whether all is zero.
    pub fn is_zero(&self) -> bool {
        self.0.iter().all(|value| *value == 0)
    }

    fn widen(&mut self, cells: usize) {
        if self.0.len() < cells {
            let mut wide = std::mem::take(&mut self.0).into_vec();
            wide.resize(cells, 0);
            self.0 = wide.into_boxed_slice();
        }
    }
}

/// More cells than any layout has; damaged bytes must not ask for more memory than this.
const CELLS_MAX: usize = 1 << 20;

/// The bytes are not encoded cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the stored accumulators of an aggregate are damaged")]
pub struct CellsError;

fn write_varint(mut value: u128, bytes: &mut Vec<u8>) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

fn read_varint(bytes: &mut &[u8]) -> Result<u128, CellsError> {
    let mut value = 0_u128;
    for shift in (0..128).step_by(7) {
        let (byte, rest) = bytes.split_first().ok_or(CellsError)?;
        *bytes = rest;
        let bits = u128::from(byte & 0x7f);
        if shift == 126 && bits > 3 {
            return Err(CellsError);
        }
        value |= bits << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(CellsError)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(values: &[i128]) -> Vec<u8> {
        let mut bytes = Vec::new();
        Cells::new(values).encode(&mut bytes);
        bytes
    }

    #[test]
    fn bytes_come_back_as_the_same_cells() {
        let mut cases =
            vec![vec![], vec![0], vec![0; 300], vec![1, -1, 0, 63, 64, -64, -65], vec![i128::MAX, i128::MIN]];
        let mut random = 7_u128;
        for length in 0..60 {
            cases.push(
                (0..length)
                    .map(|at| {
                        random = random.wrapping_mul(0x2360_ED05_1FC6_5DA4_4385_DF64_9FCC_F645).wrapping_add(1);
                        if random >> 126 == 0 { 0 } else { (random as i128) >> (at * 2) }
                    })
                    .collect(),
            );
        }
        for case in cases {
            assert_eq!(Cells::decode(&encoded(&case)), Ok(Cells::new(case.clone())), "{case:?}");
        }
    }

    #[test]
    fn zeros_are_cheap() {
        assert_eq!(encoded(&[0; 40]).len(), 2);
        assert_eq!(encoded(&[5, 0, 0, 0, -3]), [10, 0, 3, 5]);
    }

    #[test]
    fn damaged_bytes_are_refused() {
        let whole = encoded(&[1 << 100, 0, 0, 7]);
        for cut in 1..15 {
            assert_eq!(Cells::decode(&whole[..cut]), Err(CellsError), "{cut}");
        }
        for bad in [&[0][..], &[0, 0], &[0xff; 19], &[0xff; 30], &[0, 0xff, 0xff, 0xff, 0xff, 0x0f]] {
            assert_eq!(Cells::decode(bad), Err(CellsError), "{bad:?}");
        }
    }

    #[test]
    fn cells_add_up_and_vanish() {
        let (a, b) = (Cells::new([1, 2]), Cells::new([10, 20, 30]));
        let mut sum = Cells::default();
        sum.add(&a);
        sum.add(&b);
        assert_eq!(sum.values(), [11, 22, 30]);
        sum.add(&Cells::new([-1, -2]));
        sum.add(&Cells::new([-10, -20, -30]));
        assert!(sum.is_zero() && Cells::default().is_zero() && !b.is_zero());
        let mut most = Cells::new([i128::MAX]);
        most.add(&Cells::new([1]));
        most.add(&Cells::new([-1]));
        assert_eq!(most.values(), [i128::MAX]);
    }
}
