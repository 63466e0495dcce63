//! The row under the cursor decides what its dialog is about.

use std::net::{TcpStream, UdpSocket};

use super::{
    STOP_BUTTON, ask, dialog_for, table_of, wait_for_owner, wait_for_words, wait_until_freed,
};
use crate::free_command::addresses::{pair, tcp_and_udp};
use crate::free_command::shared_sockets::bound;
use crate::harness::helper_process::{OwnerProcess, WAITS};
use crate::harness::terminal::Terminal;

#[test]
fn l_on_a_client_row_goes_to_the_listener() {
    let mut server = OwnerProcess::listening();
    let connection = TcpStream::connect(("127.0.0.1", server.port)).expect("a connection");
    let own = connection.local_addr().expect("an address").port();
    let mut client = OwnerProcess::holding(connection, own, WAITS);
    let filter = format!("pid:{},{}", server.pid(), client.pid());
    let terminal = Terminal::portmon(&[&filter]);
    wait_for_owner(&terminal, server.port, server.pid());
    wait_for_owner(&terminal, own, client.pid());
    // Connections stand below the listeners.
    terminal.keys("G");
    terminal.wait_for("the client's row", |display| {
        display.selected() == Some(own)
    });
    ask(&terminal, &format!(":{own} is the port of a client"));
    let words = format!(
        "{client} is a client of :{port}. It is held by {server}; ending {} would not free :{port}.",
        client.name,
        port = server.port
    );
    wait_for_words(&terminal, &words);
    assert!(
        !terminal.display().says("stop it"),
        "{}",
        terminal.display()
    );

    terminal.press_when_armed("l go to the listener", "l");
    terminal.wait_for("the listener's row", |display| {
        !display.says("is a client of") && display.selected() == Some(server.port)
    });
    assert!(client.runs() && server.is_alive());
}

#[test]
fn only_the_protocol_of_the_row_is_freed() {
    let (mut tcp, mut udp) = tcp_and_udp();
    let terminal = Terminal::portmon(&[&format!("port:{} proto:tcp", tcp.port)]);
    wait_for_owner(&terminal, tcp.port, tcp.pid());
    ask(&terminal, &format!("Free port {} on ", tcp.port));
    terminal.press_when_armed(STOP_BUTTON, "y");
    wait_until_freed(&terminal, &mut tcp);
    let taken = UdpSocket::bind(("127.0.0.1", udp.port));
    assert!(udp.runs() && taken.is_err(), "it is held still");

    let terminal = Terminal::portmon(&[&format!("port:{} proto:udp", udp.port)]);
    wait_for_owner(&terminal, udp.port, udp.pid());
    ask(&terminal, &format!("Free port {}/udp on ", udp.port));
    terminal.press_when_armed(STOP_BUTTON, "y");
    wait_for_words(
        &terminal,
        &format!(":{}/udp is free. {udp} ended ", udp.port),
    );
    udp.wait_until_ended();
}

#[test]
fn owners_on_both_loopback_addresses_are_both_stopped() {
    let (mut v4, mut v6) = pair();
    let terminal = table_of(&[&v4, &v6]);
    ask(&terminal, &format!("Free port {} on ", v4.port));
    wait_for_words(&terminal, &format!("{v4} on 127.0.0.1"));
    wait_for_words(&terminal, &format!("{v6} on ::1"));
    terminal.press_when_armed("y stop 2 (SIGTERM)", "y");
    wait_for_words(&terminal, &format!(":{} is free. ", v4.port));
    v4.wait_until_ended();
    v6.wait_until_ended();
}

#[test]
fn a_bound_socket_is_freed_like_a_listener() {
    let mut holder = bound();
    let terminal = dialog_for(&holder);
    terminal.press_when_armed(STOP_BUTTON, "y");
    wait_until_freed(&terminal, &mut holder);
}
