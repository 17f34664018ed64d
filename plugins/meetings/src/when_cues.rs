//! Words that say how soon a task is to be done.

use std::sync::LazyLock;

use jackfield_text::phrases::Phrases;

/// What points beyond the meeting.
pub(crate) static LATER: LazyLock<Phrases<f64>> = LazyLock::new(|| {
    Phrases::new(&[
        ("later", 0.4),
        ("after the meeting", 1.0),
        ("after this", 0.6),
        ("next meeting", 0.9),
        ("next time", 0.5),
        ("next week", 0.9),
        ("tomorrow", 1.0),
        ("in the meantime", 0.9),
        ("offline", 0.8),
        ("afterwards", 0.6),
        ("when i get back", 0.8),
        ("by then", 0.7),
        ("for the next", 0.5),
        ("before we", 0.3),
        ("as soon as", 0.6),
        ("this afternoon", 0.8),
        ("tonight", 0.9),
        ("today", 0.4),
    ])
});

/// What makes a task urgent.
pub(crate) static URGENT: LazyLock<Phrases<()>> = LazyLock::new(|| {
    let all = [
        "urgent",
        "urgently",
        "asap",
        "as soon as possible",
        "immediately",
        "right away",
        "critical",
        "crucial",
        "top priority",
        "high priority",
        "very important",
        "really important",
        "straight away",
        "today",
        "tonight",
    ];
    Phrases::new(&all.map(|phrase| (phrase, ())))
});

/// What says that a task can wait.
pub(crate) static UNHURRIED: LazyLock<Phrases<()>> = LazyLock::new(|| {
    let all = [
        "eventually",
        "at some point",
        "no rush",
        "no hurry",
        "if you have time",
        "if i have time",
        "when you have time",
        "some day",
        "low priority",
        "if you get a chance",
        "if i get a chance",
        "sometime",
    ];
    Phrases::new(&all.map(|phrase| (phrase, ())))
});
