# SPDX-License-Identifier: GPL-2.0-only
"""
The dashboard in a real browser.  FOLDER has the histories of history.py and
their pages: plain, hostile, large; each with pages/ beside the results.
Prints "ok NAME" or "not ok NAME: why" for each test.
"""

import json
import os
import re
import statistics
import sys
import time
import traceback

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

import history

FOLDER = sys.argv[1]
WIDTHS = (375, 640, 1600)


def make_browser():
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for word in ("--headless=new", "--no-sandbox", "--disable-gpu",
                 "--disable-dev-shm-usage", "--hide-scrollbars",
                 "--disable-background-networking"):
        options.add_argument(word)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(service=Service("/usr/bin/chromedriver"),
                            options=options)


b = make_browser()


def js(text, *args):
    return b.execute_script(text, *args)


def size(width, height=1000):
    b.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", dict(
        width=width, height=height, deviceScaleFactor=1, mobile=width < 500))


def scheme(name):
    b.execute_cdp_cmd("Emulation.setEmulatedMedia", dict(features=[
        dict(name="prefers-color-scheme", value=name)]))


def wait(condition, what):
    """What the page does later is waited for, not timed."""
    for _ in range(300):
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError("never: " + what)


def open_page(history_name, page, ready="h2, .chart"):
    # An address that differs behind the # only would not load again.
    b.get("about:blank")
    b.get("file://%s/%s/pages/%s" % (FOLDER, history_name, page))
    wait(lambda: js("return document.querySelector(arguments[0]) !== null",
                    ready), page + " shows " + ready)


def open_workload(history_name, workload, more=""):
    open_page(history_name, "workload.html#workload=" + workload + more,
              ".chart canvas")


def text(selector):
    return js("return document.querySelector(arguments[0]).textContent",
              selector)


def no_errors():
    log = b.get_log("browser")
    assert not log, log


def results(name):
    folder = os.path.join(FOLDER, name)
    found = []
    for file in sorted(os.listdir(folder)):
        if file.endswith(".json") and file.startswith("night"):
            with open(os.path.join(folder, file)) as f:
                found.append(json.load(f))
    return found


def median(result, workload, policy, metric):
    cell, = [c for c in result["cells"]
             if c["axes"]["workload"] == workload and
             c["axes"]["policy"] == policy]
    return statistics.median(r["metrics"][metric] for r in cell["repeats"])


# ------------------------------------------------------------------ charts

PIXELS = """
const want = arguments[0] && getComputedStyle(document.documentElement)
    .getPropertyValue(arguments[0]).trim();
const rgb = want && [1, 3, 5].map(i => parseInt(want.slice(i, i + 2), 16));
let n = 0;
for (const canvas of document.querySelector(".chart")
        .querySelectorAll("canvas")) {
    // A copy is read: reading the canvas itself would change how it works.
    const copy = document.createElement("canvas");
    copy.width = canvas.width;
    copy.height = canvas.height;
    const ctx = copy.getContext("2d", { willReadFrequently: true });
    ctx.drawImage(canvas, 0, 0);
    const d = ctx.getImageData(0, 0, copy.width, copy.height).data;
    for (let i = 0; i < d.length; i += 4)
        if (d[i + 3] > 200 && (!rgb || rgb.every((v, k) =>
                Math.abs(v - d[i + k]) < 12)))
            n++;
}
return n;
"""


def pixels(variable=None):
    return js(PIXELS, variable)


def readout():
    return text(".readout")


def values():
    return [float(x.split()[0]) for x in js(
        "return Array.from(document.querySelector('.readout')"
        ".querySelectorAll('.value')).map(x => x.textContent)") if x]


# ------------------------------------------------------------------- tests

def test_overview():
    open_page("plain", "index.html")
    assert text("#title") == "tdmem history"
    assert js("return document.querySelectorAll('#grid .spark').length") == 4
    labels = js("return Array.from(document.querySelectorAll('.spark'))"
                ".map(x => x.getAttribute('aria-label'))")
    assert all("over the last 16 runs" in x for x in labels), labels
    shown = text("#changes")
    assert "Regressed (0)" not in shown and "\u25bc" in shown, shown
    assert "Model output, not a measurement" in text("#model")
    assert js("return document.querySelectorAll('#runs tbody tr').length") \
        == 15
    no_errors()


def test_all_runs_when_asked():
    open_page("plain", "index.html")
    b.find_element(By.CSS_SELECTOR, "#runs button").click()
    assert js("return document.querySelectorAll('#runs tbody tr').length") \
        == 16


def test_a_change_leads_to_its_chart():
    open_page("plain", "index.html")
    js("document.querySelector('#changes details').open = true")
    wait(lambda: js("return document.querySelector('#changes td a') !== null"),
         "the changes of an event")
    js("document.querySelector('#changes td a').click()")
    wait(lambda: js("return document.querySelector('.chart canvas') !== null"),
         "a chart")
    wait(lambda: pixels("--worse") > 20, "the mark of the change")
    no_errors()


def test_charts_are_drawn():
    open_workload("plain", "fault-in")
    assert js("return document.querySelectorAll('.chart').length") == 1
    wait(lambda: pixels() > 1000, "something drawn")
    for line in ("--line-0", "--line-1", "--worse"):
        assert pixels(line) > 20, line
    no_errors()


def test_a_toggle_hides_a_series():
    open_workload("plain", "fault-in")
    wait(lambda: pixels("--line-1") > 20, "both lines")
    before = len(values())
    b.find_elements(By.CSS_SELECTOR, ".toggles input")[1].click()
    wait(lambda: pixels("--line-1") == 0, "one line is gone")
    assert pixels("--line-0") > 20
    assert len(values()) == before - 1
    b.find_elements(By.CSS_SELECTOR, ".toggles input")[1].click()
    wait(lambda: pixels("--line-1") > 20, "it is back")
    no_errors()


def hover(share):
    chart = b.find_element(By.CSS_SELECTOR, ".chart")
    js("arguments[0].scrollIntoView({block: 'center'})", chart)
    width = chart.rect["width"]
    ActionChains(b).move_to_element_with_offset(
        chart, int((share - 0.5) * width), 0).perform()


def check_point(i, r):
    shown = readout()
    assert r["environment"]["time"][:10] in shown, shown
    assert r["environment"]["tags"]["commit"] in shown, shown
    kernel = " ".join(r["environment"]["kernel"].split()[:2])
    assert kernel in shown, shown
    want = [median(r, "fault-in", p, "fault.rate")
            for p in ("spin", "eagain")]
    got = values()
    assert len(got) == 2, shown
    for a, w in zip(got, want):
        assert abs(a / w - 1) < 1e-5, (i, got, want)


def shown_night():
    return js("return document.querySelector('.readout strong').textContent")


def test_hover_shows_the_values_of_the_result():
    nights = results("plain")
    open_workload("plain", "fault-in")
    seen = set()
    for share in (0.2, 0.5, 0.8, 0.95):
        before = shown_night()
        hover(share)
        wait(lambda: shown_night() != before, "another point")
        i, = [i for i, r in enumerate(nights)
              if r["environment"]["time"][:10] in readout()]
        if i not in (3, 4):
            check_point(i, nights[i])
        seen.add(i)
    assert len(seen) == 4, seen
    link = js("return Array.from(document.querySelectorAll('.readout a'))"
              ".map(a => decodeURIComponent(a.href)).pop()")
    assert link.endswith("/plain/night %04d.json" % i), link
    assert os.path.exists(link.replace("file://", "")), link
    no_errors()


def test_keys_move_the_point():
    nights = results("plain")
    open_workload("plain", "fault-in")
    chart = b.find_element(By.CSS_SELECTOR, ".chart")
    js("arguments[0].focus()", chart)
    for key, i in ((Keys.HOME, 0), (Keys.ARROW_RIGHT, 1), (Keys.END, 15),
                   (Keys.ARROW_LEFT, 14), (Keys.PAGE_UP, 4),
                   (Keys.ARROW_LEFT, 3), (Keys.PAGE_DOWN, 13)):
        chart.send_keys(key)
        assert nights[i]["environment"]["time"][:10] in readout(), (i,
                                                                    readout())
        if i not in (3, 4):
            check_point(i, nights[i])
    no_errors()


def axis():
    return js("return Array.from(document.querySelectorAll("
              "'.chart .dygraph-axis-label-x')).map(x => x.textContent)")


def test_zoom():
    open_workload("plain", "fault-in")
    all_labels = axis()
    chart = b.find_element(By.CSS_SELECTOR, ".chart")
    chart.send_keys("+")
    chart.send_keys("+")
    near = axis()
    assert near != all_labels and near, (near, all_labels)
    chart.send_keys(Keys.ESCAPE)
    assert axis() == all_labels
    js("arguments[0].scrollIntoView({block: 'center'})", chart)
    ActionChains(b).move_to_element_with_offset(chart, 0, 0) \
        .click_and_hold().move_by_offset(150, 0).release().perform()
    wait(lambda: axis() != all_labels, "a dragged zoom")
    b.find_elements(By.CSS_SELECTOR, ".cell button")[2].click()
    assert axis() == all_labels
    no_errors()


def test_bad_ends_are_gaps_with_marks():
    open_workload("plain", "fault-in")
    chart = b.find_element(By.CSS_SELECTOR, ".chart")
    chart.send_keys(Keys.HOME)
    for _ in range(3):
        chart.send_keys(Keys.ARROW_RIGHT)
    shown = readout()
    assert "livelock" in shown and len(values()) == 1, shown
    assert 0 not in values()
    # A zero that is drawn would stretch the axis down to it.
    heights = js("return Array.from(document.querySelectorAll("
                 "'.chart .dygraph-axis-label-y')).map(x => x.textContent)")
    assert heights and not any(x.startswith(("0", "-")) for x in heights), \
        heights
    js("Array.from(document.querySelectorAll('.cell details')).pop()"
       ".open = true")
    rows = wait(lambda: js(
        "return Array.from(document.querySelectorAll('.cell tbody tr'))"
        ".map(r => Array.from(r.cells).map(c => c.textContent))"), "a table")
    assert len(rows) == 16
    assert [r[3] for r in rows].count("livelock") == 2, rows
    assert all(float(r[4]) > 0 for r in rows)
    no_errors()


def test_a_run():
    nights = results("plain")
    open_page("plain", "run.html#run=night-0008")
    rows = js("return Array.from(document.querySelectorAll("
              "'#difference tbody tr')).map(r => Array.from(r.cells)"
              ".map(c => c.textContent))")
    sizes = [abs(float(re.sub("[^0-9.]", "", r[0])))
             for r in rows if "%" in r[0]]
    assert sizes == sorted(sizes, reverse=True) and sizes[0] > 9, sizes
    row, = [r for r in rows if r[1] == "fault-in" and r[3] == "spin" and
            r[4] == "fault.rate"]
    want = median(nights[8], "fault-in", "spin", "fault.rate") / \
        median(nights[7], "fault-in", "spin", "fault.rate") - 1
    assert row[0] == "\u25bc \u2212%.1f\u202f%%" % -(100 * want), (row, want)
    environment = text("#environment")
    assert nights[8]["environment"]["kernel"] in environment
    assert "tags.commit" in environment
    assert "Model output" in text("#model")
    open_page("plain", "run.html#run=night-0003")
    assert "livelock" in text("#difference")
    first = js("return document.querySelector('#difference tbody tr')"
               ".textContent")
    assert "livelock" in first, first
    open_page("plain", "run.html#run=night-0000")
    assert "nothing to compare with" in text("#difference")
    no_errors()


def focus_of():
    return js("""
const a = document.activeElement, s = getComputedStyle(a);
if (!window.seen)
    window.seen = new Set();
const again = window.seen.has(a);
window.seen.add(a);
return [again || a === document.body, s.outlineStyle !== "none" &&
    parseFloat(s.outlineWidth) > 0, a.outerHTML.slice(0, 100)];""")


MISSED = """
const all = document.querySelectorAll("a[href], button, select, input, " +
    "summary, [tabindex='0']");
return Array.from(all).filter(e => !window.seen.has(e) && e.checkVisibility())
    .map(e => e.outerHTML.slice(0, 100));"""


def walk_by_keyboard(name):
    for _ in range(500):
        ActionChains(b).send_keys(Keys.TAB).perform()
        again, outlined, what = focus_of()
        if again:
            break
        assert outlined, (name, "no focus to be seen", what)
    missed = js(MISSED)
    assert not missed, (name, missed)


PAGES = (("index.html", "h2"), ("workload.html#workload=fault-in", "canvas"),
         ("run.html#run=night-0008", "h2"))


def test_keyboard_reaches_everything():
    for page, ready in PAGES:
        open_page("plain", page, ready)
        js("document.querySelectorAll('details').forEach(d => d.open = true)")
        time.sleep(0.3)
        walk_by_keyboard(page)
    no_errors()


def test_names_and_gists():
    for page, ready in PAGES:
        open_page("plain", page, ready)
        nameless = js("""
return Array.from(document.querySelectorAll("a, button, select, input, svg, " +
    "[role=application]")).filter(e => e.checkVisibility() &&
    !(e.textContent.trim() ||
    e.getAttribute("aria-label") || e.getAttribute("aria-hidden") ||
    e.closest("label"))).map(e => e.outerHTML)""")
        assert not nameless, nameless
    open_workload("plain", "fault-in")
    gist = js("return document.querySelector('.chart')"
              ".getAttribute('aria-label')")
    for word in ("fault.rate", "16 runs", "spin", "eagain", "2 runs not ok",
                 "changes"):
        assert word in gist, (word, gist)


def test_hostile_texts_are_texts():
    for page, ready in PAGES:
        page = page.replace("0008", "0005")
        open_page("hostile", page, ready)
        js("document.querySelectorAll('details').forEach(d => d.open = true)")
        time.sleep(0.3)
        assert js("return window.pwned === undefined && "
                  "({}).polluted === undefined")
        assert js("return document.querySelectorAll('img, b, main script, "
                  "svg[onload], iframe').length") == 0
        raw = js("return document.body.textContent + document.title")
        assert not re.search("[\u2028\u202a-\u202e\u2066-\u2069]", raw)
        no_errors()
    open_workload("hostile", "fault-in")
    want = history.HOSTILE["policy"].replace("\u2028", "\\u2028")
    labels = js("return Array.from(document.querySelectorAll('.toggles bdi'))"
                ".map(x => x.textContent)")
    assert want in labels, labels
    assert "Linux \\u202e<img" in readout(), readout()
    open_page("hostile", "run.html#run=night-0005")
    shown = text("#environment")
    assert history.HOSTILE["commit"] in shown, shown
    assert "__proto__.polluted" in shown, shown
    no_errors()


def background():
    return js("return getComputedStyle(document.body).backgroundColor")


def test_dark_and_light():
    for page, ready in PAGES:
        scheme("light")
        open_page("plain", page, ready)
        js("localStorage.clear()")
        b.refresh()
        light = background()
        scheme("dark")
        wait(lambda: background() != light, "dark")
        scheme("light")
        wait(lambda: background() == light, "light")
        b.find_element(By.ID, "theme").click()
        assert background() != light
        b.refresh()
        assert background() != light, "the choice is kept"
        js("localStorage.clear()")
    open_workload("plain", "fault-in")
    old = wait(lambda: pixels("--line-0") > 20 and js(
        "return getComputedStyle(document.documentElement)"
        ".getPropertyValue('--line-0')"), "a line")
    b.find_element(By.ID, "theme").click()
    assert js("return getComputedStyle(document.documentElement)"
              ".getPropertyValue('--line-0')") != old
    wait(lambda: pixels("--line-0") > 20, "the line in the other colour")
    js("localStorage.clear()")
    no_errors()


def test_no_sideways_scroll():
    for width in WIDTHS:
        size(width)
        for name in ("plain", "hostile"):
            for page, ready in PAGES:
                open_page(name, page.replace("0008", "0005"), ready)
                js("document.querySelectorAll('details')"
                   ".forEach(d => d.open = true)")
                time.sleep(0.3)
                got = js("return document.documentElement.scrollWidth")
                assert got <= width, (width, name, page, got)
    no_errors()


def test_nothing_from_elsewhere():
    for page, ready in PAGES:
        open_page("plain", page, ready)
        loaded = js("return performance.getEntriesByType('resource')"
                    ".map(e => e.name)")
        inside = "file://%s/plain/pages/" % FOLDER
        assert all(x.startswith(inside) for x in loaded), loaded
        js("const s = document.createElement('script'); s.textContent = "
           "'window.pwned = 1'; document.body.appendChild(s); "
           "const i = new Image(); i.src = 'data:image/gif;base64,R0lGODlh';"
           "document.body.appendChild(i);")
        assert js("return window.pwned === undefined")
        refused = b.get_log("browser")
        assert len(refused) == 2 and all(
            "Content Security Policy" in x["message"] for x in refused), \
            refused


def test_what_is_not_there():
    open_page("plain", "run.html#run=nonsense", "[role=alert]")
    assert "no such run" in text("[role=alert]")
    open_page("plain", "workload.html#workload=..%2Frun-night-0001",
              "[role=alert]")
    assert "no such workload" in text("[role=alert]")
    no_errors()


def test_a_large_history():
    open_page("large", "index.html")
    nodes = js("return document.querySelectorAll('*').length")
    assert nodes < 1000, nodes
    open_workload("large", "fault-in")
    nodes = js("return document.querySelectorAll('*').length")
    assert nodes < 1000, nodes
    no_errors()


def run(name, test):
    size(1200)
    scheme("light")
    b.get_log("browser")
    try:
        test()
        print("ok " + name, flush=True)
    except Exception as e:
        where = traceback.extract_tb(e.__traceback__)[-1]
        print("not ok %s: line %d: %s" % (
            name, where.lineno, str(e)[:600].replace("\n", " ")), flush=True)


def main():
    try:
        for name, test in list(globals().items()):
            if name.startswith("test_"):
                run(name[5:], test)
    finally:
        b.quit()


if __name__ == "__main__":
    main()
