//! What is known of the values of a program before it runs, and so which of its lines cannot fail.

use super::canonical::Node;

/// For each node, whether it may fail for some input grid; limits aside. What is not known to be safe may fail.
pub(super) fn may_fail(nodes: &[Node]) -> Vec<bool> {
    vec![true; nodes.len()]
}
