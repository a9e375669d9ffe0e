//! Several runs read as one: ascending keys, of each key the entry of the newest run.

use super::cursor::SectionCursor;
use super::error::StateError;

#[cfg(test)]
thread_local! {
    /// How many keys this thread has moved on from.
    pub(super) static STEPS: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

/// The cursors of some runs, newest first, and the order in which they come next.
pub(super) struct Merge<'a> {
    cursors: &'a mut [SectionCursor],
    /// Cursors that are not at their end, the one with the smallest key last; of equal keys the newest run last.
    order: Vec<usize>,
}

impl<'a> Merge<'a> {
    /// Starts at the first key that is `from` or greater. `cursors` are newest first.
    pub(super) fn seek(cursors: &'a mut [SectionCursor], from: &[u8]) -> Result<Merge<'a>, StateError> {
        Merge::seek_where(cursors, from, |_| Ok(true))
    }

    /// As [`Merge::seek`], leaving out the runs that `reads` says no to.
    pub(super) fn seek_where(
        cursors: &'a mut [SectionCursor],
        from: &[u8],
        mut reads: impl FnMut(&mut SectionCursor) -> Result<bool, StateError>,
    ) -> Result<Merge<'a>, StateError> {
        let mut merge = Merge { cursors, order: Vec::new() };
        for index in 0..merge.cursors.len() {
            if reads(&mut merge.cursors[index])? {
                merge.cursors[index].seek(from)?;
                merge.enqueue(index);
            }
        }
        Ok(merge)
    }

    /// The current entry, `None` at the end; the value is `None` for a tombstone.
    pub(super) fn entry(&self) -> Option<(&[u8], Option<&[u8]>)> {
        self.cursors[*self.order.last()?].entry()
    }

    /// Moves to the next key.
    pub(super) fn advance(&mut self) -> Result<(), StateError> {
        #[cfg(test)]
        STEPS.with(|steps| steps.set(steps.get() + 1));
        // The older entries of the same key first, while the newest still shows which key that is.
        while let [.., next, top] = self.order[..]
            && self.key(next) == self.key(top)
        {
            self.order.remove(self.order.len() - 2);
            self.cursors[next].advance()?;
            self.enqueue(next);
        }
        if let Some(top) = self.order.pop() {
            self.cursors[top].advance()?;
            self.enqueue(top);
        }
        Ok(())
    }

    fn key(&self, index: usize) -> Option<&[u8]> {
        self.cursors[index].entry().map(|(key, _)| key)
    }

    /// Puts a cursor where it belongs. From the end, since after a step the same run most often comes next.
    fn enqueue(&mut self, index: usize) {
        let Some((key, _)) = self.cursors[index].entry() else { return };
        let mut position = self.order.len();
        while position > 0 {
            let other = self.order[position - 1];
            let comes_first = match self.key(other) {
                Some(other_key) => (other_key, other) < (key, index),
                None => false,
            };
            if !comes_first {
                break;
            }
            position -= 1;
        }
        self.order.insert(position, index);
    }
}
