"""A tour of the emulated DNS with octoDNS: what it writes is what it reads, whatever the type of the record."""

import os
import subprocess
import sys
from pathlib import Path

folder = Path(sys.argv[2])
programs = Path(sys.executable).parent
zone = folder / "zones" / "example.com.yaml"
zone.parent.mkdir(exist_ok=True)
(folder / "octodns.yaml").write_text(f"""
providers:
  files:
    class: octodns.provider.yaml.YamlProvider
    directory: {zone.parent}
    default_ttl: 300
    enforce_order: false
  cloudflare:
    class: octodns_cloudflare.CloudflareProvider
    token: env/CLOUDFLARE_API_TOKEN
    api_url: {os.environ["CLOUDFLARE_BASE_URL"]}
    pagerules: false
    retry_count: 0
zones:
  example.com.:
    sources: [files]
    targets: [cloudflare]
""")
records = """
'':
  - {type: A, values: [192.0.2.1, 192.0.2.2]}
  - {type: MX, values: [{preference: 10, exchange: mx1.example.com.}, {preference: 20, exchange: mx2.example.com.}]}
  - {type: TXT, values: ['v=spf1 -all', 'a=b\\;']}
  - {type: CAA, value: {flags: 0, tag: issue, value: letsencrypt.org}}
_sip._tcp:
  {type: SRV, values: [{priority: 1, weight: 2, port: 5060, target: sip.example.com.}]}
cert:
  {type: TLSA, value: {certificate_usage: 3, selector: 1, matching_type: 1, certificate_association_data: ABCDEF01ABCDEF01ABCDEF01ABCDEF01ABCDEF01ABCDEF01ABCDEF01ABCDEF01}}
host:
  {type: SSHFP, value: {algorithm: 4, fingerprint_type: 2, fingerprint: abcdef01abcdef01abcdef01abcdef01abcdef01abcdef01abcdef01abcdef01}}
loc:
  {type: LOC, value: {lat_degrees: 31, lat_minutes: 58, lat_seconds: 52.1, lat_direction: S, long_degrees: 115, long_minutes: 49, long_seconds: 11.7, long_direction: E, altitude: 20, size: 10, precision_horz: 10, precision_vert: 2}}
naptr:
  {type: NAPTR, value: {order: 10, preference: 100, flags: S, service: SIP+D2U, regexp: '!^.*$!sip:info@example.com!', replacement: .}}
sub:
  {type: NS, ttl: 3600, values: [ns1.example.net., ns2.example.net.]}
web:
  {type: AAAA, value: 2001:db8::1, octodns: {cloudflare: {proxied: true, auto-ttl: true}}}
www:
  {type: CNAME, value: web.example.com.}
"""


def sync(*words):
    done = subprocess.run(
        [programs / "octodns-sync", "--config-file", str(folder / "octodns.yaml"), "--doit", *words],
        capture_output=True, text=True,
    )
    if done.returncode != 0:
        raise SystemExit(f"octodns-sync: code {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def same(what, got, wanted):
    if got != wanted:
        raise SystemExit(f"{what}: got {got!r}, expected {wanted!r}")


zone.write_text(records)
same("created", "Creates=12, Updates=0, Deletes=0" in sync(), True)
again = sync()
same("nothing to do", "No changes were planned" in again or again, True)
changed = records.replace("192.0.2.2", "192.0.2.3").replace("ttl: 3600", "ttl: 7200").replace("preference: 20", "preference: 30")
zone.write_text("".join(line for line in changed.splitlines(True) if not line.startswith("www") and "web.example.com." not in line))
got = sync("--force")
same("changed", "Creates=0, Updates=3, Deletes=1" in got, True)
same("nothing to do after it", "No changes were planned" in sync(), True)
zone.write_text("--- {}\n")
sync("--force")
same("nothing is left", "No changes were planned" in sync("--force"), True)
