// Tests that run `make` start one of their own: it would warn about the job server of the make that runs the tests.
delete process.env.MAKEFLAGS;
delete process.env.MAKELEVEL;
delete process.env.MFLAGS;

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
 * Unit tests run in bare Node.js, as the program does: all files of a process share the modules that they import, which halves the
 * time of the whole. What a test changes in the process (variables, methods of the SDK) it puts back.
 */
const inBareNode = {
  runner: ["jest-light-runner", { runtime: "child_process" }],
  globalSetup: "<rootDir>/tests/unit/support/global-setup.ts",
  setupFiles: ["<rootDir>/toolchain/src/preload.cjs"],
  setupFilesAfterEnv: ["<rootDir>/tests/unit/support/each-file.ts"],
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
    ...(kind === "unit" && inBareNode),
    testMatch: [`<rootDir>/tests/${kind}/**/*.test.ts`],
  })),
};
