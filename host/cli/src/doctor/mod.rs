//! `jackfield doctor` checks the program, the machine, a pipeline's files and servers, and the tools of plugin authors. It is for when
//! something does not work.

mod disk;
mod finding;
mod machine;
mod pipeline;
mod tools;

use std::path::PathBuf;

use finding::{Finding, State};
use jackfield_loader::escape_untrusted;

pub(super) use self::pipeline::setting;
use super::{exit::Exit, load::print_json, run::OUT};
use crate::terminal::output;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A pipeline file, or the folder that holds `pipeline.toml`; the current folder if it holds one.
    path: Option<PathBuf>,

    /// The folder that holds the run folders, for what they take on disk.
    #[arg(long, value_name = "DIR", default_value = OUT)]
    out: PathBuf,

    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

pub(super) fn doctor(args: &Args) -> Exit {
    let here = PathBuf::from(".");
    let path = args.path.clone().or_else(|| here.join("pipeline.toml").is_file().then_some(here));
    let (of_pipeline, files) = path.map(|path| pipeline::check_pipeline(&path)).unwrap_or_default();
    let groups = [
        ("jackfield", machine::program()),
        ("machine", machine::machine()),
        ("pipeline", of_pipeline),
        ("disk", disk::runs(&args.out).into_iter().chain(files).collect()),
        ("tools for authors of plugins", tools::tools()),
    ];
    let broken = groups.iter().flat_map(|(_, findings)| findings).any(|finding| finding.state == State::Broken);
    if args.json {
        let groups: Vec<_> = groups
            .iter()
            .filter(|(_, findings)| !findings.is_empty())
            .map(|(name, findings)| serde_json::json!({ "group": name, "findings": findings }))
            .collect();
        print_json(&serde_json::json!({ "ok": !broken, "groups": groups }));
    } else {
        output().lines(findings_text(&groups));
    }
    if broken { Exit::Failed } else { Exit::Success }
}

fn findings_text(groups: &[(&str, Vec<Finding>)]) -> String {
    let width =
        groups.iter().flat_map(|(_, findings)| findings).map(|finding| finding.name.len()).max().unwrap_or_default();
    let mut text = String::new();
    for (name, findings) in groups.iter().filter(|(_, findings)| !findings.is_empty()) {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&format!("{name}\n"));
        for Finding { name, state, detail, hint } in findings {
            let detail = escape_untrusted(detail);
            text.push_str(&format!("  {:<7}  {name:<width$}  {detail}\n", state.name()));
            if let Some(hint) = hint {
                text.push_str(&format!("           {:<width$}  hint: {}\n", "", escape_untrusted(hint)));
            }
        }
    }
    text
}
