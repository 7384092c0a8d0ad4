# requests or urllib3: "client.py NAME" reads one piece of work a line, answers with one line of figures.
import json
import os
import sys
import time

URL = os.environ["BENCH_URL"]
HEADERS = {"authorization": "Bearer bench-key"}


def with_requests():
    import requests

    session = requests.Session()
    session.headers.update(HEADERS)
    session.trust_env = False

    def fetch(path):
        answer = session.get(URL + path)
        answer.raise_for_status()
        return answer

    return lambda path: fetch(path).content, lambda path: fetch(path).json()


def with_urllib3():
    import urllib3

    pool = urllib3.PoolManager(headers=HEADERS)

    def fetch(path):
        answer = pool.request("GET", URL + path)
        assert answer.status == 200
        return answer.data

    return fetch, lambda path: json.loads(fetch(path))


def peak_kb():
    with open("/proc/self/status") as file:
        return next(text.split()[1] for text in file if text.startswith("VmHWM:"))


def work(get, get_json, words):
    if words[0] == "get":
        for _ in range(int(words[1])):
            get(words[2])
    elif words[0] == "reload":
        for _ in range(int(words[1])):
            assert get_json("/api/v2/worker-runs/detail")["data"]["status"]
    elif words[0] == "rows":
        for page in range(1, int(words[2]) + 1):
            assert get_json(f"/api/v2/worker-runs/{words[1]}/result?offset={page}&limit=100")["data"]["list"]
    else:
        raise ValueError("absent: it has no such work")


def main():
    get, get_json = {"requests": with_requests, "urllib3": with_urllib3}[sys.argv[1]]()
    for text in sys.stdin:
        words = text.split()
        if words[0] == "quit":
            return
        since, used = time.monotonic(), time.process_time()
        try:
            work(get, get_json, words)
            print(f"seconds={time.monotonic() - since:.9f} cpu={time.process_time() - used:.9f} rss={peak_kb()}", flush=True)
        except Exception as err:
            print("error", str(err).split("\n")[0], flush=True)


try:
    main()
except ImportError as err:
    print("error absent:", err, flush=True)
