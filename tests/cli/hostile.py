# SPDX-License-Identifier: GPL-2.0-only
"""
Whatever names are given: what is printed is valid in its format, UTF-8, and
holds no character that acts; an error is one line.
"""

import copy
import csv
import io
import json
import os
import re
import subprocess
import sys
import unicodedata

from checks import check, finish, skip

TDMEM, ROOT, FOLDER = sys.argv[1:]
os.chdir(FOLDER)

# Each is a name in some place; what it does where it is printed raw.
NAMES = {
    "quotes": "a\"b'c`d\\e",
    "lines": "a\nok 1 b\r\n# EOF\nc",
    "controls": "a\tb\x01c\x07d\x7fe",
    "escapes": "a\x1b[2J\x1b]0;title\x07b",
    "C1": "a\x9b2Jb\x85c",
    "direction": "a\u202eb\u2066c\u200fd",
    "unseen": "a\u200bb\ufeffc\U000e0041d\u2028e",
    "formula": "=HYPERLINK(\"http://x\")",
    "minus": "-n --help",
    "markup": "<b>a</b> **b** | c [d](e) {{f}} ${g} %s%n",
    "comma": "a,b;c=d#e",
    "wide": "\U0001f427\u6f22e\u0301",
    "long": "x" * 300,
    "empty": "",
}
BYTES = {"no UTF-8": b"a\xff\xfeb\xc3", "C1 byte": b"a\x9b2Jb"}


def acts(c):
    return c not in "\n" and unicodedata.category(c) in (
        "Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp")


def harmless(raw):
    try:
        return not any(acts(c) for c in raw.decode())
    except UnicodeDecodeError:
        return False


def tdmem(*args, stdin=b""):
    """(status, stdout, stderr); looks at what every command must keep."""
    done = subprocess.run([TDMEM, *args], input=stdin, capture_output=True,
                          timeout=120)
    what = ascii(args)[:120]
    check(harmless(done.stdout), "stdout of " + what, done.stdout)
    check(harmless(done.stderr), "stderr of " + what, done.stderr)
    check(done.returncode in (0, 1, 2), "%s: exit status %d" % (
        what, done.returncode), done.stderr)
    if done.returncode:
        check(done.stderr.count(b"\n") == 1 and
              done.stderr.startswith(b"tdmem: "),
              "one line: " + what, done.stderr)
    return done.returncode, done.stdout, done.stderr


def refused(*args, stdin=b""):
    status, out, _ = tdmem(*args, stdin=stdin)
    check(status in (1, 2), "%s is refused" % ascii(args)[:120], out)


def write(path, document):
    with open(path, "w") as f:
        json.dump(document, f)


# ---------------------------------------------------------------- arguments

def arguments(name):
    """In every place of a command line, as text or bytes."""
    def join(*parts):
        return b"".join(p if isinstance(p, bytes) else p.encode()
                        for p in parts)

    if name in ("", b""):
        return
    for line in ([join("x", name)], [join("--", name)], [join("-", name)],
                 ["run", join("./", name)], ["show", join("./", name)],
                 ["run", "good.json", join("--", name)],
                 ["run", "good.json", "--set", name],
                 ["run", "good.json", "--set", join("x", name, "=1")],
                 ["run", "good.json", "--set", join("seed=x", name)],
                 ["run", "good.json", "--jobs", join("x", name)],
                 ["run", "good.json", "--tag",
                  join("x", name).replace(b"=", b"")],
                 ["run", "good.json", join("x", name)],
                 ["run", "good.json", "-o", join("none/", name)],
                 ["run", "good.json", "--set", join("host.costs=x", name)],
                 ["list", join("x", name)],
                 ["list", "costs", join("x", name)],
                 ["env", join("x", name)],
                 ["module", join("x", name)],
                 ["module", join("--x", name)],
                 ["export", "-f", join("x", name), "result.json"],
                 ["export", "-f", "csv", "-m", name, "result.json"],
                 ["export", "-f", "csv", "-c", name, "result.json"],
                 ["export", "-f", "csv", "-c", join("policy=", name),
                  "result.json"],
                 ["export", "-f", "csv", join("x", name)],
                 ["export", "-f", "csv", "-o", join("none/", name),
                  "result.json"]):
        refused(*line)


def file_names(name):
    """A config, a result and an export with such a name."""
    if isinstance(name, str):
        name = name.encode()
    name = name.replace(b"/", b"")[:200]
    config, result = b"./c" + name, b"./r" + name
    with open(config, "wb") as f:
        f.write(open("good.json", "rb").read())
    status, out, _ = tdmem("run", config, "-o", result, "--tag",
                           b"t=" + name)
    check(status == 0 and out.rstrip().split(b"\n")[-1].startswith(
        b"result: "), "run with a file name", out)
    # What is in the result is JSON, and the tag is there.
    with open(result, "rb") as f:
        document = json.loads(f.read().decode())
    check("t" in document["environment"].get("tags", {"t": 0}), "the tag")
    tdmem("show", result)
    for form in FORMATS:
        tdmem("export", "-f", form, *ONE.get(form, []), "-o",
              b"./e" + name, result)
    refused("show", config)
    refused("export", "-f", "csv", config)
    refused("module", config)


# ------------------------------------------------------------------ configs

def configs(name):
    """In every place of a config: an error, and nothing else."""
    places = [
        lambda c: c.update({"name": name + "/"}),
        lambda c: c.update({name: 1}),
        lambda c: c.update(backend=name),
        lambda c: c.update(workloads=[name]),
        lambda c: c.update(workloads={name: {}}),
        lambda c: c.update(workloads={"track": {name: 1}}),
        lambda c: c["axes"].update({name: [1]}),
        lambda c: c["axes"].update(policy=[name]),
        lambda c: c["axes"].update(policy=[{"fault": name,
                                            "removal": "spin"}]),
        lambda c: c["axes"].update(page_size=[name]),
        lambda c: c["host"].update(topology=name),
        lambda c: c["host"].update(costs="x" + name),
        lambda c: c["host"].update(column=name),
        lambda c: c["host"].update({name: 1}),
        lambda c: c["limits"].update({name: 1}),
        lambda c: c.update(schema=name),
    ]
    for change in places:
        config = copy.deepcopy(good)
        change(config)
        write("bad.json", config)
        refused("run", "bad.json", "-o", "never.json")
    refused("run", "bad.json", "--dry-run")


def costs(name):
    table = json.load(open(ROOT + "/configs/costs/spr.json"))
    table["name"] = "x" + name
    for entry in table["entries"]:
        entry["source"] = "x" + name
    write("costs.json", table)
    config = copy.deepcopy(good)
    config["host"]["costs"] = "costs.json"
    write("costly.json", config)
    tdmem("list", "costs", "costs.json")
    status, _, _ = tdmem("run", "costly.json", "-o", "costly-result.json")
    if status == 0:
        tdmem("show", "costly-result.json")
    os.path.exists("costly-result.json") and os.remove("costly-result.json")
    table["entries"][0]["name"] = name
    write("costs.json", table)
    refused("list", "costs", "costs.json")


# ------------------------------------------------------------------ results

FORMATS = re.findall(r"^  ([a-z-]+) ", subprocess.run(
    [TDMEM, "export", "--help"], capture_output=True, text=True)
    .stdout.split("Formats:")[1], re.M)
ONE = {"hgrm": ["-m", "track.latency", "-c", "vcpus=1", "-c", "model=2"]}


def hostile_result(name):
    """A result that somebody else's program wrote."""
    r = json.load(open("result.json"))
    r["config"]["name"] = name
    r["tool"]["version"] = name
    r["environment"] = {k: name if isinstance(v, str) else v
                        for k, v in r["environment"].items()}
    r["environment"]["tags"] = {name: name, "commit": name}
    r["costs"]["path"] = r["costs"]["name"] = name
    r["config"]["backend"] = name
    r["config"]["host"]["topology"] = name
    r["workloads"][name] = r["workloads"].pop("track")
    r["workloads"][name]["summary"] = name
    for about in r["metrics"].values():
        about["help"] = name
    r["metrics"][name] = {"unit": name, "direction": "higher",
                          "histogram": False, "help": name}
    cells = []
    for i, cell in enumerate(r["cells"] * 2):
        cell = copy.deepcopy(cell)
        cell["axes"].update(workload=name or "track", model=2,
                            policy=[name, {name: name}][i % 2])
        if not name:
            cell["axes"]["policy"] = "spin"
        else:
            cell["axes"][name] = name
        if i % 2:
            cell.update(status="vm-bugged", reason=name)
        cells.append(cell)
    r["cells"] = cells
    write("hostile.json", r)
    return r


def valid_csv(text):
    rows = list(csv.reader(io.StringIO(text), strict=True))
    assert rows and len({len(row) for row in rows}) == 1
    assert all(not x or x[0] not in "=+@" for row in rows for x in row)


def valid_openmetrics(text):
    from prometheus_client.openmetrics.parser import \
        text_string_to_metric_families as parse
    assert list(parse(text))


def valid_ktap(text):
    lines = text.splitlines()
    assert lines[0] == "KTAP version 1"
    points = [x for x in lines[2:] if not x.startswith("# ")]
    assert lines[1] == "1..%d" % len(points)
    for i, x in enumerate(points, 1):
        assert re.fullmatch(r"(not )?ok %d [^#\\]*( # SKIP [^#]*)?" % i, x), x


def valid_hlog(text):
    for x in text.splitlines()[4:]:
        assert x[0] == "#" or re.fullmatch(
            r"Tag=[\w.;=%-]+(,\d+\.\d+){3},HIST[\w+/]+=*", x, re.A), x


VALID = {
    "csv": valid_csv, "openmetrics": valid_openmetrics, "ktap": valid_ktap,
    "hlog": valid_hlog, "github-bigger": json.loads, "bmf": json.loads,
    "github-smaller": json.loads,
}


def results(what, name):
    hostile_result(name)
    tdmem("show", "hostile.json")
    tdmem("show", "--brief", "hostile.json")
    compare = ["compare", "hostile.json", "hostile.json", "--format"]
    for form in "text", "mail", "lkp", "mmtests", "markdown":
        tdmem(*compare, form)
    # Names are whole there: JSON escapes what it must, no more.
    done = subprocess.run([TDMEM, *compare, "json"], capture_output=True,
                          timeout=120)
    check(not done.stdout or json.loads(done.stdout), "compare: json",
          done.stdout)
    for form in FORMATS:
        status, out, err = tdmem("export", "-f", form, *ONE.get(form, []),
                                 "hostile.json")
        if status or form not in VALID:
            continue
        try:
            VALID[form](out.decode())
            check(True, form)
        except ImportError:
            skip("openmetrics: no python3-prometheus-client")
        except Exception as e:
            check(False, "%s with %s: %r" % (form, what, e), out)


# ------------------------------------------------------------------ scripts

def scripts(name):
    for line in ({"op": name}, {name: 1}, {"op": "call", "name": name},
                 {"op": "call", "name": "TDH.MEM.TRACK", "td": name},
                 {"op": "call", "name": "TDH.MEM.TRACK", name: 0},
                 {"op": "show", "what": name},
                 {"op": "reset", "expect": {name: name}},
                 {"op": "reset", "expect": {"status": name}}):
        for options in [], ["--keep-going"]:
            status, out, err = subprocess.run(
                [TDMEM, "module", "-", *options], capture_output=True,
                input=json.dumps(line).encode()), b"", b""
            done = status
            check(done.returncode in (1, 2), "module: %s" % ascii(line),
                  done.stdout)
            check(harmless(done.stdout) and harmless(done.stderr),
                  "module: %s" % ascii(line), done.stdout + done.stderr)
            check(done.stderr.count(b"\n") <= 2, "module: lines of %s" %
                  ascii(line), done.stderr)
    refused("module", "-", stdin=name.encode() + b"{")


good = json.load(open(ROOT + "/configs/quick.json"))
good.update(workloads=["track"], axes={"policy": ["spin"], "vcpus": [1]},
            repeat={"count": 1}, limits={})
good["host"]["costs"] = ROOT + "/configs/costs/spr.json"
write("good.json", good)
assert tdmem("run", "good.json", "-o", "result.json")[0] == 0
check(len(FORMATS) >= 8, "formats: %s" % FORMATS)

for what, name in NAMES.items():
    arguments(name)
    file_names(name)
    configs(name)
    costs(name)
    results(what, name)
    scripts(name)
for name in BYTES.values():
    arguments(name)
    file_names(name)
    with open("bytes.json", "wb") as f:
        f.write(open("good.json", "rb").read().replace(b"quick", name))
    refused("run", "bytes.json")
    refused("module", "-", stdin=b'{"op":"' + name + b'"}')
    with open("bytes.json", "wb") as f:
        f.write(open("result.json", "rb").read().replace(b"spin", name))
    refused("show", "bytes.json")
    refused("export", "-f", "csv", "bytes.json")
for line in "list", "env":
    tdmem(line)

finish()
