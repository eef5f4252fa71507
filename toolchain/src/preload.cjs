/**
 * Node.js loads this first in every process that the engine starts: the program and the `orion` plugin. It leaves out of the SDK
 * what no program here uses, a third of a preview's processor time.
 */
"use strict";

const Module = require("node:module");

/** Functions as text, TypeScript before Node.js ran it, an engine that is driven by a program. */
const unused = new Set(["@npmcli/arborist", "typescript", "./automation", "source-map-support/register"]);
/** Loaded for traces, which the SDK sends with this variable only. */
const ofTraces = process.env.PULUMI_EXPERIMENTAL ? undefined : /^@opentelemetry\/(?!api$)/;

const load = Module._load;
Module._load = function (request, parent, ...rest) {
  const [, within] = /\/@pulumi\/pulumi\/(.+)$/.exec(parent?.filename ?? "") ?? [];
  if (within === undefined) return load.call(this, request, parent, ...rest);
  if (unused.has(request) || ofTraces?.test(request)) return {};
  const loaded = load.call(this, request, parent, ...rest);
  if (/(^|\/)log$/.test(request)) replace(loaded, "debug", () => silent);
  if (/(^|\/)debuggable$/.test(request)) replace(loaded, "debuggablePromise", withoutFrames);
  return loaded;
};

const replaced = new WeakSet();

/** Replaces what a module exports, or will: one that is in a circle is not complete yet. */
function replace(loaded, name, by) {
  if (replaced.has(loaded)) return;
  replaced.add(loaded);
  let current = by(loaded[name]);
  const set = (value) => {
    current = by(value);
  };
  Object.defineProperty(loaded, name, { get: () => current, set, enumerable: true, configurable: true });
}

/** Each of these messages is a call to the engine, one after the other, five for each resource; `--debug` alone shows them. */
const silent = () => Promise.resolve();

/** Takes no stack trace of a promise: PULUMI_DEBUG_PROMISE_LEAKS alone shows them. */
const withoutFrames = (whole) => (promise, context) => {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  try {
    return whole(promise, context);
  } finally {
    Error.stackTraceLimit = limit;
  }
};

// Node.js runs the TypeScript as it is. Old language hosts do not read `typescript: false` in Pulumi.yaml.
delete process.env.PULUMI_NODEJS_TYPESCRIPT;
