/** The table of what replaces a resource at Cloudflare, against the plugin that stands in for the official one. */
import { replacingInputs } from "../../../policy/replacing.ts";
import { resources } from "../../../rehearsal/cloudflare-plugin/resources.ts";

const rows = Object.entries(replacingInputs).filter(([type]) => type.startsWith("cloudflare:"));

test.each(rows)("%s", (type, inputs) => {
  const resource = resources[type.split(":").pop() ?? ""];
  expect([...inputs].sort()).toEqual([...(resource?.replaces ?? [])].sort());
});
