//! A map by name, whose look-ups try an expected index first.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A map from names to values, sorted by name; an object in JSON.
///
/// Arms are looked up far more often than they are added or removed, and the caller mostly knows their index: a look-up compares the name at the
/// index that the caller expects before it searches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameMap<T>(Vec<(String, T)>);

impl<T> Default for NameMap<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> NameMap<T> {
    /// The value under a name, which is most likely the one at `likely_index` in the order of names.
    #[must_use]
    pub fn get(&self, name: &str, likely_index: usize) -> Option<&T> {
        if let Some((found, value)) = self.0.get(likely_index)
            && found == name
        {
            return Some(value);
        }
        self.position(name).ok().and_then(|index| self.0.get(index)).map(|(_, value)| value)
    }

    /// The value under a name, created with the default where there is none.
    pub fn entry(&mut self, name: &str) -> &mut T
    where
        T: Default,
    {
        let index = self.position(name).unwrap_or_else(|index| {
            self.0.insert(index, (name.to_owned(), T::default()));
            index
        });
        &mut self.0[index].1
    }

    /// Removes a value.
    pub fn remove(&mut self, name: &str) {
        if let Ok(index) = self.position(name) {
            self.0.remove(index);
        }
    }

    /// Every name and value, in order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &T)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Every value, in order of the names.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.0.iter_mut().map(|(_, value)| value)
    }

    fn position(&self, name: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(other, _)| other.as_str().cmp(name))
    }
}

impl<T: Serialize> Serialize for NameMap<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for NameMap<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(BTreeMap::deserialize(deserializer)?.into_iter().collect()))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::NameMap;

    proptest! {
        #[test]
        fn it_is_a_map_whatever_index_is_expected(
            steps in prop::collection::vec(("[a-f]{1,2}", any::<bool>(), 0_u8..9), 0..40),
            likely_index in 0_usize..9,
        ) {
            let mut model = BTreeMap::new();
            let mut map = NameMap::default();
            for (name, keep, value) in steps {
                if keep {
                    *map.entry(&name) = value;
                    model.insert(name.clone(), value);
                } else {
                    map.remove(&name);
                    model.remove(&name);
                }
                prop_assert_eq!(map.get(&name, likely_index), model.get(&name));
            }
            let json = serde_json::to_string(&map).expect("JSON");
            prop_assert_eq!(&json, &serde_json::to_string(&model).expect("JSON"));
            prop_assert_eq!(serde_json::from_str::<NameMap<u8>>(&json).expect("a map"), map);
        }
    }
}
