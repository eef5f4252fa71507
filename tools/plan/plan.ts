/** `make plan`: shows the servers, services, price and account limits of a stack, without engine, token, state or passphrase. */
import { chosenStack, type StackChoice } from "../chosen-stack.ts";
import { say } from "../terminal.ts";
import { inventoryOf } from "./inventory.ts";
import { reportOfPlan } from "./report.ts";

export interface PlanOptions extends StackChoice {
  /** A phase, or the path of a stack file. @default the stack as its file describes it */
  readonly choice: string | undefined;
  /** Whether the plan is printed as JSON, for programs. */
  readonly json: boolean;
}

/** Prints the plan of a stack. @returns the exit code */
export function showPlan({ choice, json, ...stack }: PlanOptions): number {
  const inventory = inventoryOf(chosenStack(stack, choice));
  say(json ? JSON.stringify(inventory, undefined, 2) : reportOfPlan(inventory));
  return 0;
}
