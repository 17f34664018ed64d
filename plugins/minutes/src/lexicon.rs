//! Phrases that express doubt, worry, agreement and disagreement.

use std::sync::LazyLock;

use jackfield_text::phrases::Phrases;

/// What a list finds in a text (see [`words::tokens`](jackfield_text::words::tokens)): where each phrase starts, and its
/// value. The search goes on behind a phrase, so that `no problem` keeps `problem` from being found.
pub(crate) fn find<T: Copy>(list: &Phrases<T>, tokens: &[String]) -> Vec<(usize, T)> {
    let mut end = 0;
    let mut found = list.find(tokens);
    found.retain(|place| {
        let behind = place.start >= end;
        if behind {
            end = place.end;
        }
        behind
    });
    found.into_iter().map(|place| (place.start, place.value)).collect()
}

/// A list of phrases, parted by semicolons, each with the value of its group. They are written as tokens: `i m` for `I'm`.
fn list<T: Copy>(groups: &[(T, &'static str)]) -> Phrases<T> {
    let all: Vec<_> =
        groups.iter().flat_map(|(value, phrases)| phrases.split("; ").map(|phrase| (phrase, *value))).collect();
    Phrases::new(&all)
}

/// What a worry is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Worry {
    /// Not a worry, though it contains the words of one.
    None,
    Cost,
    Time,
    Doubt,
    Trouble,
    Dependency,
}

impl Worry {
    /// The word for it in a text, where there is a more particular one than worry.
    pub(crate) const fn name(self) -> Option<&'static str> {
        match self {
            Self::None | Self::Trouble => None,
            Self::Cost => Some("cost"),
            Self::Time => Some("time"),
            Self::Doubt => Some("what is not known"),
            Self::Dependency => Some("a dependency"),
        }
    }
}

/// Worries and how much each weighs, 0 to 1: three or four weak ones, or a plain one, make a concern.
pub(crate) static WORRIES: LazyLock<Phrases<(Worry, f64)>> = LazyLock::new(|| {
    list(&[
        (
            (Worry::None, 0.0),
            "no problem; no problems; risk management; the risk management; risk assessment; the risk assessment; risk assessments; problem solving; no trouble; not a problem; isn't a problem; no risk; no worries; don't worry; not worried; \
             not afraid; no concerns; no concern; no issue; not an issue; i m afraid so; sooner or later; later or \
             sooner; i m sure; in case of; to be late; too late to",
        ),
        (
            (Worry::Trouble, 0.6),
            "worried; worries me; my worry; my concern; my concerns; i have a concern; i have concerns; concerns me; \
             concerned that; concerned about; afraid that; i m afraid; we re afraid; a risk; the risk; at risk; \
             risky; risks; a danger; dangerous; nightmare; real problem; big problem; serious problem; major problem; \
             single point of failure; run a risk",
        ),
        (
            (Worry::Trouble, 0.4),
            "a problem; the problem is; problem with; problematic; the trouble is; trouble with; won't work; doesn't \
             work; does not work; stop working; stops working; could break; might break; can fail; could fail; might \
             fail; will fail; worthless; we lose; we d lose; i lose; we lost; lose the; fight us; will be angry; \
             complaints; hurts us; vulnerable; unsafe; not safe; the issue is; big issue; real issue; a concern; the \
             concern; makes it worse; make it worse; goes wrong; go wrong; went wrong; difficult to; will cancel; \
             crashes; contradicts",
        ),
        ((Worry::Trouble, 0.25), "problem; problems; concern; concerns; issue; issues; careful; tricky; unfortunately"),
        (
            (Worry::Cost, 0.5),
            "over budget; above budget; too expensive; can't afford; cannot afford; not in the budget; run out of \
             money; too costly; don't have the money; no money; beyond our budget; exceed the budget; over the \
             budget; costs too much; cost too much; twice the price; not enough money",
        ),
        ((Worry::Cost, 0.25), "expensive; budget; costs extra; extra cost; costly; afford; price goes up; the cost of"),
        (
            (Worry::Time, 0.5),
            "miss the deadline; miss the; won't be finished; not be finished; won't be ready; not be ready; not \
             enough time; run out of time; running out of time; behind schedule; too late; will be late; may be late; \
             might be late; be delayed; might delay; would delay; could delay; takes longer; take longer; in time \
             for; can't make it; before the deadline; out of time; won't make it",
        ),
        (
            (Worry::Time, 0.25),
            "delay; delays; deadline; expires; tight; postpone; slips; overdue; short notice; at the latest",
        ),
        (
            (Worry::Doubt, 0.35),
            "not sure; not convinced; not certain; don't know; doesn't know; no idea; unclear; unknown; not clear; \
             haven't checked; can't promise; can't say; nobody knows; no one knows; questionable; doubt; doubtful; \
             might not; may not; could be wrong; remains to be seen; what if",
        ),
        (
            (Worry::Doubt, 0.15),
            "maybe; perhaps; probably; possibly; hopefully; i guess; i hope; my guess; might; i suppose; roughly; \
             sort of; if it works; should be able",
        ),
        (
            (Worry::Dependency, 0.4),
            "depends on; dependent on; depending on; waiting for; blocked by; blocked on; blocks us; bottleneck; \
             nobody has; no one has; nobody renews; if nobody; nobody owns; only person; without approval; nearly \
             used up; used up; nearly nothing; isn't allowed; not allowed",
        ),
        ((Worry::Dependency, 0.2), "nobody; no one; relies on; rely on; need approval; out of our hands; if we don't"),
        (
            (Worry::Trouble, 0.3),
            "danger; threat; threatens; loss; damage; harm; failure; outage; critical; severe; shortage",
        ),
    ])
});

/// Which side a speaker takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// For it, in so many words.
    For,
    /// For something, which may be it.
    Proposes,
    /// For it, in spite of what was said before.
    Concedes,
    /// Against it, in so many words.
    Against,
    /// Against something, perhaps this.
    Objects,
    /// A yes, which may be no more than a sign of listening.
    Yes,
    /// A no, which may be an answer to something else.
    No,
    /// Neither, though it contains the words of one.
    Neither,
}

/// Phrases that take sides wherever they stand in a sentence.
pub(crate) static SIDES: LazyLock<Phrases<Side>> = LazyLock::new(|| {
    list(&[
        (
            Side::Neither,
            "do you agree; don't you agree; would you agree; can we agree; agree or disagree; if you agree; do we \
             agree; if everyone agrees; do you all agree; i don't think so either; if that s okay with; we agree \
             that; agree on; i wouldn't say no; sounds good or",
        ),
        (
            Side::For,
            "i agree; i totally agree; i completely agree; i fully agree; i quite agree; i d agree; i would agree; i \
             also agree; agreed; sounds good; sounds great; sounds fine; sounds reasonable; sounds like a plan; good \
             idea; great idea; nice idea; good point; makes sense; that s right; that s fine; that s good; that s a \
             good; that would be fine; that would work; that works for me; works for me; fine by me; fine with me; \
             okay with me; ok with me; i m fine with; i m okay with; i m happy with; i m with; i support; i \
             m in favour; i m in favor; me too; same here; i think so too; no objection; no objections; i like that; \
             i like it; let s do that; let s do it; yes please; absolutely; definitely; exactly; plus \
             one; i d prefer that; i second that; i concur; hear hear; i can confirm that; we re in favour",
        ),
        (
            Side::Proposes,
            "i think we should; i propose; i suggest; i d suggest; my proposal; my suggestion; i vote for; i d vote for; \
             i d go with; i d go for; i would go with; i would go for; i d prefer; i prefer; i would prefer; i m for; we \
             should; why don't we; i like the",
        ),
        (
            Side::Concedes,
            "i can live with; i could live with; we can live with; that i could accept; that i can accept; i can \
             accept; i could accept; i withdraw; fair enough; okay that s true; i m fine with it; i ll go along; if \
             you insist; you ve convinced me; i stand corrected; i give in",
        ),
        (
            Side::Against,
            "i disagree; i don't agree; i do not agree; i can't agree; i m against; i am against; i object; not \
             convinced; i don't think we should; i don't think it s a good; i don't think that s a good; i really don't \
             think; that s not a good idea; not a good idea; bad idea; i m not in favour; i m not in favor; i m not happy \
             with; i see it differently; i m opposed; that won't work; that doesn't work for me; i m not okay with; i \
             can't support; i cannot support; i won't support; i still think we run a risk; over my dead body; i don't \
             buy",
        ),
        (
            Side::Objects,
            "i d rather not; i would rather not; i d prefer not; i don't like; we shouldn't; we should not; that s not \
             fair; it s not fair; not a fair; i have a problem with; i have a concern; i don't believe that; i don't \
             want to; that s wrong; i d rather",
        ),
    ])
});

/// Words that answer at the head of a sentence.
pub(crate) static ANSWERS: LazyLock<Phrases<Side>> = LazyLock::new(|| {
    list(&[
        (
            Side::Neither,
            "no no; no problem; no worries; yes but; yeah but; okay but; right but; no idea; okay so; right so; no \
             one",
        ),
        (
            Side::Yes,
            "yes; yeah; yep; yup; okay; ok; sure; right; of course; fine; good; great; perfect; alright; all right; \
             mm hmm; cool; will do; deal",
        ),
        (Side::No, "no; nope; nah"),
    ])
});

#[cfg(test)]
mod tests {
    use super::{ANSWERS, SIDES, Side, WORRIES, find};
    use jackfield_text::words::tokens;

    fn weight(text: &str) -> f64 {
        find(&WORRIES, &tokens(text)).iter().map(|(_, (_, weight))| weight).sum()
    }

    #[test]
    fn the_longest_phrase_wins() {
        assert_eq!(weight("That's no problem at all."), 0.0);
        assert!(weight("That is a real problem.") > 0.5);
    }

    #[test]
    fn typography_does_not_matter() {
        assert_eq!(find(&SIDES, &tokens("Uh , I don't agree .")), [(0, Side::Against)]);
        assert_eq!(find(&SIDES, &tokens("I don’t agree")), [(0, Side::Against)]);
    }

    #[test]
    fn answers_are_told_from_their_lookalikes() {
        assert_eq!(find(&ANSWERS, &tokens("Yes, but not now"))[0].1, Side::Neither);
        assert_eq!(find(&ANSWERS, &tokens("Yep ."))[0].1, Side::Yes);
    }
}
