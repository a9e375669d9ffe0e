//! Which stretches of a file hold the records of its regions, if what an index says of them proves itself.
//!
//! Nothing is believed that the file does not bear out. The contigs' ranges must lie end to end, from the header to the file's
//! end, begin with a record of their contig and end with one; a stretch must begin before its region, or where its contig
//! does, and a record after the region must follow it. Since a file can be indexed only if it is sorted, no record that
//! begins in a region can lie elsewhere. Records that begin before a region and reach into it are found twice: through the
//! chunks of all bins that overlap it, and through the lowest offset of the region's first window, from which on everything
//! is read. And a contig's chunks must cover its range without a gap, in an order that their bins allow.

use std::{collections::BTreeSet, io};

use noodles_bgzf::VirtualPosition;

use crate::sources::shared::stretches::Stretch;
use crate::sources::vcf::{
    header::VcfHeader,
    index::{
        file::{Chunk, IndexFile, IndexedContig, damaged},
        probe::Probe,
    },
    regions::Regions,
};

/// Regions closer than this are looked up together: the width of an index's smallest bin.
const LOOKUP_GAP: i64 = 1 << 14;

/// How many steps back are tried before a stretch begins where its contig does.
const MOST_STEPS: usize = 64;

/// A contig that has records.
struct Contig<'a> {
    name: &'a str,
    indexed: &'a IndexedContig,
    start: VirtualPosition,
    end: VirtualPosition,
    /// Where its chunks begin, in order.
    starts: Vec<u64>,
}

/// The stretches to read, in the order of the file. `header_bytes` is the length of the header, decompressed.
///
/// # Errors
/// When the index does not prove itself, and when the file cannot be read.
pub(super) fn stretches(
    index: &IndexFile,
    names: &[Option<String>],
    probe: &mut Probe<'_>,
    header: &VcfHeader,
    header_bytes: u64,
    regions: &Regions,
) -> io::Result<Vec<Stretch>> {
    let contigs = contigs(index, names, probe, header_bytes)?;
    let mut found: Vec<Stretch> = Vec::new();
    for contig in &contigs {
        let mut of_contig: Vec<Stretch> = Vec::new();
        let regions = together(regions.of(header.contig_names.canonical(contig.name)));
        if !regions.is_empty() {
            contig.check_chunks(index, probe)?;
        }
        for region in regions {
            of_contig.extend(contig.stretches(index, region, probe)?);
        }
        of_contig.sort_by_key(|stretch| stretch.start);
        of_contig.dedup_by(|next, before| {
            let touches = next.start <= before.end;
            if touches {
                before.end = before.end.max(next.end);
            }
            touches
        });
        found.extend(of_contig.into_iter().filter(|stretch| stretch.start < stretch.end));
    }
    Ok(found)
}

/// The contigs that have records, in the order of the file, end to end.
fn contigs<'a>(
    index: &'a IndexFile,
    names: &'a [Option<String>],
    probe: &mut Probe<'_>,
    header_bytes: u64,
) -> io::Result<Vec<Contig<'a>>> {
    let mut contigs = Vec::new();
    let mut seen = BTreeSet::new();
    for (indexed, name) in index.contigs.iter().zip(names) {
        let chunks = || indexed.bins.values().flat_map(|bin| bin.chunks.iter().copied());
        let bounds = chunks().reduce(|a: Chunk, b| (a.0.min(b.0), a.1.max(b.1)));
        let Some((first, last)) = indexed.range.filter(|range| range.0 < range.1).or(bounds) else { continue };
        let (Some(name), Some(bounds)) = (name.as_deref(), bounds) else {
            return Err(damaged("it has records of a contig without name or without bins"));
        };
        if !seen.insert(name) || bounds.0 < first || bounds.1 > last {
            return Err(damaged("it contradicts itself"));
        }
        let starts: BTreeSet<u64> = chunks().map(|chunk| chunk.0).collect();
        let (start, end) = (VirtualPosition::from(first), VirtualPosition::from(last));
        contigs.push(Contig { name, indexed, start, end, starts: starts.into_iter().collect() });
    }
    contigs.sort_by_key(|contig| contig.start);
    let mut behind = probe.after(header_bytes)?;
    for contig in &mut contigs {
        contig.start = probe.canonical(contig.start)?;
        if contig.start != behind || probe.record(contig.start)?.contig != contig.name {
            return Err(damaged("its contigs do not lie end to end"));
        }
        contig.end = probe.canonical(contig.end)?;
        // What lies before the next contig is the last of this one.
        let last = contig.starts.last().map_or(contig.start, |last| VirtualPosition::from(*last));
        if !probe.are_all_on(contig.name, last, contig.end)? {
            return Err(damaged("a contig does not end where it says"));
        }
        behind = contig.end;
    }
    match probe.is_end(behind)? {
        true => Ok(contigs),
        false => Err(damaged("records follow that the index does not know")),
    }
}

impl Contig<'_> {
    /// The stretches that hold all records of a region, 1-based and inclusive.
    fn stretches(
        &self,
        index: &IndexFile,
        (start, end): (i64, i64),
        probe: &mut Probe<'_>,
    ) -> io::Result<Vec<Stretch>> {
        let (first, behind) = (start.max(1) - 1, end);
        // A number that no bin has may stand for any.
        let overlaps = |number: u32| index.span(number).is_none_or(|(from, to)| from < behind && to > first);
        let bins = self.indexed.bins.iter().filter(|(number, _)| overlaps(**number));
        let chunks: Vec<Chunk> = bins.flat_map(|(_, bin)| bin.chunks.iter().copied()).collect();
        let lowest = self.low(index, first).or(chunks.iter().map(|chunk| chunk.0).min());
        let main = self.begin(lowest, start, probe)?;
        let last = chunks.iter().map(|chunk| chunk.1).max().unwrap_or_default().max(u64::from(main));
        let main_end = self.end(last, end, probe)?;
        let mut found = vec![self.stretch(main, main_end)];
        for (from, to) in chunks.into_iter().filter(|chunk| chunk.0 < u64::from(main)) {
            let (from, to) =
                (probe.canonical(VirtualPosition::from(from))?, probe.canonical(VirtualPosition::from(to))?);
            if from < self.start || to > self.end {
                return Err(damaged("a chunk lies outside its contig"));
            }
            // It begins with a record of the contig, and another follows it.
            let ends = to == self.end || probe.record(to)?.contig == self.name;
            if !ends || probe.record(from)?.contig != self.name {
                return Err(damaged("a chunk does not hold records of its contig"));
            }
            found.push(self.stretch(from, to));
        }
        Ok(found)
    }

    /// The contig's chunks cover its range without a gap, and since the file is sorted no chunk can begin after another whose
    /// bin lies wholly after its own.
    fn check_chunks(&self, index: &IndexFile, probe: &mut Probe<'_>) -> io::Result<()> {
        let bins = self.indexed.bins.iter();
        let mut chunks: Vec<(Chunk, u32)> =
            bins.flat_map(|(number, bin)| bin.chunks.iter().map(|chunk| (*chunk, *number))).collect();
        chunks.sort_unstable();
        let (mut reach, mut furthest) = (u64::from(self.start), 0);
        for ((start, end), number) in chunks {
            let Some((from, to)) = index.span(number) else { return Err(damaged("it has a bin that there is not")) };
            // The end of a block and the beginning of the next are one place.
            let mut at = |place| probe.canonical(VirtualPosition::from(place));
            if start >= end || to <= furthest || (start > reach && at(reach)? != at(start)?) {
                return Err(damaged("its chunks do not follow each other"));
            }
            (reach, furthest) = (reach.max(end), furthest.max(from));
        }
        match probe.canonical(VirtualPosition::from(reach))? == self.end {
            true => Ok(()),
            false => Err(damaged("its chunks do not follow each other")),
        }
    }

    fn stretch(&self, start: VirtualPosition, end: VirtualPosition) -> Stretch {
        Stretch { start, end, contig: self.name.to_owned() }
    }

    /// Where all records from this position on lie after it, 1-based: a record that begins before it proves so.
    fn begin(&self, lowest: Option<u64>, position: i64, probe: &mut Probe<'_>) -> io::Result<VirtualPosition> {
        if position <= 1 {
            return Ok(self.start);
        }
        let lowest = lowest.or(self.starts.last().copied()).unwrap_or_default();
        let steps = self.starts.iter().rev().filter(|start| **start < lowest);
        for at in std::iter::once(&lowest).chain(steps).take(MOST_STEPS) {
            let at = VirtualPosition::from(*at);
            if at <= self.start {
                break;
            }
            if at < self.end && self.position_at(at, probe)? < position {
                return probe.canonical(at);
            }
        }
        Ok(self.start)
    }

    /// Where all records up to this position lie before, 1-based and inclusive: a record that begins after it proves so.
    fn end(&self, last: u64, position: i64, probe: &mut Probe<'_>) -> io::Result<VirtualPosition> {
        let steps = self.starts.iter().filter(|start| **start > last);
        for at in std::iter::once(&last).chain(steps).take(MOST_STEPS) {
            let at = probe.canonical(VirtualPosition::from(*at))?;
            if position == i64::MAX || at >= self.end {
                break;
            }
            if self.position_at(at, probe)? > position {
                return Ok(at);
            }
        }
        Ok(self.end)
    }

    /// The position of the record of this contig that begins at a place.
    fn position_at(&self, at: VirtualPosition, probe: &mut Probe<'_>) -> io::Result<i64> {
        let place = probe.record(at)?;
        match place.contig == self.name {
            true => Ok(place.position),
            false => Err(damaged("a chunk begins or ends on another contig")),
        }
    }

    /// The lowest offset of the window that holds a position, 0-based: that of the first record that overlaps the window.
    fn low(&self, index: &IndexFile, first: i64) -> Option<u64> {
        if !self.indexed.windows.is_empty() {
            let window = usize::try_from(first >> index.min_shift).ok()?;
            return self.indexed.windows.get(window).copied();
        }
        let begins = |number: &u32| index.span(*number).map(|(start, _)| start);
        let bins = self.indexed.bins.iter().filter_map(|(number, bin)| Some((begins(number)?, *number, bin.low?)));
        bins.filter(|(start, ..)| *start <= first).max().map(|(.., low)| low)
    }
}

/// Regions in order, those that lie close together as one.
fn together(regions: &[(i64, i64)]) -> Vec<(i64, i64)> {
    let mut wider: Vec<(i64, i64)> = Vec::new();
    for (start, end) in regions {
        match wider.last_mut() {
            Some(last) if start.saturating_sub(last.1) < LOOKUP_GAP => last.1 = *end,
            _ => wider.push((*start, *end)),
        }
    }
    wider
}
