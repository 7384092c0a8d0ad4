"""A loopback HTTP/2 server over TLS, frame by frame, that misbehaves: each habit has a port of its own.

Started by spec/support/python.lua. Prints one line of name=value pairs: a port for each habit,
`count` (GET /HABIT there answers "HEADERS CONNECTIONS", the frames and connections that have come),
`ca`. Headers are never decoded: what matters is how many requests arrive.
"""

import os
import socket
import ssl
import struct
import threading

import loopback

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY = 0, 1, 3, 4, 6, 7
END_STREAM, END_HEADERS, ACK = 1, 4, 1
BODY = (b'{"code":0,"message":"success","data":{"run_slug":"01KZS4D8M2XW7Q5T9BHNVRC3EA","balance":"1"},'
        b'"request_id":"r"}')

headers, connections, asked = {}, {}, set()
lock = threading.Lock()


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


class Connection:
    def __init__(self, conn, habit):
        self.conn, self.habit, self.requests = conn, habit, 0
        self.file = conn.makefile("rb")
        self.whole = self.answering = False

    def send(self, *frames):
        self.conn.sendall(b"".join(frames))

    def answer(self, stream):
        """Once all of the request is there: libcurl 7.88 may not see the end of an earlier answer."""
        self.answering = not self.whole
        if self.answering:
            self.whole = True
            return True
        # 0x88 is ":status: 200" of HPACK's static table
        self.send(frame(HEADERS, END_HEADERS, stream, b"\x88"), frame(DATA, END_STREAM, stream, BODY))
        return True

    def goaway(self, last, code=0):
        self.send(frame(GOAWAY, 0, 0, struct.pack(">II", last, code)))

    def rst(self, stream, code):
        self.send(frame(RST_STREAM, 0, stream, struct.pack(">I", code)))
        return True

    def read_frame(self):
        head = self.file.read(9)
        if len(head) < 9:
            return None
        payload = self.file.read(int.from_bytes(head[:3], "big"))
        return head[3], head[4], int.from_bytes(head[5:], "big"), payload

    def serve(self):
        with lock:
            connections[self.habit] = connections.get(self.habit, 0) + 1
        if self.habit == "hangup" or self.file.read(len(PREFACE)) != PREFACE:
            return
        if self.habit == "garbage":
            self.conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        self.send(frame(SETTINGS, 0, 0))
        if self.habit == "goaway_first":
            self.goaway(0)
        while self.serve_frame():
            pass

    def serve_frame(self):
        got = self.read_frame()
        if got is None:
            return False
        kind, flags, stream, payload = got
        if kind == SETTINGS and not flags & ACK:
            self.send(frame(SETTINGS, ACK, 0))
        elif kind == PING and not flags & ACK:
            self.send(frame(PING, ACK, 0, payload))
        elif kind == HEADERS:
            with lock:
                headers[self.habit] = headers.get(self.habit, 0) + 1
            self.whole = flags & END_STREAM
            return self.serve_request(stream)
        elif kind == DATA and flags & END_STREAM and self.answering:
            return self.answer(stream)
        return True

    def serve_request(self, stream):
        return getattr(self, "do_" + self.habit, lambda _: True)(stream)

    def do_ok(self, stream):
        return self.answer(stream)

    def do_eager(self, stream):
        """Answers before the body of the request has come."""
        self.whole = True
        return self.answer(stream)

    def do_eager_bare(self, stream):
        """The same without a body: 204."""
        self.send(frame(HEADERS, END_HEADERS | END_STREAM, stream, b"\x89"))
        return True

    def first(self):
        """The first request since somebody asked for the count?"""
        with lock:
            was, _ = self.habit in asked, asked.discard(self.habit)
            return was

    def do_refuse(self, stream):
        return self.rst(stream, 7)

    def do_refuse_first(self, stream):
        return self.rst(stream, 7) if self.first() else self.answer(stream)

    def do_internal(self, stream):
        return self.rst(stream, 2)

    def do_cancel(self, stream):
        return self.rst(stream, 8)

    def do_calm(self, stream):
        return self.rst(stream, 11)

    def do_want_http1(self, stream):
        return self.rst(stream, 13)

    def do_goaway(self, _):
        self.goaway(0)
        return True

    def do_goaway_close(self, _):
        self.goaway(0)
        return False

    def do_goaway_once(self, stream):
        if not self.first():
            return self.answer(stream)
        self.goaway(0)
        return True

    def do_goaway_taken(self, stream):
        self.goaway(stream)
        return False

    def do_goaway_error(self, _):
        self.goaway(0, 2)
        return False

    def do_close(self, _):
        return False

    def do_reset(self, _):
        self.conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False

    def do_half(self, stream):
        self.send(frame(HEADERS, END_HEADERS, stream, b"\x88"), frame(DATA, 0, stream, BODY[:10]))
        return False

    def do_half_refuse(self, stream):
        self.send(frame(HEADERS, END_HEADERS, stream, b"\x88"))
        return self.rst(stream, 7)

    def do_unframed(self, stream):
        self.send(frame(HEADERS, END_HEADERS, stream, b"\xff\xff\xff\xff\xff"))
        return True


HABITS = [name[3:] for name in vars(Connection) if name.startswith("do_")]
HABITS += ["hangup", "garbage", "goaway_first", "silent"]


def serve_count(conn):
    with lock, conn:
        habit = conn.makefile("rb").readline().split()[1].decode().lstrip("/")
        asked.add(habit)
        body = b"%d %d" % (headers.get(habit, 0), connections.get(habit, 0))
        conn.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))


def main(folder):
    key, cert = loopback.self_signed(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    context.set_alpn_protocols(["h2"])

    def handle(conn, habit):
        try:
            with context.wrap_socket(conn, server_side=True) as tls:
                Connection(tls, habit).serve()
        except (OSError, ValueError):
            pass

    ports = {h: loopback.accept_forever(lambda c, habit=h: handle(c, habit)) for h in HABITS}
    return {**ports, "count": loopback.accept_forever(serve_count), "ca": cert}


if __name__ == "__main__":
    loopback.run(main)
