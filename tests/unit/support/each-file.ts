/** What the runner of the unit tests lacks: a time limit of each test and hook, and modules that are loaded anew for each file. */
import { clearTimeout, setTimeout } from "node:timers";
import { addEventHandler } from "jest-circus";
import { cleanUp } from "../../../testing/cleanup.ts";

/** What takes milliseconds may take longer on a machine that is busy with something else; this ends only what hangs. */
const limitSeconds = 60;

let file: object | undefined;

addEventHandler(({ name }, { rootDescribeBlock, currentDescribeBlock: { children, hooks } }) => {
  const added = name === "add_test" ? children.at(-1) : name === "add_hook" ? hooks.at(-1) : undefined;
  // With a callback (`done`) none is written here.
  if (added && "fn" in added) added.fn = limited(added.fn as () => unknown);
  if (file === rootDescribeBlock) return;
  file = rootDescribeBlock;
  const more = { type: "afterAll", fn: limited(cleanUp), parent: rootDescribeBlock } as const;
  rootDescribeBlock.hooks.push({ ...more, asyncError: new Error(), seenDone: false, timeout: undefined });
});

function limited(work: () => unknown): () => Promise<void> {
  return async () => {
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<never>((_, fail) => {
      timer = setTimeout(() => {
        fail(new Error(`it did not end within ${limitSeconds} s`));
      }, limitSeconds * 1000);
    });
    try {
      await Promise.race([work(), limit]);
    } finally {
      clearTimeout(timer);
    }
  };
}
