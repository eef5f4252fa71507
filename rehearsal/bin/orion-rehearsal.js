#!/usr/bin/env node
// The command of the package. What it loads needs SQLite in Node.js: an older one is told so, not shown a stack trace.
const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 22 || (major === 22 && minor < 13)) {
  process.stderr.write(`orion-rehearsal needs Node.js 22.13 or later; this is ${process.versions.node}.\n`);
  process.exit(1);
}
await import("../cloud/cli.js");
