//! Where everything of the timeline stands, in pixels. These functions know nothing of markup.

use super::super::super::{
    flow::{BINS, Bar, Flow},
    units::{axis_step, px, share},
};

/// The room for names, to the left of the drawings.
pub(super) const LEFT: f64 = 190.0;
/// The width of the axis of time, or of items.
pub(super) const AXIS_WIDTH: f64 = 780.0;
/// The room for peaks, to the right.
const RIGHT: f64 = 84.0;
pub(super) const DRAWING_WIDTH: f64 = LEFT + AXIS_WIDTH + RIGHT;
/// The height of the labels of the axis, at the top.
pub(super) const AXIS_HEIGHT: f64 = 26.0;
/// The height of the lane of a stage.
pub(super) const LANE_HEIGHT: f64 = 30.0;
/// The height that all items share that are drawn one by one.
const ITEMS_HEIGHT: f64 = 1300.0;
/// The height of a stage in the map of items.
pub(super) const MAP_ROW_HEIGHT: f64 = 22.0;
/// How many tints the map of items has.
pub(super) const TINTS: u32 = 6;

/// The axis of time from 0 to the end of the last session.
pub(super) struct TimeAxis {
    pub(super) length_us: f64,
}

impl TimeAxis {
    pub(super) fn of(flow: &Flow) -> Self {
        Self { length_us: flow.length_us() as f64 }
    }

    pub(super) fn x(&self, us: f64) -> f64 {
        LEFT + us / self.length_us * AXIS_WIDTH
    }

    /// The times with a tick, in microseconds.
    pub(super) fn ticks(&self) -> Vec<f64> {
        let step = axis_step(self.length_us);
        std::iter::successors(Some(0.0), |tick| Some(tick + step)).take_while(|tick| *tick <= self.length_us).collect()
    }
}

/// The middle of a step of time.
pub(super) fn bin_middle(bin: usize) -> f64 {
    LEFT + (bin as f64 + 0.5) / BINS as f64 * AXIS_WIDTH
}

/// The top of a lane: the first lane is that of all items.
pub(super) fn lane_top(lane: usize) -> f64 {
    AXIS_HEIGHT + LANE_HEIGHT * lane as f64
}

/// The outline of a lane.
pub(super) struct LaneOutline {
    /// The height of an empty lane's line.
    pub(super) ground: f64,
    /// Where the outline changes its height, from left to right; empty if the stage never was at work.
    pub(super) corners: Vec<(f64, f64)>,
}

/// The outline of a lane that begins at `top`: the time at work in each step, as high as its own peak allows.
pub(super) fn lane_outline(bins: &[f64], top: f64) -> LaneOutline {
    let peak = bins.iter().copied().fold(0.0, f64::max);
    let ground = top + LANE_HEIGHT - 4.0;
    let mut corners: Vec<(f64, f64)> = Vec::new();
    if peak > 0.0 {
        let bin_width = AXIS_WIDTH / bins.len() as f64;
        for (bin, busy) in bins.iter().enumerate() {
            // However short a stage was at work, it can be seen.
            let least = if *busy > 0.0 { 0.8 } else { 0.0 };
            let y = ground - (busy / peak * (LANE_HEIGHT - 8.0)).max(least);
            if corners.last().is_none_or(|(_, last)| px(*last) != px(y)) {
                corners.push((LEFT + bin as f64 * bin_width, y));
            }
        }
    }
    LaneOutline { ground, corners }
}

/// The calls of an item, in a row of lanes.
pub(super) struct ItemRow<'a> {
    pub(super) top: f64,
    pub(super) lane_height: f64,
    pub(super) bars: Vec<PlacedBar<'a>>,
}

/// A call with its upper left corner and its width.
pub(super) struct PlacedBar<'a> {
    pub(super) bar: &'a Bar,
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
}

/// The rows of items that are drawn one by one, from top to bottom, and the height of them all, the axis included.
pub(super) fn item_rows<'a>(items: &[&'a [Bar]], axis: &TimeAxis) -> (Vec<ItemRow<'a>>, f64) {
    let most_height = (ITEMS_HEIGHT / items.len().max(1) as f64).clamp(20.0, 72.0);
    let mut top = AXIS_HEIGHT;
    let mut heights = Vec::with_capacity(items.len());
    let rows = items.iter().map(|bars| {
        let PackedBars { bars, lane_count } = pack(bars);
        let lane_height = ((most_height - 8.0) / lane_count.max(1) as f64).clamp(2.0, 15.0);
        let placed = |(lane, bar): (usize, &'a Bar)| PlacedBar {
            bar,
            x: axis.x(bar.from_us as f64),
            y: top + 4.0 + lane as f64 * lane_height,
            width: (bar.took_us as f64 / axis.length_us * AXIS_WIDTH).max(1.5),
        };
        let row = ItemRow { top, lane_height, bars: bars.into_iter().map(placed).collect() };
        let height = (lane_height * lane_count as f64 + 8.0).max(24.0);
        heights.push(height);
        top += height;
        row
    });
    let rows = rows.collect();
    (rows, AXIS_HEIGHT + heights.iter().sum::<f64>() + 6.0)
}

/// Bars, each with its lane, such that no two in a lane overlap.
struct PackedBars<'a> {
    bars: Vec<(usize, &'a Bar)>,
    lane_count: usize,
}

/// Puts each bar into the first lane that is free when it begins.
fn pack(bars: &[Bar]) -> PackedBars<'_> {
    let mut sorted: Vec<&Bar> = bars.iter().collect();
    sorted.sort_by_key(|bar| (bar.from_us, bar.stage));
    // When each lane is free again, in microseconds.
    let mut free_from: Vec<u64> = Vec::new();
    let mut packed = Vec::with_capacity(sorted.len());
    for bar in sorted {
        let lane = free_from.iter().position(|free_from| *free_from <= bar.from_us).unwrap_or_else(|| {
            free_from.push(0);
            free_from.len() - 1
        });
        free_from[lane] = bar.from_us.saturating_add(bar.took_us);
        packed.push((lane, bar));
    }
    PackedBars { bars: packed, lane_count: free_from.len() }
}

/// The left and the right end of a group of items in the map.
pub(super) fn group_ends(flow: &Flow, group: usize) -> (f64, f64) {
    let x = |item: u64| LEFT + share(item as f64, flow.items as f64) * AXIS_WIDTH;
    let (first, next) = flow.group(group);
    (x(first), x(next))
}

/// Mean times by tint, on a logarithmic scale: the higher the level the slower.
pub(super) struct TintScale {
    /// The shortest time, in microseconds.
    least: f64,
    /// The natural logarithm of the longest time divided by the shortest.
    span: f64,
}

impl TintScale {
    /// A scale for mean times in microseconds; none if there are none.
    pub(super) fn of(means: impl Iterator<Item = f64> + Clone) -> Option<Self> {
        let (least, most) = (means.clone().fold(f64::INFINITY, f64::min), means.fold(1.0, f64::max));
        least.is_finite().then(|| Self { least, span: (most / least).ln().max(1e-9) })
    }

    /// The level of a mean time, from 0 to below [`TINTS`].
    pub(super) fn level(&self, mean: f64) -> u32 {
        (((mean / self.least).ln() / self.span * f64::from(TINTS)) as u32).min(TINTS - 1)
    }

    /// The mean time at which a level begins, in microseconds.
    pub(super) fn begin(&self, level: u32) -> f64 {
        self.least * (self.span * f64::from(level) / f64::from(TINTS)).exp()
    }
}

#[cfg(test)]
mod tests {
    use jackfield_store::CallEnd;

    use super::*;

    fn bar(from_us: u64, took_us: u64) -> Bar {
        Bar { stage: 0, from_us, took_us, end: CallEnd::Ok, hit: false }
    }

    #[test]
    fn bars_that_overlap_have_lanes_of_their_own() {
        let bars = [bar(5, 10), bar(0, 10), bar(10, 5), bar(15, 1)];
        let packed = pack(&bars);
        let lanes: Vec<(usize, u64)> = packed.bars.iter().map(|(lane, bar)| (*lane, bar.from_us)).collect();
        assert_eq!((lanes, packed.lane_count), (vec![(0, 0), (1, 5), (0, 10), (0, 15)], 2));
        assert_eq!(pack(&[]).lane_count, 0);
    }

    #[test]
    fn rows_of_items_follow_each_other_and_their_bars_lie_within() {
        let (first, second) = ([bar(0, 500), bar(250, 500)], [bar(900, 100)]);
        let axis = TimeAxis { length_us: 1_000.0 };
        let (rows, height) = item_rows(&[&first, &second], &axis);
        assert_eq!(rows[0].top, AXIS_HEIGHT);
        assert_eq!(rows[1].top, AXIS_HEIGHT + 2.0 * rows[0].lane_height + 8.0);
        assert_eq!(height, rows[1].top + 24.0 + 6.0);
        let bars = &rows[0].bars;
        assert_eq!((bars[0].x, bars[0].width, bars[1].x), (LEFT, AXIS_WIDTH / 2.0, LEFT + AXIS_WIDTH / 4.0));
        assert_eq!(bars[1].y - bars[0].y, rows[0].lane_height);
        let last = &rows[1].bars[0];
        assert!((last.x + last.width - LEFT - AXIS_WIDTH).abs() < 1e-9);
    }

    #[test]
    fn an_outline_has_a_corner_wherever_its_height_changes() {
        let outline = lane_outline(&[0.0, 2.0, 2.0, 1.0], 100.0);
        let step = AXIS_WIDTH / 4.0;
        assert_eq!(outline.ground, 126.0);
        assert_eq!(outline.corners, [(LEFT, 126.0), (LEFT + step, 104.0), (LEFT + 3.0 * step, 115.0)]);
        assert!(lane_outline(&[0.0, 0.0], 0.0).corners.is_empty());
    }

    #[test]
    fn tints_go_from_the_shortest_to_the_longest_time() {
        let scale = TintScale::of([10.0, 1_000.0, 10_000_000.0].into_iter()).expect("times");
        assert_eq!([10.0, 99.0, 1_001.0, 10_000_000.0].map(|mean| scale.level(mean)), [0, 0, 2, TINTS - 1]);
        assert!((scale.begin(0) - 10.0).abs() < 1e-9 && (scale.begin(3) - 10_000.0).abs() < 1e-6);
        assert!(TintScale::of(std::iter::empty()).is_none());
    }

    #[test]
    fn ticks_begin_at_zero_and_end_within_the_axis() {
        let axis = TimeAxis { length_us: 950.0 };
        assert_eq!(axis.ticks(), [0.0, 200.0, 400.0, 600.0, 800.0]);
        assert_eq!((axis.x(0.0), axis.x(950.0)), (LEFT, LEFT + AXIS_WIDTH));
    }
}
