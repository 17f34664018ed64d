//! Sets of cells, stored as one set of locations for each colour.

use std::{cmp::Ordering, ops::Deref, rc::Rc};

use super::{Indices, indices::Compared};

/// A set of at least one cell (colour, (row, column)). Ascending order is by colour, then by row, then by column: that of
/// the colours' sets of locations, one after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// Ascending by colour, each once.
    planes: Planes,
    /// Number of cells.
    count: u32,
    /// Bytes on the heap, about.
    bytes: usize,
}

/// Most objects have one colour: it stands in the object itself.
#[derive(Clone, Debug)]
enum Planes {
    One([(i32, Rc<Indices>); 1]),
    Many(Box<[(i32, Rc<Indices>)]>),
}

impl Deref for Planes {
    type Target = [(i32, Rc<Indices>)];

    #[inline]
    fn deref(&self) -> &[(i32, Rc<Indices>)] {
        match self {
            Planes::One(plane) => plane,
            Planes::Many(planes) => planes,
        }
    }
}

impl From<Vec<(i32, Rc<Indices>)>> for Planes {
    fn from(planes: Vec<(i32, Rc<Indices>)>) -> Planes {
        match <[_; 1]>::try_from(planes) {
            Ok(plane) => Planes::One(plane),
            Err(planes) => Planes::Many(planes.into()),
        }
    }
}

impl PartialEq for Planes {
    fn eq(&self, other: &Planes) -> bool {
        **self == **other
    }
}

impl Eq for Planes {}

impl Object {
    fn made(planes: Planes) -> Object {
        let (count, bytes) = planes
            .iter()
            .fold((0, 32), |(count, bytes), (_, plane)| (count + plane.count(), bytes + 16 + plane.bytes()));
        Object { planes, count, bytes }
    }

    /// The object of these planes: ascending by colour, each once; `None` if there are none.
    #[must_use]
    pub fn from_planes(planes: Vec<(i32, Rc<Indices>)>) -> Option<Object> {
        debug_assert!(planes.is_sorted_by(|one, other| one.0 < other.0), "colours ascend");
        (!planes.is_empty()).then(|| Object::made(planes.into()))
    }

    /// The object of one colour.
    #[must_use]
    pub fn of_color(color: i32, locations: Rc<Indices>) -> Object {
        Object::made(Planes::One([(color, locations)]))
    }

    /// The object of these cells, in any order and with repetitions; `None` if there are none.
    #[must_use]
    pub fn from_cells(mut cells: Vec<(i32, (i32, i32))>) -> Option<Object> {
        cells.sort_unstable_by_key(|cell| cell.0);
        let planes = cells.chunk_by(|one, other| one.0 == other.0).map(|cells| {
            let locations = Indices::from_cells(cells.iter().map(|cell| cell.1).collect());
            (cells[0].0, Rc::new(locations.expect("a chunk has a member")))
        });
        Object::from_planes(planes.collect())
    }

    /// Colours, ascending, and where each is.
    #[must_use]
    pub fn planes(&self) -> &[(i32, Rc<Indices>)] {
        &self.planes
    }

    /// Number of cells.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.count
    }

    /// Least row.
    #[must_use]
    pub fn top(&self) -> i32 {
        self.planes.iter().map(|(_, plane)| plane.top()).min().expect("an object has a cell")
    }

    /// Least column.
    #[must_use]
    pub fn left(&self) -> i32 {
        self.planes.iter().map(|(_, plane)| plane.left()).min().expect("an object has a cell")
    }

    /// Greatest row.
    #[must_use]
    pub fn bottom(&self) -> i32 {
        self.planes.iter().map(|(_, plane)| plane.bottom()).max().expect("an object has a cell")
    }

    /// Greatest column.
    #[must_use]
    pub fn right(&self) -> i32 {
        self.planes.iter().map(|(_, plane)| plane.right()).max().expect("an object has a cell")
    }

    /// The cells, ascending.
    pub fn iter(&self) -> impl Iterator<Item = (i32, (i32, i32))> {
        self.planes.iter().flat_map(|(color, plane)| plane.iter().map(move |at| (*color, at)))
    }

    /// Whether the cell is in the object.
    #[must_use]
    pub fn contains(&self, color: i32, row: i32, column: i32) -> bool {
        self.plane(color).is_some_and(|plane| plane.contains(row, column))
    }

    /// Where a colour is.
    #[must_use]
    pub fn plane(&self, color: i32) -> Option<&Rc<Indices>> {
        let at = self.planes.binary_search_by_key(&color, |plane| plane.0).ok()?;
        Some(&self.planes[at].1)
    }

    /// The locations of all cells.
    #[must_use]
    pub fn locations(&self) -> Rc<Indices> {
        match &*self.planes {
            [(_, plane)] => Rc::clone(plane),
            planes => {
                let all = Indices::union_all(planes.iter().map(|(_, plane)| &**plane));
                Rc::new(all.expect("an object has a cell"))
            }
        }
    }

    /// The object moved by (rows, columns); `None` if it ends up too far out.
    #[must_use]
    pub fn moved(&self, rows: i64, columns: i64) -> Option<Object> {
        let moved = |(color, plane): &(i32, Rc<Indices>)| Some((*color, Rc::new(plane.moved(rows, columns)?)));
        let planes = match &self.planes {
            Planes::One([plane]) => Planes::One([moved(plane)?]),
            Planes::Many(planes) => Planes::Many(planes.iter().map(moved).collect::<Option<_>>()?),
        };
        Some(Object::made(planes))
    }

    /// What is in either object.
    #[must_use]
    pub fn union(&self, other: &Object) -> Object {
        let (mut one, mut two) = (self.planes.iter().peekable(), other.planes.iter().peekable());
        let mut planes = Vec::with_capacity(self.planes.len() + other.planes.len());
        while let (Some(mine), Some(others)) = (one.peek(), two.peek()) {
            match mine.0.cmp(&others.0) {
                Ordering::Less => planes.extend(one.next().cloned()),
                Ordering::Greater => planes.extend(two.next().cloned()),
                Ordering::Equal => {
                    planes.push((mine.0, Rc::new(mine.1.union(&others.1))));
                    one.next();
                    two.next();
                }
            }
        }
        planes.extend(one.cloned());
        planes.extend(two.cloned());
        Object::made(planes.into())
    }

    /// What is in any of the objects; `None` if there are none.
    #[must_use]
    pub fn union_all<'a>(objects: impl Iterator<Item = &'a Object> + Clone) -> Option<Object> {
        let mut planes: Vec<&(i32, Rc<Indices>)> = objects.flat_map(|object| object.planes.iter()).collect();
        planes.sort_by_key(|plane| plane.0);
        let united = planes.chunk_by(|one, other| one.0 == other.0).map(|planes| match planes {
            [(color, only)] => (*color, Rc::clone(only)),
            planes => {
                let all = Indices::union_all(planes.iter().map(|plane| &*plane.1));
                (planes[0].0, Rc::new(all.expect("a chunk has a member")))
            }
        });
        Object::from_planes(united.collect())
    }

    /// What is in both objects.
    #[must_use]
    pub fn intersection(&self, other: &Object) -> Option<Object> {
        let common =
            |(color, plane): &(i32, Rc<Indices>)| Some((*color, Rc::new(plane.intersection(other.plane(*color)?)?)));
        Object::from_planes(self.planes.iter().filter_map(common).collect())
    }

    /// What is in this object and not in the other.
    #[must_use]
    pub fn difference(&self, other: &Object) -> Option<Object> {
        let remaining_plane = |(color, plane): &(i32, Rc<Indices>)| match other.plane(*color) {
            Some(others) => Some((*color, Rc::new(plane.difference(others)?))),
            None => Some((*color, Rc::clone(plane))),
        };
        Object::from_planes(self.planes.iter().filter_map(remaining_plane).collect())
    }

    /// Whether every cell is in the other object.
    #[must_use]
    pub fn is_subset(&self, other: &Object) -> bool {
        self.planes.iter().all(|(color, plane)| other.plane(*color).is_some_and(|others| plane.is_subset(others)))
    }

    /// The last cell.
    #[must_use]
    pub fn last(&self) -> (i32, (i32, i32)) {
        let (color, plane) = self.planes.last().expect("an object has a cell");
        (*color, plane.last())
    }

    /// Bytes on the heap, about.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

/// Compared as the lists of their sorted cells, the shorter first.
impl Ord for Object {
    fn cmp(&self, other: &Object) -> Ordering {
        let (mut one, mut two) = (self.planes.iter(), other.planes.iter());
        loop {
            let (mine, others) = match (one.next(), two.next()) {
                (Some(mine), Some(others)) => (mine, others),
                (None, None) => return Ordering::Equal,
                (None, Some(_)) => return Ordering::Less,
                (Some(_), None) => return Ordering::Greater,
            };
            if mine.0 != others.0 {
                return mine.0.cmp(&others.0);
            }
            if Rc::ptr_eq(&mine.1, &others.1) {
                continue;
            }
            match mine.1.compare(&others.1) {
                Compared::Equal => {}
                Compared::Differ(order) => return order,
                // The shorter plane is followed by the next colour, if there is one: that is more than any cell of this one.
                Compared::Part(Ordering::Less) if one.next().is_some() => return Ordering::Greater,
                Compared::Part(Ordering::Greater) if two.next().is_some() => return Ordering::Less,
                Compared::Part(order) => return order,
            }
        }
    }
}

impl PartialOrd for Object {
    fn partial_cmp(&self, other: &Object) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
