/** The script that grows a server's file system with its Volume. Pure. */
import { dataMount } from "../../common/server-contract.ts";

/**
 * With a size in GB: waits until the Volume's device has it, then grows the mounted file system to the device. It runs while
 * PostgreSQL writes. Without: prints the sizes of the device and of its file system, in bytes.
 */
export const growthScript = `#!/bin/sh
set -eu
fail() { echo "$1" >&2; exit 1; }
mountpoint -q ${dataMount} || fail "the Volume is not mounted at ${dataMount}"
device=$(readlink -f "$(cat /etc/orion/volume)")
type=$(findmnt -nro FSTYPE ${dataMount})
case "$type" in
  ext4 | xfs) ;;
  *) fail "$device has the file system $type, which this script does not know" ;;
esac
device_size() { blockdev --getsize64 "$device"; }
system_size() {
  case "$type" in
    ext4) dumpe2fs -h "$device" 2>/dev/null | awk -F: '/^Block count/ { n = $2 } /^Block size/ { s = $2 } END { printf "%.0f\\n", n * s }' ;;
    xfs) xfs_info ${dataMount} | awk -F '[= ,]+' '/^data/ { for (i = 1; i < NF; i++) { if ($i == "bsize") s = $(i + 1); if ($i == "blocks") n = $(i + 1) } } END { printf "%.0f\\n", n * s }' ;;
  esac
}
[ $# -gt 0 ] || { echo "$(device_size) $(system_size)"; exit 0; }
wanted=$(($1 * 1000000000))
tries=0
while [ "$(device_size)" -lt "$wanted" ]; do
  tries=$((tries + 1))
  [ "$tries" -le 120 ] || fail "the device of the Volume has $(device_size) bytes, which is less than $1 GB"
  # A disk that has grown says so itself; this asks for it.
  rescan=/sys/class/block/\${device##*/}/device/rescan
  [ ! -w "$rescan" ] || echo 1 > "$rescan"
  sleep 0.5
done
case "$type" in
  ext4) resize2fs "$device" ;;
  xfs) xfs_growfs ${dataMount} ;;
esac
# Less than one block group may be left over.
[ $(($(device_size) - $(system_size))) -lt 268435456 ] || fail "the file system has $(system_size) of the device's $(device_size) bytes"
`;
