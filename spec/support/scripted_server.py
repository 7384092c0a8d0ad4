"""A loopback server that misbehaves on request: the path says how.

Started by spec/support/scripted.lua through a pipe. Prints one line of name=value pairs (its ports
and the CA file of its TLS port), then serves until nobody reads that pipe any more, so it dies with
whoever started it. One thread for each connection; nothing in it is random.
"""

import gzip
import os
import select
import shutil
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time
import zlib

counts = {}
counts_lock = threading.Lock()
heads = {}


def count(key):
    with counts_lock:
        counts[key] = counts.get(key, 0) + 1


def content(version, size):
    """A file of that version. 251 is prime, so that a piece in the wrong place shows."""
    pattern = bytes((i * 7 + version * 31) % 251 for i in range(251))
    return (pattern * (size // 251 + 1))[:size]


def nth(text, n, default):
    """The value for the nth request of "a,b,c"; the last one repeats. An empty one is the default."""
    values = text.split(",")
    return values[min(n, len(values) - 1)] or default


dictated = {}
CLEAN_BODY = b'{"code":0,"message":"success","data":{"balance":"1"},"request_id":"clean"}'
CLEAN = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(CLEAN_BODY), CLEAN_BODY)

CODERS = {
    "gzip": lambda data: gzip.compress(data, 9),
    "deflate": zlib.compress,
    "raw": lambda data: zlib.compress(data)[2:-4],
    "damaged": lambda data: gzip.compress(data)[:-8] + b"damaged!",
    "cut": lambda data: gzip.compress(data)[:-12],
    "identity": lambda data: data,
    "garbage": lambda data: gzip.compress(data) + b"garbage",
}


def encoded(data, coders, name):
    for coder in coders:
        data = CODERS[coder](data)
    return b"HTTP/1.1 200 OK\r\nContent-Encoding: %s\r\nContent-Length: %d\r\n\r\n%s" % (
        (name or ",".join(coders)).encode(), len(data), data)


class Blob:
    """One request for /blob/KEY/SIZE?…: a storage service with whatever habits the query names.

    Each is a list by request (see nth): status; version (of the contents); cut (the connection ends
    after so many bytes of the body); etag (strong, weak, md5, none); date (Last-Modified: old, now);
    range (no: ignored), ifrange (no: ignored), first (moves the range that is given), most (bytes
    of a 206), length (lies by so much; none; chunked), slow (ms for each tenth), encoding.
    """

    def __init__(self, client, rest):
        self.client = client
        path, _, query = rest.partition("?")
        key, size = path.split("/")[:2]
        self.query = dict(pair.split("=", 1) for pair in query.split("&") if "=" in pair)
        with counts_lock:
            self.turn = counts.get(key, 0)
            counts[key] = self.turn + 1
            heads[key] = heads.get(key, b"") + client.head + b"\r\n"
        self.version = int(self.get("version", "1"))
        self.data = content(self.version, int(self.get("size", size)))
        self.headers = self.validators()

    def get(self, name, default):
        return nth(self.query.get(name, ""), self.turn, default)

    def validators(self):
        etag = {"strong": '"v%d"', "weak": 'W/"v%d"', "md5": '"%032x"'}.get(self.get("etag", "strong"))
        date = {"old": "Tue, 0%d Sep 2026 10:00:00 GMT", "now": "Mon, 0%d Nov 2026 10:00:00 GMT"}.get(
            self.get("date", ""))
        lines = ["Date: Mon, 0%d Nov 2026 10:00:00 GMT" % self.version]
        lines += ["ETag: " + etag % self.version] if etag else []
        return lines + (["Last-Modified: " + date % self.version] if date else [])

    def header(self, name):
        for line in self.client.head.decode("latin-1").split("\r\n"):
            if line.lower().startswith(name + ": "):
                return line[len(name) + 2:]
        return None

    def wants_part(self):
        condition = self.header("if-range")
        lines = [line.split(": ", 1)[1] for line in self.headers[1:]]
        good = not condition or condition in lines or self.get("ifrange", "yes") == "no"
        return self.header("range") and good and self.get("range", "yes") != "no"

    def serve(self):
        status = self.get("status", "200")
        if status != "200":
            return self.client.answer(b"<Error><Code>Refused</Code><Message>no: %s</Message></Error>"
                                      % self.client.path.encode(), status + " Whatever",
                                      ["Location: /blob/elsewhere/10"] if status[0] == "3" else [])
        return self.part() if self.wants_part() else self.send("200 OK", self.data, [])

    def part(self):
        first, size = int(self.header("range")[len("bytes="):].split("-")[0]), len(self.data)
        if first >= size:
            return self.client.answer(b"", "416 Range Not Satisfiable", ["Content-Range: bytes */%d" % size])
        data = self.data[first:first + int(self.get("most", size))]
        first += int(self.get("first", "0"))
        total = self.get("total", str(size))
        where = "Content-Range: bytes %d-%d/%s" % (first, first + len(data) - 1, total)
        return self.send("206 Partial Content", data, [] if self.get("first", "") == "0" else [where])

    def send(self, status, data, more):
        length, encoding = self.get("length", "0"), self.get("encoding", "")
        lines = ["HTTP/1.1 " + status, *self.headers, *more]
        lines += ["Content-Encoding: " + encoding] if encoding else []
        if length == "chunked":
            lines.append("Transfer-Encoding: chunked")
        elif length != "none":
            lines.append("Content-Length: %d" % (len(data) + int(length)))
        self.client.send("\r\n".join(lines).encode() + b"\r\n\r\n")
        return self.send_body(data, length)

    def send_body(self, data, length):
        cut, pause = self.get("cut", ""), int(self.get("slow", "0"))
        data = data[:int(cut)] if cut else data
        step = len(data) // 10 + 1 if pause else len(data) + 1
        for i in range(0, len(data), step):
            piece = data[i:i + step]
            self.client.send(b"%x\r\n%s\r\n" % (len(piece), piece) if length == "chunked" else piece)
            time.sleep(pause / 1000)
        if length == "chunked" and not cut:
            self.client.send(b"0\r\n\r\n")
        return not cut and length in ("0", "chunked")


class Client:
    """One connection: reads requests, answers by path."""

    def __init__(self, conn):
        self.conn, self.file, self.served = conn, conn.makefile("rb"), 0
        self.method = self.path = self.head = self.body = None

    def read_request(self):
        line = self.file.readline()
        if not line.strip():
            return False
        self.method, self.path = line.decode("latin-1").split(" ")[:2]
        self.head, length = line, 0
        while True:
            line = self.file.readline()
            if line in (b"\r\n", b""):
                break
            self.head += line
            name, value = line.split(b":", 1)
            if name.lower() == b"content-length":
                length = int(value)
        self.body = self.file.read(length)
        return True

    def send(self, data):
        self.conn.sendall(data)

    def answer(self, body=b"ok", status="200 OK", headers=()):
        lines = ["HTTP/1.1 " + status, "Content-Length: %d" % len(body), *headers]
        head = "\r\n".join(lines).encode() + b"\r\n\r\n"
        self.send(head + (b"" if self.method == "HEAD" else body))
        return True

    def hold(self):
        """Keeps the connection open in silence until the other side has gone."""
        while self.file.read1(65536):
            pass
        return False

    def serve(self):
        while self.read_request():
            name, _, rest = self.path.split("?")[0].lstrip("/").partition("/")
            handler = getattr(self, "do_" + name.replace("-", "_"), None)
            again = handler(rest) if handler else self.answer(b"no such script", "404 Not Found")
            self.served += 1
            if not again:
                return

    # -- well behaved ---------------------------------------------------------------------------
    def do_ok(self, _):
        return self.answer()

    def do_echo(self, _):
        return self.answer(self.head + b"\r\n" + self.body)

    def do_status(self, code):
        return self.answer(b"status", code + " Whatever")

    def do_body(self, size):
        return self.answer(b"x" * int(size))

    def do_gzip(self, size):
        return self.answer(gzip.compress(b"z" * int(size)), headers=["Content-Encoding: gzip"])

    def do_trailer(self, _):
        self.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Late\r\n\r\n"
                  b"2\r\nok\r\n0\r\nX-Late: 1\r\n\r\n")
        return True

    def do_interim(self, times):
        self.send(b"HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\n" * int(times))
        return self.answer()

    def do_redirect(self, where):
        return self.answer(b"go on", "302 Found", ["Location: /" + where])

    def do_elsewhere(self, where):
        return self.answer(b"go on", "302 Found", ["Location: http://" + where])

    def do_away(self, scheme):
        return self.answer(b"go on", "302 Found", ["Location: %s//127.0.0.1/etc/passwd" % scheme])

    def do_loop(self, _):
        return self.answer(b"go on", "302 Found", ["Location: /loop"])

    # -- counting -------------------------------------------------------------------------------
    def do_counted(self, key):
        count(key)
        return self.answer()

    def do_count(self, key):
        return self.answer(b"%d" % counts.get(key, 0))

    def do_drop(self, key):
        """The double start: takes the request, and dies silently if the connection was reused."""
        count(key)
        return self.answer(b"paid") if self.served == 0 else False

    def do_take(self, key):
        """Takes the request and dies, on any connection."""
        count(key)
        return False

    # -- what a spec dictates -------------------------------------------------------------------
    def do_tell(self, rest):
        """Takes the request's body as a piece of the next answer of /say/KEY. tell/KEY/TIMES/MS/END:
        so often (0: for ever), with so long a pause after each; END: more (pieces), keep, close, reset,
        hold, or loop: it is kept open and comes again after the others, with its number for NNNNNNNN. With ?enc=gzip,... the piece is a body, encoded so, and gets its own header."""
        key, times, pause, end = rest.split("/")
        query = dict(pair.split("=", 1) for pair in self.path.partition("?")[2].split("&") if pair)
        piece = (self.body, int(times), int(pause) / 1000)
        if query:
            piece = (encoded(self.body * int(times), query["enc"].split(","), query.get("as")), 1, 0)
        with counts_lock:
            pieces = dictated.setdefault(key, [[[], None]])
            pieces[-1][0].append(piece)
            if end != "more":
                pieces[-1][1] = end
                pieces.append([[], None])
        return self.answer()

    def do_say(self, rest):
        key = rest.split("/")[0]
        count(key)
        with counts_lock:
            waiting = dictated.get(key, [])
            pieces, end = waiting.pop(0) if len(waiting) > 1 else ([(CLEAN, 1, 0)], "keep")
            if end == "loop":
                waiting.insert(-1, [pieces, end])
            number = b"%08d" % counts[key]
        for data, times, pause in pieces:
            self.send_often(data.replace(b"NNNNNNNN", number) if end == "loop" else data, times, pause)
        return self.do_reset("") if end == "reset" else self.hold() if end == "hold" else end in ("keep", "loop")

    def send_often(self, data, times, pause):
        if times > 1 and not pause and len(data) * times < 1 << 20:
            data, times = data * times, 1
        sent = 0
        while times == 0 or sent < times:
            self.send(data)
            sent += 1
            time.sleep(pause)

    # -- files ----------------------------------------------------------------------------------
    def do_blob(self, _):
        return Blob(self, self.path[len("/blob/"):]).serve()

    def do_seen(self, key):
        return self.answer(heads.get(key, b""))

    def do_big(self, megabytes):
        self.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (int(megabytes) << 20))
        block = content(1, 1 << 20)
        for _ in range(int(megabytes)):
            self.send(block)
        return True

    def do_error_body(self, size):
        return self.answer(b"e" * int(size), "500 Whatever")

    def do_endless_error(self, _):
        self.send(b"HTTP/1.1 500 Whatever\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            self.send(b"1000\r\n" + b"x" * 4096 + b"\r\n")

    # -- slow -----------------------------------------------------------------------------------
    def do_slow(self, ms):
        time.sleep(int(ms) / 1000)
        return self.answer()

    def do_drip(self, rest):
        times, ms = map(int, rest.split("/"))
        self.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % times)
        for _ in range(times):
            time.sleep(ms / 1000)
            self.send(b"x")
        return True

    def do_silent(self, _):
        return self.hold()

    def do_stall(self, _):
        self.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n0123456789")
        return self.hold()

    # -- broken ---------------------------------------------------------------------------------
    def do_close(self, _):
        return False

    def do_reset(self, _):
        self.conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False

    def do_short(self, _):
        self.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789")
        return False

    def do_bad_chunk(self, _):
        self.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nxx\r\n")
        return False

    def do_cut_chunk(self, _):
        self.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nxx")
        return False

    def do_bad_gzip(self, _):
        return self.answer(b"this is not gzip at all", headers=["Content-Encoding: gzip"])

    def do_garbage(self, _):
        self.send(b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\nthis is no HTTP\r\n\r\n")
        return False

    def do_folded(self, _):
        """The first header line continues a line that was not."""
        self.send(b"HTTP/1.1 200 OK\r\n X-Folded: 1\r\nContent-Length: 2\r\n\r\nok")
        return True

    def do_nameless(self, _):
        return self.answer(headers=["no colon"])

    def do_odd_status(self, status):
        self.send(b"HTTP/2 " + status.encode() + b"\r\nContent-Length: 2\r\n\r\nok")
        return False

    # -- too much -------------------------------------------------------------------------------
    def do_headers(self, size):
        line = "X-Padding: " + "h" * 1000
        return self.answer(headers=[line] * (int(size) // len(line)))

    def do_long_line(self, size):
        return self.answer(headers=["X-Long: " + "h" * int(size)])

    def do_interim_forever(self, _):
        while True:
            self.send(b"HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\n" * 100)

    def do_endless(self, _):
        self.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            self.send(b"1000\r\n" + b"x" * 4096 + b"\r\n")

    def do_bomb(self, _):
        """100 MB of zeros in 100 KB."""
        return self.answer(gzip.compress(bytes(100 << 20), 1), headers=["Content-Encoding: gzip"])


def serve_client(conn, context):
    try:
        if context:
            conn = context.wrap_socket(conn, server_side=True)
        Client(conn).serve()
    except (OSError, ValueError):
        pass  # the other side has gone, or sent what this server does not understand
    finally:
        conn.close()


def listen(host="127.0.0.1", backlog=512):
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((host, 0))
    sock.listen(backlog)
    return sock


def accept_forever(sock, handle):
    def loop():
        while True:
            conn, _ = sock.accept()
            threading.Thread(target=handle, args=(conn,), daemon=True).start()

    threading.Thread(target=loop, daemon=True).start()
    return sock.getsockname()[1]


def full_port():
    """A port whose queue is full: connecting to it gets no answer of any kind."""
    sock = listen(backlog=0)
    waiting = []
    for _ in range(3):
        client = socket.socket()
        client.setblocking(False)
        client.connect_ex(sock.getsockname())
        waiting.append(client)
    return sock.getsockname()[1], (sock, waiting)


def make_certificate(folder):
    key, cert = os.path.join(folder, "key.pem"), os.path.join(folder, "ca.pem")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "2", "-subj", "/CN=localhost", "-keyout", key, "-out", cert,
         "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
        check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return cert, context


def wait_for_reader_to_leave():
    poll = select.poll()
    poll.register(sys.stdout.fileno(), 0)  # POLLERR comes unasked
    poll.poll()


def main():
    folder = tempfile.mkdtemp(prefix="scripted-")
    try:
        cert, context = make_certificate(folder)
        full, keep = full_port()
        ports = {
            "port": accept_forever(listen(), lambda c: serve_client(c, None)),
            "tls": accept_forever(listen(), lambda c: serve_client(c, context)),
            "wrong": accept_forever(listen("127.0.0.2"), lambda c: serve_client(c, context)),
            "close": accept_forever(listen(), lambda c: c.close()),
            "mute": accept_forever(listen(), lambda c: c.recv(1) and time.sleep(60)),
            "full": full,
            "ca": cert,
            "pid": os.getpid(),
        }
        print(" ".join("%s=%s" % pair for pair in ports.items()), flush=True)
        wait_for_reader_to_leave()
        del keep
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    os._exit(0)


main()
