/** Inputs of the plugin's resources whose change causes no update, by type token. */

/**
 * They describe the machine of the update, or how it works, and not the resource: neither the plugin's own comparison nor the report
 * of a move counts their change.
 */
export const ignoredInputs: Readonly<Record<string, readonly string[]>> = {
  "orion:index:ServerType": ["ssh", "access"],
  "orion:index:OriginPullsReady": ["access", "settleSeconds", "blindSeconds", "timeoutSeconds"],
  "orion:index:ImageBuild": ["from"],
  "orion:index:HostReady": ["hostKey"],
};
