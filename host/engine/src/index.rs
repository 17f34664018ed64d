//! Indices that cannot be mistaken for one another, and lists that are parallel to the stages of a plan.

use std::ops::{Index, IndexMut};

/// The index of a stage in the stages of its plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct StageIdx(u32);

impl StageIdx {
    /// The stage at this index of the plan's stages.
    pub(super) fn new(index: usize) -> Self {
        Self(u32::try_from(index).expect("a plan has fewer than 2^32 stages"))
    }

    /// The index, as plans and events hold it.
    pub(super) const fn get(self) -> usize {
        self.0 as usize
    }

    /// The stage that a record names.
    pub(super) const fn from_record(stage: u32) -> Self {
        Self(stage)
    }

    /// The index, as records hold it.
    pub(super) const fn to_record(self) -> u32 {
        self.0
    }
}

/// The index of a call among those that a stage makes for one item: element x repeat + replicate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct CallIdx(pub(super) u32);

impl CallIdx {
    /// The first call; the only one of a stage that makes one call for an item.
    pub(super) const FIRST: Self = Self(0);
}

/// The index of an arm among those of its route. A stage without a route has one arm, the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct ArmIdx(pub(super) u32);

impl ArmIdx {
    /// The only arm of a stage without a route.
    pub(super) const FIRST: Self = Self(0);

    /// The index in a list of arms.
    pub(super) const fn get(self) -> usize {
        self.0 as usize
    }
}

/// Where the scheduler holds an item that is in flight. A slot is used again once its item is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct ItemSlot(pub(super) usize);

/// One value for each stage of a plan, in the plan's order.
#[derive(Clone, Debug)]
pub(super) struct PerStage<T>(Vec<T>);

impl<T> Default for PerStage<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> FromIterator<T> for PerStage<T> {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        Self(values.into_iter().collect())
    }
}

impl<T> IntoIterator for PerStage<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<T> Index<StageIdx> for PerStage<T> {
    type Output = T;

    fn index(&self, stage: StageIdx) -> &T {
        &self.0[stage.get()]
    }
}

impl<T> IndexMut<StageIdx> for PerStage<T> {
    fn index_mut(&mut self, stage: StageIdx) -> &mut T {
        &mut self.0[stage.get()]
    }
}

impl<T> PerStage<T> {
    /// The value of a stage; none in a list that is empty because nothing is known of any stage.
    pub(super) fn get(&self, stage: StageIdx) -> Option<&T> {
        self.0.get(stage.get())
    }

    /// As [`get`](Self::get).
    pub(super) fn get_mut(&mut self, stage: StageIdx) -> Option<&mut T> {
        self.0.get_mut(stage.get())
    }

    /// The values, in the plan's order.
    pub(super) fn iter(&self) -> std::slice::Iter<'_, T> {
        self.0.iter()
    }

    /// The values, in the plan's order.
    pub(super) fn iter_mut(&mut self) -> std::slice::IterMut<'_, T> {
        self.0.iter_mut()
    }

    /// The values with their stages, in the plan's order.
    pub(super) fn enumerate(&self) -> impl DoubleEndedIterator<Item = (StageIdx, &T)> + ExactSizeIterator {
        self.0.iter().enumerate().map(|(index, value)| (StageIdx::new(index), value))
    }

    /// The values with their stages, in the plan's order.
    pub(super) fn enumerate_mut(&mut self) -> impl Iterator<Item = (StageIdx, &mut T)> {
        self.0.iter_mut().enumerate().map(|(index, value)| (StageIdx::new(index), value))
    }
}
