//! The values that a call keeps of one group, in order: what the state knows of them, and what a chunk makes of them.
//!
//! An entry of the space is a prefix, which says call and group, and then the value, encoded so that the wanted ones come
//! first; what it holds is how often the value is there. Whatever is read is read from the front and only as far as it is
//! needed, with the chunk's changes merged in.

use crate::{error::RunError, relational::Percentile, rows::Row, state::Reader, varint};

/// A change of how often a value is there. Lists are in order of value.
pub(crate) type Delta = (Row, i64);

/// Before the chunk and after it.
pub(crate) type BeforeAfter = (Option<Row>, Option<Row>);

/// What marks the lower part of a percentile's values in an entry's prefix: they lie in descending order.
const LOWER: u16 = 1 << 15;

/// The prefix of a call's values in a group.
pub(crate) fn value_prefix(call: u16, group: &[u8]) -> Vec<u8> {
    let mut prefix = call.to_be_bytes().to_vec();
    prefix.extend_from_slice(&(group.len() as u32).to_be_bytes());
    prefix.extend_from_slice(group);
    prefix
}

/// Adds up the changes of equal values; leaves them in order, without those that add up to nothing.
pub(crate) fn add_up(deltas: &mut Vec<Delta>) {
    deltas.sort();
    deltas.dedup_by(|next, first| {
        let is_same = next.0 == first.0;
        if is_same {
            first.1 += next.1;
        }
        is_same
    });
    deltas.retain(|delta| delta.1 != 0);
}

/// The same bytes in descending order. No encoding of a value begins another one, so the order is exactly turned around.
fn turned(value: &[u8]) -> Row {
    value.iter().map(|byte| !byte).collect::<Vec<u8>>().into()
}

/// Values of groups in one shard.
pub(crate) struct Values<'a> {
    pub reader: Reader,
    /// What is to be written: entry and count.
    pub entries: Vec<(Vec<u8>, i64)>,
    pub space: &'a str,
    /// Whether the state knows the group that is at work.
    pub is_stored: bool,
}

impl Values<'_> {
    fn corrupt(&self) -> RunError {
        RunError::damaged_state(self.space, "does not fit the changes")
    }

    /// Goes through the values that are stored or changed, in order. `each` hears a value, how often it was there and how often
    /// it is; until it says no. `was` learns how often the changed ones were there, as far as they were met.
    fn walk(
        &mut self,
        prefix: &[u8],
        deltas: &[Delta],
        was: &mut [Option<i64>],
        each: &mut dyn FnMut(&[u8], i64, i64) -> bool,
    ) -> Result<(), RunError> {
        let damaged = RunError::damaged_state(self.space, "does not fit the changes");
        let mut next = 0;
        if self.is_stored {
            let mut scan = self.reader.scan_prefix(prefix, prefix)?;
            while let Some((entry, bytes)) = scan.next_borrowed()? {
                let value = &entry[prefix.len()..];
                let Some(count) = count_of(bytes) else { return Err(damaged) };
                while let Some((new, delta)) = deltas.get(next).filter(|delta| *delta.0 < *value) {
                    was[next] = Some(0);
                    next += 1;
                    if !each(new, 0, *delta) {
                        return Ok(());
                    }
                }
                let mut delta = 0;
                if let Some((_, changed)) = deltas.get(next).filter(|delta| *delta.0 == *value) {
                    was[next] = Some(count);
                    next += 1;
                    delta = *changed;
                }
                if !each(value, count, count + delta) {
                    return Ok(());
                }
            }
        }
        for (at, (value, delta)) in deltas.iter().enumerate().skip(next) {
            was[at] = Some(0);
            if !each(value, 0, *delta) {
                break;
            }
        }
        Ok(())
    }

    /// Notes what is to be written, and says how often each changed value was and is there.
    fn settle(&mut self, prefix: &[u8], deltas: &[Delta], was: &[Option<i64>]) -> Result<Vec<(i64, i64)>, RunError> {
        let mut counts = Vec::with_capacity(deltas.len());
        for ((value, delta), was) in deltas.iter().zip(was) {
            let entry = [prefix, value].concat();
            let was = match was {
                Some(was) => *was,
                None if self.is_stored => match self.reader.get(&entry)? {
                    Some(bytes) => count_of(&bytes).ok_or_else(|| self.corrupt())?,
                    None => 0,
                },
                None => 0,
            };
            let is = was + delta;
            if is < 0 {
                return Err(self.corrupt());
            }
            self.entries.push((entry, is));
            counts.push((was, is));
        }
        Ok(counts)
    }

    /// Which of the changed values came for the first time (1) or went for good (-1), by their places.
    pub fn distinct(&mut self, prefix: &[u8], deltas: &[Delta]) -> Result<Vec<(usize, i64)>, RunError> {
        let counts = self.settle(prefix, deltas, &vec![None; deltas.len()])?;
        let came = |(was, is): (i64, i64)| i64::from(is > 0) - i64::from(was > 0);
        let came = counts.into_iter().map(came).enumerate();
        Ok(came.filter(|(_, came)| *came != 0).collect())
    }

    /// The first value.
    pub fn first(&mut self, prefix: &[u8], deltas: &[Delta]) -> Result<BeforeAfter, RunError> {
        let (mut old, mut new) = (None, None);
        let mut was = vec![None; deltas.len()];
        let is_stored = self.is_stored;
        self.walk(prefix, deltas, &mut was, &mut |value, before, after| {
            if before > 0 && old.is_none() {
                old = Some(value.into());
            }
            if after > 0 && new.is_none() {
                new = Some(value.into());
            }
            is_stored && old.is_none() || new.is_none()
        })?;
        self.settle(prefix, deltas, &was)?;
        Ok((old, new))
    }

    /// All values, as long as `each` asks for more.
    pub fn all(
        &mut self,
        prefix: &[u8],
        deltas: &[Delta],
        each: &mut dyn FnMut(&[u8], i64, i64) -> bool,
    ) -> Result<(), RunError> {
        let mut was = vec![None; deltas.len()];
        self.walk(prefix, deltas, &mut was, each)?;
        self.settle(prefix, deltas, &was)?;
        Ok(())
    }

    /// The last value of the lower part of a percentile's values, followed by the first of the upper part where the place lies
    /// between values; there it is the same where there is no upper part.
    ///
    /// The lower part holds the least values, as many as the percentile's place says, so that both parts lie around the place;
    /// a chunk moves as many from one to the other as it brought or took at the most. `counts` are the numbers of values.
    pub fn halves(
        &mut self,
        (call, group): (u16, &[u8]),
        percentile: Percentile,
        counts: (u64, u64),
        deltas: &[Delta],
    ) -> Result<BeforeAfter, RunError> {
        let (lower, upper) = (value_prefix(call | LOWER, group), value_prefix(call, group));
        let mut border: Option<(Row, i64)> = None;
        if !deltas.is_empty() {
            self.walk(&lower, &[], &mut [], &mut |value, count, _| {
                border = Some((turned(value), count));
                false
            })?;
        }
        let (mut below, mut above) = (Vec::new(), Vec::new());
        for (value, delta) in deltas {
            match &border {
                Some((border, _)) if value < border => below.push((turned(value), *delta)),
                // Of the value at the border some may lie in either part.
                Some((border, count)) if value == border => {
                    let of_lower = (*delta).max(-count);
                    below.push((turned(value), of_lower));
                    above.push((value.clone(), delta - of_lower));
                }
                _ => above.push((value.clone(), *delta)),
            }
        }
        add_up(&mut below);
        add_up(&mut above);
        let size = percentile.lower(counts.0) as i64 + below.iter().map(|delta| delta.1).sum::<i64>();
        let excess = size - percentile.lower(counts.1) as i64;
        if excess != 0 {
            let (prefix, deltas) = if excess > 0 { (&lower, &below) } else { (&upper, &above) };
            let moved = self.front(prefix, deltas, excess.abs())?;
            for (value, count) in moved {
                let other = turned(&value);
                let (of_lower, of_upper) = if excess > 0 { (value, other) } else { (other, value) };
                below.push((of_lower, -excess.signum() * count));
                above.push((of_upper, excess.signum() * count));
            }
            add_up(&mut below);
            add_up(&mut above);
        }
        let (low, high) = (self.first(&lower, &below)?, self.first(&upper, &above)?);
        let answer = |low: Option<Row>, high: Option<Row>| -> Option<Row> {
            let low = turned(&low?);
            if !percentile.interpolates {
                return Some(low);
            }
            let high = high.unwrap_or_else(|| low.clone());
            Some([&*low, &*high].concat().into())
        };
        Ok((answer(low.0, high.0), answer(low.1, high.1)))
    }

    /// The first `wanted` values, each with how often it is meant.
    fn front(&mut self, prefix: &[u8], deltas: &[Delta], mut wanted: i64) -> Result<Vec<Delta>, RunError> {
        let mut front = Vec::new();
        self.walk(prefix, deltas, &mut vec![None; deltas.len()], &mut |value, _, count| {
            let taken = count.min(wanted);
            if taken > 0 {
                front.push((value.into(), taken));
                wanted -= taken;
            }
            wanted > 0
        })?;
        if wanted > 0 { Err(self.corrupt()) } else { Ok(front) }
    }
}

fn count_of(bytes: &[u8]) -> Option<i64> {
    varint::read(bytes, &mut 0).and_then(|count| i64::try_from(count).ok())
}

#[cfg(test)]
mod tests;
