/** The script that patches a server: it is valid shell, and stops containers when, and only when, it has to. */
import { spawnSync } from "node:child_process";
import { patchScript, startScript } from "../../../../tools/patch/server-script.ts";

const choices = [true, false].flatMap((drainsFirst) => [true, false].map((reboots) => ({ drainsFirst, reboots })));

test.each(choices)("is valid: %p", (choice) => {
  for (const script of [patchScript({ stack: "prod", ...choice }), startScript({ stack: "prod", ...choice })]) {
    expect(spawnSync("sh", ["-n"], { input: script, encoding: "utf8" })).toMatchObject({ status: 0, stderr: "" });
  }
});

/** The commands after the functions, in their order. */
const course = (drainsFirst: boolean): string[] => {
  const script = patchScript({ stack: "prod", drainsFirst, reboots: false });
  const lines = script.slice(script.indexOf("\nstep updating")).split("\n");
  return lines
    .flatMap(
      (line) => /^ *(step \S+|drain$|systemctl (?:mask|reboot)|apt-get.* (?:update|upgrade).*)/.exec(line)?.[1] ?? [],
    )
    .map((line) => line.replace(/^apt-get.* (update|upgrade)( --download-only)?.*/, "$1$2"));
};

test("a server that others stand in for is drained before its packages are installed, which are fetched before that", () => {
  expect(course(true)).toEqual([
    ...["step updating", "update", "upgrade --download-only", "drain", "systemctl mask"],
    ...["step installing", "upgrade", 'step "rebooting', "systemctl reboot", "step starting", 'step "done"'],
  ]);
});

test("a server with data is drained for a reboot only", () => {
  expect(course(false)).toEqual([
    ...["step updating", "update", "upgrade --download-only", "step installing", "upgrade"],
    ...["drain", 'step "rebooting', "systemctl reboot", "step starting", 'step "done"'],
  ]);
});
