//! The task that a sentence hands out or takes on, and who is to do it.

use jackfield_text::{names::Names, phrases::Match, words};

use crate::action_cues::{CUES, Doer, TASKS};

/// What a verb is worth that is not a typical task, straight after `I'll` or `could you`.
const ANY_VERB: f64 = 0.6;
/// A cue of less weight than this needs a typical task.
const CLEAR: f64 = 1.1;
/// The weight of a name as a cue: `Bo will send it`, `Bo, send it`.
const BY_NAME: f64 = 1.6;
/// The weight of a name before a verb in its third person: `Bo asks the treasurer`.
const BY_THIRD_PERSON: f64 = 1.0;
/// A typical task is looked for within so many words after a cue.
const REACH: usize = 4;
/// What may stand between a cue and its verb.
const BETWEEN: &[&str] = &["also", "just", "then", "now", "please", "certainly", "definitely", "quickly", "personally"];

/// A task and its doer as a sentence has them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Task {
    pub(crate) doer: Doer,
    /// Index of the speaker who is named as the doer.
    pub(crate) named: Option<usize>,
    /// How clearly it is taken on or handed out.
    pub(crate) cue_weight: f64,
    /// How typical a task it is.
    pub(crate) task_weight: f64,
    /// Index of the first word of the cue, among the compared words.
    pub(crate) cue_start: usize,
    /// Index of the verb, among the compared words.
    pub(crate) verb: usize,
    /// Whether the verb is in the third person, as in `asks`.
    pub(crate) third_person: bool,
}

/// A word as it is compared.
pub(crate) struct Form {
    /// Offset in the text of the word as it was said, in bytes.
    pub(crate) offset: usize,
    pub(crate) text: String,
}

/// The words of a text as they are compared, with their offsets: what [`words::tokens`] gives.
pub(crate) fn forms(text: &str) -> Vec<Form> {
    let mut forms: Vec<Form> = Vec::new();
    for (offset, word) in words::words(text) {
        words::normal_forms(word, |form| {
            if !words::is_filler(form) && forms.last().is_none_or(|last| last.text != form) {
                forms.push(Form { offset, text: form.to_owned() });
            }
        });
    }
    forms
}

/// The clearest task of a text, if it has one; `speaker` is who says it.
pub(crate) fn find_task(text: &str, forms: &[Form], names: &Names, speaker: Option<usize>) -> Option<Task> {
    let tokens: Vec<&str> = forms.iter().map(|form| form.text.as_str()).collect();
    let search = Search { typical_tasks: TASKS.find(&tokens), tokens };
    let mut candidates = search.tasks_after_cues();
    for mention in names.mentions(text) {
        let after = &text[mention.end..];
        let before = &text[..mention.start];
        candidates.extend(search.task_of_person(&Mentioned {
            word_after: forms.partition_point(|form| form.offset < mention.end),
            speaker: mention.speaker,
            is_self: Some(mention.speaker) == speaker,
            is_addressed: after.trim_start().starts_with(','),
            is_followed_by_capital: after.trim_start().starts_with(char::is_uppercase),
            is_at_head: !before.contains(char::is_alphanumeric) || before.trim_end().ends_with(','),
            is_in_question: text.trim_end().ends_with('?'),
        }));
    }
    // Of tasks that are equally clear the first one counts.
    candidates.into_iter().reduce(|best, next| if next.clearness() > best.clearness() { next } else { best })
}

impl Task {
    fn clearness(&self) -> f64 {
        self.cue_weight + self.task_weight
    }
}

/// A speaker whose name is in the text.
struct Mentioned {
    /// Index of the first word after the name.
    word_after: usize,
    speaker: usize,
    /// Whether it is the one who says the sentence.
    is_self: bool,
    /// Whether a comma follows, as in `Bo, send it`.
    is_addressed: bool,
    /// Whether a capital follows: the label may be said with one word more.
    is_followed_by_capital: bool,
    /// Whether the name is at the start of a sentence or a clause.
    is_at_head: bool,
    /// Whether the text asks something.
    is_in_question: bool,
}

/// The words of a text, searched for tasks.
struct Search<'a> {
    tokens: Vec<&'a str>,
    /// Where typical tasks are named, with their weights.
    typical_tasks: Vec<Match<f64>>,
}

impl Search<'_> {
    /// The word at an index; empty beyond the last.
    fn word(&self, index: usize) -> &str {
        self.tokens.get(index).copied().unwrap_or_default()
    }

    /// The weight of the most typical task that starts at `from` or up to `reach` words later; 0 without one.
    fn task_weight(&self, from: usize, reach: usize) -> f64 {
        let near = self.typical_tasks.iter().filter(|task| task.start >= from && task.start <= from + reach);
        near.map(|task| task.value).fold(0.0, f64::max)
    }

    /// Index of the verb after a cue that ends before `end`.
    fn verb_after(&self, end: usize) -> usize {
        end + self.tokens[end..].iter().take_while(|word| BETWEEN.contains(word)).count()
    }

    fn is_content_word(&self, index: usize) -> bool {
        self.tokens.get(index).is_some_and(|word| word.len() > 2 && !words::is_stop_word(word))
    }

    /// `I'll send it`, `could you send it`.
    fn tasks_after_cues(&self) -> Vec<Task> {
        let mut tasks = Vec::new();
        for cue in CUES.find(&self.tokens) {
            let (cue_weight, doer) = cue.value;
            let (verb, task_weight) = if doer == Doer::Unknown {
                // The task may stand before such a cue as well as after it.
                let after = self.typical_tasks.iter().find(|task| task.start >= cue.end);
                let Some(task) = after.or(self.typical_tasks.first()) else { continue };
                (task.start, task.value)
            } else {
                let verb = self.verb_after(cue.end);
                let typical = self.task_weight(cue.end, REACH);
                let any_verb = typical == 0.0 && cue_weight >= CLEAR && self.is_content_word(verb);
                (verb, if any_verb { ANY_VERB } else { typical })
            };
            if task_weight > 0.0 && verb < self.tokens.len() {
                tasks.push(Task {
                    doer,
                    named: None,
                    cue_weight,
                    task_weight,
                    cue_start: cue.start,
                    verb,
                    third_person: false,
                });
            }
        }
        tasks
    }

    /// The tasks that a text hands to someone by name, in the order in which they are looked for.
    fn task_of_person(&self, person: &Mentioned) -> Vec<Task> {
        if person.is_addressed {
            return self.task_of_addressee(person).into_iter().collect();
        }
        self.task_with_auxiliary(person).into_iter().chain(self.task_in_third_person(person)).collect()
    }

    /// `Bo, send it.`
    fn task_of_addressee(&self, person: &Mentioned) -> Option<Task> {
        let task_weight = self.task_weight(person.word_after, 0);
        let is_task = person.is_at_head && task_weight > 0.0 && !person.is_self && !person.is_in_question;
        is_task.then_some(Task {
            doer: Doer::Addressee,
            named: Some(person.speaker),
            cue_weight: BY_NAME,
            task_weight,
            cue_start: person.word_after,
            verb: person.word_after,
            third_person: false,
        })
    }

    /// `Bo will send it`, `Bo is going to send it`; `The User Interface Designer will` for a label without the last word.
    fn task_with_auxiliary(&self, person: &Mentioned) -> Option<Task> {
        let first = person.word_after;
        for start in [first, first + usize::from(person.is_followed_by_capital)] {
            let length = match (self.word(start), self.word(start + 1), self.word(start + 2)) {
                ("is", "going", "to") => 3,
                ("needs" | "has", "to", _) => 2,
                ("will" | "should" | "shall" | "can", _, _) => 1,
                _ => continue,
            };
            let verb = self.verb_after((start + length).min(self.tokens.len()));
            let task_weight = self.task_weight(start + length, REACH);
            if task_weight > 0.0 && !person.is_self && verb < self.tokens.len() {
                return Some(Task {
                    doer: Doer::Unknown,
                    named: Some(person.speaker),
                    cue_weight: BY_NAME,
                    task_weight,
                    cue_start: first,
                    verb,
                    third_person: false,
                });
            }
        }
        None
    }

    /// `Bo asks the treasurer by Tuesday`: whoever calls should see to it that a date is set.
    fn task_in_third_person(&self, person: &Mentioned) -> Option<Task> {
        let verb = person.word_after;
        let base_form = self.word(verb).strip_suffix('s').unwrap_or_default();
        let task_weight = TASKS.find(&[base_form]).iter().map(|task| task.value).fold(0.0, f64::max);
        (person.is_at_head && task_weight > 0.0).then_some(Task {
            doer: Doer::Unknown,
            named: Some(person.speaker),
            cue_weight: BY_THIRD_PERSON,
            task_weight,
            cue_start: verb,
            verb,
            third_person: true,
        })
    }
}
