#!/usr/bin/python3
"""The org.libvirt interfaces have exactly the members and signatures of surface.tsv, and each is documented."""

import csv
import pathlib
import sys
import xml.etree.ElementTree as ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOC = "org.gtk.GDBus.DocString"


def signature(element, direction, default):
    return "".join(a.get("type") for a in element.findall("arg") if a.get("direction", default) == direction)


def members(path):
    for interface in ElementTree.parse(path).getroot().findall("interface"):
        for element in interface:
            if element.tag == "method":
                types = signature(element, "in", "in"), signature(element, "out", "in")
            elif element.tag == "signal":
                types = "", signature(element, "out", "out")
            elif element.tag == "property":
                types = "", element.get("type")
            else:
                continue
            doc = next((a.get("value") for a in element.findall("annotation") if a.get("name") == DOC), "")
            yield (interface.get("name"), element.tag, element.get("name")), types, doc


def main():
    with open(ROOT / "tests/lint/surface.tsv", encoding="utf-8", newline="") as f:
        expected = {(r["interface"], r["kind"], r["name"]): (r["in"].strip("-"), r["out"].strip("-"))
                    for r in csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE)}
    found, problems = {}, []
    for path in sorted((ROOT / "introspection").glob("org.libvirt.*.xml")):
        for key, types, doc in members(path):
            found[key] = types
            if len(doc) < 8:
                problems.append(f"{'.'.join(key)} has no documentation")
    problems += [f"{'.'.join(key)} is missing" for key in sorted(set(expected) - set(found))]
    problems += [f"{'.'.join(key)} does not belong" for key in sorted(set(found) - set(expected))]
    problems += [f"{'.'.join(key)} has {found[key]}, not {expected[key]}" for key in sorted(set(found) & set(expected))
                 if found[key] != expected[key]]
    print("\n".join(problems))
    counts = {kind: sum(k[1] == kind for k in found) for kind in ("method", "property", "signal")}
    print(counts)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
