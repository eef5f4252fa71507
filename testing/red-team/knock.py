"""Tries to connect from several places of a server at once, and prints what was accepted as JSON.

Input: {"places": {name: [words before a program that runs there]}, "targets": ["address:port"], "trap": "address:port" or null}.
Runs as root of the server. The trap is an address that the server gets for that time, with the port open: nothing else answers
there, and only what answers can be seen to be out of reach.
"""

import json
import socket
import subprocess
import sys

KNOCK = """
import errno, selectors, socket, sys, time
def knock(targets):
    waiting = selectors.DefaultSelector()
    for target in targets:
        address, port = target.rsplit(":", 1)
        one = socket.socket()
        one.setblocking(False)
        if one.connect_ex((address, int(port))) in (0, errno.EINPROGRESS):
            waiting.register(one, selectors.EVENT_WRITE, target)
    end = time.monotonic() + 3
    while waiting.get_map() and time.monotonic() < end:
        for key, _ in waiting.select(0.2):
            if key.fileobj.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0:
                print(key.data)
            waiting.unregister(key.fileobj)
            key.fileobj.close()
    for key in list(waiting.get_map().values()):
        key.fileobj.close()

targets = sys.stdin.read().split()
# A process may have 1024 sockets.
for at in range(0, len(targets), 900):
    knock(targets[at:at + 900])
"""



def knock_from(places, targets):
    running = {
        place: subprocess.Popen(
            [*words, "python3", "-c", KNOCK], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for place, words in places.items()
    }
    for process in running.values():
        process.stdin.write("\n".join(targets))
        process.stdin.close()
    accepted = {place: process.stdout.read().split() for place, process in running.items()}
    failed = [place for place, process in running.items() if process.wait() != 0]
    if failed:
        sys.exit(f"could not be tried from {', '.join(failed)}")
    return accepted


def with_trap(trap, act):
    if trap is None:
        return act()
    address, port = trap.split(":")
    change = lambda what: subprocess.run(["ip", "address", what, f"{address}/32", "dev", "lo"], check=True)
    change("add")
    try:
        with socket.create_server((address, int(port)), backlog=128):
            return act()
    finally:
        change("del")


asked = json.load(sys.stdin)
print(json.dumps(with_trap(asked["trap"], lambda: knock_from(asked["places"], asked["targets"]))))
