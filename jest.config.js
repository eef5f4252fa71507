// Tests that run `make` start one of their own: it would warn about the job server of the make that runs the tests.
delete process.env.MAKEFLAGS;
delete process.env.MAKELEVEL;
delete process.env.MFLAGS;

/**
 * Globals that the tests' sandbox hands to each module as parameters: to look one up in the sandbox itself takes so long that it
 * was a sixth of the unit tests' processor time. None that a test replaces, that fake timers change or that a module declares.
 */
const quickGlobals = [
  ...["Array", "Error", "Function", "JSON", "Map", "Math", "Number", "Object", "Promise", "Proxy", "Reflect", "RegExp"],
  ...["String", "Symbol", "TypeError", "WeakMap"],
];

const shared = {
  transform: {
    "^.+\\.ts$": [
      "@swc/jest",
      { jsc: { target: "es2023", parser: { syntax: "typescript" } }, module: { type: "commonjs" } },
    ],
  },
  testEnvironment: "node",
  modulePathIgnorePatterns: ["<rootDir>/.orion/"],
  cacheDirectory: "<rootDir>/.orion/cache/jest",
};

/**
 * What the SDK loads to turn a function into text and to drive an engine from a program, which no program here does: with it,
 * each test file that composes resources would take a second longer. Programs leave out the same (toolchain/src/preload.cjs).
 * And Zod's messages in sixty languages but English.
 */
const unneeded = {
  "^(@npmcli/arborist|typescript|\\./automation|\\.\\./locales/index\\.cjs)$": "<rootDir>/testing/nothing.ts",
};

/**
 * Unit tests need neither Docker nor the engine; contract tests need the plugins; e2e tests need both, and so do the long
 * ones, for which CI has no time.
 */
export default {
  // Tests that need long say so themselves. What takes milliseconds may take longer on a machine that is busy with something
  // else; this ends only what hangs.
  testTimeout: 60_000,
  reporters: ["default", "<rootDir>/tests/closing-line.js"],
  projects: ["unit", "contract", "e2e", "long"].map((kind) => ({
    ...shared,
    displayName: kind,
    ...(kind === "unit" && {
      moduleNameMapper: unneeded,
      sandboxInjectedGlobals: quickGlobals,
      globalSetup: "<rootDir>/tests/unit/support/global-setup.ts",
    }),
    testMatch: [`<rootDir>/tests/${kind}/**/*.test.ts`],
  })),
};
