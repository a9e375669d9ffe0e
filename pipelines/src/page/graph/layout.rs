//! Where the stages of a pipeline are when it is drawn from left to right: every stage right of its inputs, edges with few
//! crossings and as straight as they can be (Sugiyama, Tagawa and Toda, 1981). The same pipeline is always drawn the same.

/// What is placed: how high a node is, and the room between two nodes or columns.
#[derive(Clone, Copy, Debug)]
pub struct Measures {
    /// The width of a node.
    pub node_width: f64,
    /// The height of a node.
    pub node_height: f64,
    /// The room between columns.
    pub column_gap: f64,
    /// The room between nodes of a column.
    pub row_gap: f64,
}

/// A drawing: where everything is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Layout {
    /// Of each node its left upper corner.
    pub nodes: Vec<(f64, f64)>,
    /// Of each edge the points that it goes through, from the right side of one node to the left side of the other. Between an
    /// odd point and the next it passes a column in a straight line.
    pub edges: Vec<Vec<(f64, f64)>>,
    /// The width of it all.
    pub width: f64,
    /// The height of it all.
    pub height: f64,
}

/// Sweeps over the columns in search of fewer crossings, and of straighter edges.
const SWEEPS: usize = 16;

/// A node, or the place where an edge passes a column.
struct Item {
    column: usize,
    height: f64,
    before: Vec<usize>,
    behind: Vec<usize>,
}

/// Places nodes. `inputs` has for each node the nodes it reads, all with smaller numbers; edges are in that order.
pub fn place(inputs: &[Vec<usize>], measures: &Measures) -> Layout {
    let columns = columns(inputs);
    let mut items: Vec<Item> = columns
        .iter()
        .map(|column| Item { column: *column, height: measures.node_height, before: Vec::new(), behind: Vec::new() })
        .collect();
    let mut chains = Vec::new();
    for (to, from) in inputs.iter().enumerate().flat_map(|(to, inputs)| inputs.iter().map(move |from| (to, *from))) {
        let mut chain = vec![from];
        for column in columns[from] + 1..columns[to] {
            items.push(Item { column, height: 0.0, before: Vec::new(), behind: Vec::new() });
            chain.push(items.len() - 1);
        }
        chain.push(to);
        for pair in chain.windows(2) {
            items[pair[0]].behind.push(pair[1]);
            items[pair[1]].before.push(pair[0]);
        }
        chains.push(chain);
    }
    let order = ordered(&items);
    let middles = middles(&items, &order, measures.row_gap);
    drawn(inputs.len(), &items, &chains, &middles, measures)
}

/// The column of each node: one more than the last of its inputs; a node without inputs is beside its first reader.
fn columns(inputs: &[Vec<usize>]) -> Vec<usize> {
    let mut columns = vec![0; inputs.len()];
    for (node, inputs) in inputs.iter().enumerate() {
        columns[node] = inputs.iter().map(|input| columns[*input] + 1).max().unwrap_or(0);
    }
    for (node, own) in inputs.iter().enumerate() {
        let readers = inputs.iter().enumerate().filter(|(_, inputs)| inputs.contains(&node));
        let first: Option<usize> = readers.map(|(reader, _)| columns[reader]).min();
        if own.is_empty()
            && let Some(first) = first
        {
            columns[node] = first.saturating_sub(1);
        }
    }
    columns
}

/// The items of each column from top to bottom, with the fewest crossings that were found.
fn ordered(items: &[Item]) -> Vec<Vec<usize>> {
    let count = items.iter().map(|item| item.column + 1).max().unwrap_or(0);
    let mut order = vec![Vec::new(); count];
    for (at, item) in items.iter().enumerate() {
        order[item.column].push(at);
    }
    let mut best = (crossings(items, &order), order.clone());
    for sweep in 0..SWEEPS {
        let forwards = sweep % 2 == 0;
        let columns: Vec<usize> = if forwards { (0..count).collect() } else { (0..count).rev().collect() };
        for column in columns {
            let places = places(items.len(), &order);
            let mean = |item: usize| {
                let beside = if forwards { &items[item].before } else { &items[item].behind };
                let sum: usize = beside.iter().map(|other| places[*other]).sum();
                // Who has nobody on that side stays where it is.
                if beside.is_empty() { places[item] as f64 } else { sum as f64 / beside.len() as f64 }
            };
            order[column].sort_by(|a, b| mean(*a).total_cmp(&mean(*b)));
        }
        let found = crossings(items, &order);
        if found < best.0 {
            best = (found, order.clone());
        }
    }
    best.1
}

fn places(count: usize, order: &[Vec<usize>]) -> Vec<usize> {
    let mut places = vec![0; count];
    for column in order {
        column.iter().enumerate().for_each(|(place, item)| places[*item] = place);
    }
    places
}

/// How many pairs of edges cross.
fn crossings(items: &[Item], order: &[Vec<usize>]) -> usize {
    let places = places(items.len(), order);
    let mut count = 0;
    for column in order {
        let edges: Vec<(usize, usize)> = column
            .iter()
            .flat_map(|item| items[*item].behind.iter().map(|behind| (places[*item], places[*behind])))
            .collect();
        for (at, a) in edges.iter().enumerate() {
            count += edges[at + 1..].iter().filter(|b| (a.0 < b.0 && a.1 > b.1) || (a.0 > b.0 && a.1 < b.1)).count();
        }
    }
    count
}

/// The height of the middle of each item: near its neighbours, never over one of its own column.
fn middles(items: &[Item], order: &[Vec<usize>], gap: f64) -> Vec<f64> {
    let mut middles = vec![0.0; items.len()];
    let apart = |upper: usize, lower: usize| (items[upper].height + items[lower].height) / 2.0 + gap;
    for column in order {
        for pair in column.windows(2) {
            middles[pair[1]] = middles[pair[0]] + apart(pair[0], pair[1]);
        }
    }
    for sweep in 0..2 * SWEEPS {
        let columns: Vec<&Vec<usize>> =
            if sweep % 2 == 0 { order.iter().collect() } else { order.iter().rev().collect() };
        for column in columns {
            let mut offset = 0.0;
            let mut offsets = Vec::with_capacity(column.len());
            for (at, item) in column.iter().enumerate() {
                offset += if at == 0 { 0.0 } else { apart(column[at - 1], *item) };
                offsets.push(offset);
            }
            let wanted = column.iter().zip(&offsets).map(|(item, offset)| {
                let beside: Vec<usize> = items[*item].before.iter().chain(&items[*item].behind).copied().collect();
                let sum: f64 = beside.iter().map(|other| middles[*other]).sum();
                (if beside.is_empty() { middles[*item] } else { sum / beside.len() as f64 }) - offset
            });
            let placed = rising(wanted.collect());
            for ((item, offset), place) in column.iter().zip(&offsets).zip(placed) {
                middles[*item] = place + offset;
            }
        }
    }
    middles
}

/// The rising numbers that lie nearest to these: isotonic regression, by pooling adjacent violators.
fn rising(wanted: Vec<f64>) -> Vec<f64> {
    let mut pools: Vec<(f64, usize)> = Vec::new();
    for value in wanted {
        pools.push((value, 1));
        while let [.., a, b] = pools[..]
            && a.0 > b.0
        {
            let count = a.1 + b.1;
            let mean = (a.0 * a.1 as f64 + b.0 * b.1 as f64) / count as f64;
            pools.truncate(pools.len() - 2);
            pools.push((mean, count));
        }
    }
    pools.into_iter().flat_map(|(value, count)| std::iter::repeat_n(value, count)).collect()
}

/// The coordinates.
fn drawn(nodes: usize, items: &[Item], chains: &[Vec<usize>], middles: &[f64], measures: &Measures) -> Layout {
    let top = items.iter().zip(middles).map(|(item, middle)| middle - item.height / 2.0).fold(f64::INFINITY, f64::min);
    let bottom = items.iter().zip(middles).map(|(item, middle)| middle + item.height / 2.0).fold(0.0, f64::max);
    let left = |item: usize| items[item].column as f64 * (measures.node_width + measures.column_gap);
    let middle = |item: usize| middles[item] - top;
    let edge = |chain: &Vec<usize>| {
        let mut points = Vec::new();
        for (at, item) in chain.iter().enumerate() {
            if at > 0 {
                points.push((left(*item), middle(*item)));
            }
            if at + 1 < chain.len() {
                points.push((left(*item) + measures.node_width, middle(*item)));
            }
        }
        points
    };
    let last = items.iter().map(|item| item.column).max();
    let width =
        last.map_or(0.0, |last| last as f64 * (measures.node_width + measures.column_gap) + measures.node_width);
    Layout {
        nodes: (0..nodes).map(|node| (left(node), middle(node) - items[node].height / 2.0)).collect(),
        edges: chains.iter().map(edge).collect(),
        width,
        height: if items.is_empty() { 0.0 } else { bottom - top },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEASURES: Measures = Measures { node_width: 100.0, node_height: 40.0, column_gap: 50.0, row_gap: 10.0 };

    #[test]
    fn nothing_lies_over_another_and_edges_go_right() {
        // A source, two branches, a late source, and a sink that reads all of them.
        let inputs = [vec![], vec![0], vec![0], vec![1, 2], vec![], vec![3, 4], vec![1, 2, 3, 5]];
        let layout = place(&inputs, &MEASURES);
        assert_eq!(layout, place(&inputs, &MEASURES));
        for (a, (ax, ay)) in layout.nodes.iter().enumerate() {
            assert!(*ax >= 0.0 && *ay >= 0.0 && ax + 100.0 <= layout.width && ay + 40.0 <= layout.height + 0.001);
            for (bx, by) in &layout.nodes[a + 1..] {
                assert!(ax != bx || (ay - by).abs() >= 49.9, "{:?}", layout.nodes);
            }
        }
        assert_eq!(layout.nodes[4].0, layout.nodes[3].0, "a source is beside its first reader");
        assert_eq!(layout.edges.len(), 10);
        assert!(layout.edges.iter().all(|edge| edge.windows(2).all(|pair| pair[0].0 < pair[1].0)));
    }

    #[test]
    fn crossings_are_undone() {
        // Two chains that would cross in the order of the file.
        let inputs = [vec![], vec![], vec![1], vec![0]];
        let layout = place(&inputs, &MEASURES);
        let straight = |edge: &Vec<(f64, f64)>| (edge[0].1 - edge[1].1).abs() < 0.1;
        assert!(layout.edges.iter().all(straight), "{layout:?}");
    }

    #[test]
    fn nothing_is_drawn_of_nothing() {
        assert_eq!(place(&[], &MEASURES), Layout::default());
    }

    #[test]
    fn values_are_moved_as_little_as_can_be() {
        assert_eq!(rising(vec![1.0, 3.0, 2.0, 5.0]), [1.0, 2.5, 2.5, 5.0]);
        assert_eq!(rising(vec![3.0, 2.0, 1.0]), [2.0, 2.0, 2.0]);
    }
}
