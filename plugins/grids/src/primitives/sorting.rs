//! Sorting by keys that may have no order, or only a partial one.

use crate::{fault::Outcome, machine::Machine, value::Value};

/// The places of the keys from the least key to the greatest; equal keys stay in their order.
///
/// # Errors
/// [`crate::fault::Fault::Type`] for keys that cannot be compared; a limit.
pub(super) fn places_in_order(machine: &mut Machine, keys: &[Value]) -> Outcome<Vec<usize>> {
    let mut places: Vec<usize> = (0..keys.len()).collect();
    let is_plain = |key: &Value| matches!(key, Value::Integer(_));
    let is_pair = |key: &Value| matches!(key, Value::Pair(..));
    if keys.iter().all(is_plain) || keys.iter().all(is_pair) {
        places.sort_by(|one, other| keys[*one].cmp(&keys[*other]));
        return Ok(places);
    }
    let _ = machine;
    for next in 1..places.len() {
        let (mut low, mut high) = (0, next);
        while low < high {
            let middle = low + (high - low) / 2;
            if keys[places[next]].is_less(&keys[places[middle]])? { high = middle } else { low = middle + 1 }
        }
        places[low..=next].rotate_right(1);
    }
    Ok(places)
}
