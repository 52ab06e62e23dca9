# SPDX-License-Identifier: GPL-2.0-only
"""
Does Chrome's trace viewer understand what tdmem timeline writes?

Usage: viewer.py (TRACE PAGE)...  PAGE is the viewer with that trace in it, as
trace2html of catapult makes it.  What the viewer's model has is compared with
what is in the file.
"""

import collections
import json
import sys
import time

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from checks import check, finish
from trace_events import Trace

MODEL = """
const view = document.querySelector("tr-ui-timeline-view");
if (!view || !view.model)
    return null;
const m = view.model, threads = {}, counters = {};
for (const t of m.getAllThreads()) {
    const names = {}, spent = {};
    for (const s of t.sliceGroup.slices) {
        names[s.title] = (names[s.title] || 0) + 1;
        spent[s.title] = (spent[s.title] || 0) + s.duration;
    }
    threads[t.name] = { names, spent, at: t.sortIndex };
}
for (const p of m.getAllProcesses())
    for (const c of Object.values(p.counters))
        counters[c.name] = c.series.map(s => s.samples.map(x => x.value));
return { threads, counters, flows: m.flowEvents.map(
             f => [f.startSlice.title, f.endSlice.title, f.start, f.duration]),
         processes: m.getAllProcesses().map(p => p.name),
         warnings: m.importWarnings.map(w => w.type + ": " + w.message) };
"""


def browser():
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for word in ("--headless=new", "--no-sandbox", "--disable-gpu",
                 "--disable-dev-shm-usage", "--disable-background-networking"):
        options.add_argument(word)
    return webdriver.Chrome(service=Service("/usr/bin/chromedriver"),
                            options=options)


def model_of(b, page):
    b.get("file://" + page)
    for _ in range(600):
        model = b.execute_script(MODEL)
        if model:
            return model
        time.sleep(0.1)
    return None


def of_file(path):
    """Slices of each track: how often, how long; instants are slices."""
    with open(path) as f:
        text = f.read()
    trace = Trace(text)
    names = collections.defaultdict(collections.Counter)
    spent = collections.defaultdict(collections.Counter)
    slices = [(tid, name, begin, end) for tid, name, _, begin, end
              in trace.calls]
    slices += [s[:4] for s in trace.spans]
    for tid, name, begin, end in slices:
        names[trace.names[tid]][name] += 1
        spent[trace.names[tid]][name] += (end - begin) / 1000
    for e in json.loads(text)["traceEvents"]:
        if e["ph"] == "i":
            names[trace.names[e["tid"]]][e["name"]] += 1
    return trace, names, spent


def compare(trace_file, model):
    trace, names, spent = of_file(trace_file)
    check(not trace.wrong, "the file is wrong", trace.wrong)
    check(not model["warnings"], "warnings", model["warnings"])
    check(model["processes"] == [trace.title], "the title",
          model["processes"])
    threads = model["threads"]
    order = sorted(threads, key=lambda name: threads[name]["at"])
    # It does not show tracks that have nothing.
    check(order == [trace.names[t] for t in sorted(trace.names)
                    if names[trace.names[t]]] and len(order) > 1,
          "the tracks and their order", order)
    for name in order:
        check(threads[name]["names"] == names[name],
              name + ": slices", f"{threads[name]['names']} {names[name]}")
        check(all(abs(ms - float(spent[name][slice_name])) < 1e-4
                  for slice_name, ms in threads[name]["spent"].items()),
              name + ": durations", f"{threads[name]['spent']}")
    check(len(model["flows"]) == len(trace.sent),
          "arrows", f"{len(model['flows'])} of {len(trace.sent)}")
    check(all(end in ("kicked", "kick not taken") and span >= 0
              for _, end, _, span in model["flows"]),
          "arrows lead to kicks that are taken", model["flows"][:3])
    for name, values in trace.counters.items():
        check(model["counters"].get(name) == [values], "counter " + name)


b = browser()
for trace_file, page in zip(sys.argv[1::2], sys.argv[2::2]):
    found = model_of(b, page)
    check(found, page + " has no model")
    if found:
        compare(trace_file, found)
b.quit()
finish()
