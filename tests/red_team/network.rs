//! HTTP through the host: only to servers that were granted, and to none that their names lead to by a trick.

use insta::assert_snapshot;

use super::{Attack, attack, lines, server::Server};
use crate::support::not_tested;

/// An attack by way of `hostile/fetch`, which asks for `http`.
fn fetch(grant: &str, request: &str) -> Attack {
    attack("fetch").granted(&[grant]).target(request)
}

/// What is said, with the port taken out.
fn plain(server: &Server, said: &str) -> String {
    said.replace(&server.port.to_string(), "[port]")
}

#[test]
fn a_server_that_was_not_granted_is_not_asked() {
    let server = Server::start();
    let url = format!("GET http://127.0.0.1:{}/", server.port);
    let said = [
        attack("fetch").target(&url).stopped(),
        fetch("http:api.example.org", &url).stopped(),
        fetch("http:127.0.0.1", &url).stopped(),
        attack("fetch-one").granted(&["http:api.example.org"]).target(&url).stopped(),
    ];
    assert_snapshot!(plain(&server, &lines(said)), @r#"
    invalid-config: `http:127.0.0.1:[port]` is not granted to plugin `hostile`: add `grant = ["http:127.0.0.1:[port]"]` to `[plugins.hostile]`, or run with `--grant hostile=http:127.0.0.1:[port]`
    invalid-config: `http:127.0.0.1:[port]` is not granted to plugin `hostile`: add `grant = ["http:127.0.0.1:[port]"]` to `[plugins.hostile]`, or run with `--grant hostile=http:127.0.0.1:[port]`
    invalid-config: `http:127.0.0.1:[port]` is not granted to plugin `hostile`: add `grant = ["http:127.0.0.1:[port]"]` to `[plugins.hostile]`, or run with `--grant hostile=http:127.0.0.1:[port]`
    invalid-config: plugin `hostile` does not ask for `http:127.0.0.1:[port]` in its descriptor, so it cannot be granted
    "#);
    assert!(server.asked().is_empty());
}

#[test]
fn what_stands_before_an_at_sign_is_no_server() {
    let server = Server::start();
    let evil = format!("127.0.0.1:{}", server.port);
    let said = [
        "http://api.example.org@[evil]/",
        "http://api.example.org:80@[evil]/",
        "http://[evil]#@api.example.org/",
        "http://[evil]?@api.example.org/",
        "http://[evil]\\@api.example.org/",
    ]
    .map(|url| fetch("http:api.example.org=private", &format!("GET {}", url.replace("[evil]", &evil))).stopped());
    assert_snapshot!(plain(&server, &lines(said)), @r#"
    invalid-config: `http:127.0.0.1:[port]` is not granted to plugin `hostile`: add `grant = ["http:127.0.0.1:[port]"]` to `[plugins.hostile]`, or run with `--grant hostile=http:127.0.0.1:[port]`
    invalid-config: `http:127.0.0.1:[port]` is not granted to plugin `hostile`: add `grant = ["http:127.0.0.1:[port]"]` to `[plugins.hostile]`, or run with `--grant hostile=http:127.0.0.1:[port]`
    invalid-config: `http:127.0.0.1:[port]` is not granted to plugin `hostile`: add `grant = ["http:127.0.0.1:[port]"]` to `[plugins.hostile]`, or run with `--grant hostile=http:127.0.0.1:[port]`
    invalid-config: `http:127.0.0.1:[port]` is not granted to plugin `hostile`: add `grant = ["http:127.0.0.1:[port]"]` to `[plugins.hostile]`, or run with `--grant hostile=http:127.0.0.1:[port]`
    invalid-config: `http:127.0.0.1:[port]` is not granted to plugin `hostile`: add `grant = ["http:127.0.0.1:[port]"]` to `[plugins.hostile]`, or run with `--grant hostile=http:127.0.0.1:[port]`
    "#);
    assert!(server.asked().is_empty());
}

#[test]
fn a_grant_for_every_server_is_none_for_this_machine_and_its_network() {
    let server = Server::start();
    let port = server.port;
    let said = [
        format!("http://127.0.0.1:{port}/"),
        format!("http://[::1]:{port}/"),
        format!("http://[::ffff:127.0.0.1]:{port}/"),
        format!("http://2130706433:{port}/"),
        format!("http://0177.0.0.1:{port}/"),
        format!("http://0x7f.1:{port}/"),
        format!("http://127.1:{port}/"),
        format!("http://0:{port}/"),
        format!("http://localhost:{port}/"),
        format!("http://LOCALHOST.:{port}/"),
        format!("http://\u{ff11}27.0.0.1:{port}/"),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        "http://10.0.0.1/".to_owned(),
    ]
    .map(|url| fetch("http:*", &format!("GET {url}")).stopped());
    assert_snapshot!(plain(&server, &lines(said)), @r"
    invalid-config: 127.0.0.1 is an address of this machine or its network, which a grant has to name: `http:127.0.0.1=private`
    invalid-config: [::1] is an address of this machine or its network, which a grant has to name: `http:[::1]=private`
    invalid-config: [::ffff:7f00:1] is an address of this machine or its network, which a grant has to name: `http:[::ffff:7f00:1]=private`
    invalid-config: 127.0.0.1 is an address of this machine or its network, which a grant has to name: `http:127.0.0.1=private`
    invalid-config: 127.0.0.1 is an address of this machine or its network, which a grant has to name: `http:127.0.0.1=private`
    invalid-config: 127.0.0.1 is an address of this machine or its network, which a grant has to name: `http:127.0.0.1=private`
    invalid-config: 127.0.0.1 is an address of this machine or its network, which a grant has to name: `http:127.0.0.1=private`
    invalid-config: 0.0.0.0 is an address of this machine or its network, which a grant has to name: `http:0.0.0.0=private`
    invalid-config: localhost is an address of this machine or its network, which a grant has to name: `http:localhost=private`
    unavailable: no address is known for localhost.:[port]: failed to lookup address information: Name or service not known
    invalid-config: 127.0.0.1 is an address of this machine or its network, which a grant has to name: `http:127.0.0.1=private`
    invalid-config: 169.254.169.254 is an address of this machine or its network, which a grant has to name: `http:169.254.169.254=private`
    invalid-config: 10.0.0.1 is an address of this machine or its network, which a grant has to name: `http:10.0.0.1=private`
    ");
    assert!(server.asked().is_empty());
}

#[test]
fn the_name_of_this_machine_leads_nowhere_either() {
    let name = std::fs::read_to_string("/etc/hostname").unwrap_or_default();
    if name.trim().is_empty() {
        not_tested("this machine has no name in /etc/hostname: requests to it by name are not tested");
        return;
    }
    let server = Server::start();
    fetch("http:*", &format!("GET http://{}:{}/", name.trim(), server.port)).stopped();
    assert!(server.asked().is_empty());
}

#[test]
fn a_redirect_is_not_followed() {
    let (open, hidden) = (Server::start(), Server::start());
    let url = format!("GET http://127.0.0.1:{}/redirect?http://127.0.0.1:{}/", open.port, hidden.port);
    let said = fetch(&format!("http:127.0.0.1:{}", open.port), &url).answered();
    assert_eq!(said, "302 ");
    assert_eq!((open.asked().len(), hidden.asked().len()), (1, 0));
}

#[test]
fn no_header_smuggles_anything() {
    let server = Server::start();
    let grant = format!("http:127.0.0.1:{}", server.port);
    let url = format!("http://127.0.0.1:{}", server.port);
    let said = [
        "GET [url]/|x-a=1~host: evil.example.org~~GET /second HTTP/1.1",
        "GET [url]/|host=evil.example.org",
        "GET [url]/|Transfer-Encoding=chunked",
        "GET [url]/|content-length=0",
        "GET [url]/|x-a~x-b=1",
        "GET [url]/|proxy-authorization=Basic abc",
        "CONNECT [url]/",
        "GET~x: [url]/",
        "GET file:///etc/passwd",
        "GET gopher://127.0.0.1:70/",
        "GET //127.0.0.1/",
        "GET http://",
    ]
    .map(|request| fetch(&grant, &request.replace("[url]", &url)).stopped());
    assert_snapshot!(plain(&server, &lines(said)), @r"
    invalid-input: header `x-a` has no valid value
    invalid-input: header `host` must not be set by a plugin
    invalid-input: header `Transfer-Encoding` must not be set by a plugin
    invalid-input: header `content-length` must not be set by a plugin
    invalid-input: header `x-a\r\nx-b` must not be set by a plugin
    invalid-input: header `proxy-authorization` must not be set by a plugin
    invalid-input: `CONNECT` is not a method
    invalid-input: `GET\r\nx:` is not a method
    invalid-input: `file:///etc/passwd` is not an address of http or https
    invalid-input: `gopher://127.0.0.1:70/` is not an address of http or https
    invalid-input: `//127.0.0.1/` is not an address: relative URL without a base
    invalid-input: `http://` is not an address: empty host
    ");
    assert!(server.asked().is_empty());
    // A line break in the address is no line break in the request.
    fetch(&grant, &format!("GET {url}/a~x-smuggled: 1~")).answered();
    assert!(!server.asked()[0].to_lowercase().contains("\r\nx-smuggled"), "{:?}", server.asked());
}

#[test]
fn an_answer_that_is_too_large_or_takes_too_long_is_not_waited_for() {
    let server = Server::start();
    let grant = format!("http:127.0.0.1:{}", server.port);
    let ask = |path: &str| fetch(&grant, &format!("GET http://127.0.0.1:{}{path}", server.port));
    let said = [ask("/large").limits("output = \"8MiB\"").stopped(), ask("/slow").stopped(), ask("/headers").stopped()];
    assert_snapshot!(plain(&server, &lines(said)), @r"
    over-budget: the server at 127.0.0.1:[port] answered more than 8 MiB
    unavailable: the server at 127.0.0.1:[port] did not answer within 2s
    unavailable: the call to the server at 127.0.0.1:[port] broke: message head is too large
    ");
    // What is packed is unpacked, and not to a hundred megabytes.
    let packed = ask("/bomb").limits("output = \"8MiB\"").stopped();
    assert_snapshot!(plain(&server, &packed), @"over-budget: the server at 127.0.0.1:[port] answered more than 8 MiB once unpacked");
}

#[test]
fn asking_for_ever_ends_at_a_limit() {
    let server = Server::start();
    let grant = format!("http:127.0.0.1:{}", server.port);
    let url = format!("http://127.0.0.1:{}/", server.port);
    let calls = attack("fetch-for-ever").granted(&[&grant]).target(&url).limits("host_calls = 200").stopped();
    let refused = attack("fetch-for-ever").target(&url).limits("host_calls = 2000").stopped();
    let wall =
        attack("fetch-for-ever").granted(&[&grant]).target(&format!("{url}slow")).limits("wall = \"1s\"").stopped();
    let sent = attack("exfiltrate").granted(&[&grant]).target(&url).stopped();
    assert!(sent == "over-budget: sent more than its limit of 64 MiB", "{sent}");
    let headers = attack("fetch-headers").granted(&[&grant]).target(&url).stopped();
    assert_snapshot!(plain(&server, &lines([calls, refused, wall, headers])), @r"
    over-budget: made more than 200 host calls
    over-budget: made more than 2000 host calls
    over-budget: no answer within its limit of 1s, waiting included
    invalid-input: a request has at most 1000 headers, and this one 200000
    ");
}

#[test]
fn a_secret_that_was_not_granted_for_a_server_is_not_sent_there() {
    let (mine, other) = (Server::start(), Server::start());
    let ask = |analyzer: &'static str, to: &Server, name: &str, grants: &[&str]| {
        let request = format!("GET http://127.0.0.1:{}/|x-key=${{secret:{name}}}", to.port);
        attack(analyzer).granted(grants).target(&request).variable("RED_KEY", "red-key-of-mine")
    };
    let [http, http_other, secret] = [
        format!("http:127.0.0.1:{}", mine.port),
        format!("http:127.0.0.1:{}", other.port),
        format!("secret:RED_KEY=127.0.0.1:{}", mine.port),
    ];
    let said = [
        ask("fetch", &mine, "RED_KEY", &[&http]).stopped(),
        ask("fetch-secret", &mine, "RED_KEY", &[&http]).stopped(),
        ask("fetch-secret", &mine, "HOME", &[&http, "secret:RED_KEY"]).stopped(),
        ask("fetch-secret", &other, "RED_KEY", &[&http, &http_other, &secret]).stopped(),
        ask("fetch-secret", &other, "RED_KEY", &[&http, &http_other, "secret:RED_KEY"]).stopped(),
        ask("fetch-secret", &mine, "/etc/passwd", &[&http, "secret:RED_KEY"]).stopped(),
        ask("fetch-secret", &mine, "", &[&http, "secret:RED_KEY"]).stopped(),
        ask("fetch-secret", &mine, "RED_KEY${secret:HOME}", &[&http, "secret:RED_KEY"]).stopped(),
    ];
    let plain = plain(&other, &plain(&mine, &lines(said)).replace(&other.port.to_string(), "[other]"));
    assert_snapshot!(plain, @r#"
    invalid-config: plugin `hostile` does not ask for `secret:RED_KEY` in its descriptor, so it cannot be granted
    invalid-config: `secret:RED_KEY` is not granted to plugin `hostile`: add `grant = ["secret:RED_KEY"]` to `[plugins.hostile]`, or run with `--grant hostile=secret:RED_KEY`
    invalid-config: `secret:HOME` is not granted to plugin `hostile`: add `grant = ["secret:HOME"]` to `[plugins.hostile]`, or run with `--grant hostile=secret:HOME`
    invalid-config: `secret:RED_KEY` is not granted to plugin `hostile` for 127.0.0.1:[other]: add `grant = ["secret:RED_KEY=127.0.0.1:[other]"]` to `[plugins.hostile]`, or run with `--grant hostile=secret:RED_KEY=127.0.0.1:[other]`
    invalid-config: `secret:RED_KEY` is not granted to plugin `hostile` for 127.0.0.1:[other]: add `grant = ["secret:RED_KEY=127.0.0.1:[other]"]` to `[plugins.hostile]`, or run with `--grant hostile=secret:RED_KEY=127.0.0.1:[other]`
    invalid-config: `secret:/etc/passwd` is not granted to plugin `hostile`: add `grant = ["secret:/etc/passwd"]` to `[plugins.hostile]`, or run with `--grant hostile=secret:/etc/passwd`
    invalid-config: `secret:` is not granted to plugin `hostile`: add `grant = ["secret:"]` to `[plugins.hostile]`, or run with `--grant hostile=secret:`
    invalid-config: `secret:RED_KEY${secret:HOME` is not granted to plugin `hostile`: add `grant = ["secret:RED_KEY${secret:HOME"]` to `[plugins.hostile]`, or run with `--grant hostile=secret:RED_KEY${secret:HOME`
    "#);
    assert!(mine.asked().is_empty() && other.asked().is_empty());
    // Where it was granted, it goes there: to that server, and not to the one that an answer sends a client to.
    let away = format!(
        "GET http://127.0.0.1:{}/redirect?http://127.0.0.1:{}/|x-key=${{secret:RED_KEY}}",
        mine.port, other.port
    );
    let sent = attack("fetch-secret").granted(&[&http, &http_other, &secret]).target(&away);
    assert_eq!(sent.variable("RED_KEY", "red-key-of-mine").answered(), "302 ");
    assert!(mine.asked()[0].contains("x-key: red-key-of-mine\r\n"), "{:?}", mine.asked());
    assert!(other.asked().is_empty());
}
