/** The script that patches one server. It runs there to its end, whatever becomes of the connection. Pure. */
import { patchedFile, patchLog, patchStateFile, patchUnit } from "../../common/server-contract.ts";
import { bootCommand, isReplacedFunction } from "./server-status.ts";
import { powerOffScript, restartAsBefore } from "../../common/power-off-script.ts";

export interface ServerPatch {
  readonly stack: string;
  /**
   * Whether the server's containers are stopped before packages are installed, because other servers do its work meanwhile.
   * Otherwise they run on, and stop for a reboot only.
   */
  readonly drainsFirst: boolean;
  /** Whether to reboot also when nothing asks for it. */
  readonly reboots: boolean;
}

/** Waits for other users of the package database, takes no questions, and keeps configuration that this program has written. */
const apt =
  "apt-get -q -y -o DPkg::Lock::Timeout=600 -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold";

/** Fetches the package lists. It fails when one cannot be fetched, which apt itself takes for a mere warning. */
export const updateListsCommand = `${apt} -o APT::Update::Error-Mode=any update`;

/** Installs all newer packages, those of Docker and the kernel as well; removes none. */
const upgrade = `${apt} --with-new-pkgs upgrade`;

const dockerUnits = "docker.socket docker.service";

/**
 * Without the Docker Engine's units no package that is installed can start it, and with it containers that are drained.
 * What was done to drain the server is undone when the engine starts, or by the reboot.
 */
const hold = `systemctl mask --quiet --runtime ${dockerUnits}`;
const start = `systemctl unmask --quiet --runtime ${dockerUnits}
  umount /etc/docker/daemon.json 2>/dev/null || true
  rm -f /run/systemd/system/docker.service.d/orion-power-off.conf
  systemctl daemon-reload
  systemctl start ${dockerUnits}`;

/** What the server runs in a unit of its own. */
export const patchScript = ({ stack, drainsFirst, reboots }: ServerPatch): string => `#!/bin/sh
set -u
export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 LC_ALL=C
step() { echo "$*" > ${patchStateFile}.new && mv ${patchStateFile}.new ${patchStateFile}; }
resume() {
  ${start} || return 1
  ${restartAsBefore(stack).trimEnd()}
}
give_up() {
  resume
  step "failed $*"
  exit 1
}
drain() {
  step draining
  sh <<'ORION_DRAIN' || give_up "the containers could not be stopped"
${powerOffScript(stack)}ORION_DRAIN
}
needs_reboot() {
  [ ${reboots ? "yes" : "no"} = no ] || return 0
  [ ! -e /run/reboot-required ] || return 0
  newest=$(ls /boot 2>/dev/null | sed -n 's/^vmlinuz-//p' | sort -V | tail -n 1)
  [ -n "$newest" ] && [ "$newest" != "$(uname -r)" ]
}
${isReplacedFunction}
step updating
# After a power failure in the middle of an installation. What cannot be completed may have a newer version that can.
dpkg --configure -a || true
${updateListsCommand} || give_up "the package lists could not be fetched"
${upgrade} --download-only || give_up "the packages could not be fetched"
${drainsFirst ? `drain\n${hold}\n` : ""}step installing
${upgrade} || give_up "the packages could not be installed"
date -u +%FT%TZ > ${patchedFile}
if needs_reboot; then
${drainsFirst ? "" : "  drain\n"}  step "rebooting $(${bootCommand})"
  sync
  systemctl reboot
  exit 0
fi
step starting
# Debian's package of Docker leaves the old engine running. Its containers run on while it restarts (live-restore).
if is_replaced docker.service; then systemctl restart docker.service; fi
resume || give_up "the Docker Engine could not be started"
step "done"
`;

/** Starts a patch on the server, as a unit that outlives the connection. It does nothing when one runs there. */
export const startScript = (patch: ServerPatch): string => `set -eu
systemctl is-active --quiet ${patchUnit} && exit 0
mkdir -p /var/lib/orion /run/orion
cat > /run/orion/patch.sh <<'ORION_PATCH'
${patchScript(patch)}ORION_PATCH
systemctl reset-failed ${patchUnit} 2>/dev/null || true
echo updating > ${patchStateFile}
# The log is appended to: the reason of an earlier failure stays readable.
systemd-run --quiet --collect --unit=${patchUnit} --property=StandardOutput=append:${patchLog} \\
  --property=StandardError=append:${patchLog} --property=TimeoutStopSec=30 sh /run/orion/patch.sh
`;

/** Notes on a server that it is up to date today. */
export const markScript = `mkdir -p /var/lib/orion && date -u +%FT%TZ > ${patchedFile}\n`;
