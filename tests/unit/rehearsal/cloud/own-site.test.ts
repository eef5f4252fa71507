import { foreignSite } from "../../../../rehearsal/cloud/own-site.ts";

const own = { host: "127.0.0.1:8470" };
const fromPage = { ...own, origin: "http://127.0.0.1:8470", "sec-fetch-site": "same-origin" };

test.each([
  ["a program", "POST", own],
  ["a program that says localhost", "DELETE", { host: "localhost:8470" }],
  ["a tunnel on another port", "GET", { host: "[::1]:9000" }],
  ["the page itself", "POST", fromPage],
  ["an address that was typed", "GET", { ...own, "sec-fetch-site": "none", "sec-fetch-mode": "navigate" }],
  ["a link that was followed", "GET", { ...own, "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" }],
])("%s is let in: %s %j", (_who, method, headers) => {
  expect(foreignSite(method, headers)).toBeUndefined();
});

test.each([
  ["a site whose name points at this machine", "GET", { host: "evil.example.com:8470" }],
  ["a name that begins like this machine's", "GET", { host: "127.0.0.1.example.com:8470" }],
  ["a name that ends like it", "GET", { host: "x@localhost" }],
  ["no name at all", "GET", {}],
  ["a form of another site", "POST", { ...own, origin: "https://evil.example.com" }],
  ["a page in a sandbox, or of a file", "POST", { ...own, origin: "null" }],
  ["a page of another port of this machine", "POST", { ...own, origin: "http://127.0.0.1:3000" }],
  ["the other name of this machine", "POST", { ...own, origin: "http://localhost:8470" }],
  ["a script of another site", "GET", { ...own, "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors" }],
  ["a form that another site sends", "POST", { ...own, "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" }],
])("%s is refused: %s %j", (_who, method, headers) => {
  expect(foreignSite(method, headers)).toEqual(expect.any(String));
});
