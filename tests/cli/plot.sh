#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# tdmem plot: usage, which files it writes and that they are what they claim
# to be, data against the values of the result, hostile names, drawing again
# by hand, and no gnuplot.  TDMEM names the program.

. "$(dirname "$0")/lib.sh"

out=$dir/out err=$dir/err result=$dir/r.json pictures=$dir/pictures

# plot STATUS ARG...: its exit status
plot() {
	tdmem "$1" plot "${@:2}"
}

# holds FOLDER: python statements that must hold; r is the result
holds() {
	/usr/bin/python3 - "$result" "$1" 2>"$err" <<PY
import collections, glob, html.parser, json, math, os, re, statistics, struct
import sys, zlib
import xml.etree.ElementTree as xml
r = json.load(open(sys.argv[1]))
at = sys.argv[2]

def blocks(name):
    """Blocks of a data file: lists of rows, each a list of texts."""
    text = open(os.path.join(at, name + ".tsv")).read()
    return [[line.split("\t") for line in block.split("\n")
             if line and line[0] != "#"] for block in text.split("\n\n\n")]

def cell(workload, policy, vcpus):
    return next((c for c in r["cells"] if c["axes"] == {
        "workload": workload, "policy": policy, "vcpus": vcpus}), None)

def repeats(c):
    return [x for x in c["repeats"]
            if x["status"] == "ok" and not x.get("warmup")]

def middle(i):
    s = i >> 9
    return i if s <= 1 else (((i - ((s - 1) << 9)) << (s - 1)) +
                             (1 << (s - 1)) // 2)

def latencies(c, name):
    return sorted(middle(i) for x in repeats(c)
                  for i, n in x["histograms"][name]["buckets"]
                  for _ in range(n))

def png(path):
    """Rows of pixels of a PNG of 8 bits a channel."""
    b = open(path, "rb").read()
    assert b[:8] == b"\x89PNG\r\n\x1a\n"
    p, data = 8, b""
    while p < len(b):
        n, kind = struct.unpack(">I4s", b[p:p + 8])
        body = b[p + 8:p + 8 + n]
        assert zlib.crc32(kind + body) == struct.unpack(
            ">I", b[p + 8 + n:p + 12 + n])[0]
        if kind == b"IHDR":
            w, h, bits, colour, _, _, lace = struct.unpack(">IIBBBBB", body)
        data += body if kind == b"IDAT" else b""
        p += 12 + n
    assert bits == 8 and colour in (2, 6) and lace == 0
    k = 3 if colour == 2 else 4
    data = zlib.decompress(data)
    assert len(data) == h * (1 + w * k)
    before, rows = bytearray(w * k), []
    for y in range(h):
        kind, *line = data[y * (1 + w * k):(y + 1) * (1 + w * k)]
        line = bytearray(line)
        for x in range(w * k):
            a = line[x - k] if x >= k else 0
            c = before[x - k] if x >= k else 0
            v = before[x]
            if kind == 1: line[x] = (line[x] + a) & 255
            elif kind == 2: line[x] = (line[x] + v) & 255
            elif kind == 3: line[x] = (line[x] + (a + v) // 2) & 255
            elif kind == 4:
                e = a + v - c
                best = min((abs(e - a), 0, a), (abs(e - v), 1, v),
                           (abs(e - c), 2, c))
                line[x] = (line[x] + best[2]) & 255
        rows.append([tuple(line[x:x + 3]) for x in range(0, w * k, k)])
        before = line
    return rows
$2
PY
}

# One vCPU count is more than the topology has, one policy bugs the VM.
"$TDMEM" run "$root/tests/cli/claims.json" --set repeat.count=3 \
	--set 'axes.vcpus=[2,8,1024]' --set 'axes.policy=["spin","spin16",
	{"fault":"spin","removal":"kick-once"},"kick-once"]' \
	-o "$result" >/dev/null 2>"$err"
check "there is a result" [ -s "$result" ]
check "it has cells that are not ok" \
	grep -q '"status":"vm-bugged"' "$result"
# One cell is missing, one repeat is a warm-up.
/usr/bin/python3 - "$result" <<'PY'
import json, sys
r = json.load(open(sys.argv[1]))
r["cells"] = [c for c in r["cells"] if c["axes"] != {
    "workload": "zero-step", "policy": "kick-once", "vcpus": 2}]
good = next(c for c in r["cells"] if c["status"] == "ok")
good["repeats"][0]["warmup"] = True
for h in good["repeats"][0]["histograms"].values():
    h["max"] = h["max"] * 1000
json.dump(r, open(sys.argv[1], "w"))
PY

# ------------------------------------------------------------------- usage

check "--help" plot 0 --help
widest=$(wc -L <"$out")
check "--help: 80 columns, not $widest" [ "$widest" -le 80 ]
check "no folder" refused 2 plot "$result"
check "an empty folder" refused 2 plot "$result" -o ""
check "no result" refused 2 plot -o "$pictures"
check "no such file" refused 2 plot "$dir/none.json" -o "$pictures"
check "not a result" refused 2 plot "$root/configs/quick.json" -o "$pictures"
check "a policy that is not there" refused 2 plot "$result" -o "$pictures" \
	--baseline nonsense
check "too narrow" refused 2 plot "$result" -o "$pictures" --width 100
check "no folder is left by that" [ ! -e "$pictures" ]
check "a file in the folder's place" plot 1 "$result" -o "$result"
check "in one line" [ "$(wc -l <"$err")" -eq 1 ]

# -------------------------------------------------------------- no gnuplot

mkdir "$dir/empty"
without() {
	local PATH=$dir/empty
	"$TDMEM" plot "$result" -o "$dir/without" >"$out" 2>"$err" </dev/null
	[ $? -eq 4 ]
}
check "no gnuplot: exit status 4" without
check "no gnuplot: one line" [ "$(wc -l <"$err")" -eq 1 ]
check "no gnuplot: which says so" grep -q "gnuplot is not installed" "$err"
check "no gnuplot: nothing on stdout" [ ! -s "$out" ]
check "no gnuplot: data and scripts are there" holds "$dir/without" '
names = os.listdir(at)
scripts = {x[:-3] for x in names if x.endswith(".gp") and x[:5] != "tdmem"}
assert len(scripts) > 8
assert {x[:-4] for x in names if x.endswith(".tsv")} == scripts
assert not [x for x in names if x[-4:] in (".svg", ".png")]
'

# ------------------------------------------------------------------- files

if ! command -v gnuplot >/dev/null 2>&1; then
	skip "pictures: gnuplot is not installed"
	finish
fi

check "pictures" plot 0 "$result" -o "$pictures"
check "nothing on stdout" [ ! -s "$out" ]
check "every picture in four forms, with data and script" holds "$pictures" '
names = set(os.listdir(at))
scripts = {x[:-3] for x in names if x.endswith(".gp") and x[:5] != "tdmem"}
ends = [".gp", ".tsv"] + ["-%s.%s" % (t, f) for t in ("light", "dark")
                          for f in ("svg", "png")]
common = {x for x in names if x.startswith("tdmem-")} | {"index.html"}
assert names == common | {s + e for s in scripts for e in ends}, names
kinds = {x.rsplit("-", 1)[-1] for x in scripts}
assert kinds == {"heatmap", "throughput", "latency", "distribution", "busy",
                 "time", "kicks", "fairness"}, kinds
assert all(re.fullmatch("[a-z0-9.-]+", x) for x in names)
'
check "SVGs are well-formed, and have lines and texts" holds "$pictures" '
n = 0
for path in glob.glob(at + "/*.svg"):
    root = xml.parse(path).getroot()
    tags = collections.Counter(x.tag.split("}")[1] for x in root.iter())
    assert tags["path"] + tags["polygon"] >= 3 and tags["text"] >= 5, path
    texts = ["".join(x.itertext()).strip() for x in root.iter()
             if x.tag.endswith("}text")]
    assert any("model output, not a measurement" in x for x in texts), path
    n += 1
assert n > 16
'
check "PNGs decode, have the width, ground and colours" holds "$pictures" '
n = 0
paths = glob.glob(at + "/block-remove-*.png") + glob.glob(at + "/heat*.png")
for path in paths:
    rows = png(path)
    ground = (20, 23, 26) if "-dark." in path else (255, 255, 255)
    assert len(rows[0]) == 1000 and 150 < len(rows) < 2000, path
    assert rows[0][0] == rows[-1][-1] == ground, path
    seen = collections.Counter(p for row in rows for p in row)
    painted = sum(k for c, k in seen.items() if max(c) - min(c) > 60)
    assert painted > 100 or "heatmap" in path, (path, painted)
    assert seen[ground] < 0.99 * 1000 * len(rows), path
    n += 1
assert n >= 14
'
check "--width" plot 0 "$result" -o "$dir/narrow" --width 640
check "--width: PNGs are that wide" holds "$dir/narrow" '
for path in glob.glob(at + "/zero-step-throughput-light.png"):
    assert len(png(path)[0]) == 640
'

# -------------------------------------------------------------------- data

check "throughput: medians, ranges, repeats, and gaps" holds "$pictures" '
n = bad = missing = 0
policies = ["spin", "spin16", "spin/kick-once", "kick-once"]
for workload, op in ("block-remove", "removal"), ("zero-step", "fault"):
    for policy, rows in zip(policies, blocks(workload + "-throughput")):
        assert [x[0] for x in rows] == ["2", "8", "1024"]
        for row in rows:
            c = cell(workload, policy, int(row[0]))
            if c is None:
                assert row[1:] == ["missing", "0", "NaN", "NaN", "NaN"]
                missing += 1
                continue
            assert row[1] == c["status"]
            if c["status"] != "ok":
                assert row[2:] == ["0", "NaN", "NaN", "NaN"]
                bad += 1
                continue
            v = [x["metrics"][op + ".rate"] for x in repeats(c)]
            assert int(row[2]) == len(v)
            for got, want in zip(row[3:], (statistics.median(v), min(v),
                                           max(v))):
                assert abs(float(got) / want - 1) < 1e-9
            n += 1
assert n >= 10 and bad >= 8 and missing == 1, (n, bad, missing)
'
check "throughput: the warm-up is not used" holds "$pictures" '
assert blocks("block-remove-throughput")[0][0][2] == "2"
'
check "latency: quantiles of all repeats, within those of each" \
	holds "$pictures" '
n = 0
for row in blocks("block-remove-latency")[0]:
    c = cell("block-remove", "spin", int(row[0]))
    if c["status"] != "ok":
        continue
    v = latencies(c, "removal.latency")
    for k, q in enumerate((0.5, 0.99, 0.999)):
        got, low, high = map(float, row[3 + 4 * k:6 + 4 * k])
        want = v[max(0, math.ceil(q * len(v) - 1e-9) - 1)]
        assert abs(got / want - 1) < 0.003 and low <= got <= high, row
        n += 1
assert n == 6
'
check "distribution: grows, and ends with the largest value" \
	holds "$pictures" '
c = cell("block-remove", "kick-once", 8)
rows = [[float(x) for x in row]
        for row in blocks("block-remove-distribution")[3]]
hists = [x["histograms"]["removal.latency"] for x in repeats(c)]
assert rows[0][0] == 1 and rows[-1][1] == 100
assert rows[-1][0] == sum(h["count"] for h in hists)
assert rows[-1][2] == max(h["max"] for h in hists)
for a, b in zip(rows, rows[1:]):
    assert a[0] < b[0] and a[1] < b[1] and a[2] <= b[2]
v = latencies(c, "removal.latency")
for rarity, percentile, value in rows[:-1]:
    want = v[max(0, math.ceil(percentile / 100 * len(v) - 1e-6) - 1)]
    assert abs(value / want - 1) < 0.003, (percentile, value, want)
script = open(at + "/block-remove-distribution.gp").read()
assert "spin16" in script and "(vm-bugged)" in script
assert ", 8 vCPUs" in script
'
check "time: parts are 100 %" holds "$pictures" '
n = 0
for block in blocks("block-remove-time"):
    for row in block:
        if row[1] != "ok":
            assert set(row[2:]) == {"NaN"}
            continue
        assert abs(sum(map(float, row[2:])) - 100) < 1e-6
        n += 1
assert n >= 5
'
check "BUSY: parts are those of all calls" holds "$pictures" '
n = 0
for policy, block in zip(["spin", "spin16"], blocks("block-remove-busy")):
    for row in block:
        c = cell("block-remove", policy, int(row[0]))
        if c["status"] != "ok":
            continue
        m = [x["metrics"] for x in repeats(c)]
        want = 1000 * (sum(x["calls.busy"] for x in m) /
                       sum(x["calls.total"] for x in m))
        assert abs(sum(map(float, row[2:])) - want) < 1e-6 * (want + 1)
        n += want > 0
assert n >= 1
'
check "heat map: changes of medians; words for what is not ok" \
	holds "$pictures" '
rows = blocks("heatmap")[0]
at = {(x[0], x[1]): x for x in rows}
def rate(workload, op, policy):
    return statistics.median(x["metrics"][op + ".rate"] for x in
                             repeats(cell(workload, policy, 8)))
want = 100 * (rate("block-remove", "removal", "kick-once") /
              rate("block-remove", "removal", "spin") - 1)
assert abs(float(at["3", "0"][2]) - want) < 1e-6
assert at["1", "0"][2:] == ["NaN", "vm-bugged", "\"vm-bugged\""]
assert at["0", "0"][2] == "0"
'
check "--baseline" plot 0 "$result" -o "$dir/base" --baseline kick-once
check "--baseline: changes are against it" holds "$dir/base" '
rows = blocks("heatmap")[0]
at = {(x[0], x[1]): x for x in rows}
assert at["3", "0"][2] == "0" and float(at["0", "0"][2]) != 0
'
check "--vcpus" plot 0 "$result" -o "$dir/two" --vcpus 2
check "--vcpus: that count is compared" \
	grep -q ", 2 vCPUs" "$dir/two/block-remove-distribution.gp"
check "--vcpus: a count that no cell has" plot 0 "$result" \
	-o "$dir/three" --vcpus 3
check "--vcpus: what is left out is listed" \
	grep -q "Not drawn: Distribution of the latency" \
	"$dir/three/index.html"

# -------------------------------------------------------------------- page

page='
class Page(html.parser.HTMLParser):
    void = {"meta", "img", "source", "br"}
    def __init__(self):
        super().__init__()
        self.open, self.tags, self.text = [], collections.Counter(), ""
        self.attributes = []
    def handle_starttag(self, tag, attributes):
        self.tags[tag] += 1
        self.attributes += [(tag, k, v) for k, v in attributes]
        if tag not in self.void:
            self.open.append(tag)
    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
    def handle_endtag(self, tag):
        assert self.open.pop() == tag
    def handle_data(self, data):
        self.text += data
p = Page()
p.feed(open(at + "/index.html").read())
p.close()
assert p.open == []
known = {"html", "head", "meta", "title", "style", "body", "main", "h1", "h2",
         "h3", "p", "nav", "ul", "li", "a", "section", "details", "summary",
         "strong", "figure", "picture", "source", "img", "figcaption", "br"}
assert set(p.tags) <= known, set(p.tags) - known
assert not [x for x in p.attributes if x[1].startswith("on")]
links = [v for _, k, v in p.attributes if k in ("src", "srcset", "href")]
for link in links:
    if link[0] == "#":
        assert ("id", link[1:]) in [x[1:] for x in p.attributes], link
    else:
        assert os.path.isfile(os.path.join(at, link)), link
ids = [v for _, k, v in p.attributes if k == "id"]
assert len(ids) == len(set(ids))
alts = [v for _, k, v in p.attributes if k == "alt"]
assert len(alts) == p.tags["img"] > 0 and all(len(x) > 40 for x in alts)
'
check "index.html: well-formed, all links lead somewhere" \
	holds "$pictures" "$page"'
assert any("vm-bugged" in x for x in alts)
assert "model output, not a measurement" in p.text
assert "Not drawn: " in p.text and "did not end ok" in p.text
media = [v for _, k, v in p.attributes if k == "media"]
assert set(media) == {"(prefers-color-scheme: dark)"}
'

# ------------------------------------------------------------ by hand, again

mkdir "$dir/copy"
cp "$pictures"/*.gp "$pictures"/*.tsv "$dir/copy"
by_hand() {
	(cd "$dir/copy" && for script in [!t]*-*.gp heatmap.gp; do
		gnuplot -d "$script" </dev/null >/dev/null 2>>"$err" || exit
	done)
}
check "drawn again by hand" by_hand
check "by hand: the same pictures" holds "$dir/copy" '
n = 0
for path in glob.glob(at + "/*.svg") + glob.glob(at + "/*.png"):
    old = os.path.join(os.path.dirname(at), "pictures", os.path.basename(path))
    assert open(path, "rb").read() == open(old, "rb").read(), path
    n += 1
assert n == len(glob.glob(os.path.dirname(at) + "/pictures/*.[sp][vn]g"))
'
other_width() {
	(cd "$dir/copy" && gnuplot -d -e W=1600 block-remove-latency.gp \
		</dev/null >/dev/null 2>&1)
}
check "by hand in another width" other_width
check "by hand: it is that wide" holds "$dir/copy" '
assert len(png(at + "/block-remove-latency-dark.png")[0]) == 1600
'
same() { # two folders: the same data, scripts and page
	diff -r -x '*.svg' -x '*.png' "$1" "$2" >"$err"
}
check "once more" plot 0 "$result" -o "$dir/again"
check "the same bytes" same "$pictures" "$dir/again"
if [ -x "${TDMEM_CLANG:-}" ]; then
	TDMEM=$TDMEM_CLANG plot 0 "$result" -o "$dir/clang"
	check "another compiler: the same bytes" same "$pictures" "$dir/clang"
else
	skip "another compiler: TDMEM_CLANG names no program"
fi

# ----------------------------------------------------------------- accidents

cp "$result" "$dir/again/heatmap.tsv"
check "a result is not written over" plot 1 "$dir/again/heatmap.tsv" \
	-o "$dir/again"
check "it is untouched" cmp -s "$result" "$dir/again/heatmap.tsv"
mkdir "$dir/link"
ln -s "$dir/target" "$dir/link/heatmap.tsv"
check "a link is not followed" plot 1 "$result" -o "$dir/link"
check "nothing is at its end" [ ! -e "$dir/target" ]

# -------------------------------------------------------------------- hostile

cp "$result" "$dir/kept.json"
/usr/bin/python3 - "$result" <<'PY'
import json, sys
r = json.load(open(sys.argv[1]))
evil = ("</title><script>alert(1)</script>\"onload='x'&amp;`touch pwned`"
        "'; system('touch pwned'); set output '/../../pwned\n\n\n1\tok\t{/:}"
        "$(touch pwned)\u202e%s%n@x \\\n\u00e9\u4e2d")
r["config"]["name"] = evil
names = {"block-remove": evil, "zero-step": evil + "2"}
for old, new in names.items():
    r["workloads"][new] = dict(r["workloads"].pop(old), summary=evil)
for c in r["cells"]:
    a = c["axes"]
    a["workload"] = names[a["workload"]]
    a["knob " + evil] = "../../" + evil
    if a["policy"] == "spin":
        a["policy"] = evil
    if c["status"] != "ok":
        c["status"] = evil
        c["reason"] = evil
op = r["workloads"][evil]["operation"]
r["metrics"]["tdh_" + evil + ".busy." + evil] = {
    "unit": "calls", "direction": "lower", "histogram": False, "help": evil}
for c in r["cells"]:
    for x in c["repeats"]:
        x["metrics"]["tdh_" + evil + ".busy." + evil] = 5
json.dump(r, open(sys.argv[1], "w"))
PY
mkdir "$dir/in"
hostile() {
	(cd "$dir/in" && plot 0 "$result" -o hostile)
}
check "hostile names are drawn" hostile
check "hostile: only files of ours" holds "$dir/in" '
assert os.listdir(at) == ["hostile"]
names = os.listdir(at + "/hostile")
assert all(re.fullmatch("[a-z0-9-]+[.](gp|tsv|svg|png|html|css)", x) and
           "pwned" not in x.replace("touch-pwned", "").replace(
               "output-pwned", "") or len(x) > 40 for x in names), names
assert all(len(x) < 120 for x in names)
assert not glob.glob(at + "/hostile/pwned*") and not os.path.exists("pwned")
'
check "hostile: SVGs are well-formed, and have no script" \
	holds "$dir/in/hostile" '
n = 0
for path in glob.glob(at + "/*.svg"):
    tags = {x.tag.split("}")[1] for x in xml.parse(path).getroot().iter()}
    assert "script" not in tags, path
    n += 1
assert n > 10
'
check "hostile: the page shows names as text" holds "$dir/in/hostile" "$page"'
assert "<script>alert(1)</script>" in p.text
assert "\u202e" not in p.text
'
check "hostile: data have as many rows as cells" holds "$dir/in/hostile" '
for path in glob.glob(at + "/*-throughput.tsv"):
    name = os.path.basename(path)[:-4]
    for block in blocks(name)[:4]:
        assert [x[0] for x in block] == ["2", "8", "1024"], block
        assert {x[1] for x in block} <= {"ok", "unknown", "missing"}
'

# ------------------------------------------------------------ several results

cp "$dir/kept.json" "$result"
cp "$result" "$dir/other.json"
check "two results" plot 0 "$result" "$dir/other.json" -o "$dir/both"
check "two results: a section each, and one of both" \
	holds "$dir/both" "$page"'
assert p.tags["h2"] == 3
names = os.listdir(at)
for prefix in "all-", "r1-", "r2-":
    assert prefix + "block-remove-throughput-dark.svg" in names
assert len(blocks("all-block-remove-throughput")) == 9
assert "r1-heatmap.tsv" in names and "all-heatmap.tsv" not in names
'
check "five results are too many" refused 2 plot "$result" "$result" "$result" \
	"$result" "$result" -o "$dir/five"

# ------------------------------------------------------------------- sides

/usr/bin/python3 - "$result" <<'PY'
import copy, json, sys
r = json.load(open(sys.argv[1]))
cells = []
for c in r["cells"]:
    for side in "base", "new":
        x = copy.deepcopy(c)
        x["axes"]["side"] = side
        x["notes"] = ["oversubscribed: 8 vCPUs on 4 CPUs"] if \
            c["axes"]["vcpus"] == 8 else []
        cells.append(x)
r["cells"] = cells
json.dump(r, open(sys.argv[1], "w"))
PY
check "sides, and oversubscribed cells" plot 0 "$result" -o "$dir/sides"
check "sides are lines; what is oversubscribed is left out" \
	holds "$dir/sides" '
b = blocks("block-remove-throughput")
assert len(b) == 9
script = open(at + "/block-remove-throughput.gp").read()
assert "= \x27spin, base\x27" in script and "= \x27spin, new\x27" in script
assert "O: oversubscribed, left out" in script
assert [x[1] for x in b[0]] == ["ok", "oversubscribed", "unsupported"]
'
check "--oversubscribed" plot 0 "$result" -o "$dir/over" --oversubscribed
check "--oversubscribed: they are drawn" holds "$dir/over" '
assert [x[1] for x in blocks("block-remove-throughput")[0]] == [
    "ok", "ok", "unsupported"]
'

finish
