"""A tour of the emulated Cloudflare with the vendor's Python library: each answer is compared with what was asked for."""

import os
import sys

import cloudflare
from cloudflare import Cloudflare

# The address comes from CLOUDFLARE_BASE_URL, the token from CLOUDFLARE_API_TOKEN.
client = Cloudflare(max_retries=0)
account = os.environ["CLOUDFLARE_ACCOUNT_ID"]
folder = sys.argv[1]


def same(what, got, wanted):
    if got != wanted:
        raise SystemExit(f"{what}: got {got!r}, expected {wanted!r}")


def plain(answer):
    """What the library keeps as it came, and what it makes an object of."""
    if isinstance(answer, list):
        return [plain(one) for one in answer]
    return answer if isinstance(answer, dict) else answer.to_dict()


def refused(what, status, call, code=None):
    try:
        result = call()
    except cloudflare.APIStatusError as error:
        same(f"{what}: status", error.status_code, status)
        if code is not None:
            same(f"{what}: code", [one.code for one in error.errors], [code])
        return
    raise SystemExit(f"{what} was not refused: {result!r}")


same("ranges", client.ips.list().ipv4_cidrs[0].count("/"), 1)
same("account's tokens", list(client.accounts.tokens.list(account_id=account)), [])

# Zones.
zone = client.zones.list(name="example.com").result[0]
same("zones of another name", client.zones.list(name="example.net").result, [])
same("zones that contain", [one.name for one in client.zones.list(name="contains:ample")], ["example.com"])
same("zone", client.zones.get(zone_id=zone.id).account.id, account)
same("plan", client.zones.subscriptions.get(zone_id=zone.id).rate_plan.id, "enterprise")
refused("another zone", 403, lambda: client.zones.get(zone_id="0" * 32))
refused("deletion of the zone", 501, lambda: client.zones.delete(zone_id=zone.id))

# Records: every answer is read again.
dns = client.dns.records
www = dns.create(zone_id=zone.id, type="A", name="www.example.com", content="192.0.2.1", ttl=300, proxied=False, comment="first", tags=["team:web"])
six = dns.create(zone_id=zone.id, type="AAAA", name="www", content="2001:DB8:0:0::1", ttl=1, proxied=True)
same("normalised", [six.content, six.name, dns.get(six.id, zone_id=zone.id).content], ["2001:db8::1", "www.example.com", "2001:db8::1"])
mail = dns.create(zone_id=zone.id, type="MX", name="example.com", content="mx.example.com", priority=10, ttl=1)
null = dns.create(zone_id=zone.id, type="MX", name="none.example.com", content=".", priority=0, ttl=1)
txt = dns.create(zone_id=zone.id, type="TXT", name="example.com", content='"v=spf1 -all"', ttl=1)
srv = dns.create(zone_id=zone.id, type="SRV", name="_sip._tcp.example.com", ttl=1, data={"priority": 1, "weight": 2, "port": 5060, "target": "sip.example.com"})
same("SRV", [srv.content, srv.priority], ["2 5060 sip.example.com", 1])
caa = dns.create(zone_id=zone.id, type="CAA", name="example.com", ttl=1, data={"flags": 0, "tag": "issue", "value": "letsencrypt.org"})
same("CAA", caa.content, '0 issue "letsencrypt.org"')
naptr = dns.create(zone_id=zone.id, type="NAPTR", name="naptr.example.com", ttl=1, data={"service": "SIP+D2U", "order": 100, "preference": 10, "flags": "s", "regex": "", "replacement": "_sip._udp.example.com"})
same("NAPTR", naptr.content, '100 10 "s" "SIP+D2U" "" _sip._udp.example.com')
refused("a record twice", 400, lambda: dns.create(zone_id=zone.id, type="A", name="www.example.com", content="192.0.2.1", ttl=300), 81058)
refused("a CNAME beside others", 400, lambda: dns.create(zone_id=zone.id, type="CNAME", name="www.example.com", content="example.net", ttl=1))
refused("an address that is none", 400, lambda: dns.create(zone_id=zone.id, type="A", name="bad", content="192.0.2.256", ttl=1))
refused("a TTL out of range", 400, lambda: dns.create(zone_id=zone.id, type="A", name="bad", content="192.0.2.9", ttl=5))
refused("a proxied TXT", 400, lambda: dns.create(zone_id=zone.id, type="TXT", name="bad", content='"a"', ttl=1, proxied=True))
refused("a record that does not exist", 404, lambda: dns.get("0" * 32, zone_id=zone.id), 81044)


def found(**filters):
    return [f"{one.type} {one.name}" for one in dns.list(zone_id=zone.id, **filters)]


same("by type", found(type="A"), ["A www.example.com"])
same("by name", sorted(found(name={"exact": "www.example.com"})), ["A www.example.com", "AAAA www.example.com"])
same("by end of the name", found(name={"endswith": "ptr.example.com"}), ["NAPTR naptr.example.com"])
same("by start of the content", found(content={"startswith": "192."}), ["A www.example.com"])
same("by comment", found(comment={"contains": "irs"}), ["A www.example.com"])
same("without a comment", len(found(comment={"absent": "true"})), 7)
same("by tag", found(tag={"exact": "team:web"}), ["A www.example.com"])
same("any of two", sorted(found(match="any", type="TXT", content={"exact": "192.0.2.1"})), ["A www.example.com", "TXT example.com"])
same("in order", found(order="type", direction="desc")[0], "TXT example.com")
same("proxied ones", found(proxied=True), ["AAAA www.example.com"])
page = dns.list(zone_id=zone.id, per_page=5, page=2)
same("second page", [len(page.result), page.result_info.page], [3, 2])
same("all pages", len(list(dns.list(zone_id=zone.id, per_page=5))), 8)
edited = dns.edit(www.id, zone_id=zone.id, type="A", name="www.example.com", content="192.0.2.2", ttl=120)
same("edited", [edited.content, edited.ttl, edited.comment], ["192.0.2.2", 120, "first"])
updated = dns.update(www.id, zone_id=zone.id, type="A", name="www.example.com", content="192.0.2.3", ttl=1)
same("updated: what is not named is gone", [updated.content, updated.ttl, updated.comment, updated.tags], ["192.0.2.3", 1, None, []])
same("deleted", dns.delete(naptr.id, zone_id=zone.id).id, naptr.id)
refused("deleted twice", 404, lambda: dns.delete(naptr.id, zone_id=zone.id), 81044)
refused("an export", 501, lambda: dns.export(zone_id=zone.id))

# Settings.
settings = client.zones.settings
same("setting", settings.edit("ssl", zone_id=zone.id, value="strict").value, "strict")
same("setting again", settings.get("ssl", zone_id=zone.id).value, "strict")
refused("a value that it cannot have", 400, lambda: settings.edit("ssl", zone_id=zone.id, value="maybe"))
refused("a browser cache TTL that is not in the list", 400, lambda: settings.edit("browser_cache_ttl", zone_id=zone.id, value=17))
refused("an unknown setting", 400, lambda: settings.get("no_such_setting", zone_id=zone.id))
same("bots", client.bot_management.update(zone_id=zone.id, enable_js=True).enable_js, True)
same("bots again", client.bot_management.get(zone_id=zone.id).enable_js, True)
same("tiered cache", client.argo.tiered_caching.edit(zone_id=zone.id, value="on").value, "on")
same("tiered cache again", client.argo.tiered_caching.get(zone_id=zone.id).value, "on")
same("smart routing", client.argo.smart_routing.edit(zone_id=zone.id, value="on").value, "on")
same("smart tiered cache", client.cache.smart_tiered_cache.create(zone_id=zone.id, value="on").value, "on")
same("smart tiered cache again", client.cache.smart_tiered_cache.get(zone_id=zone.id).value, "on")
same("regional tiered cache", client.cache.regional_tiered_cache.edit(zone_id=zone.id, value="on").value, "on")
refused("purging the cache", 501, lambda: client.cache.purge(zone_id=zone.id, purge_everything=True))

# Rulesets.
phase = "http_request_firewall_custom"
rule = {"ref": "one", "action": "block", "expression": 'http.request.uri.path eq "/one"', "description": "first"}
rulesets = client.rulesets
refused("a phase without rules", 404, lambda: rulesets.phases.get(phase, zone_id=zone.id), 10003)
ruleset = plain(rulesets.create(zone_id=zone.id, name="waf", kind="zone", phase=phase, rules=[rule]))
same("ruleset", plain(rulesets.get(ruleset["id"], zone_id=zone.id))["rules"][0]["ref"], "one")
same("ruleset of the phase", plain(rulesets.phases.get(phase, zone_id=zone.id))["id"], ruleset["id"])
two = {"ref": "two", "action": "block", "expression": 'http.request.uri.path eq "/two"'}
added = plain(rulesets.rules.create(ruleset["id"], zone_id=zone.id, **two))["rules"]
same("rules", [one["ref"] for one in added], ["one", "two"])
three = {**two, "expression": 'http.request.uri.path eq "/three"', "enabled": False}
changed = plain(rulesets.rules.edit(added[1]["id"], zone_id=zone.id, ruleset_id=ruleset["id"], **three))
same("rule changed", [changed["rules"][1]["expression"], changed["rules"][1]["enabled"], changed["version"]], [three["expression"], False, "3"])
left = plain(rulesets.rules.delete(added[1]["id"], zone_id=zone.id, ruleset_id=ruleset["id"]))
same("rule deleted", [one["ref"] for one in left["rules"]], ["one"])
broken = {"action": "block", "expression": "http.request.uri.path eq"}
refused("an expression that is none", 400, lambda: rulesets.update(ruleset["id"], zone_id=zone.id, rules=[broken]))
same("rulesets", [one["name"] for one in plain(list(rulesets.list(zone_id=zone.id))) if one["id"] == ruleset["id"]], ["waf"])
same("phase updated", [one["ref"] for one in plain(rulesets.phases.update(phase, zone_id=zone.id, rules=[two]))["rules"]], ["two"])
rulesets.delete(ruleset["id"], zone_id=zone.id)
refused("a ruleset that is gone", 404, lambda: rulesets.get(ruleset["id"], zone_id=zone.id))

# Origins: certificates, pulls with a client certificate.
with open(f"{folder}/request.pem") as request:
    origin = client.origin_ca_certificates.create(csr=request.read(), hostnames=["example.com", "*.example.com"], request_type="origin-rsa", requested_validity=90)
same("certificates of the zone", [one.id for one in client.origin_ca_certificates.list(zone_id=zone.id)], [origin.id])
same("certificate", client.origin_ca_certificates.get(origin.id).certificate, origin.certificate)
client.origin_ca_certificates.delete(origin.id)
same("no certificates", list(client.origin_ca_certificates.list(zone_id=zone.id)), [])
with open(f"{folder}/certificate.pem") as certificate, open(f"{folder}/private-key.pem") as private:
    pulls = client.origin_tls_client_auth.zone_certificates.create(zone_id=zone.id, certificate=certificate.read(), private_key=private.read())
same("client certificates", [one.id for one in client.origin_tls_client_auth.zone_certificates.list(zone_id=zone.id)], [pulls.id])
client.origin_tls_client_auth.settings.update(zone_id=zone.id, enabled=True)
same("client certificates are on", client.origin_tls_client_auth.settings.get(zone_id=zone.id).enabled, True)
client.origin_tls_client_auth.zone_certificates.delete(pulls.id, zone_id=zone.id)

# Load balancing.
monitor = client.load_balancers.monitors.create(account_id=account, type="http", path="/health", expected_codes="2xx", interval=60, timeout=5, retries=2)
pool = client.load_balancers.pools.create(account_id=account, name="pool", origins=[{"name": "b", "address": "192.0.2.2", "enabled": True}, {"name": "a", "address": "192.0.2.1", "enabled": True}], monitor=monitor.id)
same("pool", [one.name for one in client.load_balancers.pools.get(pool.id, account_id=account).origins], ["b", "a"])
same("pools of the monitor", [one.id for one in client.load_balancers.pools.list(account_id=account, monitor=monitor.id)], [pool.id])
refused("a pool of a name that is taken", 400, lambda: client.load_balancers.pools.create(account_id=account, name="pool", origins=[{"name": "a", "address": "192.0.2.1"}]))
refused("a monitor in use", 412, lambda: client.load_balancers.monitors.delete(monitor.id, account_id=account), 1005)
balancer = client.load_balancers.create(zone_id=zone.id, name="lb.example.com", default_pools=[pool.id], fallback_pool=pool.id, proxied=True)
same("balancer", [client.load_balancers.get(balancer.id, zone_id=zone.id).fallback_pool, len(list(client.load_balancers.list(zone_id=zone.id)))], [pool.id, 1])
same("balancer edited", client.load_balancers.edit(balancer.id, zone_id=zone.id, enabled=False).enabled, False)
same("balancer updated", client.load_balancers.update(balancer.id, zone_id=zone.id, name="lb.example.com", default_pools=[pool.id], fallback_pool=pool.id, session_affinity="cookie").session_affinity, "cookie")
refused("a pool in use", 412, lambda: client.load_balancers.pools.delete(pool.id, account_id=account), 1005)
same("pool edited", client.load_balancers.pools.edit(pool.id, account_id=account, description="changed").description, "changed")
same("monitor edited", client.load_balancers.monitors.edit(monitor.id, account_id=account, type="http", path="/ready").path, "/ready")
client.load_balancers.delete(balancer.id, zone_id=zone.id)
client.load_balancers.pools.delete(pool.id, account_id=account)
client.load_balancers.monitors.delete(monitor.id, account_id=account)
same("nothing is left of it", [list(client.load_balancers.pools.list(account_id=account)), list(client.load_balancers.monitors.list(account_id=account))], [[], []])

# Tokens: what one of them may do, with a client of its own.
groups = {one.name: one.id for one in client.user.tokens.permission_groups.list()}
token = client.user.tokens.create(name="reader", policies=[{"effect": "allow", "permission_groups": [{"id": groups["DNS Read"]}], "resources": {f"com.cloudflare.api.account.zone.{zone.id}": "*"}}])
reader = Cloudflare(api_token=token.value, max_retries=0)
same("it verifies itself", reader.user.tokens.verify().status, "active")
same("it reads", len(list(reader.dns.records.list(zone_id=zone.id))), 7)
refused("it does not write", 403, lambda: reader.dns.records.delete(www.id, zone_id=zone.id))
same("tokens", [one.name for one in client.user.tokens.list()], ["reader"])
same("token", client.user.tokens.get(token.id).name, "reader")
client.user.tokens.update(token.id, name="reader", status="disabled", policies=[{"effect": "allow", "permission_groups": [{"id": groups["DNS Read"]}], "resources": {f"com.cloudflare.api.account.zone.{zone.id}": "*"}}])
refused("disabled, it reads nothing", 403, lambda: list(reader.dns.records.list(zone_id=zone.id)))
client.user.tokens.delete(token.id)
refused("deleted, it is unknown", 401, lambda: list(reader.dns.records.list(zone_id=zone.id)), 1000)

# R2.
buckets = client.r2.buckets
same("bucket", buckets.create(account_id=account, name="files").name, "files")
buckets.create(account_id=account, name="files-eu", cf_r2_jurisdiction="eu")
same("buckets", [one.name for one in buckets.list(account_id=account).buckets], ["files"])
same("buckets of the EU", [one.name for one in buckets.list(account_id=account, cf_r2_jurisdiction="eu").buckets], ["files-eu"])
same("by name", [one.name for one in buckets.list(account_id=account, name_contains="other").buckets], [])
same("one of the EU", buckets.get("files-eu", account_id=account, cf_r2_jurisdiction="eu").name, "files-eu")
refused("elsewhere, it is not found", 404, lambda: buckets.get("files-eu", account_id=account), 10006)
refused("a bucket twice", 409, lambda: buckets.create(account_id=account, name="files"))
refused("a name that is none", 400, lambda: buckets.create(account_id=account, name="No"))
rules = [{"id": "keep", "enabled": True, "prefix": "backups/", "condition": {"type": "Age", "maxAgeSeconds": 3600}}]
buckets.locks.update("files", account_id=account, rules=rules)
same("lock", buckets.locks.get("files", account_id=account).rules[0].prefix, "backups/")
buckets.delete("files-eu", account_id=account, cf_r2_jurisdiction="eu")
buckets.delete("files", account_id=account)
same("no buckets", buckets.list(account_id=account).buckets, [])

for record in list(dns.list(zone_id=zone.id)):
    dns.delete(record.id, zone_id=zone.id)
same("no records", list(dns.list(zone_id=zone.id)), [])
