//! How findings compare with what readers marked.

use jackfield_meetings::learning::{Found, Target};
use jackfield_plugin_api::Random;

use crate::data::Meeting;

const ROUNDS: usize = 1000;

/// What was found in a meeting, against what its reader marked.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    pub(crate) name: String,
    pub(crate) judged: bool,
    /// Each finding with its confidence, the wanted items it hits, and whether it is right; nothing for a doubtful one.
    findings: Vec<(f64, Vec<usize>, Option<bool>)>,
    wanted: usize,
    /// Whether the turn that each finding shows is right by itself, with its confidence.
    pub(crate) shown: Vec<(f64, Option<bool>)>,
    /// How many turns of evidence each finding has, with its confidence.
    sizes: Vec<(f64, usize)>,
}

/// The least confidence that an analyzer answers by default.
pub(crate) fn default_least(target: Target) -> f64 {
    match target {
        Target::Decisions => 0.5,
        Target::Actions => 0.5,
    }
}

pub(crate) fn judge(meeting: &Meeting, found: &[Found]) -> Outcome {
    let wanted: Vec<_> = meeting.items.iter().filter(|item| item.wanted).collect();
    let near = |turns: &[usize], item: &crate::data::Item| {
        item.turns.iter().any(|&marked| turns.iter().any(|turn| turn.abs_diff(marked) <= 1))
    };
    let finding = |one: &Found| {
        let hits = (0..wanted.len()).filter(|&at| near(&one.turns, wanted[at])).collect();
        (one.confidence, hits, meeting.label(&one.turns))
    };
    Outcome {
        name: meeting.name.clone(),
        judged: meeting.judged,
        findings: found.iter().map(finding).collect(),
        wanted: wanted.len(),
        shown: found.iter().map(|one| (one.confidence, meeting.label(&one.turns[..1]))).collect(),
        sizes: found.iter().map(|one| (one.confidence, one.turns.len())).collect(),
    }
}

/// Precision, recall, F1, share of the findings at .8 and their precision; and how many were found.
fn figures<'a>(outcomes: impl Iterator<Item = &'a Outcome>, least: f64) -> [f64; 6] {
    let (mut right, mut known, mut hit, mut wanted, mut sure, mut sure_right) = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0);
    let mut found = 0.0;
    for outcome in outcomes {
        let mut reached = vec![false; outcome.wanted];
        for (confidence, hits, label) in outcome.findings.iter().filter(|finding| finding.0 >= least) {
            found += 1.0;
            hits.iter().for_each(|&at| reached[at] = true);
            let Some(label) = *label else { continue };
            let value = f64::from(u8::from(label));
            known += 1.0;
            right += value;
            if *confidence >= 0.8 {
                sure += 1.0;
                sure_right += value;
            }
        }
        hit += reached.iter().filter(|reached| **reached).count() as f64;
        wanted += outcome.wanted as f64;
    }
    let share = |a: f64, b: f64| if b == 0.0 { 0.0 } else { a / b };
    let (precision, recall) = (share(right, known), share(hit, wanted));
    let f1 = share(2.0 * precision * recall, precision + recall);
    [precision, recall, f1, share(sure, known), share(sure_right, sure), found]
}

/// Prints a line of the table.
pub(crate) fn line(left_out: &str, on: &str, outcomes: &[Outcome], least: f64) {
    let [precision, recall, f1, share, sure, found] = figures(outcomes.iter(), least);
    let labels =
        outcomes.iter().flat_map(|outcome| &outcome.shown).filter(|one| one.0 >= least).filter_map(|one| one.1);
    let labels: Vec<bool> = labels.collect();
    let shown = labels.iter().filter(|right| **right).count() as f64 / labels.len().max(1) as f64;
    println!(
        "| {left_out} | {on} | {least} | {found} | {precision:.3} | {recall:.3} | {f1:.3} | {share:.2} | {sure:.3} | {shown:.3} |"
    );
}

/// Prints intervals, and what is reached without any learning.
pub(crate) fn baselines(outcomes: &[Outcome], all: &[Meeting], least: f64, target: Target) {
    let mut random = Random::new(18);
    let mut draws: Vec<[f64; 6]> = (0..ROUNDS)
        .map(|_| {
            let drawn: Vec<&Outcome> =
                (0..outcomes.len()).map(|_| &outcomes[random.below(outcomes.len() as u64) as usize]).collect();
            figures(drawn.into_iter(), least)
        })
        .collect();
    let mut interval = |at: usize| {
        draws.sort_by(|a, b| a[at].total_cmp(&b[at]));
        format!("{:.2} to {:.2}", draws[ROUNDS / 40][at], draws[ROUNDS - 1 - ROUNDS / 40][at])
    };
    let intervals: Vec<String> = (0..5).map(&mut interval).collect();
    println!(
        "\n95 % intervals over meetings: precision {}, recall {}, F1 {}, share at .8 {}, precision there {}.\n",
        intervals[0], intervals[1], intervals[2], intervals[3], intervals[4]
    );
    println!("| baseline | found | precision | recall | F1 |\n| --- | --: | --: | --: | --: |");
    let words: &[&str] = match target {
        Target::Decisions => &[
            "decide",
            "decided",
            "decision",
            "agree",
            "agreed",
            "let's",
            "let 's",
            "go with",
            "we should",
            "we'll",
            "we 'll",
        ],
        Target::Actions => &[
            "i'll",
            "i 'll",
            "action",
            "can you",
            "could you",
            "please",
            "send",
            "you should",
            "next meeting",
            "prepare",
        ],
    };
    type Choice<'a> = Box<dyn FnMut(&Meeting, &[usize]) -> Vec<Vec<usize>> + 'a>;
    let length = |meeting: &Meeting, turn: usize| meeting.transcript.segments[turn].text.len();
    let choices: [(&str, Choice<'_>); 4] = [
        (
            "longest turns",
            Box::new(|meeting, sizes| {
                let mut turns: Vec<usize> = (0..meeting.transcript.segments.len()).collect();
                turns.sort_by_key(|&turn| (std::cmp::Reverse(length(meeting, turn)), turn));
                turns.into_iter().take(sizes.len()).map(|turn| vec![turn]).collect()
            }),
        ),
        (
            "turns with a key word, all",
            Box::new(|meeting, _| {
                let has = |turn: &usize| {
                    let text = meeting.transcript.segments[*turn].text.to_lowercase();
                    words.iter().any(|word| text.contains(word))
                };
                (0..meeting.transcript.segments.len()).filter(has).map(|turn| vec![turn]).collect()
            }),
        ),
        (
            "random turns",
            Box::new(|meeting, sizes| {
                let mut random = Random::new(meeting.transcript.segments.len() as u64);
                sizes.iter().map(|_| vec![random.below(meeting.transcript.segments.len() as u64) as usize]).collect()
            }),
        ),
        (
            "random places with as many turns of evidence",
            Box::new(|meeting, sizes| {
                let spoken: Vec<usize> = (0..meeting.transcript.segments.len())
                    .filter(|&turn| meeting.described.outlines[turn].spoken)
                    .collect();
                let content: Vec<usize> =
                    (0..spoken.len()).filter(|&at| meeting.described.outlines[spoken[at]].content).collect();
                let mut random = Random::new(meeting.transcript.segments.len() as u64);
                let mut place = |size: &usize| {
                    let at = content[random.below(content.len() as u64) as usize];
                    // Every second turn on both sides, as far apart as those of a finding are.
                    let near = [0_isize, 2, -2, 4, -4].iter().take(*size);
                    near.filter_map(|step| spoken.get(at.checked_add_signed(*step)?).copied()).collect()
                };
                sizes.iter().map(&mut place).collect()
            }),
        ),
    ];
    for (name, mut choose) in choices {
        let mut sum = [0.0; 6];
        let rounds = 1;
        for _ in 0..rounds {
            let picked: Vec<Outcome> = outcomes
                .iter()
                .filter_map(|outcome| {
                    let meeting = all.iter().find(|meeting| meeting.name == outcome.name)?;
                    let sizes: Vec<usize> =
                        outcome.sizes.iter().filter(|size| size.0 >= least).map(|size| size.1).collect();
                    let found: Vec<Found> =
                        choose(meeting, &sizes).into_iter().map(|turns| Found { turns, confidence: 1.0 }).collect();
                    Some(judge(meeting, &found))
                })
                .collect();
            sum.iter_mut().zip(figures(picked.iter(), 0.0)).for_each(|(sum, value)| *sum += value / f64::from(rounds));
        }
        println!("| {name} | {:.0} | {:.3} | {:.3} | {:.3} |", sum[5], sum[0], sum[1], sum[2]);
    }
}

/// Prints how often findings of like confidence are right.
pub(crate) fn reliability(judged: &[Outcome], all: &[Outcome], least: f64) {
    println!(
        "\n| confidence | findings, 12 meetings | right | findings, all | right |\n| --- | --: | --: | --: | --: |"
    );
    for bin in 0..10 {
        let (from, to) = (f64::from(bin) / 10.0, f64::from(bin + 1) / 10.0);
        let cells = [judged, all].map(|outcomes| {
            let within = outcomes
                .iter()
                .flat_map(|outcome| &outcome.findings)
                .filter(|one| one.0 >= from.max(least) && one.0 < to);
            let labels: Vec<bool> = within.filter_map(|one| one.2).collect();
            let right = labels.iter().filter(|right| **right).count();
            (labels.len(), right as f64 / labels.len().max(1) as f64)
        });
        if cells[1].0 > 0 {
            println!(
                "| {from:.1} to {to:.1} | {} | {:.2} | {} | {:.2} |",
                cells[0].0, cells[0].1, cells[1].0, cells[1].1
            );
        }
    }
}
