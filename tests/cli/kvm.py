# SPDX-License-Identifier: GPL-2.0-only
"""Checks of the backend kvm in the rig.  Usage: kvm.py PROGRAM ROOT DIR"""

import json
import os
import re
import subprocess
import sys

import jsonschema

from checks import check, finish, skip

tdmem, root, folder = sys.argv[1:]
COSTS = root + "/configs/costs/spr.json"
SCHEMA = json.load(open(root + "/results/tdmem-result-1.schema.json"))
MEMORIES = ["anonymous", "guest-memfd", "private"]
PAGES = {"fault-in": 512, "block-remove": 128, "convert": 32, "reclaim": 64,
         "prefault": 96}
ROUNDS = 2
WAYS = {"anonymous": ["slot"], "guest-memfd": ["slot"],
        "private": ["slot", "attributes"]}


def config(name, workloads, memory="anonymous", max_ms=20000, vcpus=(1, 2)):
    return {
        "schema": "tdmem-config/1", "name": name, "backend": "kvm",
        "workloads": workloads, "axes": {"vcpus": list(vcpus)},
        "repeat": {"count": 1}, "limits": {"max_ms": max_ms},
        "host": {"costs": "spr.json", "memory": memory},
    }


def matrix(memory):
    return config(memory, {
        "fault-in": {"pages": PAGES["fault-in"], "stuck_percent": 0},
        "block-remove": {"pages": PAGES["block-remove"], "piece": 1},
        "convert": {"pages": PAGES["convert"], "rounds": ROUNDS},
        "reclaim": {"pages": PAGES["reclaim"]},
        "prefault": {"pages": PAGES["prefault"]},
        "accept": {},
    }, memory)


# Pages are removed under vCPUs that touch just these.
def contest(memory):
    return config("contest-" + memory, {"block-remove": {
        "pages": PAGES["block-remove"], "piece": 4, "others": "faulting",
        "where": "same"}}, memory)


# The other ways to take pages out of the guest.
def other_way(memory, by):
    return config(f"{by}-{memory}", {"block-remove": {
        "pages": PAGES["block-remove"], "piece": 1, "by": by}}, memory)


# Maps more pages, before it says anything, than it is given time for.
SLOW = config("slow", {"block-remove": {"pages": 1000000}}, max_ms=500,
              vcpus=[1])

SCRIPT = """#!/bin/sh
for name in {names}; do
    ./tdmem run $name.json -o $name.out >$name.log 2>&1
    echo "@$name $?"
    cat $name.out || cat $name.log
done
rm /dev/kvm
./tdmem run anonymous.json -o none.out >none.log 2>&1
echo "@none $?"
cat none.log
"""


def boot(kernel, configs):
    """What was printed, by name: its status and its text; or None."""
    files = [tdmem, COSTS]
    for c in configs:
        files.append(f"{folder}/{c['name']}.json")
        json.dump(c, open(files[-1], "w"))
    script = folder + "/do"
    names = " ".join(c["name"] for c in configs)
    with open(script, "w") as f:
        f.write(SCRIPT.format(names=names))
    os.chmod(script, 0o755)
    done = subprocess.run(
        ["sh", root + "/tests/rig/run.sh", script], timeout=600,
        capture_output=True, text=True, errors="replace", env=dict(
            os.environ, TDMEM_RIG_FILES=" ".join(files),
            TDMEM_RIG_SECONDS="180", TDMEM_RIG_KERNEL=kernel))
    if done.returncode == 125 and "QEMU ended" not in done.stderr:
        why = [s for s in done.stderr.splitlines() if s.startswith("rig:")]
        skip(why[-1] if why else "no rig")
        return None
    check(done.returncode == 0, "the rig ends", done.stderr)
    parts = re.split(r"^@(\S+) (\d+)\n", done.stdout, flags=re.M)[1:]
    return {name: (int(status), text) for name, status, text in
            zip(parts[::3], parts[1::3], parts[2::3])}


def result(parts, name):
    """The cells of a result by workload and vCPUs."""
    status, text = parts.get(name, (-1, ""))
    check(status == 0, f"{name}: status 0, not {status}", text)
    try:
        doc = json.loads(text)
        jsonschema.validate(doc, SCHEMA)
    except (ValueError, jsonschema.ValidationError) as error:
        check(False, f"{name}: a result that keeps to its schema", error)
        return {}
    check(not any(w["modelled"] for w in doc["workloads"].values()),
          f"{name}: is not marked as model output")
    if name in MEMORIES:
        check(doc["environment"]["kvm"]["memory"] == name,
              f"{name}: the result says which memory")
    return {(c["axes"]["workload"], c["axes"]["vcpus"]): c
            for c in doc["cells"]}


def metrics(cell):
    return cell["repeats"][0]["metrics"]


# What KVM counted is what the guest counted; all was fresh, and all holds.
def fault_in(m, vcpus, pages, memory):
    n = pages * vcpus
    yield "each page is counted once", m["fault.count"] == n
    yield "KVM fixed as many faults", m["kvm.pf_fixed"] == n
    yield "KVM took as many, and those begun again", m["kvm.pf_taken"] == \
        n + m["kvm.pf_spurious"] + m["kvm.pf_retried"]
    yield "each page was zero", m["check.fresh"] == m["check.touches"] == n
    yield "each page holds", (m["check.pages"], m["check.zero"]) == (n, 0)


def block_remove(m, vcpus, pages, memory):
    yield "each page is removed", m["removal.count"] == pages
    yield "each page is zero again", \
        m["check.pages"] == m["check.zero"] == pages
    yield "KVM flushed for each", \
        m["kvm.remote_tlb_flush_requests"] >= pages


def convert(m, vcpus, pages, memory):
    n = pages * vcpus * ROUNDS
    yield "each conversion is counted", m["convert.count"] == 2 * n
    yield "each page is faulted in again", m["fault.count"] == n
    yield "KVM fixed as many faults", m["kvm.pf_fixed"] == n
    yield "a converted page is fresh", m["check.fresh"] == \
        m["check.touches"] == n + pages * vcpus


def reclaim(m, vcpus, pages, memory):
    yield "one VM is torn down", m["teardown.count"] == 1
    yield "its pages held", m["check.pages"] == pages * vcpus


# The guest touches them when it is over, and finds them there; of anonymous
# memory KVM has mapped the page of zeros, since a pre-fault is a read.
def prefault(m, vcpus, pages, memory):
    yield "each page is given", m["prefault.count"] == pages
    yield "no fault of a vCPU mapped any", \
        memory == "anonymous" or m["kvm.pf_fixed"] == 0
    yield "each page was zero and holds", \
        m["check.fresh"] == m["check.pages"] == pages


WORKLOADS = {"fault-in": fault_in, "block-remove": block_remove,
             "convert": convert, "reclaim": reclaim, "prefault": prefault}


def check_ok(cell, rows, what):
    ok = cell["status"] == "ok"
    check(ok, f"{what}: ok, not {cell['status']}", cell["reason"])
    for name, good in rows(metrics(cell)) if ok else ():
        check(good, f"{what}: {name}", metrics(cell))


def check_refused(cell, reason, what):
    check(cell["status"] == "unsupported" and reason in cell["reason"],
          f"{what}: unsupported: {reason}", cell)


def check_matrix(cells, memory):
    for (workload, vcpus), cell in cells.items():
        what = f"{memory}, {workload}, {vcpus} vCPUs"
        if workload == "accept":
            check_refused(cell, "pages to accept", what)
        elif workload == "convert" and memory != "private":
            check_refused(cell, 'host.memory is not "private"', what)
        else:
            check_ok(cell, lambda m: WORKLOADS[workload](
                m, vcpus, PAGES[workload], memory), what)


# Whatever is first, no page has anything but zeros or what belongs there.
def check_contest(cells, memory):
    for (_, vcpus), cell in cells.items():
        check_ok(cell, lambda m: [
            ("all is removed", m["removal.count"] == PAGES["block-remove"]),
            ("all was looked at", m["check.pages"] == PAGES["block-remove"]),
        ], f"contest, {memory}, {vcpus} vCPUs")


# A memslot that is made again has the same pages.  In an ordinary VM KVM
# forgets all it has mapped with it, the agent's own pages too.
def check_way(cells, memory, by):
    n = PAGES["block-remove"]
    for (_, vcpus), cell in cells.items():
        check_ok(cell, lambda m: [
            ("all is removed", m["removal.count"] == n),
            ("KVM unmapped them", m["kvm.pf_fixed"] > 0 or
             m["kvm.remote_tlb_flush_requests"] >= n),
            ("each page is as it must be", (m["check.pages"],
             m["check.zero"]) == (n, 0 if by == "slot" else n)),
        ], f"by {by}, {memory}, {vcpus} vCPUs")


def lacks(cells, capability):
    """Is that the reason why no cell ran?"""
    return all(c["status"] == "unsupported" and capability in c["reason"]
               for c in cells.values() if c["axes"]["workload"] == "fault-in")


def check_memory(parts, memory, needed):
    """True: the kernel of the rig has that memory."""
    cells = result(parts, memory)
    if needed and lacks(cells, needed):
        return False
    check_matrix(cells, memory)
    check_contest(result(parts, "contest-" + memory), memory)
    for by in WAYS[memory]:
        check_way(result(parts, f"{by}-{memory}"), memory, by)
    return True


def distribution():
    parts = boot("", [matrix(m) for m in MEMORIES] +
                 [contest(m) for m in MEMORIES[:2]] +
                 [other_way(m, by) for m in MEMORIES[:2] for by in WAYS[m]] +
                 [SLOW])
    if parts is None:
        return
    check_memory(parts, "anonymous", None)
    if not check_memory(parts, "guest-memfd", "KVM_CAP_GUEST_MEMFD"):
        skip("the rig's kernel has no guest_memfd that the host maps")
    cells = result(parts, "private")
    check(lacks(cells, "KVM_CAP_VM_TYPES is 0x1"),
          "private: the capability and its value are the reason", cells)
    check([c["status"] for c in result(parts, "slow").values()] ==
          ["timeout"], "a guest that does not end: timeout")
    status, text = parts.get("none", (-1, ""))
    check(status == 4, "without /dev/kvm: exit status 4", text)
    check("cannot run here: no /dev/kvm" in text,
          "without /dev/kvm: what is missing", text)


def software_protected():
    kernel = os.environ.get("TDMEM_RIG_KERNEL")
    if not kernel:
        skip("private memory: TDMEM_RIG_KERNEL names no kernel with "
             "CONFIG_KVM_SW_PROTECTED_VM")
        return
    parts = boot(kernel, [matrix("private"), contest("private")] +
                 [other_way("private", by) for by in WAYS["private"]])
    if parts and not check_memory(parts, "private", "KVM_CAP_VM_TYPES"):
        skip(f"private memory: {kernel} has none")


distribution()
software_protected()
finish()
