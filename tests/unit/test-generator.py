#!/usr/bin/python3
"""The generator against golden files, its complaints, and that a compiler takes what it writes.

UPDATE=1 writes the golden files anew: read the difference.
"""

import os
import pathlib
import re
import subprocess
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = ROOT / "tests/unit/generator"
SOURCE = HERE / "org.libvirt.Domain.xml"
OUTPUTS = ("operations.h", "handlers.h", "interfaces.c", "reference.md", "org.libvirt.Domain.xml")


def generate(output, *files):
    return subprocess.run([ROOT / "introspection/generate.py", output, *files], capture_output=True, text=True, check=False)


class Generator(unittest.TestCase):
    def test_golden(self):
        for name in OUTPUTS:
            with tempfile.TemporaryDirectory() as folder, self.subTest(name):
                made = pathlib.Path(folder) / name
                golden = HERE / f"{name}.golden"
                self.assertEqual(generate(made, SOURCE).stderr, "")
                if os.environ.get("UPDATE"):
                    golden.write_text(made.read_text(encoding="utf-8"), encoding="utf-8")
                self.assertEqual(made.read_text(encoding="utf-8"), golden.read_text(encoding="utf-8"))

    def test_every_annotation_is_missed(self):
        """Without any one of them the build ends with the member's name."""
        lines = SOURCE.read_text(encoding="utf-8").splitlines(keepends=True)
        optional = ("Nullable", "Deprecated", "org.virtbus1.Needs", "org.virtbus1.Object")
        member, tried = None, 0
        for number, line in enumerate(lines):
            found = re.search(r'<(interface|method|property|signal) .*?name="([\w.]+)"', line)
            member = found.group(2) if found else member
            if "<annotation" not in line or any(word in line for word in optional):
                continue
            with tempfile.TemporaryDirectory() as folder, self.subTest(line.strip()):
                source = pathlib.Path(folder) / "source.xml"
                source.write_text("".join(lines[:number] + lines[number + 1:]), encoding="utf-8")
                result = generate(pathlib.Path(folder) / "interfaces.c", source)
                self.assert_refused(result)
                self.assertIn(member.rsplit(".", 1)[-1], result.stderr)
                tried += 1
        self.assertGreater(tried, 20)

    def test_nonsense_is_refused(self):
        for before, after in (('"modify"', '"often"'), ("flags&amp;2", "other&amp;2"), ("domain.frob", "frob"),
                              ('value="domain"/>\n    <annotation name="org.gtk', 'value="spoon"/>\n    <annotation name="org.gtk'),
                              ("org.virtbus1.Nullable", "org.virtbus1.Nulable"), ('access="readwrite"', 'access="write"'),
                              ('"isGood" direction="in"', '"isGood" direction="inn"'),
                              ('type="t" name="size"', 'name="size"'), ('type="t" name="size"', 'type="tt" name="size"'),
                              ('type="a{sv}" name="how"', 'type="a{vs}" name="how"'),
                              ('type="a{sv}" name="how"', 'type="a(sv" name="how"'),
                              ('type="a{sv}" name="how"', 'type="a{sv}" name="how" direction="in"'),
                              ('type="s" name="Name"', 'type="" name="Name"'),
                              ("<signal", "<signals"), ('"domain.frob"', '"network.frob"'),
                              ('Needs" value="domain.frob"', 'Needs" value="network.frob"'),
                              ('Handler" value="domain_find"', 'Operation" value="domain.find"')):
            text = SOURCE.read_text(encoding="utf-8")
            self.assertIn(before, text)
            with tempfile.TemporaryDirectory() as folder, self.subTest(after):
                source = pathlib.Path(folder) / "source.xml"
                text = text.replace(before, after, 1).replace("</signal>", "</signals>" if "<signals" in after else "</signal>")
                source.write_text(text, encoding="utf-8")
                self.assert_refused(generate(pathlib.Path(folder) / "interfaces.c", source))

    def assert_refused(self, result):
        """With one line for the author, not by falling over."""
        self.assertEqual(result.returncode, 1)
        self.assertRegex(result.stderr, r"\Agenerate\.py: [^\n]*\n\Z")

    def test_members_are_there_once(self):
        text = SOURCE.read_text(encoding="utf-8")
        for kind in ("method", "property", "signal"):
            element = re.search(rf" *<{kind}.*?</{kind}>\n", text, re.S).group(0)
            with tempfile.TemporaryDirectory() as folder, self.subTest(kind):
                source = pathlib.Path(folder) / "source.xml"
                source.write_text(text.replace(element, element * 2), encoding="utf-8")
                result = generate(pathlib.Path(folder) / "interfaces.c", source)
                self.assert_refused(result)
                self.assertIn("twice", result.stderr)

    def test_installed_documentation(self):
        """What other programs get says the same of each member as the source, also of a method and a signal of one name."""
        def texts(path):
            return {(i.get("name"), m.tag, m.get("name")): [a.get("value") for a in m if a.get("name", "").endswith("DocString")]
                    for i in ElementTree.parse(path).getroot() for m in [i, *i] if m.get("name") and m.tag != "annotation"}
        with tempfile.TemporaryDirectory() as folder:
            sources = sorted((ROOT / "introspection").glob("*.xml"))
            self.assertGreater(len(sources), 10)
            for source in sources:
                made = pathlib.Path(folder) / source.name
                self.assertEqual(generate(made, source).stderr, "")
                self.assertEqual(texts(made), texts(source))
                self.assertNotIn("org.virtbus1.Action", made.read_text(encoding="utf-8"))

    def test_it_compiles(self):
        flags = subprocess.run(["pkg-config", "--cflags", "glib-2.0", "libsystemd"], capture_output=True,
                               text=True, check=True).stdout.split()
        with tempfile.TemporaryDirectory() as folder:
            for name in ("operations.h", "handlers.h", "interfaces.c"):
                self.assertEqual(generate(pathlib.Path(folder) / name, SOURCE).stderr, "")
            for compiler in ("gcc", "clang"):
                result = subprocess.run(
                    [compiler, "-std=gnu17", "-D_GNU_SOURCE", "-fsyntax-only", "-Wall", "-Wextra", "-Werror",
                     "-Wno-missing-field-initializers", f"-I{folder}", f"-I{ROOT}/service", f"-I{ROOT}", *flags,
                     pathlib.Path(folder) / "interfaces.c"], capture_output=True, text=True, check=False)
                self.assertEqual(result.stderr, "")


if __name__ == "__main__":
    unittest.main()
