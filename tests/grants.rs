//! Grants, end to end: what a component asks for, what it is granted, and what it then can do.

use insta::assert_snapshot;
use serde_json::Value;

use crate::support::{CommandOutput, Pipeline, fixture, jackfield, results, run_command};

/// A pipeline of one stage of `hostile.wasm`, whose analyzers each ask for what they need.
fn pipeline(analyzer: &str, grants: &str, stage: &str) -> Pipeline {
    Pipeline::new(&format!(
        r#"
[pipeline]
name = "granted"

[plugins.guest]
path  = {:?}
{grants}

[cache.kept]
tiers = [{{ use = "memory" }}]

[model.mock]
use = "mock"

[input]
use   = "inline"
items = [{{ text = "bad" }}]

[stages.tried]
use = "guest/{analyzer}"
in  = {{ text = "input.text" }}
{stage}
"#,
        fixture("red_team/hostile.wasm").to_str().expect("UTF-8")
    ))
    .with("data/note.txt", "a note")
}

/// What the one item came to: an answer or a message.
#[track_caller]
fn came_to(run: &CommandOutput) -> String {
    let line = &results(&run.folder())[0];
    match &line["outputs"]["tried"]["got"] {
        Value::String(got) => format!("got {got}"),
        _ => line["failures"]["tried"][0]["message"].as_str().unwrap_or_else(|| panic!("{line:#}")).to_owned(),
    }
}

/// Without a grant, with one in the pipeline, and with one on the command line.
#[track_caller]
fn three_ways(analyzer: &str, grant: &str, stage: &str) -> [String; 3] {
    let plain = |said: String, pipeline: &Pipeline| said.replace(&*pipeline.path().to_string_lossy(), "[folder]");
    let without = pipeline(analyzer, "", stage);
    let run = without.run();
    let told = format!("note: `guest/{analyzer}` asks for `{}` and does not have it: to do harm", asked_by(analyzer));
    assert!(run.stderr.contains(&told), "{}", run.stderr);
    let denied = plain(came_to(&run), &without);
    let [in_file, on_command] = [true, false].map(|in_file| {
        let grants = if in_file { format!("grant = [{grant:?}]") } else { String::new() };
        let granted = pipeline(analyzer, &grants, stage);
        let mut command = granted.command();
        command.current_dir(granted.path()).env("JACKFIELD_RED_GRANTED", "in the open");
        if !in_file {
            command.arg("--grant").arg(format!("guest={grant}"));
        }
        let run = run_command(&mut command);
        assert!(!run.stderr.contains("does not have it"), "{}", run.stderr);
        plain(came_to(&run), &granted)
    });
    [denied, in_file, on_command]
}

/// The one permission that an analyzer asks for.
fn asked_by(analyzer: &str) -> &'static str {
    match analyzer {
        "clocks" => "clock",
        "random" => "random",
        "env-probe" => "env:JACKFIELD_RED_GRANTED",
        "fetch" => "http",
        "read-owners-link" => "read:data",
        "scratch-peek" => "scratch:work",
        other => panic!("{other}"),
    }
}

#[test]
fn the_time_is_told_where_it_is_granted_and_otherwise_the_failure_names_the_grant() {
    let [denied, in_file, on_command] = three_ways("clocks", "clock", "");
    assert_snapshot!(denied, @r#"it asked for the time that passes (`wasi:clocks/monotonic-clock` `now`), and `clock` is not granted to plugin `guest`: add `grant = ["clock"]` to `[plugins.guest]`, or run with `--grant guest=clock`"#);
    assert_eq!(in_file, "got time passes, and it is some day");
    assert_eq!(in_file, on_command);
}

#[test]
fn random_numbers_are_given_where_chance_is_granted_and_otherwise_the_failure_names_the_grant() {
    let [denied, in_file, on_command] = three_ways("random", "random", "");
    assert!(denied != in_file && in_file != on_command);
    assert!(in_file.starts_with("got ") && on_command.starts_with("got "), "{in_file}, {on_command}");
    assert_snapshot!(denied, @r#"it asked for random bytes (`wasi:random/random` `get-random-bytes`), and `random` is not granted to plugin `guest`: add `grant = ["random"]` to `[plugins.guest]`, or run with `--grant guest=random`"#);
    assert_eq!(denied, came_to(&pipeline("random", "", "").run()), "the same each time");
}

#[test]
fn a_variable_is_seen_where_it_is_granted() {
    let [denied, in_file, on_command] = three_ways("env-probe", "env:JACKFIELD_RED_GRANTED", "");
    assert_eq!(denied, "got 0 arguments, in /");
    assert_eq!(in_file, "got JACKFIELD_RED_GRANTED=in the open; 0 arguments, in /");
    assert_eq!(in_file, on_command);
}

#[test]
fn a_server_is_reached_where_it_is_granted() {
    let stage = "with = { target = \"GET http://127.0.0.1:1/\" }";
    let [denied, in_file, on_command] = three_ways("fetch", "http:127.0.0.1:1", stage);
    assert_snapshot!(denied, @r#"`http:127.0.0.1:1` is not granted to plugin `guest`: add `grant = ["http:127.0.0.1:1"]` to `[plugins.guest]`, or run with `--grant guest=http:127.0.0.1:1`"#);
    assert_eq!(in_file, "the server at 127.0.0.1:1 refuses connections");
    assert_eq!(in_file, on_command);
}

#[test]
fn this_machine_is_asked_without_a_proxy() {
    let proxy = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = proxy.local_addr().expect("an address");
    let stage = "with = { target = \"GET http://127.0.0.1:1/\" }";
    let granted = pipeline("fetch", "grant = [\"http:127.0.0.1:1\"]", stage);
    let mut command = granted.command();
    command.env("HTTP_PROXY", format!("http://{address}")).env("http_proxy", format!("http://{address}"));
    assert_eq!(came_to(&run_command(&mut command)), "the server at 127.0.0.1:1 refuses connections");
    proxy.set_nonblocking(true).expect("set");
    assert!(proxy.accept().is_err(), "the proxy was asked");
}

#[test]
fn a_folder_is_read_where_it_is_granted() {
    let read = |grants: &str, more: &[&str]| {
        let pipeline = pipeline("read-owners-link", grants, "");
        std::fs::write(pipeline.path().join("data/link"), "no link, but a file").expect("written");
        let mut command = pipeline.command();
        came_to(&run_command(command.current_dir(pipeline.path()).args(more)))
    };
    assert!(read("", &[]).starts_with("read /data/link: Capabilities insufficient"));
    for said in [read("grant = [\"read:data=data\"]", &[]), read("", &["--grant", "guest=read:data=data"])] {
        assert!(said.starts_with("got read /data/link no link, but a file: DONE"), "{said}");
    }
}

#[test]
fn a_scratch_folder_made_for_a_call_or_named() {
    let said = |grants: &str| {
        let stage = "with = { target = \"100\" }\nlimits = { scratch = \"1MiB\" }";
        let pipeline = pipeline("scratch-fill", grants, stage);
        std::fs::create_dir(pipeline.path().join("work")).expect("made");
        (came_to(&pipeline.run()), pipeline)
    };
    assert!(said("").0.starts_with("write 0 MiB: "), "{}", said("").0);
    assert_eq!(said("grant = [\"scratch:work\"]").0, "put more than 1 MiB into its scratch folders");
    // A folder that the owner names is the owner's: it stays, and no limit is kept.
    let (told, pipeline) = said("grant = [\"scratch:work=work\"]");
    assert_eq!(told, "got write 100 MiB: DONE; ");
    assert_eq!(std::fs::metadata(pipeline.path().join("work/large")).expect("a file").len(), 100 << 20);
}

#[test]
fn a_model_and_a_cache_are_given_by_the_stage() {
    let told = |analyzer: &str, stage: &str| came_to(&pipeline(analyzer, "", stage).run());
    assert!(told("model", "model = \"mock\"").starts_with("got the model said: "));
    assert_eq!(told("cache-put", "store = \"kept\""), "got kept");
    let denied = [told("model", ""), told("cache-put", ""), told("model-unasked", ""), told("cache-unasked", "")];
    assert_snapshot!(denied.join("\n"), @r#"
    stage `tried` asks for a model and has none: add `model = "NAME"` to it
    stage `tried` has no cache to keep things in: add `store = "NAME"` to it
    plugin `guest` does not ask for `model` in its descriptor, so it cannot be granted
    plugin `guest` does not ask for `cache` in its descriptor, so it cannot be granted
    "#);
    let refused = [("model-unasked", "model = \"mock\""), ("cache-unasked", "store = \"kept\"")]
        .map(|(analyzer, stage)| faults(&pipeline(analyzer, "", stage), &[]));
    assert_snapshot!(refused.join("\n"), @r"
    22: stage `tried`: `model-unasked` does not ask for a model, so `model` would have no effect
       hint: remove `model` from the stage
    22: stage `tried`: `cache-unasked` does not ask for a cache, so `store` would have no effect
       hint: remove `store` from the stage
    ");
}

/// The faults of a pipeline: line, message and hint.
#[track_caller]
fn faults(pipeline: &Pipeline, more: &[&str]) -> String {
    let run = run_command(pipeline.command().args(more)).expect_code(2);
    assert!(!pipeline.out().exists(), "something was run");
    let faults = run.json()["faults"].as_array().expect("faults").clone();
    let one = |fault: &Value| {
        let hint = fault["hint"].as_str().map_or_else(String::new, |hint| format!("\n   hint: {hint}"));
        let text = format!("{}: {}{hint}", fault["line"], fault["message"].as_str().expect("a message"));
        let plugin = fixture("red_team/hostile.wasm");
        text.replace(&*pipeline.path().to_string_lossy(), "[folder]").replace(&*plugin.to_string_lossy(), "[file]")
    };
    faults.iter().map(one).collect::<Vec<_>>().join("\n")
}

#[test]
fn what_is_granted_and_not_asked_for_is_a_fault_that_names_it() {
    // The plugin asks for nothing by these names.
    let grants = "grant = [\"clock\", \"env:HOME\", \"read:elsewhere=data\"]";
    assert_snapshot!(faults(&pipeline("echo", grants, ""), &[]), @r"
    6: plugin `guest` cannot be loaded: `[file]` is granted `env:HOME`, `read:elsewhere=[folder]/data`, which it does not ask for
       hint: it asks for `cache`, `clock`, `env:JACKFIELD_RED_GRANTED`, `http`, `http:api.example.org`, `model`, `random`, `read:data`, `scratch:work`, `secret`
    ");
}

#[test]
fn grants_that_do_not_parse_are_reported_all_at_once_with_their_positions() {
    let grants = "grant = [\"clocks\", \"http\", \"read:data\", \"env:A=B\", \"http:127.0.0.1=public\", \"scratch:../up\", \"model=x\"]";
    assert_snapshot!(faults(&pipeline("echo", grants, ""), &[]), @r"
    7: `clocks` is not a permission: there are model, model:ABILITY, cache, clock, random, http:HOST, read:NAME, scratch:NAME, env:NAME and secret:NAME
    7: `http` alone would grant every server: name one, as in `http:api.example.org`, or write `http:*`
    7: `read:data` does not say which folder: write `read:data=FOLDER`
    7: `env:A` takes nothing after `=`
    7: `http:127.0.0.1` is followed by `public`: the only word after a server is `private`
    7: `scratch:../up` is not a permission: after `scratch:` comes a name of lower-case letters, digits and hyphens
    7: `model` takes nothing after `=`
    ");
    let said = faults(
        &pipeline("echo", "", ""),
        &["--grant", "guest=nonsense", "--grant", "nobody=clock", "--grant", "clock"],
    );
    assert_snapshot!(said, @r"
    null: `--grant guest=nonsense`: `nonsense` is not a permission: there are model, model:ABILITY, cache, clock, random, http:HOST, read:NAME, scratch:NAME, env:NAME and secret:NAME
    null: `--grant nobody=clock`: the pipeline does not load a plugin `nobody`
       hint: plugins of the pipeline: `guest`
    null: `--grant clock`: it does not say to which plugin
       hint: write `--grant PLUGIN=PERMISSION`, such as `--grant scorer=clock`
    ");
}

#[test]
fn a_wider_grant_than_the_locked_one_stops_the_run_and_shows_it() {
    let pipeline = pipeline("clocks", "grant = [\"clock\"]", "");
    let plugins = |command: &[&str]| run_command(jackfield().current_dir(pipeline.path()).arg("plugins").args(command));
    plugins(&["lock"]).expect_code(0);
    let file = pipeline.path().join("pipeline.toml");
    let text = std::fs::read_to_string(&file).expect("read");
    std::fs::write(&file, text.replace("[\"clock\"]", "[\"clock\", \"random\"]")).expect("written");
    assert_snapshot!(faults(&pipeline, &[]), @r"
    6: plugin `guest` is granted more than `jackfield.lock` holds
       hint: if it may have that, accept it: `jackfield plugins update guest --pipeline [folder]`; if not, take it out of the pipeline
    ");
    // What a person grants on the command line is for one run, and is locked by nobody.
    std::fs::write(&file, text).expect("written");
    let run = run_command(pipeline.command().args(["--grant", "guest=random"])).expect_code(0);
    assert_eq!(came_to(&run), "got time passes, and it is some day");
    pipeline.run().expect_code(0);
}
