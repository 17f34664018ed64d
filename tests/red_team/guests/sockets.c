/* Sockets, past libc: straight to wasi:sockets. The target is the port of a server on this machine. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hostile.h"

#define FROM(interface, function) \
    __attribute__((import_module("wasi:sockets/" interface "@0.2.0"), import_name(function)))

/* An IPv4 address: which of two it is, port, four parts, and the room that the other would need. */
#define ADDRESS int, int, int, int, int, int, int, int, int, int, int, int
#define LOCAL(port) 0, port, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0

/* An error, or what it is about. */
typedef struct outcome {
    uint8_t failed, code_at_once, padding[2];
    union {
        uint8_t code;
        int32_t handle;
    };
} outcome;

FROM("instance-network", "instance-network") int network_of_this(void);
FROM("tcp-create-socket", "create-tcp-socket") void create_tcp(int, outcome *);
FROM("tcp", "[method]tcp-socket.start-connect") void connect_tcp(int, int, ADDRESS, outcome *);
FROM("tcp", "[method]tcp-socket.start-bind") void bind_tcp(int, int, ADDRESS, outcome *);
FROM("udp-create-socket", "create-udp-socket") void create_udp(int, outcome *);
FROM("udp", "[method]udp-socket.start-bind") void bind_udp(int, int, ADDRESS, outcome *);
FROM("ip-name-lookup", "resolve-addresses") void resolve(int, const char *, size_t, outcome *);

/* 1 is `access-denied`, 2 `not-supported`. */
static void after(tries *all, const char *what, bool failed, uint8_t code) {
    errno = code == 1 ? EACCES : code == 2 ? ENOTSUP : EIO;
    tried(all, !failed, "%s", what);
}

static void opens_sockets(answer *to) {
    tries all = { 0 };
    outcome made, done;
    int network = network_of_this(), port = atoi(target);
    create_tcp(0, &made);
    after(&all, "a TCP socket", made.failed, made.code);
    if (!made.failed) {
        /* To have one is no harm: the host looks at the addresses. */
        all.any = false;
        connect_tcp(made.handle, network, LOCAL(port), &done);
        after(&all, "TCP to the server", done.failed, done.code_at_once);
        bind_tcp(made.handle, network, LOCAL(0), &done);
        after(&all, "to listen", done.failed, done.code_at_once);
    }
    bool before = all.any;
    create_udp(0, &made);
    after(&all, "a UDP socket", made.failed, made.code);
    if (!made.failed) {
        all.any = before;
        bind_udp(made.handle, network, LOCAL(0), &done);
        after(&all, "UDP", done.failed, done.code_at_once);
    }
    resolve(network, "localhost", 9, &made);
    after(&all, "the address of localhost", made.failed, made.code);
    told(to, &all);
}

const attack sockets[] = {
    { .name = "sockets", .asks = "http", .run = opens_sockets },
    { 0 },
};
