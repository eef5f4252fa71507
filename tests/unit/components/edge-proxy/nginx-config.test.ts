/** nginx' configuration, by what is in front of it. */
import { nginxConfig } from "../../../../components/edge-proxy/nginx-config.ts";

describe("nginx.conf", () => {
  const config = nginxConfig({
    port: 8080,
    app: { host: "app", port: 8000 },
    bodyLimitMb: 50,
    trustedProxies: [],
    uploads: "/app/uploads",
  });

  test.each([
    ["client_max_body_size 50m;"],
    ['add_header X-Frame-Options "SAMEORIGIN" always;'],
    ["limit_req_zone $binary_remote_addr"],
    ["proxy_set_header Upgrade $http_upgrade;"],
    ["worker_shutdown_timeout 1h;"],
  ])("says %s", (line) => {
    expect(config).toContain(line);
  });

  /** The text of a location. */
  const location = (path: string) => new RegExp(`location ${path} \\{[^]*?\\n    \\}`).exec(config)?.[0] ?? "";

  test("what is uploaded is shown, and runs as no page of ours", () => {
    expect(location("/uploads/")).toContain(`add_header Content-Security-Policy "sandbox; default-src 'none'" always;`);
    expect(location("/uploads/")).toContain("expires 7d;");
  });

  test("what is static stays in a browser for a month", () => {
    expect(location("/static/")).toMatch(/expires 30d;\n *add_header Cache-Control "public, immutable";/);
  });

  test.each(["/static/", "/uploads/"])("%s adds a header and therefore repeats those of the server", (path) => {
    expect(location(path).match(/add_header X-[\w-]+/g)).toHaveLength(3);
  });
});

describe("nginx.conf with TLS behind proxies", () => {
  const config = nginxConfig({
    ...{ port: 8080, app: { host: "app", port: 8000 }, bodyLimitMb: 50, hostname: "orion.example.com" },
    tls: { port: 8443, certificate: "edge.crt", key: "edge.key" },
    trustedProxies: ["173.245.48.0/20"],
  });

  test.each([
    ["listen 8443 ssl http2;"],
    ["ssl_certificate edge.crt;"],
    ["return 301 https://$host$request_uri;"],
    ["set_real_ip_from 173.245.48.0/20;"],
    ["real_ip_header CF-Connecting-IP;"],
    ["server_name orion.example.com;"],
  ])("says %s", (line) => {
    expect(config).toContain(line);
  });
});

describe("nginx behind a load balancer", () => {
  const direct = {
    ...{ port: 8080, app: { host: "app", port: 8000 }, bodyLimitMb: 50, hostname: "orion.example.com" },
    tls: { port: 8443, certificate: "edge.crt", key: "edge.key" },
  };
  const common = { ...direct, balancers: { addresses: ["10.20.1.5"], healthPort: 8081 } };
  const guarded = nginxConfig({ ...common, trustedProxies: ["173.245.48.0/20"] });

  test("takes its peer from the PROXY protocol, and trusts only Cloudflare's header with the client's address", () => {
    expect(guarded).toContain("listen 8443 ssl http2 proxy_protocol;");
    expect(guarded).toContain("listen 8080 default_server proxy_protocol;");
    expect(guarded).toContain("set_real_ip_from 10.20.1.5;\n  real_ip_header CF-Connecting-IP;");
    expect(guarded).toContain("geo $proxy_protocol_addr $stranger {\n    default 1;\n    173.245.48.0/20 0;\n  }");
    expect(guarded).toContain("if ($stranger) {\n      return 403;\n    }");
  });

  test("without Cloudflare all clients are admitted, with the address of the PROXY protocol", () => {
    const open = nginxConfig({ ...common, trustedProxies: [] });
    expect(open).toContain("set_real_ip_from 10.20.1.5;\n  real_ip_header proxy_protocol;");
    expect(open).not.toContain("stranger");
  });

  test("has a separate health port, which needs an app's answer and fails while the edge is drained", () => {
    expect(guarded).toMatch(
      /listen 8081;[^]*location = \/edge-health \{\s+if \(-f \/dev\/shm\/orion-leaving\) \{\s+return 503;\s+\}[^}]*proxy_pass \$app\/health;/,
    );
  });

  test("without a load balancer there is nothing of it", () => {
    expect(nginxConfig({ ...direct, trustedProxies: ["173.245.48.0/20"] })).not.toMatch(/proxy_protocol|stranger|8081/);
  });
});
