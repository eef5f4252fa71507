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
 * Unit tests need neither Docker nor the engine; contract tests need the plugins; e2e tests need both and run one after
 * another, and so do the long ones, for which CI has no time.
 */
export default {
  reporters: ["default", "<rootDir>/tests/closing-line.js"],
  projects: ["unit", "contract", "e2e", "long"].map((kind) => ({
    ...shared,
    displayName: kind,
    // The contract and end-to-end tests say themselves how long they may take. The others take milliseconds: what ends one that
    // hangs is this, and nothing on a machine that is busy with something else.
    testTimeout: 60_000,
    testMatch: [`<rootDir>/tests/${kind}/**/*.test.ts`],
  })),
};
