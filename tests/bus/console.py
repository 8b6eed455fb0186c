"""A person at a guest's console: reads and writes the descriptor that OpenConsole passed."""

import os
import re
import select
import time

from harness import SCALE, TimeoutExpired

PROMPT = rb"root@guest:[^ ]*# "


class Console:
    def __init__(self, fd):
        self.fd = fd
        self.text = b""
        os.set_blocking(fd, False)

    def expect(self, pattern, timeout=30.0):
        """Reads until the pattern was seen; the match.  What is before and in it is taken out."""
        deadline = time.monotonic() + timeout * SCALE
        while not (match := re.search(pattern, self.text, re.S)):
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.fd], [], [], left)[0]:
                raise TimeoutExpired(f"no {pattern} on the console in {timeout} s, but {self.text[-500:]}")
            try:
                data = os.read(self.fd, 65536)
            except BlockingIOError:
                continue
            if not data:
                raise TimeoutExpired(f"the console ended before {pattern}, after {self.text[-500:]}")
            self.text += data
        self.text = self.text[match.end():]
        return match

    def write(self, text):
        os.write(self.fd, text.encode())

    def run(self, command, timeout=20.0):
        """What a command prints in the guest's shell, whose prompt has to be there already."""
        self.write(command + "\n")
        self.expect(re.escape(command.encode()) + rb"\r*\n", timeout)
        return self.expect(rb"(.*?)" + PROMPT, timeout)[1].decode(errors="replace").replace("\r", "").strip()

    def wait_ready(self, timeout=60.0):
        """(uptime, boot id) of the guest, once it is up and has its prompt."""
        match = self.expect(rb"GUEST-READY uptime=([0-9.]+) boot_id=([0-9a-f-]{36})", timeout)
        self.expect(PROMPT)
        return float(match[1]), match[2].decode()

    def close(self):
        os.close(self.fd)
