/** The script, settings and systemd units with which a server obtains and renews its certificate by ACME. Pure. */
import { confined } from "../../../common/confinement.ts";
import { acmeFolder } from "../../../common/edge-contract.ts";
import { alertOnFailure } from "../../../common/server-contract.ts";
import { assignments, quotedWords } from "../../../common/shell.ts";

/** Obtains or renews the certificate. */
export const acmeCommand = "/usr/local/sbin/orion-certificate";
/** The service that systemd runs, and its timer. */
export const acmeUnit = "orion-certificate";
export const acmeSettingsFile = "/etc/orion/acme/settings";
/** CA certificates, in PEM, that verify the ACME authority's own server; only where the public CAs do not. */
export const acmeAuthorityFile = "/etc/orion/acme/authority.pem";

export interface AcmeSettings {
  /** The names of the certificate, the platform's own first. */
  readonly hostnames: readonly string[];
  /** URL of the authority's directory. */
  readonly server: string;
  /** Address for the authority's notices. @default - none */
  readonly email?: string | undefined;
  readonly image: string;
  /** Container network with access to the authority. */
  readonly network: string;
  /** Name of the edge's container. */
  readonly edge: string;
  /** File inside that container with its configuration. */
  readonly config: string;
  /** Whether {@link acmeAuthorityFile} exists. */
  readonly hasAuthority: boolean;
}

/** Text of {@link acmeSettingsFile}, which the script reads as shell. */
export const acmeSettingsText = (settings: AcmeSettings): string =>
  assignments({
    HOSTNAMES: quotedWords([settings.hostnames.join(" ")]),
    SERVER: quotedWords([settings.server]),
    EMAIL: settings.email ? quotedWords([settings.email]) : "",
    IMAGE: quotedWords([settings.image]),
    NETWORK: quotedWords([settings.network]),
    EDGE: quotedWords([settings.edge]),
    CONFIG: quotedWords([settings.config]),
    AUTHORITY: settings.hasAuthority ? acmeAuthorityFile : "",
  });

/**
 * `prepare` installs a temporary certificate that the edge can start with. `obtain` obtains the certificate when it is missing
 * or expires within a month. `renew` obtains it in any case.
 */
export const acmeScript = String.raw`#!/bin/sh
set -eu
umask 077
. ${acmeSettingsFile}
home=/var/lib/orion/acme
edge=${acmeFolder.host}

die() {
  echo "orion-certificate: $*" >&2
  exit 1
}
is_up() { [ "$(docker inspect --format '{{.State.Running}}' "$EDGE" 2>/dev/null)" = true ]; }

# In one step, so that the edge never finds a certificate with another one's key.
point_to() {
  ln -sfn "$1" "$edge/.next"
  mv -Tf "$edge/.next" "$edge/current"
}

# Puts a certificate and its key in place; the edge reloads when they have changed.
install_pair() {
  version=versions/$(cat "$1" "$2" | sha256sum | cut -c 1-16)
  before=$(readlink "$edge/current" || true)
  [ "$before" != "$version" ] || return 0
  mkdir -p "$edge/$version"
  cp "$1" "$edge/$version/edge.crt"
  cp "$2" "$edge/$version/edge.key"
  point_to "$version"
  if is_up; then
    if ! docker exec "$EDGE" nginx -t -q -c "$CONFIG"; then
      # At its next restart the edge would fail with it.
      [ -z "$before" ] || point_to "$before"
      die "the edge did not accept the new certificate; it keeps the old one"
    fi
    # Not by a signal: Docker takes any signal for a stop, and would not start the container after a reboot.
    docker exec "$EDGE" nginx -s reload -c "$CONFIG"
  fi
  for each in "$edge"/versions/*; do
    [ "versions/$(basename "$each")" = "$version" ] || rm -rf "$each"
  done
}

# Installs the certificate that the edge has from another source, or a self-signed one.
prepare() {
  mkdir -p "$home/letsencrypt" "$home/log" "$edge/versions" "$edge/challenges"
  chmod 0755 "$home" "$edge" "$edge/challenges"
  if [ -s "$edge/current/edge.crt" ]; then return 0; fi
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  own=$(dirname "$CONFIG")
  if is_up && docker exec "$EDGE" cat "$own/edge.crt" >"$work/crt" 2>/dev/null &&
    docker exec "$EDGE" cat "$own/edge.key" >"$work/key" 2>/dev/null; then :; else
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj "/CN=orion" \
      -addext "subjectAltName=$(printf 'DNS:%s,' $HOSTNAMES | sed 's/,$//')" -keyout "$work/key" -out "$work/crt" 2>/dev/null
  fi
  install_pair "$work/crt" "$work/key"
}

# One at a time: an update, the timer and an operator may run it at once.
obtain() {
  exec 9>"$home/lock"
  flock 9
  docker run --rm --init --network "$NETWORK" --memory 256m ${confined} \
    --volume "$home/letsencrypt:/etc/letsencrypt" --volume "$home/log:/var/log/letsencrypt" \
    --volume "$edge/challenges:/challenges" \
    ${"$"}{AUTHORITY:+--volume "$AUTHORITY:/authority.pem:ro" --env REQUESTS_CA_BUNDLE=/authority.pem} \
    "$IMAGE" certonly --quiet --non-interactive --agree-tos --webroot --webroot-path /challenges \
    --server "$SERVER" --cert-name edge $(printf -- '--domain %s ' $HOSTNAMES) --renew-with-new-domains --key-type ecdsa \
    ${"$"}{EMAIL:+--email "$EMAIL"} $([ -n "$EMAIL" ] || echo --register-unsafely-without-email) "$@" ||
    die "$SERVER issued no certificate for $HOSTNAMES: for each of these names it requests http://NAME/.well-known/acme-challenge/ and must reach this server. See $home/log"
  live=$home/letsencrypt/live/edge
  install_pair "$live/fullchain.pem" "$live/privkey.pem"
  echo "The certificate of $HOSTNAMES is valid until $(openssl x509 -in "$live/cert.pem" -noout -enddate | cut -d= -f2)."
}

case "${"$"}{1:-}" in
  prepare) prepare ;;
  obtain) obtain --keep-until-expiring ;;
  renew) obtain --force-renewal ;;
  *) die "usage: orion-certificate prepare | obtain | renew" ;;
esac
`;

/** The description names hosts and authority, so that a change of either changes the unit and the update obtains again. */
export const acmeService = ({ hostnames, server }: Pick<AcmeSettings, "hostnames" | "server">): string => `[Unit]
Description=Certificate of ${hostnames.join(" ")} from ${server}
After=docker.service network-online.target
Wants=network-online.target
OnFailure=${alertOnFailure}

[Service]
Type=oneshot
ExecStart=${acmeCommand} obtain
TimeoutStartSec=10min
`;

/** Twice a day, as authorities recommend; a certificate is renewed a month before it expires. */
export const acmeTimer = `[Unit]
Description=Renewal of the edge's certificate

[Timer]
OnCalendar=*-*-* 00,12:00:00
RandomizedDelaySec=6h
Persistent=true

[Install]
WantedBy=timers.target
`;
