//! Secrets are in no message, wherever they were written by mistake.

use std::process::Command;

use crate::support::{CommandOutput, Pipeline, jackfield, run_command};

/// What must not be shown. It has no shape of its own that would give it away.
const SECRET: &str = "hunter-2-hunter";

/// A pipeline with these lines at its end.
fn pipeline(lines: &str) -> Pipeline {
    let text = format!(
        "[pipeline]\nname = \"ask\"\n\n[input]\nuse = \"inline\"\nitems = [{{ text = \"Ann: Good.\" }}]\n\n\
         [stages.transcript]\nuse = \"transcript\"\nin = {{ text = \"input.text\" }}\n\n{lines}\n"
    );
    Pipeline::new(&text)
}

#[track_caller]
fn silent(done: &CommandOutput, what: &str) {
    assert!(!done.stdout.contains(SECRET) && !done.stderr.contains(SECRET), "{what}: {done:#?}");
}

/// A command on the pipeline, which refuses it.
#[track_caller]
fn refused(pipeline: &Pipeline, command: &[&str], more: &[&str], code: i32) -> CommandOutput {
    let mut refused = jackfield();
    refused.arg(command[0]).arg(pipeline.path()).args(&command[1..]).args(more);
    run_command(&mut refused).expect_code(code)
}

#[test]
fn a_line_that_holds_a_secret_is_shown_without_it() {
    let model = |with: &str| format!("[model.writer]\nuse = \"openai\"\nwith = {{ name = \"x\", {with} }}");
    for lines in [
        model(&format!("headers = {{ Authorization = \"Bearer {SECRET}\" }}")),
        model(&format!("headers = {{ \"X-Goog-Api-Key\" = '{SECRET}' }}")),
        model(&format!("headers = {{ \"X-Any\" = \"\"\"{SECRET}\nx\"\"\" }}")),
        model(&format!("api_key = \"{SECRET}\"")),
        model(&format!("apikey = \"{SECRET}\"")),
        model(&format!("api_kye = \"{SECRET}\"")),
        model(&format!("token = [\"{SECRET}\"]")),
        model(&format!("api_key_env = \"{SECRET}\"")),
        model(&format!("api_key_env = [\"{SECRET}\"]")),
        model(&format!("key = \"{SECRET}\"")),
        model(&format!("openai_key = \"{SECRET}\"")),
        model(&format!("header = {{ x = \"{SECRET}\" }}")),
        model(&format!("base_url = \"https://me:a {SECRET} 'b@api.example.org/v1\"")),
        model(&format!("base_url = \"https://me:{SECRET}@api.example.org/v1\"")),
        model(&format!("base_url = \"https://{SECRET}@api.example.org/v1\"")),
        model(&format!("base_url = \"https://api.example.org/v1?key={SECRET}\"")),
        format!("[model.writer]\nuse = \"openai\"\npassword = \"{SECRET}\"\nwith = {{ name = \"x\" }}"),
        format!("[model.writer]\nuse = \"openai\"\napi_key {SECRET}"),
        format!("[model.writer]\nuse = \"openai\"\napi_key: {SECRET}"),
        format!("[model.writer]\nuse = \"openai\"\nwith = {{ api_key = \"{SECRET} }}"),
        format!("[model.writer.with.headers]\nCookie = \"{SECRET}\"\n[model.writer]\nuse = \"opneai\""),
        format!("[cache.a]\ntiers = [{{ use = \"redis\", with = {{ url = \"redis://:{SECRET}@h:6379/0\" }} }}]"),
        format!("[cache.a]\ntiers = [{{ use = \"redis\", with = {{ url = \"redis://me:{SECRET}/x@h\" }} }}]"),
        format!("[cache.a]\ntiers = [{{ use = \"redis\", with = {{ url = \"redis://h?password={SECRET}\" }} }}]"),
        format!("[cache.a]\ntiers = [{{ use = \"redis\", with = {{ password = \"{SECRET}\" }} }}]"),
    ] {
        let pipeline = pipeline(&lines);
        let (check, json) = (refused(&pipeline, &["check"], &[], 2), refused(&pipeline, &["check", "--json"], &[], 2));
        silent(&check, &lines);
        silent(&json, &lines);
    }
}

#[test]
fn an_override_that_holds_a_secret_is_shown_without_it() {
    let pipeline = pipeline("[model.writer]\nuse = \"openai\"\nwith = { name = \"x\" }");
    for set in [
        format!("model.writer.with.api_key={SECRET}"),
        format!("model.writer.with.api_key:{SECRET}"),
        format!("model.writer.api_kye=a,{SECRET}"),
        format!("model.writer={{ use = \"openai\", with = {{ api_key = \"{SECRET}\" }} }}"),
        format!("model.writer.with.base_url=https://me:{SECRET}@h/v1"),
        format!("model.writer.with.headers.Authorization=Bearer {SECRET}"),
        format!("model.writer.with.token={{ \"{SECRET}\""),
    ] {
        let set_it = ["--set", set.as_str()];
        silent(&refused(&pipeline, &["check"], &set_it, 2), &set);
        silent(&refused(&pipeline, &["check", "--json"], &set_it, 2), &set);
        silent(&refused(&pipeline, &["run"], &set_it, 2), &set);
    }
    for (option, value) in [
        ("--metrics", format!("me:{SECRET}@127.0.0.1:9464")),
        ("--grant", format!("writer=env:WRITER_KEY={SECRET}")),
        ("--grant", format!("writer=http:me:{SECRET}@api.example.org")),
    ] {
        silent(&refused(&pipeline, &["run"], &[option, &value], 2), option);
    }
}

#[test]
fn a_collector_with_a_password_is_in_no_log_line() {
    let pipeline = pipeline("");
    let run = |endpoint: &str, headers: &str| {
        let mut command: Command = pipeline.command();
        command.args(["-vvv"]).env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint).env("OTEL_EXPORTER_OTLP_HEADERS", headers);
        run_command(&mut command)
    };
    // Nobody listens there.
    let done = run(&format!("http://me:{SECRET}@127.0.0.1:9"), &format!("x-team=blue,authorization:{SECRET}"));
    silent(&done, "address");
    assert!(done.stderr.contains("entry 2 of 2 in `OTEL_EXPORTER_OTLP_HEADERS` is passed over"), "{}", done.stderr);
    silent(&run(&format!("me:{SECRET}@127.0.0.1:9"), ""), "no address");
}
