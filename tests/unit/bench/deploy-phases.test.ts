/** Where the seconds of a deploy go, by lines that the engine has printed. */
import { phasesOf } from "../../../bench/deploy-phases.ts";

const printed = [
  [6.7, " ~  orion:index:Task release-migrate updating (0s) [diff: ~environment]"],
  [7.7, " ~  orion:index:Task release-migrate updated (0.92s) [diff: ~environment]"],
  [8.6, " ~  orion:index:Task release-init updated (0.87s) [diff: ~environment]"],
  [16.6, " ~  orion:index:ContainerReady app-core-1-1-ready updated (5s) [diff: ~container]"],
  [18.2, " ~  orion:index:ContainerReady app-core-1-2-ready updated (7s) [diff: ~container]"],
  [18.3, " ~  orion:index:LiveFiles edge-core-1-config updating (0s) [diff: ~files]"],
  [20.2, " ~  orion:index:ContainerReady worker-core-1-emails-ready updated (8s) [diff: ~container]"],
  [20.4, " ~  orion:index:ContainerReady workers-beat-ready updated (7s) [diff: ~container]"],
  [20.8, " ~  orion:index:LiveFiles edge-core-1-config updated (2s) [diff: ~files]"],
  [22.3, " -- docker:index:Container app-core-1-2 deleted original (1s) [diff: ~envs]"],
  [24.2, " -- docker:index:Container worker-core-1-imports deleted original (2s) [diff: ~envs]"],
].map(([at, line]) => ({ at: Number(at), line: String(line) }));

test("each phase ends with its last line, and what is complete by then takes none", () => {
  const phases = [...phasesOf(printed, 24.4).values()].map((seconds) => Math.round(seconds * 10) / 10);
  expect(phases).toEqual([6.7, 1.9, 9.6, 2.6, 0, 3.4, 0.2]);
});

test("an update that is no deploy is not taken for one", () => {
  expect(() => phasesOf(printed.slice(0, 3), 9)).toThrow("no line of the engine says that the new apps start");
});
