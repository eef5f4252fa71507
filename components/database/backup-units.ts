/** The service and the timer that systemd runs backups by. Pure. */
import { backupCommand } from "../../common/server-contract.ts";

/** When there is the least to do in Europe, give or take what spreads the load of many stacks. */
const daily = "*-*-* 02:30:00 UTC";

/** A backup that fails is tried again every hour; what it left counts for nothing. */
export const backupService = `[Unit]
Description=Backup of PostgreSQL to R2
After=docker.service network-online.target
Wants=network-online.target
StartLimitIntervalSec=0

[Service]
Type=oneshot
ExecStart=${backupCommand}
TimeoutStartSec=12h
Restart=on-failure
RestartSec=1h
`;

/** Persistent: what was missed while the server was off is made up for. */
export const backupTimer = `[Unit]
Description=Daily backup of PostgreSQL to R2

[Timer]
OnCalendar=${daily}
RandomizedDelaySec=30min
Persistent=true

[Install]
WantedBy=timers.target
`;
