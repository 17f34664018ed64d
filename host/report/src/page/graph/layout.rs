//! A layout for a layered graph (Sugiyama, Tagawa and Toda 1981): each layer is a column, the order within a column follows the
//! mean position of the neighbours, and an edge that passes a column has a narrow way through it.

// All lengths are in pixels.
pub(super) const NODE_WIDTH: f64 = 180.0;
pub(super) const NODE_HEIGHT: f64 = 96.0;
/// The width of the column that holds the input alone.
pub(super) const INPUT_WIDTH: f64 = 116.0;
const COLUMN_GAP: f64 = 44.0;
const ROW_GAP: f64 = 18.0;
/// The height of a way through a column.
const WAY_HEIGHT: f64 = 8.0;
const MARGIN: f64 = 10.0;
/// How often the columns are sorted, alternately from left to right and from right to left.
const SWEEPS: usize = 8;

/// Where the nodes and the edges of a graph stand.
pub(super) struct Layout {
    /// The upper left corner of each node.
    pub(super) nodes: Vec<(f64, f64)>,
    pub(super) edges: Vec<Edge>,
    /// Width and height.
    pub(super) size: (f64, f64),
}

/// An edge from a node to another one that reads it: pairs of points, from the right side of a node or way to the left side of
/// the next one.
pub(super) struct Edge {
    /// Position of the node that it begins at.
    pub(super) from: usize,
    pub(super) points: Vec<(f64, f64)>,
}

/// Lays out nodes, of which `columns` has the columns and `reads` the nodes that they read; a node that is read stands in a column
/// before. If there is an input, the first column is narrow, because it holds the input alone.
pub(super) fn layout(columns: &[usize], reads: &[Vec<usize>], has_input: bool) -> Layout {
    let mut grid = Grid::new(columns, reads);
    grid.order();
    grid.positions(if has_input { INPUT_WIDTH } else { NODE_WIDTH })
}

/// A node, or a way through a column for the edges of one node.
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
    /// Each edge as a chain of vertices.
    chains: Vec<Vec<usize>>,
}

impl Grid {
    fn new(columns: &[usize], reads: &[Vec<usize>]) -> Self {
        let vertex = |&column: &usize| Vertex { column, is_node: true, before: Vec::new(), after: Vec::new() };
        let mut vertices: Vec<Vertex> = columns.iter().map(vertex).collect();
        let nodes = vertices.len();
        let mut chains = Vec::new();
        // The ways of each node, by column: its edges share them.
        let mut ways: Vec<Vec<usize>> = vec![Vec::new(); nodes];
        for (reader, sources) in reads.iter().enumerate().take(nodes) {
            for &source in sources.iter().filter(|&&source| source < nodes && columns[source] < columns[reader]) {
                let mut chain = vec![source];
                for column in columns[source] + 1..columns[reader] {
                    let way = column - columns[source] - 1;
                    if ways[source].len() <= way {
                        ways[source].push(vertices.len());
                        vertices.push(Vertex { column, is_node: false, before: Vec::new(), after: Vec::new() });
                    }
                    chain.push(ways[source][way]);
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
        for (index, vertex) in vertices.iter().enumerate() {
            grid[vertex.column].push(index);
        }
        Self { vertices, nodes, columns: grid, chains }
    }

    /// Sorts the columns in several sweeps, and keeps the order with the fewest crossings.
    fn order(&mut self) {
        let mut best = (self.crossings(), self.columns.clone());
        for sweep in 0..SWEEPS {
            let is_forward = sweep % 2 == 0;
            let count = self.columns.len();
            for step in 1..count {
                self.sort(if is_forward { step } else { count - 1 - step }, is_forward);
            }
            let crossings = self.crossings();
            if crossings < best.0 {
                best = (crossings, self.columns.clone());
            }
        }
        self.columns = best.1;
    }

    fn sort(&mut self, column: usize, is_forward: bool) {
        let positions = self.positions_in(if is_forward { column.wrapping_sub(1) } else { column + 1 });
        let vertices = &self.vertices;
        let mean = |vertex: usize, own: usize| {
            let near = if is_forward { &vertices[vertex].before } else { &vertices[vertex].after };
            let known: Vec<f64> = near.iter().filter_map(|near| positions.get(*near).copied().flatten()).collect();
            if known.is_empty() { own as f64 } else { known.iter().sum::<f64>() / known.len() as f64 }
        };
        let Some(order) = self.columns.get_mut(column) else { return };
        let mut keyed: Vec<(f64, usize)> =
            order.iter().enumerate().map(|(own, &vertex)| (mean(vertex, own), vertex)).collect();
        keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
        *order = keyed.into_iter().map(|(_, vertex)| vertex).collect();
    }

    /// The position of each vertex within a column; none for those of other columns.
    fn positions_in(&self, column: usize) -> Vec<Option<f64>> {
        let mut positions = vec![None; self.vertices.len()];
        for (index, &vertex) in self.columns.get(column).into_iter().flatten().enumerate() {
            positions[vertex] = Some(index as f64);
        }
        positions
    }

    fn crossings(&self) -> usize {
        let mut count = 0;
        for (column, order) in self.columns.iter().enumerate() {
            let positions = self.positions_in(column + 1);
            let ends: Vec<Vec<f64>> = order
                .iter()
                .map(|&vertex| self.vertices[vertex].after.iter().filter_map(|after| positions[*after]).collect())
                .collect();
            for (upper, above) in ends.iter().enumerate() {
                for below in &ends[upper + 1..] {
                    count += above.iter().map(|a| below.iter().filter(|b| a > *b).count()).sum::<usize>();
                }
            }
        }
        count
    }

    /// `first_width` is the width of the first column.
    fn positions(&self, first_width: f64) -> Layout {
        let height = |vertex: usize| if self.vertices[vertex].is_node { NODE_HEIGHT } else { WAY_HEIGHT };
        let column_height = |order: &Vec<usize>| {
            order.iter().map(|&vertex| height(vertex)).sum::<f64>() + ROW_GAP * order.len().saturating_sub(1) as f64
        };
        let tallest = self.columns.iter().map(column_height).fold(0.0, f64::max);
        let column_width = |column: usize| if column == 0 { first_width } else { NODE_WIDTH };
        let left = |column: usize| MARGIN + (0..column).map(|before| column_width(before) + COLUMN_GAP).sum::<f64>();
        let mut corners = vec![(0.0, 0.0); self.vertices.len()];
        for (column, order) in self.columns.iter().enumerate() {
            let x = left(column);
            let mut y = MARGIN + (tallest - column_height(order)) / 2.0;
            for &vertex in order {
                corners[vertex] = (x, y);
                y += height(vertex) + ROW_GAP;
            }
        }
        let edges = self.chains.iter().map(|chain| {
            let mut points = Vec::with_capacity(chain.len() * 2);
            for (index, &vertex) in chain.iter().enumerate() {
                let (x, y) = corners[vertex];
                let middle = y + height(vertex) / 2.0;
                if index > 0 {
                    points.push((x, middle));
                }
                if index + 1 < chain.len() {
                    points.push((x + column_width(self.vertices[vertex].column), middle));
                }
            }
            Edge { from: chain[0], points }
        });
        Layout {
            edges: edges.collect(),
            size: (left(self.columns.len().max(1)) - COLUMN_GAP + MARGIN, 2.0 * MARGIN + tallest),
            nodes: corners[..self.nodes].to_vec(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_do_not_touch_and_edges_go_to_the_right() {
        // A diamond with an edge past it, and two nodes that cross unless they are put in order.
        let columns = [0, 1, 1, 2, 3, 1];
        let reads = [vec![], vec![0], vec![0], vec![1, 2, 5], vec![3, 0], vec![0]];
        let layout = layout(&columns, &reads, false);
        for (index, a) in layout.nodes.iter().enumerate() {
            for b in &layout.nodes[index + 1..] {
                assert!((a.0 - b.0).abs() >= NODE_WIDTH || (a.1 - b.1).abs() >= NODE_HEIGHT, "{a:?} {b:?}");
            }
            assert!(a.0 + NODE_WIDTH <= layout.size.0 && a.1 + NODE_HEIGHT <= layout.size.1);
        }
        assert_eq!(layout.edges.len(), 8);
        for edge in &layout.edges {
            assert!(edge.points.windows(2).all(|pair| pair[0].0 < pair[1].0), "{:?}", edge.points);
        }
        let past = layout.edges.iter().find(|edge| edge.points.len() == 6).expect("the edge past the diamond");
        let through = past.points[1];
        assert!(
            layout
                .nodes
                .iter()
                .all(|node| node.0 != through.0 || through.1 < node.1 || through.1 > node.1 + NODE_HEIGHT)
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
        assert!(nothing.nodes.is_empty() && nothing.edges.is_empty());
        // What a damaged record says: sources that are not there, or not before.
        assert_eq!(layout(&[0, 0], &[vec![7, 1], vec![0, 1]], true).edges.len(), 0);
    }
}
