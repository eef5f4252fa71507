/** What a server says about its packages, its kernel and its last patch: one script, and the reading of what it prints. Pure. */
import { patchedFile, patchStateFile, patchUnit, readyFile } from "../../common/server-contract.ts";

/** A package with a newer version. */
export interface Package {
  readonly name: string;
  readonly from: string;
  readonly to: string;
  /** Whether Debian's security archive has the newer version. */
  readonly isSecurity: boolean;
}

/** How far a patch that runs on the server, or the last one, has come: the script writes it before each step. */
export type PatchStep = "updating" | "draining" | "installing" | "rebooting" | "starting" | "done" | "failed";

export interface ServerStatus {
  /** Differs after a reboot. */
  readonly boot: string;
  readonly upSeconds: number;
  readonly kernel: string;
  /** The newest kernel that is installed; undefined where the machine brings its own. */
  readonly newestKernel: string | undefined;
  /** What asks for a reboot, by the names of packages. @default - nothing */
  readonly rebootAskedBy: readonly string[] | undefined;
  readonly docker: string | undefined;
  /** Whether the running Docker Engine was replaced on disk by another version. */
  readonly isDockerReplaced: boolean;
  /** When all packages were last brought up to date by `make patch`, as ISO time; undefined: never. */
  readonly patched: string | undefined;
  /** When the first boot ended, as ISO time. */
  readonly firstBootAt: string | undefined;
  readonly step: { readonly name: PatchStep; readonly detail: string } | undefined;
  /** Whether the patch still runs. */
  readonly isPatching: boolean;
  readonly packages: readonly Package[];
  /** When the package lists were last fetched, as ISO time. */
  readonly listed: string | undefined;
}

/** Prints what differs after a reboot, also where the kernel is not the machine's own. */
export const bootCommand =
  "echo $(cat /proc/sys/kernel/random/boot_id)-$(sed 's/.*) //' /proc/1/stat | cut -d' ' -f20)";

/** A shell function: whether the running program of a unit was replaced on disk by another version. */
export const isReplacedFunction = `is_replaced() {
  pid=$(systemctl show --value --property=MainPID "$1" 2>/dev/null)
  [ "\${pid:-0}" != 0 ] || return 1
  case $(readlink "/proc/$pid/exe") in *' (deleted)') return 0 ;; *) return 1 ;; esac
}`;

/** Prints a line for each fact, its name first. It changes nothing and does not wait. */
export const statusScript = `set -u
echo "boot $(${bootCommand})"
echo "up $(ps -o etimes= -p 1 | tr -d ' ')"
echo "kernel $(uname -r)"
newest=$(ls /boot 2>/dev/null | sed -n 's/^vmlinuz-//p' | sort -V | tail -n 1)
[ -z "$newest" ] || echo "newest-kernel $newest"
if [ -e /run/reboot-required ]; then
  echo "reboot-asked-by $(sort -u /run/reboot-required.pkgs 2>/dev/null | tr '\\n' ' ')"
fi
docker=$(timeout 10 docker version --format '{{.Server.Version}}' 2>/dev/null) && echo "docker $docker"
[ ! -e ${patchedFile} ] || echo "patched $(cat ${patchedFile})"
[ ! -e ${readyFile} ] || echo "first-boot $(date -u -r ${readyFile} +%FT%TZ)"
[ ! -e ${patchStateFile} ] || echo "step $(cat ${patchStateFile})"
systemctl is-active --quiet ${patchUnit} 2>/dev/null && echo "patching yes"
${isReplacedFunction}
is_replaced docker.service && echo "docker-replaced yes"
lists=$(ls -t /var/lib/apt/lists/*Packages* 2>/dev/null | head -n 1)
stamp=/var/lib/apt/periodic/update-success-stamp
[ -e "$stamp" ] || stamp=$lists
[ -z "$stamp" ] || echo "listed $(date -u -r "$stamp" +%FT%TZ)"
apt-get --simulate -o Debug::NoLocking=true --with-new-pkgs upgrade 2>/dev/null | sed -n 's/^Inst /package /p'
true
`;

const steps: readonly PatchStep[] = ["updating", "draining", "installing", "rebooting", "starting", "done", "failed"];

/** @throws when the text is not what {@link statusScript} prints */
export function readStatus(text: string): ServerStatus {
  const lines = text.split("\n").map((line) => /^(\S+)(?: (.*))?$/.exec(line) ?? []);
  const of = (fact: string): string | undefined => lines.find(([, name]) => name === fact)?.[2];
  const given = (fact: string): string | undefined => of(fact)?.trim() || undefined;
  const boot = given("boot");
  if (boot === undefined) throw new Error(`a server that tells its state was expected, and this was printed: ${text}`);
  const [, name = "", detail = ""] = /^(\S+) ?(.*)$/.exec(of("step") ?? "") ?? [];
  const step = steps.find((one) => one === name);
  const asked = of("reboot-asked-by");
  return {
    boot,
    upSeconds: Number(given("up") ?? 0),
    kernel: given("kernel") ?? "",
    newestKernel: given("newest-kernel"),
    rebootAskedBy: asked === undefined ? undefined : asked.split(" ").filter((one) => one !== ""),
    docker: given("docker"),
    isDockerReplaced: of("docker-replaced") !== undefined,
    patched: given("patched"),
    firstBootAt: given("first-boot"),
    step: step && { name: step, detail },
    isPatching: of("patching") !== undefined,
    packages: lines.flatMap(([, fact, rest = ""]) => (fact === "package" ? packageOf(rest) : [])),
    listed: given("listed"),
  };
}

/** Of `libssl3 [3.0.14-1] (3.0.15-1 Debian-Security:12/stable-security [amd64])`; a new package has no version in brackets. */
function packageOf(line: string): Package[] {
  const [, name, from = "", to = "", where = ""] = /^(\S+) (?:\[([^\]]*)\] )?\((\S+) ([^)]*)\)/.exec(line) ?? [];
  return name === undefined ? [] : [{ name, from, to, isSecurity: /security/i.test(where) }];
}

/** Why the server needs a reboot; undefined when it needs none. */
export function rebootReason({ rebootAskedBy, kernel, newestKernel }: ServerStatus): string | undefined {
  if (newestKernel !== undefined && newestKernel !== kernel)
    return `kernel ${newestKernel} is installed, ${kernel} runs`;
  if (rebootAskedBy === undefined) return undefined;
  return rebootAskedBy.length === 0 ? "it asks for one" : `asked for by ${rebootAskedBy.join(", ")}`;
}
