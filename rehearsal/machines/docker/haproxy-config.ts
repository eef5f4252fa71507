/** Generates the HAProxy configuration of a load balancer. Pure. */
import type { BalancerService, BalancerSpec } from "../machines.ts";

/** Path of the balancer's folder in its container. */
export const balancerFolder = "/balancer";

export const certificateFile = (service: BalancerService, index: number): string =>
  `${service.listenPort}-${index}.pem`;

/**
 * @param reachable translates a target's address to one that the load balancer's container can reach
 */
export function haproxyConfig(spec: BalancerSpec, reachable: (address: string) => string): string {
  return [
    "global",
    `  stats socket ${balancerFolder}/admin.sock mode 600 level admin`,
    // After a reload the old process keeps its connections, including those to unchanged targets: at most as long as the
    // tunnel timeout allows a silent WebSocket.
    "  hard-stop-after 1h",
    "defaults",
    "  timeout connect 5s",
    "  timeout client 60s",
    "  timeout server 60s",
    "  timeout tunnel 1h",
    "  option redispatch",
    "  retries 2",
    ...spec.services.flatMap((service) => serviceSections(spec, service, reachable)),
    "",
  ].join("\n");
}

function serviceSections(spec: BalancerSpec, service: BalancerService, reachable: (address: string) => string) {
  const { listenPort, protocol } = service;
  const isHttp = protocol !== "tcp";
  const crt = service.certificates.map((_, index) => ` crt ${balancerFolder}/${certificateFile(service, index)}`);
  const bind = protocol === "https" ? ` ssl${crt.join("")} alpn h2,http/1.1` : "";
  return [
    ...(service.redirectHttp
      ? [
          `frontend redirect_${listenPort}`,
          "  mode http",
          "  bind :80",
          `  http-request redirect scheme https code 301`,
        ]
      : []),
    `frontend service_${listenPort}`,
    `  mode ${isHttp ? "http" : "tcp"}`,
    `  bind :${listenPort}${bind}`,
    ...(isHttp
      ? [
          "  option forwardfor",
          `  http-request set-header X-Forwarded-Proto ${protocol}`,
          `  http-request set-header X-Forwarded-Port ${listenPort}`,
        ]
      : []),
    ...idleLine("client", service),
    `  default_backend targets_${listenPort}`,
    `backend targets_${listenPort}`,
    `  mode ${isHttp ? "http" : "tcp"}`,
    `  balance ${spec.algorithm === "least_connections" ? "leastconn" : "roundrobin"}`,
    ...idleLine("server", service),
    ...cookieLines(service),
    ...checkLines(service),
    ...spec.targets.map(({ name, address }) => `  server ${name} ${reachable(address)}:${serverLine(service, name)}`),
  ];
}

const idleLine = (side: "client" | "server", { timeoutIdle }: BalancerService): string[] =>
  timeoutIdle === undefined ? [] : [`  timeout ${side} ${timeoutIdle}s`];

function cookieLines({ cookie, protocol }: BalancerService): string[] {
  if (!cookie || protocol === "tcp") return [];
  return [`  cookie ${cookie.name} insert indirect nocache maxlife ${cookie.lifetime}s`];
}

function checkLines({ healthCheck: check }: BalancerService): string[] {
  const timeout = `  timeout check ${check.timeout}s`;
  if (check.protocol === "tcp" || !check.http) return [timeout];
  const { domain, path, response, statusCodes } = check.http;
  const host = domain === "" ? "" : ` hdr Host ${domain}`;
  const codes = statusCodes.map((code) => code.replaceAll("?", ".")).join("|");
  return [
    timeout,
    "  option httpchk",
    `  http-check send meth GET uri ${path === "" ? "/" : path} ver HTTP/1.1${host === "" ? " hdr Host health-check" : host}`,
    `  http-check expect rstatus ^(${codes})$`,
    ...(response === "" ? [] : [`  http-check expect string ${response.replaceAll(" ", "\\ ")}`]),
  ];
}

function serverLine(service: BalancerService, name: string): string {
  const { healthCheck: check, proxyProtocol, cookie, destinationPort } = service;
  const options = [
    `check port ${check.port} inter ${check.interval}s fall ${check.retries} rise 1 fastinter 1s`,
    ...(check.http?.tls ? ["check-ssl verify none"] : []),
    ...(proxyProtocol ? ["send-proxy"] : []),
    // A check on the port of the service needs the PROXY protocol header as well.
    ...(proxyProtocol && check.port === destinationPort ? ["check-send-proxy"] : []),
    ...(cookie && service.protocol !== "tcp" ? [`cookie ${name}`] : []),
  ];
  return `${destinationPort} ${options.join(" ")}`;
}
