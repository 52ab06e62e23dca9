# SPDX-License-Identifier: GPL-2.0-only
"""Checks of tdmem timeline.  Usage: timeline.py PROGRAM ROOT DIR"""

import collections
import json
import os
import re
import signal
import subprocess
import sys
import time
from decimal import Decimal

from checks import check, finish, skip
from debugger import gdb, why_no_gdb
from trace_events import Trace

tdmem, root, folder = sys.argv[1:]
QUICK = root + "/configs/quick.json"
ALL = root + "/configs/retry-policies.json"


def run(*arguments, cwd=None):
    return subprocess.run([tdmem, *arguments], capture_output=True, cwd=cwd)


def chosen(config, axes, more=()):
    """Arguments that choose a cell."""
    cell = [a for k, v in axes.items() for a in ("--cell", f"{k}={v}")]
    return ["timeline", config, *cell, *more]


# --------------------------------------------- the metrics of the same run

def metrics_of(trace):
    """What the run's metrics must be, from what the timeline shows."""
    out = collections.Counter()
    for tid, name, status, _, end in trace.calls:
        # A TDCALL that ends in a TD exit is made again: it is not counted.
        gone = name.startswith("TDG.") and status == "EPT violation"
        if not trace.measured(tid, end) or gone:
            continue
        prefix = name.lower().replace(".", "_")
        busy = "OPERAND_BUSY" in status
        out["calls.total"] += 1
        out["calls.busy"] += busy
        out[prefix + ".calls"] += 1
        out[prefix + ".busy"] += busy
    for tid, name, _, end, cut in trace.spans:
        if not cut and trace.measured(tid, end):
            out["kicks.rounds"] += name == "kick"
            out["kicks.flushes"] += name == "flush"
    for at, tid in trace.sent.values():
        out["kicks.ipis"] += trace.measured(tid, at)
    return out


def agrees(trace, metrics, what):
    found = metrics_of(trace)
    names = {n for n in metrics
             if re.fullmatch(r"(td[hg]_\w+|calls)\.(calls|busy|total)", n)}
    names |= set(found) | {"kicks.rounds", "kicks.flushes", "kicks.ipis"}
    for name in sorted(names):
        if found[name] != metrics.get(name, 0):
            check(False, f"{what}: {name} is {found[name]} in the timeline, "
                         f"{metrics.get(name)} in the result")
            return
    check(found["calls.total"] > 0, f"{what}: nothing was measured")


def waits_agree(trace, metrics, what):
    """Time that vCPUs waited for mmu_lock, in % of what was measured."""
    vcpus = {t for t, n in trace.names.items() if "vCPU" in n}
    whole = sum(e - b for t in vcpus for b, e in trace.windows[t])
    waited = sum(e - b for t, n, b, e, _ in trace.spans
                 if t in vcpus and n == "mmu_lock" and trace.measured(t, e))
    share = float(waited / whole * 100)
    check(waited > 0 and abs(share - metrics["time.mmu_lock"]) < 1e-6,
          f"{what}: {share} % in mmu_lock, {metrics['time.mmu_lock']}")


def plain_run(config, index, more=()):
    done = run("run", config, "--one", f"{index}:0", *more)
    return json.loads(done.stdout)


def cells_of(config, more=()):
    text = run("run", config, "--dry-run", *more).stdout.decode()
    return [dict(f.split(" ", 1) for f in line.split(", "))
            for line in text.splitlines() if line.startswith("workload ")]


def check_cell(config, index, axes, more=()):
    what = " ".join(axes.values())
    done = run(*chosen(config, axes, more))
    check(done.returncode == 0, f"{what}: {done.stderr.decode()}")
    trace = Trace(done.stdout)
    check(not trace.wrong, f"{what}: {trace.wrong[:3]}")
    plain = plain_run(config, index, more)
    metrics = trace.facts["metrics"]
    same = {k: float(v) for k, v in metrics.items()} == find(plain, "metrics")
    check(same, f"{what}: the metrics are not those of tdmem run")
    agrees(trace, find(plain, "metrics"), what)
    return trace, find(plain, "metrics")


def find(document, key):
    if key in document:
        return document[key]
    return next(v[key] for v in document.values()
                if isinstance(v, dict) and key in v)


few = ["--set", "axes.vcpus=[4]"]
kinds = set()
for number, cell in enumerate(cells_of(ALL, few)):
    # Each workload with one policy, and so that each policy is there.
    if cell["workload"] in kinds or number % 7 != len(kinds) % 7:
        continue
    kinds.add(cell["workload"])
    check_cell(ALL, number, cell, few)
check(len(kinds) >= 8, f"only {kinds}")

AXES = {"workload": "block-remove", "policy": "kick-once", "vcpus": "8"}
at = cells_of(QUICK).index(AXES)
trace, metrics = check_cell(QUICK, at, AXES)
check(metrics["kicks.ipis"] > 0 and metrics["calls.busy"] > 0,
      "the cell shows no kicks or no BUSY")
tries = sum(s[1] == "removal" and trace.measured(s[0], s[3])
            for s in trace.spans)
check(tries >= metrics["removal.count"] > 0, f"{tries} tries of removals")
# A vCPU that leaves for good need not take the last one.
kicked = sum(s[1] == "kicked" for s in trace.spans)
check(kicked >= len(trace.sent) - 8,
      f"{kicked} of {len(trace.sent)} kicks were taken")
busy = sum("OPERAND_BUSY" in c[2] for c in trace.calls)
check(trace.counters["BUSY"] == list(range(1, busy + 1)), "counter of BUSY")
CHURN = {"workload": "churn", "policy": "kick-once", "vcpus": "4"}
churn, metrics = check_cell(ALL, cells_of(ALL, few).index(CHURN), CHURN, few)
waits_agree(churn, metrics, "churn")
waiters = churn.counters["mmu_lock waiters"]
check(waiters and waiters[-1] == 0 and 1 < max(waiters) <= 8
      and all(abs(a - b) == 1 for a, b in zip([0] + waiters, waiters)),
      "counter of waiters")
check(sorted(trace.names.values())
      == sorted([f"vCPU {i}" for i in range(8)] + ["host thread 0"]),
      f"tracks: {trace.names}")
check("model output" in trace.title and trace.facts["model_output"] is True,
      "not marked as model output")

# On real CPUs strands come at the same time; runs differ, what holds does not.
done = run(*chosen(QUICK, {"workload": "track", "policy": "spin"},
                   ["--set", "backend=threads", "--set", "axes.vcpus=[2]"]))
real = Trace(done.stdout)
check(done.returncode == 0 and real.facts["status"] == "ok"
      and not real.wrong, f"threads: {done.stderr} {real.wrong[:2]}")
agrees(real, {k: float(v) for k, v in real.facts["metrics"].items()},
       "threads")

# --------------------------------------------------- the same bytes twice

first = run(*chosen(QUICK, AXES)).stdout
path = folder + "/t.json"
again = run("timeline", QUICK, "--cell", str(at), "-o", path)
check(again.returncode == 0 and again.stdout == b""
      and open(path, "rb").read() == first, "not the same bytes twice")
other = run(*chosen(QUICK, AXES, ["--repeat", "1"])).stdout
check(other and other != first, "another repeat is the same")

# ------------------------------------------------------------------- text

text = run(*chosen(QUICK, AXES, ["--format", "text"])).stdout.decode()
lines = text.splitlines()
check("model output" in lines[0], "text: no mark")
times = [Decimal(m[1]) for m in
         (re.match(r" *(\d+\.\d{3})  (vCPU|host)", l) for l in lines) if m]
check(len(times) > 1000 and times == sorted(times), "text: order of time")
check(sum(" -> TD" in l or " -> EPT" in l for l in lines)
      == len(trace.calls), "text: calls")
check(sum("OPERAND_BUSY" in l for l in lines) == busy, "text: BUSY")
check(sum(" kicks vCPU" in l for l in lines) == len(trace.sent), "text: kicks")
mail = run(*chosen(QUICK, AXES, ["--format", "mail"])).stdout.decode()
wide = [l for l in mail.splitlines() if len(l) > 75]
check(not wide and len(mail) > 10000, f"mail: {wide[:2]}")
check(re.sub(r"\s+", "", mail) == re.sub(r"\s+", "", text),
      "mail says something else than text")

# -------------------------------------------- ends that are not "ok"
late = chosen(QUICK, AXES, ["--set", "limits.max_ms=1"])
done = run(*late)
cut = Trace(done.stdout)
check(done.returncode == 0 and not cut.wrong
      and cut.facts["status"] == "timeout" and b"timeout" in done.stderr,
      f"time-out: {done.stderr} {cut.wrong[:2]}")
check(any(s[4] for s in cut.spans), "time-out: nothing was cut")
check(b"ended: timeout" in run(*late, "-f", "text").stdout, "text: time-out")
done = run(*chosen(QUICK, AXES, ["--set", "host.topology=pack:1 core:2 pu:1"]))
none = Trace(done.stdout)
check(done.returncode == 4 and none.facts["status"] == "unsupported"
      and not none.calls and not none.wrong, "unsupported")

# ------------------------------------------------------------- interrupted

LONG = chosen(ALL, {"workload": "churn", "policy": "spin", "vcpus": "64"},
              ["--set", "axes.vcpus=[64]", "--set", "limits.max_ms=10000000",
               "--set", 'workloads={"churn":{"rounds":10000}}'])


def size(path):
    return os.path.getsize(path) if os.path.exists(path) else 0


def interrupted(number, form, to_file):
    """Send a signal when a part of the events is there."""
    path = folder + "/long"
    part = path + (".tmp" if to_file else "")
    with open(os.devnull if to_file else path, "wb") as out:
        run = subprocess.Popen([tdmem, *LONG, "--format", form]
                               + (["-o", path] if to_file else []),
                               stdout=out, stderr=subprocess.PIPE)
        while run.poll() is None and size(part) < 1 << 20:
            time.sleep(0.01)
        run.send_signal(number)
        _, error = run.communicate(timeout=120)
    with open(path) as f:
        text = f.read()
    os.remove(path)
    check(run.returncode == 1 and b"interrupted" in error
          and error.count(b"\n") == 1, f"{form}: {run.returncode} {error}")
    check(not os.path.exists(path + ".tmp"), f"{form}: PATH.tmp is left")
    return text


for to_file in True, False:
    early = Trace(interrupted(signal.SIGINT, "json", to_file))
    check(not early.wrong and early.facts["status"] == "stopped"
          and any(s[4] for s in early.spans) and early.calls,
          f"interrupted: {early.wrong[:2]}")
check("ended: stopped\ninterrupted\n"
      in interrupted(signal.SIGTERM, "mail", True), "interrupted: mail")

# Names in configs are plain; files may be called anything.
evil = folder + "/a\"b\n\x1b[31m.json"
done = run("timeline", QUICK, "--cell", str(at), "-o", evil)
check(done.returncode == 0 and open(evil, "rb").read() == first,
      f"hostile name: {done.stderr}")
os.remove(evil)
done = run("timeline", evil, "--cell", "0")
check(done.returncode == 2 and b"\x1b" not in done.stderr
      and done.stderr.count(b"\n") == 1, f"hostile name: {done.stderr}")

# ------------------------------------------------------------------ errors

for arguments, status, said in (
        (["--cell", "vcpus=8"], 2, "12 of 84 cells"),
        (["--cell", "84"], 2, "0 of 84 cells"),
        (["--cell", "vcpu=8"], 2, 'did you mean "vcpus"'),
        (["--cell", "x\x1b"], 2, "expected a cell's number"),
        ([], 2, "84 of 84 cells"),
        (["--cell", "1", "--format", "jsn"], 2, "json"),
        (["--cell", "1", "--repeat", "10"], 2, "at most 10"),
        (["--cell", "1", "-o", folder], 1, "cannot be written")):
    done = run("timeline", QUICK, *arguments)
    error = done.stderr.decode()
    check(done.returncode == status and said in error
          and error.count("\n") == 1 and "\x1b" not in error,
          f"{arguments}: {done.returncode} {error}")
check(os.listdir(folder) == ["t.json"], f"left over: {os.listdir(folder)}")
with open("/dev/full", "wb") as full:
    done = subprocess.run([tdmem, "timeline", QUICK, "--cell", "1"],
                          stdout=full, stderr=subprocess.PIPE)
check(done.returncode == 1, "a full disk is not told")

# ---------------------------------------------------------- static probes

PROBES = ("call__enter", "call__exit", "kick__sent", "span__begin",
          "span__end", "measure")


def probe_hits():
    """How often each was met in a run, and the metrics of that run."""
    script = [f"break -probe-stap tdmem:{p}" for p in PROBES]
    script += [f"ignore {i + 1} 100000000" for i in range(len(PROBES))]
    path = folder + "/probes"
    script += ["run", "info breakpoints"]
    done = gdb(script, [tdmem, "run", QUICK, "--one", "1:0",
                        "--set", "backend=threads",
                        "--set", 'workloads=["track"]',
                        "--set", "axes.vcpus=[2]",
                        "--set", "limits.livelock_ms=60000"], path)
    with open(path) as f:
        metrics = re.search(r'^{"cell".*', f.read(), re.M)
    hits = {p: 0 for p in PROBES}
    for probe, n in re.findall(r"-probe-stap tdmem:(\w+)\n.*already hit (\d+)",
                               done.stdout):
        hits[probe] = int(n)
    return hits, metrics and find(json.loads(metrics[0]), "metrics"), done


def why_no_probes():
    if b"call__exit" not in open(tdmem, "rb").read():
        return "the program was built without sys/sdt.h"
    return why_no_gdb()


reason = why_no_probes()
if reason:
    skip("static probes: " + reason)
else:
    hits, metrics, done = probe_hits()
    check(metrics and hits["call__enter"] == hits["call__exit"]
          >= metrics["calls.total"] > 0
          and hits["kick__sent"] >= metrics["kicks.ipis"] > 0
          and hits["span__begin"] == hits["span__end"] > 0
          and hits["measure"] > 0,
          f"probes: {hits} {metrics} {done.stderr[-300:]}")

finish()
