# SPDX-License-Identifier: GPL-2.0-only
"""
Run the examples: what README.md, docs/*.md, the manual pages and --help show.

A command is what begins with "tdmem ", "./tdmem ", "make ", "git " or "java "
in an indented block or in backquotes.  Each is run by a shell in a folder of
its own, with the configs and a script; other JSON files that it reads are a
copy of configs/quick.json for "tdmem run", else of a result.  A command that
other lines of its block follow ("$ " tells them apart) must print just these;
"..." stands for any lines.  A block without a command is JSON, members of a
config, or a part of what some command of the same document prints.  What is
not run stands in a table here, with the reason.
"""

import glob
import json
import os
import re
import shlex
import shutil
import subprocess
import sys

from checks import check, finish, skip

TDMEM, ROOT, FOLDER = sys.argv[1:]

# Words of examples that stand for something.
WORDS = {
    "CONFIG": "configs/quick.json",
    "RESULT": "result.json",
    "RESULT...": "result.json",
    "BASE": "base.json",
    "NEW": "new.json",
    "NEW...": "new.json",
    "SCRIPT": "script.jsonl",
    "CLAIM": "configs/explore/demote-unblock.json",
    "[WHAT]": "workloads",
    "[TABLE]": "configs/costs/spr.json",
    "TABLE": "configs/costs/spr.json",
    "FILE": "result.hlog",
    "COMMAND": "run",
    "OTHER": "other.json",
    "DIR": "results",
    "/opt/tdmem-0.1/tdmem": TDMEM,
    "hdrhistogram.jar": "/usr/share/java/hdrhistogram.jar",
}

# Options added to a command, and why: the run would take too long.
ADDED = [
    (r"tdmem run configs/retry-policies\.json$", "--dry-run",
     "minutes; that it can be run is what is asked"),
    (r"tdmem run .*backend=threads.*",
     "--set axes.vcpus=[1] --set repeat.count=1 --set workloads=[\\\"track\\\"]",
     "as many CPUs as the matrix has vCPUs are not everywhere"),
    (r"tdmem run configs/quick\.json .*(--jobs 1|--tag|--set-new).*",
     "--set repeat.count=1", "the same run again and again takes long"),
]

# Not run: a pattern that the whole command must match, and the reason.
NOT_RUN = [
    (r"make (run|check)\b.*", "installs packages; this test is part of it"),
    (r"make bench", "measures the machine; it says nothing of the documents"),
    (r"(\./)?tdmem (calibrate|validate)\b.*",
     "depends on the machine; calibrate.sh and validate.sh run them"),
    (r"(\./)?tdmem run .*host\.costs=(here|tdx)\.json",
     "a table of this machine; calibrate.sh runs with one"),
    (r"\./tdmem (run configs/tdx-(first|costs)|show first)\.json.*",
     "takes a host with TDX; test_td.c runs cells on a KVM that is faked"),
    (r"(scripts/config|make olddefconfig|sudo|cat /sys|grep -r \. /sys).*",
     "changes the host, or looks at one with TDX"),
    (r"make soak", "ten minutes; threads_tsan.sh is a short one"),
    (r"make trials\b.*",
     "a quarter of an hour; aa_trials.sh is a short one"),
    (r"make install", "tested by install.sh"),
    (r"make nightly-demo", "two minutes; its script is run by dashboard.sh"),
    (r"tdmem run .* --probe .*", "needs a real VM; probe.sh has one"),
    (r"make CC=clang|make SANITIZE=\S+|make BPF=no", "a build of its own; see .ci/run"),
    (r"tdmem trend --ack .*", "names a change of the reader's own history"),
    (r"git clone \.\.\..*", "the address is the reader's"),
    (r"tdmem export --format FORMAT .*", "the synopsis, of all options"),
    (r"tdmem module SCRIPT \[--keep-going\] \[--quiet\] \[--threads\]",
     "the synopsis, of all options"),
    (r"tdmem export RESULT", "not a line: an option is needed"),
    (r"tdmem (run|show|list|export|module|compare|plot|trend)"
     r"( --[a-z-]+( \w+=\.\.\.)?)?",
     "the name of a command or an option, not a line"),
    (r".* mail \.\.\. .*", "would send a mail"),
]

# Run before an example, in its folder.
BEFORE = [
    (r"tdmem run configs/quick\.json -o q\.json --resume",
     "tdmem run configs/quick.json -o q.json >/dev/null 2>&1 &"
     "p=$!; while kill -0 $p && ! [ -s q.json.journal ]; do sleep 0.02; done;"
     "kill -KILL $p; wait $p; test -s q.json.journal"),
    (r"tdmem explore --replay order\.json.*",
     "tdmem explore --scenario spin16 -o order.json"),
    (r"tdmem compare .*--robust .*",
     "tdmem run configs/quick.json --set axes.vcpus=[1,8] "
     "--set repeat.count=3 -q -o result.json"),
    (r"tdmem trend .*",
     "mkdir -p results/nightly && for i in 1 2 3; do "
     "tdmem run configs/quick.json --set axes.vcpus=[8] --set seed=$i "
     "--set repeat.count=1 -q -o results/nightly/$i.json || exit 1; done"),
]

# Exit statuses other than 0 that an example may have.
STATUS = []

# What changes from run to run, in documents and in what is printed.
MASKS = [
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ, \S+,", "TIME, HOST,"),
    (r"-\d{8}-\d+\.json", "-DATE-N.json"),
]


def tdmem(*args, cwd=FOLDER):
    return subprocess.run([TDMEM, *args], check=True, capture_output=True,
                          text=True, cwd=cwd, timeout=300).stdout


def mask(text):
    for pattern, word in MASKS:
        text = re.sub(pattern, word, text)
    return text


# ------------------------------------------------------------- extraction

BEGIN = re.compile(r"(\$ )?((\./)?tdmem|make|git|java)( |$)")


def blocks(text, indent):
    """Indented blocks of a text, without their indentation."""
    block, before = [], ""
    for line in text.splitlines() + [""]:
        if line.startswith(" " * indent) and (block or not before.strip()
                                              or before.endswith(":")):
            block.append(line[indent:])
            continue
        if not line.strip() and block:
            block.append("")
        elif block:
            yield "\n".join(block).rstrip()
            block = []
        before = line
    if block:
        yield "\n".join(block).rstrip()


def of_block(block):
    """(command, what it prints or None) of a block; "$ " marks commands."""
    lines, found = block.splitlines(), []
    marked = any(line.startswith("$ ") for line in lines)
    begin = re.compile(r"\$ ") if marked else BEGIN
    while lines:
        line = lines.pop(0)
        if not begin.match(line):
            continue
        command = re.sub(r"^\$ ", "", line)
        # It goes on where a line ends in a backslash or the next is indented.
        while command.endswith("\\") or lines and lines[0].startswith("     "):
            command = command.rstrip("\\").rstrip() + " " + \
                lines.pop(0).strip()
        printed = []
        while lines and not begin.match(lines[0]):
            printed.append(lines.pop(0))
        printed = "\n".join(printed).rstrip()
        found.append((command, printed or None))
    return found


def of_markdown(text):
    for block in blocks(text, 4):
        yield from of_block(block) or [(None, block)]
    prose = "\n".join(x for x in text.splitlines() if not x.startswith("    "))
    for words in re.findall(r"`([^`]+)`", prose):
        words = " ".join(words.split())
        if BEGIN.match(words) and " " in words:
            yield words, None


def of_help(text):
    for block in blocks(text, 2):
        for command, _ in of_block(block):
            yield command.split("  ")[0], None
    for words in re.findall(r"^Example: (.*)", text, re.M):
        yield words, None


def of_manual(text):
    """From its source: what is not filled is an example."""
    for block in re.findall(r"^\.nf\n(.*?)^\.fi", text, re.M | re.S):
        block = block.replace("\\-", "-").replace("\\e", "\\")
        block = block.replace("\\(ti", "~").replace("\\(ha", "^")
        for command, _ in of_block(block):
            yield command, None


# ---------------------------------------------------------------- running

def prepare(folder):
    """A folder with what examples are about, as far as it is there yet."""
    os.mkdir(folder)
    shutil.copytree(ROOT + "/configs", folder + "/configs")
    os.symlink(TDMEM, folder + "/tdmem")
    if not os.path.exists(FOLDER + "/result.hlog"):
        return
    shutil.copy(FOLDER + "/result.hlog", folder)
    shutil.copy(ROOT + "/tests/module/own_pending.jsonl",
                folder + "/script.jsonl")


def make_files(command, folder):
    """Files that a command names come to be, but for what it writes."""
    words = shlex.split(command)
    model = folder + "/configs/quick.json" if words[1] == "run" else \
        FOLDER + "/result.json"
    for before, word in zip(words, words[1:]):
        path = os.path.join(folder, word)
        if re.fullmatch(r"[\w./-]+\.json", word) and before != "-o" and \
                not os.path.exists(path):
            os.makedirs(os.path.dirname(path), exist_ok=True)
            shutil.copy(model, path)
            # Where configs say that the costs are.
            if not os.path.exists(os.path.dirname(path) + "/costs"):
                os.symlink(folder + "/configs/costs",
                           os.path.dirname(path) + "/costs")


def first(table, command):
    for pattern, *rest in table:
        if re.fullmatch(pattern, command):
            used.add(pattern)
            return rest
    return None


def shell(command, folder):
    env = dict(os.environ, PATH=os.path.dirname(TDMEM) + ":"
               + os.environ["PATH"], LC_ALL="C.UTF-8")
    return subprocess.run(["bash", "-c", command], cwd=folder, env=env,
                          text=True, capture_output=True, timeout=300,
                          stdin=subprocess.DEVNULL)


def run(command, where):
    """What a command prints; each is run once.  None: not run, or failed."""
    if first(NOT_RUN, command):
        return None
    command = re.sub(r"^\./", "", " ".join(WORDS.get(w, w)
                                           for w in command.split(" ")))
    if command in printed:
        return printed[command]
    printed[command] = None
    if command.startswith("java ") and not (
            shutil.which("java") and os.path.exists(WORDS["hdrhistogram.jar"])):
        skip(command + ": java or libhdrhistogram-java is missing")
        return None
    folder = "%s/%d" % (FOLDER, len(printed))
    prepare(folder)
    line = command
    make_files(command, folder)
    added = first(ADDED, command)
    if added:
        line += " " + added[0]
    before = first(BEFORE, command)
    if before:
        done = shell(before[0], folder)
        check(done.returncode == 0, "before " + command, done.stderr)
    done = shell(line, folder)
    want = (first(STATUS, command) or [0])[0]
    check(done.returncode == want, "%s: %s: exit status %d" % (
        where, command, done.returncode), done.stderr)
    shutil.rmtree(folder)
    if done.returncode == want:
        printed[command] = done.stdout
    return printed[command]


def same(document, got):
    """Is `got` what the document shows?  "..." stands for any lines."""
    parts = [re.escape(x) for x in
             re.split(r"^\s*\.\.\.\n?", mask(document) + "\n", flags=re.M)]
    got = re.sub(r"[ \t]+$", "", mask(got), flags=re.M).strip("\n") + "\n"
    return re.fullmatch(r"(?:.*\n)*?".join(parts), got) is not None


def holds(got, document):
    """Are the document's lines some that were printed, one after another?"""
    got = "\n" + mask(got) + "\n"
    at = 0
    for part in re.split(r"^\s*\.\.\.\n?", mask(document), flags=re.M):
        at = got.find("\n" + part.strip("\n") + "\n", at)
        if at < 0:
            return False
    return True


def check_members(block, where):
    """Each line is a member of a config."""
    with open(ROOT + "/configs/quick.json") as f:
        quick = json.load(f)
    for line in block.splitlines():
        check_json(json.dumps(dict(quick, **json.loads("{%s}" % line))), where)


def check_json(block, where):
    try:
        document = json.loads(block)
    except ValueError as e:
        return check(False, "%s: JSON: %s" % (where, e), block)
    if document.get("schema") != "tdmem-config/1":
        return check(True, where)
    folder = FOLDER + "/json"
    prepare(folder)
    with open(folder + "/configs/shown.json", "w") as f:
        f.write(block)
    done = shell("tdmem run configs/shown.json --dry-run", folder)
    check(done.returncode == 0, where + ": the config", done.stderr)
    shutil.rmtree(folder)


def check_document(where, found):
    """Run all commands, then look for what else the document shows."""
    shown, outputs = [], []
    for command, output in found:
        if command is None:
            shown.append(output)
            continue
        got = run(command, where)
        outputs.append(got or "")
        if output and got is not None:
            check(same(output, got), "%s: %s prints something else" % (
                where, command), got)
    for block in shown:
        if block.startswith("{"):
            check_json(block, where)
        elif block.startswith('"'):
            check_members(block, where)
        else:
            check(any(holds(x, block) for x in
                      outputs + [quick]),
                  "%s: nothing prints this" % where, block)


printed = {}  # what each command printed
used = set()  # patterns that matched
# The first example makes the result that others are about.
prepare(FOLDER + "/first")
quick = tdmem("run", "configs/quick.json", cwd=FOLDER + "/first")
printed["tdmem run configs/quick.json"] = quick
path, = glob.glob(FOLDER + "/first/results/*.json")
os.rename(path, FOLDER + "/result.json")
with open(FOLDER + "/result.hlog", "w") as f:
    f.write(tdmem("export", "-f", "hlog", "result.json"))
commands = re.findall(r"^  tdmem ([a-z]+) ", tdmem("--help"), re.M)

seen = 0
for path in [ROOT + "/README.md"] + sorted(glob.glob(ROOT + "/docs/*.md")):
    with open(path) as f:
        found = list(of_markdown(f.read()))
    seen += len(found)
    check_document(os.path.relpath(path, ROOT), found)
for name in [None] + commands:
    args = [name] if name else []
    # That of the program lists commands, each with what it takes.
    helped = list(of_help(tdmem(*args, "--help"))) if name else []
    manual = list(of_manual(tdmem(*args, "--help=man")))
    check_document("tdmem %s --help" % (name or ""), helped)
    check_document("tdmem-%s(1)" % name, manual)
    seen += len(helped) + len(manual)
check(len(commands) >= 6 and seen >= 40, "examples are found: %d" % seen)
for table in ADDED, NOT_RUN, BEFORE, STATUS:
    for pattern, *_ in table:
        if pattern not in used:
            print("note: no document has", pattern)

finish()
