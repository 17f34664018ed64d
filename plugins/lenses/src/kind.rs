//! What the entries of a list are called.

/// The kind of the entries of a list: its name, lower-case, with hyphens, in the singular.
pub(crate) fn kind_of(key: &str) -> String {
    let words = key.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let mut words: Vec<String> = words.map(str::to_lowercase).collect();
    if let Some(last) = words.last_mut() {
        *last = singular(last);
    }
    if words.is_empty() { "finding".to_owned() } else { words.join("-") }
}

/// The singular of an English noun by its ending.
fn singular(word: &str) -> String {
    let ends_in = |endings: &[&str]| endings.iter().any(|ending| word.ends_with(ending));
    let with_ending = |dropped: usize, ending: &str| format!("{}{ending}", &word[..word.len() - dropped]);
    if ends_in(&["ies"]) && word.len() > 4 {
        with_ending(3, "y")
    } else if ends_in(&["theses", "alyses", "crises"]) {
        with_ending(2, "is")
    } else if ends_in(&["sses", "shes", "ches", "xes"]) {
        with_ending(2, "")
    } else if ends_in(&["s"]) && !ends_in(&["ss", "us", "is"]) && word.len() > 2 {
        with_ending(1, "")
    } else {
        word.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::kind_of;

    #[test]
    fn lists_give_their_entries_a_kind_in_the_singular() {
        let named = [
            ("insights", "insight"),
            ("hypotheses", "hypothesis"),
            ("premises", "premise"),
            ("dependencies", "dependency"),
            ("evidence_matrix", "evidence-matrix"),
            ("fundamental_truths", "fundamental-truth"),
            ("novelty_assessment", "novelty-assessment"),
            ("Open Points", "open-point"),
            ("analyses", "analysis"),
            ("losses", "loss"),
            ("status", "status"),
            ("_", "finding"),
        ];
        for (key, kind) in named {
            assert_eq!(kind_of(key), kind);
        }
    }
}
