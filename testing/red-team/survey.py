"""Lists the containers of a server: what their processes may do, what they can write, and where they listen.

Prints a JSON list. Runs as root of the server, whose Python has no packages.
"""

import json
import pathlib
import socket
import struct
import subprocess

CAPABILITIES = (
    "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE "
    "NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN "
    "SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE "
    "MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE"
).split()


def capabilities(mask):
    value = int(mask, 16)
    return [name for bit, name in enumerate(CAPABILITIES) if value >> bit & 1]


def processes(pid):
    """The status of every process in the process namespace of another one."""
    wanted = pathlib.Path(f"/proc/{pid}/ns/pid").readlink()
    for folder in pathlib.Path("/proc").iterdir():
        try:
            if folder.name.isdigit() and (folder / "ns/pid").readlink() == wanted:
                lines = (folder / "status").read_text().splitlines()
                yield dict(line.split(":\t", 1) for line in lines if ":\t" in line)
        except OSError:
            continue  # It has ended.


def privileges(pid):
    """What the processes of a container run as; equal ones once."""
    found = set()
    for status in processes(pid):
        effective = capabilities(status["CapEff"])
        held = capabilities(status["CapBnd"])
        rights = f" {'+'.join(effective)}" if effective else ""
        # What a program with the bit for another user could still get.
        gains = "" if status["NoNewPrivs"] == "1" else f" may gain {'+'.join(held)}"
        unfiltered = "" if status["Seccomp"] == "2" else " every system call"
        found.add(f"uid {status['Uid'].split()[0]}{rights}{gains}{unfiltered}")
    return sorted(found)


# What every container has of its own: devices, shared memory, and what the kernel shows.
USUAL = ("/proc", "/sys", "/dev")


def mounts(pid):
    for line in pathlib.Path(f"/proc/{pid}/mountinfo").read_text().splitlines():
        fields = line.split()
        target, options = fields[4], fields[5].split(",")
        if not (target == "/proc" or target.startswith(tuple(f"{usual}/" for usual in USUAL)) or target in USUAL):
            yield target, options[0]
        elif target.startswith("/sys/fs/cgroup/") and options[0] == "rw":
            yield target, "rw"


# Of /proc/net: a TCP socket that accepts connections, and a UDP socket that is not connected to one other address.
WAITING = {"tcp": "0A", "udp": "07"}
# From here on the kernel gives UDP ports to clients for a moment.
FIRST_OF_CLIENTS = 32768


def listens(pid, protocol):
    """Ports of a protocol (tcp, udp) on which something takes what other machines send."""
    found = set()
    for family, name in ((socket.AF_INET, protocol), (socket.AF_INET6, f"{protocol}6")):
        path = pathlib.Path(f"/proc/{pid}/net/{name}")
        for line in path.read_text().splitlines()[1:] if path.exists() else []:
            local, state = line.split()[1], line.split()[3]
            address, port = local.split(":")
            words = [struct.pack("<I", int(address[at : at + 8], 16)) for at in range(0, len(address), 8)]
            text = socket.inet_ntop(family, b"".join(words)).replace("::ffff:", "")
            if state == WAITING[protocol] and not text.startswith("127.") and text != "::1":
                if protocol == "tcp" or int(port, 16) < FIRST_OF_CLIENTS:
                    found.add(int(port, 16))
    return sorted(found)


def secret_files(pid):
    """Files that the program gives the container; a version's folder is named after its content."""
    root = pathlib.Path(f"/proc/{pid}/root/etc/orion")
    other = pathlib.Path(f"/proc/{pid}/root/etc/orion-postgres")
    found = set()
    for folder in (root, other):
        for path in folder.rglob("*") if folder.is_dir() else []:
            if path.is_file() and not path.is_symlink():
                parts = path.relative_to(f"/proc/{pid}/root").parts
                found.add("/" + "/".join("*" if len(part) == 16 and is_hex(part) else part for part in parts))
    return sorted(found)


def is_hex(text):
    return all(letter in "0123456789abcdef" for letter in text)


def inspected():
    ids = subprocess.run(
        ["docker", "ps", "--quiet", "--filter", "label=service"], capture_output=True, text=True, check=True
    ).stdout.split()
    if not ids:
        return []
    return json.loads(subprocess.run(["docker", "inspect", *ids], capture_output=True, text=True, check=True).stdout)


def describe(one):
    pid = one["State"]["Pid"]
    shown = list(mounts(pid))
    return {
        "service": one["Config"]["Labels"]["service"],
        "kind": one["Config"]["Labels"]["role"],
        "id": one["Id"],
        "pid": pid,
        "networks": sorted(one["NetworkSettings"]["Networks"]),
        "addresses": [network["IPAddress"] for network in one["NetworkSettings"]["Networks"].values()],
        "variables": sorted(entry.split("=")[0] for entry in one["Config"]["Env"]),
        "runs": privileges(pid),
        "root": next(mode for target, mode in shown if target == "/"),
        "writes": sorted(target for target, mode in shown if mode == "rw" and target != "/"),
        "reads": sorted(target for target, mode in shown if mode == "ro" and target != "/"),
        "files": secret_files(pid),
        "listens": listens(pid, "tcp"),
        "listensUdp": listens(pid, "udp"),
    }


print(json.dumps({"containers": [describe(one) for one in inspected()], "listens": listens(1, "tcp"), "listensUdp": listens(1, "udp")}))
