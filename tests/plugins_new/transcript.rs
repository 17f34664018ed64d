//! What is the same each time in what commands print.

/// The lines of an output that are the same on every machine: of what compilers, package managers and test runners say,
/// only the outcome.
pub fn plain(output: &str) -> String {
    let mut lines: Vec<String> = output.lines().filter_map(line).collect();
    // Results that are shown as they come, whichever comes first.
    let shown = |line: &String| line.split_once(": ").is_some_and(|(item, _)| item.parse::<u32>().is_ok());
    let begin = lines.iter().position(shown).unwrap_or(lines.len());
    let end = lines[begin..].iter().position(|line| !shown(line)).map_or(lines.len(), |at| begin + at);
    lines[begin..end].sort();
    lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect()
}

fn line(line: &str) -> Option<String> {
    let words: Vec<&str> = line.split_whitespace().collect();
    // Of Node's test runner, in either of its formats: how many passed and failed.
    if let ["#" | "ℹ", what @ ("pass" | "fail"), count] = words[..] {
        return Some(format!("{what} {count}"));
    }
    let is_talk = match words[..] {
        [] => true,
        // npm, tsc and componentize-qjs.
        ["npm" | ">", ..] | ["added" | "up" | "changed", ..] | ["found", "0", "vulnerabilities"] => true,
        ["componentize-qjs"] | ["WIT:" | "JS:" | "Output:" | "Size:", ..] | ["Stubbing", ..] => true,
        ["run", "`npm", ..] | [_, "packages", "are", ..] | ["Component", "written", ..] => true,
        // Node's test runner.
        ["TAP", ..] | ["#" | "ℹ" | "✔" | "---" | "..." | "ok" | "▶", _, ..] | ["---" | "..."] => true,
        [first, ..] if first.starts_with("duration_ms") || first.starts_with("1..") || first == "type:" => true,
        // cargo.
        ["Compiling" | "Locking" | "Adding" | "Finished" | "Running" | "Doc-tests" | "Blocking" | "Updating", ..] => {
            true
        }
        ["running", "0", "tests"] => true,
        ["test", "result:", "ok.", "0", ..] => true,
        // Python's test runner and pip.
        [dots] if dots.bytes().all(|byte| byte == b'.') || dots.bytes().all(|byte| byte == b'-') => true,
        ["[notice]", ..] => true,
        // Of a conformance run, the level is what counts.
        [_, "passed" | "skipped", ..] | ["sha256" | "file", _] | ["check", "outcome"] => true,
        // The table of stages, and what is said while tools are fetched.
        ["stage", "calls", ..]
        | ["count" | "ask" | "parrot" | "play" | "read" | "states" | "direction", ..]
        | ["model", "calls", ..]
        | ["build:", ..] => true,
        // How often a cache was passed over, whose server is not there.
        ["WARN", "jackfield_services::cache:", ..] | ["cache", "kept:", ..] => true,
        // Said of a large component, unless its compiled code was kept.
        ["compiling", _, size, ..] if size.starts_with('(') => true,
        _ => false,
    };
    (!is_talk).then(|| words.into_iter().map(word).collect::<Vec<_>>().join(" ")).map(timeless)
}

/// A word without what differs: the name of a run, how many bytes there are.
fn word(word: &str) -> String {
    match word.split_once("lines-") {
        Some((before, rest)) => format!("{before}lines-RUN{}", if rest.ends_with(':') { ":" } else { "" }),
        None => word.to_owned(),
    }
}

/// A line without times and sizes.
fn timeless(line: String) -> String {
    let cut = [" in ", "; finished in "].into_iter().filter_map(|before| Some((line.find(before)?, before))).min();
    if let Some((at, before)) = cut
        && line[at + before.len()..].starts_with(|first: char| first.is_ascii_digit())
    {
        return format!("{}{before}TIME", &line[..at]);
    }
    match line.strip_suffix(" bytes").and_then(|line| line.rsplit_once(' ')) {
        Some((name, size)) if size.bytes().all(|byte| byte.is_ascii_digit()) => format!("{name} N bytes"),
        _ => line,
    }
}
