"""Loopback proxies, HTTP (CONNECT and absolute form) and SOCKS5, that want a password or misbehave,
and an origin behind them, with and without TLS.

Started by spec/support/python.lua. User and password are "me" and "se/k@ret". Names that end in
.example lead to loopback, but only for who asks a proxy. Ports: `http`, `socks`, proxies that want
the password; `open`, an HTTP proxy that wants none; one for each misbehaviour of `Broken`; `plain` and
`tls`, origins; `log`: GET /NAME there answers what that server was sent so far, GET / forgets all.
"""

import base64
import os
import socket
import ssl
import threading

import loopback

USER, PASSWORD = b"me", b"se/k@ret"
BASIC = b"Basic " + base64.b64encode(USER + b":" + PASSWORD)

log = {}
lock = threading.Lock()


def note(name, text):
    with lock:
        log[name] = log.get(name, b"") + text


def read_head(conn):
    """Byte by byte, so that what follows stays in the socket."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = conn.recv(1)
        if not byte:
            raise OSError("gone")
        head += byte
    return head


def header(head, name):
    for line in head.split(b"\r\n")[1:]:
        key, _, value = line.partition(b":")
        if key.lower() == name:
            return value.strip()
    return b""


def reach(host, port):
    return socket.create_connection(("127.0.0.1" if host.endswith(b".example") else host.decode(), port))


def copy(source, sink):
    try:
        while True:
            data = source.recv(65536)
            if not data:
                break
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def join(a, b):
    thread = threading.Thread(target=copy, args=(b, a), daemon=True)
    thread.start()
    copy(a, b)
    thread.join(20)
    b.close()


# -- proxies --------------------------------------------------------------------------------------


def say(conn, status, more=b""):
    conn.sendall(b"HTTP/1.1 " + status + b"\r\n" + more + b"Content-Length: 0\r\n\r\n")


def http_proxy(conn, name, wants):
    head = read_head(conn)
    note(name, head)
    method, target, _ = head.split(b"\r\n")[0].split(b" ")
    if wants and header(head, b"proxy-authorization") != BASIC:
        return say(conn, b"407 Proxy Authentication Required",
                   b'Proxy-Authenticate: Basic realm="x"\r\nConnection: close\r\n')
    if method == b"CONNECT":
        host, port = target.rsplit(b":", 1)
        upstream = reach(host, int(port))
        conn.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
    else:
        host, path = target[len(b"http://"):].split(b"/", 1)
        host, port = host.rsplit(b":", 1)
        upstream = reach(host, int(port))
        lines = [x for x in head.split(b"\r\n") if not x.lower().startswith(b"proxy-")]
        lines[0] = method + b" /" + path + b" HTTP/1.1"
        upstream.sendall(b"\r\n".join(lines))
    return join(conn, upstream)


def exactly(conn, n):
    data = b""
    while len(data) < n:
        more = conn.recv(n - len(data))
        if not more:
            raise OSError("gone")
        data += more
    return data


def socks_user(conn):
    exactly(conn, exactly(conn, 2)[1])
    conn.sendall(b"\x05\x02")
    user = exactly(conn, exactly(conn, 2)[1])
    password = exactly(conn, exactly(conn, 1)[0])
    good = (user, password) == (USER, PASSWORD)
    conn.sendall(b"\x01" + (b"\0" if good else b"\1"))
    return good


def socks_proxy(conn, name):
    if not socks_user(conn):
        return note(name, b"refused\n")
    kind = exactly(conn, 4)[3]
    if kind == 3:
        host = exactly(conn, exactly(conn, 1)[0])
    else:
        host = socket.inet_ntop(*((socket.AF_INET, exactly(conn, 4)) if kind == 1
                                  else (socket.AF_INET6, exactly(conn, 16)))).encode()
    port = int.from_bytes(exactly(conn, 2), "big")
    note(name, b"%s %s\n" % (b"name" if kind == 3 else b"address", host))
    upstream = reach(host, port)
    conn.sendall(b"\x05\0\0\x01\0\0\0\0\0\0")
    return join(conn, upstream)


class Broken:
    """Each gets the head of the first request."""

    @staticmethod
    def status_502(conn):
        say(conn, b"502 Bad Gateway")

    @staticmethod
    def status_403(conn):
        say(conn, b"403 Forbidden")

    @staticmethod
    def closes(conn):
        pass

    @staticmethod
    def closes_tunnel(conn):
        conn.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")

    @staticmethod
    def garbage(conn):
        conn.sendall(b"SSH-2.0-OpenSSH\r\n\r\n")

    @staticmethod
    def silent(conn):
        conn.recv(1)


def broken(conn, name):
    note(name, read_head(conn))
    getattr(Broken, name)(conn)


def deaf_socks(conn):
    """Lets nobody in."""
    exactly(conn, exactly(conn, 2)[1])
    conn.sendall(b"\x05\xff")


# -- origin ---------------------------------------------------------------------------------------


def origin(conn, name):
    head = read_head(conn)
    exactly(conn, int(header(head, b"content-length") or 0))
    note(name, head)
    body = b'{"code":0,"message":"success","data":{"run_slug":"01KZS4D8M2XW7Q5T9BHNVRC3EA","balance":"1"}}'
    conn.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))


def show_log(conn, _):
    name = read_head(conn).split(b" ")[1].decode()[1:]
    with lock:
        body = log.get(name, b"")
        if not name:
            log.clear()
    conn.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))


def main(folder):
    key, cert = loopback.self_signed(folder, "server", "DNS:api.example,DNS:localhost,IP:127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)

    def listen(handle, name):
        def guarded(conn):
            try:
                handle(conn, name)
            except (OSError, ValueError):
                pass
            finally:
                conn.close()

        return loopback.accept_forever(guarded)

    def tls_origin(conn, name):
        with context.wrap_socket(conn, server_side=True) as tls:
            origin(tls, name)

    ports = {
        "http": listen(lambda c, n: http_proxy(c, n, True), "http"),
        "open": listen(lambda c, n: http_proxy(c, n, False), "open"),
        "socks": listen(socks_proxy, "socks"),
        "deaf": listen(lambda c, n: deaf_socks(c), "deaf"),
        "plain": listen(origin, "plain"),
        "tls": listen(tls_origin, "tls"),
        "log": listen(show_log, "log"),
    }
    for name in vars(Broken):
        if not name.startswith("_"):
            ports[name] = listen(broken, name)
    return {**ports, "ca": cert, "pid": os.getpid()}


if __name__ == "__main__":
    loopback.run(main)
