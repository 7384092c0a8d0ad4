"""Counts the copies of a key in the memory of a Lua program: key_memory.py KEY LUA SCRIPT ARGUMENT...

The script gets the key disguised, one byte in four hexadecimal digits, so that it stands nowhere in
its memory before it puts it together; then the other arguments. Each line it prints names a moment:
it is answered with an empty line once the copies have been counted. Prints "moment=copies ..." .
"""

import subprocess
import sys
import urllib.parse


def copies(pid, forms):
    found = 0
    with open("/proc/%d/maps" % pid) as maps, open("/proc/%d/mem" % pid, "rb", 0) as memory:
        for line in maps:
            span, rights = line.split()[:2]
            if "r" not in rights or "[v" in line:
                continue
            first, last = (int(text, 16) for text in span.split("-"))
            memory.seek(first)
            try:
                data = memory.read(last - first)
            except OSError:
                continue
            found += sum(data.count(form) for form in forms)
    return found


def main():
    key, lua, script, arguments = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:]
    forms = {key.encode(), urllib.parse.quote(key, safe="").encode()}
    disguised = "".join("%02x%02x" % (byte ^ 0x5a, 0x5a) for byte in key.encode())
    child = subprocess.Popen([lua, script, disguised, *arguments],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    counted = []
    for line in child.stdout:
        counted.append("%s=%d" % (line.decode().strip(), copies(child.pid, forms)))
        child.stdin.write(b"\n")
        child.stdin.flush()
    child.stdin.close()
    print(" ".join(counted), flush=True)
    sys.exit(child.wait())


if __name__ == "__main__":
    main()
