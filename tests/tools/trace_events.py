# SPDX-License-Identifier: GPL-2.0-only
"""The trace event format, read as strictly as can be."""

import collections
import json
from decimal import Decimal

PHASES = {
    "M": {"name", "pid", "tid", "args"},
    "B": {"name", "cat", "pid", "tid", "ts"},
    "E": {"name", "cat", "pid", "tid", "ts"},
    "i": {"name", "cat", "pid", "tid", "ts", "s"},
    "C": {"name", "pid", "tid", "ts", "args"},
    "s": {"name", "cat", "pid", "tid", "ts", "id"},
    "f": {"name", "cat", "pid", "tid", "ts", "id", "bp"},
}


def field_errors(e):
    if e.get("ph") not in PHASES:
        return f"phase of {e}"
    missing = PHASES[e["ph"]] - e.keys()
    unknown = e.keys() - PHASES[e["ph"]] - {"ph", "args"}
    if missing or unknown:
        return f"fields of {e}"
    if e["ph"] == "C" and not all(isinstance(v, int) and v >= 0
                                  for v in e["args"].values()):
        return f"values of {e}"
    if "ts" in e and not (isinstance(e["ts"], Decimal) and e["ts"] >= 0):
        return f"time of {e}"
    return None


class Trace:
    """What a reader of the format understands; self.wrong: what is not so."""

    def __init__(self, text):
        self.wrong = []
        self.calls = []      # (tid, name, status, begin, end)
        self.spans = []      # (tid, name, begin, end, cut)
        self.windows = collections.defaultdict(list)  # tid -> [begin, end]
        self.sent, self.taken = {}, {}
        self.counters = collections.defaultdict(list)
        self.names = {}
        document = json.loads(text, parse_float=Decimal)
        self.facts = document["otherData"]
        self.stack = collections.defaultdict(list)
        self.last = None
        self.title = ""
        for e in document["traceEvents"]:
            error = field_errors(e)
            if error:
                self.wrong.append(error)
                continue
            self.take(e)
        for tid, stack in self.stack.items():
            if stack:
                self.wrong.append(f"track {tid}: {stack} not ended")
        if self.sent.keys() != self.taken.keys():
            self.wrong.append("arrows without an end or a begin")
        for number, (at, _) in self.sent.items():
            if self.taken.get(number, at) < at:
                self.wrong.append(f"arrow {number} goes back in time")

    def take(self, e):
        ph, tid = e["ph"], e["tid"]
        if ph == "M":
            if e["name"] == "thread_name":
                self.names[tid] = e["args"]["name"]
            if e["name"] == "process_name":
                self.title = e["args"]["name"]
            return
        if self.last is not None and e["ts"] < self.last:
            self.wrong.append(f"back in time: {e}")
        self.last = e["ts"]
        if ph != "C" and tid not in self.names:
            self.wrong.append(f"a track without a name: {e}")
        getattr(self, "take_" + ph)(e, tid)

    def take_B(self, e, tid):
        self.stack[tid].append((e["name"], e["ts"]))

    def take_E(self, e, tid):
        if not self.stack[tid]:
            self.wrong.append(f"an end without a begin: {e}")
            return
        name, begin = self.stack[tid].pop()
        if name != e["name"]:
            self.wrong.append(f"{name} is ended by {e}")
        cut = e.get("args", {}).get("cut", False)
        if e["cat"] == "call" and not cut:
            self.calls.append((tid, name, e["args"]["status"], begin, e["ts"]))
        else:
            self.spans.append((tid, name, begin, e["ts"], cut))

    def take_i(self, e, tid):
        if e["name"] == "measure begins":
            self.windows[tid].append([e["ts"], None])
        if e["name"] == "measure ends":
            self.windows[tid][-1][1] = e["ts"]

    def take_C(self, e, _):
        self.counters[e["name"]].extend(e["args"].values())

    def take_s(self, e, tid):
        if not self.stack[tid]:
            self.wrong.append(f"an arrow from no slice: {e}")
        if e["id"] in self.sent:
            self.wrong.append(f"an arrow twice: {e}")
        self.sent[e["id"]] = (e["ts"], tid)

    def take_f(self, e, tid):
        if not self.stack[tid] or e["bp"] != "e":
            self.wrong.append(f"an arrow to no slice: {e}")
        self.taken[e["id"]] = e["ts"]

    def measured(self, tid, at):
        return any(b <= at and (e is None or at <= e)
                   for b, e in self.windows[tid])
