//! Places for the nodes and cords of a layered graph (Sugiyama, Tagawa and Toda 1981): a column a layer, the order within
//! each by the mean place of the neighbours, and a small way through every column that a cord passes.

pub(super) const NODE: (f64, f64) = (180.0, 96.0);
/// Width of a column without stages.
pub(super) const INPUT: f64 = 116.0;
const GAP: (f64, f64) = (44.0, 18.0);
/// Height of a way through a column.
const WAY: f64 = 8.0;
const MARGIN: f64 = 10.0;
const SWEEPS: usize = 8;

/// Where everything is.
pub(super) struct Layout {
    /// The upper left corner of each node.
    pub(super) nodes: Vec<(f64, f64)>,
    /// From right to left edge of nodes and ways: pairs of ends.
    pub(super) cords: Vec<Cord>,
    pub(super) size: (f64, f64),
}

/// A cord: its node of origin, and a way of points from there to another node.
pub(super) struct Cord {
    pub(super) from: usize,
    pub(super) points: Vec<(f64, f64)>,
}

/// Nodes by column, and for each the nodes that it reads, which stand in columns before it.
/// The first column is a narrow one if it holds the input alone.
pub(super) fn layout(columns: &[usize], reads: &[Vec<usize>], has_input: bool) -> Layout {
    let mut grid = Grid::new(columns, reads);
    grid.order();
    grid.places(if has_input { INPUT } else { NODE.0 })
}

/// A node, or a way through a column for the cords of one node.
struct Vertex {
    column: usize,
    is_node: bool,
    before: Vec<usize>,
    after: Vec<usize>,
}

struct Grid {
    vertices: Vec<Vertex>,
    /// The first ones are the nodes.
    nodes: usize,
    columns: Vec<Vec<usize>>,
    /// Each cord as a chain of vertices.
    chains: Vec<Vec<usize>>,
}

impl Grid {
    fn new(columns: &[usize], reads: &[Vec<usize>]) -> Self {
        let vertex = |&column: &usize| Vertex { column, is_node: true, before: Vec::new(), after: Vec::new() };
        let mut vertices: Vec<Vertex> = columns.iter().map(vertex).collect();
        let nodes = vertices.len();
        let mut chains = Vec::new();
        // The ways of each node, by column: its cords share them.
        let mut ways: Vec<Vec<usize>> = vec![Vec::new(); nodes];
        for (reader, sources) in reads.iter().enumerate().take(nodes) {
            for &source in sources.iter().filter(|&&source| source < nodes && columns[source] < columns[reader]) {
                let mut chain = vec![source];
                for column in columns[source] + 1..columns[reader] {
                    let place = column - columns[source] - 1;
                    if ways[source].len() <= place {
                        ways[source].push(vertices.len());
                        vertices.push(Vertex { column, is_node: false, before: Vec::new(), after: Vec::new() });
                    }
                    chain.push(ways[source][place]);
                }
                chain.push(reader);
                chains.push(chain);
            }
        }
        for pair in chains.iter().flat_map(|chain| chain.windows(2)) {
            if !vertices[pair[0]].after.contains(&pair[1]) {
                vertices[pair[0]].after.push(pair[1]);
                vertices[pair[1]].before.push(pair[0]);
            }
        }
        let width = columns.iter().max().map_or(0, |last| last + 1);
        let mut grid = vec![Vec::new(); width];
        for (place, vertex) in vertices.iter().enumerate() {
            grid[vertex.column].push(place);
        }
        Self { vertices, nodes, columns: grid, chains }
    }

    /// Sweeps to and fro, and keeps the order with the fewest crossings.
    fn order(&mut self) {
        let mut best = (self.crossings(), self.columns.clone());
        for sweep in 0..SWEEPS {
            let forth = sweep % 2 == 0;
            let count = self.columns.len();
            for step in 1..count {
                self.sort(if forth { step } else { count - 1 - step }, forth);
            }
            let crossings = self.crossings();
            if crossings < best.0 {
                best = (crossings, self.columns.clone());
            }
        }
        self.columns = best.1;
    }

    fn sort(&mut self, column: usize, forth: bool) {
        let places = self.order_of(if forth { column.wrapping_sub(1) } else { column + 1 });
        let vertices = &self.vertices;
        let mean = |vertex: usize, own: usize| {
            let near = if forth { &vertices[vertex].before } else { &vertices[vertex].after };
            let known: Vec<f64> = near.iter().filter_map(|near| places.get(*near).copied().flatten()).collect();
            if known.is_empty() { own as f64 } else { known.iter().sum::<f64>() / known.len() as f64 }
        };
        let Some(order) = self.columns.get_mut(column) else { return };
        let mut keyed: Vec<(f64, usize)> =
            order.iter().enumerate().map(|(own, &vertex)| (mean(vertex, own), vertex)).collect();
        keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
        *order = keyed.into_iter().map(|(_, vertex)| vertex).collect();
    }

    /// The place of each vertex within a column.
    fn order_of(&self, column: usize) -> Vec<Option<f64>> {
        let mut places = vec![None; self.vertices.len()];
        for (place, &vertex) in self.columns.get(column).into_iter().flatten().enumerate() {
            places[vertex] = Some(place as f64);
        }
        places
    }

    fn crossings(&self) -> usize {
        let mut count = 0;
        for (column, order) in self.columns.iter().enumerate() {
            let places = self.order_of(column + 1);
            let ends: Vec<Vec<f64>> = order
                .iter()
                .map(|&vertex| self.vertices[vertex].after.iter().filter_map(|after| places[*after]).collect())
                .collect();
            for (upper, above) in ends.iter().enumerate() {
                for below in &ends[upper + 1..] {
                    count += above.iter().map(|a| below.iter().filter(|b| a > *b).count()).sum::<usize>();
                }
            }
        }
        count
    }

    fn places(&self, first: f64) -> Layout {
        let height = |vertex: usize| if self.vertices[vertex].is_node { NODE.1 } else { WAY };
        let tall = |order: &Vec<usize>| {
            order.iter().map(|&vertex| height(vertex)).sum::<f64>() + GAP.1 * order.len().saturating_sub(1) as f64
        };
        let tallest = self.columns.iter().map(tall).fold(0.0, f64::max);
        let wide = |column: usize| if column == 0 { first } else { NODE.0 };
        let left = |column: usize| MARGIN + (0..column).map(|before| wide(before) + GAP.0).sum::<f64>();
        let mut corners = vec![(0.0, 0.0); self.vertices.len()];
        for (column, order) in self.columns.iter().enumerate() {
            let x = left(column);
            let mut y = MARGIN + (tallest - tall(order)) / 2.0;
            for &vertex in order {
                corners[vertex] = (x, y);
                y += height(vertex) + GAP.1;
            }
        }
        let cords = self.chains.iter().map(|chain| {
            let mut points = Vec::with_capacity(chain.len() * 2);
            for (place, &vertex) in chain.iter().enumerate() {
                let (x, y) = corners[vertex];
                let middle = y + height(vertex) / 2.0;
                if place > 0 {
                    points.push((x, middle));
                }
                if place + 1 < chain.len() {
                    points.push((x + wide(self.vertices[vertex].column), middle));
                }
            }
            Cord { from: chain[0], points }
        });
        Layout {
            cords: cords.collect(),
            size: (left(self.columns.len().max(1)) - GAP.0 + MARGIN, 2.0 * MARGIN + tallest),
            nodes: corners[..self.nodes].to_vec(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_do_not_touch_and_cords_go_to_the_right() {
        // A diamond with a cord past it, and two nodes that cross unless they are put in order.
        let columns = [0, 1, 1, 2, 3, 1];
        let reads = [vec![], vec![0], vec![0], vec![1, 2, 5], vec![3, 0], vec![0]];
        let layout = layout(&columns, &reads, false);
        for (place, a) in layout.nodes.iter().enumerate() {
            for b in &layout.nodes[place + 1..] {
                assert!((a.0 - b.0).abs() >= NODE.0 || (a.1 - b.1).abs() >= NODE.1, "{a:?} {b:?}");
            }
            assert!(a.0 + NODE.0 <= layout.size.0 && a.1 + NODE.1 <= layout.size.1);
        }
        assert_eq!(layout.cords.len(), 8);
        for cord in &layout.cords {
            assert!(cord.points.windows(2).all(|pair| pair[0].0 < pair[1].0), "{:?}", cord.points);
        }
        let past = layout.cords.iter().find(|cord| cord.points.len() == 6).expect("the cord past the diamond");
        let through = past.points[1];
        assert!(
            layout.nodes.iter().all(|node| node.0 != through.0 || through.1 < node.1 || through.1 > node.1 + NODE.1)
        );
    }

    #[test]
    fn crossings_that_can_be_avoided_are() {
        let grid = |order: [usize; 2]| {
            let mut grid = Grid::new(&[0, 0, 1, 1], &[vec![], vec![], vec![order[0]], vec![order[1]]]);
            grid.order();
            grid.crossings()
        };
        assert_eq!((grid([0, 1]), grid([1, 0])), (0, 0));
        let nothing = layout(&[], &[], false);
        assert!(nothing.nodes.is_empty() && nothing.cords.is_empty());
        // What a damaged record says: sources that are not there, or not before.
        assert_eq!(layout(&[0, 0], &[vec![7, 1], vec![0, 1]], true).cords.len(), 0);
    }
}
