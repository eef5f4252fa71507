"""A tour of the emulated Hetzner Cloud with the vendor's Python library: each answer is compared with what was asked for."""

import os
import sys

from hcloud import APIException, Client
from hcloud.certificates import Certificate
from hcloud.firewalls import Firewall, FirewallResource, FirewallRule
from hcloud.images import Image
from hcloud.isos import Iso
from hcloud.load_balancer_types import LoadBalancerType
from hcloud.load_balancers import (
    LoadBalancerAlgorithm,
    LoadBalancerHealthCheck,
    LoadBalancerHealthCheckHttp,
    LoadBalancerService,
    LoadBalancerServiceHttp,
    LoadBalancerTarget,
    LoadBalancerTargetIP,
    LoadBalancerTargetLabelSelector,
)
from hcloud.locations import Location
from hcloud.networks import NetworkRoute, NetworkSubnet
from hcloud.server_types import ServerType
from hcloud.servers import ServerCreatePublicNetwork

client = Client(
    token=os.environ["HCLOUD_TOKEN"], api_endpoint=os.environ["HCLOUD_ENDPOINT"], poll_interval=0.05
)
folder = sys.argv[1]
labels = {"role": "web"}
debian = Image(name="debian-12")
small = ServerType(name="cx23")
fsn1 = Location(name="fsn1")


def same(what, got, wanted):
    if got != wanted:
        raise SystemExit(f"{what}: got {got!r}, expected {wanted!r}")


def refused(what, code, call):
    try:
        result = call()
    except APIException as error:
        same(f"{what}: code of the error", error.code, code)
        return
    raise SystemExit(f"{what} was not refused: {result!r}")


def names(resources):
    return [one.name for one in resources]


# What is for sale: by number, by name, in pages.
same("locations", sorted(names(client.locations.get_all())), ["ash", "fsn1", "hel1", "hil", "nbg1", "sin"])
same("location", client.locations.get_by_id(client.locations.get_by_name("hel1").id).city, "Helsinki")
page, meta = client.server_types.get_list(page=1, per_page=2)[:2]
same("page of types", [len(page), meta.pagination.per_page, meta.pagination.next_page], [2, 2, 2])
same("server type", client.server_types.get_by_id(client.server_types.get_by_name("cx23").id).cores, 2)
same("balancer type", client.load_balancer_types.get_by_name("lb11").max_services, 5)
client.load_balancer_types.get_by_id(client.load_balancer_types.get_all()[0].id)
same("images of ARM", {one.architecture for one in client.images.get_all(architecture="arm")}, {"arm"})
image = client.images.get_by_name_and_architecture("debian-12", "x86")
same("image", client.images.get_by_id(image.id).os_flavor, "debian")
isos = client.isos.get_list(per_page=1).isos
same("one ISO", len(isos), 1)
same("ISO", client.isos.get_by_id(isos[0].id).name, isos[0].name)
refused("data centers", "deprecated_api_endpoint", lambda: client.datacenters.get_all())

# SSH keys: the fingerprint is the client's to check, the label selector the cloud's.
with open(f"{folder}/key.pub") as file:
    key = client.ssh_keys.create(name="key", public_key=file.read().strip(), labels=labels)
same("key by fingerprint", client.ssh_keys.get_by_fingerprint(key.fingerprint).id, key.id)
same("keys of a label", names(client.ssh_keys.get_all(label_selector="role=web")), ["key"])
same("keys of no label", client.ssh_keys.get_all(label_selector="role!=web"), [])
same("key by number", client.ssh_keys.get_by_id(key.id).name, "key")
same("key renamed", key.update(name="second").name, "second")
refused("the same key again", "uniqueness_error", lambda: client.ssh_keys.create("other", key.public_key))
refused("no key", "invalid_input", lambda: client.ssh_keys.create("other", "no key"))

# Networks.
network = client.networks.create(
    name="net", ip_range="10.20.0.0/16", subnets=[NetworkSubnet(ip_range="10.20.1.0/24", type="cloud", network_zone="eu-central")], labels=labels
)
same("subnet", network.subnets[0].gateway, "10.20.0.1")
network.add_subnet(NetworkSubnet(ip_range="10.20.2.0/24", type="cloud", network_zone="eu-central")).wait_until_finished()
network.add_route(NetworkRoute(destination="10.99.0.0/16", gateway="10.20.1.2")).wait_until_finished()
network = client.networks.get_by_name("net")
same("subnets", [one.ip_range for one in network.subnets], ["10.20.1.0/24", "10.20.2.0/24"])
same("routes", [one.destination for one in network.routes], ["10.99.0.0/16"])
refused("an overlapping subnet", "invalid_input", lambda: network.add_subnet(NetworkSubnet(ip_range="10.20.1.128/25", type="cloud", network_zone="eu-central")))
refused("a gateway elsewhere", "invalid_input", lambda: network.add_route(NetworkRoute(destination="10.98.0.0/16", gateway="11.0.0.1")))
network.delete_route(network.routes[0]).wait_until_finished()
network.delete_subnet(network.subnets[1]).wait_until_finished()
same("network after both", [len(client.networks.get_by_id(network.id).subnets), client.networks.get_by_id(network.id).routes], [1, []])
network.change_protection(delete=True).wait_until_finished()
refused("deletion of what is protected", "protected", lambda: network.delete())
network.change_protection(delete=False).wait_until_finished()
same("network updated", network.update(labels={"role": "db"}).labels, {"role": "db"})
same("actions of a network", {one.command for one in network.get_actions(sort="id:desc")} >= {"add_subnet", "change_protection"}, True)
same("networks of a label", names(client.networks.get_all(label_selector="role in (db,web)")), ["net"])

# Firewalls.
everywhere = ["0.0.0.0/0", "::/0"]
ssh = FirewallRule(direction="in", protocol="tcp", port="22", source_ips=everywhere, description="ssh")
firewall = client.firewalls.create(name="fire", rules=[ssh], labels=labels).firewall
for action in firewall.set_rules([ssh, FirewallRule(direction="in", protocol="icmp", source_ips=everywhere)]):
    action.wait_until_finished()
same("rules", [(one.protocol, one.port) for one in client.firewalls.get_by_id(firewall.id).rules], [("tcp", "22"), ("icmp", None)])
refused("ICMP with a port", "invalid_input", lambda: firewall.set_rules([FirewallRule(direction="in", protocol="icmp", port="1", source_ips=everywhere)]))
same("firewall by name", client.firewalls.get_by_name("fire").id, firewall.id)

# Servers, with what they hang on.
group = client.placement_groups.create(name="group", type="spread", labels=labels).placement_group
same("group", client.placement_groups.get_by_id(group.id).type, "spread")
made = client.servers.create(
    name="web-1", server_type=small, image=debian, location=fsn1, ssh_keys=[key], labels=labels, networks=[network],
    firewalls=[firewall], placement_group=group, user_data="#cloud-config\n",
)
for action in [made.action, *made.next_actions]:
    action.wait_until_finished()
server = client.servers.get_by_id(made.server.id)
same("server", [server.status, server.server_type.name, server.image.name, server.location.name], ["running", "cx23", "debian-12", "fsn1"])
same("its firewall", [(one.firewall.id, one.status) for one in server.public_net.firewalls], [(firewall.id, "applied")])
same("its network", [one.ip for one in server.private_net], ["10.20.1.1"])
same("its group", client.placement_groups.get_by_name("group").servers, [server.id])
same("root password with a key", made.root_password, None)
same("servers of a label", names(client.servers.get_all(label_selector="role==web")), ["web-1"])
same("servers by status", client.servers.get_all(status=["off"]), [])
same("server by name", client.servers.get_by_name("web-1").id, server.id)
same("no such name", client.servers.get_by_name("web-2"), None)
refused("a name twice", "uniqueness_error", lambda: client.servers.create("web-1", small, debian))
refused("an unknown type", "invalid_input", lambda: client.servers.create("web-2", ServerType(name="cx999"), debian))
refused("a name that is no host's", "invalid_input", lambda: client.servers.create("web_2", small, debian))
refused("a server that does not exist", "not_found", lambda: client.servers.get_by_id(4711))
same("update", client.servers.get_by_id(server.update(name="web-one", labels={}).id).labels, {})
server.update(name="web-1", labels=labels)
server.change_alias_ips(network, ["10.20.1.9"]).wait_until_finished()
same("alias addresses", client.servers.get_by_id(server.id).private_net[0].alias_ips, ["10.20.1.9"])
refused("a smaller type while it runs", "server_not_stopped", lambda: server.change_type(ServerType(name="cx33"), upgrade_disk=False))
address = server.public_net.ipv4.ip
server.change_dns_ptr(address, "web.example.com").wait_until_finished()
same("reverse name", client.servers.get_by_id(server.id).public_net.ipv4.dns_ptr, "web.example.com")
refused("a new password", "not_emulated", lambda: server.reset_password())
refused("metrics", "not_emulated", lambda: server.get_metrics("cpu", "2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z"))
refused("a snapshot", "not_emulated", lambda: server.create_image(type="snapshot"))
refused("a console", "not_emulated", lambda: server.request_console())
server.enable_backup().wait_until_finished()
same("backup window", client.servers.get_by_id(server.id).backup_window is not None, True)
server.disable_backup().wait_until_finished()
server.attach_iso(Iso(id=isos[0].id)).wait_until_finished()
same("ISO in the drive", client.servers.get_by_id(server.id).iso.id, isos[0].id)
server.detach_iso().wait_until_finished()
server.enable_rescue(type="linux64", ssh_keys=[key.id]).action.wait_until_finished()
same("rescue system", client.servers.get_by_id(server.id).rescue_enabled, True)
server.disable_rescue().wait_until_finished()
for act in (server.reboot, server.reset):
    act().wait_until_finished()
server.shutdown().wait_until_finished()
server.power_off().wait_until_finished()
same("off", client.servers.get_by_id(server.id).status, "off")
server.remove_from_placement_group().wait_until_finished()
server.add_to_placement_group(group).wait_until_finished()
same("started by it", client.servers.get_by_id(server.id).status, "running")
server.power_off().wait_until_finished()
server.change_type(ServerType(name="cx33"), upgrade_disk=False).wait_until_finished()
same("type", client.servers.get_by_id(server.id).server_type.name, "cx33")
server.change_protection(delete=True, rebuild=True).wait_until_finished()
refused("rebuild of what is protected", "protected", lambda: server.rebuild(image=debian))
server.change_protection(delete=False, rebuild=False).wait_until_finished()
server.rebuild(image=debian).action.wait_until_finished()
same("actions of the server", server.get_actions(status=["error"]), [])
same("its first action", server.get_actions(sort=["id"])[0].command, "create_server")

# Volumes.
made = client.volumes.create(size=10, name="data", location=fsn1, format="ext4", labels=labels)
made.action.wait_until_finished()
volume = made.volume
volume.attach(server, automount=False).wait_until_finished()
volume = client.volumes.get_by_id(volume.id)
same("volume", [volume.server.id, volume.size, volume.format, volume.linux_device], [server.id, 10, "ext4", f"/dev/disk/by-id/scsi-0HC_Volume_{volume.id}"])
same("volumes of the server", [one.id for one in client.servers.get_by_id(server.id).volumes], [volume.id])
refused("deletion while attached", "resource_in_use", lambda: volume.delete())
volume.resize(20).wait_until_finished()
refused("a smaller volume", "invalid_input", lambda: volume.resize(10))
volume.detach().wait_until_finished()
same("volume after", [client.volumes.get_by_name("data").size, client.volumes.get_by_name("data").server], [20, None])
same("volumes by status", names(client.volumes.get_all(status=["available"])), ["data"])
same("volume updated", volume.update(name="files").name, "files")
volume.change_protection(delete=True).wait_until_finished()
refused("deletion of a protected volume", "protected", lambda: volume.delete())
volume.change_protection(delete=False).wait_until_finished()

# Addresses.
primary = client.primary_ips.create(type="ipv4", name="address", location=fsn1, assignee_type="server", auto_delete=False, labels=labels).primary_ip
same("primary IP", [client.primary_ips.get_by_id(primary.id).assignee_id, primary.type], [None, "ipv4"])
refused("assignment to a server that has one", "server_has_ipv4", lambda: primary.assign(server.id, "server"))
same("by address", [one.id for one in client.primary_ips.get_list(ip=primary.ip).primary_ips], [primary.id])
primary.change_dns_ptr(primary.ip, "one.example.com").wait_until_finished()
same("its reverse name", client.primary_ips.get_by_name("address").dns_ptr[0]["dns_ptr"], "one.example.com")
same("primary IP updated", primary.update(auto_delete=True).auto_delete, True)
primary.change_protection(delete=True).wait_until_finished()
refused("deletion of a protected address", "protected", lambda: primary.delete())
primary.change_protection(delete=False).wait_until_finished()
floating = client.floating_ips.create(type="ipv4", home_location=fsn1, name="floating", description="probe", labels=labels).floating_ip
floating.assign(server).wait_until_finished()
same("floating IP", client.floating_ips.get_by_id(floating.id).server.id, server.id)
floating.change_dns_ptr(floating.ip, "floating.example.com").wait_until_finished()
floating.unassign().wait_until_finished()
same("after", client.floating_ips.get_by_name("floating").server, None)
same("description", floating.update(description="changed").description, "changed")
floating.change_protection(delete=False).wait_until_finished()

# Certificates and load balancers.
with open(f"{folder}/certificate.pem") as certificate, open(f"{folder}/private-key.pem") as private:
    certificate = client.certificates.create(name="own", certificate=certificate.read(), private_key=private.read(), labels=labels)
same("certificate", client.certificates.get_by_id(certificate.id).domain_names, ["probe.example.com"])
same("by name", client.certificates.get_by_name("own").fingerprint.count(":"), 31)
refused("a managed one", "not_emulated", lambda: client.certificates.create_managed("managed", ["example.com"]))
same("certificate updated", certificate.update(name="mine").name, "mine")
http = LoadBalancerService(
    protocol="http", listen_port=80, destination_port=8080, proxyprotocol=False,
    health_check=LoadBalancerHealthCheck(protocol="http", port=8080, interval=15, timeout=10, retries=3, http=LoadBalancerHealthCheckHttp(path="/health", status_codes=["2??"], tls=False)),
    http=LoadBalancerServiceHttp(sticky_sessions=True, cookie_name="A", cookie_lifetime=300),
)
made = client.load_balancers.create(
    name="lb", load_balancer_type=LoadBalancerType(name="lb11"), location=fsn1, labels=labels, services=[http],
    algorithm=LoadBalancerAlgorithm(type="round_robin"),
)
made.action.wait_until_finished()
balancer = made.load_balancer
same("balancer", [client.load_balancers.get_by_id(balancer.id).services[0].http.cookie_name, client.load_balancers.get_by_name("lb").id], ["A", balancer.id])
balancer.attach_to_network(network, ip="10.20.1.5").wait_until_finished()
same("its address", client.load_balancers.get_by_id(balancer.id).private_net[0].ip, "10.20.1.5")
balancer.add_target(LoadBalancerTarget(type="server", server=server, use_private_ip=True)).wait_until_finished()
balancer.add_target(LoadBalancerTarget(type="label_selector", label_selector=LoadBalancerTargetLabelSelector(selector="role=web"), use_private_ip=True)).wait_until_finished()
refused("a target twice", "target_already_defined", lambda: balancer.add_target(LoadBalancerTarget(type="server", server=server, use_private_ip=True)))
balancer.add_target(LoadBalancerTarget(type="ip", ip=LoadBalancerTargetIP(ip="203.0.113.1"))).wait_until_finished()
same("targets", [one.type for one in client.load_balancers.get_by_id(balancer.id).targets], ["server", "label_selector", "ip"])
balancer.remove_target(LoadBalancerTarget(type="ip", ip=LoadBalancerTargetIP(ip="203.0.113.1"))).wait_until_finished()
https = LoadBalancerService(protocol="https", listen_port=443, destination_port=8080, proxyprotocol=False, http=LoadBalancerServiceHttp(certificates=[Certificate(id=certificate.id)], redirect_http=False), health_check=http.health_check)
balancer.add_service(https).wait_until_finished()
refused("a port twice", "source_port_already_used", lambda: balancer.add_service(https))
refused("deletion of a certificate in use", "resource_in_use", lambda: certificate.delete())
https.destination_port = 9090
balancer.update_service(https).wait_until_finished()
same("services", [one.destination_port for one in client.load_balancers.get_by_id(balancer.id).services], [8080, 9090])
balancer.delete_service(https).wait_until_finished()
balancer.change_algorithm(LoadBalancerAlgorithm(type="least_connections")).wait_until_finished()
same("algorithm", client.load_balancers.get_by_id(balancer.id).algorithm.type, "least_connections")
balancer.change_type(LoadBalancerType(name="lb21")).wait_until_finished()
same("type of the balancer", client.load_balancers.get_by_id(balancer.id).load_balancer_type.name, "lb21")
balancer.change_dns_ptr(balancer.public_net.ipv4.ip, "lb.example.com").wait_until_finished()
balancer.disable_public_interface().wait_until_finished()
same("hidden", client.load_balancers.get_by_id(balancer.id).public_net.enabled, False)
balancer.enable_public_interface().wait_until_finished()
balancer.change_protection(delete=True).wait_until_finished()
refused("deletion of a protected balancer", "protected", lambda: balancer.delete())
balancer.change_protection(delete=False).wait_until_finished()
same("balancers of a label", names(client.load_balancers.get_all(label_selector="role")), ["lb"])
refused("metrics of a balancer", "not_emulated", lambda: balancer.get_metrics("requests_per_second", "2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z"))
refused("a zone", "not_emulated", lambda: client.zones.create(name="example.com", mode="primary"))

# Everything goes, in an order that it can go in.
refused("deletion of a firewall in use", "resource_in_use", lambda: firewall.delete())
balancer.remove_target(LoadBalancerTarget(type="server", server=server)).wait_until_finished()
balancer.remove_target(LoadBalancerTarget(type="label_selector", label_selector=LoadBalancerTargetLabelSelector(selector="role=web"))).wait_until_finished()
same("no targets", client.load_balancers.get_by_id(balancer.id).targets, [])
balancer.detach_from_network(network).wait_until_finished()
balancer.delete()
certificate.delete()
for action in firewall.remove_from_resources([FirewallResource(type="server", server=server)]):
    action.wait_until_finished()
for action in firewall.apply_to_resources([FirewallResource(type="server", server=server)]):
    action.wait_until_finished()
server.detach_from_network(network).wait_until_finished()
server.attach_to_network(network, ip="10.20.1.20").wait_until_finished()
server.delete().wait_until_finished()
for resource in (firewall, group, volume, floating, primary, network, key):
    resource.delete()
for kind in ("servers", "volumes", "networks", "firewalls", "primary_ips", "floating_ips", "load_balancers", "certificates", "placement_groups", "ssh_keys"):
    same(f"{kind} at the end", getattr(client, kind).get_all(), [])
