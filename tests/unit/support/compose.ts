/** The program under Pulumi's mocks, as `make diff` composes it. */
export * from "../../../policy/compose.ts";
