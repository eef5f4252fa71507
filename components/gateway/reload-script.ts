/** The script that makes a running gateway use its new files. Pure. */
import { masterPort } from "./haproxy-config.ts";

/**
 * For bash in the gateway's container. A new process takes over the open ports, so that no connection is refused meanwhile; the
 * former one keeps its connections. Only those to a server that the new configuration does not have at the same port are ended:
 * a server that was the primary must not be written to.
 */
export const reloadScript = `set -eu
ask() {
  exec 3<>/dev/tcp/127.0.0.1/${masterPort}
  # Without a last word the other side would wait for another question; a process that has just ended answers nothing.
  printf '%s\\nquit\\n' "$1" >&3
  timeout 5 cat <&3 || true
  exec 3>&-
}
answer=$(ask reload)
case $answer in Success=1*) ;; *) printf '%s\\n' "$answer"; exit 1 ;; esac
# Port, name and address of each server of a process.
servers() { ask "@$1 show servers state" | while read -r id port _ name address rest; do
  case $id in *[!0-9]* | '') continue ;; esac
  set -- $rest
  [ $# -lt 14 ] || echo "$port/$name $address:\${14}"
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
  servers "!$process" | while read -r server address; do
    case $kept in *$'\\n'"$server $address"$'\\n'*) continue ;; esac
    ended=$(sessions "$process" "be=\${server%/*} srv=\${server#*/}")
    # The first line says which process the others are for.
    [ -z "$ended" ] || ask "@!$process"$'\\n'"$ended" >/dev/null
  done
done; }
`;
