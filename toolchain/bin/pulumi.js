#!/usr/bin/env -S node --disable-warning=ExperimentalWarning
// Plain JavaScript, so that a Node.js which cannot run TypeScript gets this far and no further.
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);

if (major < 22 || (major === 22 && minor < 18)) {
  console.error(
    `error: Orion needs Node.js 22.18 or newer, and this is ${process.version} (${process.execPath}).\n` +
      "Run npm install: it puts a current one into node_modules/.bin, which npx and make use.",
  );
  process.exitCode = 1;
} else {
  await import("../src/pulumi.ts");
}
