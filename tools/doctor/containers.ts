/** Checks a container: first its state and health in Docker, then by its service's own probe. */
import type { Probe } from "../../topology/service.ts";
import { definitionOf } from "../../topology/catalogue.ts";
import type { ContainerState } from "../docker.ts";
import type { Checked } from "./advice.ts";
import { checkEdge } from "./checks/edge.ts";
import { checkGateway } from "./checks/gateway.ts";
import { checkHttp } from "./checks/http.ts";
import { checkPooler } from "./checks/pooler.ts";
import { checkPostgres } from "./checks/postgres.ts";
import { checkRedis } from "./checks/redis.ts";
import { checkSentinel } from "./checks/sentinel.ts";
import { checkReplica } from "./checks/replica.ts";
import { checkWorker } from "./checks/worker.ts";
import type { Question } from "./question.ts";

/** @param state undefined when there is no such container */
export async function checkContainer(question: Question, state: ContainerState | undefined): Promise<Checked> {
  if (state?.State.Status !== "running") {
    return { problem: state ? "stopped" : "missing", detail: describeExit(state) };
  }
  const health = state.State.Health?.Status ?? "healthy";
  if (health !== "healthy") {
    return { problem: health === "starting" ? "starting" : "unhealthy", detail: `health: ${health}` };
  }
  const checked = await ask(question, definitionOf(question.service.kind).probe(question.service));
  const restarts = state.RestartCount > 0 ? `, restarted ${state.RestartCount} times` : "";
  return { ...checked, detail: checked.detail + restarts };
}

function describeExit(state: ContainerState | undefined): string {
  if (!state) return "no such container";
  return state.State.OOMKilled ? "killed: out of memory" : `${state.State.Status}, exit code ${state.State.ExitCode}`;
}

function ask(question: Question, probe: Probe): Checked | Promise<Checked> {
  switch (probe.kind) {
    case "health":
      return { detail: "healthy" };
    case "postgres":
      return checkPostgres(question);
    case "replica":
      return checkReplica(question);
    case "redis":
      return checkRedis(question);
    case "sentinel":
      return checkSentinel(question);
    case "worker":
      return checkWorker(question);
    case "gateway":
      return checkGateway(question);
    case "pooler":
      return checkPooler(question);
    case "edge":
      return checkEdge(question);
    case "http": {
      const { service, exec } = question;
      const { port, path, failure } = probe;
      return checkHttp({ service, exec, from: service, scheme: "http", port, path, failure });
    }
  }
}
