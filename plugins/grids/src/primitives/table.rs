//! The primitives of the language: one table, which the parser, the evaluator and the reference page read.
//!
//! A row names the function that is run, the arguments and their types, the result and what it is.

use super::{Row, callables, containers, elements, grids, lines, logic, numbers, objects, patches, pieces};

macro_rules! primitives {
    ($($family:ident :: $name:ident ($($argument:ident : $type:literal),*) -> $result:literal $doc:literal;)*) => {
        /// Every primitive, in the order in which the language lists them.
        pub(super) static ROWS: &[Row] = &[$(Row {
            name: plain(stringify!($name)),
            arguments: &[$((stringify!($argument), $type)),*],
            result: $result,
            doc: $doc,
            run: $family::$name,
        }),*];
    };
}

primitives! {
    logic::identity (x: "Any") -> "Any"
        "Gives its argument back.";
    numbers::add (a: "Numerical", b: "Numerical") -> "Numerical"
        "Sum; pairs add slot by slot, an integer with a pair adds to both slots.";
    numbers::subtract (a: "Numerical", b: "Numerical") -> "Numerical"
        "A minus b, same broadcasting as add.";
    numbers::multiply (a: "Numerical", b: "Numerical") -> "Numerical"
        "Product, same broadcasting.";
    numbers::divide (a: "Numerical", b: "Numerical") -> "Numerical"
        "Floor division (towards minus infinity), same broadcasting; a zero divisor fails.";
    numbers::invert (n: "Numerical") -> "Numerical"
        "Negation.";
    numbers::even (n: "Integer") -> "Boolean"
        "N mod 2 = 0.";
    numbers::double (n: "Numerical") -> "Numerical"
        "Times two.";
    numbers::halve (n: "Numerical") -> "Numerical"
        "Floor of half.";
    logic::flip (b: "Any") -> "Boolean"
        "True when b is falsy (0, F, none, empty tuple or set).";
    logic::equality (a: "Any", b: "Any") -> "Boolean"
        "Deep equality; sets compare as sets, T = 1 and F = 0.";
    logic::contained (value: "Any", container: "Container") -> "Boolean"
        "Membership by deep equality.";
    containers::combine (a: "Container", b: "Container") -> "Container"
        "All members of a then of b, in a's kind (tuple keeps duplicates).";
    containers::intersection (a: "Set", b: "Set") -> "Set"
        "Members of both; tuples fail.";
    containers::difference (a: "Container", b: "Container") -> "Container"
        "Members of a that are not in b; a tuple keeps order and duplicates.";
    containers::dedupe (tup: "Tuple") -> "Tuple"
        "Keeps the first of equal members, in order.";
    containers::order (container: "Container", key: "Callable") -> "Tuple"
        "Stable sort by key, smallest first.";
    containers::repeat (item: "Any", num: "Integer") -> "Tuple"
        "Num copies (none when num <= 0).";
    numbers::greater (a: "Any", b: "Any") -> "Boolean"
        "A > b; tuples lexicographic, sets proper superset.";
    containers::size (container: "Container") -> "Integer"
        "Number of members.";
    containers::merge (containers: "Container") -> "Container"
        "Members of the members, in the outer's kind.";
    numbers::maximum (container: "Container") -> "Integer"
        "Largest, 0 when empty.";
    numbers::minimum (container: "Container") -> "Integer"
        "Smallest, 0 when empty.";
    containers::valmax (container: "Container", key: "Callable") -> "Any"
        "Key of the member with the largest key; key(0) when empty.";
    containers::valmin (container: "Container", key: "Callable") -> "Any"
        "Key of the member with the smallest key; key(0) when empty.";
    containers::argmax (container: "Container", key: "Callable") -> "Any"
        "First member with the largest key; empty fails.";
    containers::argmin (container: "Container", key: "Callable") -> "Any"
        "First member with the smallest key; empty fails.";
    containers::mostcommon (container: "Tuple") -> "Any"
        "Member seen most often; ties: first in set order of the members; a set fails.";
    containers::leastcommon (container: "Tuple") -> "Any"
        "Member seen least often; ties: first in set order.";
    containers::initset (value: "Any") -> "Set"
        "Set of one.";
    logic::both (a: "Any", b: "Any") -> "Any"
        "B when a is truthy, else a.";
    logic::either (a: "Any", b: "Any") -> "Any"
        "A when truthy, else b.";
    numbers::increment (x: "Numerical") -> "Numerical"
        "Plus one (each slot).";
    numbers::decrement (x: "Numerical") -> "Numerical"
        "Minus one (each slot).";
    numbers::crement (x: "Numerical") -> "Numerical"
        "One further from zero; zero stays.";
    numbers::sign (x: "Numerical") -> "Numerical"
        "-1, 0 or 1 (each slot).";
    numbers::positive (x: "Integer") -> "Boolean"
        "X > 0.";
    numbers::toivec (i: "Integer") -> "Pair"
        "(i, 0).";
    numbers::tojvec (j: "Integer") -> "Pair"
        "(0, j).";
    containers::sfilter (container: "Container", condition: "Callable") -> "Container"
        "Members for which condition is truthy.";
    containers::mfilter (container: "Container", condition: "Callable") -> "Container"
        "Sfilter, then merge.";
    containers::extract (container: "Container", condition: "Callable") -> "Any"
        "First member for which condition is truthy; later members are not looked at; none fails.";
    containers::totuple (container: "Container") -> "Tuple"
        "Members as a tuple, in set order.";
    containers::first (container: "Container") -> "Any"
        "First member; empty fails.";
    containers::last (container: "Container") -> "Any"
        "Last member; empty fails.";
    containers::insert (value: "Any", container: "Set") -> "Set"
        "With value added; a tuple fails.";
    containers::remove (value: "Any", container: "Container") -> "Container"
        "Without every member equal to value.";
    containers::other (container: "Container", value: "Any") -> "Any"
        "First member that differs from value; none fails.";
    numbers::interval (start: "Integer", stop: "Integer", step: "Integer") -> "Tuple"
        "Arithmetic range, stop excluded; step 0 fails.";
    logic::astuple (a: "Any", b: "Any") -> "Tuple"
        "(a, b).";
    containers::product (a: "Container", b: "Container") -> "Set"
        "All (x from a, y from b).";
    containers::pair (a: "Tuple", b: "Tuple") -> "Tuple"
        "Zip, to the shorter.";
    logic::branch (condition: "Any", a: "Any", b: "Any") -> "Any"
        "A when condition is truthy, else b; both were evaluated.";
    callables::compose (outer: "Callable", inner: "Callable") -> "Callable"
        "X -> outer(inner(x)).";
    callables::chain (h: "Callable", g: "Callable", f: "Callable") -> "Callable"
        "X -> h(g(f(x))).";
    callables::matcher (function: "Callable", target: "Any") -> "Callable"
        "X -> function(x) = target.";
    callables::rbind (function: "Callable", fixed: "Any") -> "Callable"
        "Fixes the last argument: arity 2 -> 1, 3 -> 2, anything else -> 3 (calling with 4).";
    callables::lbind (function: "Callable", fixed: "Any") -> "Callable"
        "Fixes the first argument, same arities.";
    callables::power (function: "Callable", n: "Integer") -> "Callable"
        "N-fold composition; n = 1 is the function itself, n < 1 never ends (fails).";
    callables::fork (outer: "Callable", a: "Callable", b: "Callable") -> "Callable"
        "X -> outer(a(x), b(x)).";
    callables::apply (function: "Callable", container: "Container") -> "Container"
        "Function of every member (a set dedupes).";
    callables::rapply (functions: "Container", value: "Any") -> "Container"
        "Value given to every function.";
    callables::mapply (function: "Callable", container: "Container") -> "Container"
        "Apply, then merge.";
    callables::papply (function: "Callable", a: "Tuple", b: "Tuple") -> "Tuple"
        "Function on zipped members, to the shorter.";
    callables::mpapply (function: "Callable", a: "Tuple", b: "Tuple") -> "Tuple"
        "Papply, then merge.";
    callables::prapply (function: "Callable", a: "Container", b: "Container") -> "Set"
        "Function on all pairs (x from a, y from b).";
    elements::mostcolor (element: "Element") -> "Integer"
        "Most frequent colour; ties: first in set order; empty fails.";
    elements::leastcolor (element: "Element") -> "Integer"
        "Least frequent colour; ties: first in set order; empty fails.";
    pieces::height (piece: "Piece") -> "Integer"
        "Rows of a tuple, or extent of rows of a patch; 0 when empty.";
    pieces::width (piece: "Piece") -> "Integer"
        "Length of the first row of a tuple, or extent of columns; 0 when empty.";
    pieces::shape (piece: "Piece") -> "Pair"
        "(height, width).";
    pieces::portrait (piece: "Piece") -> "Boolean"
        "Height > width.";
    elements::colorcount (element: "Element", value: "Integer") -> "Integer"
        "Cells of that colour.";
    elements::colorfilter (objs: "Objects", value: "Integer") -> "Set"
        "Objects whose first cell has that colour.";
    containers::sizefilter (container: "Container", n: "Integer") -> "Set"
        "Members of size n, as a set.";
    elements::asindices (grid: "Grid") -> "Indices"
        "Every location (width of the first row).";
    elements::ofcolor (grid: "Grid", value: "Integer") -> "Indices"
        "Locations of that colour.";
    patches::ulcorner (patch: "Patch") -> "Pair"
        "(least row, least column); empty gives the empty tuple.";
    patches::urcorner (patch: "Patch") -> "Pair"
        "(least row, greatest column); empty gives the empty tuple.";
    patches::llcorner (patch: "Patch") -> "Pair"
        "(greatest row, least column); empty gives the empty tuple.";
    patches::lrcorner (patch: "Patch") -> "Pair"
        "(greatest row, greatest column); empty gives the empty tuple.";
    grids::crop (grid: "Grid", start: "Pair", dims: "Pair") -> "Grid"
        "Slice rows start.i .. start.i+dims.i, columns likewise; slice rules of the source language (negative counts from the end, past the end is cut).";
    patches::toindices (patch: "Patch") -> "Indices"
        "Locations without colours; indices unchanged; empty gives the empty set.";
    elements::recolor (value: "Integer", patch: "Patch") -> "Object"
        "Every location with that colour.";
    patches::shift (patch: "Patch", directions: "Pair") -> "Patch"
        "Moved; empty comes back unchanged.";
    patches::normalize (patch: "Patch") -> "Patch"
        "Moved so that its corner is the origin; empty unchanged.";
    lines::dneighbors (loc: "Pair") -> "Indices"
        "Four neighbours, unbounded.";
    lines::ineighbors (loc: "Pair") -> "Indices"
        "Four diagonal neighbours, unbounded.";
    lines::neighbors (loc: "Pair") -> "Indices"
        "All eight.";
    objects::objects (grid: "Grid", univalued: "Boolean", diagonal: "Boolean", without_bg: "Boolean") -> "Objects"
        "Connected components; background = mostcolor when without_bg.";
    objects::partition (grid: "Grid") -> "Objects"
        "One object per colour.";
    objects::fgpartition (grid: "Grid") -> "Objects"
        "One object per colour but the most common.";
    patches::uppermost (patch: "Patch") -> "Integer"
        "Least row; empty fails.";
    patches::lowermost (patch: "Patch") -> "Integer"
        "Greatest row; empty fails.";
    patches::leftmost (patch: "Patch") -> "Integer"
        "Least column; empty fails.";
    patches::rightmost (patch: "Patch") -> "Integer"
        "Greatest column; empty fails.";
    pieces::square (piece: "Piece") -> "Boolean"
        "Tuple: as many rows as the first row has cells; patch: full bounding box with equal sides.";
    patches::vline (patch: "Patch") -> "Boolean"
        "Height = number of cells and width 1.";
    patches::hline (patch: "Patch") -> "Boolean"
        "Width = number of cells and height 1.";
    patches::hmatching (a: "Patch", b: "Patch") -> "Boolean"
        "Share a row.";
    patches::vmatching (a: "Patch", b: "Patch") -> "Boolean"
        "Share a column.";
    patches::manhattan (a: "Patch", b: "Patch") -> "Integer"
        "Least city-block distance between cells; empty fails.";
    patches::adjacent (a: "Patch", b: "Patch") -> "Boolean"
        "Manhattan = 1.";
    patches::bordering (patch: "Patch", grid: "Grid") -> "Boolean"
        "Touches row 0, column 0, last row or last column.";
    patches::centerofmass (patch: "Patch") -> "Pair"
        "Sum of rows and of columns, floor-divided by the number of members of the patch.";
    elements::palette (element: "Element") -> "Set"
        "Colours that occur.";
    elements::numcolors (element: "Element") -> "Integer"
        "Number of colours.";
    elements::color (obj: "Object") -> "Integer"
        "Colour of the first cell; empty fails.";
    elements::toobject (patch: "Patch", grid: "Grid") -> "Object"
        "Cells of the grid at the patch's locations, those inside.";
    elements::asobject (grid: "Grid") -> "Object"
        "All cells.";
    grids::rot90 (grid: "Grid") -> "Grid"
        "Quarter turn clockwise (rows zipped, to the shortest).";
    grids::rot180 (grid: "Grid") -> "Grid"
        "Half turn.";
    grids::rot270 (grid: "Grid") -> "Grid"
        "Quarter turn anticlockwise.";
    pieces::hmirror (piece: "Piece") -> "Piece"
        "Rows reversed (a patch within its box); an empty set fails.";
    pieces::vmirror (piece: "Piece") -> "Piece"
        "Columns reversed; an empty set fails.";
    pieces::dmirror (piece: "Piece") -> "Piece"
        "Transposed (a patch about its corner); an empty set fails.";
    pieces::cmirror (piece: "Piece") -> "Piece"
        "Transposed about the other diagonal; an empty set fails.";
    grids::fill (grid: "Grid", value: "Integer", patch: "Patch") -> "Grid"
        "Colour at the locations that are inside.";
    grids::paint (grid: "Grid", obj: "Object") -> "Grid"
        "Cells that are inside, in set order (a later cell at the same place wins).";
    grids::underfill (grid: "Grid", value: "Integer", patch: "Patch") -> "Grid"
        "Fill only where the colour is mostcolor.";
    grids::underpaint (grid: "Grid", obj: "Object") -> "Grid"
        "Paint only where the colour is mostcolor at that moment.";
    grids::hupscale (grid: "Grid", factor: "Integer") -> "Grid"
        "Every cell repeated sideways.";
    grids::vupscale (grid: "Grid", factor: "Integer") -> "Grid"
        "Every row repeated.";
    pieces::upscale (element: "Element", factor: "Integer") -> "Element"
        "Both; an object grows from its own corner.";
    grids::downscale (grid: "Grid", factor: "Integer") -> "Grid"
        "Every factor-th row and column, from 0.";
    grids::hconcat (a: "Grid", b: "Grid") -> "Grid"
        "Side by side, to the shorter.";
    grids::vconcat (a: "Grid", b: "Grid") -> "Grid"
        "One above the other (any two tuples joined).";
    grids::subgrid (patch: "Patch", grid: "Grid") -> "Grid"
        "Crop at the patch's box.";
    grids::hsplit (grid: "Grid", n: "Integer") -> "Tuple of Grid"
        "N parts side by side, width // n each, one column skipped between parts when it does not divide.";
    grids::vsplit (grid: "Grid", n: "Integer") -> "Tuple of Grid"
        "N parts one below the other, likewise.";
    grids::cellwise (a: "Grid", b: "Grid", fallback: "Integer") -> "Grid"
        "A's colour where both agree, else fallback; b too small fails.";
    grids::replace (grid: "Grid", replacee: "Integer", replacer: "Integer") -> "Grid"
        "One colour for another.";
    grids::switch (grid: "Grid", a: "Integer", b: "Integer") -> "Grid"
        "Two colours exchanged.";
    patches::center (patch: "Patch") -> "Pair"
        "(uppermost + height // 2, leftmost + width // 2).";
    patches::position (a: "Patch", b: "Patch") -> "Pair"
        "Signs of where b's centre lies from a's; same centre gives (0, -1).";
    grids::index (grid: "Grid", loc: "Pair") -> "Integer or none"
        "Colour there, none when outside.";
    grids::canvas (value: "Integer", dimensions: "Pair") -> "Grid"
        "One-coloured grid; a dimension <= 0 gives no rows (or empty rows).";
    patches::corners (patch: "Patch") -> "Indices"
        "The four corners of the box as a set.";
    lines::connect (a: "Pair", b: "Pair") -> "Indices"
        "Straight or 45-degree line including both ends, else empty.";
    grids::cover (grid: "Grid", patch: "Patch") -> "Grid"
        "Fill with mostcolor.";
    grids::trim (grid: "Grid") -> "Grid"
        "Without the border.";
    grids::r#move (grid: "Grid", obj: "Object", offset: "Pair") -> "Grid"
        "Cover, then paint shifted.";
    grids::tophalf (grid: "Grid") -> "Grid"
        "First h // 2 rows.";
    grids::bottomhalf (grid: "Grid") -> "Grid"
        "Last h // 2 rows.";
    grids::lefthalf (grid: "Grid") -> "Grid"
        "First w // 2 columns.";
    grids::righthalf (grid: "Grid") -> "Grid"
        "Last w // 2 columns.";
    lines::vfrontier (location: "Pair") -> "Indices"
        "Column of 30 cells, rows 0..29.";
    lines::hfrontier (location: "Pair") -> "Indices"
        "Row of 30 cells, columns 0..29.";
    patches::backdrop (patch: "Patch") -> "Indices"
        "All locations of the box; empty gives empty.";
    patches::delta (patch: "Patch") -> "Indices"
        "Box minus the patch.";
    patches::gravitate (source: "Patch", destination: "Patch") -> "Pair"
        "Offset that brings source next to destination, at most 42 steps, along rows when they share a column, else along columns.";
    patches::inbox (patch: "Patch") -> "Indices"
        "Outline of the box one step inside; empty fails.";
    patches::outbox (patch: "Patch") -> "Indices"
        "Outline of the box one step outside; empty fails.";
    patches::r#box (patch: "Patch") -> "Indices"
        "Outline of the box; empty comes back.";
    lines::shoot (start: "Pair", direction: "Pair") -> "Indices"
        "Line from start to start + 42 * direction.";
    objects::occurrences (grid: "Grid", obj: "Object") -> "Indices"
        "Places of the normalised object's corner where every cell matches.";
    objects::frontiers (grid: "Grid") -> "Objects"
        "One-coloured rows and columns.";
    grids::compress (grid: "Grid") -> "Grid"
        "Without one-coloured rows and columns.";
    objects::hperiod (obj: "Object") -> "Integer"
        "Least sideways shift that maps the object into itself, else its width.";
    objects::vperiod (obj: "Object") -> "Integer"
        "Least downward shift likewise, else its height.";
}

/// A name as programs write it: without the mark that a word of Rust needs.
const fn plain(name: &'static str) -> &'static str {
    match name.as_bytes() {
        [b'r', b'#', ..] => name.split_at(2).1,
        _ => name,
    }
}
