/** The daily removal of old images from a server: each deployment leaves one, until the disk is full. */
import type * as pulumi from "@pulumi/pulumi";
import { HostFiles } from "./host-files.ts";
import type { DockerRuntime } from "./runtime.ts";
import { timerFiles } from "./timer-files.ts";

const unit = "orion-image-cleanup";
const command = `/usr/local/sbin/${unit}`;

/** How many images of a repository stay: the one that runs, and those that `make rollback` goes back to. */
const keptImages = 3;

/**
 * The script. Docker lists images newest first, and removes none that a container uses, also not of a container that is stopped.
 * With an argument it looks at that repository alone.
 */
export const imageCleanupScript = `#!/bin/sh
set -eu
docker image ls --format '{{.Repository}} {{.Tag}} {{.ID}}' \${1:+"$1"} |
  awk '$1 != "<none>" && !seen[$1 " " $3]++ && ++count[$1] > ${keptImages} { print $1, $2, $3 }' |
  while read -r repository tag id; do
    name=$repository:$tag
    [ "$tag" != "<none>" ] || name=$id
    if docker image rm "$name" >/dev/null 2>&1; then echo "removed $name"; fi
  done
# Images without a name, which a newer one has taken.
[ $# -gt 0 ] || docker image prune --force >/dev/null
`;

const service = `[Unit]
Description=Removal of old container images
After=docker.service

[Service]
Type=oneshot
ExecStart=${command}
Nice=19
IOSchedulingClass=idle
`;

const timer = `[Unit]
Description=Daily removal of old container images

[Timer]
OnCalendar=*-*-* 04:00:00 UTC
RandomizedDelaySec=1h
Persistent=true

[Install]
WantedBy=timers.target
`;

/** Installs the removal of old images on a server. @param name logical name */
export function createImageCleanup(
  name: string,
  runtime: DockerRuntime,
  opts: pulumi.CustomResourceOptions & { readonly parent: pulumi.Resource },
): HostFiles {
  const { files, ...commands } = timerFiles({ unit, service, timer });
  return new HostFiles(
    name,
    { runtime, files: { ...files, [command]: { text: imageCleanupScript, mode: "0755" } }, ...commands },
    opts,
  );
}
