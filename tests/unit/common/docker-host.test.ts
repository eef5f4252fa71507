import { createHash } from "node:crypto";
import { chosenEngine, standardEngine } from "../../../common/docker-host.ts";

const contextFile = (name: string): string =>
  `contexts/meta/${createHash("sha256").update(name).digest("hex")}/meta.json`;
const context = (host: string): string => JSON.stringify({ Endpoints: { docker: { Host: host } } });
const colima = "unix:///home/one/.colima/default/docker.sock";
const rootless = "unix:///run/user/1000/docker.sock";

const files: Readonly<Record<string, string>> = {
  "/home/one/.docker/config.json": '{"currentContext": "colima"}',
  [`/home/one/.docker/${contextFile("colima")}`]: context(colima),
  [`/home/one/.docker/${contextFile("rootless")}`]: context(rootless),
  "/elsewhere/config.json": '{"auths": {}}',
  "/broken/config.json": "{",
};
const chosen = (env: Readonly<Record<string, string>>) =>
  chosenEngine({ HOME: "/home/one", ...env }, (path) => files[path]);

test.each([
  ["the current context", {}, colima, "the docker context colima"],
  ["DOCKER_CONTEXT before it", { DOCKER_CONTEXT: "rootless" }, rootless, "the docker context rootless"],
  ["the default context by name", { DOCKER_CONTEXT: "default" }, standardEngine, undefined],
  ["DOCKER_HOST before all", { DOCKER_HOST: rootless, DOCKER_CONTEXT: "colima" }, rootless, `DOCKER_HOST=${rootless}`],
  ["a host without a scheme", { DOCKER_HOST: "10.0.0.1:2375" }, "tcp://10.0.0.1:2375", "DOCKER_HOST=10.0.0.1:2375"],
  ["another folder of settings", { DOCKER_CONFIG: "/elsewhere" }, standardEngine, undefined],
  ["settings that are no JSON", { DOCKER_CONFIG: "/broken" }, standardEngine, undefined],
  ["an empty choice", { DOCKER_HOST: "", DOCKER_CONFIG: "/elsewhere" }, standardEngine, undefined],
])("%s", (_, env, host, by) => {
  expect(chosen(env)).toEqual({ host, by });
});

test("a context that does not exist is named, so that the docker command's own message can explain it", () => {
  expect(chosen({ DOCKER_CONTEXT: "gone" })).toEqual({ host: standardEngine, by: "the docker context gone" });
});
