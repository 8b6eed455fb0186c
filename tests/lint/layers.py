#!/usr/bin/python3
"""layers.py BUILD: who may reach whom.

Two rules, for every C file of service/ and drivers/ (generated files are tables of pointers and left out):
- No call cycles: no two files reach each other.  Read from the symbols of BUILD's object files, so that a pointer to a
  function counts as a call.
- Layers only include downward, and sd-bus is included by bus/, auth/ and core/await alone.
"""

import collections
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Which layers each may include; its own is always allowed.
ALLOWED = {
    "core": set(),
    "model": {"core"},
    "contract": {"model", "core"},
    "auth": {"core"},
    "bus": {"auth", "model", "core", "contract"},
    "drivers": {"model", "core", "contract"},
    "top": {"bus", "auth", "model", "core", "contract", "drivers"},
}
# main.c and manager.c put everything together.
TOP = {"service/main.c", "service/manager.c", "service/manager.h"}
SD_BUS = re.compile(r"^service/(bus|auth)/|^service/core/await\.[ch]$")


def layer_of(path):
    if path in TOP:
        return "top"
    if path.startswith("drivers/"):
        return "drivers"
    found = re.match(r"service/(core|model|auth|bus)/", path)
    return found.group(1) if found else "contract"  # driver.h, config.h, objects/


def sources():
    for folder in ("service", "drivers"):
        yield from sorted(p for p in (ROOT / folder).rglob("*.[ch]"))


def include_target(include):
    for prefix in ("service", "."):
        path = ROOT / prefix / include
        if path.exists():
            return str(path.relative_to(ROOT))
    return None  # generated, or the system's


def check_includes():
    problems = []
    for source in sources():
        path = str(source.relative_to(ROOT))
        layer = layer_of(path)
        for include in re.findall(r'^#include ["<]([^">]+)[">]', source.read_text(encoding="utf-8"), re.M):
            if include.startswith("systemd/sd-bus") and not SD_BUS.match(path):
                problems.append(f"{path}: includes sd-bus, which only bus/, auth/ and core/await do")
            target = include_target(include)
            if target and layer_of(target) != layer and layer_of(target) not in ALLOWED[layer]:
                problems.append(f"{path}: {layer} includes {target} of {layer_of(target)}")
    return problems


def symbols(build):
    """file -> (defined, needed), by the object files of the daemon's libraries."""
    found = {}
    for unit in sorted(pathlib.Path(build).rglob("*.c.o")):
        name = unit.name[:-2]
        source = next((str(s.relative_to(ROOT)) for s in sources()
                       if name == str(s.relative_to(ROOT)).replace("/", "_")
                       or name == str(s.relative_to(ROOT)).split("/", 1)[1].replace("/", "_")
                       and unit.parent.parent.name == str(s.relative_to(ROOT)).split("/", 1)[0]), None)
        if not source or not source.endswith(".c"):
            continue
        defined, needed = set(), set()
        output = subprocess.run(["nm", str(unit)], capture_output=True, text=True, check=True).stdout
        for line in output.splitlines():
            kind, symbol = line.split()[-2:]
            if kind == "U":
                needed.add(symbol)
            elif kind in "TDBR":
                defined.add(symbol)
        found[source] = (defined, needed)
    return found


def call_graph(units):
    owner = {symbol: source for source, (defined, _) in units.items() for symbol in defined}
    return {source: {owner[s] for s in needed if s in owner and owner[s] != source}
            for source, (_, needed) in units.items()}


def components(graph):
    """Strongly connected ones of more than one file (Tarjan, without recursion)."""
    index, low, on_stack, stack, result = {}, {}, set(), [], []
    for root in graph:
        if root in index:
            continue
        work = [(root, iter(sorted(graph[root])))]
        index[root] = low[root] = len(index)
        stack.append(root)
        on_stack.add(root)
        while work:
            node, edges = work[-1]
            for target in edges:
                if target not in index:
                    index[target] = low[target] = len(index)
                    stack.append(target)
                    on_stack.add(target)
                    work.append((target, iter(sorted(graph[target]))))
                    break
                if target in on_stack:
                    low[node] = min(low[node], index[target])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    component = []
                    while not component or component[-1] != node:
                        component.append(stack.pop())
                        on_stack.discard(component[-1])
                    if len(component) > 1:
                        result.append(sorted(component))
    return result


def main():
    problems = check_includes()
    units = symbols(sys.argv[1])
    if not units:
        problems.append(f"{sys.argv[1]} has no object files: build first")
    graph = call_graph(units)
    for component in components(graph):
        inside = collections.defaultdict(set)
        for source in component:
            inside[source] = graph[source] & set(component)
        problems.append("call cycle: " + "; ".join(f"{s} -> {', '.join(sorted(inside[s]))}" for s in component))
    for problem in problems:
        print(problem)
    print(f"{len(units)} files, {sum(map(len, graph.values()))} edges, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
