// SPDX-License-Identifier: GPL-2.0-only
//
// The page of a workload: one chart for each cell, a line for each policy.
"use strict";

(function () {
	var el = tdmem.el, name = tdmem.name;
	var charts = [], watch = null, state = null;

	function unique(list) {
		return Array.from(new Set(list));
	}

	function ordered(list) {
		return unique(list).sort(function (a, b) {
			return a - b;
		});
	}

	// --------------------------------------------------------- selection

	function in_group(s) {
		return s.group === state.group;
	}

	function metrics() {
		return unique(state.series.filter(in_group).map(function (s) {
			return s.metric;
		}));
	}

	function lines() {
		return ordered(state.series.filter(in_group).map(function (s) {
			return s.line;
		}));
	}

	function find_group(wanted) {
		var groups = ordered(state.series.map(function (s) {
			return s.group;
		}));
		var found = groups.find(function (g) {
			var group = tdmem.index().groups[g];

			return group.config === wanted.config &&
				group.host === wanted.host;
		});

		return found === undefined ? groups[0] : found;
	}

	function keep_in_address() {
		var group = tdmem.index().groups[state.group];

		location.replace(tdmem.workload_href(state.workload, {
			config: group.config, host: group.host,
			metric: state.metric
		}));
	}

	// ------------------------------------------------------------ charts

	function specs() {
		var chosen = state.series.filter(function (s) {
			return in_group(s) && s.metric === state.metric;
		});
		var runs = tdmem.index().groups[state.group].runs;

		return ordered(chosen.map(function (s) {
			return s.chart;
		})).map(function (chart) {
			return {
				chart: chart, runs: runs,
				title: tdmem.index().charts[chart] ||
					tdmem.index().workloads[state.workload],
				metric: state.metric, unit: chosen[0].unit,
				modelled: tdmem.run(runs[0]).modelled,
				series: chosen.filter(function (s) {
					return s.chart === chart;
				})
			};
		});
	}

	// A chart takes time to draw: only those that come into view are.
	function watch_charts(box) {
		if (watch)
			watch.disconnect();
		watch = new IntersectionObserver(function (entries) {
			entries.forEach(function (entry) {
				var i = charts.findIndex(function (c) {
					return c.node === entry.target;
				});

				if (entry.isIntersecting && i >= 0)
					charts[i].draw();
			});
		}, { rootMargin: "400px" });
		charts.forEach(function (c) {
			box.appendChild(c.node);
			watch.observe(c.node);
		});
	}

	function show_charts() {
		var box = tdmem.clear(document.getElementById("charts"));

		charts.forEach(function (c) {
			c.destroy();
		});
		charts = specs().map(function (spec) {
			var c = tdmem.chart.create(spec,
				spec.series.map(function (s) {
					return !state.hidden.has(s.line);
				}));

			c.spec = spec;
			if (state.last)
				c.show_last(state.last);
			return c;
		});
		watch_charts(box);
	}

	// ---------------------------------------------------------- controls

	// choices: [[value, text]]; changed(value)
	function select(label, choices, value, changed) {
		var box = el("select");

		choices.forEach(function (c) {
			var option = el("option", { value: c[0] }, c[1]);

			option.selected = String(c[0]) === String(value);
			box.appendChild(option);
		});
		box.addEventListener("change", function () {
			changed(box.value);
		});
		return el("label", null, label, box);
	}

	function toggle(line) {
		var box = el("input", { type: "checkbox" });

		box.checked = !state.hidden.has(line);
		box.addEventListener("change", function () {
			if (box.checked)
				state.hidden.delete(line);
			else
				state.hidden.add(line);
			charts.forEach(function (c) {
				c.spec.series.forEach(function (s, i) {
					if (s.line === line)
						c.set_visible(i, box.checked);
				});
			});
		});
		return el("label", null, box, tdmem.chart.swatch(line),
			name(tdmem.chart.line_name(line)));
	}

	function toggles() {
		var list = el("div", { class: "toggles" });

		lines().forEach(function (line) {
			list.appendChild(toggle(line));
		});
		return el("fieldset", null, el("legend", null, "Policies"),
			list);
	}

	function group_choices() {
		return ordered(state.series.map(function (s) {
			return s.group;
		})).map(function (g) {
			return [g, tdmem.group_title(g)];
		});
	}

	function controls() {
		var box = el("div", { class: "controls" });

		box.appendChild(select("History", group_choices(), state.group,
			function (value) {
				state.group = Number(value);
				if (metrics().indexOf(state.metric) < 0)
					state.metric = metrics()[0];
				keep_in_address();
			}));
		box.appendChild(select("Metric", metrics().map(function (m) {
			return [m, m];
		}), state.metric, function (value) {
			state.metric = value;
			keep_in_address();
		}));
		box.appendChild(select("Runs", [["", "all"], [30, "last 30"],
			[90, "last 90"], [365, "last 365"]], state.last || "",
		function (value) {
			state.last = value ? Number(value) : null;
			charts.forEach(function (c) {
				c.show_last(state.last);
			});
		}));
		return box;
	}

	// -------------------------------------------------------------- page

	function better() {
		var s = state.series.find(function (x) {
			return in_group(x) && x.metric === state.metric;
		});

		return s.better > 0 ? "Higher is better." :
			s.better < 0 ? "Lower is better." :
				"Neither higher nor lower is better.";
	}

	function show_page() {
		var box = tdmem.content();
		var runs = tdmem.index().groups[state.group].runs;

		tdmem.title(tdmem.index().workloads[state.workload]);
		tdmem.model_note(runs.filter(function (i) {
			return tdmem.run(i).modelled;
		}).length, runs.length);
		box.appendChild(controls());
		box.appendChild(toggles());
		box.appendChild(el("p", { class: "muted" }, better() +
			" Lines are medians of the repeats, bands reach from " +
			"the smallest to the largest. Dashed verticals are " +
			"changes (" + tdmem.KINDS.regressed.sign +
			" regressed, " + tdmem.KINDS.improved.sign +
			" improved), crosses at the bottom runs whose cell " +
			"did not end well. Drag to zoom; the arrow keys move " +
			"the point of a chart."));
		box.appendChild(el("div", { id: "charts" }));
		show_charts();
	}

	function scroll_to(title) {
		var c = charts.find(function (x) {
			return tdmem.index().charts[x.spec.chart] === title;
		});

		if (!c)
			return;
		c.draw();
		c.node.scrollIntoView();
		c.node.querySelector(".chart").focus({ preventScroll: true });
	}

	function loaded(workload, data, wanted) {
		if (!state || state.workload !== workload)
			state = { workload: workload, series: data.series,
				hidden: new Set(), last: null };
		state.group = find_group(wanted);
		state.metric = metrics().indexOf(wanted.metric) < 0 ?
			metrics()[0] : wanted.metric;
		show_page();
		if (wanted.chart !== null)
			scroll_to(wanted.chart);
	}

	function other_workloads() {
		var nav = tdmem.clear(document.getElementById("nav"));

		tdmem.index().workloads.forEach(function (w, i) {
			nav.appendChild(el("a", {
				href: tdmem.workload_href(i)
			}, name(w)));
		});
	}

	function show() {
		var wanted = tdmem.hash();
		var workload = tdmem.index().slugs.indexOf(wanted.workload);

		other_workloads();
		if (workload < 0) {
			tdmem.trouble("The history has no such workload.");
			return;
		}
		tdmem.load("workload", wanted.workload, function (data) {
			loaded(workload, data, wanted);
		}, function () {
			tdmem.trouble("The data of this workload is missing: " +
				"the dashboard was not copied whole.");
		});
	}

	if (!tdmem.index()) {
		tdmem.trouble("data/index.js is missing: the dashboard was " +
			"not copied whole.");
		return;
	}
	window.addEventListener("hashchange", show);
	document.addEventListener("themechange", function () {
		charts.forEach(function (c) {
			c.recolour();
		});
	});
	show();
})();
