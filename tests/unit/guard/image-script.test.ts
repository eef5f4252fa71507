/** What programs say about themselves, and what the guard makes of it. */
import { loginOf, readAnswer, readVersion } from "../../../guard/image-script.ts";
import { settingsOf } from "../support/settings.ts";

test("images are pulled with the stack's login where it has the password", () => {
  const login = { registry: "registry.example.com", user: "orion" };
  const settings = settingsOf("mvp", { images: { login } }, ["registryPassword"]);
  expect(loginOf(settings, "a password")).toEqual({ ...login, password: "a password" });
  expect([loginOf(settings, undefined), loginOf(settingsOf("mvp"), "a password")]).toEqual([undefined, undefined]);
});

test.each([
  ["postgres", "postgres (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)", { program: "PostgreSQL", number: "15.20" }],
  ["postgres", "postgres (PostgreSQL) 17beta1", { program: "PostgreSQL", number: "17" }],
  ["postgres", "15", { program: "PostgreSQL", number: "15" }],
  [
    "redis",
    "Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64",
    { program: "Redis", number: "7.0.15" },
  ],
  ["redis", "Valkey server v=8.1.1 sha=00000000:0", { program: "Valkey", number: "8.1.1" }],
  ["postgres", "sh: 1: postgres: not found", undefined],
  ["redis", undefined, undefined],
] as const)("%s: %s", (kind, text, expected) => {
  expect(readVersion(kind, text)).toEqual(expected);
});

describe("an answer", () => {
  const image = "has postgres (PostgreSQL) 15.21\noffers plpgsql\noffers vector\n";

  test("has the version of the data, of the image, and the extensions that the image lacks", () => {
    expect(readAnswer("postgres", "data 15\nuses plpgsql\nuses timescaledb\n", image)).toEqual({
      wrote: { program: "PostgreSQL", number: "15" },
      has: { program: "PostgreSQL", number: "15.21" },
      isEmpty: false,
      missing: ["timescaledb"],
    });
  });

  test("may say that there is no data", () => {
    expect(readAnswer("postgres", "empty yes\n", image)).toMatchObject({ isEmpty: true });
    expect(readAnswer("postgres", "", `${image}empty yes\n`)).toMatchObject({ isEmpty: true });
  });

  test("takes the version of the data from the image's container when no other can say", () => {
    expect(readAnswer("postgres", "", `${image}data 14\n`)).toMatchObject({ wrote: { number: "14" }, isEmpty: false });
  });

  test("says why there is none", () => {
    const answer = readAnswer("postgres", "data 15\nuses plpgsql\n", "problem manifest unknown\n");
    expect(answer).toMatchObject({ has: undefined, problem: "manifest unknown" });
    expect(answer.missing).toBeUndefined();
  });
});
