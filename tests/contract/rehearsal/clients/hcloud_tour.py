"""A tour of the emulated Hetzner Cloud with `hcloud`, the vendor's command line, as Debian packages it."""

import json
import os
import subprocess
import sys

folder, own = sys.argv[1:3]
# Its settings are read from a file, if there is one.
environment = {**os.environ, "HCLOUD_CONFIG": f"{own}/none.toml", "HOME": own}


def hcloud(*words, code=0):
    done = subprocess.run(["hcloud", "--poll-interval", "20ms", *words], capture_output=True, text=True, env=environment)
    if done.returncode != code:
        raise SystemExit(f"hcloud {' '.join(words)}: code {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout if code == 0 else done.stderr


def shown(kind, name):
    return json.loads(hcloud(kind, "describe", name, "-o", "json"))


def column(kind, what, *words):
    return hcloud(kind, "list", "-o", "noheader", "-o", f"columns={what}", *words).split()


def same(what, got, wanted):
    if got != wanted:
        raise SystemExit(f"{what}: got {got!r}, expected {wanted!r}")


def refused(what, code, *words):
    said = hcloud(*words, code=1)
    if f"({code})" not in said:
        raise SystemExit(f"{what}: {said!r} does not have {code}")


# What is for sale. `describe` shows prices of every type.
same("locations", column("location", "name"), ["fsn1", "nbg1", "hel1", "ash", "hil", "sin"])
same("type", shown("server-type", "cpx22")["id"], 109)
same("prices", "Hourly" in hcloud("server-type", "describe", "cpx22"), True)
same("balancer types", column("load-balancer-type", "name"), ["lb11", "lb21", "lb31"])
same("images", "debian-12" in column("image", "name", "--type", "system"), True)
same("ISO", column("iso", "id"), ["26631"])
refused("data centers", "deprecated_api_endpoint", "datacenter", "list")

# Keys, networks, firewalls.
hcloud("ssh-key", "create", "--name", "key", "--public-key-from-file", f"{folder}/key.pub", "--label", "role=web")
same("keys of a label", column("ssh-key", "name", "--selector", "role=web"), ["key"])
same("keys without it", column("ssh-key", "name", "--selector", "!role"), [])
hcloud("network", "create", "--name", "net", "--ip-range", "10.0.0.0/16")
hcloud("network", "add-subnet", "net", "--type", "cloud", "--network-zone", "eu-central", "--ip-range", "10.0.1.0/24")
refused("an overlapping subnet", "invalid_input", "network", "add-subnet", "net", "--type", "cloud", "--network-zone", "eu-central", "--ip-range", "10.0.1.0/25")
hcloud("network", "add-route", "net", "--destination", "10.99.0.0/16", "--gateway", "10.0.1.9")
same("routes", shown("network", "net")["routes"], [{"destination": "10.99.0.0/16", "gateway": "10.0.1.9"}])
hcloud("network", "remove-route", "net", "--destination", "10.99.0.0/16", "--gateway", "10.0.1.9")
hcloud("network", "enable-protection", "net", "delete")
refused("deletion of what is protected", "protected", "network", "delete", "net")
hcloud("network", "disable-protection", "net", "delete")
hcloud("firewall", "create", "--name", "fire")
hcloud("firewall", "add-rule", "fire", "--direction", "in", "--protocol", "tcp", "--port", "any", "--source-ips", "0.0.0.0/0")
same("port", shown("firewall", "fire")["rules"][0]["port"], "any")

# A server with all of them.
hcloud("placement-group", "create", "--name", "group", "--type", "spread")
hcloud("server", "create", "--name", "web-1", "--type", "cx23", "--image", "debian-12", "--location", "hel1", "--ssh-key", "key", "--firewall", "fire", "--placement-group", "group", "--label", "role=web")
hcloud("server", "attach-to-network", "web-1", "--network", "net", "--ip", "10.0.1.1")
server = shown("server", "web-1")
same("server", [server["status"], server["datacenter"]["name"], server["private_net"][0]["ip"]], ["running", "hel1-dc2", "10.0.1.1"])
same("address", hcloud("server", "ip", "web-1").strip(), server["public_net"]["ipv4"]["ip"])
refused("a name twice", "uniqueness_error", "server", "create", "--name", "web-1", "--type", "cx23", "--image", "debian-12")
refused("a new type while running", "server_not_stopped", "server", "change-type", "web-1", "cx33")
hcloud("server", "poweroff", "web-1")
hcloud("server", "change-type", "--keep-disk", "web-1", "cx33")
same("after", [shown("server", "web-1")["server_type"]["name"], shown("server", "web-1")["status"]], ["cx33", "running"])
hcloud("server", "enable-protection", "web-1", "delete", "rebuild")
refused("deletion of what is protected", "protected", "server", "delete", "web-1")
hcloud("server", "disable-protection", "web-1", "delete", "rebuild")
hcloud("server", "set-rdns", "web-1", "--ip", server["public_net"]["ipv4"]["ip"], "--hostname", "web.example.com")
refused("a snapshot", "not_emulated", "server", "create-image", "web-1", "--type", "snapshot")
same("servers of a label", column("server", "name", "--selector", "role in (web,db)"), ["web-1"])

# Volumes and addresses.
hcloud("volume", "create", "--name", "data", "--size", "10", "--server", "web-1", "--format", "ext4")
refused("deletion while attached", "resource_in_use", "volume", "delete", "data")
hcloud("volume", "resize", "data", "--size", "20")
refused("a smaller volume", "invalid_input", "volume", "resize", "data", "--size", "10")
hcloud("volume", "detach", "data")
same("volume", [shown("volume", "data")["size"], shown("volume", "data")["server"]], [20, None])
hcloud("floating-ip", "create", "--type", "ipv4", "--name", "floating", "--home-location", "hel1")
hcloud("floating-ip", "assign", "floating", "web-1")
same("floating IP", shown("floating-ip", "floating")["server"], server["id"])
hcloud("floating-ip", "unassign", "floating")

# A load balancer.
with open(f"{folder}/certificate.pem") as file:
    same("certificate", "BEGIN" in file.read(), True)
hcloud("certificate", "create", "--name", "own", "--type", "uploaded", "--cert-file", f"{folder}/certificate.pem", "--key-file", f"{folder}/private-key.pem")
same("fingerprint", shown("certificate", "own")["fingerprint"].count(":"), 31)
hcloud("load-balancer", "create", "--name", "lb", "--type", "lb11", "--location", "hel1")
hcloud("load-balancer", "attach-to-network", "lb", "--network", "net", "--ip", "10.0.1.5")
hcloud("load-balancer", "add-target", "lb", "--server", "web-1", "--use-private-ip")
hcloud("load-balancer", "add-service", "lb", "--protocol", "http", "--listen-port", "80", "--destination-port", "8080")
hcloud("load-balancer", "update-service", "lb", "--listen-port", "80", "--health-check-http-path", "/health")
same("service", shown("load-balancer", "lb")["services"][0]["health_check"]["http"]["path"], "/health")
refused("a port twice", "source_port_already_used", "load-balancer", "add-service", "lb", "--protocol", "tcp", "--listen-port", "80", "--destination-port", "80")
hcloud("load-balancer", "remove-target", "lb", "--server", "web-1")
hcloud("load-balancer", "delete-service", "lb", "--listen-port", "80")

# Everything goes.
refused("deletion of a firewall in use", "resource_in_use", "firewall", "delete", "fire")
for kind, name in (("load-balancer", "lb"), ("server", "web-1"), ("certificate", "own"), ("volume", "data"), ("floating-ip", "floating"), ("firewall", "fire"), ("placement-group", "group"), ("network", "net"), ("ssh-key", "key")):
    hcloud(kind, "delete", name)
    same(f"{kind} at the end", column(kind, "id"), [])
