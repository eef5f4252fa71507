/** When a container that starts is ready, may still become it, or is given up. */
import { judgeStart, type Look, wrongStatus } from "../../../plugin/container-start.ts";

const starting: Look = { at: 0, isHealthy: false, restarts: 0 };
/** A look every second, from what is known of it. */
const looks = (seconds: number, of: (second: number) => Partial<Look>): Look[] =>
  Array.from({ length: seconds + 1 }, (_, second) => ({ ...starting, at: second * 1000, ...of(second) }));
/** The second in which it is decided, and how. */
function decided(all: readonly Look[], limit?: number): string | undefined {
  for (const [second] of all.entries()) {
    const verdict = judgeStart(all.slice(0, second + 1), limit);
    if (verdict) return `${second}: ${verdict.ready ? "ready" : verdict.why}`;
  }
  return undefined;
}
/** Processor time is looked at every five seconds. */
const busy =
  (perSecond: number, isBusy = false) =>
  (second: number) =>
    second % 5 === 0 ? { cpuSeconds: second * perSecond, isBusy } : {};

test("a healthy container is ready, however often it has ended before", () => {
  expect(decided(looks(9, (at) => ({ isHealthy: at > 6, restarts: 2 })))).toBe("7: ready");
});

test("one that ends again and again is given up at once, with how it ended", () => {
  const ends = looks(60, (at) => ({
    restarts: Math.floor(at / 3),
    ...(at % 3 === 2 && { ended: "with exit code 1" }),
  }));
  expect(decided(ends)).toBe("9: it has ended 3 times, with exit code 1");
});

test("so is one whose Uvicorn starts its processes again and again", () => {
  expect(decided(looks(60, (at) => ({ deaths: Math.floor(at / 2), cpuSeconds: at })))).toBe(
    "12: its processes have ended 6 times",
  );
});

test("a wrong answer is given up after 20 s, not one that says that the app is not ready yet", () => {
  const answers = (status: string) => (at: number) => ({ answer: at > 5 ? `HTTP ${status}\nGET ...` : "refused" });
  expect(decided(looks(60, answers("404 Not Found")))).toBe("26: its health check has got HTTP 404 Not Found for 20 s");
  expect(decided(looks(60, answers("503 Service Unavailable")))).toBeUndefined();
  // 500 while it still loads, and then well.
  expect(decided(looks(60, (at) => ({ answer: "HTTP 500 Error", isHealthy: at > 12 })))).toBe("13: ready");
});

test.each([
  ["HTTP 404 Not Found\nGET http://127.0.0.1:8000/health: no answer", "HTTP 404 Not Found"],
  ["curl: (22) The requested URL returned error: 500", "HTTP 500"],
  ["wget: server returned error: HTTP/1.1 401 Unauthorized", "HTTP 401 Unauthorized"],
  ["urllib.error.HTTPError: HTTP Error 404: Not Found", "HTTP 404: Not Found"],
  ["GET http://127.0.0.1:8000/health: no answer with status 2xx within 10 s", undefined],
  ["bash: connect: Connection refused", undefined],
  [undefined, undefined],
])("the status in %j", (answer, status) => {
  expect(wrongStatus(answer)).toBe(status);
});

test("a start that does nothing is given up, a slow one that works gets its time", () => {
  expect(decided(looks(60, busy(0.01)))).toBe("25: it has done nothing for 25 s, and does not answer");
  expect(decided(looks(170, busy(0.1)))).toBeUndefined();
  // On a machine that gives it nothing, it is slow.
  expect(decided(looks(170, busy(0.01, true)))).toBeUndefined();
  expect(decided(looks(170, (at) => ({ ...busy(0.01)(at), ...(at === 15 && { isBusy: true }) })))).toMatch(
    /^45: it has done/,
  );
  expect(decided(looks(190, busy(0.1)))).toBe("180: it was not healthy within 180 s");
});

test("a stack that gives its app a time gives it all of that, whatever it does", () => {
  expect(decided(looks(400, busy(0)), 300)).toBe("300: it was not healthy within 300 s");
  expect(
    decided(
      looks(400, (at) => ({ restarts: at })),
      300,
    ),
  ).toMatch(/^3: it has ended/);
});
