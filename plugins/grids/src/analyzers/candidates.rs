//! The analyzer `grid-candidates`, which collects the candidate programs of a task.

use std::collections::{BTreeMap, HashSet};

use jackfield_plugin_api::prelude::*;

use super::examples;
use crate::{
    program::{Program as Parsed, cross, mutate, parse},
    record::Program,
};

/// What `grid-candidates` reads.
#[derive(Document, Clone, Debug)]
pub struct CandidatesInput {
    /// The task's id: programs for it say `def solve_<id>(I):`.
    pub task: String,
    /// Programs from another stage, which come first.
    #[serde(default)]
    pub programs: Vec<Program>,
}

/// What `grid-candidates` answers.
#[derive(Document, Clone, Debug, PartialEq)]
pub struct Candidates {
    /// The candidates, each text once: those that were given, those of files, those of the list, mutants, crossings.
    pub programs: Vec<Program>,
}

/// Gathers the candidates of a task: programs from files and from a list, and new ones made of them by mutation and recombination.
///
/// A program belongs to the task that its first line names (`def solve_<id>(I):`). One that names none (`def solve(I):`) is a candidate
/// of every task, and so is one whose first line cannot be read: each task says what is wrong with it. What is drawn derives from
/// the seed of the run and the item, or from `seed`.
#[derive(Config)]
pub struct GridCandidates {
    /// A folder of programs, or one file: a file is a program, but one whose name ends in `.py` may hold many: they are called
    /// after the file and the line that they begin in, `solvers:12`.
    pub programs: Option<TextFiles>,
    /// Programs, as texts.
    #[serde(default)]
    pub list: Vec<String>,
    /// How many mutants of the programs are added, at most: each differs from a program in one place.
    #[config(default = 0)]
    #[schemars(range(max = 100_000))]
    pub mutants: u32,
    /// How many crossings of two programs are added, at most.
    #[config(default = 0)]
    #[schemars(range(max = 100_000))]
    pub crossings: u32,
    /// Seed of what is drawn; that of the run and the item without it.
    pub seed: Option<u64>,
    /// The programs by task.
    #[serde(skip)]
    by_task: BTreeMap<String, Vec<Program>>,
    /// The programs whose task cannot be told.
    #[serde(skip)]
    of_any: Vec<Program>,
}

/// The programs of a file with the tasks that they name: one, or as many as a file of Python has functions.
fn programs_of(file: &TextFile) -> Vec<(Option<String>, Program)> {
    let name = file.path.rsplit(['/', '\\']).next().unwrap_or(&file.path);
    let (stem, ending) = name.rsplit_once('.').unwrap_or((name, ""));
    if ending != "py" {
        return vec![(task_of(&file.text), Program { name: stem.to_owned(), text: file.text.clone() })];
    }
    // What stands before the first function imports the language.
    let mut functions: Vec<(usize, String)> = Vec::new();
    for (at, line) in file.text.lines().enumerate() {
        if line.starts_with("def ") {
            functions.push((at + 1, String::new()));
        }
        if let Some((_, function)) = functions.last_mut() {
            function.push_str(line);
            function.push('\n');
        }
    }
    let named = |(line, text): (usize, String)| (task_of(&text), Program { name: format!("{stem}:{line}"), text });
    functions.into_iter().map(named).collect()
}

/// The task that the first line of a program names.
fn task_of(text: &str) -> Option<String> {
    let header =
        text.lines().find_map(|line| line.trim_start_matches('\u{feff}').trim_start().strip_prefix("def solve_"))?;
    let end = header.find(|character: char| !character.is_alphanumeric() && character != '_').unwrap_or(header.len());
    (end > 0).then(|| header[..end].to_owned())
}

/// Tries to find a new program that come to nothing before no more are made.
const PATIENCE: u32 = 50;

impl Analyzer for GridCandidates {
    const NAME: &'static str = "grid-candidates";
    const STABILITY: Stability = Stability::Beta;
    type Input = CandidatesInput;
    type Output = Candidates;

    fn open(mut self) -> Result<Self> {
        let files = self.programs.as_ref().map_or(&[][..], |files| &files.0[..]);
        let listed = self.list.iter().enumerate();
        let listed: Vec<(Option<String>, Program)> = listed
            .map(|(at, text)| (task_of(text), Program { name: format!("list/{at}"), text: text.clone() }))
            .collect();
        for (task, program) in files.iter().flat_map(programs_of).chain(listed) {
            match task {
                Some(task) => self.by_task.entry(task).or_default().push(program),
                None => self.of_any.push(program),
            }
        }
        Ok(self)
    }

    fn examples() -> Vec<Example> {
        examples::candidates()
    }

    async fn analyze(&self, input: CandidatesInput, host: &Host<'_>) -> Result<Candidates> {
        let mut seen = HashSet::new();
        let own = self.by_task.get(&input.task).into_iter().flatten().chain(&self.of_any).cloned();
        let mut programs: Vec<Program> =
            input.programs.into_iter().chain(own).filter(|program| seen.insert(program.text.clone())).collect();
        // Nothing is drawn from them where nothing is made of them.
        let drawn_from = if self.mutants > 0 || self.crossings > 0 { &programs[..] } else { &[] };
        let pool: Vec<Parsed> = drawn_from.iter().filter_map(|program| parse(&program.text).ok()).collect();
        let mut random = self.seed.map_or_else(|| host.random(), Random::new);
        let mut add = |kind: &str, most: u32, make: &mut dyn FnMut() -> Parsed| {
            let (mut made, mut tries) = (0, 0);
            while made < most && tries < PATIENCE {
                let text = make().to_string();
                if seen.insert(text.clone()) {
                    programs.push(Program { name: format!("{kind}/{made}"), text });
                    (made, tries) = (made + 1, 0);
                } else {
                    tries += 1;
                }
            }
        };
        if !pool.is_empty() {
            let draw = |random: &mut Random| &pool[random.below(pool.len() as u64) as usize];
            add("mutant", self.mutants, &mut || {
                let of = draw(&mut random);
                mutate(of, &mut random)
            });
            add("crossing", self.crossings, &mut || {
                let (one, other) = (draw(&mut random), draw(&mut random));
                cross(one, other, &mut random)
            });
        }
        Ok(Candidates { programs })
    }
}
