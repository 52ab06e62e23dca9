# SPDX-License-Identifier: GPL-2.0-only
"""
Make histories for the tests of the dashboard from one result.

history.py RESULT plain DIR     16 nights: a step down at night 8, a livelock
history.py RESULT hostile DIR   12 nights whose texts are meant to do harm
history.py RESULT large DIR     1000 nights of few cells
"""

import copy
import json
import os
import sys

SCRIPT = "</script><script>window.pwned=1</script>"
HOSTILE = {
    "policy": SCRIPT + "\"'&\u2028<b>bold</b>",
    "kernel": "Linux \u202e<img src=x onerror=window.pwned=1> #1",
    "host": "h\u2067<svg onload=window.pwned=1>",
    "commit": "<!--" + SCRIPT,
}


def scale(cell, factor):
    for repeat in cell["repeats"]:
        for name in repeat["metrics"]:
            if name.endswith(".rate"):
                repeat["metrics"][name] *= factor


def night(result, i, factor):
    """The result as that of another night; noise of 0.1 % that is known."""
    r = copy.deepcopy(result)
    r["environment"]["time"] = "2026-%02d-%02dT02:00:00Z" % (
        1 + i // 28 % 12, 1 + i % 28)
    r["environment"]["tags"] = {"commit": "%012x" % (0xabc000 + i)}
    for n, cell in enumerate(r["cells"]):
        scale(cell, factor * (1 + 0.001 * ((7 * i + 3 * n) % 5 - 2)))
    return r


def write(folder, i, result):
    with open(os.path.join(folder, "night %04d.json" % i), "w") as f:
        json.dump(result, f)


def plain(result, folder):
    for i in range(16):
        r = night(result, i, 0.9 if i >= 8 else 1)
        if i in (3, 4):
            r["cells"][0]["status"] = "livelock"
            r["cells"][0]["reason"] = "nothing was done"
            for repeat in r["cells"][0]["repeats"]:
                repeat["status"] = "livelock"
                repeat["metrics"] = {}
                repeat["histograms"] = {}
        write(folder, i, r)


def hostile(result, folder):
    for i in range(12):
        r = night(result, i, 1)
        e = r["environment"]
        e["kernel"], e["host"] = HOSTILE["kernel"], HOSTILE["host"]
        e["tags"]["commit"] = HOSTILE["commit"]
        e["__proto__"] = {"polluted": "yes"}
        r["config"]["name"] = SCRIPT
        for cell in r["cells"]:
            if cell["axes"]["policy"] == "spin":
                cell["axes"]["policy"] = HOSTILE["policy"]
        write(folder, i, r)


def large(result, folder):
    for cell in result["cells"]:
        for repeat in cell["repeats"]:
            repeat["histograms"] = {}
    for i in range(1000):
        r = night(result, i % 336, 0.9 if i >= 500 else 1)
        r["environment"]["time"] = "%04d" % (2026 + i // 336) + \
            r["environment"]["time"][4:]
        write(folder, i, r)


def main():
    path, kind, folder = sys.argv[1:]
    with open(path) as f:
        result = json.load(f)
    os.makedirs(folder)
    {"plain": plain, "hostile": hostile, "large": large}[kind](result, folder)


if __name__ == "__main__":
    main()
