//! The greatest and the least member of a container, and the most and the least common one.

use super::containers::{NOTHING_THERE, each, members, seen_bytes, size_of};
use crate::{
    fault::{Fault, Outcome},
    machine::Machine,
    value::Value,
};

/// What a member is compared by: what the key gives for it, or the member itself where none is the key.
pub(super) fn key_of(machine: &mut Machine, key: &Value, member: &Value) -> Outcome {
    match key {
        Value::None => machine.charge(1).map(|()| member.clone()),
        key => machine.call(key, std::slice::from_ref(member)),
    }
}

/// A member and its key.
struct Best {
    member: Value,
    key: Value,
}

/// The first member whose key no later one beats; nothing if there are none. `most` looks for the greatest key.
fn best(machine: &mut Machine, container: &Value, key: &Value, most: bool) -> Outcome<Option<Best>> {
    let mark = machine.mark();
    let mut best: Option<Best> = None;
    each(container, |member| {
        let key = key_of(machine, key, member)?;
        machine.visit_bytes(key.bytes())?;
        let better = match &best {
            None => true,
            Some(best) if most => best.key.is_less(&key)?,
            Some(best) => key.is_less(&best.key)?,
        };
        if better {
            best = Some(Best { member: member.clone(), key });
        }
        machine.release(mark, best.as_ref().map_or(0, |best| best.key.bytes()));
        Ok(())
    })?;
    Ok(best)
}

/// The greatest or least member, 0 if there are none.
pub(super) fn extreme(machine: &mut Machine, container: &Value, most: bool) -> Outcome {
    machine.visit(size_of(container)?)?;
    machine.visit_bytes(seen_bytes(container).saturating_mul(2))?;
    let mut members = members(container)?;
    let Some(mut best) = members.next() else { return Ok(Value::Integer(0)) };
    for member in members {
        if if most { best.is_less(&member)? } else { member.is_less(&best)? } {
            best = member;
        }
    }
    Ok(best)
}

fn best_key(machine: &mut Machine, arguments: &[Value], most: bool) -> Outcome {
    let [container, key] = arguments else { unreachable!("two arguments") };
    if matches!(key, Value::None) {
        return Err(Fault::Type("none was called, and is no function"));
    }
    match best(machine, container, key, most)? {
        Some(best) => Ok(best.key),
        None => machine.call_one(key, Value::Integer(0)),
    }
}

fn best_member(machine: &mut Machine, arguments: &[Value], most: bool) -> Outcome {
    let [container, key] = arguments else { unreachable!("two arguments") };
    best(machine, container, key, most)?.map(|best| best.member).ok_or(NOTHING_THERE)
}

pub(super) fn valmax(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    best_key(machine, arguments, true)
}

pub(super) fn valmin(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    best_key(machine, arguments, false)
}

pub(super) fn argmax(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    best_member(machine, arguments, true)
}

pub(super) fn argmin(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    best_member(machine, arguments, false)
}

pub(super) fn mostcommon(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    by_count(machine, &arguments[0], |count, best| count > best)
}

pub(super) fn leastcommon(machine: &mut Machine, arguments: &[Value]) -> Outcome {
    by_count(machine, &arguments[0], |count, best| count < best)
}

/// The member of a tuple whose count no other one's beats; of several, the first in the order of the set of the members.
fn by_count(machine: &mut Machine, tuple: &Value, beats: impl Fn(usize, usize) -> bool) -> Outcome {
    if !tuple.is_tuple() {
        return Err(Fault::Type("a tuple is needed, and this is not one"));
    }
    machine.reserve_members(size_of(tuple)?.saturating_mul(2))?;
    machine.visit_sorted(size_of(tuple)?, seen_bytes(tuple))?;
    let mut sorted: Vec<Value> = members(tuple)?.collect();
    let distinct = if machine.ascending() { None } else { Some(machine.set_of(sorted.clone())?) };
    machine.note_order(&sorted);
    sorted.sort();
    let mut best: Option<(Value, usize)> = None;
    let mut look = |member: &Value, count: usize| {
        if best.as_ref().is_none_or(|best| beats(count, best.1)) {
            best = Some((member.clone(), count));
        }
    };
    match distinct {
        None => sorted.chunk_by(|one, other| one == other).for_each(|chunk| look(&chunk[0], chunk.len())),
        Some(distinct) => {
            for member in members(&distinct)? {
                let first = sorted.partition_point(|other| *other < member);
                look(&member, sorted[first..].partition_point(|other| *other == member));
            }
        }
    }
    best.map(|best| best.0).ok_or(NOTHING_THERE)
}
