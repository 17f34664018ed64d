//! The files that patterns match, each once.
//!
//! As in every shell, a wildcard does not match the dot that a name begins with: what systems and tools leave in folders, such as
//! `.DS_Store` or `.git`, is hidden, and is read only where a pattern writes that dot.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Component, Path, PathBuf},
};

use glob::Pattern;
use rustc_hash::FxHashSet;

use jackfield_engine::{EngineError, composed};

/// The files that patterns match, each once, sorted. A pattern without a wildcard must be a file. A name is matched by how it looks:
/// characters may be composed or not, and U+FFFD stands for what is not Unicode in it.
///
/// A folder that links lead to is the same folder on every way: its files are found on the shortest one. A link to a file is
/// a file of its own.
pub(crate) fn expand(patterns: &[String]) -> Result<Vec<PathBuf>, EngineError> {
    let mut found = Vec::new();
    for pattern in patterns {
        if Path::new(pattern).is_file() {
            found.push(PathBuf::from(pattern));
        } else {
            matches(pattern, &mut found)?;
        }
    }
    // The shortest way first, so that it is the one that stays.
    found.sort_by(|one, other| (one.components().count(), one).cmp(&(other.components().count(), other)));
    let mut seen = BTreeSet::new();
    found.retain(|path| seen.insert(real(path)));
    found.sort();
    if found.is_empty() {
        return Err(EngineError::NoInput { patterns: patterns.to_vec() });
    }
    Ok(found)
}

/// As [`expand`], but a pattern may be a folder, too: all its `*.json`, and its `*.json.gz`.
///
/// # Errors
/// As those of [`expand`], and for each pattern by itself that is a folder without such a file, or names what is not there.
pub fn expand_folders(patterns: &[String]) -> Result<Vec<PathBuf>, EngineError> {
    let mut inside = Vec::new();
    for pattern in patterns {
        let literal = Some(PathBuf::from(pattern)).filter(|path| path.exists()).or_else(|| literal_path(pattern));
        match literal.filter(|path| path.is_dir()) {
            Some(folder) => {
                let base = Pattern::escape(&folder.to_string_lossy());
                let files = ["*.json", "*.json.gz"].map(|name| format!("{base}/{name}"));
                expand(&files).map_err(|error| match error {
                    EngineError::NoInput { .. } => EngineError::EmptyFolder { folder },
                    other => other,
                })?;
                inside.extend(files);
            }
            None => {
                if literal_path(pattern).is_some_and(|path| fs::symlink_metadata(path).is_err())
                    && !Path::new(pattern).exists()
                {
                    return Err(EngineError::NoInput { patterns: vec![pattern.clone()] });
                }
                inside.push(pattern.clone());
            }
        }
    }
    expand(&inside)
}

/// The path that a pattern without a wildcard means.
fn literal_path(pattern: &str) -> Option<PathBuf> {
    let components = Path::new(pattern).components().map(|component| match component {
        Component::Normal(text) => literal(&text.to_string_lossy()).map(PathBuf::from),
        other => Some(PathBuf::from(other.as_os_str())),
    });
    components.collect()
}

/// A file's own name in the folder that its path really leads to.
fn real(path: &Path) -> PathBuf {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match (fs::canonicalize(folder), path.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        _ => path.to_owned(),
    }
}

fn matches(pattern: &str, found: &mut Vec<PathBuf>) -> Result<(), EngineError> {
    let bad =
        |error: glob::PatternError| EngineError::BadGlob { pattern: pattern.to_owned(), message: error.to_string() };
    // As a whole first: `[a/b]` falls apart below.
    Pattern::new(pattern).map_err(bad)?;
    let mut steps = Vec::new();
    for component in Path::new(pattern).components() {
        let text = component.as_os_str().to_string_lossy();
        steps.push(match component {
            Component::Normal(_) if text == "**" => Step::Below,
            Component::Normal(_) => match literal(&text) {
                Some(name) => Step::Name(PathBuf::from(name)),
                None => Step::Like(Pattern::new(&composed(&text)).map_err(bad)?),
            },
            other => Step::Name(PathBuf::from(other.as_os_str())),
        });
    }
    follow(PathBuf::new(), &steps, found)
        .map_err(|(path, error)| EngineError::Source { path, message: error.to_string() })
}

enum Step {
    /// Into what is called so.
    Name(PathBuf),
    /// Into all that is called like that.
    Like(Pattern),
    /// Into this folder and all folders below it.
    Below,
}

/// A component that means one name alone: without a wildcard, or with escaped ones.
fn literal(component: &str) -> Option<String> {
    let mut name = String::new();
    let mut rest = component.chars();
    while let Some(c) = rest.next() {
        match c {
            '*' | '?' => return None,
            '[' => match (rest.next()?, rest.next()?) {
                (c, ']') if c != '!' => name.push(c),
                _ => return None,
            },
            c => name.push(c),
        }
    }
    Some(name)
}

/// A folder that may not be listed hides its files: said, rather than passed over.
type Hidden = (PathBuf, io::Error);

fn follow(at: PathBuf, steps: &[Step], found: &mut Vec<PathBuf>) -> Result<(), Hidden> {
    let Some((step, rest)) = steps.split_first() else {
        // A link that leads nowhere is an item that cannot be read, not one that is not there.
        if fs::symlink_metadata(&at).is_ok() && !at.is_dir() {
            found.push(at);
        }
        return Ok(());
    };
    match step {
        Step::Name(name) => {
            let as_written = at.join(name);
            let name = name.to_string_lossy();
            if name.is_ascii() || fs::symlink_metadata(&as_written).is_ok() {
                return follow(as_written, rest, found);
            }
            let name = composed(&name);
            follow_each(&at, rest, found, |entry| entry == name)
        }
        Step::Like(pattern) => {
            let takes_hidden = pattern.as_str().starts_with('.');
            follow_each(&at, rest, found, |entry| (takes_hidden || !entry.starts_with('.')) && pattern.matches(entry))
        }
        Step::Below => {
            // One `**` after the other means no more than one.
            let rest = &rest[rest.iter().take_while(|step| matches!(step, Step::Below)).count()..];
            for folder in folders_below(at)? {
                follow(folder, rest, found)?;
            }
            Ok(())
        }
    }
}

/// Goes on from each entry of a folder whose name, as it looks, is the right one.
fn follow_each(
    folder: &Path,
    rest: &[Step],
    found: &mut Vec<PathBuf>,
    is_right: impl Fn(&str) -> bool,
) -> Result<(), Hidden> {
    for entry in list(folder)? {
        if is_right(&name_of(&entry)) && (rest.is_empty() || entry.is_dir()) {
            follow(entry, rest, found)?;
        }
    }
    Ok(())
}

/// The name of a file or folder as it looks.
fn name_of(path: &Path) -> String {
    composed(&path.file_name().unwrap_or_default().to_string_lossy()).into_owned()
}

/// A folder and all below it that are not hidden, each once however many links lead there, on the shortest way.
fn folders_below(top: PathBuf) -> Result<Vec<PathBuf>, Hidden> {
    let mut seen = FxHashSet::default();
    let mut folders = Vec::new();
    let mut level = vec![top];
    while !level.is_empty() {
        let mut next = Vec::new();
        for folder in level {
            // One that links in a circle lead to is not there.
            let Ok(real) = fs::canonicalize(if folder.as_os_str().is_empty() { Path::new(".") } else { &folder })
            else {
                continue;
            };
            if real.is_dir() && seen.insert(real) {
                let inside = list(&folder)?.into_iter();
                next.extend(inside.filter(|entry| entry.is_dir() && !name_of(entry).starts_with('.')));
                folders.push(folder);
            }
        }
        level = next;
    }
    Ok(folders)
}

/// What is in a folder, sorted; nothing for what is no folder.
fn list(folder: &Path) -> Result<Vec<PathBuf>, Hidden> {
    let real = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let hidden = |error: io::Error| (folder.to_owned(), error);
    let entries = match fs::read_dir(real) {
        Ok(entries) => entries,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        Err(error) => return Err(hidden(error)),
    };
    let entries: io::Result<Vec<PathBuf>> = entries.map(|entry| Ok(folder.join(entry?.file_name()))).collect();
    let mut entries = entries.map_err(hidden)?;
    entries.sort();
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// Files below a folder, and what patterns in it match.
    fn matched(files: &[&str], links: &[(&str, &str)], patterns: &[&str]) -> Vec<String> {
        let folder = tempfile::Builder::new().prefix("odd[name]*").tempdir().expect("a folder");
        for file in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            fs::write(path, "").expect("written");
        }
        links.iter().for_each(|(target, link)| symlink(target, folder.path().join(link)).expect("linked"));
        let base = Pattern::escape(&folder.path().to_string_lossy());
        let patterns: Vec<String> = patterns.iter().map(|pattern| format!("{base}/{pattern}")).collect();
        let below = |path: PathBuf| path.strip_prefix(folder.path()).expect("below").to_string_lossy().into_owned();
        expand(&patterns).map(|found| found.into_iter().map(below).collect()).unwrap_or_default()
    }

    #[test]
    fn patterns_match_what_the_glob_crate_matches() {
        let files = [
            "a.txt",
            "b.md",
            "d/a.txt",
            "d/e/a.txt",
            "d/e/.hidden.txt",
            "[x].txt",
            "dd/f/a.txt",
            ".git/a.txt",
            ".git/.a.txt",
        ];
        let folder = tempfile::tempdir().expect("a folder");
        for file in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            fs::write(path, "").expect("written");
        }
        for pattern in [
            "*",
            "*.txt",
            "**/*.txt",
            "**",
            "d/**/*.txt",
            "d?/**/a.txt",
            "**/e/*",
            "[[]x].txt",
            "[[]x[]].txt",
            "d/../*.md",
            "{a}",
            "[!a].md",
            "**/**/a.txt",
            "*/*/*",
            "a.txt",
            "d",
            "d/e/",
            "./*.txt",
            ".*",
            "?*.txt",
            "[.]*.txt",
            ".git/*",
        ] {
            let pattern = format!("{}/{pattern}", folder.path().display());
            // As in every shell, what begins with a dot is hidden.
            let options = glob::MatchOptions { require_literal_leading_dot: true, ..glob::MatchOptions::new() };
            let matched = glob::glob_with(&pattern, options).expect("a pattern");
            let mut theirs: Vec<PathBuf> = matched.flatten().filter(|path| !path.is_dir()).collect();
            theirs.sort();
            let ours = expand(std::slice::from_ref(&pattern)).unwrap_or_default();
            let real = |paths: &[PathBuf]| paths.iter().map(|path| real(path)).collect::<BTreeSet<_>>();
            assert_eq!(real(&ours), real(&theirs), "{pattern}");
        }
        // The glob crate passes over what is in a hidden folder that the pattern names.
        let named = format!("{}/.g*/**/*.txt", folder.path().display());
        assert_eq!(expand(&[named]).unwrap_or_default(), [folder.path().join(".git/a.txt")]);
        let both = format!("{}/.*/.a.txt", folder.path().display());
        assert_eq!(expand(&[both]).unwrap_or_default(), [folder.path().join(".git/.a.txt")]);
        let hidden = format!("{}/**/.*.txt", folder.path().display());
        assert_eq!(expand(&[hidden]).unwrap_or_default(), [folder.path().join("d/e/.hidden.txt")]);
    }

    #[test]
    fn a_folder_of_json_files_is_expanded_and_each_pattern_has_to_lead_somewhere() {
        let folder = tempfile::Builder::new().prefix("odd[name]*").tempdir().expect("a folder");
        for file in [
            "a.json",
            "d[1]/b.json",
            "d[1]/.hidden.json",
            "d[1]/c.txt",
            "d[1]/e.json/f.json",
            "empty/x.txt",
            "packed/g.json.gz",
        ] {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            fs::write(path, "").expect("written");
        }
        let base = folder.path().to_string_lossy().into_owned();
        let expanded = |patterns: &[&str]| {
            let absolute = |pattern: &&str| format!("{}/{pattern}", Pattern::escape(&base));
            let shown = |path: &PathBuf| path.to_string_lossy().replace(&base, "DIR");
            match expand_folders(&patterns.iter().map(absolute).collect::<Vec<_>>()) {
                Ok(found) => found.iter().map(shown).collect::<Vec<_>>().join(" "),
                Err(error) => error.to_string().replace(&base, "DIR").replace(&Pattern::escape(&base), "DIR"),
            }
        };
        let escaped = Pattern::escape("d[1]");
        assert_eq!(expanded(&[&escaped, "a.json"]), "DIR/a.json DIR/d[1]/b.json");
        assert_eq!(expanded(&["**/*.json"]), "DIR/a.json DIR/d[1]/b.json DIR/d[1]/e.json/f.json");
        assert_eq!(expanded(&[&format!("{escaped}/.*.json")]), "DIR/d[1]/.hidden.json");
        assert_eq!(expanded(&["packed"]), "DIR/packed/g.json.gz");
        assert_eq!(expanded(&["a.json", "empty"]), "the folder `DIR/empty` holds no file whose name ends in `.json`");
        assert_eq!(expanded(&["a.json", "gone.json"]), "no file matches DIR/gone.json");
        assert_eq!(
            expand_folders(&[folder.path().join("d[1]").to_string_lossy().into_owned()]).map(|found| found.len()).ok(),
            Some(1)
        );
    }

    #[test]
    fn a_name_is_matched_by_how_it_looks() {
        use std::{ffi::OsStr, os::unix::ffi::OsStrExt as _};

        let folder = tempfile::tempdir().expect("a folder");
        let names: [&[u8]; 3] = ["cafe\u{301}.txt".as_bytes(), b"caf\xe9.txt", "th\u{e9}/a.txt".as_bytes()];
        for name in names {
            let path = folder.path().join(OsStr::from_bytes(name));
            fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            fs::write(path, "").expect("written");
        }
        let found = |pattern: &str| {
            let pattern = format!("{}/{pattern}", folder.path().display());
            let found = expand(&[pattern]).unwrap_or_default();
            found.into_iter().map(|path| name_of(&path)).collect::<Vec<_>>()
        };
        assert_eq!(found("caf\u{e9}.txt"), ["caf\u{e9}.txt"]);
        assert_eq!(found("caf\u{e9}*"), ["caf\u{e9}.txt"]);
        assert_eq!(found("caf\u{fffd}.txt"), ["caf\u{fffd}.txt"]);
        assert_eq!(found("caf?.txt"), ["caf\u{e9}.txt", "caf\u{fffd}.txt"]);
        assert_eq!(found("the\u{301}/*"), ["a.txt"]);
        assert_eq!(found("caf\u{e8}.txt"), [""; 0]);
    }

    #[test]
    fn a_folder_that_links_lead_to_is_read_once_and_on_the_shortest_way() {
        let (files, every) = (["z.txt", "sub/y.txt"], ["**/*.txt"]);
        assert_eq!(matched(&files, &[(".", "loop")], &every), ["sub/y.txt", "z.txt"]);
        // Two that lead to each other: forty steps of either would be more than there are atoms.
        let links = [(".", "one"), (".", "two"), ("..", "sub/up")];
        assert_eq!(matched(&files, &links, &every), ["sub/y.txt", "z.txt"]);
        assert_eq!(matched(&files, &[("itself", "itself")], &every), ["sub/y.txt", "z.txt"]);
    }

    #[test]
    fn patterns_that_overlap_match_a_file_once_and_links_to_files_are_files() {
        let files = ["d/a.txt", "d/b.txt"];
        assert_eq!(matched(&files, &[], &["d/*.txt", "**/a.txt", "d/../d/b.txt", "d/a.txt"]), ["d/a.txt", "d/b.txt"]);
        assert_eq!(matched(&files, &[("d", "e")], &["*/a.txt"]), ["d/a.txt"]);
        assert_eq!(matched(&files, &[("a.txt", "d/c.txt")], &["d/*"]), ["d/a.txt", "d/b.txt", "d/c.txt"]);
        assert_eq!(matched(&files, &[("/nowhere", "d/gone.txt")], &["d/g*"]), ["d/gone.txt"]);
    }
}
