//! Sockets.

use insta::assert_snapshot;

use super::{attack, server::Server};

#[test]
fn there_are_no_sockets_whatever_was_granted() {
    let server = Server::start();
    let sockets = || attack("sockets").target(&server.port.to_string());
    let said = sockets().stopped();
    assert_eq!(said, sockets().granted(&["http:*=private"]).stopped());
    assert_snapshot!(said, @r"internal: a TCP socket: Permission denied; a UDP socket: Permission denied; the address of localhost: I/O error;");
    assert!(server.asked().is_empty());
}
