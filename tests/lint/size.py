#!/usr/bin/python3
"""Files aim at 300 lines and stop at 700, functions stop at 80 (definitions to test with may be longer): prints the largest, fails above."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
FILE_MAX, FUNCTION_MAX = 700, 80


def functions(lines):
    """(name, length) of what begins at the margin and whose body is between braces at the margin."""
    start = name = None
    for number, line in enumerate(lines, 1):
        head = re.match(r"[A-Za-z_].*?([A-Za-z_]\w*)\(", line)
        if head and not line.rstrip().endswith(";"):
            start, name = number, head.group(1)
        elif line.startswith("{") and start is None:
            start = None
        elif line.startswith("}") and start is not None:
            if line.strip() == "}":
                yield name, number - start + 1
            start = None


def main():
    problems, largest, longest = [], (0, ""), (0, "")
    for folder in ("service", "drivers", "introspection", "tests", "polkit"):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix not in (".c", ".h", ".py") or not path.is_file():
                continue
            name = path.relative_to(ROOT)
            lines = path.read_text(encoding="utf-8").splitlines()
            largest = max(largest, (len(lines), str(name)))
            if len(lines) > FILE_MAX:
                problems.append(f"{name}: {len(lines)} lines")
            if path.suffix == ".py":
                continue
            for function, length in functions(lines):
                longest = max(longest, (length, f"{name}: {function}()"))
                if length > FUNCTION_MAX and folder != "tests":
                    problems.append(f"{name}: {function}() has {length} lines")
    for problem in problems:
        print(problem)
    print(f"largest file: {largest[1]}, {largest[0]} lines; longest function: {longest[1]}, {longest[0]} lines")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
