/**
 * Inputs of the `orion` plugin's resources that describe the machine of the update, or how it works, and not the resource: neither
 * the plugin's own comparison nor the report of a move counts their change. By type token.
 */
export const ignoredInputs: Readonly<Record<string, readonly string[]>> = {
  "orion:index:ServerType": ["ssh", "access"],
  "orion:index:OriginPullsReady": ["access", "settleSeconds", "blindSeconds", "timeoutSeconds"],
  "orion:index:ImageBuild": ["from"],
  "orion:index:HostReady": ["hostKey"],
};
