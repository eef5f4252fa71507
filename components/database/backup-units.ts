/** The texts of the systemd service and timer that take the nightly backup. Pure. */
import { alertCommand, backupCommand } from "../../common/server-contract.ts";
import { suspectCode } from "./backup-script.ts";

/** At night in Europe; the random delay spreads the load of many stacks. */
const daily = "*-*-* 02:30:00 UTC";

/**
 * A failed backup is retried every hour. The objects that it uploaded have no manifest, so they do not count as a backup. Each
 * failure alerts: not by `OnFailure=`, which systemd triggers only when it does not restart the service.
 *
 * A suspect backup has alerted itself, and taking it again would change nothing.
 */
export const backupService = `[Unit]
Description=Backup of PostgreSQL to R2
After=docker.service network-online.target
Wants=network-online.target
StartLimitIntervalSec=0

[Service]
Type=oneshot
ExecStart=${backupCommand}
ExecStopPost=-${alertCommand} --stopped %n
SuccessExitStatus=${suspectCode}
TimeoutStartSec=12h
TimeoutStopSec=5min
Restart=on-failure
RestartSec=1h
`;

/** Persistent: a backup that was missed while the server was off is taken at the next boot. */
export const backupTimer = `[Unit]
Description=Daily backup of PostgreSQL to R2

[Timer]
OnCalendar=${daily}
RandomizedDelaySec=30min
Persistent=true

[Install]
WantedBy=timers.target
`;
