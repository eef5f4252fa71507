/** The URLs at which clients reach Redis. */
import { redisUrl } from "../../../../components/cache/redis-url.ts";

test("on this machine: the user, its password, the database", () => {
  expect(redisUrl({ address: "cache:6379" }, "app", "secret", 3)).toBe("redis://app:secret@cache:6379/3");
});

test("between servers: TLS, and the client verifies the server", () => {
  const endpoint = { address: "10.20.1.11:6381", authorityFile: "/etc/orion/ca.crt" };
  expect(redisUrl(endpoint, "worker", "secret", 1)).toBe(
    "rediss://worker:secret@10.20.1.11:6381/1?ssl_cert_reqs=required&ssl_ca_certs=/etc/orion/ca.crt",
  );
});
