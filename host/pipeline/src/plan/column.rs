//! Columns: what stages over all items read of each item.

use serde::{Deserialize, Serialize};

use super::wire::Wire;

/// What is read of every item: the list of its values has an element an item, in the order of the items, and `null` for an item
/// without the value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ColumnPlan {
    /// The value of an item: a wire into its input, or into a stage that runs once an item.
    pub wire: Wire,
    /// Whether each value comes with the id of its item, as `{item, value}`: the reader asks for it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub with_item: bool,
}
