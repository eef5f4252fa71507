import { Refusal } from "../../../common/hetzner.ts";
import { keyFingerprint } from "../../../config/public-key.ts";
import { existingKeys } from "../../../guard/existing-keys.ts";
import type { Graph } from "../../../policy/graph.ts";
import { types } from "../../../policy/stateful.ts";
import { publicKey } from "../support/settings.ts";

const access = { endpoint: "http://127.0.0.1:9/v1", token: "token" };
const [mine, theirs, unknown] = [publicKey("mine"), publicKey("theirs"), publicKey("unknown")];
const state: Graph = {
  resources: [
    { type: types.sshKey, name: "admin-1", inputs: { publicKey: mine.replace(" mine", " renamed") }, options: {} },
  ],
  uses: new Map(),
};

test("only keys that the state does not have are looked up, whatever their comments are", async () => {
  const asked: string[] = [];
  const sshKey = (key: string) => {
    asked.push(key);
    return Promise.resolve(key === theirs ? "7" : undefined);
  };
  const found = await existingKeys([mine, theirs, unknown], state, access, { sshKey });
  expect(asked).toEqual([theirs, unknown]);
  expect(found).toEqual(new Map([[keyFingerprint(theirs), "7"]]));
});

test("without an answer none is found: the update itself tells", async () => {
  const sshKey = () => Promise.reject(new Refusal("unauthorized", "unable to authenticate"));
  expect(await existingKeys([theirs], state, access, { sshKey })).toEqual(new Map());
});
