/**
 * Compiles expressions of Cloudflare's rules language, as far as a web platform's rules use it: request fields, comparisons,
 * sets, and/or/xor/not, string functions. Pure; unsupported syntax is refused by name.
 */

export interface Request {
  readonly method: string;
  readonly host: string;
  readonly path: string;
  /** Without the question mark. */
  readonly query: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly ip: string;
  readonly country: string;
  readonly ssl: boolean;
  /** Status of the response; set only for rules that count responses. */
  readonly status?: number;
}

type Value = string | number | boolean;
export type Predicate = (request: Request) => boolean;
type Evaluate = (request: Request) => Value | undefined;

/** A syntax error or unsupported name; the message gives the position. */
export class ExpressionError extends Error {
  override readonly name = "ExpressionError";
}

const fields: Readonly<Record<string, Evaluate>> = {
  "http.host": ({ host }) => host,
  "http.request.method": ({ method }) => method,
  "http.request.uri": ({ path, query }) => (query === "" ? path : `${path}?${query}`),
  "http.request.full_uri": ({ host, path, query, ssl }) =>
    `${ssl ? "https" : "http"}://${host}${path}${query === "" ? "" : `?${query}`}`,
  "http.request.uri.path": ({ path }) => path,
  "http.request.uri.path.extension": ({ path }) => /\.([^./]+)$/.exec(path)?.[1]?.toLowerCase() ?? "",
  "http.request.uri.query": ({ query }) => query,
  "http.request.version": () => "HTTP/1.1",
  "http.cookie": ({ headers }) => headers["cookie"] ?? "",
  "http.referer": ({ headers }) => headers["referer"] ?? "",
  "http.user_agent": ({ headers }) => headers["user-agent"] ?? "",
  "http.x_forwarded_for": ({ headers }) => headers["x-forwarded-for"] ?? "",
  "http.response.code": ({ status }) => status,
  "ip.src": ({ ip }) => ip,
  "ip.src.country": ({ country }) => country,
  "ip.geoip.country": ({ country }) => country,
  "cf.client.bot": () => false,
  "cf.threat_score": () => 0,
  "cf.bot_management.score": () => 99,
  "cf.bot_management.verified_bot": () => false,
  "cf.waf.score": () => 99,
  ssl: ({ ssl }) => ssl,
};

const isText = (value: Value | undefined): value is string => typeof value === "string";

const textFunctions: Readonly<Record<string, (text: string, ...more: readonly string[]) => Value>> = {
  lower: (text) => text.toLowerCase(),
  upper: (text) => text.toUpperCase(),
  url_decode: (text, options = "") => urlDecode(text, options),
  len: (text) => text.length,
  starts_with: (text, start = "") => text.startsWith(start),
  ends_with: (text, end = "") => text.endsWith(end),
  concat: (...parts) => parts.join(""),
  remove_query_args: (text) => text,
};

/**
 * Decodes percent-encoded bytes; invalid sequences stay unchanged.
 *
 * @param options `r`: repeat until nothing changes; `u`: also decode `%u2601`
 */
function urlDecode(text: string, options: string): string {
  const unicode = options.includes("u")
    ? text.replaceAll(/%u([0-9a-f]{4})/gi, (_whole, digits: string) => String.fromCharCode(parseInt(digits, 16)))
    : text;
  const decoded = unicode
    .replaceAll("+", " ")
    .replaceAll(/(?:%[0-9a-f]{2})+/gi, (bytes) => Buffer.from(bytes.replaceAll("%", ""), "hex").toString());
  return options.includes("r") && decoded !== text ? urlDecode(decoded, options) : decoded;
}

type Token = { readonly kind: "word" | "text" | "number" | "sign"; readonly value: string; readonly at: number };

const patterns: readonly (readonly [Token["kind"] | "space", RegExp])[] = [
  ["space", /\s+/y],
  ["text", /"(?:[^"\\]|\\.)*"/y],
  ["text", /r(#*)"[^]*?"\1/y],
  ["word", /[a-z_][a-z0-9_]*(?:\.[a-z0-9_]+)*/iy],
  ["number", /\d+(?:\.\d+)*(?:\/\d+)?|[0-9a-f]*:[0-9a-f:]+(?:\/\d+)?/iy],
  ["sign", /==|!=|<=|>=|&&|\|\||\^\^|\.\.|[(){}[\],<>~!*]/y],
];

function tokenize(source: string): Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < source.length;) {
    const found = patterns.flatMap(([kind, pattern]) => {
      pattern.lastIndex = at;
      const match = pattern.exec(source);
      return match === null ? [] : [{ kind, value: match[0], at }];
    })[0];
    if (found === undefined) throw new ExpressionError(`unexpected ${JSON.stringify(source[at])} at position ${at}`);
    at += found.value.length;
    const { kind } = found;
    if (kind !== "space") tokens.push({ ...found, kind });
  }
  return tokens;
}

const unquote = (text: string): string =>
  text.startsWith("r") ? text.replace(/^r(#*)"([^]*)"\1$/, "$2") : text.slice(1, -1).replaceAll(/\\(.)/g, "$1");

const comparisons: Readonly<Record<string, string>> = {
  "==": "eq",
  "!=": "ne",
  "<": "lt",
  "<=": "le",
  ">": "gt",
  ">=": "ge",
  "~": "matches",
};
const words = new Set(["eq", "ne", "lt", "le", "gt", "ge", "contains", "matches", "wildcard", "in"]);
const joins: readonly (readonly string[])[] = [
  ["or", "||"],
  ["xor", "^^"],
  ["and", "&&"],
];

class Parser {
  readonly #tokens: readonly Token[];
  #next = 0;
  /** Whether the expression uses regular expressions, which only larger plans allow. */
  usesMatches = false;
  /** Names of the request fields that it reads. */
  readonly fields = new Set<string>();

  constructor(source: string) {
    this.#tokens = tokenize(source);
  }

  parse(): Predicate {
    const whole = this.#join(0);
    const rest = this.#peek();
    if (rest !== undefined) throw new ExpressionError(`unexpected ${rest.value} at position ${rest.at}`);
    return whole;
  }

  #peek(): Token | undefined {
    return this.#tokens[this.#next];
  }

  #take(...values: readonly string[]): Token | undefined {
    const token = this.#peek();
    if (token === undefined || token.kind === "text" || !values.includes(token.value.toLowerCase())) return undefined;
    this.#next += 1;
    return token;
  }

  #expect(value: string): void {
    const token = this.#peek();
    if (this.#take(value) === undefined)
      throw new ExpressionError(`expected ${value}, got ${token?.value ?? "the end"}`);
  }

  #advance(): Token {
    const token = this.#peek();
    if (token === undefined) throw new ExpressionError("unexpected end");
    this.#next += 1;
    return token;
  }

  #join(level: number): Predicate {
    const operators = joins[level];
    if (operators === undefined) return this.#unary();
    let left = this.#join(level + 1);
    while (this.#take(...operators) !== undefined) {
      const [a, b] = [left, this.#join(level + 1)];
      left = level === 0 ? (r) => a(r) || b(r) : level === 1 ? (r) => a(r) !== b(r) : (r) => a(r) && b(r);
    }
    return left;
  }

  #unary(): Predicate {
    if (this.#take("not", "!") !== undefined) {
      const inner = this.#unary();
      return (request) => !inner(request);
    }
    if (this.#take("(") !== undefined) {
      const inner = this.#join(0);
      this.#expect(")");
      return inner;
    }
    return this.#comparison();
  }

  #comparison(): Predicate {
    const left = this.#operand();
    const token = this.#peek();
    const operator =
      token === undefined || token.kind === "text"
        ? undefined
        : (comparisons[token.value] ?? token.value.toLowerCase());
    if (operator === undefined || !words.has(operator)) return (request) => left(request) === true;
    this.#next += 1;
    if (operator === "in") return this.#set(left);
    const right = this.#operand();
    if (operator === "matches") return this.#matches(left, right);
    return (request) => compare(operator, left(request), right(request));
  }

  #matches(left: Evaluate, right: Evaluate): Predicate {
    this.usesMatches = true;
    const source = right(nothing);
    if (!isText(source)) throw new ExpressionError("matches needs a regular expression as a string");
    let pattern: RegExp;
    try {
      pattern = new RegExp(source.replace(/^\(\?i\)/, ""), source.startsWith("(?i)") ? "i" : "");
    } catch {
      throw new ExpressionError(`${source} is not a valid regular expression`);
    }
    return (request) => pattern.test(String(left(request) ?? ""));
  }

  #set(left: Evaluate): Predicate {
    this.#expect("{");
    const members: ((value: Value) => boolean)[] = [];
    while (this.#take("}") === undefined) {
      const token = this.#advance();
      const literal = token.kind === "text" ? unquote(token.value) : token.value;
      if (this.#take("..") !== undefined) {
        const [least, most] = [Number(literal), Number(this.#advance().value)];
        members.push((value) => Number(value) >= least && Number(value) <= most);
      } else {
        members.push((value) =>
          literal.includes("/") && token.kind === "number"
            ? isInRange(String(value), literal)
            : String(value) === literal,
        );
      }
      this.#take(",");
    }
    return (request) => {
      const value = left(request);
      return value !== undefined && members.some((member) => member(value));
    };
  }

  #operand(): Evaluate {
    const token = this.#advance();
    if (token.kind === "text") return constant(unquote(token.value));
    if (token.kind === "number") {
      const number = Number(token.value);
      return constant(Number.isNaN(number) ? token.value : number);
    }
    if (token.kind === "sign") throw new ExpressionError(`unexpected ${token.value} at position ${token.at}`);
    const name = token.value;
    if (name === "true" || name === "false") return constant(name === "true");
    if (this.#take("(") !== undefined) return this.#call(name);
    if (this.#take("[") !== undefined) return this.#element(name);
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (field === undefined) throw new ExpressionError(`unknown field ${name}`);
    this.fields.add(name);
    return field;
  }

  #call(name: string): Evaluate {
    const args: Evaluate[] = [];
    while (this.#take(")") === undefined) {
      args.push(name === "any" ? this.#join(0) : this.#operand());
      this.#take(",");
    }
    const apply = Object.hasOwn(textFunctions, name) ? textFunctions[name] : undefined;
    if (name === "any") return (request) => args.some((each) => each(request) === true);
    if (apply === undefined) throw new ExpressionError(`unknown function ${name}`);
    return (request) => {
      const [first = "", ...more] = args.map((each) => String(each(request) ?? ""));
      return apply(first, ...more);
    };
  }

  /** `http.request.headers["name"][0]`, and the same with `[*]` inside `any(...)`. */
  #element(name: string): Evaluate {
    const key = unquote(this.#advance().value).toLowerCase();
    this.#expect("]");
    if (this.#take("[") !== undefined) {
      this.#advance();
      this.#expect("]");
    }
    this.fields.add(name);
    switch (name) {
      case "http.request.headers":
        return ({ headers }) => headers[key];
      case "http.request.cookies":
        return ({ headers }) => cookie(headers["cookie"] ?? "", key);
      case "http.request.uri.args":
        return ({ query }) => new URLSearchParams(query).get(key) ?? undefined;
      default:
        throw new ExpressionError(`unknown field ${name}`);
    }
  }
}

const nothing: Request = { method: "", host: "", path: "", query: "", headers: {}, ip: "", country: "", ssl: false };
const constant =
  (value: Value): Evaluate =>
  () =>
    value;

const cookie = (header: string, name: string): string | undefined =>
  header
    .split(/;\s*/)
    .find((pair) => pair.toLowerCase().startsWith(`${name}=`))
    ?.slice(name.length + 1);

function compare(operator: string, left: Value | undefined, right: Value | undefined): boolean {
  if (left === undefined || right === undefined) return operator === "ne";
  switch (operator) {
    case "eq":
      return left === right;
    case "ne":
      return left !== right;
    case "contains":
      return String(left).includes(String(right));
    case "wildcard":
      return wildcard(String(right)).test(String(left));
    case "lt":
      return left < right;
    case "le":
      return left <= right;
    case "gt":
      return left > right;
    default:
      return left >= right;
  }
}

const wildcard = (pattern: string): RegExp =>
  new RegExp(
    `^${pattern
      .split("*")
      .map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, "\\$&"))
      .join(".*")}$`,
    "i",
  );

/** Whether an IPv4 address lies in a range such as 192.0.2.0/24. */
export function isInRange(address: string, range: string): boolean {
  const [network = "", bits = "32"] = range.split("/");
  const number = (text: string) => text.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
  if (!/^\d+(\.\d+){3}$/.test(address) || !/^\d+(\.\d+){3}$/.test(network)) return address === network;
  const size = 2 ** (32 - Number(bits));
  return Math.floor(number(address) / size) === Math.floor(number(network) / size);
}

export interface Compiled {
  readonly matches: Predicate;
  readonly usesMatches: boolean;
  readonly fields: ReadonlySet<string>;
}

/**
 * Compiles an expression.
 *
 * @throws {ExpressionError}
 */
export function compile(source: string): Compiled {
  const parser = new Parser(source);
  const matches = parser.parse();
  return { matches, usesMatches: parser.usesMatches, fields: parser.fields };
}
