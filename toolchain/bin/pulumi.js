#!/usr/bin/env -S node --disable-warning=ExperimentalWarning
// Start of `npx pulumi`: checks the Node.js version. Plain JavaScript, because an old Node.js cannot run TypeScript.
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);

if (major < 22 || (major === 22 && minor < 18)) {
  console.error(
    `error: Orion needs Node.js 22.18 or newer, and this is ${process.version} (${process.execPath}).\n` +
      "Run npm install: it puts a current one into node_modules/.bin, where npx and make find it.",
  );
  process.exitCode = 1;
} else {
  await import("../src/pulumi.ts");
}
