"""What stands where a guest's agent would: at QEMU's socket of the channel, whose QEMU is not asked any more."""

import json
import os
import socket
import threading

CHANNEL = "<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>"


class GuestAgent(threading.Thread):
    """Answers each command by its entry in `answers`: a value, or a function of the arguments.  What it heard is in
    `heard`, as (command, arguments)."""

    def __init__(self, root, answers):
        super().__init__(daemon=True)
        self.answers = answers
        self.heard = []
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        where = next(root.rglob("org.qemu.guest_agent.0"))
        where.unlink()
        here = os.open(where.parent, os.O_PATH)
        self.listener.bind(f"/proc/self/fd/{here}/{where.name}")
        os.close(here)
        self.listener.listen()
        self.start()

    def answer(self, command, arguments):
        if command == "guest-sync":
            return {"return": arguments["id"]}
        self.heard.append((command, arguments))
        if command not in self.answers:
            return {"error": {"class": "CommandNotFound", "desc": f"The command {command} has not been found"}}
        value = self.answers[command]
        return {"return": value(arguments) if callable(value) else value}

    def run(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection, connection.makefile("rw") as lines:
                for line in lines:
                    command = json.loads(line)
                    lines.write(json.dumps(self.answer(command["execute"], command.get("arguments", {}))) + "\n")
                    lines.flush()

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
