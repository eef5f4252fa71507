/** Where commands that tests start find the program compiled. */
import { resolve } from "node:path";

/**
 * The Makefile's folder of Node.js' compile cache, also for tests that run without `make`: each start would compile the program again.
 * It is given to those commands alone: Jest's own processes would write to it when they are to end at once.
 */
export const compileCache = {
  NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"] ?? resolve(".orion/cache/node"),
} as const;
