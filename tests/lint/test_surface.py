#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The org.libvirt interfaces are exactly those of surface.tsv, whose columns say what clients and administrators rely
on: types, argument names, announcements and rights.  Where the tables of the existing API lie beside the repository
(shared/facts), surface.tsv itself is held against them, so that the two cannot be wrong together.

UPDATE=1 writes surface.tsv from the introspection files: read the difference.
"""

import collections
import csv
import os
import pathlib
import re
import subprocess
import xml.etree.ElementTree as ElementTree

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests/lint/surface.tsv"
FILES = sorted((ROOT / "introspection").glob("org.libvirt.*.xml"))
FACTS = next((p for p in (up / "shared/facts" for up in ROOT.parents) if p.is_dir()), None)
COLUMNS = ("interface", "kind", "name", "in", "out", "in_args", "out_args", "access", "emits", "nullable", "action",
           "set_action")
EXPECTED_COUNTS = {"method": 195, "property": 37, "signal": 28}
DOC = "org.gtk.GDBus.DocString"
DOC_MIN = 30

# Where we ask for something else than the existing API, and why.
OWN_RIGHTS = {
    ("org.libvirt.StoragePool", "StorageVolLookupByName"): (
        "none", "bus/find.c looks whether the caller sees the volume that was found"),
    ("org.libvirt.StoragePool", "StorageVolCreateXMLFrom"): (
        "storage-vol.create", "the handler asks storage-vol.getattr and storage-vol.data-read about the other volume"),
    ("org.libvirt.Connect", "Encrypted"): ("connect.getattr", "the existing API asks for nothing"),
    ("org.libvirt.Connect", "Secure"): ("connect.getattr", "the existing API asks for nothing"),
    ("org.libvirt.Domain", "GetEmulatorPinInfo"): ("domain.read", "of the host only the number of processors shows"),
    ("org.libvirt.Domain", "GetIOThreadInfo"): ("domain.read", "of the host only the number of processors shows"),
    ("org.libvirt.Domain", "GetVcpuPinInfo"): ("domain.read", "of the host only the number of processors shows"),
    ("org.libvirt.Domain", "GetStats"): ("domain.read", "a list of one; the existing API filters lists by this"),
    ("org.libvirt.Domain", "MigrateToURI3"): ("domain.migrate", "made of calls that ask for this"),
}
# Attributes that the existing API hands out with the object itself.
WITH_THE_OBJECT = {"Id", "Name", "UUID", "MAC", "Key", "UsageID", "UsageType"}


def annotations(element):
    return {a.get("name"): a.get("value") for a in element.findall("annotation")}


def arguments(element, direction, default):
    return [a for a in element.findall("arg") if a.get("direction", default) == direction]


def row_of(interface, element):
    """One line of surface.tsv; "-" stands for nothing, as an empty column is easily lost."""
    notes = annotations(element)
    ins = arguments(element, "in", "in") if element.tag == "method" else []
    outs = [] if element.tag == "property" else arguments(element, "out", "in" if element.tag == "method" else "out")
    row = {
        "interface": interface.get("name"), "kind": element.tag, "name": element.get("name"),
        "in": "".join(a.get("type") for a in ins),
        "out": element.get("type") or "".join(a.get("type") for a in outs),
        "in_args": ", ".join(f"{a.get('type')} {a.get('name')}" for a in ins),
        "out_args": ", ".join(f"{a.get('type')} {a.get('name')}" for a in outs),
        "access": element.get("access"),
        "emits": notes.get("org.freedesktop.DBus.Property.EmitsChangedSignal"),
        "nullable": " ".join(a.get("name") for a in ins if "org.virtbus1.Nullable" in annotations(a)),
        "action": notes.get("org.virtbus1.Action"), "set_action": notes.get("org.virtbus1.SetAction"),
    }
    return {column: row[column] or "-" for column in COLUMNS}


def members_of(paths):
    """(row, documentation) of every member."""
    return [(row_of(interface, element), annotations(element).get(DOC, ""))
            for path in paths for interface in ElementTree.parse(path).getroot().findall("interface")
            for element in interface if element.tag in EXPECTED_COUNTS]


def key_of(row):
    return row["interface"], row["kind"], row["name"]


def read_table(path):
    with open(path, encoding="utf-8", newline="") as f:
        return list(csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE))


def differences(found, expected, columns=COLUMNS):
    """What is missing, too much or different, as texts."""
    found, expected = ({key_of(row): row for row in rows} for rows in (found, expected))
    problems = [f"{'.'.join(k)} is missing" for k in sorted(expected.keys() - found.keys())]
    problems += [f"{'.'.join(k)} does not belong" for k in sorted(found.keys() - expected.keys())]
    problems += [f"{'.'.join(k)}: {column} is '{found[k][column]}', not '{expected[k][column]}'"
                 for k in sorted(found.keys() & expected.keys()) for column in columns
                 if found[k][column] != expected[k][column]]
    return problems


MEMBERS = members_of(FILES)
ROWS = [row for row, _ in MEMBERS]


def test_golden():
    if os.environ.get("UPDATE"):
        lines = ["\t".join(COLUMNS)] + ["\t".join(row[c] for c in COLUMNS) for row in ROWS]
        GOLDEN.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert differences(ROWS, read_table(GOLDEN)) == []
    assert collections.Counter(row["kind"] for row in ROWS) == EXPECTED_COUNTS
    assert len({key_of(row) for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize("old, new, complaint", [
    (r'<method name="Reset">.*?</method>', "", "org.libvirt.Domain.method.Reset is missing"),
    (r'<method name="Reset">', '<method name="Rest">', "org.libvirt.Domain.method.Rest does not belong"),
    (r'type="t" name="downtime"', 'type="u" name="downtime"', "MigrateSetMaxDowntime: in is 'uu', not 'tu'"),
    (r'name="downtime"', 'name="pause"', "in_args is 't pause, u flags', not 't downtime, u flags'"),
    (r'value="domain.reset"', 'value="domain.read"', "Reset: action is 'domain.read', not 'domain.reset'"),
    (r'value="const"', 'value="true"', "UUID: emits is 'true', not 'const'"),
    (r'access="readwrite"', 'access="read"', "Autostart: access is 'read', not 'readwrite'"),
])
def test_differences_are_noticed(tmp_path, old, new, complaint):
    text = (ROOT / "introspection/org.libvirt.Domain.xml").read_text(encoding="utf-8")
    changed, count = re.subn(old, new, text, count=1, flags=re.S)
    assert count == 1
    path = tmp_path / "org.libvirt.Domain.xml"
    path.write_text(changed, encoding="utf-8")
    found = [row for row, _ in members_of([path])]
    expected = [row for row in read_table(GOLDEN) if row["interface"] == "org.libvirt.Domain"]
    assert [p for p in differences(found, expected) if complaint in p]


def test_documentation():
    problems = [f"{'.'.join(key_of(row))} is documented in {len(doc)} characters" for row, doc in MEMBERS
                if len(doc) < DOC_MIN]
    problems += [f"{'.'.join(key_of(row))} does not say which flags it takes" for row, doc in MEMBERS
                 if "u flags" in row["in_args"].split(", ") and not re.search(r"\bflags?\b", doc, re.I)]
    assert problems == []


def test_documentation_differs():
    """The same words for two members say of neither what is particular."""
    by_words = collections.defaultdict(list)
    for row, doc in MEMBERS:
        by_words[" ".join(re.findall(r"\w+", doc.lower()))].append(".".join(key_of(row)))
    assert [names for names in by_words.values() if len(names) > 1] == []


def test_generator_takes_them(tmp_path):
    for output in ("operations.h", "handlers.h", "interfaces.c", "reference.md"):
        made = subprocess.run([ROOT / "introspection/generate.py", tmp_path / output,
                               *sorted((ROOT / "introspection").glob("*.xml"))],
                              capture_output=True, text=True, check=False)
        assert (made.returncode, made.stderr) == (0, "")


# --- against the tables of the existing API ---

needs_facts = pytest.mark.skipif(FACTS is None, reason="no shared/facts lie beside the repository")


def fact_row(fact):
    """A line of the existing API's table in our columns; its headings explain themselves after the first word."""
    column = {name.split()[0]: value for name, value in fact.items()}
    is_property = column["kind"] == "property"
    notes = column["notes"] or ""
    nulls = re.search(r"NULL as (.*?) argument", notes)
    emits = re.search(r"EmitsChangedSignal=(\w+)", notes)
    return {
        "interface": column["interface"], "kind": column["kind"], "name": column["name"],
        "in": column["in_sig"], "out": column["out_sig"],
        "in_args": "-" if is_property else column["in_args"], "out_args": column["out_args"],
        "access": column["in_args"] if is_property else "-",
        "emits": emits.group(1) if emits else "-",
        "nullable": " ".join(re.findall(r"@(\w+)", nulls.group(1))) if nulls else "-",
        "calls": column["libvirt_c"].split("/"),
    }


@needs_facts
def test_existing_surface():
    facts = [fact_row(fact) for fact in read_table(FACTS / "surface.tsv")]
    assert differences(ROWS, facts, [c for c in COLUMNS if "action" not in c]) == []


def existing_rights():
    """C function -> {(action, condition)} of the existing API."""
    rights = collections.defaultdict(set)
    for line in read_table(FACTS / "acl.tsv"):
        for call in line["api_calls"].split(","):
            name, condition = re.fullmatch(r"\s*(\w+)\s*(.*?)\s*", call).groups()
            if not condition.startswith("(filter"):
                rights[name].add((line["polkit_action"].removeprefix("org.libvirt.api."), condition))
    return rights


def asked(text):
    """{action: [condition]} of an annotation; "" is no condition."""
    result = collections.defaultdict(list)
    for part in text.split(";"):
        condition, _, action = part.rpartition(":")
        result[action.strip()].append(condition.strip())
    return result


def expected_actions(row, calls, rights):
    where = row["interface"], row["name"]
    if where in OWN_RIGHTS:
        return {OWN_RIGHTS[where][0]}
    own = re.sub(r"(?<=[a-z])([A-Z])", r"-\1", row["interface"].rsplit(".", 1)[1]).lower()
    if row["kind"] == "property" and row["name"] in WITH_THE_OBJECT:
        return {f"{own}.getattr"}
    if row["interface"] == "org.libvirt.Connect" and "LookupBy" in row["name"] and "SCSI" not in row["name"]:
        return {"connect.getattr"}  # bus/find.c looks whether the caller sees what was found
    return {action for call in calls for action, _ in rights[call]}


@needs_facts
def test_existing_rights():
    rights, problems = existing_rights(), []
    for fact in map(fact_row, read_table(FACTS / "surface.tsv")):
        row = next((r for r in ROWS if key_of(r) == key_of(fact)), None)
        if row is None or row["kind"] == "signal":
            continue
        found = set(asked(row["action"])) | (set(asked(row["set_action"])) - {"-"})
        expected = expected_actions(row, fact["calls"], rights)
        if found != expected:
            problems.append(f"{'.'.join(key_of(row))} asks for {sorted(found)}, not {sorted(expected)}")
    assert problems == []


@needs_facts
def test_existing_conditions():
    """Neither affect bit means the state that counts now, which may be the stored one: as much as asking for it."""
    rights, problems, checked = existing_rights(), [], 0
    for fact in map(fact_row, read_table(FACTS / "surface.tsv")):
        row = next((r for r in ROWS if key_of(r) == key_of(fact)), None)
        saves = {action for call in fact["calls"] for action, condition in rights[call]
                 if condition.startswith("[if !") and "AFFECT" in condition}
        if row is None or not saves:
            continue
        checked += 1
        for action in saves:
            conditions = asked(row["action"])[action]
            if "flags&2" not in conditions or "flags=0" not in conditions:
                problems.append(f"{'.'.join(key_of(row))} asks for {action} only if {conditions}")
    assert problems == []
    assert checked >= 18
