import { mock } from "node:test";
import { progressOn } from "../../../../toolchain/src/progress.ts";

/** A screen that keeps what is written, and a clock that the test moves. */
function screen(isTTY?: boolean) {
  const written: string[] = [];
  const write = (text: string) => written.push(text);
  return { written, progress: progressOn(isTTY === undefined ? { write } : { isTTY, write }) };
}
/** Lets time pass in steps, so that what waits for a promise goes on in between. */
async function wait(seconds: number): Promise<void> {
  for (let passed = 0; passed < seconds * 10; passed++) {
    mock.timers.tick(100);
    for (let turn = 0; turn < 5; turn++) await Promise.resolve();
  }
}
const work = (seconds: number) => () => new Promise<string>((settle) => setTimeout(settle, seconds * 1000, "result"));

beforeEach(() => {
  mock.timers.enable({ apis: ["setInterval", "setTimeout", "Date"] });
});
afterEach(() => {
  mock.timers.reset();
});

test("on a terminal one line is written over each second, and stays when the work is done", async () => {
  const { written, progress } = screen(true);
  const result = progress.during("engine: building", "built", work(2.6));
  await wait(3);
  expect(await result).toBe("result");
  const over = "\r\u001b[2K";
  expect(written).toEqual([
    `${over}  engine: building ...`,
    `${over}  engine: building ... 1 s`,
    `${over}  engine: building ... 2 s`,
    `${over}  engine: building: built in 3 s\n`,
  ]);
});

test.each([[false], [undefined]])(
  "in a log (isTTY %s) a line comes every 15 seconds, without control characters",
  async (isTTY) => {
    const { written, progress } = screen(isTTY);
    const result = progress.during("engine: building", "built", work(40));
    await wait(40);
    await result;
    expect(written).toEqual([
      "  engine: building ...\n",
      "  engine: building ... 15 s\n",
      "  engine: building ... 30 s\n",
      "  engine: building: built in 40 s\n",
    ]);
  },
);

test("work that fails says so, once, and its error goes on", async () => {
  const { written, progress } = screen(false);
  const result = expect(progress.during("engine", "built", () => Promise.reject(new Error("no")))).rejects.toThrow(
    "no",
  );
  await wait(60);
  await result;
  expect(written).toEqual(["  engine ...\n", "  engine: failed after 0 s\n"]);
});

test("something said in between does not stand behind the line that is written over", () => {
  const { written, progress } = screen(true);
  progress.say("hello");
  expect(written).toEqual(["\r\u001b[2Khello\n"]);
});
