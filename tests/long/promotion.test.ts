/** The loss of the server with the primary, on a platform in phase scale that was brought up from nothing. */
import { resolve } from "node:path";
import { RehearsalCloud } from "../../testing/cloud.ts";
import { drillPromotion } from "../../testing/promotion-drill.ts";

const root = resolve(__dirname, "..", "..");
jest.setTimeout(900_000);

const cloud = new RehearsalCloud(root, { name: "promote", block: 82, port: 8486, machines: "docker" });

beforeAll(() => {
  cloud.rehearse("scale");
});

afterAll(() => {
  cloud.dispose();
});

drillPromotion(root, cloud);
