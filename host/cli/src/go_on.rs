//! The command that goes on with a run, ready to be pasted into a shell.

use std::path::Path;

use jackfield::internal::shell_word;
use jackfield_loader::{escape_untrusted_lines, holds_secrets, mask_secrets};
use jackfield_pipeline::EnvironmentVariable;

use super::{
    load::PipelineArgs,
    run::{Args, out_option},
};

/// Words of a key's name whose value may be a secret, unless the name says that it is the name of a variable or of a file.
const SECRET_WORDS: [&str; 14] = [
    "apikey",
    "auth",
    "authorization",
    "bearer",
    "cookie",
    "credential",
    "credentials",
    "header",
    "headers",
    "passwd",
    "password",
    "secret",
    "secrets",
    "token",
];

/// Words that make a `key` a secret one: `api_key`, but not `sort_key`.
const KEY_WORDS: [&str; 4] = ["access", "api", "private", "signing"];

/// The command that goes on with a run, with all options that make the run what it was.
pub(super) struct GoOn {
    /// The command, in words of a POSIX shell.
    pub(super) command: String,
    /// Options that have to be given again and are not shown, since their values may be secret or cannot be written down.
    pub(super) repeated: Vec<String>,
}

pub(super) fn go_on(args: &Args, run: &str, variables: &[EnvironmentVariable]) -> GoOn {
    let PipelineArgs { path, set, input, grant, locked } = &args.pipeline;
    let path = path.to_string_lossy();
    let path = if path.starts_with('-') { format!("./{path}") } else { path.into_owned() };
    let mut repeated = Vec::new();
    let mut command = String::new();
    for variable in variables.iter().filter(|variable| variable.is_set) {
        let value = variable.text();
        match word(&value).filter(|_| mask_secrets(&value) == value) {
            Some(value) => command.push_str(&format!("{}={value} ", variable.name)),
            None => repeated.push(format!("{}=...", variable.name)),
        }
    }
    command.push_str(&format!("jackfield run {}", word(&path).unwrap_or_else(|| shell_word(&path))));
    for (option, values) in [("--set", set), ("--input", input), ("--grant", grant)] {
        for value in values {
            match word(value).filter(|_| !may_be_secret(value)) {
                // A value that looks like an option has to be joined to its own.
                Some(word) if value.starts_with('-') => command.push_str(&format!(" {option}={word}")),
                Some(word) => command.push_str(&format!(" {option} {word}")),
                None => repeated.push(format!("{option} {}=...", value.split_once('=').map_or("", |(key, _)| key))),
            }
        }
    }
    if *locked {
        command.push_str(" --locked");
    }
    if let Some(jobs) = args.jobs {
        command.push_str(&format!(" --jobs {jobs}"));
    }
    if let Some(usd) = args.max_usd {
        command.push_str(&format!(" --max-usd {usd}"));
    }
    if args.retry_failed {
        command.push_str(" --retry-failed");
    }
    match &args.record {
        Some(Some(folder)) => command.push_str(&format!(" --record {}", shell_word(&folder.to_string_lossy()))),
        Some(None) => command.push_str(" --record"),
        None => {}
    }
    command.push_str(&out_option(&args.out));
    // A new run knows what it is restricted to.
    let only = if args.resume.is_some() { args.only.as_slice() } else { &[] };
    for id in only {
        match word(id) {
            Some(id) => command.push_str(&format!(" --only={id}")),
            None => repeated.push("--only=...".to_owned()),
        }
    }
    command.push_str(&format!(" --resume {}", resumed_word(args, run)));
    GoOn { command, repeated }
}

/// The run as `--resume` is given it: the folder, where it was named by that; its name, unless a folder of that name in the
/// current one would be taken for it.
fn resumed_word(args: &Args, run: &str) -> String {
    let is_run = |path: &str| Path::new(path).join("run.json").is_file();
    match &args.resume {
        Some(given) if is_run(given) => shell_word(given),
        _ if is_run(run) => shell_word(&args.out.join(run).to_string_lossy()),
        _ => shell_word(run),
    }
}

/// A word as a POSIX shell reads it, of characters that a terminal shows as they are; none if it cannot be written so.
fn word(text: &str) -> Option<String> {
    let is_shown = |text: &str| escape_untrusted_lines(text) == text && !text.contains('\t');
    if is_shown(text) {
        return Some(shell_word(text));
    }
    // A command substitution drops newlines at the end, and no argument holds a NUL.
    if text.ends_with('\n') || text.contains('\0') {
        return None;
    }
    let mut format = String::new();
    for char in text.chars() {
        match char {
            '%' => format.push_str("%%"),
            char if char.is_ascii_alphanumeric() || "-_./+,:@= {}[]#;~^*?".contains(char) => format.push(char),
            char => {
                let mut bytes = [0; 4];
                let bytes = char.encode_utf8(&mut bytes).bytes();
                bytes.for_each(|byte| format.push_str(&format!("\\{byte:03o}")));
            }
        }
    }
    Some(format!("\"$(printf -- '{format}')\""))
}

/// Whether an option may hold a secret: by its shape, or by the name of a key in it.
fn may_be_secret(option: &str) -> bool {
    mask_secrets(option) != option || names_of_keys(option).any(is_secret_name)
}

/// The names of keys in `path.to.key=VALUE`, and in the tables of the value.
fn names_of_keys(option: &str) -> impl Iterator<Item = &str> {
    let is_part = |char: char| char.is_alphanumeric() || char == '_' || char == '-';
    let mut rest = option;
    std::iter::from_fn(move || {
        loop {
            let start = rest.find(is_part)?;
            let name = &rest[start..];
            let end = name.find(|char| !is_part(char)).unwrap_or(name.len());
            let (name, after) = name.split_at(end);
            rest = after;
            let next = after.trim_start_matches(['"', '\'', ' ']);
            if next.starts_with(['=', '.']) || next.starts_with(":=") {
                return Some(name);
            }
        }
    })
}

fn is_secret_name(name: &str) -> bool {
    let lower = name.to_lowercase();
    let words: Vec<&str> = lower.split(['_', '-']).collect();
    if matches!(words.last(), Some(&"env" | &"file" | &"path")) {
        return false;
    }
    let is_key = words.windows(2).any(|pair| KEY_WORDS.contains(&pair[0]) && pair[1] == "key");
    is_key || words.iter().any(|word| SECRET_WORDS.contains(word)) || holds_secrets(name)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_shell_reads_a_word_as_it_was() {
        let odd = [
            "plain",
            "two words",
            "it's",
            "\"quoted\" $HOME `id` \\n",
            "one\ntwo",
            "tab\there",
            "\u{1b}[31mred % 100\u{202e}",
            "ends with a return\r",
            "*?[a]{b,c}~!#&|;<>()",
            "naïve 漢字",
            "",
        ];
        for text in odd {
            let script = format!("printf %s {}", word(text).expect("a word"));
            let read = Command::new("sh").args(["-c", &script]).output().expect("sh");
            assert_eq!(String::from_utf8_lossy(&read.stdout), text, "{script}");
        }
        assert_eq!(word("a\u{1b}\n"), None);
    }

    #[test]
    fn what_may_be_secret_is_not_shown() {
        for secret in [
            "model.judge.with.api_key=abc",
            "model.judge.with={headers={\"X-Api-Key\"=\"abc\"}}",
            "model.judge.with.headers.cookie=abc",
            "params.password = x",
            "params.pwd=x",
            "params.passphrase=x",
            "params.api_keys=x",
            "model.judge.with.base_url=\"https://me:hunter2@example.org\"",
        ] {
            assert!(may_be_secret(secret), "{secret}");
        }
        for plain in [
            "model.judge.with.api_key_env=JUDGE_KEY",
            "model.judge.budget.tokens=4000",
            "stages.brief.with.max_tokens=10",
            "stages.sort.with.key=\"topic\"",
            "params.author=Ann",
            "stages.brief.with.text=\"the token is spent\"",
        ] {
            assert!(!may_be_secret(plain), "{plain}");
        }
    }
}
