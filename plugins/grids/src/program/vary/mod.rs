//! Programs made of other programs.
//!
//! What is made can be read ([`super::parse`] takes its text), has no line that its result does not depend on, and depends on
//! nothing but what it is made of and the state of the generator. Most choices heed the types that are wanted and known, some
//! do not: what nobody would write can be right.

mod choose;

use jackfield_plugin_api::Random;

use self::choose::{Choice, fits};
use super::{Argument, Callee, LONGEST_TEXT, Line, Program, types, types::Type};
use crate::primitives::Primitive;

/// Programs do not grow beyond this number of lines.
const LONGEST: usize = 100;

/// Tries to change a program before it is given back as it is.
const TRIES: u32 = 40;

/// A program that differs from this one in one place: another primitive or argument, a line more or less, two arguments exchanged.
/// In the rare case that nothing can be changed it is the same.
#[must_use]
pub fn mutate(program: &Program, random: &mut Random) -> Program {
    let before = tidy(program.clone());
    let types = type_of_lines(&before);
    for _ in 0..TRIES {
        let mut changed = before.clone();
        let is_done = match random.below(100) {
            0..30 => change_primitive(&mut changed, &types, random),
            30..60 => change_argument(&mut changed, &types, random),
            60..75 => insert_line(&mut changed, &types, random),
            75..90 => drop_line(&mut changed, &types, random),
            _ => exchange_arguments(&mut changed, &types, random),
        };
        if is_done {
            let changed = tidy(changed);
            if changed.lines != before.lines && changed.is_printable() {
                return changed;
            }
        }
    }
    program.clone()
}

/// A program made of two: an expression of the other one stands in place of an argument of this one. The task is that of the
/// first. Where the two do not fit together, a mutant of the first.
#[must_use]
pub fn cross(program: &Program, other: &Program, random: &mut Random) -> Program {
    let before = tidy(program.clone());
    let other = tidy(other.clone());
    let (types, other_types) = (type_of_lines(&before), type_of_lines(&other));
    for _ in 0..TRIES {
        let site = Site::draw(&before, random);
        let is_typed = !is_untyped(random);
        let roots: Vec<u32> = (0..other.lines.len() as u32)
            .filter(|at| !is_typed || site.takes(&before, &types, &other_types[*at as usize]))
            .collect();
        let Some(root) = pick(&roots, random) else { continue };
        let mut graft = Program { task: String::new(), lines: other.lines[..=root as usize].to_vec() };
        graft = tidy(graft);
        if before.lines.len() + graft.lines.len() > LONGEST {
            continue;
        }
        let count = graft.lines.len() as u32;
        let index = site.line;
        let mut changed = before.clone();
        for line in graft.lines.iter_mut() {
            line.shift(0, index);
        }
        for line in &mut changed.lines[index as usize..] {
            line.shift(index, count);
        }
        changed.lines.splice(index as usize..index as usize, graft.lines);
        changed.lines[(index + count) as usize].arguments[site.index] = Argument::Line(index + count - 1);
        let changed = tidy(changed);
        if changed.lines != before.lines && changed.is_printable() {
            return changed;
        }
    }
    mutate(program, random)
}

/// An argument of a line.
#[derive(Clone, Copy)]
struct Site {
    line: u32,
    index: usize,
}

impl Site {
    fn draw(program: &Program, random: &mut Random) -> Site {
        let line = random.below(program.lines.len() as u64) as u32;
        let index = random.below(program.lines[line as usize].arguments.len() as u64) as usize;
        Site { line, index }
    }

    fn argument(self, program: &Program) -> Argument {
        program.lines[self.line as usize].arguments[self.index]
    }

    /// Whether a value of this type can stand here.
    fn takes(self, program: &Program, types: &[Type], value: &Type) -> bool {
        match program.lines[self.line as usize].callee {
            Callee::Primitive(primitive) => fits(primitive, self.index, value),
            // What a value takes that is called, what it takes now tells.
            Callee::Line(_) => choose::is_alike(&choose::type_of(self.argument(program), types), value),
        }
    }
}

impl Line {
    /// Every line from `first` on has moved down by `count` lines.
    fn shift(&mut self, first: u32, count: u32) {
        if let Callee::Line(index) = &mut self.callee
            && *index >= first
        {
            *index += count;
        }
        for argument in &mut self.arguments {
            if let Argument::Line(index) = argument
                && *index >= first
            {
                *index += count;
            }
        }
    }

    /// The lines that it uses.
    fn used(&self) -> impl Iterator<Item = u32> {
        let callee = match self.callee {
            Callee::Line(index) => Some(index),
            Callee::Primitive(_) => None,
        };
        let arguments = self.arguments.iter().filter_map(|argument| match argument {
            Argument::Line(index) => Some(*index),
            _ => None,
        });
        callee.into_iter().chain(arguments)
    }
}

impl Program {
    /// Whether its text is one that is read.
    fn is_printable(&self) -> bool {
        // Short programs are: their names are.
        self.lines.len() <= LONGEST || self.to_string().len() <= LONGEST_TEXT
    }
}

/// The program without the lines that the result does not depend on, and with names by the place of the line.
fn tidy(mut program: Program) -> Program {
    let count = program.lines.len();
    let mut needed = vec![false; count];
    needed[count - 1] = true;
    for at in (0..count).rev() {
        if needed[at] {
            program.lines[at].used().for_each(|used| needed[used as usize] = true);
        }
    }
    let mut new_indices = vec![0; count];
    let mut kept_count = 0;
    for (at, is_needed) in needed.iter().enumerate() {
        new_indices[at] = kept_count;
        kept_count += u32::from(*is_needed);
    }
    let mut at = 0;
    program.lines.retain(|_| {
        at += 1;
        needed[at - 1]
    });
    for (at, line) in program.lines.iter_mut().enumerate() {
        line.target = if at as u32 + 1 == kept_count { "O".to_owned() } else { format!("x{}", at + 1) };
        line.line = at as u32 + 2;
        if let Callee::Line(index) = &mut line.callee {
            *index = new_indices[*index as usize];
        }
        for argument in &mut line.arguments {
            if let Argument::Line(index) = argument {
                *index = new_indices[*index as usize];
            }
        }
    }
    program
}

/// What is known of the value of each line.
fn type_of_lines(program: &Program) -> Vec<Type> {
    types::of_lines(&program.lines)
}

/// Now and then a choice does not heed types.
fn is_untyped(random: &mut Random) -> bool {
    random.below(8) == 0
}

fn pick<T: Copy>(from: &[T], random: &mut Random) -> Option<T> {
    from.get(random.below(from.len() as u64) as usize).copied()
}

/// Another primitive of as many arguments, as a function or as a value.
fn change_primitive(program: &mut Program, types: &[Type], random: &mut Random) -> bool {
    let at = random.below(program.lines.len() as u64) as usize;
    let Callee::Primitive(before) = program.lines[at].callee else { return false };
    let arguments: Vec<Type> =
        program.lines[at].arguments.iter().map(|argument| choose::type_of(*argument, types)).collect();
    // What makes the same of the same arguments is the likeliest to fit, then what takes the same arguments, then anything.
    let effort = random.below(8);
    let others = Primitive::all().filter(|other| *other != before && other.arity() == before.arity());
    let others: Vec<Primitive> = others
        .filter(|other| {
            let takes = || arguments.iter().enumerate().all(|(index, value)| fits(*other, index, value));
            let gives = || other.row().result == before.row().result;
            match effort {
                0 => true,
                1..=3 => takes(),
                _ => takes() && gives(),
            }
        })
        .collect();
    let Some(other) = pick(&others, random) else { return false };
    program.lines[at].callee = Callee::Primitive(other);
    true
}

/// Another value in place of an argument.
fn change_argument(program: &mut Program, types: &[Type], random: &mut Random) -> bool {
    let site = Site::draw(program, random);
    let before = site.argument(program);
    let choice = Choice { types: &types[..site.line as usize], is_typed: !is_untyped(random) };
    let after = match program.lines[site.line as usize].callee {
        Callee::Primitive(primitive) => choice.argument(primitive, site.index, random),
        Callee::Line(_) => choice.value_like(&choose::type_of(before, types), random),
    };
    program.lines[site.line as usize].arguments[site.index] = after;
    after != before
}

/// A new line, whose value an argument of a later line takes, or the result.
fn insert_line(program: &mut Program, types: &[Type], random: &mut Random) -> bool {
    if program.lines.len() >= LONGEST {
        return false;
    }
    let is_last = random.below(4) == 0;
    let site = Site::draw(program, random);
    let index = if is_last { program.lines.len() as u32 } else { site.line };
    // The value that was there goes through the new line.
    let through = if is_last { Argument::Line(index - 1) } else { site.argument(program) };
    let through_type = choose::type_of(through, types);
    let choice = Choice { types: &types[..index as usize], is_typed: !is_untyped(random) };
    for _ in 0..TRIES {
        let primitive = choose::primitive(random);
        let takes: Vec<usize> =
            (0..primitive.arity()).filter(|at| !choice.is_typed || fits(primitive, *at, &through_type)).collect();
        let Some(taken) = pick(&takes, random) else { continue };
        let arguments: Vec<Argument> = (0..primitive.arity())
            .map(|at| if at == taken { through } else { choice.argument(primitive, at, random) })
            .collect();
        let given = types::of_call(primitive, &arguments, types);
        let is_taken = match is_last {
            true => matches!(given, Type::Rows(_) | Type::Any),
            false => site.takes(program, types, &given),
        };
        if choice.is_typed && !is_taken {
            continue;
        }
        for line in &mut program.lines[index as usize..] {
            line.shift(index, 1);
        }
        let callee = Callee::Primitive(primitive);
        program.lines.insert(index as usize, Line { target: String::new(), callee, arguments, line: 0 });
        if !is_last {
            program.lines[index as usize + 1].arguments[site.index] = Argument::Line(index);
        }
        return true;
    }
    false
}

/// A line less: who used its value uses one of its arguments.
fn drop_line(program: &mut Program, types: &[Type], random: &mut Random) -> bool {
    let at = random.below(program.lines.len() as u64) as usize;
    if at + 1 == program.lines.len() {
        let lines: Vec<u32> = program.lines[at].used().collect();
        let Some(result) = pick(&lines, random) else { return false };
        program.lines.truncate(result as usize + 1);
        return true;
    }
    let heir = if is_untyped(random) {
        pick(&program.lines[at].arguments, random)
    } else {
        let alike: Vec<Argument> = program.lines[at]
            .arguments
            .iter()
            .copied()
            .filter(|argument| choose::is_alike(&choose::type_of(*argument, types), &types[at]))
            .collect();
        pick(&alike, random)
    };
    let Some(heir) = heir else { return false };
    let callee = match heir {
        Argument::Line(index) => Some(Callee::Line(index)),
        Argument::Primitive(primitive) => Some(Callee::Primitive(primitive)),
        Argument::Input | Argument::Constant(_) => None,
    };
    for line in &mut program.lines[at + 1..] {
        if line.callee == Callee::Line(at as u32) {
            let Some(callee) = callee else { return false };
            if let Callee::Primitive(primitive) = callee
                && primitive.arity() != line.arguments.len()
            {
                return false;
            }
            line.callee = callee;
        }
        for argument in &mut line.arguments {
            if *argument == Argument::Line(at as u32) {
                *argument = heir;
            }
        }
    }
    true
}

/// Two arguments of a line exchanged.
fn exchange_arguments(program: &mut Program, types: &[Type], random: &mut Random) -> bool {
    let at = random.below(program.lines.len() as u64) as usize;
    let line = &mut program.lines[at];
    let count = line.arguments.len() as u64;
    if count < 2 {
        return false;
    }
    let first = random.below(count) as usize;
    let second = (first + 1 + random.below(count - 1) as usize) % count as usize;
    let is_typed = !is_untyped(random);
    if let Callee::Primitive(primitive) = line.callee
        && is_typed
    {
        let takes =
            |index: usize, argument: usize| fits(primitive, index, &choose::type_of(line.arguments[argument], types));
        if !takes(first, second) || !takes(second, first) {
            return false;
        }
    }
    line.arguments.swap(first, second);
    line.arguments[first] != line.arguments[second]
}

#[cfg(test)]
mod tests;
