"""What the loopback servers of the specs share: listening, a certificate, and when to leave."""

import os
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import threading


def accept_forever(handle, host="127.0.0.1"):
    """Serves each connection in a thread; returns the port."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((host, 0))
    sock.listen(128)

    def loop():
        while True:
            conn, _ = sock.accept()
            threading.Thread(target=handle, args=(conn,), daemon=True).start()

    threading.Thread(target=loop, daemon=True).start()
    return sock.getsockname()[1]


def openssl(*args, **more):
    subprocess.run(["openssl", *args], check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL, **more)


def self_signed(folder, name="server", alternative="DNS:localhost,IP:127.0.0.1"):
    key, cert = os.path.join(folder, name + ".key"), os.path.join(folder, name + ".pem")
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-days", "2", "-subj", "/CN=localhost", "-keyout", key, "-out", cert,
            "-addext", "subjectAltName=" + alternative)
    return key, cert


def run(main):
    """Calls main(folder), prints what it returns as name=value pairs, and stays until nobody reads
    stdout any more: so it dies with whoever started it."""
    folder = tempfile.mkdtemp(prefix="coreclaw-spec-")
    try:
        print(" ".join("%s=%s" % pair for pair in main(folder).items()), flush=True)
        poll = select.poll()
        poll.register(sys.stdout.fileno(), 0)  # POLLERR comes unasked
        poll.poll()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    os._exit(0)
