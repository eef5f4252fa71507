/** Formats an advice for people. Pure. */
import { bold, dim, table, yellow } from "../terminal.ts";
import type { Advice, AdvisedCost, Reason } from "./advice.ts";
import { options } from "./rules.ts";

export function reportOfAdvice(advice: Advice): string {
  const { reasons, cheaper, warnings, notCovered, next } = advice;
  return [
    bold(headline(advice)),
    "",
    table(reasons.map(row)),
    ...warnings.map((line) => yellow(`\nwarning: ${line}`)),
    "",
    ...costs(advice),
    ...(cheaper.length > 0 ? ["", bold("For less")] : []),
    ...cheaper.map(
      ({ what, monthly, fits, givesUp }) =>
        `  € ${monthly.toFixed(2)}  ${what}${fits ? "" : " (the cheapest, still above the budget)"}; it gives up ${givesUp.join("; ")}`,
    ),
    "",
    bold("Not covered"),
    ...notCovered.map((line) => `  - ${line}`),
    "",
    bold("Next step"),
    ...next.map((line) => `  - ${line}`),
    "",
    dim("The rules and their sources: docs/choosing.md"),
  ].join("\n");
}

function headline({ option, phase, today }: Advice): string {
  if (option !== "servers") return `Advice: ${options[option]}`;
  const already = today === phase ? "" : `, for now ${today}`;
  return `Advice: ${options.servers}, phase ${phase}${already}`;
}

const row = ({ need, value, phase, source }: Reason): string[] => [
  `  ${need}`,
  value,
  phase === null ? "" : `at least ${phase}`,
  dim(source),
];

function costs({ option, cost, later, needs: { budget } }: Advice): string[] {
  const above = budget !== null && cost.monthly > budget ? yellow(`, above the budget of € ${budget}`) : "";
  return [
    bold(option === "servers" ? "What it costs" : "What servers would cost, to compare"),
    `  ${line(cost)}${above}`,
    ...(later === null ? [] : [`  later: ${line(later)}`]),
    dim(`  Net, without traffic and object storage; ${cost.source}, ${cost.date}.`),
    ...(cost.cloudflare.monthly > 0 ? [dim(`  ${cost.cloudflare.source}.`)] : []),
  ];
}

const line = ({ phase, servers, volumeGb, monthly, cloudflare }: AdvisedCost): string =>
  `€ ${monthly.toFixed(2)} a month: phase ${phase}, ${servers} server${servers === 1 ? "" : "s"}, Volumes of ${volumeGb} GB` +
  (cloudflare.monthly > 0 ? `, and US$ ${cloudflare.monthly} for Cloudflare's plan ${cloudflare.plan}` : "");
