//! The analyzer `grid-generalise`, which tests programs on transformed copies of the task.

use std::rc::Rc;

use jackfield_plugin_api::prelude::*;

use super::{
    examples,
    score::body_of,
    settings::{LimitTable, SetOrder, options},
};
use crate::{
    evaluate::{Forest, Verdict},
    record::{Kept, Row},
    task::{Cells, Demo},
};

/// What `grid-generalise` reads.
#[derive(Document, Clone, Debug)]
pub struct GeneraliseInput {
    /// The demonstrations.
    #[serde(deserialize_with = "crate::task::read_demos")]
    pub train: Vec<Demo>,
    /// The programs that are kept.
    pub kept: Vec<Kept>,
}

/// A demonstration in another guise that a program gets wrong.
#[derive(Document, Clone, Debug, PartialEq)]
pub struct Broken {
    /// The guise: `rot90`, `colors 1>3 3>1`.
    pub guise: String,
    /// Which demonstration, from 0.
    pub pair: u32,
    /// What came of it.
    pub outcome: String,
}

/// How a program does on the demonstrations in other guises.
#[derive(Document, Clone, Debug, PartialEq)]
pub struct Generality {
    /// The program's name.
    pub name: String,
    /// The body's digest.
    pub digest: String,
    /// Guises in which it gets every demonstration right.
    pub held: u32,
    /// Guises that were tried.
    pub tried: u32,
    /// The share that held; nothing if none was tried.
    pub share: Option<f64>,
    /// What it got wrong, the first demonstration of each guise.
    pub failures: Vec<Broken>,
}

/// What `grid-generalise` answers.
#[derive(Document, Clone, Debug, PartialEq)]
pub struct Generalities {
    /// The programs, in order.
    pub programs: Vec<Generality>,
    /// The guises that were tried.
    pub guises: Vec<String>,
    /// Symmetries that the demonstrations contradict: one of them, turned or mirrored, is the input of another and not its output.
    pub contradicted: Vec<String>,
    /// The programs by guises: `equal`, or the guise and the first demonstration of it that comes out wrong.
    #[schemars(extend("x-view" = "outcomes"))]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub matrix: Vec<Row>,
}

/// Shows programs the demonstrations of a task in other guises, turned, mirrored and in other colours, and says in which they hold.
///
/// A symmetry is tried unless the demonstrations contradict it. Colours change places only where the task gives no reason to think
/// that they matter: colours that occur in every demonstration, or that an output has and its input has not, stay. What a
/// rule means is not known to the analyzer: a task may well be about a direction. A share tells two programs apart that do the
/// same on the demonstrations; it is no proof.
#[derive(Config)]
pub struct GridGeneralise {
    /// How many permutations of colours are tried, at most.
    #[config(default = 8)]
    #[schemars(range(max = 1_000))]
    pub permutations: u32,
    /// Whether turned and mirrored demonstrations are tried.
    #[config(default = true)]
    pub symmetries: bool,
    /// Seed of the permutations; that of the run and the item without it.
    pub seed: Option<u64>,
    /// The order of sets.
    #[serde(default)]
    pub order: SetOrder,
    /// What a program may take on one input.
    #[serde(default)]
    pub limits: LimitTable,
}

/// A way to say the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Guise {
    /// One of the seven symmetries of a square that change something.
    Symmetry(&'static str),
    /// Colours in place of others.
    Colors([u8; 10]),
}

const SYMMETRIES: [&str; 7] = ["rot90", "rot180", "rot270", "hmirror", "vmirror", "dmirror", "cmirror"];
const SAME_COLORS: [u8; 10] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

impl Guise {
    fn of(&self, grid: &Cells) -> Cells {
        let (height, width) = grid.shape();
        let (down, right) = (height - 1, width - 1);
        match self {
            Guise::Colors(colors) => grid.rearranged((height, width), |row, column| (row, column), colors),
            Guise::Symmetry(name) => {
                let same = (height, width);
                let turned = (width, height);
                match *name {
                    "rot90" => grid.rearranged(turned, |row, column| (down - column, row), &SAME_COLORS),
                    "rot180" => grid.rearranged(same, |row, column| (down - row, right - column), &SAME_COLORS),
                    "rot270" => grid.rearranged(turned, |row, column| (column, right - row), &SAME_COLORS),
                    "hmirror" => grid.rearranged(same, |row, column| (down - row, column), &SAME_COLORS),
                    "vmirror" => grid.rearranged(same, |row, column| (row, right - column), &SAME_COLORS),
                    "dmirror" => grid.rearranged(turned, |row, column| (column, row), &SAME_COLORS),
                    _ => grid.rearranged(turned, |row, column| (down - column, right - row), &SAME_COLORS),
                }
            }
        }
    }

    fn name(&self) -> String {
        match self {
            Guise::Symmetry(name) => (*name).to_owned(),
            Guise::Colors(colors) => {
                let moved = (0..10).filter(|color| usize::from(colors[*color]) != *color);
                let moved: Vec<String> = moved.map(|color| format!("{color}>{}", colors[color])).collect();
                format!("colors {}", moved.join(" "))
            }
        }
    }

    /// Whether one demonstration in this guise has the input of another, and not its output.
    fn is_contradicted(&self, demos: &[Demo]) -> bool {
        demos.iter().any(|one| {
            let input = self.of(&one.input);
            demos.iter().any(|other| input == other.input && self.of(&one.output) != other.output)
        })
    }
}

/// Colours of the demonstrations that may change places.
fn free_colors(demos: &[Demo]) -> Vec<u8> {
    let has = |grid: &Cells, color: u8| grid.cells().contains(&color);
    let used = |color: &u8| demos.iter().any(|demo| has(&demo.input, *color) || has(&demo.output, *color));
    let everywhere = |color: u8| demos.iter().all(|demo| has(&demo.input, color) || has(&demo.output, color));
    let made = |color: u8| demos.iter().any(|demo| has(&demo.output, color) && !has(&demo.input, color));
    (0..10).filter(used).filter(|color| !everywhere(*color) && !made(*color)).collect()
}

/// Different permutations of these colours, and of colours that do not occur, at most so many.
fn permutations(demos: &[Demo], most: u32, random: &mut Random) -> Vec<Guise> {
    let free = free_colors(demos);
    let occurs =
        |color: &u8| demos.iter().any(|demo| demo.input.cells().contains(color) || demo.output.cells().contains(color));
    // 0 is where nothing is, by custom: no colour takes its place.
    let unused = (1..10).filter(|color| !occurs(color));
    let places: Vec<u8> = free.iter().copied().chain(unused).collect();
    let mut guises: Vec<Guise> = Vec::new();
    if free.is_empty() || places.len() < 2 {
        return guises;
    }
    for _ in 0..most.saturating_mul(4) {
        if guises.len() as u32 == most {
            break;
        }
        let mut shuffled = places.clone();
        for at in (1..shuffled.len()).rev() {
            shuffled.swap(at, random.below(at as u64 + 1) as usize);
        }
        let mut colors = SAME_COLORS;
        for (from, to) in places.iter().zip(&shuffled) {
            colors[usize::from(*from)] = *to;
        }
        let moves_some = free.iter().any(|color| colors[usize::from(*color)] != *color);
        // What becomes of colours that do not occur is all the same.
        for color in 1..10_u8 {
            if !occurs(&color) {
                colors[usize::from(color)] = color;
            }
        }
        let guise = Guise::Colors(colors);
        if moves_some && !guises.contains(&guise) {
            guises.push(guise);
        }
    }
    guises
}

impl Analyzer for GridGeneralise {
    const NAME: &'static str = "grid-generalise";
    const STABILITY: Stability = Stability::Beta;
    type Input = GeneraliseInput;
    type Output = Generalities;

    fn examples() -> Vec<Example> {
        examples::generalise()
    }

    async fn analyze(&self, input: GeneraliseInput, host: &Host<'_>) -> Result<Generalities> {
        let GeneraliseInput { train, kept } = input;
        let mut random = self.seed.map_or_else(|| host.random(), Random::new);
        let symmetries = SYMMETRIES.iter().filter(|_| self.symmetries).map(|name| Guise::Symmetry(name));
        let (contradicted, mut guises): (Vec<Guise>, Vec<Guise>) =
            symmetries.partition(|guise| guise.is_contradicted(&train));
        guises.extend(permutations(&train, self.permutations, &mut random));
        let mut forest = Forest::new(options(self.order, self.limits, true, true));
        let programs: Vec<Option<usize>> =
            kept.iter().map(|kept| body_of(&kept.body).ok().map(|body| forest.add(&body))).collect();
        let mut matrix: Vec<Row> = kept
            .iter()
            .map(|kept| Row { name: kept.name.clone(), outcomes: Vec::with_capacity(guises.len()) })
            .collect();
        let mut answers: Vec<Generality> = kept
            .into_iter()
            .map(|kept| Generality {
                name: kept.name,
                digest: kept.digest,
                held: 0,
                tried: guises.len() as u32,
                share: None,
                failures: Vec::new(),
            })
            .collect();
        for guise in &guises {
            let mut broken: Vec<Option<Broken>> = vec![None; answers.len()];
            for (at, demo) in train.iter().enumerate() {
                forest.set_input(&Rc::new(guise.of(&demo.input).to_grid()));
                let expected = guise.of(&demo.output).to_grid();
                for (program, broken) in programs.iter().zip(&mut broken).filter(|(_, broken)| broken.is_none()) {
                    let outcome = match program {
                        None => "error:syntax".to_owned(),
                        Some(program) => Verdict::of(&forest.run(*program), &expected).outcome(),
                    };
                    if outcome != "equal" {
                        *broken = Some(Broken { guise: guise.name(), pair: at as u32, outcome });
                    }
                }
            }
            for ((answer, row), broken) in answers.iter_mut().zip(&mut matrix).zip(broken) {
                match broken {
                    Some(broken) => {
                        let Broken { guise, pair, outcome } = &broken;
                        row.outcomes.push(format!("{guise}, demonstration {}: {outcome}", pair + 1));
                        answer.failures.push(broken);
                    }
                    None => {
                        row.outcomes.push("equal".to_owned());
                        answer.held += 1;
                    }
                }
            }
        }
        for answer in &mut answers {
            answer.share = (answer.tried > 0).then(|| f64::from(answer.held) / f64::from(answer.tried));
        }
        let names = |guises: &[Guise]| guises.iter().map(Guise::name).collect();
        Ok(Generalities { programs: answers, guises: names(&guises), contradicted: names(&contradicted), matrix })
    }
}
