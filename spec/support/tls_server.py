"""Loopback HTTPS servers, one for each thing that can be wrong with a certificate, a protocol or a
client, and certificates of all kinds, made anew each time.

Started by spec/support/python.lua. Prints a port for each server, `count` (GET /NAME there answers how
many requests that server has read), and the folder of the certificates as `folder`. Every request is
answered with an envelope that suits a start, an account and an export alike; /file with a file.
"""

import os
import socket
import ssl
import threading
import warnings

import loopback

counts = {}
lock = threading.Lock()
ports = {}

CONFIG = """
[ca]
default_ca = this
[this]
dir = .
new_certs_dir = .
database = index.txt
rand_serial = yes
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
"""


class Workshop:
    """Makes keys, authorities and certificates in a folder."""

    def __init__(self, folder):
        self.folder = folder
        self.write("ca.cnf", CONFIG)
        self.write("index.txt", "")

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="ascii") as file:
            file.write(text)

    def run(self, *args):
        loopback.openssl(*args, cwd=self.folder)

    def root(self, name):
        self.run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                 "-days", "9", "-subj", "/CN=" + name, "-keyout", name + ".key", "-out", name + ".pem")

    def certificate(self, name, extensions="subjectAltName=IP:127.0.0.1,DNS:localhost", issuer="root",
                    dates=()):
        self.write(name + ".ext", extensions)
        self.run("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                 "-subj", "/CN=" + name, "-keyout", name + ".key", "-out", name + ".csr")
        self.run("ca", "-batch", "-config", "ca.cnf", "-notext", "-cert", issuer + ".pem",
                 "-keyfile", issuer + ".key", "-in", name + ".csr", "-out", name + ".pem",
                 "-extfile", name + ".ext", *(dates or ("-days", "2")))

    def join(self, out, *names):
        self.write(out, "".join(open(self.path(n), encoding="ascii").read() for n in names))


def make_certificates(folder):
    shop = Workshop(folder)
    shop.root("root")
    shop.root("stranger")
    loopback.self_signed(folder, "alone", "IP:127.0.0.1,DNS:localhost")
    shop.certificate("good")
    shop.certificate("expired", dates=("-startdate", "20200101000000Z", "-enddate", "20200201000000Z"))
    shop.certificate("early", dates=("-startdate", "20450101000000Z", "-enddate", "20460201000000Z"))
    shop.certificate("host", "subjectAltName=DNS:other.example,IP:127.0.0.1")
    shop.certificate("ip", "subjectAltName=IP:127.0.0.9,DNS:localhost")
    shop.certificate("middle", "basicConstraints=critical,CA:TRUE")
    shop.certificate("leaf", issuer="middle")
    shop.join("chain.pem", "leaf.pem", "middle.pem")
    shop.certificate("client", "extendedKeyUsage=clientAuth")
    shop.certificate("impostor", "extendedKeyUsage=clientAuth", issuer="stranger")
    shop.join("same.pem", "client.pem")
    shop.join("both.pem", "client.pem", "client.key")
    shop.run("pkcs8", "-topk8", "-in", "client.key", "-out", "locked.key", "-passout", "pass:sekret")


def context(folder, cert, key=None, lowest=None, highest=None, client=None):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if lowest:
        made.set_ciphers("ALL:@SECLEVEL=0")
        made.minimum_version = lowest
    if highest:
        made.maximum_version = highest
    made.load_cert_chain(os.path.join(folder, cert + ".pem"), os.path.join(folder, (key or cert) + ".key"))
    if client is not None:
        made.load_verify_locations(os.path.join(folder, "root.pem"))
        made.verify_mode = client
    return made


def answer(conn, name):
    file = conn.makefile("rb")
    line, length, head = file.readline(), 0, b""
    if not line.strip():
        return False
    while True:
        header = file.readline()
        head += header
        if header.lower().startswith(b"content-length:"):
            length = int(header.split(b":")[1])
        if header in (b"\r\n", b""):
            break
    file.read(length)
    with lock:
        counts[name] = counts.get(name, 0) + 1
    shown = getattr(conn, "getpeercert", lambda: None)() and "yes" or "no"
    body = ('{"code":0,"message":"success","data":{"run_slug":"01KZS4D8M2XW7Q5T9BHNVRC3EA","balance":"1",'
            '"download_url":"https://127.0.0.1:%d/file"}}' % ports.get("asks", 0)).encode()
    if line.split()[1] == b"/file":
        body = b"certificate shown: %s, key shown: %s\n" % (
            shown.encode(), b"yes" if b"api-key" in head.lower() or b"authorization" in head.lower() else b"no")
    elif line.split()[1].startswith(b"/away"):
        conn.sendall(b"HTTP/1.1 302 Found\r\nLocation: https://127.0.0.1:%d/file\r\nContent-Length: 0\r\n\r\n"
                     % ports["asks"])
        return True
    conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
    return True


def linger(raw):
    """What was not read would turn the goodbye into a reset."""
    try:
        raw.shutdown(socket.SHUT_WR)
        raw.settimeout(2)
        while raw.recv(65536):
            pass
    except OSError:
        pass


def serve(conn, made, name):
    with conn.dup() as raw:
        try:
            if made:
                conn = made.wrap_socket(conn, server_side=True)
            while answer(conn, name):
                pass
        except (OSError, ValueError):
            linger(raw)
        finally:
            conn.close()


def serve_plain(conn):
    """No TLS: says so in HTTP, as web servers do."""
    conn.recv(65536)
    conn.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
    conn.close()


def serve_count(conn):
    with lock, conn:
        name = conn.makefile("rb").readline().split()[1].decode().lstrip("/")
        body = b"%d" % counts.get(name, 0)
        conn.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))


def main(folder):
    make_certificates(folder)
    new, old = ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_2
    contexts = {name: context(folder, name) for name in ("good", "alone", "expired", "early", "host", "ip", "leaf")}
    contexts["chain"] = context(folder, "chain", "leaf")
    contexts["tls10"] = context(folder, "good", lowest=ssl.TLSVersion.TLSv1, highest=ssl.TLSVersion.TLSv1)
    contexts["tls11"] = context(folder, "good", lowest=ssl.TLSVersion.TLSv1, highest=ssl.TLSVersion.TLSv1_1)
    contexts["tls12"] = context(folder, "good", highest=old)
    contexts["wants12"] = context(folder, "good", highest=old, client=ssl.CERT_REQUIRED)
    contexts["wants13"] = context(folder, "good", lowest=new, client=ssl.CERT_REQUIRED)
    contexts["asks"] = context(folder, "good", client=ssl.CERT_OPTIONAL)
    for name, made in contexts.items():
        ports[name] = loopback.accept_forever(lambda c, m=made, n=name: serve(c, m, n))
    ports["clear"] = loopback.accept_forever(lambda c: serve(c, None, "clear"))
    return {**ports, "plain": loopback.accept_forever(serve_plain),
            "count": loopback.accept_forever(serve_count), "folder": folder}


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # of what is old: that is what it is for
    loopback.run(main)
