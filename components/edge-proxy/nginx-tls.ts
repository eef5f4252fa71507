/** TLS of nginx. Pure. */
import type { NginxTls } from "./nginx-config.ts";

/** Mozilla's "intermediate" suites (version 5.7) with elliptic curves: authenticated encryption only. TLS 1.3 has no others. */
const ciphers = [
  ...["ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256"],
  ...["ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384"],
  ...["ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305"],
];

/** For all servers: the default server of a port decides about protocols and suites before the name is known. */
export const tlsSettings = `
  ssl_protocols TLSv1.2 TLSv1.3;
  ssl_ciphers ${ciphers.join(":")};
  ssl_prefer_server_ciphers off;
  ssl_session_cache shared:tls:10m;
  ssl_session_timeout 1d;
  ssl_session_tickets off;
`;

/** The certificate, and whose clients are admitted. A client without a certificate of that CA gets 400. */
export const tlsCertificates = ({ certificate, key, clientAuthority }: NginxTls): string => `
    ssl_certificate ${certificate};
    ssl_certificate_key ${key};${
      clientAuthority === undefined
        ? ""
        : `
    ssl_client_certificate ${clientAuthority};
    ssl_verify_client on;
    ssl_verify_depth 1;`
    }`;
