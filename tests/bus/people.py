"""Real users at their keyboards: processes that ask, and the agents that polkit shows its questions to."""

import os
import pathlib
import select
import subprocess
import time

from harness import SCALE, TimeoutExpired, wait_exit

HERE = pathlib.Path(__file__).resolve().parent
PYTHON = "/usr/bin/python3"


class Speaker:
    """A child that says things, a line each."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.lines = []
        self.rest = b""

    def _read(self, timeout):
        """Whatever has been said until now, or the first thing said within the time."""
        if not select.select([self.process.stdout], [], [], max(0, timeout))[0]:
            return False
        data = os.read(self.process.stdout.fileno(), 65536)
        *lines, self.rest = (self.rest + data).split(b"\n")
        self.lines.extend(line.decode() for line in lines)
        return bool(data)

    def wait(self, condition, timeout=10.0):
        """Waits until condition(lines) is true; its value."""
        deadline = time.monotonic() + timeout * SCALE
        while not (value := condition(self.lines)):
            left = deadline - time.monotonic()
            if left <= 0 or not self._read(left):
                raise TimeoutExpired(f"{self.process.args[0:3]} said only {self.lines}")
        return value

    def said(self, word):
        while self._read(0):
            pass
        return [line for line in self.lines if line.split(" ")[0] == word]

    def tell(self, text="go"):
        self.process.stdin.write(text.encode() + b"\n")
        self.process.stdin.flush()

    def end(self):
        self.process.kill()
        wait_exit(self.process)
        self.process.stdin.close()
        self.process.stdout.close()


class Asker(Speaker):
    """A process of a user that makes a call with leave to ask; asks when told to."""

    def __init__(self, user, count, *call):
        command = ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups", "--", PYTHON, "-B",
                   str(HERE / "asker.py"), str(count), *call]
        super().__init__(command)
        self.name = self.wait(lambda lines: lines and lines[0].startswith("READY")) and self.lines[0].split()[1]


class Agent(Speaker):
    """The person who is shown the questions about an Asker, and never answers."""

    def __init__(self, asker):
        super().__init__([PYTHON, "-B", str(HERE / "agent.py"), str(asker.process.pid)])
        self.wait(lambda lines: "READY" in lines)
