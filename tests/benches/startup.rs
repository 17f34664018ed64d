//! Start-up of the program.

use std::process::{Command, Stdio};

use crate::measure::{heading, median, row, shown};

pub fn table() {
    // Built with the rest of the workspace, beside this very program.
    let exe = std::env::current_exe().expect("a path");
    let program = exe.ancestors().nth(2).expect("target/release/examples/overhead").join("jackfield");
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/transcripts");
    heading("Start-up, from fork to exit", &["command", "median"]);
    for arguments in [vec!["--version"], vec!["check", example], vec!["graph", example]] {
        let time = median(|| {
            let status = Command::new(&program).args(&arguments).stdout(Stdio::null()).stderr(Stdio::null()).status();
            assert!(status.expect("started").success());
        });
        row(&[format!("`jackfield {}`", arguments.join(" ").replace(example, "examples/transcripts")), shown(time)]);
    }
    let time = median(|| {
        Command::new("/bin/true").status().expect("started");
    });
    row(&["`/bin/true`, for comparison".to_owned(), shown(time)]);
}
