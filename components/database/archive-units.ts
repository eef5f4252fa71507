/** The texts of the systemd services and timers of the archive: base backups at night, and a check every two minutes. Pure. */
import { alertCommand, archiveCommand } from "../../common/server-contract.ts";

/** Before the nightly dump begins. A failed backup is taken again after an hour, and each failure alerts. */
export const archiveBackupService = `[Unit]
Description=Base backup of PostgreSQL to R2
After=docker.service network-online.target
Wants=network-online.target
StartLimitIntervalSec=0

[Service]
Type=oneshot
ExecStart=${archiveCommand} backup
ExecStopPost=-${alertCommand} --stopped %n
TimeoutStartSec=12h
TimeoutStopSec=5min
Restart=on-failure
RestartSec=1h
Nice=19
IOSchedulingClass=idle
`;

/** Persistent: a backup that was missed while the server was off is taken at the next boot. */
export const archiveBackupTimer = `[Unit]
Description=Daily base backup of PostgreSQL to R2

[Timer]
OnCalendar=*-*-* 01:00:00 UTC
RandomizedDelaySec=30min
Persistent=true

[Install]
WantedBy=timers.target
`;

/** It tells people itself, and not every two minutes. */
export const archiveCheckService = `[Unit]
Description=Check that the changes of PostgreSQL are archived
After=docker.service

[Service]
Type=oneshot
ExecStart=${archiveCommand} check
TimeoutStartSec=5min
`;

export const archiveCheckTimer = `[Unit]
Description=Check every two minutes that the changes of PostgreSQL are archived

[Timer]
OnBootSec=1min
OnUnitInactiveSec=2min
AccuracySec=10s

[Install]
WantedBy=timers.target
`;
