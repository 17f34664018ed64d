//! Sorting by keys that may have a partial order only, or no order.
//!
//! Where the order is partial, as that of sets is, the result depends on which keys are compared: this is the merge sort of CPython
//! 3.11, comparison by comparison. It finds runs that ascend or descend, lengthens short ones by binary insertion, and merges
//! neighbours by the depth that they would have in a balanced tree of merges; a merge gallops when one side wins often.

use crate::{fault::Outcome, machine::Machine, value::Value};

/// The places of the keys from the least key to the greatest; equal keys stay in their order.
///
/// # Errors
/// [`crate::fault::Fault::Type`] for keys that cannot be compared; a limit.
pub(super) fn places_in_order(machine: &mut Machine, keys: &[Value]) -> Outcome<Vec<usize>> {
    let mut places: Vec<usize> = (0..keys.len()).collect();
    let all = |kind: fn(&Value) -> bool| keys.iter().all(kind);
    if all(|key| matches!(key, Value::Integer(_))) || all(|key| matches!(key, Value::Pair(..))) {
        // Any stable sort gives the same.
        machine.visit_sorted(keys.len(), 0)?;
        places.sort_by(|one, other| keys[*one].cmp(&keys[*other]));
        return Ok(places);
    }
    Sort { machine, keys, gallop: GALLOP, runs: Vec::new() }.run(&mut places)?;
    Ok(places)
}

/// Wins in a row after which a merge gallops.
const GALLOP: usize = 7;

/// A stretch of the list that is sorted.
#[derive(Clone, Copy)]
struct Run {
    start: usize,
    length: usize,
    /// Depth in the tree of merges of the border to the next run.
    depth: u32,
}

struct Sort<'a> {
    machine: &'a mut Machine,
    keys: &'a [Value],
    gallop: usize,
    runs: Vec<Run>,
}

/// Where a key is looked for among equal ones.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    /// Before the first of them.
    Before,
    /// After the last of them.
    After,
}

impl Sort<'_> {
    fn less(&mut self, one: usize, other: usize) -> Outcome<bool> {
        let (one, other) = (&self.keys[one], &self.keys[other]);
        self.machine.visit(2)?;
        self.machine.visit_bytes(one.bytes().saturating_add(other.bytes()))?;
        one.is_less(other)
    }

    fn run(&mut self, places: &mut [usize]) -> Outcome<()> {
        let (count, mut start) = (places.len(), 0);
        let least = least_run(count);
        while start < count {
            let mut length = self.natural_run(&mut places[start..])?;
            if length < least {
                let wanted = least.min(count - start);
                self.insert_rest(&mut places[start..start + wanted], length)?;
                length = wanted;
            }
            if let Some(last) = self.runs.last() {
                let depth = border_depth(*last, length, count);
                while self.runs.len() > 1 && self.runs[self.runs.len() - 2].depth > depth {
                    self.merge_runs(places, self.runs.len() - 2)?;
                }
                if let Some(last) = self.runs.last_mut() {
                    last.depth = depth;
                }
            }
            self.runs.push(Run { start, length, depth: 0 });
            start += length;
        }
        while self.runs.len() > 1 {
            let mut at = self.runs.len() - 2;
            if at > 0 && self.runs[at - 1].length < self.runs[at + 1].length {
                at -= 1;
            }
            self.merge_runs(places, at)?;
        }
        Ok(())
    }

    /// The length of the run at the beginning, which ascends, or descends strictly and is turned round.
    fn natural_run(&mut self, places: &mut [usize]) -> Outcome<usize> {
        if places.len() < 2 {
            return Ok(places.len());
        }
        let descends = self.less(places[1], places[0])?;
        let mut length = 2;
        while length < places.len() && self.less(places[length], places[length - 1])? == descends {
            length += 1;
        }
        if descends {
            places[..length].reverse();
        }
        Ok(length)
    }

    /// Inserts each place into the sorted ones before it.
    fn insert_rest(&mut self, places: &mut [usize], sorted: usize) -> Outcome<()> {
        for next in sorted..places.len() {
            let (mut low, mut high) = (0, next);
            while low < high {
                let middle = low + (high - low) / 2;
                if self.less(places[next], places[middle])? {
                    high = middle;
                } else {
                    low = middle + 1;
                }
            }
            places[low..=next].rotate_right(1);
        }
        Ok(())
    }

    /// Merges a run with the next one.
    fn merge_runs(&mut self, places: &mut [usize], at: usize) -> Outcome<()> {
        let (one, two) = (self.runs[at], self.runs[at + 1]);
        self.runs[at].length += two.length;
        self.runs.remove(at + 1);
        let list = &mut places[one.start..two.start + two.length];
        // What stands before the second run's first, or after the first run's last, is where it belongs.
        let done = self.find(list[one.length], &list[..one.length], 0, Side::After)?;
        if done == one.length {
            return Ok(());
        }
        let last = list[one.length - 1];
        let end = self.find(last, &list[one.length..], two.length - 1, Side::Before)?;
        if end == 0 {
            return Ok(());
        }
        let first = one.length - done;
        let list = &mut list[done..one.length + end];
        if first <= end { self.merge_up(list, first) } else { self.merge_down(list, first) }
    }

    /// Where the key belongs in a sorted list, looked for in growing steps away from a place.
    fn find(&mut self, key: usize, list: &[usize], from: usize, side: Side) -> Outcome<usize> {
        // Whether the key belongs behind that place.
        let behind = |sort: &mut Self, at: usize| match side {
            Side::Before => sort.less(list[at], key),
            Side::After => sort.less(key, list[at]).map(|less| !less),
        };
        let (mut near, mut far) = (0, 1);
        let grown = |far: usize| far.saturating_mul(2).saturating_add(1);
        let (mut low, mut high);
        if behind(self, from)? {
            let most = list.len() - from;
            while far < most && behind(self, from + far)? {
                (near, far) = (far, grown(far));
            }
            (low, high) = (from + near + 1, from + far.min(most));
        } else {
            let most = from + 1;
            while far < most && !behind(self, from - far)? {
                (near, far) = (far, grown(far));
            }
            (low, high) = (from + 1 - far.min(most), from - near);
        }
        while low < high {
            let middle = low + (high - low) / 2;
            if behind(self, middle)? {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(high)
    }

    /// Merges the first places of a list with the others, from the front.
    fn merge_up(&mut self, list: &mut [usize], first: usize) -> Outcome<()> {
        let ones = list[..first].to_vec();
        let mut merge = Merge { to: 1, one: 0, two: first + 1, one_end: first, two_end: list.len() };
        list[0] = list[first];
        let done = self.merge_forward(list, &ones, &mut merge);
        // Also after a fault, so that no place is lost.
        let rest = &ones[merge.one..];
        list.copy_within(merge.two.., merge.to);
        let end = list.len();
        list[end - rest.len()..].copy_from_slice(rest);
        done
    }

    fn merge_forward(&mut self, list: &mut [usize], ones: &[usize], merge: &mut Merge) -> Outcome<()> {
        if merge.ended() {
            return Ok(());
        }
        let mut gallop = self.gallop;
        loop {
            let (mut one_wins, mut two_wins) = (0, 0);
            while one_wins < gallop && two_wins < gallop {
                if self.less(list[merge.two], ones[merge.one])? {
                    merge.take_two(list, 1);
                    (one_wins, two_wins) = (0, two_wins + 1);
                } else {
                    merge.take_one(list, ones, 1);
                    (one_wins, two_wins) = (one_wins + 1, 0);
                }
                if merge.ended() {
                    return Ok(());
                }
            }
            gallop += 1;
            loop {
                gallop -= usize::from(gallop > 1);
                self.gallop = gallop;
                let ones_less = self.find(list[merge.two], &ones[merge.one..], 0, Side::After)?;
                merge.take_one(list, ones, ones_less);
                if ones_less > 0 && merge.ended() {
                    return Ok(());
                }
                merge.take_two(list, 1);
                if merge.two == merge.two_end {
                    return Ok(());
                }
                let twos_less = self.find(ones[merge.one], &list[merge.two..], 0, Side::Before)?;
                merge.take_two(list, twos_less);
                if twos_less > 0 && merge.two == merge.two_end {
                    return Ok(());
                }
                merge.take_one(list, ones, 1);
                if merge.ended() {
                    return Ok(());
                }
                if ones_less < GALLOP && twos_less < GALLOP {
                    break;
                }
            }
            gallop += 1;
            self.gallop = gallop;
        }
    }

    /// Merges the first places of a list with the others, from the back.
    fn merge_down(&mut self, list: &mut [usize], first: usize) -> Outcome<()> {
        let twos = list[first..].to_vec();
        let end = list.len() - 1;
        // Here the bounds are those that the sides run down to from.
        let mut merge = Merge { to: end - 1, one: first - 1, two: twos.len(), one_end: 0, two_end: 0 };
        list[end] = list[first - 1];
        let done = self.merge_backward(list, &twos, &mut merge);
        let rest = &twos[..merge.two];
        list.copy_within(..merge.one, rest.len());
        list[..rest.len()].copy_from_slice(rest);
        done
    }

    fn merge_backward(&mut self, list: &mut [usize], twos: &[usize], merge: &mut Merge) -> Outcome<()> {
        if merge.ended_below() {
            return Ok(());
        }
        let mut gallop = self.gallop;
        loop {
            let (mut one_wins, mut two_wins) = (0, 0);
            while one_wins < gallop && two_wins < gallop {
                if self.less(twos[merge.two - 1], list[merge.one - 1])? {
                    merge.drop_one(list, 1);
                    (one_wins, two_wins) = (one_wins + 1, 0);
                } else {
                    merge.drop_two(list, twos, 1);
                    (one_wins, two_wins) = (0, two_wins + 1);
                }
                if merge.ended_below() {
                    return Ok(());
                }
            }
            gallop += 1;
            loop {
                gallop -= usize::from(gallop > 1);
                self.gallop = gallop;
                let count = self.find(twos[merge.two - 1], &list[..merge.one], merge.one - 1, Side::After)?;
                let ones_more = merge.one - count;
                merge.drop_one(list, ones_more);
                if ones_more > 0 && merge.one == 0 {
                    return Ok(());
                }
                merge.drop_two(list, twos, 1);
                if merge.two == 1 {
                    return Ok(());
                }
                let count = self.find(list[merge.one - 1], &twos[..merge.two], merge.two - 1, Side::Before)?;
                let twos_more = merge.two - count;
                merge.drop_two(list, twos, twos_more);
                if twos_more > 0 && merge.two <= 1 {
                    return Ok(());
                }
                merge.drop_one(list, 1);
                if merge.one == 0 {
                    return Ok(());
                }
                if ones_more < GALLOP && twos_more < GALLOP {
                    break;
                }
            }
            gallop += 1;
            self.gallop = gallop;
        }
    }
}

/// How far a merge has come: the next place of each side, and where it goes.
struct Merge {
    to: usize,
    one: usize,
    two: usize,
    one_end: usize,
    two_end: usize,
}

impl Merge {
    /// Whether a side is used up. The last of the first run is known to be the last of all: with only it left, nothing is compared.
    fn ended(&self) -> bool {
        self.two == self.two_end || self.one + 1 >= self.one_end
    }

    fn take_one(&mut self, list: &mut [usize], ones: &[usize], count: usize) {
        list[self.to..self.to + count].copy_from_slice(&ones[self.one..self.one + count]);
        self.one += count;
        self.to += count;
    }

    fn take_two(&mut self, list: &mut [usize], count: usize) {
        list.copy_within(self.two..self.two + count, self.to);
        self.two += count;
        self.to += count;
    }

    /// The same from the back, where the first of the second run is known to be the first of all. `one` and `two` are how many
    /// are left, `to` is the place that is filled next.
    fn ended_below(&self) -> bool {
        self.one == 0 || self.two <= 1
    }

    fn drop_one(&mut self, list: &mut [usize], count: usize) {
        list.copy_within(self.one - count..self.one, self.to + 1 - count);
        self.one -= count;
        self.to = self.to.wrapping_sub(count);
    }

    fn drop_two(&mut self, list: &mut [usize], twos: &[usize], count: usize) {
        list[self.to + 1 - count..=self.to].copy_from_slice(&twos[self.two - count..self.two]);
        self.two -= count;
        self.to = self.to.wrapping_sub(count);
    }
}

/// The least length of runs: so that there are a power of two of them, or a little fewer.
fn least_run(mut count: usize) -> usize {
    let mut odd = 0;
    while count >= 64 {
        odd |= count & 1;
        count >>= 1;
    }
    count + odd
}

/// The depth, in a balanced tree of merges over all of the list, at which the border between a run and the next one is.
fn border_depth(run: Run, next: usize, count: usize) -> u32 {
    // Twice the middles of both runs, as parts of the length of the list.
    let mut one = 2 * run.start + run.length;
    let mut two = one + run.length + next;
    let mut depth = 1;
    loop {
        if one >= count {
            one -= count;
            two -= count;
        } else if two >= count {
            return depth;
        }
        one <<= 1;
        two <<= 1;
        depth += 1;
    }
}
