#!/usr/bin/python3
"""docs/status.md and docs/reference.md are what the generator makes of the present tables; UPDATE=1 writes them."""

import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]


def main():
    files = sorted(str(p) for p in (ROOT / "introspection").glob("*.xml"))
    stale = []
    for name in ("status.md", "reference.md"):
        with tempfile.TemporaryDirectory() as folder:
            made = pathlib.Path(folder) / name
            subprocess.run([ROOT / "introspection/generate.py", made, "--drivers", ROOT / "drivers", *files], check=True)
            if made.read_text(encoding="utf-8") != (ROOT / "docs" / name).read_text(encoding="utf-8"):
                stale.append(name)
                if os.environ.get("UPDATE"):
                    (ROOT / "docs" / name).write_text(made.read_text(encoding="utf-8"), encoding="utf-8")
    print("stale: " + ", ".join(stale) if stale else "fresh")
    return 1 if stale and not os.environ.get("UPDATE") else 0


if __name__ == "__main__":
    sys.exit(main())
