// SPDX-License-Identifier: GPL-2.0-only
//
// What all pages use.  Texts come from results, which may be anybody's: they
// only ever become text nodes and percent-encoded parts of links, and data
// has no member that is named by a result.
"use strict";

var tdmem_data = tdmem_data || {};

var tdmem = (function () {
	var SVG = "http://www.w3.org/2000/svg";
	// Control and format characters, those that turn the direction of a
	// text among them, are shown as what they are.
	var HIDDEN = new RegExp("[\\u0000-\\u001f\\u007f-\\u009f\\u00ad" +
		"\\u061c\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f" +
		"\\ufeff\\ufff9-\\ufffb]", "g");
	// The order in which the index has the fields of a run.
	var RUN = ["slug", "path", "link", "time", "group", "host", "kernel",
		"cpu", "version", "commit", "ncells", "nbad", "partial",
		"modelled"];
	var KINDS = {
		improved: { sign: "\u25b2", css: "better" },
		regressed: { sign: "\u25bc", css: "worse" },
		changed: { sign: "\u25c6", css: "" }
	};

	function shown(text) {
		return String(text).replace(HIDDEN, function (c) {
			var code = c.charCodeAt(0).toString(16);

			return "\\u" + "0000".slice(code.length) + code;
		});
	}

	// ---------------------------------------------------------- elements

	function fill(node, children) {
		children.forEach(function (child) {
			if (child === null || child === undefined)
				return;
			node.appendChild(child.nodeType ? child :
				document.createTextNode(shown(child)));
		});
		return node;
	}

	// el("p", { class: "muted" }, "text", node, ...)
	function el(tag, attributes) {
		var node = document.createElement(tag);

		Object.keys(attributes || {}).forEach(function (name) {
			node.setAttribute(name, attributes[name]);
		});
		return fill(node, Array.prototype.slice.call(arguments, 2));
	}

	function svg(tag, attributes) {
		var node = document.createElementNS(SVG, tag);

		Object.keys(attributes || {}).forEach(function (name) {
			node.setAttribute(name, attributes[name]);
		});
		return fill(node, Array.prototype.slice.call(arguments, 2));
	}

	// A text of a result within other text: its direction stays its own.
	function name(text) {
		return el("bdi", null, text);
	}

	function clear(node) {
		while (node.firstChild)
			node.removeChild(node.firstChild);
		return node;
	}

	// columns: [{ title, number }], rows: lists of nodes or texts
	function table(caption, columns, rows) {
		var head = el("tr"), body = el("tbody");

		columns.forEach(function (c) {
			head.appendChild(el("th", {
				scope: "col",
				class: c.number ? "number" : ""
			}, name(c.title)));
		});
		rows.forEach(function (row) {
			var tr = el("tr");

			row.forEach(function (cell, i) {
				tr.appendChild(el("td", {
					class: columns[i].number ? "number" : ""
				}, cell));
			});
			body.appendChild(tr);
		});
		return el("div", {
			class: "scroll", tabindex: "0", role: "region",
			"aria-label": caption
		}, el("table", { "aria-label": caption },
			el("thead", null, head), body));
	}

	// The first rows at once, all of them when asked for.
	function long_table(caption, columns, rows, first) {
		var box = el("div"), more;

		box.appendChild(table(caption, columns, rows.slice(0, first)));
		if (rows.length <= first)
			return box;
		more = el("button", { type: "button" },
			"Show all " + rows.length);
		more.addEventListener("click", function () {
			var whole = table(caption, columns, rows);

			clear(box).appendChild(whole);
			whole.focus();
		});
		box.appendChild(more);
		return box;
	}

	// ------------------------------------------------------------ figures

	function scale(value, steps) {
		var i = 0;

		while (i + 1 < steps.length &&
				Math.abs(value) >= steps[i + 1][0])
			i++;
		return steps[i];
	}

	var TIMES = [[1, "ns"], [1e3, "us"], [1e6, "ms"], [1e9, "s"]];
	var PREFIXES = [[1, ""], [1e3, "k"], [1e6, "M"], [1e9, "G"],
		[1e12, "T"]];

	function suffix(unit) {
		if (unit === "ns" || unit === "1" || unit === "")
			return "";
		return unit === "1/s" ? "/s" : "\u202f" + unit;
	}

	// Short, three digits, or as many decimals as tell ticks apart that
	// are `step` from each other: "50.4k/s", "10.1us".
	function short(value, unit, step) {
		var s, digits, scaled;

		if (value === null || value === undefined || isNaN(value))
			return "\u2013";
		s = scale(value, unit === "ns" ? TIMES : PREFIXES);
		scaled = value / s[0];
		if (step) {
			digits = Math.ceil(-Math.log10(step / s[0]) - 1e-9);
			digits = Math.min(6, Math.max(0, digits));
		} else {
			digits = Math.abs(scaled) >= 99.95 ? 0 :
				Math.abs(scaled) >= 9.995 ? 1 : 2;
			if (s[0] === 1 && scaled === Math.round(scaled))
				digits = 0;
		}
		return scaled.toFixed(digits) + s[1] + suffix(unit);
	}

	// All digits that there are: "50412.3 1/s"
	function exact(value, unit) {
		if (value === null || value === undefined)
			return "\u2013";
		return value + (unit && unit !== "1" ? " " + unit : "");
	}

	function percent(ratio) {
		var text;

		if (ratio === null || ratio === undefined || isNaN(ratio))
			return "\u2013";
		text = (Math.abs(ratio) * 100).toFixed(1);
		return (text === "0.0" ? "" : ratio < 0 ? "\u2212" : "+") +
			text + "\u202f%";
	}

	// "2026-01-31T12:00:00Z" as a day, and as a time that people read
	function day(run) {
		return run.time ? run.time.slice(0, 10) : run.slug;
	}

	function when(run) {
		return run.time ?
			run.time.slice(0, 16).replace("T", " ") + " UTC" :
			"no time";
	}

	// "Linux 6.1.0 #1 SMP ...": the second word is the release
	function kernel(run) {
		return run.kernel.split(" ").slice(0, 2).join(" ") || "unknown";
	}

	function commit(run) {
		return run.commit ? run.commit.slice(0, 12) : "no commit";
	}

	// --------------------------------------------------------------- data

	var index = null;

	function at() {
		if (!index)
			index = tdmem_data.index;
		return index;
	}

	function run(i) {
		var list = at().runs[i], r = { index: i };

		RUN.forEach(function (field, f) {
			r[field] = list[f];
		});
		r.host = at().hosts[r.host];
		r.kernel = at().kernels[r.kernel];
		r.cpu = at().cpus[r.cpu];
		r.version = at().versions[r.version];
		return r;
	}

	function run_link(r, text) {
		return el("a", { href: "run.html#run=" +
			encodeURIComponent(r.slug) }, text || day(r));
	}

	function result_link(r, text) {
		return el("a", { href: at().base + r.link },
			text || "result file");
	}

	function workload_href(workload, where) {
		var parts = ["workload=" +
			encodeURIComponent(at().slugs[workload])];

		Object.keys(where || {}).forEach(function (key) {
			parts.push(key + "=" + encodeURIComponent(where[key]));
		});
		return "workload.html#" + parts.join("&");
	}

	// What stands behind the # of this page.
	function hash() {
		var values = {};

		["workload", "run", "config", "host", "metric", "chart"].forEach(
			function (key) {
				var all = new URLSearchParams(
					location.hash.slice(1));

				values[key] = all.get(key);
			});
		return values;
	}

	// Data of one run or workload; `slug` must be one that the index has.
	function load(kind, slug, done, failed) {
		var name = kind + "-" + slug, script;

		if (Object.prototype.hasOwnProperty.call(tdmem_data, name)) {
			done(tdmem_data[name]);
			return;
		}
		script = document.createElement("script");
		script.src = "data/" + name + ".js";
		script.addEventListener("load", function () {
			done(tdmem_data[name]);
		});
		script.addEventListener("error", failed);
		document.head.appendChild(script);
	}

	function group_title(g) {
		var group = at().groups[g];

		return (group.config || "no name") + " \u00b7 " +
			(group.host || "unknown host");
	}

	// -------------------------------------------------------------- frame

	function theme_is_dark() {
		var chosen = document.documentElement.getAttribute(
			"data-theme");

		return chosen === "dark";
	}

	// A page from a file may have no storage: then the choice is not kept.
	function stored(value) {
		try {
			if (value)
				localStorage.setItem("tdmem-theme", value);
			return localStorage.getItem("tdmem-theme");
		} catch (error) {
			return null;
		}
	}

	var dark = window.matchMedia("(prefers-color-scheme: dark)");
	var chosen = stored();

	function apply_theme() {
		var is_dark = chosen ? chosen === "dark" : dark.matches;
		var button = document.getElementById("theme");

		document.documentElement.setAttribute("data-theme",
			is_dark ? "dark" : "light");
		if (button)
			button.textContent = is_dark ? "Light theme" :
				"Dark theme";
		document.dispatchEvent(new Event("themechange"));
	}

	function model_note(modelled, of) {
		var note = document.getElementById("model");

		note.hidden = !modelled;
		note.textContent = modelled === 0 ? "" : "Model output, not " +
			"a measurement" + (of && modelled < of ? " (" +
			modelled + " of " + of + " runs)" : "") + ": times " +
			"come from a model of the TDX module and of KVM.";
	}

	function title(text) {
		document.getElementById("title").textContent = shown(text);
		document.title = shown(text) + " \u2013 tdmem";
	}

	function content() {
		return clear(document.getElementById("content"));
	}

	function trouble(text) {
		content().appendChild(el("p", { role: "alert" }, text));
	}

	apply_theme();
	dark.addEventListener("change", apply_theme);
	document.addEventListener("DOMContentLoaded", function () {
		apply_theme();
		document.getElementById("theme").addEventListener("click",
			function () {
				chosen = theme_is_dark() ? "light" : "dark";
				stored(chosen);
				apply_theme();
			});
		// Not by the address: that says what the page shows.
		document.querySelector(".skip").addEventListener("click",
			function (event) {
				event.preventDefault();
				document.getElementById("main").focus();
			});
		if (!at())
			return;
		document.getElementById("footer").textContent = "Made " +
			at().made.replace("T", " ").replace("Z", " UTC") +
			" by tdmem " + at().tool + ". Charts: dygraphs.";
	});

	return {
		shown: shown, el: el, svg: svg, name: name, clear: clear,
		table: table, long_table: long_table, short: short,
		exact: exact, percent: percent, day: day, when: when,
		kernel: kernel, commit: commit, index: at, run: run,
		run_link: run_link, result_link: result_link,
		workload_href: workload_href, hash: hash, load: load,
		group_title: group_title, model_note: model_note,
		title: title, content: content, trouble: trouble, KINDS: KINDS
	};
})();
