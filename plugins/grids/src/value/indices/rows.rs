//! The masks of the rows of a set of locations.

use std::{fmt, ops::Deref, rc::Rc};

/// Rows that stand in the set itself: most sets have no more.
const FEW: usize = 4;

/// One mask a row. Cheap to clone.
#[derive(Clone)]
pub(super) enum Rows {
    /// So many of these.
    Few(u8, [u64; FEW]),
    /// More, which sets that are the same but for where they are share.
    Many(Rc<[u64]>),
}

impl Deref for Rows {
    type Target = [u64];

    #[inline]
    fn deref(&self) -> &[u64] {
        match self {
            Rows::Few(count, masks) => &masks[..usize::from(*count)],
            Rows::Many(masks) => masks,
        }
    }
}

impl Rows {
    /// These masks, each so many columns further left.
    pub(super) fn shifted(masks: &[u64], by: u32) -> Rows {
        if masks.len() > FEW {
            return Rows::Many(masks.iter().map(|mask| mask >> by).collect());
        }
        let mut few = [0; FEW];
        few.iter_mut().zip(masks).for_each(|(few, mask)| *few = mask >> by);
        Rows::Few(masks.len() as u8, few)
    }
}

impl From<&[u64]> for Rows {
    #[inline]
    fn from(masks: &[u64]) -> Rows {
        if masks.len() > FEW {
            return Rows::Many(masks.into());
        }
        let mut few = [0; FEW];
        few[..masks.len()].copy_from_slice(masks);
        Rows::Few(masks.len() as u8, few)
    }
}

impl From<Vec<u64>> for Rows {
    fn from(masks: Vec<u64>) -> Rows {
        Rows::from(&masks[..])
    }
}

impl PartialEq for Rows {
    fn eq(&self, other: &Rows) -> bool {
        **self == **other
    }
}

impl Eq for Rows {}

impl fmt::Debug for Rows {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.iter()).finish()
    }
}

impl FromIterator<u64> for Rows {
    /// Of as many masks as a set stored so has rows.
    fn from_iter<I: IntoIterator<Item = u64>>(masks: I) -> Rows {
        let (mut all, mut count) = ([0; super::SIDE as usize], 0);
        for mask in masks {
            all[count] = mask;
            count += 1;
        }
        Rows::from(&all[..count])
    }
}
