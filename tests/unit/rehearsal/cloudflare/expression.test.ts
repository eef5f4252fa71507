import { compile, ExpressionError, isInRange, type Request } from "../../../../rehearsal/cloudflare/expression.ts";

const request: Request = {
  method: "GET",
  host: "www.example.com",
  path: "/static/App.JS",
  query: "q=1%27%20UNION%20select&v=2",
  headers: { "user-agent": "curl/8", cookie: "a=1; session=xyz", "x-test": "on" },
  ip: "192.0.2.7",
  country: "DE",
  ssl: true,
};

test.each([
  [`http.request.uri.path eq "/static/App.JS"`, true],
  [`http.request.uri.path == "/static"`, false],
  [`lower(http.request.uri.path) contains ".js"`, true],
  [`lower(url_decode(http.request.uri.query)) contains "union select"`, true],
  [`lower(url_decode(http.request.uri)) contains "app.js?q=1' union select"`, true],
  [`http.request.uri.path eq r"/static/App.JS" and http.host eq r#"www.example.com"#`, true],
  [`starts_with(http.request.uri.path, "/static/") and not ssl`, false],
  [`(http.host eq "x" or http.host eq "www.example.com") and http.request.method in {"GET" "HEAD"}`, true],
  [`http.request.method in {"POST"} or ip.src in {192.0.2.0/24}`, true],
  [`ip.src eq 192.0.2.7`, true],
  [`ip.src.country ne "DE"`, false],
  [`any(http.request.headers["x-test"][*] eq "on")`, true],
  [`http.request.cookies["session"][0] eq "xyz"`, true],
  [`len(http.user_agent) ge 6 && cf.threat_score lt 10`, true],
  [`http.request.uri.path matches "^/(static|media)/"`, true],
  [`http.host wildcard "*.EXAMPLE.com"`, true],
  [`http.request.uri.args["v"][0] eq "2" xor ssl`, false],
  [`true`, true],
  // And binds more tightly than or.
  [`ssl or ssl and http.host eq "x"`, true],
])("%s is %s", (source, expected) => {
  expect(compile(source).matches(request)).toBe(expected);
});

test.each([
  ["http.unknown eq 1", "unknown field http.unknown"],
  [`http.host eq "x" and`, "unexpected end"],
  [`(ssl`, "expected )"],
  [`http.host eq "x" "y"`, "unexpected"],
  [`sha256(http.host) eq "x"`, "unknown function sha256"],
  [`http.host matches "("`, "is not a valid regular expression"],
  ["http.host eq §", "unexpected"],
])("%s is refused: %s", (source, message) => {
  expect(() => compile(source)).toThrow(ExpressionError);
  expect(() => compile(source)).toThrow(message);
});

test.each([
  ["%41%2", "", "A%2"],
  ["a+b%zz%20c", "", "a b%zz c"],
  ["%25%32%30", "", "%20"],
  ["%252520", "r", " "],
  ["%E2%98%81", "", "☁"],
  ["%u2601", "u", "☁"],
  ["%u2601", "", "%u2601"],
])("url_decode of %s with options '%s' is '%s'", (query, options, expected) => {
  const { matches } = compile(`url_decode(http.request.uri.query, "${options}") eq "${expected}"`);
  expect(matches({ ...request, query })).toBe(true);
});

test("an expression tells which fields it looks at", () => {
  const { fields } = compile(`http.host eq "x" or any(http.request.headers["a"][*] eq lower(http.user_agent))`);
  expect([...fields].sort()).toEqual(["http.host", "http.request.headers", "http.user_agent"]);
});

test("ranges", () => {
  expect(isInRange("10.1.2.3", "10.0.0.0/8")).toBe(true);
  expect(isInRange("11.1.2.3", "10.0.0.0/8")).toBe(false);
  expect(isInRange("255.255.255.255", "255.255.255.254/31")).toBe(true);
});
