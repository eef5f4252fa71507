/** nginx' configuration, by what is in front of it. */
import { appKeepsIdleSeconds } from "../../../../common/app-contract.ts";
import { nginxConfig } from "../../../../components/edge-proxy/nginx-config.ts";
import { plainEdge, serverEdge } from "../../support/edge.ts";

/** The text of a location. */
const location = (text: string, path: string) =>
  new RegExp(`location ${path.replace("@", "\\@")} \\{[^]*?\\n    \\}`).exec(text)?.[0] ?? "";

/** The texts of all servers that listen on a port. */
const servers = (text: string, port: number) =>
  text.split(/^ {2}server \{$/m).filter((server) => new RegExp(`^ *listen (\\S+:)?${port}\\b`, "m").test(server));

describe("nginx.conf", () => {
  const config = nginxConfig({ ...plainEdge, uploads: "/app/uploads" });

  test.each([
    ["client_max_body_size 50m;"],
    ["limit_req_zone $binary_remote_addr zone=perclient:10m rate=100r/s;"],
    ["limit_conn connections 100;"],
    ["worker_shutdown_timeout 1h;"],
    ["server_name _;"],
    ["proxy_set_header Host $http_host;"],
  ])("says %s", (line) => {
    expect(config).toContain(line);
  });

  test("without a host name one server answers any", () => {
    expect(servers(config, 8080)).toHaveLength(1);
    expect(config).not.toMatch(/return 421|default_server/);
  });

  test("what is uploaded is shown, and runs as no page of ours", () => {
    const uploads = location(config, "/uploads/");
    expect(uploads.match(/Content-Security-Policy.*/g)).toEqual([
      `Content-Security-Policy "sandbox; default-src 'none'" always;`,
    ]);
    expect(uploads).toContain("expires 7d;");
  });

  test("what is static stays in a browser for a month", () => {
    expect(location(config, "/static/")).toMatch(/expires 30d;\n *add_header Cache-Control "public, immutable";/);
  });

  test.each(["/static/", "/uploads/"])("%s adds a header and therefore repeats those of the server", (path) => {
    expect(location(config, path).match(/add_header (X|Referrer|Permissions)-[\w-]+/g)).toEqual([
      ...["add_header Referrer-Policy", "add_header Permissions-Policy"],
      ...["add_header X-Content-Type-Options", "add_header X-Frame-Options"],
    ]);
  });

  test.each([
    ["= /edge-health", "zone=cheap burst=600 nodelay"],
    ["/static/", "zone=cheap burst=600 nodelay"],
    ["/uploads/", "zone=cheap burst=600 nodelay"],
    ["@app", "zone=perclient burst=200 nodelay"],
    ["/ws", "zone=perclient burst=200 nodelay"],
    ["/", "zone=perclient burst=200 nodelay"],
  ])("requests for %s are limited", (path, limit) => {
    const found = config.slice(config.indexOf("limit_conn connections"));
    expect(location(found, path)).toContain(`limit_req ${limit};`);
  });

  test("an answer may have 64 KB of headers and take as long as Cloudflare waits", () => {
    expect(config).toContain("proxy_buffer_size 64k;");
    expect(config).toContain("proxy_read_timeout 120s;");
    expect(nginxConfig({ ...plainEdge, responseSeconds: 300 })).toContain("proxy_read_timeout 300s;");
  });
});

describe("paths", () => {
  test("a private path and what is below it is not found", () => {
    const config = nginxConfig({ ...plainEdge, privatePaths: ["/metrics", "/admin"] });
    for (const path of ["= /metrics", "/metrics/", "= /admin", "/admin/"]) {
      expect(location(config, path)).toMatch(/\{\s+return 404;\s+\}/);
    }
    expect(nginxConfig({ ...plainEdge, privatePaths: [] })).not.toContain("/metrics");
  });

  test("only the paths with WebSockets pass an upgrade on", () => {
    const config = nginxConfig({ ...plainEdge, websockets: ["/live"] });
    expect(config.match(/proxy_set_header Upgrade .*/g)).toEqual([
      'proxy_set_header Upgrade "";',
      "proxy_set_header Upgrade $websocket;",
    ]);
    expect(location(config, "/live")).toContain("proxy_set_header Upgrade $websocket;");
    expect(location(config, "/live")).toContain("limit_conn websockets 200;");
    expect(config).toMatch(/map \$http_upgrade \$websocket \{\s+default "";\s+"~\*\^websocket\$" websocket;\s+\}/);
  });
});

describe("headers", () => {
  test.each([
    ["Forwarded"],
    ["True-Client-IP"],
    ["CF-Connecting-IP"],
    ["X-Forwarded-Port"],
    ["X-Forwarded-Prefix"],
    ["X-Original-URL"],
  ])("a visitor's own %s does not reach the app, wherever it is sent", (name) => {
    const config = nginxConfig(plainEdge);
    // Once for the server, once for the WebSockets.
    expect(config.split(`proxy_set_header ${name} "";`)).toHaveLength(3);
  });

  test("the client's address is the one that nginx has found", () => {
    const behind = nginxConfig({ ...serverEdge, trustedProxies: ["173.245.48.0/20"] });
    for (const name of ["X-Real-IP", "X-Forwarded-For", "CF-Connecting-IP"]) {
      expect(behind).toContain(`proxy_set_header ${name} $remote_addr;`);
    }
  });

  test("the edge adds a header for browsers where the app has none, and none that is switched off", () => {
    const headers = { "Referrer-Policy": "no-referrer", "X-Frame-Options": "" };
    const config = nginxConfig({ ...plainEdge, headers });
    expect(config).toMatch(
      /map \$upstream_http_referrer_policy \$edge_referrer_policy \{\s+default "";\s+"" "no-referrer";\s+\}/,
    );
    expect(config).toContain("add_header Referrer-Policy $edge_referrer_policy always;");
    expect(config).not.toMatch(/X-Frame-Options|nosniff/);
    expect(config).toContain("proxy_hide_header X-XSS-Protection;");
  });

  test("an app with a policy about contents of its own is not measured by the edge's", () => {
    const sent = '"$upstream_http_content_security_policy$upstream_http_content_security_policy_report_only"';
    expect(nginxConfig(plainEdge)).toContain(`map ${sent} $edge_content_security_policy_report_only {`);
  });

  test("HSTS goes over TLS only, without preload and for this host name alone", () => {
    expect(nginxConfig(plainEdge)).not.toContain("Strict-Transport-Security");
    expect(nginxConfig(serverEdge)).toContain("add_header Strict-Transport-Security $edge_strict_transport_security");
    expect(nginxConfig(serverEdge)).toContain('"" "max-age=31536000";');
  });
});

describe("nginx.conf with TLS behind proxies", () => {
  const config = nginxConfig({ ...serverEdge, trustedProxies: ["173.245.48.0/20"] });

  test.each([
    ["listen 8443 ssl http2;"],
    ["ssl_certificate edge.crt;"],
    ["ssl_protocols TLSv1.2 TLSv1.3;"],
    ["return 301 https://$host$request_uri;"],
    ["set_real_ip_from 173.245.48.0/20;"],
    ["real_ip_header CF-Connecting-IP;"],
    ["server_name orion.example.com;"],
    ["proxy_set_header Host $host;"],
  ])("says %s", (line) => {
    expect(config).toContain(line);
  });

  test("suites have authenticated encryption and forward secrecy", () => {
    const [, suites = ""] = /ssl_ciphers (\S+);/.exec(config) ?? [];
    for (const suite of suites.split(":")) expect(suite).toMatch(/^ECDHE-(ECDSA|RSA)-(AES\d+-GCM|CHACHA20)/);
  });

  test.each([8080, 8443])("on port %d another host name gets 421 from the default server", (port) => {
    const [other = "", own = ""] = servers(config, port);
    expect(other).toMatch(new RegExp(`listen ${port}( ssl http2)? default_server;\\s+server_name _;[^]*return 421;`));
    expect(other).not.toContain("proxy_pass");
    expect(own).toContain("server_name orion.example.com;");
    expect(own).not.toContain("default_server");
  });

  test("another name gets no TLS handshake, and a request of HTTP/1.0 needs a host", () => {
    expect(servers(config, 8443)[0]).toContain("ssl_reject_handshake on;");
    expect(servers(config, 8443)[1]).toMatch(/if \(\$http_host = ""\) \{\s+return 421;/);
  });

  test("with an authority, clients need a certificate of it; without, none", () => {
    const tls = { port: 8443, certificate: "edge.crt", key: "edge.key", clientAuthority: "client-authority.crt" };
    const [, own = ""] = servers(nginxConfig({ ...serverEdge, tls }), 8443);
    expect(own).toMatch(/ssl_client_certificate client-authority.crt;\s+ssl_verify_client on;/);
    expect(config).not.toContain("ssl_verify_client");
  });

  test("the health port needs an app's answer and fails while the edge is drained; it answers any name", () => {
    expect(config).toMatch(
      /listen 8081;[^]*location = \/edge-health \{\s+if \(-f \/dev\/shm\/orion-leaving\) \{\s+return 503;\s+\}[^}]*proxy_pass \$app\/health;/,
    );
    expect(servers(config, 8082)[0]).toContain("listen 127.0.0.1:8082;");
  });
});

describe("nginx behind a load balancer", () => {
  const common = { ...serverEdge, balancers: ["10.20.1.5"] };
  const guarded = nginxConfig({ ...common, trustedProxies: ["173.245.48.0/20"] });

  test("takes its peer from the PROXY protocol, and trusts only Cloudflare's header with the client's address", () => {
    expect(guarded).toContain("listen 8443 ssl http2 proxy_protocol;");
    expect(guarded).toContain("listen 8443 ssl http2 proxy_protocol default_server;");
    expect(guarded).toContain("listen 8080 proxy_protocol default_server;");
    expect(guarded).toContain("set_real_ip_from 10.20.1.5;\n  real_ip_header CF-Connecting-IP;");
    expect(guarded).toContain("geo $proxy_protocol_addr $stranger {\n    default 1;\n    173.245.48.0/20 0;\n  }");
    expect(guarded).toMatch(/if \(\$stranger\) \{\s+return 403;\s+\}/);
  });

  test("without Cloudflare all clients are admitted, with the address of the PROXY protocol", () => {
    const open = nginxConfig({ ...common, trustedProxies: [] });
    expect(open).toContain("set_real_ip_from 10.20.1.5;\n  real_ip_header proxy_protocol;");
    expect(open).not.toContain("stranger");
  });

  test("without a load balancer there is nothing of it", () => {
    expect(nginxConfig({ ...serverEdge, trustedProxies: ["173.245.48.0/20"] })).not.toMatch(/proxy_protocol|stranger/);
  });
});

test("sticky paths go to one of the instances, also as WebSockets, and no other path does", () => {
  const app = { ...plainEdge.app, instances: ["app-1a-1", "app-1a-2", "app-1a-3"] };
  const text = nginxConfig({ ...plainEdge, app, sticky: ["/socket.io", "/ws/chat"] });
  expect(/split_clients \$remote_addr \$sticky_host \{([^}]*)\}/.exec(text)?.[1]?.trim().split(/\n\s*/)).toEqual([
    ...["33.33% app-1a-1;", "33.33% app-1a-2;", "* app-1a-3;"],
  ]);
  expect(location(text, "/socket.io")).toContain("proxy_pass $sticky_app;");
  expect(location(text, "/ws/chat")).toMatch(/proxy_pass \$sticky_app;[^]*Upgrade/);
  expect(location(text, "/ws")).toContain("proxy_pass $app;");
  expect(text.match(/proxy_pass \$sticky_app;/g)).toHaveLength(2);
  expect(nginxConfig(plainEdge)).not.toContain("sticky");
});

describe("connections to the app that stay open", () => {
  const app = { host: "app-1a", port: 9000, instances: ["app-1a-1", "app-1a-2"], anyVersion: "app" };
  const config = nginxConfig({ ...plainEdge, app });
  const block = (text: string, head: string) => text.split(`  ${head} {`)[1]?.split("\n  }")[0] ?? "";
  const socketsOf = (text: string) => [...text.matchAll(/^ +listen (unix:\S+);$/gm)].map(([, socket]) => socket);

  test("go to a socket for each instance, from which the instance's name is looked up", () => {
    const sockets = socketsOf(config);
    expect(sockets).toEqual([expect.stringMatching(/^unix:\/dev\/shm\/app-\w{8}-1$/), expect.stringMatching(/-2$/)]);
    for (const [index, socket] of sockets.entries()) {
      expect(block(config, "upstream kept_app")).toContain(`server ${socket};`);
      const server = config.split("  server {").find((each) => each.includes(`listen ${socket};`));
      expect(server).toContain(`set $instance app-1a-${index + 1};`);
      expect(server).toContain("proxy_pass $instance:9000;");
    }
  });

  test("take requests that may be sent twice, and send them again on a connection of their own", () => {
    expect(block(config, "map $request_method $kept_app").trim().split(/\n\s*/)).toEqual([
      ...["default http://app-1a:9000;", "GET http://kept_app;", "HEAD http://kept_app;"],
    ]);
    expect(block(config, "map $request_method $when_kept_fails").trim().split(/\n\s*/)).toEqual([
      ...["default $when_own_fails;", "GET @directly;", "HEAD @directly;"],
    ]);
    const served = config.slice(config.indexOf("limit_conn connections"));
    expect(location(served, "/")).toMatch(/proxy_pass \$kept_app;\s+error_page 502 = \$when_kept_fails;/);
    expect(location(config, "@directly")).toMatch(
      /proxy_next_upstream_tries 1;\s+proxy_pass \$app;\s+error_page 502 504 = @late;/,
    );
    expect(location(config, "@unanswered")).toContain("return 502;");
    expect(block(config, "map $upstream_bytes_sent $when_own_fails")).toMatch(/"" @late;\s+"~\^\[0, :-\]\+\$" @late;/);
    expect(location(config, "@late")).toContain("set $any_version http://app:9000;");
    const { anyVersion, ...alone } = app;
    expect(nginxConfig({ ...plainEdge, app: alone })).not.toMatch(new RegExp(`@late|//${anyVersion}:`));
    expect(config.match(/proxy_pass \$kept_app;/g)).toHaveLength(1);
  });

  test("are closed by nginx before the app closes them", () => {
    const [, seconds] = /keepalive_timeout (\d+)s;/.exec(block(config, "upstream kept_app")) ?? [];
    expect(Number(seconds)).toBeLessThan(appKeepsIdleSeconds);
    expect(config).toContain("proxy_timeout 180s;");
  });

  test("another configuration has other sockets", () => {
    const others = socketsOf(nginxConfig({ ...plainEdge, app, bodyLimitMb: 7 }));
    expect(others).toHaveLength(2);
    expect(socketsOf(config).filter((socket) => others.includes(socket))).toEqual([]);
  });

  test("without names of instances there are none", () => {
    expect(nginxConfig(plainEdge)).not.toMatch(/stream \{|kept_app/);
  });
});
