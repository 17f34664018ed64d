//! Tensors of a conformance run: those that inputs name, and those that extensions make.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use jackfield_loader::{Digest, sandbox::size};
use jackfield_plugin_api::{ElementType, Failure, Random, TensorRef, sync::lock};
use serde_json::Value;

/// The most bytes of tensors of an examination, beyond which an extension makes no more: they stay until it ends.
const MAX_BYTES: u64 = 1 << 30;

/// Every tensor of an examination, by its digest.
#[derive(Default)]
pub(super) struct Tensors(Mutex<HashMap<String, Arc<[f32]>>>);

impl Tensors {
    /// Holds a tensor, whose elements are as many as its shape says.
    pub(super) fn keep(&self, shape: &[u64], elements: impl Into<Arc<[f32]>>) -> TensorRef {
        let elements = elements.into();
        let bytes: Vec<u8> = elements.iter().flat_map(|element| element.to_le_bytes()).collect();
        let sha256 = Digest::of(&bytes).to_string();
        lock(&self.0).insert(sha256.clone(), elements);
        TensorRef { sha256, shape: shape.to_vec(), dtype: ElementType::F32 }
    }

    /// Holds a tensor that an extension made, as long as there are not too many.
    ///
    /// # Errors
    /// [`Failure::OverBudget`] if there are.
    pub(super) fn keep_made(&self, shape: &[u64], elements: Arc<[f32]>) -> Result<TensorRef, Failure> {
        let held: u64 = lock(&self.0).values().map(bytes_of).sum();
        let all = held.saturating_add(bytes_of(&elements));
        if all > MAX_BYTES {
            let (all, most) = (size(all), size(MAX_BYTES));
            return Err(Failure::OverBudget(format!(
                "makes tensors of {all} in one examination, beyond its limit of {most}"
            )));
        }
        Ok(self.keep(shape, elements))
    }

    /// A tensor of this shape whose elements, -1 to 1, follow from the seed.
    pub(super) fn made_up(&self, shape: &[u64], seed: u64) -> TensorRef {
        let mut random = Random::new(seed);
        let count = shape.iter().product::<u64>() as usize;
        self.keep(shape, (0..count).map(|_| (random.next_f64() * 2.0 - 1.0) as f32).collect::<Vec<f32>>())
    }

    /// The elements of a tensor; none if it is not held, or not with this shape.
    pub(super) fn elements(&self, tensor: &TensorRef) -> Option<Arc<[f32]>> {
        let all = lock(&self.0);
        let elements = all.get(&tensor.sha256).cloned()?;
        (tensor.element_count() == Some(elements.len() as u64)).then_some(elements)
    }

    /// The first reference in a value to a tensor that is not held as it says.
    pub(super) fn missing_tensor(&self, value: &Value) -> Option<String> {
        let missing = |tensor: &TensorRef| self.elements(tensor).is_none();
        let tensor = references(value).into_iter().find(missing)?;
        Some(format!("there is no tensor {} of shape {:?}", tensor.sha256, tensor.shape))
    }
}

fn bytes_of(elements: &Arc<[f32]>) -> u64 {
    elements.len() as u64 * 4
}

/// The tensors that a value names, wherever they stand in it.
pub(super) fn references(value: &Value) -> Vec<TensorRef> {
    fn walk(value: &Value, found: &mut Vec<TensorRef>) {
        match value {
            Value::Object(map) if map.contains_key("$tensor") => {
                found.extend(serde_json::from_value::<TensorRef>(value.clone()));
            }
            Value::Object(map) => map.values().for_each(|value| walk(value, found)),
            Value::Array(list) => list.iter().for_each(|value| walk(value, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    walk(value, &mut found);
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_extension_does_not_fill_the_memory_of_the_machine() {
        let tensors = Tensors::default();
        let part: Arc<[f32]> = std::iter::repeat_n(0.0, (MAX_BYTES / 64) as usize).collect();
        let keep = |elements: Arc<[f32]>| tensors.keep_made(&[elements.len() as u64], elements);
        // The same elements under names of their own: there need not be a gibibyte.
        for name in 0..16 {
            tensors.0.lock().expect("a lock").insert(name.to_string(), Arc::clone(&part));
        }
        assert!(matches!(keep(Arc::from([1.0])), Err(Failure::OverBudget(_))));
        tensors.0.lock().expect("a lock").remove("7");
        assert!(keep(Arc::from([1.0])).is_ok());
    }

    #[test]
    fn a_tensor_is_held_as_its_reference_says_and_no_other_way() {
        let tensors = Tensors::default();
        let made = tensors.made_up(&[2, 3], 7);
        assert_eq!(tensors.elements(&made).expect("held").len(), 6);
        assert_eq!(made, Tensors::default().made_up(&[2, 3], 7), "the same seed, other elements");
        assert_ne!(made, tensors.made_up(&[2, 3], 8));
        let value = json!({ "deep": [{ "one": made }], "none": 1 });
        assert_eq!(references(&value), std::slice::from_ref(&made));
        assert_eq!(tensors.missing_tensor(&value), None);
        let lying = TensorRef { shape: vec![3, 3], ..made };
        assert!(tensors.missing_tensor(&json!([lying])).is_some_and(|why| why.contains("[3, 3]")));
    }
}
