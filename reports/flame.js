"use strict";
// Draws the flame graph of any profiled cell, or of two of them laid over each
// other, from the data in the page. Text goes in as text, never as markup.
(() => {
const unit = 1e6, row = 22, narrowest = 1;
const data = JSON.parse(document.getElementById("flames").textContent);
const names = data.names.map(entry => {
	const [kind, name, file] = entry.split("\t");
	return {kind, name, file, folded: name.toLowerCase()};
});

// nodesOf reads the preorder of one kind of time into a tree. Its root stands
// for the whole op.
const nodesOf = (kind, cells) => {
	const root = {row: -1, shares: Array(cells).fill(unit), children: []};
	const all = [root], path = [root], list = kind.nodes;
	for (let i = 0; i < list.length; i += 3 + cells) {
		const depth = list[i];
		const node = {row: depth, what: names[list[i + 1]], line: list[i + 2], shares: list.slice(i + 3, i + 3 + cells), parent: path[depth], children: []};
		path[depth].children.push(node);
		path[depth + 1] = node;
		all.push(node);
	}
	return all;
};

const digits = v => v >= 100 ? v.toFixed(0) : v >= 10 ? v.toFixed(1) : v.toFixed(2);
const time = ns => {
	const units = [["s", 1e9], ["ms", 1e6], ["µs", 1e3]];
	for (const [name, size] of units) if (ns >= size * 0.9995) return digits(ns / size) + " " + name;
	return ns.toFixed(0) + " ns";
};
const percent = f => (f > 0 && f < 0.001 ? "<0.1" : (100 * f).toFixed(f < 0.1 ? 1 : 0)) + " %";
const signed = (v, say) => v === 0 ? "±0" : (v > 0 ? "+" : "−") + say(Math.abs(v));
const create = (tag, name, text) => {
	const e = document.createElement(tag);
	if (name) e.className = name;
	if (text) e.textContent = text;
	return e;
};

// fit shortens a function's name as the page does without this script: first
// without folders, then without the package, then cut.
const fit = (name, width) => {
	const n = Math.floor(width / 6.4);
	if (n < 3) return "";
	if (name.length > n) name = name.slice(name.lastIndexOf("/") + 1);
	if (name.length > n && name.indexOf(".") >= 0) name = name.slice(name.indexOf(".") + 1);
	return name.length > n ? name.slice(0, n - 1) + "…" : name;
};

const start = box => {
	const flames = data.workloads[box.dataset.of], cells = flames.cells;
	const part = name => box.querySelector("." + name);
	const tree = part("tree"), find = part("find"), out = part("out");
	const trees = flames.kinds.map(kind => nodesOf(kind, cells.length));
	let kind, nodes, a, b, zoom, focus, shown = new Map();

	// What was withheld is not 0: there is no difference to it.
	const other = () => b >= 0 && b !== a && kind.per_op[a] > 0 && kind.per_op[b] > 0;
	// of is a node's time per op in a cell, in nanoseconds.
	const of = (node, cell) => node.shares[cell] / unit * kind.per_op[cell];
	const weight = node => of(node, a) + (other() ? of(node, b) : 0);
	const change = node => of(node, a) - of(node, b);
	// side says in which of two cells a path takes longer; what differs by less
	// than a twentieth is the same.
	const side = node => Math.abs(change(node)) < 0.05 * Math.max(of(node, a), of(node, b)) ? "same" : change(node) > 0 ? "longer" : "shorter";
	const relative = node => {
		if (of(node, b) === 0) return "only here";
		if (of(node, a) === 0) return "only there";
		return signed(change(node) / of(node, b), percent);
	};
	const describe = node => {
		const w = node.what;
		let s = w.name + ": ";
		if (other()) s += time(of(node, a)) + " against " + time(of(node, b)) + " per op, " + signed(change(node), time) + ", " + relative(node);
		else s += time(of(node, a)) + " per op, " + percent(node.shares[a] / unit);
		return w.file && node.line ? s + "; " + w.file + ":" + node.line : s;
	};

	// lay places the boxes: x and width are shares of the zoomed node's, and what
	// is neither under nor above it has none.
	const lay = () => {
		const from = weight(nodes[0]) > 0 ? zoom : nodes[0];
		const whole = weight(from) || 1;
		const place = (node, x) => {
			node.x = x;
			node.width = weight(node) / whole;
			for (const c of node.children) {
				place(c, x);
				x += c.width;
			}
		};
		for (const n of nodes) n.width = 0;
		place(from, 0);
		for (let n = from.parent; n && n.row >= 0; n = n.parent) [n.x, n.width] = [0, 1];
	};

	const draw = () => {
		lay();
		const width = tree.clientWidth || 800, sought = find.value.trim().toLowerCase();
		const boxes = [];
		let rows = 0;
		shown = new Map();
		for (const node of nodes) {
			if (node.row < 0 || node.width * width < narrowest) continue;
			const e = create("div", "box " + (other() ? side(node) : node.what.kind));
			const above = zoom !== node && zoom.row > node.row;
			if (above) e.classList.add("above");
			if (sought) e.classList.add(node.what.folded.includes(sought) ? "hit" : "miss");
			e.setAttribute("role", "treeitem");
			e.setAttribute("aria-level", node.row + 1);
			e.title = describe(node);
			e.tabIndex = -1;
			e.style.left = 100 * node.x + "%";
			e.style.width = 100 * node.width + "%";
			e.style.top = node.row * row + "px";
			const room = node.width * width - 8, sign = other() ? relative(node) + " " : "";
			// A sign is shown whole or not at all.
			// Read aloud it is what stands there, then all of it.
			const short = room >= 6.4 * sign.trim().length ? sign + fit(node.what.name, room - 6.4 * sign.length) : "";
			e.append(create("span", "", short), create("span", "only", " " + describe(node)));
			shown.set(node, e);
			e.node = node;
			boxes.push(e);
			rows = Math.max(rows, node.row + 1);
		}
		tree.replaceChildren(...boxes);
		tree.style.height = rows * row + "px";
		tree.className = "tree " + (other() ? "apart" : kind.id);
		if (!shown.has(focus)) focus = shown.has(zoom) ? zoom : nodes.find(n => shown.has(n));
		if (focus) shown.get(focus).tabIndex = 0;
		out.disabled = zoom === nodes[0];
		tell();
		search(sought);
		most();
	};

	const tell = () => {
		const say = cell => kind.per_op[cell] ? time(kind.per_op[cell]) + " per op" : "no " + kind.name + " time to draw (" + kind.why[cell] + ")";
		let s = kind.name + " time, " + cells[a] + ": " + say(a);
		if (other()) s += "; " + cells[b] + ": " + say(b) + ". A box is as wide as its time in both together; + and hatched up: longer in " + cells[a] + ", − and hatched down: shorter";
		else if (b >= 0 && b !== a) s += "; " + cells[b] + ": " + say(b) + ", so no difference is drawn";
		part("told").textContent = s + ".";
		tree.setAttribute("aria-label", "Flame graph, " + s);
	};

	// search says how much of the time is under the functions sought. A match
	// under another match is not counted twice.
	const search = sought => {
		if (!sought) {
			part("found").textContent = "";
			return;
		}
		let hits = 0;
		const sum = [0, 0];
		const walk = (node, inside) => {
			const hit = node.row >= 0 && node.what.folded.includes(sought);
			if (hit && weight(node) > 0) hits++;
			if (hit && !inside) {
				sum[0] += node.shares[a];
				if (other()) sum[1] += node.shares[b];
			}
			for (const c of node.children) walk(c, inside || hit);
		};
		walk(nodes[0], false);
		const say = (cell, share) => percent(share / unit) + " of " + cells[cell] + " (" + time(share / unit * kind.per_op[cell]) + " per op)";
		part("found").textContent = (hits === 1 ? "1 box matches: " : hits + " boxes match: ") + say(a, sum[0]) + (other() ? "; " + say(b, sum[1]) : "");
	};

	// most lists the functions whose own time differs most.
	const most = () => {
		const list = part("most");
		list.replaceChildren();
		if (!other()) return;
		const own = new Map();
		for (const node of nodes) {
			if (node.row < 0) continue;
			let d = change(node);
			for (const c of node.children) d -= change(c);
			own.set(node.what, (own.get(node.what) || 0) + d);
		}
		const top = [...own].filter(x => Math.abs(x[1]) >= 1).sort((x, y) => Math.abs(y[1]) - Math.abs(x[1])).slice(0, 5);
		if (!top.length) return;
		list.append(create("p", "fine", "Largest differences in the function itself, per op, " + cells[a] + " less " + cells[b] + ":"));
		const ul = create("ul");
		for (const [what, d] of top) {
			const li = create("li");
			li.append(create("b", "", signed(d, time)), " ", create("code", "", what.name));
			ul.append(li);
		}
		list.append(ul);
	};

	const choose = () => {
		const next = +part("kind").value, changed = nodes !== trees[next];
		kind = flames.kinds[next];
		nodes = trees[next];
		[a, b] = [+part("a").value, +(part("b")?.value ?? -1)];
		if (changed || weight(zoom) === 0) zoom = focus = nodes[0];
		draw();
	};
	const point = node => {
		focus = node;
		for (const e of shown.values()) e.tabIndex = -1;
		const e = shown.get(node);
		e.tabIndex = 0;
		e.focus({preventScroll: false});
	};
	const into = node => {
		zoom = focus = node;
		draw();
		if (shown.has(focus)) point(focus);
	};
	const whole = () => {
		const at = zoom;
		zoom = nodes[0];
		draw();
		if (shown.has(at)) point(at);
	};
	// beside is the next box of the same row, to the left or to the right.
	const beside = (node, step) => {
		const peers = [...shown.keys()].filter(n => n.row === node.row);
		return peers[peers.indexOf(node) + step];
	};
	const go = node => {
		if (node && shown.has(node)) point(node);
	};

	tree.addEventListener("click", e => e.target.node && into(e.target.node));
	tree.addEventListener("keydown", e => {
		const node = e.target.node;
		if (!node || e.ctrlKey || e.metaKey || e.altKey) return;
		switch (e.key) {
		case "Enter": case " ": into(node); break;
		case "Escape": whole(); break;
		case "ArrowUp": go(node.parent); break;
		case "ArrowDown": go(node.children.filter(c => shown.has(c)).sort((x, y) => y.width - x.width)[0]); break;
		case "ArrowLeft": go(beside(node, -1)); break;
		case "ArrowRight": go(beside(node, 1)); break;
		case "Home": go(nodes.find(n => shown.has(n))); break;
		default: return;
		}
		e.preventDefault();
	});
	for (const on of ["mouseover", "focusin"]) tree.addEventListener(on, e => {
		if (e.target.node) part("spot").textContent = describe(e.target.node);
	});
	find.addEventListener("input", draw);
	find.addEventListener("keydown", e => {
		if (e.key === "Escape" && find.value) {
			find.value = "";
			draw();
			e.preventDefault();
		}
	});
	out.addEventListener("click", () => {
		whole();
		tree.querySelector("[tabindex='0']")?.focus();
	});
	for (const s of ["kind", "a", "b"]) part(s)?.addEventListener("change", choose);
	addEventListener("resize", draw);

	box.hidden = false;
	box.closest(".workload").classList.add("live");
	choose();
};

for (const box of document.querySelectorAll(".explore")) start(box);
})();
