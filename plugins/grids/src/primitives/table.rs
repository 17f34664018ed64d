//! The primitives of the language: one table, which the parser, the evaluator and the reference page read.
//!
//! A row names the function that is run, the arguments and their types, the result and what it is.

use super::{
    Row, callables, containers, distances, elements, extremes, filters, grid_parts, grids, lines, logic, numbers,
    objects, painting, patches, periods, pieces,
};

/// Primitives that look at no more of their arguments than a member each, or count every member that they look at.
const GLANCES: &[&str] = &[
    "identity", "flip", "size", "repeat", "initset", "both", "either", "first", "last", "astuple", "interval",
    "toivec", "tojvec", "branch", "compose", "chain", "matcher", "rbind", "lbind", "power", "fork",
];

/// Whether a name is in a list.
const fn is_among(name: &str, list: &[&str]) -> bool {
    let mut at = 0;
    while at < list.len() {
        if is_same(name.as_bytes(), list[at].as_bytes()) {
            return true;
        }
        at += 1;
    }
    false
}

const fn is_same(one: &[u8], other: &[u8]) -> bool {
    let mut at = 0;
    while at < one.len() && at < other.len() && one[at] == other[at] {
        at += 1;
    }
    at == one.len() && at == other.len()
}

macro_rules! primitives {
    ($($family:ident :: $name:ident ($($argument:ident : $type:literal),*) -> $result:literal $doc:literal;)*) => {
        /// Every primitive, in the order in which the language lists them.
        pub(super) static ROWS: &[Row] = &[$(Row {
            name: plain(stringify!($name)),
            arguments: &[$((stringify!($argument), $type)),*],
            result: $result,
            doc: $doc,
            looks: !is_among(plain(stringify!($name)), GLANCES),
            run: $family::$name,
        }),*];
    };
}

primitives! {
    logic::identity (x: "Any") -> "Any"
        "Gives `x` back.";
    numbers::add (a: "Numerical", b: "Numerical") -> "Numerical"
        "Sum. Pairs are added slot by slot; an integer is added to both slots of a pair.";
    numbers::subtract (a: "Numerical", b: "Numerical") -> "Numerical"
        "`a` minus `b`, slot by slot as in `add`.";
    numbers::multiply (a: "Numerical", b: "Numerical") -> "Numerical"
        "Product, slot by slot as in `add`.";
    numbers::divide (a: "Numerical", b: "Numerical") -> "Numerical"
        "`a` divided by `b`, rounded down (towards minus infinity), slot by slot as in `add`; fails for a divisor of 0.";
    numbers::invert (n: "Numerical") -> "Numerical"
        "`n` with the other sign.";
    numbers::even (n: "Integer") -> "Boolean"
        "Whether `n` is even.";
    numbers::double (n: "Numerical") -> "Numerical"
        "Twice `n`.";
    numbers::halve (n: "Numerical") -> "Numerical"
        "Half of `n`, rounded down.";
    logic::flip (b: "Any") -> "Boolean"
        "Whether `b` counts as false: 0, `F`, none, the empty tuple, the empty set.";
    logic::equality (a: "Any", b: "Any") -> "Boolean"
        "Whether `a` and `b` are equal, at any depth; sets whatever their order, `T` to 1 and `F` to 0.";
    logic::contained (value: "Any", container: "Container") -> "Boolean"
        "Whether a member of `container` is equal to `value`.";
    containers::combine (a: "Container", b: "Container") -> "Container"
        "The members of `a`, then those of `b`, in a container of the kind of `a`; a tuple keeps duplicates.";
    containers::intersection (a: "Set", b: "Set") -> "Set"
        "The members of both sets; fails for tuples.";
    containers::difference (a: "Container", b: "Container") -> "Container"
        "The members of `a` that are not in `b`, in a container of the kind of `a`; a tuple keeps its order and duplicates.";
    containers::dedupe (tup: "Tuple") -> "Tuple"
        "The first of equal members each, in order.";
    containers::order (container: "Container", key: "Callable") -> "Tuple"
        "The members by what `key` gives for them, smallest first; equals stay in their order.";
    containers::repeat (item: "Any", num: "Integer") -> "Tuple"
        "`item`, `num` times; none for 0 and less.";
    numbers::greater (a: "Any", b: "Any") -> "Boolean"
        "Whether `a` is greater than `b`: tuples slot by slot, a set if it has all members of `b` and more.";
    containers::size (container: "Container") -> "Integer"
        "The number of members.";
    containers::merge (containers: "Container") -> "Container"
        "The members of the members, in a container of the kind of the outer one.";
    numbers::maximum (container: "Container") -> "Integer"
        "The largest member, 0 if there is none.";
    numbers::minimum (container: "Container") -> "Integer"
        "The smallest member, 0 if there is none.";
    extremes::valmax (container: "Container", key: "Callable") -> "Any"
        "The largest that `key` gives for a member; what it gives for 0 if there is none.";
    extremes::valmin (container: "Container", key: "Callable") -> "Any"
        "The smallest that `key` gives for a member; what it gives for 0 if there is none.";
    extremes::argmax (container: "Container", key: "Callable") -> "Any"
        "The first member for which `key` gives the largest; fails if there is none.";
    extremes::argmin (container: "Container", key: "Callable") -> "Any"
        "The first member for which `key` gives the smallest; fails if there is none.";
    extremes::mostcommon (container: "Tuple") -> "Any"
        "The member that occurs most often, of several the first in the order of the set of them; fails for a set, or if there is none.";
    extremes::leastcommon (container: "Tuple") -> "Any"
        "The member that occurs least often, of several the first in the order of the set of them; fails for a set, or if there is none.";
    containers::initset (value: "Any") -> "Set"
        "The set of `value` alone.";
    logic::both (a: "Any", b: "Any") -> "Any"
        "`b` if `a` counts as true, else `a`.";
    logic::either (a: "Any", b: "Any") -> "Any"
        "`a` if it counts as true, else `b`.";
    numbers::increment (x: "Numerical") -> "Numerical"
        "One more, in each slot.";
    numbers::decrement (x: "Numerical") -> "Numerical"
        "One less, in each slot.";
    numbers::crement (x: "Numerical") -> "Numerical"
        "One further from 0, in each slot; 0 stays.";
    numbers::sign (x: "Numerical") -> "Numerical"
        "-1, 0 or 1, in each slot.";
    numbers::positive (x: "Integer") -> "Boolean"
        "Whether `x` is greater than 0.";
    numbers::toivec (i: "Integer") -> "Pair"
        "The pair (`i`, 0).";
    numbers::tojvec (j: "Integer") -> "Pair"
        "The pair (0, `j`).";
    filters::sfilter (container: "Container", condition: "Callable") -> "Container"
        "The members for which `condition` gives what counts as true, in a container of the same kind.";
    filters::mfilter (container: "Container", condition: "Callable") -> "Container"
        "As `sfilter`, then `merge`.";
    filters::extract (container: "Container", condition: "Callable") -> "Any"
        "The first member for which `condition` gives what counts as true, later ones are not looked at; fails if there is none.";
    containers::totuple (container: "Container") -> "Tuple"
        "The members as a tuple, in the order of the set.";
    containers::first (container: "Container") -> "Any"
        "The first member; fails if there is none.";
    containers::last (container: "Container") -> "Any"
        "The last member; fails if there is none.";
    containers::insert (value: "Any", container: "Set") -> "Set"
        "The set with `value` added; fails for a tuple.";
    containers::remove (value: "Any", container: "Container") -> "Container"
        "The container without the members that are equal to `value`.";
    containers::other (container: "Container", value: "Any") -> "Any"
        "The first member that is not equal to `value`; fails if there is none.";
    numbers::interval (start: "Integer", stop: "Integer", step: "Integer") -> "Tuple"
        "The integers from `start` on, `step` apart, before `stop`; fails for a `step` of 0.";
    logic::astuple (a: "Any", b: "Any") -> "Tuple"
        "The tuple (`a`, `b`).";
    containers::product (a: "Container", b: "Container") -> "Set"
        "The set of all (x, y), x from `a` and y from `b`.";
    containers::pair (a: "Tuple", b: "Tuple") -> "Tuple"
        "The tuples of the first members, the second ones and so on, as many as the shorter one has.";
    logic::branch (condition: "Any", a: "Any", b: "Any") -> "Any"
        "`a` if `condition` counts as true, else `b`. Both are there already: neither is skipped.";
    callables::compose (outer: "Callable", inner: "Callable") -> "Callable"
        "The function x -> `outer`(`inner`(x)).";
    callables::chain (h: "Callable", g: "Callable", f: "Callable") -> "Callable"
        "The function x -> `h`(`g`(`f`(x))).";
    callables::matcher (function: "Callable", target: "Any") -> "Callable"
        "The function x -> whether `function`(x) is equal to `target`.";
    callables::rbind (function: "Callable", fixed: "Any") -> "Callable"
        "`function` with its last argument fixed. One of 2 arguments then takes 1, one of 3 takes 2, any other takes 3 and is called with 4.";
    callables::lbind (function: "Callable", fixed: "Any") -> "Callable"
        "`function` with its first argument fixed. One of 2 arguments then takes 1, one of 3 takes 2, any other takes 3 and is called with 4.";
    callables::power (function: "Callable", n: "Integer") -> "Callable"
        "The function that is `function` applied `n` times, for 1 `function` itself; for less than 1 it would never end, and reaches the limit on depth.";
    callables::fork (outer: "Callable", a: "Callable", b: "Callable") -> "Callable"
        "The function x -> `outer`(`a`(x), `b`(x)).";
    callables::apply (function: "Callable", container: "Container") -> "Container"
        "What `function` gives for each member, in a container of the same kind; a set has each once.";
    callables::rapply (functions: "Container", value: "Any") -> "Container"
        "What each of the functions gives for `value`, in a container of their kind.";
    callables::mapply (function: "Callable", container: "Container") -> "Container"
        "As `apply`, then `merge`.";
    callables::papply (function: "Callable", a: "Tuple", b: "Tuple") -> "Tuple"
        "What `function` gives for the first members, the second ones and so on, as many as the shorter one has.";
    callables::mpapply (function: "Callable", a: "Tuple", b: "Tuple") -> "Tuple"
        "As `papply`, then `merge`.";
    callables::prapply (function: "Callable", a: "Container", b: "Container") -> "Set"
        "The set of what `function` gives for all x from `a` and y from `b`.";
    elements::mostcolor (element: "Element") -> "Integer"
        "The most frequent colour, of several the first in the order of the set of them; fails if there is none.";
    elements::leastcolor (element: "Element") -> "Integer"
        "The least frequent colour, of several the first in the order of the set of them; fails if there is none.";
    pieces::height (piece: "Piece") -> "Integer"
        "The number of rows of a tuple, or of rows that a patch spans; 0 if it is empty.";
    pieces::width (piece: "Piece") -> "Integer"
        "The length of the first row of a tuple, or the number of columns that a patch spans; 0 if it is empty.";
    pieces::shape (piece: "Piece") -> "Pair"
        "The pair of `height` and `width`.";
    pieces::portrait (piece: "Piece") -> "Boolean"
        "Whether `height` is greater than `width`.";
    elements::colorcount (element: "Element", value: "Integer") -> "Integer"
        "The number of cells of the colour `value`.";
    elements::colorfilter (objs: "Objects", value: "Integer") -> "Set"
        "The objects whose first cell has the colour `value`, as a set.";
    filters::sizefilter (container: "Container", n: "Integer") -> "Set"
        "The members of size `n`, as a set.";
    elements::asindices (grid: "Grid") -> "Indices"
        "All locations, as many in each row as the first row has.";
    elements::ofcolor (grid: "Grid", value: "Integer") -> "Indices"
        "The locations of the colour `value`.";
    patches::ulcorner (patch: "Patch") -> "Pair"
        "The pair of the least row and the least column; the empty tuple if `patch` is empty.";
    patches::urcorner (patch: "Patch") -> "Pair"
        "The pair of the least row and the greatest column; the empty tuple if `patch` is empty.";
    patches::llcorner (patch: "Patch") -> "Pair"
        "The pair of the greatest row and the least column; the empty tuple if `patch` is empty.";
    patches::lrcorner (patch: "Patch") -> "Pair"
        "The pair of the greatest row and the greatest column; the empty tuple if `patch` is empty.";
    grids::crop (grid: "Grid", start: "Pair", dims: "Pair") -> "Grid"
        "The rows from that of `start` on, as many as the height in `dims`, and of these the columns likewise. A negative start counts from the end; what is beyond the end is left out.";
    patches::toindices (patch: "Patch") -> "Indices"
        "The locations without their colours; indices as they are, the empty set if `patch` is empty.";
    elements::recolor (value: "Integer", patch: "Patch") -> "Object"
        "Every location with the colour `value`.";
    patches::shift (patch: "Patch", directions: "Pair") -> "Patch"
        "The patch moved by `directions`; as it is if it is empty.";
    patches::normalize (patch: "Patch") -> "Patch"
        "The patch moved so that its upper left corner is (0, 0); as it is if it is empty.";
    lines::dneighbors (loc: "Pair") -> "Indices"
        "The four locations beside `loc`, also outside of any grid.";
    lines::ineighbors (loc: "Pair") -> "Indices"
        "The four locations diagonal to `loc`, also outside of any grid.";
    lines::neighbors (loc: "Pair") -> "Indices"
        "The eight locations around `loc`, also outside of any grid.";
    objects::objects (grid: "Grid", univalued: "Boolean", diagonal: "Boolean", without_bg: "Boolean") -> "Objects"
        "The connected groups of cells: of one colour each if `univalued`, connected by corners too if `diagonal`, without the cells of the most frequent colour if `without_bg`.";
    objects::partition (grid: "Grid") -> "Objects"
        "The cells of each colour as an object.";
    objects::fgpartition (grid: "Grid") -> "Objects"
        "The cells of each colour as an object, but for the most frequent one.";
    patches::uppermost (patch: "Patch") -> "Integer"
        "The least row; fails if `patch` is empty.";
    patches::lowermost (patch: "Patch") -> "Integer"
        "The greatest row; fails if `patch` is empty.";
    patches::leftmost (patch: "Patch") -> "Integer"
        "The least column; fails if `patch` is empty.";
    patches::rightmost (patch: "Patch") -> "Integer"
        "The greatest column; fails if `patch` is empty.";
    pieces::square (piece: "Piece") -> "Boolean"
        "Of a tuple, whether it has as many rows as its first row has cells; of a patch, whether it fills its box, and that is as high as wide.";
    patches::vline (patch: "Patch") -> "Boolean"
        "Whether the patch is a vertical line: 1 wide, and as high as it has cells.";
    patches::hline (patch: "Patch") -> "Boolean"
        "Whether the patch is a horizontal line: 1 high, and as wide as it has cells.";
    distances::hmatching (a: "Patch", b: "Patch") -> "Boolean"
        "Whether the patches have a row in common.";
    distances::vmatching (a: "Patch", b: "Patch") -> "Boolean"
        "Whether the patches have a column in common.";
    distances::manhattan (a: "Patch", b: "Patch") -> "Integer"
        "The least distance between a cell of `a` and one of `b`, along rows and columns; fails if one is empty.";
    distances::adjacent (a: "Patch", b: "Patch") -> "Boolean"
        "Whether `manhattan` gives 1; fails if one is empty.";
    distances::bordering (patch: "Patch", grid: "Grid") -> "Boolean"
        "Whether `patch` touches the first or last row or column of `grid`; fails if it is empty.";
    patches::centerofmass (patch: "Patch") -> "Pair"
        "The sum of the rows and that of the columns, each divided by the size of the patch and rounded down; the empty tuple if it is empty.";
    elements::palette (element: "Element") -> "Set"
        "The colours that occur.";
    elements::numcolors (element: "Element") -> "Integer"
        "The number of colours that occur.";
    elements::color (obj: "Object") -> "Integer"
        "The colour of the first cell; fails if there is none.";
    elements::toobject (patch: "Patch", grid: "Grid") -> "Object"
        "The cells of `grid` at the locations of `patch`, those inside.";
    elements::asobject (grid: "Grid") -> "Object"
        "All cells.";
    grids::rot90 (grid: "Grid") -> "Grid"
        "Turned by a quarter clockwise; of rows of different lengths, as many columns as the shortest has.";
    grids::rot180 (grid: "Grid") -> "Grid"
        "Turned by a half.";
    grids::rot270 (grid: "Grid") -> "Grid"
        "Turned by a quarter anticlockwise; of rows of different lengths, as many columns as the shortest has.";
    pieces::hmirror (piece: "Piece") -> "Piece"
        "The rows in reverse order, those of a patch within its box; fails for an empty set.";
    pieces::vmirror (piece: "Piece") -> "Piece"
        "The columns in reverse order, those of a patch within its box; fails for an empty set.";
    pieces::dmirror (piece: "Piece") -> "Piece"
        "Rows and columns exchanged, those of a patch about its upper left corner; fails for an empty set.";
    pieces::cmirror (piece: "Piece") -> "Piece"
        "Mirrored at the diagonal from the lower left to the upper right; fails for an empty set.";
    painting::fill (grid: "Grid", value: "Integer", patch: "Patch") -> "Grid"
        "The grid with the colour `value` at the locations of `patch`, those inside.";
    painting::paint (grid: "Grid", obj: "Object") -> "Grid"
        "The grid with the cells of `obj`, those inside, in the order of the set: of several at a place, the last one.";
    painting::underfill (grid: "Grid", value: "Integer", patch: "Patch") -> "Grid"
        "As `fill`, but only where the grid has its most frequent colour.";
    painting::underpaint (grid: "Grid", obj: "Object") -> "Grid"
        "As `paint`, but only where the grid has its most frequent colour.";
    grids::hupscale (grid: "Grid", factor: "Integer") -> "Grid"
        "Every cell `factor` times, sideways.";
    grids::vupscale (grid: "Grid", factor: "Integer") -> "Grid"
        "Every row `factor` times.";
    pieces::upscale (element: "Element", factor: "Integer") -> "Element"
        "Every cell `factor` times in both directions; an object grows from its upper left corner.";
    grids::downscale (grid: "Grid", factor: "Integer") -> "Grid"
        "Every `factor`-th row and column, beginning with the first; fails for a `factor` of 0.";
    grid_parts::hconcat (a: "Grid", b: "Grid") -> "Grid"
        "`b` to the right of `a`, with as many rows as the shorter one has.";
    grid_parts::vconcat (a: "Grid", b: "Grid") -> "Grid"
        "`b` below `a`; any two tuples are joined.";
    grids::subgrid (patch: "Patch", grid: "Grid") -> "Grid"
        "The part of `grid` that is the box of `patch`, as `crop` cuts it.";
    grid_parts::hsplit (grid: "Grid", n: "Integer") -> "Tuple of Grid"
        "`n` parts side by side, all as wide as the width divided by `n` and rounded down; one column is left out between them where there is a remainder. Fails for an `n` of 0.";
    grid_parts::vsplit (grid: "Grid", n: "Integer") -> "Tuple of Grid"
        "`n` parts one below the other, all as high as the height divided by `n` and rounded down; one row is left out between them where there is a remainder. Fails for an `n` of 0.";
    grids::cellwise (a: "Grid", b: "Grid", fallback: "Integer") -> "Grid"
        "The colours on which `a` and `b` agree, `fallback` elsewhere; fails if `b` is smaller than `a`.";
    grids::replace (grid: "Grid", replacee: "Integer", replacer: "Integer") -> "Grid"
        "The grid with the colour `replacer` in place of `replacee`.";
    grids::switch (grid: "Grid", a: "Integer", b: "Integer") -> "Grid"
        "The grid with the colours `a` and `b` exchanged.";
    patches::center (patch: "Patch") -> "Pair"
        "The pair of `uppermost` plus half of `height` and `leftmost` plus half of `width`, rounded down; fails if `patch` is empty.";
    patches::position (a: "Patch", b: "Patch") -> "Pair"
        "In which direction the centre of `b` lies from that of `a`: a pair of signs, (0, -1) if they are the same; fails if one is empty.";
    grids::index (grid: "Grid", loc: "Pair") -> "Integer or none"
        "The colour at `loc`, none outside of the grid.";
    grids::canvas (value: "Integer", dimensions: "Pair") -> "Grid"
        "A grid of the colour `value` alone; a height of 0 or less gives no rows, such a width empty ones.";
    patches::corners (patch: "Patch") -> "Indices"
        "The four corners of the box of the patch, as a set.";
    lines::connect (a: "Pair", b: "Pair") -> "Indices"
        "The locations from `a` to `b`, both included, if they are in a row, a column or a diagonal; else none.";
    painting::cover (grid: "Grid", patch: "Patch") -> "Grid"
        "The grid with its most frequent colour at the locations of `patch`.";
    grids::trim (grid: "Grid") -> "Grid"
        "The grid without its border.";
    painting::r#move (grid: "Grid", obj: "Object", offset: "Pair") -> "Grid"
        "The grid with `obj` covered and painted again, moved by `offset`.";
    grid_parts::tophalf (grid: "Grid") -> "Grid"
        "The upper half of the rows, rounded down.";
    grid_parts::bottomhalf (grid: "Grid") -> "Grid"
        "The lower half of the rows, rounded down.";
    grid_parts::lefthalf (grid: "Grid") -> "Grid"
        "The left half of the columns, rounded down.";
    grid_parts::righthalf (grid: "Grid") -> "Grid"
        "The right half of the columns, rounded down.";
    lines::vfrontier (location: "Pair") -> "Indices"
        "The column of `location`, rows 0 to 29.";
    lines::hfrontier (location: "Pair") -> "Indices"
        "The row of `location`, columns 0 to 29.";
    patches::backdrop (patch: "Patch") -> "Indices"
        "All locations of the box of the patch; none if it is empty.";
    patches::delta (patch: "Patch") -> "Indices"
        "The locations of the box that the patch does not have.";
    distances::gravitate (source: "Patch", destination: "Patch") -> "Pair"
        "The offset that brings `source` beside `destination`, at most 42 steps: up or down if they have a column in common, else sideways; fails if one is empty.";
    patches::inbox (patch: "Patch") -> "Indices"
        "The outline one step inside of the box of the patch; fails if it is empty.";
    patches::outbox (patch: "Patch") -> "Indices"
        "The outline one step outside of the box of the patch; fails if it is empty.";
    patches::r#box (patch: "Patch") -> "Indices"
        "The outline of the box of the patch; as it is if it is empty.";
    lines::shoot (start: "Pair", direction: "Pair") -> "Indices"
        "The line from `start` to `start` plus 42 times `direction`.";
    objects::occurrences (grid: "Grid", obj: "Object") -> "Indices"
        "The locations to which the upper left corner of `obj` can be moved so that the grid has every cell of it.";
    objects::frontiers (grid: "Grid") -> "Objects"
        "The rows and the columns of one colour, each as an object.";
    grids::compress (grid: "Grid") -> "Grid"
        "The grid without its rows and columns of one colour.";
    periods::hperiod (obj: "Object") -> "Integer"
        "The least shift to the left that maps the object into itself, but for the cells that leave its box; its width if there is none.";
    periods::vperiod (obj: "Object") -> "Integer"
        "The least shift up that maps the object into itself, but for the cells that leave its box; its height if there is none.";
}

/// A name as programs write it: without the mark that a word of Rust needs.
const fn plain(name: &'static str) -> &'static str {
    match name.as_bytes() {
        [b'r', b'#', ..] => name.split_at(2).1,
        _ => name,
    }
}
