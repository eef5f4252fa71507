/** The script that makes a running gateway use its new files. Pure. */
import { masterPort } from "./haproxy-config.ts";

/**
 * For bash in the gateway's container. A new worker process takes over the listening ports, so that no connection is refused
 * meanwhile; the former one keeps its connections. The script ends those to servers that the new configuration does not have for the
 * same purpose: a former primary must not be written to. Connections to a pooler stay until the pooler ends.
 */
export const reloadScript = `set -eu
ask() {
  exec 3<>/dev/tcp/127.0.0.1/${masterPort}
  # Without a last word the other side would wait for another question; a process that has just ended answers nothing.
  printf '%s\\nquit\\n' "$1" >&3
  timeout 2 cat <&3 || true
  exec 3>&-
}
answer=$(ask reload)
case $answer in Success=1*) ;; *) printf '%s\\n' "$answer"; exit 1 ;; esac
# Each server of a process: its purpose, name and address, and its port and name.
servers() { ask "@$1 show servers state" | while read -r id port _ name address rest; do
  case $id in *[!0-9]* | '') continue ;; esac
  set -- $rest
  purpose=$port
  case $port in database | direct) purpose=primary ;; reads* | replicas*) purpose=read ;; esac
  [ $# -lt 14 ] || echo "$purpose/$name@$address:\${14} $port/$name"
done; }
# The sessions of a process with a server, given as be=PORT srv=NAME.
sessions() { ask "@!$1 show sess" | while read -r session text; do
  case $text in *" $2 "*) echo "shutdown session \${session%:}" ;; esac
done; }
kept=$'\\n'$(servers 1)$'\\n'
section=
ask "show proc" | { while read -r process kind _; do
  case $process in '#') section=$kind ;; esac
  [ "$section-$kind" = old-worker ] || continue
  servers "!$process" | while read -r known server; do
    case $server in */pgbouncer-* | */reads-*) continue ;; esac
    case $kept in *$'\\n'"$known "*) continue ;; esac
    ended=$(sessions "$process" "be=\${server%/*} srv=\${server#*/}")
    # The first line says which process the others are for.
    [ -z "$ended" ] || ask "@!$process"$'\\n'"$ended" >/dev/null
  done
done; }
`;
